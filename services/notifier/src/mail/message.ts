// A change of state -> the mail that tells of it: keepalived's subject, so that filters and people know it, and a body
// that says why. Pure.
import type { CauseRef } from "@baton/domain";
import type { GlobalConfig } from "@baton/keepalived-conf";
import { type Subject, toldState } from "../script-jobs.ts";
import { type NotifyState, type StateChange, subjectKey } from "../state-change.ts";

export interface Mail {
  /** Also the job's id: the same change is one mail, however often it is handed in. */
  readonly id: string;
  readonly instance: string;
  readonly state: NotifyState;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** RFC 3339: when the state changed, not when the mail was sent. */
  readonly date: string;
  readonly server: MailServer;
  readonly cause: CauseRef;
  readonly replayed: boolean;
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** `smtp_helo_name`; the host name when absent. */
  readonly heloName: string | undefined;
  /** `smtp_connect_timeout`: keepalived applies it to each step of the conversation. */
  readonly timeoutMillis: number;
}

export interface Sender {
  readonly node: string;
  readonly hostName: string;
  readonly userName: string;
}

/** keepalived's limit of a subject. */
const subjectLengthMax = 256;

/** Undefined when the configuration asks for no mail. */
export function mailOf(
  change: StateChange,
  instance: Pick<Subject, "name" | "notify" | "smtpAlert">,
  global: GlobalConfig,
  sender: Sender,
): Mail | undefined {
  const server = mailServer(global);
  if (!instance.smtpAlert || server === undefined || global.notificationEmail.length === 0) return undefined;
  const state = toldState(change.state, instance.notify);
  if (state === "FAULT" && global.noEmailFaults) return undefined;
  const what = change.subject === "group" ? "Group" : "Instance";
  const subject = `[${global.routerId}] VRRP ${what} ${instance.name} - ${headline[state]}`;
  return {
    // BullMQ takes neither ':' nor a bare number as an id; an event id is hexadecimal with dashes.
    id: `mail-${state}-${change.cause.id === "" ? `${subjectKey(change)}-${change.at}` : change.cause.id}`.replaceAll(
      ":",
      "-",
    ),
    instance: instance.name,
    state,
    from: global.notificationEmailFrom ?? `${sender.userName}@${sender.hostName}`,
    to: global.notificationEmail,
    subject: subject.slice(0, subjectLengthMax),
    text: bodyOf(change, state, sender),
    date: change.time,
    server,
    cause: change.cause,
    replayed: change.replayed,
  };
}

export function mailServer(global: GlobalConfig): MailServer | undefined {
  if (global.smtpServer === undefined) return undefined;
  return {
    ...global.smtpServer,
    heloName: global.smtpHeloName,
    timeoutMillis: Math.max(1_000, Math.round(global.smtpConnectTimeout / 1_000)),
  };
}

const headline: Readonly<Record<NotifyState, string>> = {
  MASTER: "Entering MASTER state",
  BACKUP: "Entering BACKUP state",
  FAULT: "Entering FAULT state",
  STOP: "Stopping",
  DELETED: "Deleted",
};

const sentence: Readonly<Record<NotifyState, string>> = {
  MASTER: "is now MASTER",
  BACKUP: "is now BACKUP",
  FAULT: "is now in FAULT",
  STOP: "is stopping",
  DELETED: "was removed from the configuration",
};

function bodyOf(change: StateChange, state: NotifyState, sender: Sender): string {
  const lines: [name: string, value: string][] = [
    ["reason", change.reason],
    ["time", change.time],
    ["priority", change.priority === undefined ? "" : String(change.priority)],
    ["term", String(change.term)],
    ["interface", change.interface],
    ["VRID", change.subject === "group" ? "" : String(change.vrid)],
    ["addresses", change.addresses.join(" ")],
    ["host", sender.hostName],
    ["event", change.cause.id],
    ["correlation", change.cause.correlationId],
  ];
  const told = lines.filter(([, value]) => value !== "").map(([name, value]) => `${`${name}:`.padEnd(13)}${value}`);
  const late = change.replayed ? ["", "Told late: the notifier was restarted or had lost touch meanwhile."] : [];
  return [`${change.instance} on ${sender.node} ${sentence[state]}.`, "", ...told, ...late, ""].join("\n");
}

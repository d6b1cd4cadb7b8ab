// A change of state -> the mail that tells of it: keepalived's subject, so that filters and people know it, and a body
// that says why. Pure.
import type { CauseRef } from "@baton/domain";
import type { GlobalConfig } from "@baton/keepalived-conf";
import type { ToldState } from "../ledger.ts";
import { type Subject, wordToTell } from "../script-jobs.ts";
import { type NotifyState, type StateChange, subjectKey } from "../state-change.ts";

export interface Mail {
  /** Also the job's id: the same change is one mail, however often it is handed in. */
  readonly id: string;
  readonly instance: string;
  /** Whose notifications it is one of; undefined: the instance's. */
  readonly story: string | undefined;
  readonly state: ToldState;
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
  if (!instance.smtpAlert) return undefined;
  const state = wordToTell(change.state, instance.notify);
  if (state === "FAULT" && global.noEmailFaults) return undefined;
  const what = change.subject === "group" ? "Group" : "Instance";
  return letterOf(global, sender, {
    instance: instance.name,
    story: undefined,
    state,
    headline: `VRRP ${what} ${instance.name} - ${headline[state]}`,
    text: textOf(change, state, sender),
    key: change.cause.id === "" ? `${subjectKey(change)}-${change.at}` : change.cause.id,
    time: change.time,
    cause: change.cause,
    replayed: change.replayed,
  });
}

export interface Letter extends Pick<Mail, "instance" | "story" | "state" | "text" | "cause" | "replayed"> {
  /** The subject, less the router's name. */
  readonly headline: string;
  /** With the state, what makes it this mail and no other. */
  readonly key: string;
  readonly time: string;
}

/** In its envelope; undefined where the configuration names nobody to send it to, or no server. */
export function letterOf(global: GlobalConfig, sender: Sender, letter: Letter): Mail | undefined {
  const server = mailServer(global);
  if (server === undefined || global.notificationEmail.length === 0) return undefined;
  const { instance, story, state, headline, text, key, time, cause, replayed } = letter;
  return {
    // BullMQ takes neither ':' nor a bare number as an id; an event id is hexadecimal with dashes.
    id: `mail-${state}-${key}`.replaceAll(":", "-"),
    instance,
    story,
    state,
    from: global.notificationEmailFrom ?? `${sender.userName}@${sender.hostName}`,
    to: global.notificationEmail,
    subject: `[${global.routerId}] ${headline}`.slice(0, subjectLengthMax),
    text,
    date: time,
    server,
    cause,
    replayed,
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

function textOf(change: StateChange, state: NotifyState, sender: Sender): string {
  return bodyOf(`${change.instance} on ${sender.node} ${sentence[state]}.`, change, sender, [
    ["reason", change.reason],
    ["time", change.time],
    ["priority", change.priority === undefined ? "" : String(change.priority)],
    ["term", String(change.term)],
    ["interface", change.interface],
    ["VRID", change.subject === "group" ? "" : String(change.vrid)],
    ["addresses", change.addresses.join(" ")],
  ]);
}

/** A sentence, then facts by name: those that are not empty, and where to read on. */
export function bodyOf(
  first: string,
  { cause, replayed }: Pick<StateChange, "cause" | "replayed">,
  sender: Sender,
  facts: readonly (readonly [name: string, value: string])[],
): string {
  const all = [...facts, ["host", sender.hostName], ["event", cause.id], ["correlation", cause.correlationId]] as const;
  const told = all.filter(([, value]) => value !== "").map(([name, value]) => `${`${name}:`.padEnd(13)}${value}`);
  const late = replayed ? ["", "Told late: the notifier was restarted or had lost touch meanwhile."] : [];
  return [first, "", ...told, ...late, ""].join("\n");
}

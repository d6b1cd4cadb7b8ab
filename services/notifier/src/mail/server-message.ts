// A real server that came or went, a quorum gained or lost -> the mail that tells of it: keepalived's subject, so that
// filters and people know it, and a body that says why. Pure.
import type { GlobalConfig } from "@baton/keepalived-conf";
import { type ServerChange, subjectName } from "../server-change.ts";
import type { ServerSubject } from "../server-subjects.ts";
import { bodyOf, letterOf, type Mail, type Sender } from "./message.ts";

/**
 * Undefined when the configuration asks for no mail. keepalived mails of a real server when a check has changed it or it
 * was taken away, and not of what a start or a reload supposes, nor of a supposition that a first check has confirmed.
 */
export function serverMailOf(
  change: ServerChange,
  subject: ServerSubject,
  global: GlobalConfig,
  sender: Sender,
): Mail | undefined {
  if (!subject.smtpAlert || (change.server !== undefined && !isMailed(change))) return undefined;
  const { state, virtualServer: story } = change;
  const who =
    subject.server === undefined
      ? `Virtualserver ${subject.virtualServer}`
      : `Realserver ${subject.server} of virtual server ${subject.virtualServer}`;
  return letterOf(global, sender, {
    instance: subjectName(change),
    story,
    state,
    headline: `${who} - ${state}`,
    text: textOf(change, sender),
    // One event may tell of nobody else; a snapshot of many.
    key: change.order === undefined ? `${subjectName(change)}-${change.time}-${state}` : change.cause.id,
    time: change.time,
    cause: change.cause,
    replayed: change.replayed,
  });
}

const mailedReasons: readonly string[] = ["check", "removed", "stop", "snapshot"];
const isMailed = ({ changed, reason }: ServerChange): boolean => changed && mailedReasons.includes(reason);

function textOf(change: ServerChange, sender: Sender): string {
  const { quorum } = change;
  const facts: (readonly [string, string])[] =
    quorum === undefined
      ? []
      : [
          ["quorum", String(quorum.quorum)],
          ["hysteresis", String(quorum.hysteresis)],
          ["needed", String(quorum.threshold)],
          ["weight", String(quorum.weight)],
        ];
  return bodyOf(`${subjectName(change)} on ${sender.node} ${whatHappened(change)}.`, change, sender, [
    ["reason", reasons[change.reason] ?? ""],
    ["check", change.check],
    ["time", change.time],
    ...facts,
  ]);
}

function whatHappened({ server, state }: ServerChange): string {
  if (server !== undefined) return state === "UP" ? "is up" : "is down";
  return state === "UP" ? "has its quorum" : "has no quorum";
}

const reasons: Readonly<Record<string, string>> = {
  check: "a check has decided",
  servers: "the weight of its servers has changed",
  start: "start",
  reload: "reload",
  removed: "removed from the configuration",
  stop: "Baton stops",
};

// What was last told of each subject, and whether a change is still to be told (SAFETY S21): nothing older than that, and
// a state only when it differs. An election that resumes under its lease says "master" again; the address never moved, so
// nobody's notify_master restarts a service for it. Pure.
import type { NotifyState } from "./state-change.ts";

/** What was told: keepalived's words for instances and groups, and for servers. */
export type ToldState = NotifyState | ServerState;
export type ServerState = "UP" | "DOWN";

/** A subject is in a state. */
export interface Telling {
  readonly state: ToldState;
  /** The event's place among the events of its aggregate; undefined when it was read from a snapshot. */
  readonly order: { readonly epoch: number; readonly version: number } | undefined;
  /** CLOCK_BOOTTIME in microseconds: orders what has no version. */
  readonly at: number;
}

export interface TellingRecord {
  readonly state: ToldState;
  readonly epoch: number;
  readonly version: number;
  readonly at: number;
  /** The state last mailed of; mails are off and on by configuration, so it may differ from `state`. */
  readonly mailed: ToldState | undefined;
}

export type Verdict = "tell" | "old" | "unchanged";

/** Of an instance or a group. */
export function judge(record: TellingRecord | undefined, change: Telling): Verdict {
  if (record === undefined) return "tell";
  if (!isLater(record, change)) return "old";
  return record.state === change.state ? "unchanged" : "tell";
}

/**
 * Of a server, which a snapshot gives no moment of: it is what is, and told where it differs. One process of health says
 * nothing twice, and what it says of the same state again is meant (keepalived confirms a first failure under alpha, and
 * ends what was down already); what a later process finds as it was is not told anew.
 */
export function judgeServer(record: TellingRecord | undefined, change: Telling & { readonly reason: string }): Verdict {
  if (record === undefined) return "tell";
  const isOther = record.state !== change.state || change.reason === "stop" || change.reason === "removed";
  if (change.order === undefined) return isOther ? "tell" : "unchanged";
  if (!isLater(record, change)) return "old";
  return isOther || record.epoch === change.order.epoch ? "tell" : "unchanged";
}

export function isLater(record: TellingRecord, change: Telling): boolean {
  // Told from a snapshot, either of them: there only the moment is known.
  if (change.order === undefined || record.epoch === 0) return change.at > record.at;
  const { epoch, version } = change.order;
  return epoch > record.epoch || (epoch === record.epoch && version > record.version);
}

/** The record once `change` is told, or was found to say nothing new. */
export function recordOf(before: TellingRecord | undefined, change: Telling, mailed: boolean): TellingRecord {
  return {
    state: change.state,
    epoch: change.order?.epoch ?? 0,
    version: change.order?.version ?? 0,
    at: change.at,
    mailed: mailed ? change.state : before?.mailed,
  };
}

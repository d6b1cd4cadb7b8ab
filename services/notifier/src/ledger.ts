// What was last told of each instance, and whether a change is still to be told (SAFETY S21): nothing older than that,
// and a state only when it differs. An election that resumes under its lease says "master" again; the address never
// moved, so nobody's notify_master restarts a service for it. Pure.
import type { NotifyState, StateChange } from "./state-change.ts";

export interface TellingRecord {
  readonly state: NotifyState;
  readonly epoch: number;
  readonly version: number;
  readonly at: number;
  /** The state last mailed of; mails are off and on by configuration, so it may differ from `state`. */
  readonly mailed: NotifyState | undefined;
}

export type Verdict = "tell" | "old" | "unchanged";

export function judge(record: TellingRecord | undefined, change: StateChange): Verdict {
  if (record === undefined) return "tell";
  if (!isLater(record, change)) return "old";
  return record.state === change.state ? "unchanged" : "tell";
}

function isLater(record: TellingRecord, change: StateChange): boolean {
  // Told from a snapshot, either of them: there only the moment is known.
  if (change.order === undefined || record.epoch === 0) return change.at > record.at;
  const { epoch, version } = change.order;
  return epoch > record.epoch || (epoch === record.epoch && version > record.version);
}

/** The record once `change` is told, or was found to say nothing new. */
export function recordOf(before: TellingRecord | undefined, change: StateChange, mailed: boolean): TellingRecord {
  return {
    state: change.state,
    epoch: change.order?.epoch ?? 0,
    version: change.order?.version ?? 0,
    at: change.at,
    mailed: mailed ? change.state : before?.mailed,
  };
}

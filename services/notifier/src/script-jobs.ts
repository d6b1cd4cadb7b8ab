// A change of state -> the commands to run for it, in keepalived's order: the state's own script with exactly the
// configured words, then the generic one with INSTANCE or GROUP, name, state and priority appended. Pure.
import type { Command, InstanceConfig, NotifyConfig, SyncGroupConfig } from "@baton/keepalived-conf";
import type { ToldState } from "./ledger.ts";
import type { NotifyState, StateChange } from "./state-change.ts";

/** What a script is told of: a change of state, or, without one, that a lower master speaks. */
export interface Occasion extends Pick<StateChange, "instance" | "at" | "cause" | "replayed"> {
  readonly state: ToldState | "MASTER_RX_LOWER_PRI";
  /** Whose notifications it is one of; undefined: the instance's. */
  readonly story?: string;
}

export interface ScriptJob<What extends Occasion = StateChange> {
  readonly command: Command;
  readonly appended: readonly string[];
  readonly change: What;
}

/** keepalived: DELETED is told as FAULT unless notify_deleted is set. */
export function wordToTell(state: NotifyState, notify: NotifyConfig): NotifyState {
  return state === "DELETED" && !notify.tellDeleted ? "FAULT" : state;
}

/** Whose scripts and mails they are: an instance, or a group as if it were one. */
export interface Subject extends Pick<InstanceConfig, "name" | "notify" | "smtpAlert"> {
  readonly priority: number;
}

/** keepalived tells 0 as the priority of a group. */
export const subjectOfGroup = ({ name, notify, smtpAlert }: SyncGroupConfig): Subject => ({
  name,
  notify: { ...notify, deleted: undefined, tellDeleted: false, lowerPriority: undefined },
  smtpAlert,
  priority: 0,
});

export function scriptJobs(
  change: StateChange,
  instance: Pick<Subject, "name" | "notify">,
  priority: number,
): ScriptJob[] {
  const state = wordToTell(change.state, instance.notify);
  const own = commandOf(state, instance.notify);
  const { any } = instance.notify;
  const jobs: ScriptJob[] = own === undefined ? [] : [{ command: own, appended: [], change }];
  if (any === undefined) return jobs;
  const kind = change.subject === "group" ? "GROUP" : "INSTANCE";
  return [...jobs, { command: any, appended: [kind, instance.name, state, String(priority)], change }];
}

function commandOf(state: NotifyState, notify: NotifyConfig): Command | undefined {
  switch (state) {
    case "MASTER":
      return notify.master;
    case "BACKUP":
      return notify.backup;
    case "FAULT":
      return notify.fault;
    case "STOP":
      return notify.stop;
    case "DELETED":
      return notify.deleted;
  }
}

// A change of state -> the commands to run for it, in keepalived's order: the state's own script with exactly the
// configured words, then the generic one with INSTANCE, name, state and priority appended. Pure.
import type { Command, InstanceConfig, NotifyConfig } from "@baton/keepalived-conf";
import type { NotifyState, StateChange } from "./state-change.ts";

export interface ScriptJob {
  readonly command: Command;
  readonly appended: readonly string[];
  readonly change: StateChange;
}

/** keepalived: DELETED is told as FAULT unless notify_deleted is set. */
export function toldState(state: NotifyState, notify: NotifyConfig): NotifyState {
  return state === "DELETED" && notify.deleted === undefined ? "FAULT" : state;
}

export function scriptJobs(change: StateChange, instance: InstanceConfig, priority: number): ScriptJob[] {
  const state = toldState(change.state, instance.notify);
  const own = commandOf(state, instance.notify);
  const { any } = instance.notify;
  const jobs: ScriptJob[] = own === undefined ? [] : [{ command: own, appended: [], change }];
  if (any === undefined) return jobs;
  return [...jobs, { command: any, appended: ["INSTANCE", instance.name, state, String(priority)], change }];
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

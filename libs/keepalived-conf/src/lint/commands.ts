// What a configuration has run, and where it says so.
import type { Command, Config, GroupNotifyConfig, NotifyConfig } from "../config.ts";
import type { Keyword } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { vrrpScript } from "../keywords/vrrp-script.ts";
import { vrrpSyncGroup } from "../keywords/vrrp-sync-group.ts";
import type { Place } from "../report.ts";
import type { Places } from "./places.ts";

export interface PlacedCommand {
  readonly command: Command;
  readonly place: Place;
  /** As in "notify_master of VI_1". */
  readonly what: string;
}

type Notifications<T> = readonly (readonly [keyof T, Keyword<unknown>])[];

const ofInstance: Notifications<Omit<NotifyConfig, "tellDeleted">> = [
  ["master", vrrpInstance.keywords.notifyMaster],
  ["backup", vrrpInstance.keywords.notifyBackup],
  ["fault", vrrpInstance.keywords.notifyFault],
  ["stop", vrrpInstance.keywords.notifyStop],
  ["deleted", vrrpInstance.keywords.notifyDeleted],
  ["any", vrrpInstance.keywords.notify],
  ["lowerPriority", vrrpInstance.keywords.notifyLowerPriority],
];

const ofGroup: Notifications<GroupNotifyConfig> = [
  ["master", vrrpSyncGroup.keywords.notifyMaster],
  ["backup", vrrpSyncGroup.keywords.notifyBackup],
  ["fault", vrrpSyncGroup.keywords.notifyFault],
  ["stop", vrrpSyncGroup.keywords.notifyStop],
  ["any", vrrpSyncGroup.keywords.notify],
];

/** Of scripts, instances and groups. */
export function commandsIn({ scripts, instances, syncGroups }: Config, places: Places): PlacedCommand[] {
  const { script: keyword } = vrrpScript.keywords;
  return [
    ...scripts.map((script) => ({
      command: script.command,
      place: places.script(script, keyword),
      what: `vrrp_script ${script.name}`,
    })),
    ...instances.flatMap((instance) =>
      ofInstance.flatMap(([event, row]) => {
        const command = instance.notify[event];
        const what = `${row.name} of ${instance.name}`;
        return command === undefined ? [] : [{ command, place: places.instance(instance, row), what }];
      }),
    ),
    ...syncGroups.flatMap((group) =>
      ofGroup.flatMap(([event, row]) => {
        const command = group.notify[event];
        const what = `${row.name} of ${group.name}`;
        return command === undefined ? [] : [{ command, place: places.syncGroup(group, row), what }];
      }),
    ),
  ];
}

// keepalived.conf's instance -> what the election machine and its shell need. The only place that knows both vocabularies.
import type { IpAddress } from "@baton/domain";
import {
  type Config,
  type InstanceConfig,
  type SyncGroupConfig,
  type TrackRef,
  type VirtualAddressConfig,
  virtualRouterOf,
} from "@baton/keepalived-conf";
import type { ElectionConfig, TrackerConfig } from "@baton/vrrp";
import type { ElectedInstance } from "./tracked-quorums.ts";

/** What the runner of an instance reads of its configuration. */
export type RunnerConfig = Pick<
  InstanceConfig,
  | "name"
  | "interface"
  | "family"
  | "version"
  | "vrid"
  | "priority"
  | "initialState"
  | "advertInterval"
  | "downTimerAdverts"
  | "preempt"
  | "preemptDelay"
  | "authentication"
  | "authHmac"
  | "multicastGroup"
  | "unicast"
  | "lacksPeers"
  | "trackScripts"
  | "trackInterfaces"
  | "trackFiles"
  | "trackProcesses"
  | "trackBfds"
  | "trackPrimary"
  | "v3ChecksumAsV2"
  | "lowerPriorityNoAdvert"
  | "higherPrioritySendAdvert"
  | "ownerIgnoreAdverts"
  | "skipCheckAddresses"
> & { readonly addresses: readonly Pick<VirtualAddressConfig, "address">[] } & Pick<ElectedInstance, "quorums">;

/** What an election reads of the group that it is in. */
export type GroupConfig = Pick<
  SyncGroupConfig,
  "name" | "trackScripts" | "trackFiles" | "trackProcesses" | "trackBfds" | "trackInterfaces"
>;

export function toElectionConfig(instance: RunnerConfig, group: GroupConfig | undefined): ElectionConfig {
  return {
    name: instance.name,
    interface: instance.interface,
    syncGroup: group?.name,
    family: instance.family,
    version: instance.version,
    vrid: instance.vrid,
    priority: instance.priority,
    initialState: instance.initialState,
    advertInterval: instance.advertInterval,
    downTimerAdverts: instance.downTimerAdverts,
    preempt: instance.preempt,
    preemptDelay: instance.preemptDelay,
    addresses: instance.addresses.map((each): IpAddress => each.address),
    trackers: [
      ...trackersOf("script", instance.trackScripts, group?.trackScripts),
      ...trackersOf("file", instance.trackFiles, group?.trackFiles),
      ...trackersOf("process", instance.trackProcesses, group?.trackProcesses),
      ...trackersOf("bfd", instance.trackBfds, group?.trackBfds),
      // The own interface is tracked by the machine itself (interface-changed).
      ...trackersOf("interface", instance.trackInterfaces, group?.trackInterfaces).filter(
        ({ name }) => name !== instance.interface,
      ),
      ...(instance.quorums ?? []).map(
        ({ name, weight }): TrackerConfig => ({ kind: "virtual-server", name, weight, reverse: false }),
      ),
    ],
    trackPrimary: instance.trackPrimary,
    lowerPriorityNoAdvert: instance.lowerPriorityNoAdvert,
    higherPrioritySendAdvert: instance.higherPrioritySendAdvert,
    ...(instance.lacksPeers ? { faults: ["no-peers"] } : {}),
  };
}

/** What the group tracks counts for each member, and takes the place of the member's own. */
function trackersOf(
  kind: TrackerConfig["kind"],
  own: readonly TrackRef[],
  group: readonly TrackRef[] = [],
): TrackerConfig[] {
  const shared = new Set(group.map(({ name }) => name));
  return [...own.filter(({ name }) => !shared.has(name)), ...group].map((ref) => tracker(kind, ref));
}

const tracker = (kind: TrackerConfig["kind"], ref: TrackRef): TrackerConfig => ({
  kind,
  name: ref.name,
  weight: ref.weight,
  reverse: ref.reverse,
});

/** What decides as one: an instance alone, or a sync group. */
export interface UnitConfig {
  readonly group: SyncGroupConfig | undefined;
  /** In the order of the group. */
  readonly members: readonly ElectedInstance[];
}

/** The name of its lease: no instance's for a group, which may be called as one. */
export const leaseOf = ({
  group,
  members: [first],
}: {
  readonly group: Pick<SyncGroupConfig, "name"> | undefined;
  readonly members: readonly { readonly name: string }[];
}): string => (group === undefined ? (first?.name ?? "") : `sync-group ${group.name}`);

export function unitsOf({
  instances,
  syncGroups,
}: Pick<Config, "syncGroups"> & { readonly instances: readonly ElectedInstance[] }): UnitConfig[] {
  const named = new Map(instances.map((instance) => [instance.name, instance]));
  const grouped = syncGroups.map((group) => ({
    group,
    members: group.members.flatMap((name) => named.get(name) ?? []),
  }));
  const taken = new Set(grouped.flatMap(({ members }) => members));
  const alone = instances.filter((instance) => !taken.has(instance));
  return [
    ...grouped.filter(({ members }) => members.length > 0),
    ...alone.map((instance) => ({ group: undefined, members: [instance] })),
  ];
}

/**
 * What makes it the same virtual router across a reload; anything else may change in place (SAFETY S18). Leases and events
 * go by the name, so another name is another one as well, and so is a unit that decides with others
 * than before: its members go on in another one (reload.ts).
 */
export const identityOf = ({ group, members }: UnitConfig): string =>
  [group?.name, ...members.map((member) => `${member.name} ${virtualRouterOf(member)}`)].join("\n");

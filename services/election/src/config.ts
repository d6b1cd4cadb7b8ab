// keepalived.conf's instance -> what the election machine and its shell need. The only place that knows both vocabularies.
import type { IpAddress } from "@baton/domain";
import { type InstanceConfig, type TrackRef, type VirtualAddressConfig, virtualRouterOf } from "@baton/keepalived-conf";
import type { ElectionConfig, TrackerConfig } from "@baton/vrrp";

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
> & { readonly addresses: readonly Pick<VirtualAddressConfig, "address">[] };

export function toElectionConfig(instance: RunnerConfig): ElectionConfig {
  return {
    name: instance.name,
    interface: instance.interface,
    syncGroup: undefined,
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
      ...instance.trackScripts.map((ref) => tracker("script", ref)),
      ...instance.trackFiles.map((ref) => tracker("file", ref)),
      ...instance.trackProcesses.map((ref) => tracker("process", ref)),
      ...instance.trackBfds.map((ref) => tracker("bfd", ref)),
      // The own interface is tracked by the machine itself (interface-changed).
      ...instance.trackInterfaces
        .filter((ref) => ref.name !== instance.interface)
        .map((ref) => tracker("interface", ref)),
    ],
    trackPrimary: instance.trackPrimary,
    lowerPriorityNoAdvert: instance.lowerPriorityNoAdvert,
    higherPrioritySendAdvert: instance.higherPrioritySendAdvert,
  };
}

const tracker = (kind: TrackerConfig["kind"], ref: TrackRef): TrackerConfig => ({
  kind,
  name: ref.name,
  weight: ref.weight,
  reverse: ref.reverse,
});

/**
 * What makes it the same virtual router across a reload; anything else may change in place (SAFETY S18). Leases and events
 * go by the name, so another name is another one as well.
 */
export const identityOf = (instance: InstanceConfig): string => `${instance.name} ${virtualRouterOf(instance)}`;

// `vrrp_instance` and `vrrp_sync_group`.
import type { IpAddress, Micros, Priority, Vrid } from "@baton/domain";
import type { UnicastPeerConfig, VirtualAddressConfig } from "./addresses.ts";
import type { Command } from "./command.ts";
import type { RouteConfig, RuleConfig } from "./routes.ts";
import type { TrackRef } from "./tracking.ts";

/** `vrrp_instance`. */
export interface InstanceConfig {
  readonly name: string;
  readonly interface: string;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  readonly vrid: Vrid;
  readonly priority: Priority;
  /** The `state` line: what the instance wants at start. */
  readonly initialState: "master" | "backup";
  readonly advertInterval: Micros;
  /** `down_timer_adverts`, default 3. */
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  /** PASS: at most 8 octets, already cut. AH is parsed and refused until it is carried out. */
  readonly authentication: { readonly type: "pass"; readonly password: string } | undefined;
  readonly trackInterfaces: readonly TrackRef[];
  readonly trackScripts: readonly TrackRef[];
  readonly trackPrimary: boolean;
  /** `mcast_src_ip`; otherwise the interface's primary address. */
  readonly sourceAddress: IpAddress | undefined;
  readonly addresses: readonly VirtualAddressConfig[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
  /** `unicast_peer`; empty: adverts go to the multicast group. */
  readonly unicastPeers: readonly UnicastPeerConfig[];
  /** What the master puts into the kernel beside its addresses. */
  readonly routes: readonly RouteConfig[];
  readonly rules: readonly RuleConfig[];
  readonly garp: GarpConfig;
  readonly notify: NotifyConfig;
  readonly smtpAlert: boolean;
  /** `v3_checksum_as_v2`. */
  readonly v3ChecksumAsV2: boolean;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
}

/** `garp_master_*`, `garp_lower_prio_*`. */
export interface GarpConfig {
  /** Delay of the second burst, default 5 s; 0: none. */
  readonly delay: Micros;
  readonly repeat: number;
  /** 0: no refresh. */
  readonly refresh: Micros;
  readonly refreshRepeat: number;
  readonly lowerPriorityDelay: Micros;
  readonly lowerPriorityRepeat: number;
}

export interface NotifyConfig {
  readonly master: Command | undefined;
  readonly backup: Command | undefined;
  readonly fault: Command | undefined;
  readonly stop: Command | undefined;
  readonly deleted: Command | undefined;
  readonly any: Command | undefined;
}

export interface SyncGroupConfig {
  readonly name: string;
  readonly members: readonly string[];
}

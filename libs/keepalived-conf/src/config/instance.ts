// `vrrp_instance` and `vrrp_sync_group`.
import type { IpAddress, Micros, Priority, Vrid } from "@baton/domain";
import type { UnicastPeerConfig, VirtualAddressConfig } from "./addresses.ts";
import type { Command } from "./command.ts";
import type { PrefixConfig, RouteConfig, RuleConfig } from "./routes.ts";
import type { TrackedConfig } from "./tracking.ts";

/** `vrrp_instance`. */
export interface InstanceConfig extends TrackedConfig {
  readonly name: string;
  readonly interface: string;
  readonly family: 4 | 6;
  readonly version: 2 | 3;
  /** `vrrp_strict`, `strict_mode`: what contradicts the RFC has been set right already. */
  readonly strict: boolean;
  readonly vrid: Vrid;
  readonly priority: Priority;
  /** The `state` line: what the instance wants at start. */
  readonly initialState: "master" | "backup";
  readonly advertInterval: Micros;
  /** `down_timer_adverts`, default 3. */
  readonly downTimerAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  /** `timer_expired_backup`: the highest priority that a peer may have; undefined: off. */
  readonly timerExpiredBackup: number | undefined;
  /** PASS: at most 8 octets, already cut; so for AH, whose key they are. */
  readonly authentication: { readonly type: "pass" | "ah"; readonly password: string } | undefined;
  readonly authHmac: HmacConfig | undefined;
  readonly trackPrimary: boolean;
  /** `track_src_ip`: FAULT while the interface lacks `sourceAddress`. */
  readonly trackSource: boolean;
  /** `mcast_src_ip` or `unicast_src_ip`; otherwise the interface's primary address. */
  readonly sourceAddress: IpAddress | undefined;
  /** Where adverts go; undefined: to the peers of `unicast`. */
  readonly multicastGroup: IpAddress | undefined;
  readonly unicast: UnicastConfig | undefined;
  readonly addresses: readonly VirtualAddressConfig[];
  readonly excludedAddresses: readonly VirtualAddressConfig[];
  /** `unicast_fault_no_peer`, and there is none: it is to stay in fault. */
  readonly lacksPeers: boolean;
  /** What the master puts into the kernel beside its addresses. */
  readonly routes: readonly RouteConfig[];
  readonly rules: readonly RuleConfig[];
  /** False: packets to the addresses are kept out, unless the priority is 255. */
  readonly accept: boolean;
  readonly vmac: VmacConfig | undefined;
  readonly ipvlan: IpvlanConfig | undefined;
  readonly promoteSecondaries: boolean;
  readonly pollLink: boolean;
  readonly garp: GarpConfig;
  readonly garpExtra: GarpExtraConfig;
  readonly notify: NotifyConfig;
  readonly smtpAlert: boolean;
  /** Whether FIFOs are told when the priority changes. */
  readonly notifyPriorityChanges: boolean;
  /** `v3_checksum_as_v2`. */
  readonly v3ChecksumAsV2: boolean;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  /** Priority 255: adverts of others are not heard. */
  readonly ownerIgnoreAdverts: boolean;
  /** `skip_check_adv_addr`: the addresses of an advert are compared when another master sends it. */
  readonly skipCheckAddresses: boolean;
  /** `kernel_rx_buf_size`, in octets. */
  readonly receiveBuffer: number | undefined;
  /** 0 to 4. */
  readonly debugLevel: number;
}

/** Adverts to each peer. */
export interface UnicastConfig {
  readonly peers: readonly UnicastPeerConfig[];
  /** undefined: the kernel's. */
  readonly ttl: number | undefined;
  /** Adverts of others than the peers are not heard. */
  readonly checkSource: boolean;
  /** VRRPv3 checksums of keepalived up to 1.3.6; `auto`: as soon as a peer uses them. */
  readonly oldChecksum: "auto" | "always" | "never";
  /** The routing domain of an instance without interface. */
  readonly vrf: string | undefined;
}

/** `auth_hmac`: HMAC-SHA256 behind each advert. */
export interface HmacConfig {
  readonly keys: readonly HmacKeyConfig[];
  /** The id of the key that is signed with; one of `keys`. */
  readonly activeKey: number;
  readonly antiReplay: "time" | "monotonic";
  /** How far clocks may be apart; without meaning for `monotonic`. */
  readonly timeWindow: Micros;
  /** `permissive`: unsigned adverts count, too; `receive-only`: and none is signed. */
  readonly mode: "enforce" | "permissive" | "receive-only";
}

export interface HmacKeyConfig {
  readonly id: number;
  readonly value:
    | { readonly from: "file"; readonly path: string }
    | { readonly from: "text"; readonly secret: string }
    /** An even number of digits, in lower case. */
    | { readonly from: "hex"; readonly secret: string };
}

/** `use_vmac`: an interface with a MAC address of its own. */
export interface VmacConfig {
  /** undefined: made from `vmac_prefix` and the VRID. */
  readonly name: string | undefined;
  /** `aa:bb:cc:dd:ee:ff`; undefined: the one that VRRP has for the VRID. */
  readonly mac: string | undefined;
  /** `vmac_xmit_base`: adverts go over the interface below. */
  readonly transmitBase: boolean;
  /** `use_vmac_addr`: addresses on other interfaces and of the other family get one, too. */
  readonly addresses: boolean;
  readonly netlinkNotify: boolean;
  /** Group of interfaces; undefined: that of the interface below. */
  readonly group: number | undefined;
}

/** `use_ipvlan`: an interface of its own that shares the MAC address. */
export interface IpvlanConfig {
  readonly name: string | undefined;
  readonly address: PrefixConfig | undefined;
  readonly mode: "bridge" | "private" | "vepa";
  readonly group: number | undefined;
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

/** `garp_extra_if`: addresses on other interfaces than the instance's. */
export interface GarpExtraConfig {
  /** How often they are announced; 0: never. */
  readonly interval: Micros;
  /** And those on interfaces without a MAC address of their own, too. */
  readonly all: boolean;
}

/** Scripts of an instance. */
export interface NotifyConfig extends GroupNotifyConfig {
  readonly deleted: Command | undefined;
  /** `notify_deleted`: scripts and FIFOs are told DELETED, not FAULT. */
  readonly tellDeleted: boolean;
  /** `notify_master_rx_lower_pri`. */
  readonly lowerPriority: Command | undefined;
}

/** Scripts of a group. */
export interface GroupNotifyConfig {
  readonly master: Command | undefined;
  readonly backup: Command | undefined;
  readonly fault: Command | undefined;
  readonly stop: Command | undefined;
  readonly any: Command | undefined;
}

/** `vrrp_sync_group`: its members are master together. */
export interface SyncGroupConfig extends TrackedConfig {
  readonly name: string;
  readonly members: readonly string[];
  /** `sync_group_tracking_weight`: what is tracked changes priorities, too. */
  readonly trackingWeight: boolean;
  readonly notify: GroupNotifyConfig;
  readonly smtpAlert: boolean;
}

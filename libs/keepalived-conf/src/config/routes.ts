// Routes and rules that are put into the kernel: `virtual_routes`, `virtual_rules`, `static_routes`, `static_rules`. Names
// of iproute2 are numbers here, as the kernel takes them (linux/rtnetlink.h, linux/fib_rules.h).
import type { IpAddress, Micros } from "@baton/domain";

export interface PrefixConfig {
  readonly address: IpAddress;
  /** 0 to 32 or 128; 0 with the unspecified address: everything. */
  readonly prefixLength: number;
}

export interface RouteConfig {
  readonly family: 4 | 6;
  /** RTN_*: 1 unicast, 6 blackhole, 7 unreachable, 8 prohibit, … */
  readonly type: number;
  readonly destination: PrefixConfig;
  /** `from`: IPv6 only. */
  readonly source: PrefixConfig | undefined;
  /** `src`: the address that the machine itself sends from. */
  readonly preferredSource: IpAddress | undefined;
  readonly gateway: IpAddress | undefined;
  /** `dev`. */
  readonly interface: string | undefined;
  /** Several ways at once; empty when `gateway` and `interface` say the one. */
  readonly nextHops: readonly NextHopConfig[];
  /** 254: main. */
  readonly table: number;
  /** Its table, whatever the number is then, instead of `table`. */
  readonly vrf: string | undefined;
  /** RTPROT_*: 18 unless it is not tracked and says another. */
  readonly protocol: number;
  /** undefined: as the kernel finds it. */
  readonly scope: number | undefined;
  readonly typeOfService: number;
  readonly metric: number | undefined;
  readonly onlink: boolean;
  readonly realms: RealmsConfig | undefined;
  readonly encapsulation: EncapsulationConfig | undefined;
  /** IPv6 only. */
  readonly expires: Micros | undefined;
  /** ICMPV6_ROUTER_PREF_*: 0 medium, 1 high, 3 low. IPv6 only. */
  readonly routerPreference: number | undefined;
  readonly ttlPropagate: boolean | undefined;
  readonly metrics: RouteMetricsConfig;
  /** `add`: not beside an equal one; `prepend`: before it (keepalived's default); `append`: behind it. */
  readonly placement: "add" | "prepend" | "append";
  /** False for `no_track`: its loss is no fault of the instance. */
  readonly tracked: boolean;
}

/** RTA_METRICS; undefined: the kernel's own. */
export interface RouteMetricsConfig {
  readonly mtu: number | undefined;
  readonly advertisedMss: number | undefined;
  readonly hopLimit: number | undefined;
  readonly roundTripTime: Micros | undefined;
  readonly roundTripVariance: Micros | undefined;
  /** `rto_min`. */
  readonly retransmitMin: Micros | undefined;
  readonly reordering: number | undefined;
  readonly window: number | undefined;
  readonly congestionWindow: number | undefined;
  readonly slowStartThreshold: number | undefined;
  readonly initialCongestionWindow: number | undefined;
  readonly initialReceiveWindow: number | undefined;
  readonly quickAck: boolean | undefined;
  readonly fastOpenNoCookie: boolean | undefined;
  readonly congestionControl: string | undefined;
  /** `features ecn`. */
  readonly ecn: boolean;
  /** Those of the above that the kernel may not change. */
  readonly locked: readonly LockableMetric[];
}

export type LockableMetric =
  | "mtu"
  | "advertisedMss"
  | "roundTripTime"
  | "roundTripVariance"
  | "retransmitMin"
  | "reordering"
  | "congestionWindow"
  | "slowStartThreshold"
  | "congestionControl";

export interface NextHopConfig {
  readonly gateway: IpAddress | undefined;
  readonly interface: string | undefined;
  /** 1 to 256. */
  readonly weight: number;
  readonly onlink: boolean;
  readonly realms: RealmsConfig | undefined;
  readonly encapsulation: EncapsulationConfig | undefined;
}

export interface RealmsConfig {
  /** 0: none. */
  readonly source: number;
  readonly destination: number;
}

/** Numbers of 64 bits are decimal text: JSON has none. */
export type EncapsulationConfig =
  | {
      readonly type: "ip" | "ip6";
      readonly id: string | undefined;
      readonly destination: IpAddress | undefined;
      readonly source: IpAddress | undefined;
      /** Type of service or traffic class. */
      readonly typeOfService: number | undefined;
      readonly hopLimit: number | undefined;
      readonly flags: number | undefined;
    }
  | { readonly type: "mpls"; readonly labels: readonly number[] }
  /** Four groups of 16 bits. */
  | { readonly type: "ila"; readonly locator: readonly [number, number, number, number] };

export interface RuleConfig {
  readonly family: 4 | 6;
  /** `not`: what follows is what the packet is not. */
  readonly invert: boolean;
  readonly from: PrefixConfig | undefined;
  readonly to: PrefixConfig | undefined;
  /** `preference`; lower ones are asked first. */
  readonly preference: number;
  readonly typeOfService: number;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly inputInterface: string | undefined;
  readonly outputInterface: string | undefined;
  /** Decimal text: 64 bits. */
  readonly tunnelId: string | undefined;
  readonly users: RangeConfig | undefined;
  /** Number of an IP protocol. */
  readonly ipProtocol: number | undefined;
  readonly sourcePorts: RangeConfig | undefined;
  readonly destinationPorts: RangeConfig | undefined;
  readonly action: RuleAction;
  readonly realms: RealmsConfig | undefined;
  /** A route whose prefix is not longer than this does not count. */
  readonly suppressPrefixLength: number | undefined;
  /** A route through an interface of this group does not count. */
  readonly suppressGroup: number | undefined;
  /** RTPROT_*: 18 unless it is not tracked; undefined: none. */
  readonly protocol: number | undefined;
  /** False for `no_track`: its loss is no fault of the instance. */
  readonly tracked: boolean;
}

/** Both ends belong to it. */
export interface RangeConfig {
  readonly first: number;
  readonly last: number;
}

export type RuleAction =
  | { readonly type: "table"; readonly table: number }
  /** The table of the VRF of the packet's interface. */
  | { readonly type: "l3mdev" }
  | { readonly type: "goto"; readonly preference: number }
  | { readonly type: "nop" | "blackhole" | "unreachable" | "prohibit" };

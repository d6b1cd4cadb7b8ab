// Routes and rules as Baton asks the kernel for them, and as the kernel tells of them: plain data. Numbers are the
// kernel's (linux/rtnetlink.h, linux/fib_rules.h); times and sizes are in its units.
import type { IpAddress } from "@baton/domain";
import type { ChangeResult, Closable } from "./api.ts";

export interface Prefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** RTAX_* that are numbers. */
export type RouteMetric =
  | "mtu"
  | "window"
  | "rtt"
  | "rttvar"
  | "ssthresh"
  | "cwnd"
  | "advmss"
  | "reordering"
  | "hoplimit"
  | "initcwnd"
  | "features"
  | "rtoMin"
  | "initrwnd"
  | "quickack"
  | "fastOpenNoCookie";

/** One way of several, or the only one of a route. */
export interface RouteWay {
  readonly gateway: IpAddress | undefined;
  readonly ifindex: number | undefined;
  /** 1 to 256. */
  readonly weight: number;
}

export interface RouteWaySpec extends RouteWay {
  readonly onlink: boolean;
  /** Source in the upper, destination in the lower 16 bits; 0: none. */
  readonly realms: number;
  readonly encapsulation: Encapsulation | undefined;
}

/** Lightweight tunnels (linux/lwtunnel.h). */
export type Encapsulation =
  | {
      readonly type: "ip" | "ip6";
      readonly id: bigint | undefined;
      readonly destination: IpAddress | undefined;
      readonly source: IpAddress | undefined;
      readonly tos: number | undefined;
      readonly ttl: number | undefined;
      readonly flags: number | undefined;
    }
  | { readonly type: "mpls"; readonly labels: readonly number[] }
  | { readonly type: "ila"; readonly locator: readonly number[] };

export interface RouteSpec {
  readonly family: 4 | 6;
  /** RTN_*. */
  readonly type: number;
  readonly destination: Prefix;
  readonly source: Prefix | undefined;
  readonly preferredSource: IpAddress | undefined;
  /** The only way: gateway, interface or neither (a route that leads nowhere). */
  readonly way: RouteWaySpec;
  /** Several ways. */
  readonly nextHops: readonly RouteWaySpec[];
  readonly table: number;
  /** RTPROT_*: whose it is. */
  readonly protocol: number;
  readonly scope: number | undefined;
  readonly tos: number;
  readonly metric: number | undefined;
  /** Seconds; IPv6 only. */
  readonly expires: number | undefined;
  /** ICMPV6_ROUTER_PREF_*. */
  readonly preference: number | undefined;
  readonly ttlPropagate: boolean | undefined;
  readonly metrics: Readonly<Partial<Record<RouteMetric, number>>>;
  readonly congestionControl: string | undefined;
  readonly locked: readonly (RouteMetric | "congestionControl")[];
  readonly placement: "add" | "prepend" | "append";
}

/** As the kernel shows it. */
export interface RouteInfo {
  readonly family: 4 | 6;
  readonly type: number;
  readonly destination: Prefix;
  readonly source: Prefix | undefined;
  readonly preferredSource: IpAddress | undefined;
  /** Empty for a route that leads nowhere. */
  readonly ways: readonly RouteWay[];
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly tos: number;
  /** 0: none. */
  readonly metric: number;
  readonly metrics: Readonly<Partial<Record<RouteMetric, number>>>;
}

export interface Range {
  readonly first: number;
  readonly last: number;
}

/** A rule; the kernel shows it as it was given. */
export interface RuleSpec {
  readonly family: 4 | 6;
  readonly invert: boolean;
  /** undefined: everything. */
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
  readonly preference: number;
  readonly tos: number;
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  readonly inputInterface: string | undefined;
  readonly outputInterface: string | undefined;
  /** 0: none. */
  readonly tunnelId: bigint;
  readonly users: Range | undefined;
  /** 0: any. */
  readonly ipProtocol: number;
  readonly sourcePorts: Range | undefined;
  readonly destinationPorts: Range | undefined;
  /** FR_ACT_*: 1 table, 2 goto, 3 nop, 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly action: number;
  /** Of action 1; 0 for the table of the packet's VRF. */
  readonly table: number;
  readonly l3mdev: boolean;
  /** Preference of the rule that action 2 leads to; otherwise 0. */
  readonly goto: number;
  readonly realms: number;
  readonly suppressPrefixLength: number | undefined;
  readonly suppressGroup: number | undefined;
  /** RTPROT_*: 0 none. */
  readonly protocol: number;
}

export type RoutingChange =
  /** EEXIST when it is there. */
  | { readonly op: "add-route"; readonly route: RouteSpec }
  /** ESRCH when it is not there. */
  | { readonly op: "delete-route"; readonly route: RouteInfo }
  | { readonly op: "add-rule"; readonly rule: RuleSpec }
  | { readonly op: "delete-rule"; readonly rule: RuleSpec };

export type RoutingEvent =
  | {
      readonly type: "route-set" | "route-removed";
      readonly route: RouteInfo /** It took the place of another. */;
      readonly replaced: boolean;
    }
  | { readonly type: "rule-set" | "rule-removed"; readonly rule: RuleSpec };

export interface RoutingTables {
  readonly routes: readonly RouteInfo[];
  readonly rules: readonly RuleSpec[];
}

export interface RoutingTableOptions {
  /**
   * What changed, by anybody, in order. Of routes that only the kernel itself takes away with an address or a link of
   * IPv4 nothing is told (fib_flush): read anew after such a change.
   */
  onChange?(events: readonly RoutingEvent[]): void;
  /** Events were lost: list() again and compare. */
  onGap?(): void;
}

export interface RoutingTable extends Closable {
  /** Fresh dumps of the rules of these protocols, and of all tables' routes of these protocols. Throws LinuxError. */
  list(protocols: Iterable<number>): RoutingTables;
  /** In order, one result each; in sends of `limits.changesPerSend`. Throws LinuxError when the answers were lost. */
  change(batch: readonly RoutingChange[]): ChangeResult[];
}

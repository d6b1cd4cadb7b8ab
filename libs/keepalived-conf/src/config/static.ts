// What concerns interfaces apart from any instance.
import type { Micros } from "@baton/domain";
import type { VirtualAddressConfig } from "./addresses.ts";
import type { RouteConfig, RuleConfig } from "./routes.ts";

/** `track_group`: its instances are in fault while the interface of something static that names it is down. */
interface Tracked {
  readonly trackGroup: string | undefined;
}

export interface StaticAddressConfig extends VirtualAddressConfig, Tracked {}
export interface StaticRouteConfig extends RouteConfig, Tracked {}
export interface StaticRuleConfig extends RuleConfig, Tracked {}

export interface TrackGroupConfig {
  readonly name: string;
  /** Names of instances. */
  readonly members: readonly string[];
}

/** `interface_up_down_delays`: a change that does not last so long is none. */
export interface InterfaceDelayConfig {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}

/** `garp_group`: the pause between two announcements, shared by all the interfaces. */
export interface GarpGroupConfig {
  readonly interfaces: readonly string[];
  /** Between gratuitous ARPs; undefined: as global_defs says. */
  readonly garpInterval: Micros | undefined;
  /** Between unsolicited neighbour advertisements; undefined: as global_defs says. */
  readonly gnaInterval: Micros | undefined;
}

/** `linkbeat_interfaces`: the state of the link is asked for rather than heard of. */
export interface PolledInterfaceConfig {
  readonly interface: string;
  /** undefined: the first that the driver answers. */
  readonly method: "mii" | "ethtool" | "ioctl" | undefined;
}

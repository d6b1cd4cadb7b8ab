// Addresses, routes and rules as keepalived's dump shows them: users' tools read these lines in keepalived.data and in the
// JSON, and the oracle lays ours beside its own.
import { ipFamily } from "@baton/domain";
import type {
  EncapsulationConfig,
  LockableMetric,
  NextHopConfig,
  PrefixConfig,
  RealmsConfig,
  RouteConfig,
  RuleConfig,
  StaticAddressConfig,
  UnicastPeerConfig,
  VirtualAddressConfig,
} from "../config.ts";
import { routeTypes } from "../keywords/number-names.ts";

/** Words that are there, with blanks between. */
const line = (...words: readonly (string | false | undefined)[]): string =>
  words.filter((word) => word !== undefined && word !== false && word !== "").join(" ");

const word = (name: string, value: string | number | undefined): string | undefined =>
  value === undefined ? undefined : `${name} ${value}`;

const bitsOf = ({ address }: PrefixConfig): number => (ipFamily(address) === 4 ? 32 : 128);

const prefix = (of: PrefixConfig): string =>
  of.prefixLength === bitsOf(of) ? of.address : `${of.address}/${of.prefixLength}`;

const scopes = new Map([
  [0, "global"],
  [200, "site"],
  [253, "link"],
  [254, "host"],
  [255, "nowhere"],
]);

type Address = VirtualAddressConfig & Partial<Pick<StaticAddressConfig, "trackGroup">>;

export function dumpedAddress(of: Address): string {
  const six = ipFamily(of.address) === 6;
  const lifetime = of.preferredLifetime === undefined ? "forever" : of.preferredLifetime / 1_000_000;
  return line(
    prefix(of),
    word("brd", of.broadcast),
    `dev ${of.interface}`,
    `scope ${scopes.get(of.scope) ?? of.scope}`,
    word("label", of.label),
    of.peer && `peer ${of.peer}/${of.prefixLength}`,
    of.homeAddress && "home",
    of.detectDuplicates && "-nodad",
    of.manageTemporary && "mngtmpaddr",
    of.noPrefixRoute && "noprefixroute",
    of.autojoin && "autojoin",
    !of.tracked && "no_track",
    word("track_group", of.trackGroup),
    six && (lifetime === 0 ? "deprecated" : `preferred_lft ${lifetime}`),
  );
}

export const dumpedPeer = ({ address, minTtl, maxTtl }: UnicastPeerConfig): string =>
  `${address} min_ttl ${minTtl} max_ttl ${maxTtl}`;

/** `withSource`: keepalived asks the route, and not the hop, whether there are two numbers. */
function realms(of: RealmsConfig | undefined, withSource = of?.source !== 0): string | undefined {
  if (of === undefined || (of.source === 0 && of.destination === 0)) return undefined;
  return withSource ? `realms ${of.source}/${of.destination}` : `realm ${of.destination}`;
}

function encapsulation(of: EncapsulationConfig | undefined): string | undefined {
  if (of === undefined) return undefined;
  if (of.type === "mpls") {
    const entries = of.labels.map((label, index) => label * 4096 + (index === of.labels.length - 1 ? 256 : 0));
    return `encap mpls ${entries.map((entry) => entry.toString(16)).join("/")}`;
  }
  if (of.type === "ila") {
    const bytes = of.locator.flatMap((group) => [group >> 8, group & 0xff]);
    return `encap ila ${bytes.toReversed().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)}`;
  }
  const four = of.type === "ip";
  return line(
    `encap ${of.type}`,
    word("id", of.id),
    word("dst", of.destination),
    word("src", of.source),
    word(four ? "tos" : "tc", of.typeOfService),
    word(four ? "ttl" : "hoplimit", of.hopLimit),
    of.flags === undefined ? undefined : `flags 0x${of.flags.toString(16)}`,
  );
}

const gateway = (address: NextHopConfig["gateway"]): string | undefined =>
  address && `via inet${ipFamily(address) === 4 ? "" : "6"} ${address}`;

const nextHop = (hop: NextHopConfig, route: RouteConfig): string =>
  line(
    "nexthop",
    gateway(hop.gateway),
    word("dev", hop.interface),
    hop.onlink && "onlink",
    realms(hop.realms, route.realms !== undefined && route.realms.source !== 0),
    encapsulation(hop.encapsulation),
  );

/** As `%g` prints it. */
const time = (micros: number): string =>
  micros >= 1_000_000 ? `${Number((micros / 1e6).toPrecision(6))}s` : `${Number((micros / 1e3).toPrecision(6))}ms`;

function metrics({ metrics: of }: RouteConfig): (string | false | undefined)[] {
  const lock = (name: LockableMetric): string => (of.locked.includes(name) ? "lock " : "");
  const metric = (name: string, key: LockableMetric, value: string | number | undefined): string | undefined =>
    value === undefined ? undefined : `${name} ${lock(key)}${value}`;
  const trip = (name: string, key: LockableMetric, value: number | undefined) =>
    metric(name, key, value === undefined ? undefined : time(value));
  return [
    of.congestionControl && `congctl ${of.congestionControl}${lock("congestionControl").trim()}`,
    trip("rtt", "roundTripTime", of.roundTripTime),
    trip("rttvar", "roundTripVariance", of.roundTripVariance),
    trip("rto_min", "retransmitMin", of.retransmitMin),
    of.ecn && "features ecn",
    metric("mtu", "mtu", of.mtu),
    word("window", of.window),
    metric("ssthresh", "slowStartThreshold", of.slowStartThreshold),
    metric("cwnd", "congestionWindow", of.congestionWindow),
    metric("advmss", "advertisedMss", of.advertisedMss),
    metric("reordering", "reordering", of.reordering),
    word("hoplimit", of.hopLimit),
    word("initcwnd", of.initialCongestionWindow),
    word("initrwnd", of.initialReceiveWindow),
    word("quickack", of.quickAck === undefined ? undefined : Number(of.quickAck)),
  ];
}

const preferences = new Map([
  [0, "medium"],
  [1, "high"],
  [3, "low"],
]);

const typeName = (type: number): string => [...routeTypes].find(([, number]) => number === type)?.[0] ?? String(type);

/** Weights of next hops apart: the dump shows those that were written only. */
export function dumpedRoute(of: RouteConfig & { readonly trackGroup?: string | undefined }): string {
  return line(
    of.placement,
    of.type !== 1 && typeName(of.type),
    prefix(of.destination),
    of.source && `from ${prefix(of.source)}`,
    word("src", of.preferredSource),
    of.typeOfService !== 0 && `tos ${of.typeOfService}`,
    encapsulation(of.encapsulation),
    gateway(of.gateway),
    word("dev", of.interface),
    of.table !== 254 && `table ${of.table}`,
    // One that is not tracked and says none has keepalived's, and does not tell.
    (of.tracked || of.protocol !== 18) && `proto ${of.protocol}`,
    word("scope", of.scope),
    word("metric", of.metric),
    of.family === 4 && of.onlink && "onlink",
    realms(of.realms),
    of.expires !== undefined && `expires ${of.expires / 1_000_000}sec`,
    ...metrics(of),
    of.routerPreference !== undefined && `pref ${preferences.get(of.routerPreference) ?? "unknown"}`,
    of.metrics.fastOpenNoCookie !== undefined && `fastopen_no_cookie ${Number(of.metrics.fastOpenNoCookie)}`,
    of.ttlPropagate !== undefined && `ttl-propagate ${of.ttlPropagate ? "enabled" : "disabled"}`,
    ...of.nextHops.map((hop) => nextHop(hop, of)),
    !of.tracked && "no_track",
    word("track_group", of.trackGroup),
  );
}

const hex = (value: number): string => `0x${value.toString(16)}`;

function action({ action: of }: RuleConfig): string {
  if (of.type === "table") return `lookup ${of.table}`;
  if (of.type === "l3mdev") return "lookup 0";
  if (of.type === "goto") return `goto ${of.preference}`;
  return of.type === "nop" ? "nop" : `type ${of.type}`;
}

/** A mask of zero bits is shown by what was written only; both are shown as none here. */
export function dumpedRule(of: RuleConfig & { readonly trackGroup?: string | undefined }): string {
  const range = (name: string, value: RuleConfig["users"]) => value && `${name} ${value.first}-${value.last}`;
  return line(
    of.from === undefined && of.to === undefined && of.family === 6 && "inet6",
    of.invert && "not",
    `from ${of.from === undefined ? "all" : prefix(of.from)}`,
    of.to && `to ${prefix(of.to)}`,
    `priority ${of.preference}`,
    `tos ${hex(of.typeOfService)}`,
    of.mark && `fwmark ${hex(of.mark.value)}${of.mark.mask === 0xffffffff ? "" : `/${hex(of.mark.mask)}`}`,
    word("iif", of.inputInterface),
    word("oif", of.outputInterface),
    word("suppress_prefixlen", of.suppressPrefixLength),
    word("suppress_ifgroup", of.suppressGroup),
    of.tunnelId !== "0" && word("tunnel-id", of.tunnelId),
    range("uidrange", of.users),
    of.action.type === "l3mdev" && "l3mdev",
    word("protocol", of.protocol),
    word("ipproto", of.ipProtocol),
    range("sport", of.sourcePorts),
    range("dport", of.destinationPorts),
    realms(of.realms) && `realms ${of.realms?.source}/${of.realms?.destination}`,
    action(of),
    !of.tracked && "no_track",
    word("track_group", of.trackGroup),
  );
}

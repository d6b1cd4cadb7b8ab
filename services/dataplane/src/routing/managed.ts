// The routes and rules that an instance keeps in the kernel while it is master, each by a key of what the kernel is told.
import { toMillis, toSeconds } from "@baton/domain";
import type {
  EncapsulationConfig,
  NextHopConfig,
  PrefixConfig,
  RealmsConfig,
  RouteConfig,
  RouteMetricsConfig,
  RuleConfig,
} from "@baton/keepalived-conf";
import type { Encapsulation, LinkInfo, Prefix, RouteMetric, RouteSpec, RouteWaySpec, RuleSpec } from "@baton/linux";

export type ManagedRouting = {
  /** All that the kernel is told of it: two lines that say the same are one object. */
  readonly key: string;
  readonly instance: string;
  /** As `ip route` and `ip rule` write it. */
  readonly text: string;
  /** False for `no_track`: that it cannot be there is told, and is no fault of the instance. */
  readonly tracked: boolean;
} & ({ readonly kind: "route"; readonly config: RouteConfig } | { readonly kind: "rule"; readonly config: RuleConfig });

export type Resolved<T> = { readonly ok: true; readonly spec: T } | { readonly ok: false; readonly error: string };

/** In the order of the file: routes, then the rules that lead to their tables. */
export function managedRouting(
  instance: string,
  { routes, rules }: { readonly routes: readonly RouteConfig[]; readonly rules: readonly RuleConfig[] },
): ManagedRouting[] {
  const managed = new Map<string, ManagedRouting>();
  for (const config of routes) {
    const key = `route ${keyOf(config)}`;
    managed.set(key, { kind: "route", key, instance, text: routeText(config), tracked: config.tracked, config });
  }
  for (const config of rules) {
    const key = `rule ${keyOf(config)}`;
    managed.set(key, { kind: "rule", key, instance, text: ruleText(config), tracked: config.tracked, config });
  }
  return [...managed.values()];
}

/** RTPROT_KEEPALIVED: the tag of what Baton makes, unless a line of its own names another (SAFETY S16). */
export const routingTag = 18;

/** By which the kernel is asked for what is ours. */
export function routingProtocols(all: Iterable<{ readonly routing: Iterable<ManagedRouting> }>): number[] {
  const protocols = new Set([routingTag]);
  for (const { routing } of all) for (const { config } of routing) protocols.add(config.protocol ?? 0);
  return [...protocols];
}

/** Whether its loss is a fault concerns us alone. */
const ours = new Set(["tracked", "trackGroup"]);

const keyOf = (config: RouteConfig | RuleConfig): string =>
  JSON.stringify(Object.entries(config).filter(([name]) => !ours.has(name)));

/** `link`: by name, as the kernel has it now. */
export function routeSpecOf(config: RouteConfig, link: (name: string) => LinkInfo | undefined): Resolved<RouteSpec> {
  const missing = [config.interface, ...config.nextHops.map((hop) => hop.interface), config.vrf].find(
    (name) => name !== undefined && link(name) === undefined,
  );
  if (missing !== undefined) return { ok: false, error: `ENODEV: there is no interface ${missing}` };
  const table = config.vrf === undefined ? config.table : link(config.vrf)?.vrfTable;
  if (table === undefined) return { ok: false, error: `ENODEV: ${config.vrf} is no VRF` };
  const way = (hop: NextHopConfig): RouteWaySpec => ({
    gateway: hop.gateway,
    ifindex: hop.interface === undefined ? undefined : link(hop.interface)?.ifindex,
    weight: hop.weight,
    onlink: hop.onlink,
    realms: realmsOf(hop.realms),
    encapsulation: encapsulationOf(hop.encapsulation),
  });
  const { family, type, preferredSource, protocol, scope, metric, ttlPropagate, placement } = config;
  const spec: RouteSpec = {
    ...{ family, type, preferredSource, protocol, scope, metric, ttlPropagate, placement, table },
    destination: prefixOf(config.destination),
    source: config.source === undefined ? undefined : prefixOf(config.source),
    way: way({ ...config, weight: 1 }),
    nextHops: config.nextHops.map(way),
    tos: config.typeOfService,
    expires: config.expires === undefined ? undefined : Math.floor(toSeconds(config.expires)),
    preference: config.routerPreference,
    metrics: metricsOf(config.metrics),
    congestionControl: config.metrics.congestionControl,
    locked: config.metrics.locked.map((name) => metricNames[name]),
  };
  return { ok: true, spec };
}

const prefixOf = ({ address, prefixLength }: PrefixConfig): Prefix => ({ address, length: prefixLength });

const realmsOf = (realms: RealmsConfig | undefined): number =>
  realms === undefined ? 0 : realms.source * 0x10000 + realms.destination;

function encapsulationOf(config: EncapsulationConfig | undefined): Encapsulation | undefined {
  if (config === undefined || config.type === "mpls" || config.type === "ila") return config;
  const { type, id, destination, source, typeOfService, hopLimit, flags } = config;
  return {
    ...{ type, destination, source, flags },
    id: id === undefined ? undefined : BigInt(id),
    tos: typeOfService,
    ttl: hopLimit,
  };
}

type Lockable = RouteMetricsConfig["locked"][number];

const metricNames: Readonly<Record<Lockable, RouteMetric | "congestionControl">> = {
  mtu: "mtu",
  advertisedMss: "advmss",
  roundTripTime: "rtt",
  roundTripVariance: "rttvar",
  retransmitMin: "rtoMin",
  reordering: "reordering",
  congestionWindow: "cwnd",
  slowStartThreshold: "ssthresh",
  congestionControl: "congestionControl",
};

/** RTAX_FEATURE_ECN */
const ecn = 1;

/** The kernel counts round trips in eighths of a millisecond, their variance in quarters. */
function metricsOf(config: RouteMetricsConfig): RouteSpec["metrics"] {
  const flag = (value: boolean | undefined): number | undefined => (value === undefined ? undefined : Number(value));
  const metrics: Record<RouteMetric, number | undefined> = {
    mtu: config.mtu,
    advmss: config.advertisedMss,
    hoplimit: config.hopLimit,
    rtt: config.roundTripTime === undefined ? undefined : Math.round(toMillis(config.roundTripTime) * 8),
    rttvar: config.roundTripVariance === undefined ? undefined : Math.round(toMillis(config.roundTripVariance) * 4),
    rtoMin: config.retransmitMin === undefined ? undefined : Math.round(toMillis(config.retransmitMin)),
    reordering: config.reordering,
    window: config.window,
    cwnd: config.congestionWindow,
    ssthresh: config.slowStartThreshold,
    initcwnd: config.initialCongestionWindow,
    initrwnd: config.initialReceiveWindow,
    quickack: flag(config.quickAck),
    fastOpenNoCookie: flag(config.fastOpenNoCookie),
    features: config.ecn ? ecn : undefined,
  };
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => value !== undefined));
}

/** FR_ACT_*, linux/fib_rules.h. */
const actions = { table: 1, l3mdev: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const;

export function ruleSpecOf(config: RuleConfig): RuleSpec {
  const { action, family, invert, preference, mark, inputInterface, outputInterface, users } = config;
  const { sourcePorts, destinationPorts, suppressPrefixLength, suppressGroup } = config;
  return {
    ...{ family, invert, preference, mark, inputInterface, outputInterface, users },
    ...{ sourcePorts, destinationPorts, suppressPrefixLength, suppressGroup },
    // Everything is what the kernel shows without a prefix.
    from: config.from === undefined || config.from.prefixLength === 0 ? undefined : prefixOf(config.from),
    to: config.to === undefined || config.to.prefixLength === 0 ? undefined : prefixOf(config.to),
    tos: config.typeOfService,
    tunnelId: BigInt(config.tunnelId ?? 0),
    ipProtocol: config.ipProtocol ?? 0,
    action: actions[action.type],
    table: action.type === "table" ? action.table : 0,
    l3mdev: action.type === "l3mdev",
    goto: action.type === "goto" ? action.preference : 0,
    realms: realmsOf(config.realms),
    protocol: config.protocol ?? 0,
  };
}

const typeNames: Readonly<Record<number, string>> = {
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
};

const prefixText = ({ address, prefixLength }: PrefixConfig): string =>
  prefixLength === 0 ? "default" : `${address}/${prefixLength}`;

const given = (words: readonly (readonly [string, string | number | undefined])[]): string[] =>
  words.flatMap(([word, value]) => (value === undefined ? [] : [`${word} ${value}`]));

function routeText(route: RouteConfig): string {
  const type = typeNames[route.type];
  return [
    ...(type === undefined ? [] : [type]),
    prefixText(route.destination),
    ...given([
      ["via", route.gateway],
      ["dev", route.interface],
      ["vrf", route.vrf],
      ["table", route.vrf !== undefined || route.table === mainTable ? undefined : route.table],
      ["src", route.preferredSource],
      ["metric", route.metric],
    ]),
    ...route.nextHops.map((hop) =>
      [
        "nexthop",
        ...given([
          ["via", hop.gateway],
          ["dev", hop.interface],
        ]),
      ].join(" "),
    ),
  ].join(" ");
}

/** RT_TABLE_MAIN, linux/rtnetlink.h. */
const mainTable = 254;

function ruleText(rule: RuleConfig): string {
  const { action, mark } = rule;
  const does =
    action.type === "table"
      ? `lookup ${action.table}`
      : action.type === "goto"
        ? `goto ${action.preference}`
        : action.type;
  return [
    ...(rule.invert ? ["not"] : []),
    `from ${rule.from === undefined || rule.from.prefixLength === 0 ? "all" : prefixText(rule.from)}`,
    ...given([
      ["to", rule.to && prefixText(rule.to)],
      ["fwmark", mark && `0x${mark.value.toString(16)}`],
      ["iif", rule.inputInterface],
      ["oif", rule.outputInterface],
    ]),
    does,
    `priority ${rule.preference}`,
  ].join(" ");
}

// The kernel's routes and rules as last read, found by what the kernel tells them apart by.
import { type IpAddress, ipToBytes } from "@baton/domain";
import {
  leadsNowhere,
  type RouteInfo,
  type RouteSpec,
  type RouteWay,
  type RoutingTables,
  type RuleSpec,
} from "@baton/linux";

/** Of several routes with one identity the ways decide, as in the kernel. */
export class RoutingView {
  readonly #routes = new Map<string, RouteInfo[]>();
  readonly #rules = new Map<string, RuleSpec>();

  read({ routes, rules }: RoutingTables): void {
    this.#routes.clear();
    this.#rules.clear();
    for (const route of routes) {
      const identity = routeIdentity(route);
      const known = this.#routes.get(identity);
      if (known === undefined) this.#routes.set(identity, [route]);
      else known.push(route);
    }
    for (const rule of rules) this.#rules.set(ruleIdentity(rule), rule);
  }

  route(spec: RouteSpec): RouteInfo | undefined {
    return this.#routes.get(routeIdentity(spec))?.find((info) => isAsWanted(info, spec));
  }

  rule(spec: RuleSpec): RuleSpec | undefined {
    return this.#rules.get(ruleIdentity(spec));
  }

  *routes(): Iterable<RouteInfo> {
    for (const routes of this.#routes.values()) yield* routes;
  }

  rules(): Iterable<RuleSpec> {
    return this.#rules.values();
  }

  has(object: RouteInfo | RuleSpec): boolean {
    if (isRule(object)) return this.#rules.has(ruleIdentity(object));
    return this.#routes.get(routeIdentity(object))?.some((info) => isSameRoute(info, object)) === true;
  }
}

const isRule = (object: RouteInfo | RuleSpec): object is RuleSpec => "action" in object;

type Named = Pick<RouteInfo, "family" | "table" | "destination" | "tos" | "protocol" | "type"> & {
  readonly metric: number | undefined;
};

/** RFC 4191 and net/ipv6/route.c: IPv6 gives a route without a metric 1024, and cuts the host part off. */
const metricOf = ({ family, metric }: Named): number => (family === 6 && !metric ? 1024 : (metric ?? 0));

export function routeIdentity(route: Named): string {
  const { family, table, destination, tos, protocol, type } = route;
  const network = networkOf(destination.address, destination.length);
  return `${family} ${table} ${network}/${destination.length} ${family === 4 ? tos : 0} ${metricOf(route)} ${protocol} ${type}`;
}

function networkOf(address: IpAddress, length: number): string {
  const bytes = ipToBytes(address);
  for (const [index, byte] of bytes.entries()) {
    const kept = Math.min(8, Math.max(0, length - 8 * index));
    bytes[index] = byte & (0xff00 >> kept) & 0xff;
  }
  return bytes.join(".");
}

const ruleIdentity = (rule: RuleSpec): string =>
  JSON.stringify(
    Object.entries(rule)
      .filter(([, value]) => value !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    (_, value: unknown) => (typeof value === "bigint" ? String(value) : value),
  );

const isSameWay = (a: RouteWay, b: RouteWay): boolean =>
  a.gateway === b.gateway && a.ifindex === b.ifindex && a.weight === b.weight;

const isSameRoute = (a: RouteInfo, b: RouteInfo): boolean =>
  a.preferredSource === b.preferredSource &&
  a.ways.length === b.ways.length &&
  a.ways.every((way, index) => {
    const other = b.ways[index];
    return other !== undefined && isSameWay(way, other);
  });

/** What the line says, the kernel has; what it leaves open is the kernel's to choose. */
function isAsWanted(info: RouteInfo, spec: RouteSpec): boolean {
  if (info.preferredSource !== spec.preferredSource) return false;
  if (spec.family === 4 && spec.scope !== undefined && info.scope !== spec.scope) return false;
  if (info.source?.address !== spec.source?.address || info.source?.length !== spec.source?.length) return false;
  return hasWays(info.ways, spec) && hasMetrics(info, spec);
}

function hasWays(ways: readonly RouteWay[], spec: RouteSpec): boolean {
  const stated = spec.way.gateway !== undefined || spec.way.ifindex !== undefined;
  if (leadsNowhere(spec.type) || (!stated && spec.nextHops.length === 0)) return true;
  const wanted = stated && spec.nextHops.length === 0 ? [spec.way] : spec.nextHops;
  if (ways.length !== wanted.length) return false;
  // IPv6 lists them in an order of its own; few are compared with few.
  return wanted.every((want) =>
    ways.some(
      (way) =>
        way.gateway === want.gateway &&
        (want.ifindex === undefined || way.ifindex === want.ifindex) &&
        (wanted.length === 1 || way.weight === want.weight),
    ),
  );
}

/** The largest that the kernel keeps of each (net/ipv4/metrics.c). */
const largest: Readonly<Partial<Record<string, number>>> = { mtu: 65_520, advmss: 65_495, hoplimit: 255 };

function hasMetrics({ metrics }: RouteInfo, spec: RouteSpec): boolean {
  return Object.entries(spec.metrics).every(([name, value]) => {
    const kept = Object.entries(metrics).find(([other]) => other === name)?.[1] ?? 0;
    return kept === Math.min(value, largest[name] ?? value);
  });
}

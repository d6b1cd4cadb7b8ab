// One line of `virtual_routes` or `static_routes` → a route.
import { ipFamily, secondsToMicros } from "@baton/domain";
import type { LockableMetric, NextHopConfig, RouteConfig, RouteMetricsConfig } from "../config.ts";
import { keepalivedProtocol, mainTable } from "../keywords/number-names.ts";
import type { Locked, Via } from "../keywords/route-arguments.ts";
import {
  type NextHop,
  routeOptions as options,
  routeDestination,
  type staticRouteForm,
  type virtualRouteForm,
} from "../keywords/route-options.ts";
import type { Entry, Option } from "../keywords/table.ts";
import type { Place } from "../report.ts";
import {
  type EntryContext,
  isOf,
  type OptionValue,
  optionValue,
  optionValues,
  type ReadEntry,
  readEntry,
} from "../syntax/entry.ts";
import { adjust, reject } from "./context.ts";
import { type FamilyOfLine, familyOfLine, prefixOf } from "./families.ts";

export interface RouteLine {
  readonly route: RouteConfig;
  readonly entry: Entry;
  readonly read: ReadEntry;
}

/** undefined: the line holds no usable route; reported. */
export function parseRouteLine(
  entry: Entry,
  form: typeof virtualRouteForm | typeof staticRouteForm,
  context: EntryContext,
): RouteLine | undefined {
  const families = familyOfLine(context);
  const read = readEntry(entry, form, context, {
    // These are for IPv6 only, whatever they say.
    name: (option, place) =>
      (option !== options.expires && option !== options.routerPreference) || families.agree(6, place),
    value: (given, before) => checkWord(given, before, families, context),
  });
  if (read === undefined) return undefined;
  const ways = resolveWays(read, families, context);
  const destinations = optionValues(read, routeDestination);
  const destination = destinations.at(-1)?.value.selector;
  if (destination === undefined) {
    const hint = "write the network that the route leads to, or default";
    reject(context, entry.at(), "route-destination", "the route has no destination; the line is left out", hint);
    return undefined;
  }
  const family = families.value ?? 4;
  const source = optionValue(read, options.source)?.value;
  const tracked = optionValue(read, options.noTrack) === undefined;
  const last = optionValues(read, options.table).at(-1);
  const vrf = optionValue(read, options.vrf);
  // Whichever comes later says the table.
  const byVrf = vrf !== undefined && (last === undefined || read.values.indexOf(vrf) > read.values.indexOf(last));
  const expires = optionValue(read, options.expires)?.value;
  const route: RouteConfig = {
    family,
    type: destinations.findLast(({ value }) => value.type !== undefined)?.value.type ?? 1,
    destination: prefixOf(destination, family),
    source: source && prefixOf(source, family),
    preferredSource: optionValue(read, options.preferredSource)?.value,
    ...ways,
    table: byVrf ? mainTable : (last?.value ?? mainTable),
    vrf: byVrf ? vrf.value : undefined,
    protocol: resolveProtocol(optionValue(read, options.protocol), tracked, context) ?? keepalivedProtocol,
    scope: optionValue(read, options.scope)?.value,
    typeOfService: optionValue(read, options.typeOfService)?.value ?? 0,
    metric: optionValue(read, options.metric)?.value,
    onlink: optionValue(read, options.onlink) !== undefined,
    realms: optionValue(read, options.realms)?.value,
    encapsulation: optionValue(read, options.encap)?.value,
    expires: expires === undefined ? undefined : secondsToMicros(expires),
    routerPreference: optionValue(read, options.routerPreference)?.value,
    ttlPropagate: optionValue(read, options.ttlPropagate)?.value,
    metrics: resolveMetrics(read),
    placement: resolvePlacement(read),
    tracked,
  };
  return { route, entry, read };
}

/** What keepalived judges word by word. */
function checkWord(
  given: OptionValue<unknown>,
  before: readonly OptionValue<unknown>[],
  families: FamilyOfLine,
  context: EntryContext,
): boolean {
  const { place } = given;
  if (isOf(given, options.inet) || isOf(given, options.inet6)) return families.agree(given.value, place);
  if (isOf(given, options.preferredSource)) return families.agree(ipFamily(given.value), place);
  if (isOf(given, options.gateway)) return agreeVia(given.value, place, families);
  if (isOf(given, options.realms)) return families.agree(4, place);
  if (isOf(given, routeDestination)) return families.agree(given.value.selector.family, place);
  if (isOf(given, options.source)) {
    if (given.value.family === 6) return families.agree(6, place);
    reject(context, place, "address-family", "a route has a source network in IPv6 only; the line is left out");
    return false;
  }
  if (isOf(given, options.vrf)) return checkVrf(given, context);
  if (!isOf(given, options.nextHops) || !before.some((other) => isOf(other, options.or))) return true;
  reject(context, place, "route-hops", "nexthop does not go with or; the line is left out", "write nexthop only");
  return false;
}

const agreeVia = ({ family, address }: Via, place: Place, families: FamilyOfLine, lost?: string): boolean =>
  (family === undefined || families.agree(family, place, lost)) && families.agree(ipFamily(address), place, lost);

function checkVrf({ value, place }: OptionValue<string>, context: EntryContext): boolean {
  const { interfaceExists, linkKind } = context.machine;
  const kind = linkKind?.(value);
  if (interfaceExists?.(value) !== false && (kind === undefined || kind === "vrf")) return true;
  reject(context, place, "vrf-missing", `there is no VRF ${value}; the line is left out`);
  return false;
}

function resolveWays(
  read: ReadEntry,
  families: FamilyOfLine,
  context: EntryContext,
): Pick<RouteConfig, "gateway" | "interface" | "nextHops"> {
  const device = optionValue(read, options.device)?.value;
  const or = optionValue(read, options.or);
  const vias = optionValues(read, options.gateway);
  if (or === undefined) {
    const hops = optionValues(read, options.nextHops).flatMap((given) => resolveHops(given, families, context));
    return { gateway: vias.at(-1)?.value.address, interface: device, nextHops: hops };
  }
  // What stands before `or` is the first way, and `or` the second; a later `via` is the gateway of a route that has both.
  const position = read.values.indexOf(or);
  const [before, after] = [true, false].map(
    (earlier) => vias.findLast((given) => read.values.indexOf(given) < position === earlier)?.value.address,
  );
  const hop: NextHopConfig = {
    gateway: before,
    interface: undefined,
    weight: 1,
    onlink: false,
    realms: undefined,
    encapsulation: undefined,
  };
  return { gateway: after, interface: device, nextHops: [hop, { ...hop, gateway: or.value }] };
}

/** Up to the first that does not fit. */
function resolveHops(
  { value, place }: OptionValue<readonly NextHop[]>,
  families: FamilyOfLine,
  context: EntryContext,
): NextHopConfig[] {
  const lost = "this next hop and those behind it are left out";
  const hops: NextHopConfig[] = [];
  for (const { via, ...hop } of value) {
    const at = { ...place, text: via?.address ?? place.text };
    if (via !== undefined && !agreeVia(via, at, families, lost)) return hops;
    if (hop.realms !== undefined && !families.agree(4, { ...place, text: "realms" }, lost)) return hops;
    hops.push({ gateway: via?.address, ...hop });
  }
  if (hops.length === 0) reject(context, place, "route-hops", "the route has no next hop that can be used");
  return hops;
}

/** Routes and rules that are tracked are recognised by their protocol. */
export function resolveProtocol(
  given: OptionValue<number> | undefined,
  tracked: boolean,
  context: EntryContext,
): number | undefined {
  if (!tracked) return given?.value;
  if (given !== undefined && given.value !== keepalivedProtocol) {
    const message = "what is tracked is recognised by its protocol, which has to be keepalived's";
    const used = `protocol ${keepalivedProtocol}`;
    adjust(context, given.place, "protocol", message, { used, hint: "add no_track, or leave protocol out" });
  }
  return keepalivedProtocol;
}

function resolvePlacement(read: ReadEntry): RouteConfig["placement"] {
  const last = read.values.findLast((given) =>
    [options.add, options.append, options.prepend].some((option) => isOf(given, option)),
  );
  if (last === undefined || isOf(last, options.prepend)) return "prepend";
  return isOf(last, options.add) ? "add" : "append";
}

function resolveMetrics(read: ReadEntry): RouteMetricsConfig {
  const plain = <T>(option: Option<T>): T | undefined => optionValue(read, option)?.value;
  const locked: LockableMetric[] = [];
  const lockable = <T>(name: LockableMetric, option: Option<Locked<T>>): T | undefined => {
    const all = optionValues(read, option);
    // keepalived forgets no lock.
    if (all.some(({ value }) => value.locked)) locked.push(name);
    return all.at(-1)?.value.value;
  };
  return {
    mtu: lockable("mtu", options.mtu),
    advertisedMss: lockable("advertisedMss", options.advertisedMss),
    hopLimit: plain(options.hopLimit),
    roundTripTime: lockable("roundTripTime", options.roundTripTime),
    roundTripVariance: lockable("roundTripVariance", options.roundTripVariance),
    retransmitMin: lockable("retransmitMin", options.retransmitMin),
    reordering: lockable("reordering", options.reordering),
    window: plain(options.window),
    congestionWindow: lockable("congestionWindow", options.congestionWindow),
    slowStartThreshold: lockable("slowStartThreshold", options.slowStartThreshold),
    initialCongestionWindow: plain(options.initialCongestionWindow),
    initialReceiveWindow: plain(options.initialReceiveWindow),
    quickAck: plain(options.quickAck),
    fastOpenNoCookie: plain(options.fastOpenNoCookie),
    congestionControl: lockable("congestionControl", options.congestionControl),
    ecn: plain(options.features) === true,
    locked,
  };
}

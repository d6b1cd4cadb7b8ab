// Static addresses, routes and rules, the groups of instances that depend on them, and settings of single interfaces.
import type {
  Config,
  GarpGroupConfig,
  InterfaceDelayConfig,
  PolledInterfaceConfig,
  StaticAddressConfig,
  StaticRouteConfig,
  StaticRuleConfig,
  TrackGroupConfig,
} from "../config.ts";
import { staticAddressForm, staticAddressOptions } from "../keywords/address-options.ts";
import { routeTrackGroup, staticRouteForm } from "../keywords/route-options.ts";
import { ruleTrackGroup } from "../keywords/rule-options.ts";
import {
  delayedInterface,
  delayForm,
  garpGroup,
  polled,
  polledForm,
  staticValues,
  trackGroup,
} from "../keywords/static.ts";
import type { Option } from "../keywords/table.ts";
import type { Place } from "../report.ts";
import { type EntryContext, optionValue, type ReadEntry, readEntry } from "../syntax/entry.ts";
import { type Block, blocksOf, entries, lists, settings, value } from "../syntax/tree.ts";
import { parseAddressLine } from "./address.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";
import type { Defaults } from "./defaults.ts";
import { requireInterface } from "./interface.ts";
import { parseRouteLine } from "./route.ts";
import type { RuleLine } from "./rule.ts";

export type StaticConfig = Pick<
  Config,
  | "staticAddresses"
  | "staticRoutes"
  | "staticRules"
  | "trackGroups"
  | "interfaceDelays"
  | "garpGroups"
  | "polledInterfaces"
>;

interface StaticContext extends EntryContext {
  readonly defaults: Defaults;
}

/** `rules`: those of all blocks; the static ones are picked out. */
export function resolveStatic(
  root: Block,
  rules: readonly RuleLine[],
  instanceNames: ReadonlySet<string>,
  context: StaticContext,
): StaticConfig {
  const groups = resolveTrackGroups(root, instanceNames, context);
  return {
    staticAddresses: resolveStaticAddresses(root, groups, context),
    staticRoutes: resolveStaticRoutes(root, groups, context),
    staticRules: resolveStaticRules(rules, groups, context),
    trackGroups: [...groups.values()]
      .filter(({ members }) => members.length > 0)
      .map(({ order: _order, ...group }) => group),
    interfaceDelays: resolveDelays(root, context),
    garpGroups: resolveGarpGroups(root, context),
    polledInterfaces: resolvePolled(root, context),
  };
}

interface KnownGroup extends TrackGroupConfig {
  readonly order: number;
}

function resolveTrackGroups(
  root: Block,
  instanceNames: ReadonlySet<string>,
  context: ResolveContext,
): ReadonlyMap<string, KnownGroup> {
  const groups = blocksOf(root, trackGroup).flatMap((block): KnownGroup[] => {
    const name = block.header;
    for (const list of lists(block, trackGroup.keywords.group))
      if (list.entries.length === 0) adjust(context, list.place, "empty-block", "group names no instance");
    const words = entries(block, trackGroup.keywords.group).flatMap((entry) =>
      entry.words.map((word) => ({ name: word.text, place: entry.at(word) })),
    );
    if (words.length === 0) {
      const hint = "write group { INSTANCE … }";
      reject(context, block.place, "empty-group", `track_group ${name} has no members and is left out`, hint);
      return [];
    }
    const members = words.filter((member) => {
      const known = instanceNames.has(member.name);
      const message = `there is no vrrp_instance ${member.name}; it is left out of track_group ${name}`;
      if (!known) advise(context, member.place, "member-unknown", message);
      return known;
    });
    // Several times in a group is as good as once.
    return [{ name, members: [...new Set(members.map((member) => member.name))], order: block.order }];
  });
  return new Map(groups.map((group) => [group.name, group]));
}

/** Whoever names a group has to stand behind it, and to have an interface of which it can be told whether it is up. */
function groupOf(
  read: ReadEntry,
  option: Option<string>,
  hasInterface: boolean,
  groups: ReadonlyMap<string, KnownGroup>,
  context: ResolveContext,
): string | undefined {
  const given = optionValue(read, option);
  if (given === undefined) return undefined;
  const group = groups.get(given.value);
  if (group === undefined || group.order > read.entry.order) {
    const hint = group === undefined ? undefined : "define it further up";
    const message = `there is no track_group ${given.value} so far; nothing depends on this line`;
    reject(context, given.place, "group-unknown", message, hint);
    return undefined;
  }
  if (!hasInterface) {
    const message = `track_group asks for an interface, and the line has none; nothing depends on it`;
    reject(context, given.place, "group-interface", message);
    return undefined;
  }
  return group.members.length > 0 ? given.value : undefined;
}

function resolveStaticAddresses(
  root: Block,
  groups: ReadonlyMap<string, KnownGroup>,
  context: StaticContext,
): StaticAddressConfig[] {
  return entries(root, staticValues.staticAddresses).flatMap((entry) => {
    const line = parseAddressLine(entry, staticAddressForm, context);
    if (line === undefined) return [];
    const { entry: _entry, read, ...address } = line;
    const name = address.interface ?? context.defaults.defaultInterface;
    if (address.interface === undefined && !hasDefault(name, context)) {
      const message = `${address.address} has no interface, and there is no ${name}; it is left out`;
      const hint = "write dev INTERFACE, or default_interface in global_defs";
      context.report({
        place: entry.at(),
        severity: "error",
        code: "interface-unknown",
        errorClass: "fatal",
        message,
        hint,
      });
      return [];
    }
    const group = groupOf(read, staticAddressOptions.trackGroup, true, groups, context);
    return [{ ...address, interface: name, vmac: "none", trackGroup: group }];
  });
}

const hasDefault = (name: string, { dynamicInterfaces, machine }: EntryContext): boolean =>
  dynamicInterfaces || machine.interfaceExists?.(name) !== false;

function resolveStaticRoutes(
  root: Block,
  groups: ReadonlyMap<string, KnownGroup>,
  context: StaticContext,
): StaticRouteConfig[] {
  return entries(root, staticValues.staticRoutes).flatMap((entry) => {
    const line = parseRouteLine(entry, staticRouteForm, context);
    if (line === undefined) return [];
    const { route, read } = line;
    return [{ ...route, trackGroup: groupOf(read, routeTrackGroup, route.interface !== undefined, groups, context) }];
  });
}

const resolveStaticRules = (
  lines: readonly RuleLine[],
  groups: ReadonlyMap<string, KnownGroup>,
  context: StaticContext,
): StaticRuleConfig[] =>
  lines.map(({ rule, read }) => ({
    ...rule,
    trackGroup: groupOf(read, ruleTrackGroup, rule.inputInterface !== undefined, groups, context),
  }));

/** Of several lines for an interface the last counts. */
function resolveDelays(root: Block, context: EntryContext): InterfaceDelayConfig[] {
  const delays = new Map<string, InterfaceDelayConfig>();
  for (const entry of entries(root, staticValues.interfaceDelays)) {
    const read = readEntry(entry, delayForm, context);
    const delay = read && optionValue(read, delayedInterface)?.value;
    if (delay !== undefined) delays.set(delay.interface, delay);
  }
  return [...delays.values()];
}

function resolvePolled(root: Block, context: EntryContext): PolledInterfaceConfig[] {
  const interfaces = new Map<string, PolledInterfaceConfig>();
  for (const entry of entries(root, staticValues.linkbeatInterfaces)) {
    const read = readEntry(entry, polledForm, context);
    const given = read && optionValue(read, polled)?.value;
    if (given !== undefined) interfaces.set(given.interface, given);
  }
  return [...interfaces.values()];
}

function resolveGarpGroups(root: Block, context: StaticContext): GarpGroupConfig[] {
  const { keywords } = garpGroup;
  const taken = new Set<string>();
  return blocksOf(root, garpGroup).flatMap((block) => {
    const [garpInterval, gnaInterval] = [value(block, keywords.garpInterval), value(block, keywords.gnaInterval)];
    const interfaces = namedInterfaces(block, context).filter(({ name, place }) => {
      if (taken.has(name)) reject(context, place, "garp-group", `${name} is in a garp_group already; this is ignored`);
      const fresh = !taken.has(name);
      taken.add(name);
      return fresh;
    });
    if (garpInterval !== undefined || gnaInterval !== undefined)
      return [{ interfaces: interfaces.map(({ name }) => name), garpInterval, gnaInterval }];
    const hint = "write garp_interval or gna_interval";
    reject(context, block.place, "garp-group", "the garp_group has no interval and is left out", hint);
    // Its interfaces are free for another group.
    for (const { name } of interfaces) taken.delete(name);
    return [];
  });
}

interface NamedInterface {
  readonly name: string;
  readonly place: Place;
  readonly order: number;
}

/** Those of `interface` and `interfaces`, in the order of the file. */
function namedInterfaces(block: Block, context: StaticContext): NamedInterface[] {
  const { keywords } = garpGroup;
  const blocks = lists(block, keywords.interfaces);
  for (const { entries: lines, place } of blocks)
    if (lines.length === 0) adjust(context, place, "empty-block", "interfaces names no interface");
  const listed = blocks.flatMap((list) =>
    list.entries.flatMap(({ words, order, at }) => words.map((word) => ({ name: word.text, place: at(word), order }))),
  );
  const single = settings(block, keywords.interface).map(({ value: name, place, order }) => ({ name, place, order }));
  return [...single, ...listed]
    .toSorted((a, b) => a.order - b.order)
    .filter(({ name, place }) => requireInterface(name, place, context, context.dynamicInterfaces));
}

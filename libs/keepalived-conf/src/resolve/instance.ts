// `vrrp_instance` → InstanceConfig. An instance that keepalived would not start with is left out and reported as fatal.
import { isVrid, micros } from "@baton/domain";
import type { GarpConfig, InstanceConfig, NotifyConfig } from "../config.ts";
import { virtualRouteForm } from "../keywords/route-options.ts";
import type { ScriptLine } from "../keywords/script-argument.ts";
import type { Keyword } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, entries, isSet, setting, value } from "../syntax/tree.ts";
import { type InstanceAddresses, resolveAddresses } from "./addresses.ts";
import { resolveAuthentication } from "./authentication.ts";
import { type CommandContext, resolveCommand } from "./command.ts";
import { adjust, refuse, reject } from "./context.ts";
import { resolveElection } from "./election.ts";

import { type Defaults, repeats } from "./global.ts";
import { requireInterface } from "./interface.ts";
import { checkReach } from "./reach.ts";
import { parseRouteLine } from "./route.ts";
import type { Rules } from "./rules.ts";
import type { KnownScript } from "./scripts.ts";
import { resolveTrackedInterfaces, resolveTrackedScripts, type TrackingContext } from "./tracking.ts";

const { keywords } = vrrpInstance;

export function resolveInstance(
  block: Block<string>,
  scripts: readonly KnownScript[],
  rules: Rules,
  context: CommandContext,
): InstanceConfig | undefined {
  const { defaults } = context;
  const name = block.header;
  const strict = value(block, keywords.strictMode) ?? defaults.strict;
  const network = resolveNetwork(block, context);
  const version = resolveVersion(block, network.family, defaults, context);
  checkReach(block, network, context);
  const election = resolveElection({ ...context, block, defaults, strict, version });
  const tracking: TrackingContext = {
    ...context,
    ownInterface: network.interface ?? "",
    dynamicInterfaces: defaults.dynamicInterfaces,
    addressOwner: election.priority === 255,
    what: `vrrp_instance ${name}`,
  };
  const authentication = resolveAuthentication(block, version, strict, context);
  checkCount(block, network, version, strict, context);
  const tracked = {
    trackInterfaces: resolveTrackedInterfaces(entries(block, keywords.trackInterface), tracking),
    trackScripts: resolveTrackedScripts(entries(block, keywords.trackScript), scripts, tracking),
    trackPrimary: !isSet(block, keywords.dontTrackPrimary),
  };
  const notify = resolveNotify(block, context);
  const entryContext = { ...context, dynamicInterfaces: defaults.dynamicInterfaces };
  const routes = entries(block, keywords.virtualRoutes).flatMap(
    (entry) => parseRouteLine(entry, virtualRouteForm, entryContext)?.route ?? [],
  );
  // Only now: all that is wrong with it has been said.
  if (network.interface === undefined || network.vrid === undefined) return undefined;
  return {
    name,
    interface: network.interface,
    family: network.family,
    version,
    vrid: network.vrid,
    ...election,
    authentication,
    ...tracked,
    sourceAddress: network.sourceAddress,
    addresses: network.addresses,
    excludedAddresses: network.excludedAddresses,
    unicastPeers: network.unicastPeers,
    routes,
    rules: rules.of(block).map(({ rule }) => rule),
    garp: resolveGarp(block, defaults.garp, strict, context),
    notify,
    smtpAlert: value(block, keywords.smtpAlert) ?? defaults.smtpAlert,
    v3ChecksumAsV2: value(block, keywords.v3ChecksumAsV2) ?? defaults.v3ChecksumAsV2,
  };
}

interface Network extends InstanceAddresses {
  readonly interface: string | undefined;
  readonly vrid: InstanceConfig["vrid"] | undefined;
}

function resolveNetwork(block: Block<string>, context: CommandContext): Network {
  const given = setting(block, keywords.interface);
  const vrid = setting(block, keywords.virtualRouterId);
  if (vrid === undefined) {
    reject(
      context,
      block.place,
      "vrid-missing",
      `vrrp_instance ${block.header} has no valid virtual_router_id`,
      "keepalived would not start: write virtual_router_id 1 to 255",
    );
  }
  if (given === undefined) {
    reject(
      context,
      block.place,
      "interface-required",
      `vrrp_instance ${block.header} has no interface`,
      "keepalived would not start: write interface NAME",
    );
  } else requireInterface(given.value, given.place, context, context.defaults.dynamicInterfaces);
  const addresses = resolveAddresses(block, given?.value ?? "", {
    ...context,
    dynamicInterfaces: context.defaults.dynamicInterfaces,
  });
  return {
    ...addresses,
    interface: given?.value,
    vrid: vrid !== undefined && isVrid(vrid.value) ? vrid.value : undefined,
  };
}

function resolveVersion(block: Block<string>, family: 4 | 6, defaults: Defaults, context: CommandContext): 2 | 3 {
  const given = setting(block, keywords.version);
  if (family === 4) return (given?.value ?? defaults.version) === 3 ? 3 : 2;
  if (given?.value === 2) {
    refuse(
      context,
      given.place,
      "refused",
      "version 2 with IPv6: VRRPv2 has no IPv6 (RFC 3768)",
      "write version 3 on all routers of the group",
    );
  }
  return 3;
}

/** VRRPv3 and strict mode ask for at least one address. */
function checkCount(
  block: Block<string>,
  network: Network,
  version: 2 | 3,
  strict: boolean,
  context: CommandContext,
): void {
  if (network.addresses.length > 0) return;
  const name = `vrrp_instance ${block.header}`;
  if (!isSet(block, keywords.noVirtualAddress) || strict) {
    if (version === 3 || strict) {
      reject(
        context,
        block.place,
        "address-required",
        `${name} has no virtual address`,
        "keepalived would not start: write virtual_ipaddress { … }",
      );
    } else
      adjust(context, block.place, "no-address", `${name} has no virtual address`, "write virtual_ipaddress { … }");
  }
}

function resolveGarp(block: Block<string>, defaults: GarpConfig, strict: boolean, context: CommandContext): GarpConfig {
  const lowerDelay = setting(block, keywords.garpLowerPriorityDelay);
  const lowerRepeat = setting(block, keywords.garpLowerPriorityRepeat);
  for (const given of strict ? [lowerDelay, lowerRepeat] : []) {
    if (given !== undefined && given.value !== 0) {
      adjust(context, given.place, "strict", "strict: nothing is announced on a lower priority", {
        used: `${given.keyword.name} 0`,
      });
    }
  }
  const repeat = (keyword: Keyword<number>, inherited: number): number => {
    const given = setting(block, keyword);
    if (given?.value === 0)
      adjust(context, given.place, "garp-repeat", `${keyword.name} has to be positive`, { used: `${keyword.name} 1` });
    return repeats(given?.value) ?? inherited;
  };
  return {
    delay: value(block, keywords.garpDelay) ?? defaults.delay,
    repeat: repeat(keywords.garpRepeat, defaults.repeat),
    refresh: value(block, keywords.garpRefresh) ?? defaults.refresh,
    refreshRepeat: repeat(keywords.garpRefreshRepeat, defaults.refreshRepeat),
    lowerPriorityDelay: strict ? micros(0) : (lowerDelay?.value ?? defaults.lowerPriorityDelay),
    lowerPriorityRepeat: strict ? 0 : (lowerRepeat?.value ?? defaults.lowerPriorityRepeat),
  };
}

function resolveNotify(block: Block<string>, context: CommandContext): NotifyConfig {
  const command = (keyword: Keyword<ScriptLine>) => {
    const given = setting(block, keyword);
    if (given?.value === undefined) return undefined;
    const what = `${keyword.name} of ${block.header}`;
    return resolveCommand({ script: given.value, place: given.place, what, role: "event" }, context);
  };
  return {
    master: command(keywords.notifyMaster),
    backup: command(keywords.notifyBackup),
    fault: command(keywords.notifyFault),
    stop: command(keywords.notifyStop),
    deleted: command(keywords.notifyDeleted),
    any: command(keywords.notify),
  };
}

/** One virtual router can exist once on an interface: two would hear their own adverts. */
export function checkDuplicates(
  instances: readonly (readonly [Block, InstanceConfig])[],
  context: CommandContext,
): void {
  const seen = new Map<string, InstanceConfig>();
  for (const [block, instance] of instances) {
    const key = `${instance.interface} ${instance.family} ${instance.vrid}`;
    const other = seen.get(key);
    if (other === undefined) seen.set(key, instance);
    else {
      reject(
        context,
        block.place,
        "vrid-duplicate",
        `${instance.name} and ${other.name} both have virtual_router_id ${instance.vrid} on ${instance.interface} with IPv${instance.family}`,
        "keepalived would not start: each virtual router of an interface needs its own",
      );
    }
  }
}

// `vrrp_instance` → InstanceConfig. An instance that keepalived would not start with is left out and reported as fatal.
import type { Vrid } from "@baton/domain";
import type { InstanceConfig, TrackedConfig } from "../config.ts";
import { virtualRouteForm } from "../keywords/route-options.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { type Block, entries, isSet, setting, settings, value } from "../syntax/tree.ts";
import { type AdvertShape, fitAdvert } from "./advert-room.ts";
import { resolveGarp } from "./announcement.ts";
import { resolveAuthentication, resolveAuthHmac } from "./authentication.ts";
import type { CommandContext } from "./command.ts";
import { adjust, reject } from "./context.ts";
import type { Defaults } from "./defaults.ts";
import { type ElectionSettings, resolveElection } from "./election.ts";
import { type Network, resolveNetwork } from "./network.ts";
import { resolveNotify } from "./notify.ts";
import { checkReach } from "./reach.ts";
import { parseRouteLine } from "./route.ts";
import type { Rules } from "./rules.ts";
import type { Membership } from "./sync-group.ts";
import {
  resolveTracked,
  resolveTrackedInterfaces,
  type TrackedObjects,
  type TrackingContext,
  trackKinds,
} from "./tracking.ts";
import { resolveUnicast, unicastPlace } from "./unicast.ts";
import { resolveVirtualMac, type VirtualMac } from "./virtual-mac.ts";
import { withoutWeights } from "./weights.ts";

const { keywords } = vrrpInstance;

/** What instances have to know of each other and of the rest of the file. */
export interface InstanceContext extends CommandContext {
  readonly objects: TrackedObjects;
  readonly membership: Membership;
  readonly rules: Rules;
  /** Names of the interfaces that instances have for themselves, and whose they are. */
  readonly ownInterfaces: Map<string, string>;
}

export function resolveInstance(block: Block<string>, context: InstanceContext): InstanceConfig | undefined {
  const { defaults } = context;
  const strict = value(block, keywords.strictMode) ?? defaults.strict;
  const network = resolveNetwork(block, strict, context);
  const { family, version, sourceAddress } = network;
  checkReach(block, network, context);
  const authentication = resolveAuthentication(block, { ...context, family, version, strict });
  const authHmac = resolveAuthHmac(block, strict, context);
  const election = resolveElection({ ...context, block, strict, version, mustListen: authentication?.type === "ah" });
  const owner = election.priority === 255;
  const unicast = resolveUnicast(block, network.unicastPeers, {
    ...context,
    family,
    strict,
    interface: network.interface,
    sourceAddress,
    dynamicInterfaces: defaults.dynamicInterfaces,
    checkUnicastSource: defaults.checkUnicastSource,
  });
  const virtualMac = resolveVirtualMac(block, {
    ...context,
    family,
    strict,
    vrid: network.vrid ?? 0,
    hasInterface: network.interface !== undefined,
    unicast: unicastPlace(block) !== undefined,
    names: context.ownInterfaces,
  });
  checkCount(block, network, strict, unicast !== undefined, context);
  const tracked = resolveTracking(block, network, owner, context);
  const notification = resolveNotification(block, context);
  const signing = { ah: authentication?.type === "ah", signed: authHmac !== undefined };
  const held = resolveHeld(block, network, signing, context);
  const parts: Parts = {
    block,
    strict,
    network,
    election,
    authentication,
    authHmac,
    unicast,
    virtualMac,
    tracked,
    notification,
    held,
    accept: resolveAccept(block, owner, strict, version, context),
    garp: resolveGarp(block, defaults.garp, strict, context),
  };
  // Only now: all that is wrong with it has been said.
  if (network.interface === undefined || network.vrid === undefined) return undefined;
  return assemble(parts, network.interface, network.vrid, defaults);
}

interface Parts extends Pick<InstanceConfig, "strict" | "authentication" | "authHmac" | "unicast" | "accept" | "garp"> {
  readonly block: Block<string>;
  readonly network: Network;
  readonly election: ElectionSettings;
  readonly virtualMac: VirtualMac;
  readonly tracked: TrackedConfig;
  readonly notification: Notification;
  readonly held: Held;
}

/** Member by member: an object of so many that others are spread into costs several times as much as all else here. */
function assemble(parts: Parts, ownInterface: string, vrid: Vrid, defaults: Defaults): InstanceConfig {
  const { block, network, election, tracked, notification, held } = parts;
  const { vmac, ipvlan } = parts.virtualMac;
  return {
    name: block.header,
    interface: ownInterface,
    family: network.family,
    version: network.version,
    strict: parts.strict,
    vrid,
    priority: election.priority,
    initialState: election.initialState,
    preempt: election.preempt,
    preemptDelay: election.preemptDelay,
    advertInterval: election.advertInterval,
    downTimerAdverts: election.downTimerAdverts,
    lowerPriorityNoAdvert: election.lowerPriorityNoAdvert,
    higherPrioritySendAdvert: election.higherPrioritySendAdvert,
    ownerIgnoreAdverts: election.ownerIgnoreAdverts,
    timerExpiredBackup: election.timerExpiredBackup,
    authentication: parts.authentication,
    authHmac: parts.authHmac,
    trackInterfaces: tracked.trackInterfaces,
    trackScripts: tracked.trackScripts,
    trackFiles: tracked.trackFiles,
    trackProcesses: tracked.trackProcesses,
    trackBfds: tracked.trackBfds,
    trackPrimary: !isSet(block, keywords.dontTrackPrimary),
    trackSource: isSet(block, keywords.trackSourceAddress) && network.sourceAddress !== undefined,
    sourceAddress: network.sourceAddress,
    multicastGroup: network.multicastGroup,
    unicast: parts.unicast,
    addresses: held.addresses,
    excludedAddresses: held.excludedAddresses,
    routes: held.routes,
    rules: held.rules,
    accept: parts.accept,
    vmac,
    ipvlan,
    lacksPeers: isSet(block, keywords.unicastFaultNoPeer) && parts.unicast === undefined,
    promoteSecondaries: isSet(block, keywords.promoteSecondaries) && vmac === undefined && ipvlan === undefined,
    pollLink: isSet(block, keywords.linkbeatUsePolling),
    garp: parts.garp,
    garpExtra: value(block, keywords.garpExtraInterface) ?? defaults.garpExtra,
    notify: notification.notify,
    smtpAlert: notification.smtpAlert,
    notifyPriorityChanges: notification.notifyPriorityChanges,
    v3ChecksumAsV2: value(block, keywords.v3ChecksumAsV2) ?? defaults.v3ChecksumAsV2,
    skipCheckAddresses: defaults.skipCheckAddresses || isSet(block, keywords.skipCheckAddresses),
    receiveBuffer: value(block, keywords.receiveBuffer),
    debugLevel: value(block, keywords.debug) ?? 0,
  };
}

type Held = Pick<InstanceConfig, "addresses" | "excludedAddresses" | "routes" | "rules">;

/** What a master has: addresses, routes and rules. */
function resolveHeld(
  block: Block<string>,
  network: Network,
  signing: Pick<AdvertShape, "ah" | "signed">,
  context: InstanceContext,
): Held {
  const entryContext = { ...context, dynamicInterfaces: context.defaults.dynamicInterfaces };
  return {
    ...fitAdvert(network, { ...network, ...signing }, context),
    routes: entries(block, keywords.virtualRoutes).flatMap(
      (entry) => parseRouteLine(entry, virtualRouteForm, entryContext)?.route ?? [],
    ),
    rules: context.rules.of(block).map(({ rule }) => rule),
  };
}

type Notification = Pick<InstanceConfig, "notify" | "smtpAlert" | "notifyPriorityChanges">;

/** Who is told of it. */
function resolveNotification(block: Block<string>, context: InstanceContext): Notification {
  const { defaults, membership } = context;
  const group = membership.get(block.header);
  return {
    notify: resolveNotify(block, context),
    smtpAlert: value(block, keywords.smtpAlert) ?? defaults.smtpAlert,
    notifyPriorityChanges:
      value(block, keywords.notifyPriorityChanges) ?? group?.notifyPriorityChanges ?? defaults.notifyPriorityChanges,
  };
}

/** VRRPv3 and strict mode ask for at least one address. */
function checkCount(
  block: Block<string>,
  network: Network,
  strict: boolean,
  unicast: boolean,
  context: CommandContext,
): void {
  const name = `vrrp_instance ${block.header}`;
  const [first] = network.addresses;
  if (network.family === 6 && strict && !unicast && first !== undefined && !/^fe[89ab]/.test(first.address)) {
    const message = `strict: the first virtual address of ${name} has to be a link-local one`;
    adjust(context, block.place, "ipv6-link-local", message);
  }
  const none = setting(block, keywords.noVirtualAddress);
  const say = { severity: "warning", errorClass: "warning", code: "no-address" } as const;
  if (strict && none !== undefined) {
    const message = "strict: no_virtual_ipaddress is ignored";
    context.report({ ...say, place: none.place, code: "strict", message });
  }
  if (first !== undefined || network.interfaceMissing || (none !== undefined && !strict)) return;
  const message = `${name} has no virtual address`;
  if (network.version === 3 || strict) {
    const hint = "keepalived would not start: write virtual_ipaddress { … }";
    reject(context, block.place, "address-required", message, hint);
  } else context.report({ ...say, place: block.place, message, hint: "write virtual_ipaddress { … }" });
}

function resolveTracking(
  block: Block<string>,
  network: Network,
  owner: boolean,
  context: InstanceContext,
): TrackedConfig {
  const { objects, defaults } = context;
  const what = `vrrp_instance ${block.header}`;
  const tracking: TrackingContext = { ...context, dynamicInterfaces: defaults.dynamicInterfaces, what };
  const lines = (keyword: Parameters<typeof entries>[1]) => entries(block, keyword);
  const tracked = {
    trackInterfaces: resolveTrackedInterfaces(lines(keywords.trackInterface), network.interface, tracking),
    trackScripts: resolveTracked(lines(keywords.trackScript), trackKinds.script, objects.scripts, tracking),
    trackFiles: resolveTracked(lines(keywords.trackFile), trackKinds.file, objects.files, tracking),
    trackProcesses: resolveTracked(lines(keywords.trackProcess), trackKinds.process, objects.processes, tracking),
    trackBfds: resolveTracked(lines(keywords.trackBfd), trackKinds.bfd, objects.bfds, tracking),
  };
  const group = context.membership.get(block.header);
  const grouped = group !== undefined && !group.trackingWeight;
  if (!grouped && !owner) return tracked;
  const because = grouped ? `it is in the sync group ${group.name}` : "priority 255 never changes";
  return withoutWeights(tracked, { block, because, grouped }, context);
}

/** `accept` and `no_accept`: the last of both counts. */
function resolveAccept(
  block: Block<string>,
  owner: boolean,
  strict: boolean,
  version: 2 | 3,
  context: CommandContext,
): boolean {
  const last = [...settings(block, keywords.accept), ...settings(block, keywords.noAccept)]
    .toSorted((a, b) => a.order - b.order)
    .at(-1);
  const accept = last === undefined ? owner || !strict : last.keyword === keywords.accept;
  if (last === undefined || !accept || owner || !strict || version === 3) return accept;
  adjust(context, last.place, "strict", "strict: VRRPv2 accepts nothing (RFC 3768)", { used: "no_accept" });
  return false;
}

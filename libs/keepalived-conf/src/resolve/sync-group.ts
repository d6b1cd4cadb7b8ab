// `vrrp_sync_group` → SyncGroupConfig: members that exist, each in one group only.
import type { InstanceConfig, SyncGroupConfig, TrackedConfig, TrackRef } from "../config.ts";
import type { ValueBlock } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";
import { vrrpSyncGroup } from "../keywords/vrrp-sync-group.ts";
import type { Place } from "../report.ts";
import { type Block, blocksOf, entries, isSet, lists, value } from "../syntax/tree.ts";
import type { CommandContext } from "./command.ts";
import { adjust, advise, type ResolveContext, reject } from "./context.ts";
import { resolveGroupNotify } from "./notify.ts";
import {
  placesOfNames,
  resolveTracked,
  resolveTrackedInterfaces,
  type TrackedObjects,
  type TrackingContext,
  trackKinds,
} from "./tracking.ts";

const { keywords } = vrrpSyncGroup;

/** A group as its members see it. */
export interface Group {
  readonly block: Block<string>;
  readonly name: string;
  readonly members: readonly string[];
  readonly trackingWeight: boolean;
  /** undefined: it does not say. */
  readonly notifyPriorityChanges: boolean | undefined;
}

/** The group of each instance that is in one. */
export type Membership = ReadonlyMap<string, Group>;

export interface Groups {
  readonly groups: readonly Group[];
  readonly membership: Membership;
}

export function findGroups(root: Block, context: ResolveContext): Groups {
  const instances = new Set(blocksOf(root, vrrpInstance).map(({ header }) => header));
  const membership = new Map<string, Group>();
  const groups: Group[] = [];
  for (const block of blocksOf(root, vrrpSyncGroup)) {
    const members = membersOf(block, instances, membership, context);
    const group: Group = {
      block,
      name: block.header,
      members,
      trackingWeight: isSet(block, keywords.trackingWeight) || isSet(block, keywords.globalTracking),
      notifyPriorityChanges: value(block, keywords.notifyPriorityChanges),
    };
    for (const member of members) membership.set(member, group);
    const name = `vrrp_sync_group ${group.name}`;
    if (members.length === 0)
      reject(
        context,
        block.place,
        "empty-group",
        `${name} has no members and is left out`,
        "write group { INSTANCE … }",
      );
    else groups.push(group);
    if (members.length === 1)
      adjust(context, block.place, "lonely-group", `${name} has one member only`, "a group of one changes nothing");
  }
  return { groups, membership };
}

function membersOf(
  block: Block<string>,
  instances: ReadonlySet<string>,
  membership: Membership,
  context: ResolveContext,
): string[] {
  const name = block.header;
  const members = new Set<string>();
  for (const list of lists(block, keywords.group))
    if (list.entries.length === 0) adjust(context, list.place, "empty-block", `group of ${name} names nobody`);
  const words = entries(block, keywords.group).flatMap((entry) =>
    entry.words.map((word) => ({ member: word.text, place: entry.at(word) })),
  );
  for (const { member, place } of words) {
    const owner = members.has(member) ? name : membership.get(member)?.name;
    if (!instances.has(member))
      reject(context, place, "member-unknown", `there is no vrrp_instance ${member}; it is left out of ${name}`);
    else if (owner === undefined) members.add(member);
    else
      reject(context, place, "member-taken", `${member} is in the group ${owner} already; it is left out of ${name}`);
  }
  return [...members];
}

interface GroupContext extends CommandContext {
  readonly objects: TrackedObjects;
}

export const resolveSyncGroups = (
  groups: readonly Group[],
  instances: ReadonlyMap<string, InstanceConfig>,
  context: GroupContext,
): SyncGroupConfig[] =>
  groups.map((group) => {
    const { block, name, members, trackingWeight } = group;
    const known = members.flatMap((member) => instances.get(member) ?? []);
    checkOwners(group, known, context);
    return {
      name,
      members,
      trackingWeight,
      ...resolveTracking(group, known, context),
      notify: resolveGroupNotify(block, context),
      smtpAlert: value(block, keywords.smtpAlert) ?? context.defaults.smtpAlert,
    };
  });

/** An owner is master at once, and the others never come to be. */
function checkOwners({ block, name }: Group, members: readonly InstanceConfig[], context: ResolveContext): void {
  const owners = members.filter(({ priority }) => priority === 255);
  if (owners.length === 0 || owners.length === members.length) return;
  const message = `vrrp_sync_group ${name}: ${owners[0]?.name} has priority 255, and others have not`;
  const hint = "give all members priority 255, or none";
  // keepalived notices it when the owner comes first, and says so in the file.
  const noticed = members[0]?.priority === 255 && members[0].initialState === "master";
  (noticed ? adjust : advise)(context, block.place, "mixed-owners", message, hint);
}

function resolveTracking(
  { block, name }: Group,
  members: readonly InstanceConfig[],
  context: GroupContext,
): TrackedConfig {
  const { objects, defaults } = context;
  const what = `vrrp_sync_group ${name}`;
  const tracking: TrackingContext = { ...context, dynamicInterfaces: defaults.dynamicInterfaces, what };
  const owner = members.find(({ priority }) => priority === 255);
  const withoutWeight = (refs: readonly TrackRef[], keyword: ValueBlock): readonly TrackRef[] => {
    if (owner === undefined) return refs;
    const places = placesOfNames(entries(block, keyword));
    return refs.map((ref) => unweighted(ref, places.get(ref.name) ?? block.place, owner, context));
  };
  const tracked = (keyword: ValueBlock, kind: Parameters<typeof resolveTracked>[1], known: TrackedObjects["files"]) =>
    withoutWeight(resolveTracked(entries(block, keyword), kind, known, tracking), keyword);
  const interfaces = resolveTrackedInterfaces(entries(block, keywords.trackInterface), undefined, tracking);
  checkTwice(interfaces, block, members, context);
  return {
    trackInterfaces: withoutWeight(interfaces, keywords.trackInterface),
    trackScripts: tracked(keywords.trackScript, trackKinds.script, objects.scripts),
    trackFiles: tracked(keywords.trackFile, trackKinds.file, objects.files),
    trackProcesses: tracked(keywords.trackProcess, trackKinds.process, objects.processes),
    trackBfds: tracked(keywords.trackBfd, trackKinds.bfd, objects.bfds),
  };
}

function unweighted(ref: TrackRef, place: Place, owner: InstanceConfig, context: ResolveContext): TrackRef {
  if (ref.weight === 0) return ref;
  const message = `the priority of ${owner.name} is 255 and never changes: the weight of ${ref.name} has no effect`;
  adjust(context, place, "owner-weight", message, { used: `${ref.name} weight 0` });
  return { ...ref, weight: 0 };
}

/** The group's weight takes the place of the member's. */
function checkTwice(
  interfaces: readonly TrackRef[],
  block: Block,
  members: readonly InstanceConfig[],
  context: ResolveContext,
): void {
  const trackers = new Map<string, string>();
  for (const { name, interface: own, trackPrimary, trackInterfaces } of members) {
    if (trackPrimary) trackers.set(own, name);
    for (const ref of trackInterfaces) trackers.set(ref.name, name);
  }
  const places = placesOfNames(entries(block, keywords.trackInterface));
  for (const { name } of interfaces) {
    const member = trackers.get(name);
    if (member === undefined) continue;
    const message = `${name} is tracked by ${member} already`;
    adjust(context, places.get(name) ?? block.place, "tracked-twice", message, "remove it in one of them");
  }
}

// `vrrp_sync_group` → SyncGroupConfig: members that exist, each in one group only.
import type { InstanceConfig, SyncGroupConfig } from "../config.ts";
import { vrrpSyncGroup } from "../keywords/vrrp-others.ts";
import { type Block, blocksOf, entries } from "../syntax/tree.ts";
import { adjust, type ResolveContext, reject } from "./context.ts";

export function resolveSyncGroups(
  root: Block,
  instances: readonly InstanceConfig[],
  context: ResolveContext,
): SyncGroupConfig[] {
  const taken = new Map<string, string>();
  const groups: SyncGroupConfig[] = [];
  for (const block of blocksOf(root, vrrpSyncGroup)) {
    const name = block.header;
    const members: string[] = [];
    for (const entry of entries(block, vrrpSyncGroup.keywords.group)) {
      for (const word of entry.words) {
        const owner = taken.get(word.text);
        if (!instances.some((instance) => instance.name === word.text)) {
          reject(
            context,
            entry.at(word),
            "member-unknown",
            `there is no vrrp_instance ${word.text}; it is left out of ${name}`,
          );
        } else if (owner !== undefined) {
          reject(
            context,
            entry.at(word),
            "member-taken",
            `${word.text} is in the group ${owner} already; it is left out of ${name}`,
          );
        } else {
          taken.set(word.text, name);
          members.push(word.text);
        }
      }
    }
    if (members.length === 0)
      reject(context, block.place, "empty-group", `vrrp_sync_group ${name} has no members and is left out`);
    else groups.push({ name, members });
    if (members.length === 1)
      adjust(
        context,
        block.place,
        "lonely-group",
        `vrrp_sync_group ${name} has one member only`,
        "a group of one changes nothing",
      );
  }
  return groups;
}

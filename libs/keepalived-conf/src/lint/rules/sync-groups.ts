// Sync groups: instances that move together.
import { vrrpSyncGroup } from "../../keywords/vrrp-sync-group.ts";
import { block, file, instance } from "../example.ts";
import { byInstance, nameOf } from "../pairs.ts";
import { healthyPriority } from "../priorities.ts";
import type { Finding, LintedFile, LintRule } from "../rule.ts";

const group = (inner: number, outer: number): string =>
  file(
    instance("inner", 51, "192.0.2.10/24", `priority ${inner}`),
    instance("outer", 52, "198.51.100.10/24", `priority ${outer}`),
    block("vrrp_sync_group G1", block("group", "inner", "outer")),
  );

const groupTornApart: LintRule = {
  name: "group-torn-apart",
  title: "Members of a sync group prefer different routers",
  severity: "warning",
  why:
    "All members of a group are master on the same router. Where one member has the higher priority here and another " +
    "there, each router keeps the other from becoming master, or takes the group away from it again and again. Give all " +
    "members of a router the same priority, higher or lower than that of the other router.",
  bad: { text: group(110, 90), peer: group(100, 100) },
  good: { text: group(110, 110), peer: group(100, 100) },
  by: "lint",
  check: findTornGroups,
};

function findTornGroups({ config, pairs, peers, places }: LintedFile): Finding[] {
  const byName = new Map(config.instances.map((each) => [each.name, each]));
  const others = byInstance(pairs);
  return config.syncGroups.flatMap((each) =>
    peers.flatMap((peer) => {
      const rivals = each.members.flatMap((name) => {
        const own = byName.get(name);
        const pair = own && others.get(own)?.find((candidate) => candidate.peer === peer);
        return pair === undefined
          ? []
          : [{ pair, lead: healthyPriority(pair.ownCandidate) - healthyPriority(pair.otherCandidate) }];
      });
      const ahead = rivals.find(({ lead }) => lead > 0);
      const behind = rivals.find(({ lead }) => lead < 0);
      if (ahead === undefined || behind === undefined) return [];
      const message =
        `of ${each.name}, ${ahead.pair.own.name} is to be master here, but ${behind.pair.own.name} not: ` +
        `${nameOf(behind.pair)} has the higher priority`;
      const hint = "give all members of a router the same priority";
      return [{ place: places.syncGroup(each, vrrpSyncGroup.keywords.group), message, hint }];
    }),
  );
}

export const syncGroupRules: readonly LintRule[] = [groupTornApart];

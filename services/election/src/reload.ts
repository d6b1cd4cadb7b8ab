// A reload as a diff of who decides with whom (SAFETY S18). A unit whose members are the same stays; an instance whose
// sync group is another one, or has other members, goes on in its new unit as it is; what the configuration has no more
// leaves. Pure: the shell carries the plan out.
import type { InstanceConfig } from "@baton/keepalived-conf";
import { virtualRouterOf } from "@baton/keepalived-conf";
import { leaseOf, type UnitConfig } from "./config.ts";
import type { Member, Party } from "./roster.ts";

export interface ReloadPlan {
  /** The same members, maybe otherwise configured. */
  readonly stays: readonly { readonly party: Party; readonly config: UnitConfig }[];
  /** Identities of units that leave as they are. */
  readonly retires: readonly string[];
  /** Identities of units whose members go on, or leave, apart. */
  readonly dissolves: readonly string[];
  /** `veterans`: those of its members that come from dissolved units. */
  readonly adds: readonly { readonly config: UnitConfig; readonly veterans: readonly Member[] }[];
  /** Members of dissolved units that the configuration has no more: each leaves alone. */
  readonly left: readonly Member[];
}

export function planReload(present: ReadonlyMap<string, Party>, wanted: ReadonlyMap<string, UnitConfig>): ReloadPlan {
  const stays = [...wanted].flatMap(([identity, config]) => {
    const party = present.get(identity);
    return party === undefined ? [] : [{ party, config }];
  });
  const gone = [...present].filter(([identity]) => !wanted.has(identity));
  const members = gone.flatMap(([, party]) => (party.started ? party.members : []));
  const known = new Map(members.map((member) => [routerOf(member.instance), member]));
  const adds = [...wanted]
    .filter(([identity]) => !present.has(identity))
    .map(([, config]) => ({
      config,
      veterans: config.members.flatMap((instance) => known.get(routerOf(instance)) ?? []),
    }));
  const goesOn = new Set(adds.flatMap(({ veterans }) => veterans));
  const taken = new Set(adds.flatMap(({ config, veterans }) => (veterans.length > 0 ? [leaseOf(config)] : [])));
  // One whose lease is another's from now on cannot leave under it.
  const isDissolved = ({ started, unit, members: own }: Party): boolean =>
    started && (own.some((member) => goesOn.has(member)) || taken.has(unit.lease));
  const dissolved = gone.filter(([, party]) => isDissolved(party));
  return {
    stays,
    retires: gone.filter(([, party]) => !isDissolved(party)).map(([identity]) => identity),
    dissolves: dissolved.map(([identity]) => identity),
    adds,
    left: dissolved.flatMap(([, party]) => party.members.filter((member) => !goesOn.has(member))),
  };
}

/** The same virtual router under the same name: leases and events go by it. */
const routerOf = (instance: InstanceConfig): string => `${instance.name} ${virtualRouterOf(instance)}`;

// What a sync group is as a whole, from the states of its members: as Watch shows it, and as its event tells it.
import type { SyncGroupState } from "@baton/contracts";
import type { CauseRef, Instant } from "@baton/domain";
import { type ElectionState, faultCauses } from "@baton/vrrp";

export type GroupKind = "master" | "backup" | "fault" | "stopped";

/** undefined while its members are on their way: the end of it will tell. */
export function groupKind(members: ReadonlyMap<string, ElectionState>): GroupKind | undefined {
  const kinds = [...members.values()].map(({ kind }) => kind);
  // One fault is everybody's (behaviour section 7).
  if (kinds.includes("fault")) return "fault";
  const [first] = kinds;
  const isWhole = first === "master" || first === "backup" || first === "stopped";
  return isWhole && kinds.every((kind) => kind === first) ? first : undefined;
}

export function toGroupState(
  name: string,
  members: ReadonlyMap<string, ElectionState>,
  kind: GroupKind | undefined,
  since: Instant,
  lastEvent: CauseRef | undefined,
): SyncGroupState {
  const [member, state] = instigator(members) ?? ["", undefined];
  return {
    name,
    state: kind ?? "initialize",
    term: Math.max(...[...members.values()].map(({ highestTerm }) => highestTerm)),
    members: [...members.keys()],
    member,
    reason: state === undefined ? "" : kind === "fault" ? faultCauses(state).join(", ") : state.reason,
    since,
    lastEventId: lastEvent?.id ?? "",
    correlationId: lastEvent?.correlationId ?? "",
    traceparent: lastEvent?.traceparent ?? "",
  };
}

/** The member that the others followed: whose reason is not the group. */
function instigator(members: ReadonlyMap<string, ElectionState>): [string, ElectionState] | undefined {
  const all = [...members];
  const follows = ({ reason, groupFault }: ElectionState): boolean =>
    reason.startsWith("sync-group") || groupFault !== undefined;
  return all.find(([, state]) => !follows(state)) ?? all[0];
}

// The machine's state as Watch shows it.
import type { InstanceState } from "@baton/contracts";
import type { CauseRef, Instant } from "@baton/domain";
import { type ElectionState, faultCauses } from "@baton/vrrp";

export function toInstanceState(state: ElectionState, since: Instant, lastEvent: CauseRef | undefined): InstanceState {
  const master = state.kind === "backup" ? state.master : undefined;
  return {
    name: state.config.name,
    state: state.kind,
    vrid: state.config.vrid,
    interface: state.config.interface,
    basePriority: state.config.priority,
    effectivePriority: state.effectivePriority,
    term: "term" in state ? state.term : state.highestTerm,
    master: master?.address ?? "",
    masterPriority: master?.priority ?? 0,
    masterAdvertMicros: state.kind === "backup" && master !== undefined ? state.masterAdvertInterval : 0,
    since,
    reason: state.reason,
    addresses: [...state.config.addresses],
    faultCauses: [...faultCauses(state)],
    primaryAddress: state.primaryAddress ?? "",
    lastEventId: lastEvent?.id ?? "",
    correlationId: lastEvent?.correlationId ?? "",
    traceparent: lastEvent?.traceparent ?? "",
    leaseConfirmed: state.kind === "master" && state.confirmed,
    degraded: state.degraded,
    preemptHeldUntil: state.preemptHeldUntil ?? 0,
    staleTrackers: [...state.staleTrackers],
  };
}

// The two states that change with every advert and every answer are made by one literal each, and nowhere else. A spread
// gives an object a shape of the place that wrote it, and to copy what may have any of forty shapes takes the engine
// microseconds; a literal takes a tenth of one. What happens seldom is spread like everything else.
import type { CommonState, ElectionState, StateOf } from "./types.ts";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };
/** What a state has besides that which every state carries. */
type Own<Kind extends ElectionState["kind"]> = Omit<StateOf<Kind>, keyof CommonState | "kind">;

export function masterOf(from: CommonState, own: Own<"master">): Writable<StateOf<"master">> {
  return {
    config: from.config,
    effectivePriority: from.effectivePriority,
    trackers: from.trackers,
    interfaceUp: from.interfaceUp,
    primaryAddress: from.primaryAddress,
    dataplaneConnected: from.dataplaneConnected,
    dataplaneFaultAt: from.dataplaneFaultAt,
    highestTerm: from.highestTerm,
    holds: from.holds,
    groupFault: from.groupFault,
    story: from.story,
    recordedPriority: from.recordedPriority,
    addressFailures: from.addressFailures,
    soleAt: from.soleAt,
    degraded: from.degraded,
    moves: from.moves,
    preemptHeldUntil: from.preemptHeldUntil,
    staleTrackers: from.staleTrackers,
    ownerYields: from.ownerYields,
    reason: from.reason,
    kind: "master",
    term: own.term,
    since: own.since,
    advertDueAt: own.advertDueAt,
    leaseUntil: own.leaseUntil,
    askedUntil: own.askedUntil,
    confirmed: own.confirmed,
    lastAdvertAt: own.lastAdvertAt,
    peerHeardAt: own.peerHeardAt,
    announce: own.announce,
    announcedUntil: own.announcedUntil,
    announceDueAt: own.announceDueAt,
    rivalToldAt: own.rivalToldAt,
    rival: own.rival,
  };
}

export function backupOf(from: CommonState, own: Own<"backup">): Writable<StateOf<"backup">> {
  return {
    config: from.config,
    effectivePriority: from.effectivePriority,
    trackers: from.trackers,
    interfaceUp: from.interfaceUp,
    primaryAddress: from.primaryAddress,
    dataplaneConnected: from.dataplaneConnected,
    dataplaneFaultAt: from.dataplaneFaultAt,
    highestTerm: from.highestTerm,
    holds: from.holds,
    groupFault: from.groupFault,
    story: from.story,
    recordedPriority: from.recordedPriority,
    addressFailures: from.addressFailures,
    soleAt: from.soleAt,
    degraded: from.degraded,
    moves: from.moves,
    preemptHeldUntil: from.preemptHeldUntil,
    staleTrackers: from.staleTrackers,
    ownerYields: from.ownerYields,
    reason: from.reason,
    kind: "backup",
    masterDownAt: own.masterDownAt,
    masterAdvertInterval: own.masterAdvertInterval,
    master: own.master,
    preemptAt: own.preemptAt,
    grantedLateness: own.grantedLateness,
    yielding: own.yielding,
    question: own.question,
  };
}

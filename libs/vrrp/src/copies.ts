// Copies of the two states that change with every advert and every answer, each made by one literal. A spread gives an
// object a shape of the place that wrote it, and to copy what may have any of forty shapes takes the engine microseconds;
// a literal takes a tenth of one. What happens seldom is spread like everything else.
import type { StateOf } from "./types.ts";

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

export function copyMaster(from: StateOf<"master">): Writable<StateOf<"master">> {
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
    term: from.term,
    since: from.since,
    advertDueAt: from.advertDueAt,
    leaseUntil: from.leaseUntil,
    askedUntil: from.askedUntil,
    confirmed: from.confirmed,
    lastAdvertAt: from.lastAdvertAt,
    peerHeardAt: from.peerHeardAt,
    announce: from.announce,
    announcedAt: from.announcedAt,
    announceDueAt: from.announceDueAt,
    rival: from.rival,
  };
}

export function copyBackup(from: StateOf<"backup">): Writable<StateOf<"backup">> {
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
    masterDownAt: from.masterDownAt,
    masterAdvertInterval: from.masterAdvertInterval,
    master: from.master,
    preemptAt: from.preemptAt,
    grantedLateness: from.grantedLateness,
    yielding: from.yielding,
    question: from.question,
  };
}

// The moves between states, each with its effects in order. The order is the contract:
// - taking over: advert, claim, event. The advert goes first because it makes the old master let go (RFC 9568 section
//   6.4.2, SAFETY S7); the claim allows the addresses, the event starts the work (SAFETY S1).
// - letting go: the last advert (0: "I leave"), claim, event.
import {
  addMicros,
  assert,
  type CauseRef,
  type Instant,
  type Micros,
  type Priority,
  type Term,
  term,
} from "@baton/domain";
import { backupOf, masterOf } from "./copies.ts";
import { faultCauses } from "./priority.ts";
import {
  farewellWait,
  firstOnGrid,
  listeningInterval,
  masterDownInterval,
  releaseLimit,
  successorWait,
  unconfirmedLimit,
} from "./timers.ts";
import type {
  ClaimState,
  CommonState,
  Effect,
  ElectionConfig,
  ElectionState,
  KnownMaster,
  ResumeRecord,
  StateOf,
  Step,
  Yielding,
} from "./types.ts";

export const unchanged = (state: ElectionState): Step => ({ state, effects: [] });

export const count = (counter: Extract<Effect, { type: "count" }>["counter"]): Effect => ({ type: "count", counter });

export const advert = (priority: number): Effect => ({ type: "send-advertisement", priority });

/** What our adverts say: of a master that serves only part of it, the lowest, so that whoever can do better does. */
export const spokenPriority = (state: CommonState): number => (state.degraded ? 1 : state.effectivePriority);

export function claim(
  of: Term,
  state: ClaimState,
  details: { announce?: number; announceReason?: string; successorHeard?: boolean } = {},
): Effect {
  const { announce = 0, announceReason = "", successorHeard = false } = details;
  return { type: "claim", term: of, state, announce, announceReason, successorHeard };
}

/** Only what every state carries: nothing of the state that is left survives by accident. */
export function common(state: CommonState): CommonState {
  return {
    config: state.config,
    effectivePriority: state.effectivePriority,
    trackers: state.trackers,
    interfaceUp: state.interfaceUp,
    primaryAddress: state.primaryAddress,
    dataplaneConnected: state.dataplaneConnected,
    dataplaneFaultAt: state.dataplaneFaultAt,
    highestTerm: state.highestTerm,
    holds: state.holds,
    groupFault: state.groupFault,
    story: state.story,
    recordedPriority: state.recordedPriority,
    addressFailures: state.addressFailures,
    soleAt: state.soleAt,
    degraded: state.degraded,
    moves: state.moves,
    preemptHeldUntil: state.preemptHeldUntil,
    staleTrackers: state.staleTrackers,
    ownerYields: state.ownerYields,
    reason: state.reason,
  };
}

export const subject = ({ name, vrid, interface: device }: ElectionConfig) => ({
  instance: name,
  vrid,
  interface: device,
});

export interface PriorityReason {
  readonly tracker: string;
  readonly reason: string;
  readonly cause: CauseRef | undefined;
}

export function priorityChanged(config: ElectionConfig, from: Priority, to: Priority, why: PriorityReason): Effect {
  const { tracker, reason, cause } = why;
  const data = { instance: config.name, vrid: config.vrid, from, to, base: config.priority, tracker, reason };
  return { type: "append-event", event: { type: "priority-changed", data }, cause };
}

export const nextTerm = (state: CommonState, known: Term = state.highestTerm): Term =>
  term(Math.max(state.highestTerm, known) + 1);

export interface MasterEntry {
  readonly reason: string;
  readonly cause?: CauseRef | undefined;
  readonly peerHeardAt?: Instant | undefined;
}

/** A takeover, or a resume under a live lease: always a new term (SAFETY S4). */
export function enterMaster(from: CommonState, entry: MasterEntry, now: Instant): Step {
  const claimed = nextTerm(from);
  const state = masterOf(from, {
    term: claimed,
    since: now,
    advertDueAt: firstOnGrid(from.config.advertInterval, now),
    leaseUntil: addMicros(now, unconfirmedLimit),
    askedUntil: undefined,
    confirmed: false,
    lastAdvertAt: now,
    peerHeardAt: entry.peerHeardAt,
    announce: 0,
    announcedUntil: undefined,
    announceDueAt: undefined,
    rivalToldAt: undefined,
    rival: undefined,
  });
  state.highestTerm = claimed;
  state.reason = entry.reason;
  return {
    state,
    effects: [
      advert(spokenPriority(state)),
      claim(claimed, "hold", { announceReason: entry.reason }),
      becameMaster(state, entry.cause),
      count("became-master"),
    ],
  };
}

function becameMaster(state: StateOf<"master">, cause: CauseRef | undefined): Effect {
  const data = {
    ...subject(state.config),
    term: state.term,
    priority: state.effectivePriority,
    reason: state.reason,
    addresses: [...state.config.addresses],
  };
  return { type: "append-event", event: { type: "became-master", data }, cause };
}

/** Its lease is another one (SAFETY S4): a new term over addresses that do not move. A listener has told nobody that it is master. */
export function goOnRegrouped(from: StateOf<"master"> | StateOf<"listening">, of: Term): Step {
  if (of === from.term) return unchanged(from);
  const { announce } = from;
  if (from.kind === "listening") {
    return { state: { ...from, term: of, confirmed: false }, effects: [claim(of, "silent", { announce })] };
  }
  const state: StateOf<"master"> = { ...from, term: of, confirmed: false, reason: "regrouped" };
  return { state, effects: [claim(of, "hold", { announce }), becameMaster(state, undefined)] };
}

/** The listener heard nobody: it speaks again, under the term it kept, and announces (SAFETY S5, S11). */
export function endListening(from: StateOf<"listening">, now: Instant): Step {
  const reason = from.origin === "resumed" ? "resumed" : "late";
  const announce = from.announce + 1;
  const state = masterOf(from, {
    term: from.term,
    since: from.since,
    advertDueAt: firstOnGrid(from.config.advertInterval, now),
    leaseUntil: from.leaseUntil,
    askedUntil: undefined,
    confirmed: from.confirmed,
    lastAdvertAt: now,
    peerHeardAt: from.peerHeardAt,
    announce,
    announcedUntil: undefined,
    announceDueAt: undefined,
    rivalToldAt: undefined,
    rival: undefined,
  });
  state.reason = reason;
  const effects = [advert(spokenPriority(state)), claim(state.term, "hold", { announce, announceReason: reason })];
  // After a mere stall nobody was told that mastership had gone, so nobody is told that it is back.
  if (from.origin === "late") return { state, effects };
  return { state, effects: [...effects, becameMaster(state, undefined), count("became-master")] };
}

/** A crashed election is back too late to be sure: addresses kept, ARP silent, ears open (SAFETY S5). */
export function resumeListening(from: CommonState, resume: ResumeRecord, now: Instant): Step {
  const claimed = nextTerm(from);
  const state: StateOf<"listening"> = {
    ...common(from),
    kind: "listening",
    highestTerm: claimed,
    reason: "resumed",
    term: claimed,
    since: now,
    until: addMicros(now, listeningInterval(from.config, from.effectivePriority)),
    leaseUntil: addMicros(now, unconfirmedLimit),
    confirmed: false,
    lastAdvertAt: resume.lastAdvertAt,
    peerHeardAt: resume.peerHeardAt === 0 ? undefined : resume.peerHeardAt,
    announce: 0,
    origin: "resumed",
  };
  return { state, effects: [claim(claimed, "silent")] };
}

/** A master that was not scheduled for so long that it may have a successor (SAFETY S11). */
export function listenAfterStall(from: StateOf<"master">, now: Instant): Step {
  const state: StateOf<"listening"> = {
    ...common(from),
    kind: "listening",
    reason: "late",
    term: from.term,
    since: from.since,
    until: addMicros(now, listeningInterval(from.config, from.effectivePriority)),
    leaseUntil: from.leaseUntil,
    confirmed: false,
    lastAdvertAt: from.lastAdvertAt,
    peerHeardAt: from.peerHeardAt,
    announce: from.announce,
    origin: "late",
  };
  return { state, effects: [claim(from.term, "silent", { announce: from.announce }), count("late-master")] };
}

export interface BackupEntry {
  readonly reason: string;
  readonly cause?: CauseRef | undefined;
  /** Who is master now, as far as we heard; v3 adopts its interval. */
  readonly master?: KnownMaster | undefined;
  readonly masterAdvertInterval?: Micros | undefined;
  /** How long to wait for a master; the master-down interval when absent. */
  readonly wait?: Micros | undefined;
  readonly yielding?: Yielding | undefined;
}

/** What comes before (a last advert, letting go) is the caller's; this appends the event and starts the timer. */
export function enterBackup(from: CommonState, entry: BackupEntry, now: Instant): Step {
  const { config } = from;
  const masterAdvertInterval =
    config.version === 3 ? (entry.masterAdvertInterval ?? config.advertInterval) : config.advertInterval;
  const state = backupOf(from, {
    masterDownAt: addMicros(now, entry.wait ?? masterDown(from, masterAdvertInterval)),
    masterAdvertInterval,
    master: entry.master,
    preemptAt: undefined,
    grantedLateness: false,
    yielding: entry.yielding,
    question: undefined,
  });
  state.degraded = false;
  state.reason = entry.reason;
  const data = {
    ...subject(config),
    term: from.highestTerm,
    priority: from.effectivePriority,
    reason: entry.reason,
    master: entry.master?.address ?? "",
    masterPriority: entry.master?.priority ?? 0,
  };
  return { state, effects: [{ type: "append-event", event: { type: "became-backup", data }, cause: entry.cause }] };
}

/** The master-down interval as this instance counts it. */
export const masterDown = (state: CommonState, masterAdvertInterval: Micros): Micros =>
  masterDownInterval({
    version: state.config.version,
    priority: state.effectivePriority,
    masterAdvertInterval,
    downTimerAdverts: state.config.downTimerAdverts,
  });

export function enterFault(from: CommonState, cause: CauseRef | undefined): Step {
  const causes = faultCauses(from);
  assert(causes.length > 0, "fault needs a cause");
  const state: StateOf<"fault"> = { ...common(from), kind: "fault", degraded: false, reason: causes[0] ?? "" };
  const data = {
    ...subject(from.config),
    term: from.highestTerm,
    priority: from.effectivePriority,
    causes: [...causes],
  };
  return { state, effects: [{ type: "append-event", event: { type: "entered-fault", data }, cause }] };
}

/**
 * A master lets its addresses go. `tellPeers`: one priority 0 before, so that they need not wait for master-down; it
 * has no use without a source address, and without one nothing may be sent.
 */
export function release(from: StateOf<"master"> | StateOf<"listening">, tellPeers: boolean): readonly Effect[] {
  const goodbye = tellPeers && from.primaryAddress !== undefined ? [advert(0)] : [];
  return [...goodbye, claim(from.term, "release"), count("released-master")];
}

/**
 * A master gives way to a higher one: make before break. Its addresses stay, ARP silent, until the other has announced
 * them, so that nobody waits for the other's dataplane (SAFETY S12).
 */
export function giveWay(
  from: StateOf<"master">,
  now: Instant,
): { yielding: Yielding | undefined; effects: readonly Effect[] } {
  const yielding = {
    term: from.term,
    farewellAt: addMicros(now, farewellWait),
    until: addMicros(now, releaseLimit),
  };
  return { yielding, effects: [claim(from.term, "leaving", { successorHeard: true }), count("released-master")] };
}

/**
 * One advert with our own priority, silent on ARP: a master that was cut off from us announces its addresses when it hears
 * a lower one, and nobody else would make it (SAFETY S12). Nothing when it has been said.
 */
export function farewell({ yielding, primaryAddress, effectivePriority }: StateOf<"backup">): readonly Effect[] {
  const isSaid = yielding?.farewellAt === undefined;
  return isSaid || primaryAddress === undefined ? [] : [advert(effectivePriority)];
}

/** LEAVING: one priority 0, then the addresses answer until the successor's do (SAFETY S6). */
export function enterLeaving(from: StateOf<"master">, reason: string, now: Instant): Step {
  const wait = successorWait(from.config);
  const nextZeroAt = addMicros(now, wait);
  const state: StateOf<"leaving"> = {
    ...common(from),
    kind: "leaving",
    reason,
    term: from.term,
    zeroesSent: 1,
    nextZeroAt,
    releaseAt: addMicros(nextZeroAt, wait),
    successorHeard: false,
  };
  return { state, effects: [advert(0), claim(from.term, "leaving"), count("released-master")] };
}

export function stop(from: CommonState, wasMaster: boolean, reason: string): Step {
  const state: StateOf<"stopped"> = { ...common(from), kind: "stopped", degraded: false, reason };
  const data = { ...subject(from.config), term: from.highestTerm, wasMaster, reason };
  return { state, effects: [{ type: "append-event", event: { type: "instance-stopped", data }, cause: undefined }] };
}

/** `first`, then what the step does. */
export const following = (first: readonly Effect[], { state, effects }: Step): Step => ({
  state,
  effects: [...first, ...effects],
});

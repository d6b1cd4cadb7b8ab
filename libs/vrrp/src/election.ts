// The election of one virtual router: RFC 9568 section 6.4 (whose Active is our master), keepalived's FAULT, and the
// rules of SAFETY for who may speak. Pure: `step` is all of it. Each input is first learned (facts.ts), then the state
// decides; every transition, with its effects in order, is in transitions.ts.
//
//   INITIALIZE ──▶ BACKUP ◀──▶ MASTER ──▶ LEAVING ──▶ STOPPED
//       │ │          │  ▲       │  │ ▲
//       │ │          ▼  │       │  ▼ │        LISTENING: addresses kept, ARP silent, no adverts, ears open
//       │ └───────▶ FAULT ◀─────┘ LISTENING
//       └── resume under a live lease ──▶ MASTER or LISTENING
import {
  addMicros,
  assertNever,
  type CauseRef,
  type Instant,
  instant,
  type Micros,
  type Term,
  term,
} from "@baton/domain";
import { stepBackup, takeoverAt } from "./backup.ts";
import { masterOf } from "./copies.ts";
import {
  canServe,
  failAddresses,
  isWhole,
  listenOn,
  restOfListening,
  restored,
  serveAlone,
  unconfirmed,
} from "./degraded.ts";
import { awaitsAnswer, dataplaneSilent, learn, silenced } from "./facts.ts";
import { noteMove } from "./flapping.ts";
import { stepLeaving } from "./leaving.ts";
import { giveWayWithGroup, hearAsMaster, loseLease, masterDeadline, reclaim, reconfigureMaster } from "./mastership.ts";
import { addressOwner, awaitsFirstResult, faultCauses, weighPriority } from "./priority.ts";
import { resumeMastership } from "./resume.ts";
import { leaseLength, listeningInterval } from "./timers.ts";
import {
  claim,
  count,
  endListening,
  enterBackup,
  enterFault,
  enterLeaving,
  enterMaster,
  following,
  goOnRegrouped,
  release,
  stop,
  unchanged,
} from "./transitions.ts";
import type { ElectionConfig, ElectionState, Input, StateOf, Step } from "./types.ts";

type Heard = Extract<Input, { type: "advertisement-received" }>;

/** Nothing is known and nothing happens until `startup`; tracker results may come before it. */
export function initialState(config: ElectionConfig): ElectionState {
  return {
    kind: "initialize",
    started: false,
    config,
    effectivePriority: weighPriority(config, new Map()),
    trackers: new Map(),
    interfaceUp: false,
    primaryAddress: undefined,
    dataplaneConnected: false,
    dataplaneFaultAt: undefined,
    highestTerm: term(0),
    holds: new Map(),
    groupFault: undefined,
    story: [],
    recordedPriority: undefined,
    addressFailures: 0,
    soleAt: undefined,
    degraded: false,
    moves: [],
    preemptHeldUntil: undefined,
    staleTrackers: new Set(),
    ownerYields: false,
    reason: "startup",
  };
}

/** When the shell is to feed `deadline-reached`; earlier ones change nothing, late ones are judged by their lateness. */
export function nextDeadline(state: ElectionState): Instant | undefined {
  switch (state.kind) {
    case "initialize":
    case "stopped":
      return undefined;
    case "backup":
      return earliest(takeoverAt(state), state.yielding?.farewellAt, state.yielding?.until);
    case "master":
      return state.askedUntil ?? earliest(state.advertDueAt, state.leaseUntil, state.announceDueAt);
    case "listening":
      return state.until;
    case "leaving":
      return earliest(state.nextZeroAt, state.releaseAt);
    case "fault":
      return earliest(state.dataplaneFaultAt, canServe(state) ? state.soleAt : undefined, ...state.holds.values());
    default:
      return assertNever(state);
  }
}

function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  return instants.reduce((first, each) => (first === undefined || (each !== undefined && each < first) ? each : first));
}

export function step(before: ElectionState, input: Input, now: Instant): Step {
  if (before.kind === "stopped") return unchanged(before);
  if (input.type === "deadline-reached") {
    const deadline = nextDeadline(before);
    if (deadline === undefined || now < deadline) return unchanged(before);
  }
  // A leaver keeps the configuration and the priority that it left with (SAFETY S6, S18).
  if (before.kind === "leaving") return stepLeaving(before, input, now);
  const learned = learn(before, input, now);
  const decided = decide(learned.state, input, now, before.config);
  const moved = noteMove(before, decided.state, now);
  return { state: moved.state, effects: [...learned.effects, ...decided.effects, ...moved.effects] };
}

function decide(state: ElectionState, input: Input, now: Instant, configBefore: ElectionConfig): Step {
  switch (state.kind) {
    case "initialize":
      return stepInitialize(state, input, now);
    case "backup":
      return stepBackup(state, input, now);
    case "master":
      return stepMaster(state, input, now, configBefore);
    case "listening":
      return stepListening(state, input, now);
    case "fault":
      return stepFault(state, input, now);
    case "leaving":
    case "stopped":
      return unchanged(state);
    default:
      return assertNever(state);
  }
}

function stepInitialize(state: StateOf<"initialize">, input: Input, now: Instant): Step {
  switch (input.type) {
    case "startup":
      return state.started ? unchanged(state) : start(state, input, now);
    case "tracker-changed":
      return state.started ? begin(state, input.cause, now) : unchanged(state);
    case "interface-changed":
    case "primary-address-changed":
    case "dataplane-connected":
    case "configure":
      return state.started ? begin(state, undefined, now) : unchanged(state);
    case "group-fault":
      return state.started ? begin(state, input.cause, now) : unchanged(state);
    case "shutdown":
      return stop(state, false, input.reason);
    case "regrouped":
    case "group-takes-over":
    case "group-waits":
    case "group-gives-way":
    case "stalled":
    case "mastership-denied":
    case "witness-answered":
    case "advertisement-received":
    case "deadline-reached":
    case "lease-confirmed":
    case "lease-applying":
    case "addresses-failed":
    case "lease-lost":
    case "tracker-stale":
    case "dataplane-disconnected":
    case "addresses-released":
      return unchanged(state);
    default:
      return assertNever(input);
  }
}

function start(state: StateOf<"initialize">, input: Extract<Input, { type: "startup" }>, now: Instant): Step {
  const connected = input.dataplaneConnected;
  const started: StateOf<"initialize"> = {
    ...state,
    started: true,
    interfaceUp: input.interfaceUp,
    primaryAddress: input.primaryAddress,
    dataplaneConnected: connected,
    dataplaneFaultAt: undefined,
    highestTerm: term(Math.max(input.highestTerm, state.highestTerm)),
    holds: connected ? state.holds : new Map([[dataplaneSilent, undefined]]),
  };
  // Without a live lease replay makes no master: an election without one starts like any other (SAFETY S5).
  if (!connected || input.resume === undefined || input.resume.expiresAt <= now) return begin(started, undefined, now);
  return resumeMastership(started, input.resume, input.recentResumes, now);
}

/** Out of INITIALIZE as soon as it is known where to. `state MASTER` listens like everybody else (SAFETY S5). */
function begin(state: StateOf<"initialize">, cause: CauseRef | undefined, now: Instant): Step {
  if (faultCauses(state).length > 0) return enterFault(state, cause);
  if (awaitsFirstResult(state)) return unchanged(state);
  const { config } = state;
  if (config.priority !== addressOwner) return enterBackup(state, { reason: "startup", cause }, now);
  // The whole group or nobody: the others are asked first.
  if (config.syncGroup !== undefined)
    return enterBackup(state, { reason: "startup", cause, wait: ownersWait(config) }, now);
  return enterMaster(state, { reason: "owner-start", cause }, now);
}

function stepMaster(state: StateOf<"master">, input: Input, now: Instant, configBefore: ElectionConfig): Step {
  switch (input.type) {
    case "advertisement-received":
      return hearAsMaster(state, input, now);
    case "deadline-reached":
      return masterDeadline(state, input.lateness, now);
    case "lease-confirmed":
    case "lease-applying":
      return keepLease(state, input, now);
    case "addresses-failed":
      return input.term === state.term ? failAddresses(state, input, now) : unchanged(state);
    case "lease-lost":
      return input.term === state.term ? loseLease(state, input, now) : unchanged(state);
    case "tracker-changed":
      return faultOrStay(state, input.cause);
    case "interface-changed":
    case "primary-address-changed":
      return faultOrStay(state, undefined);
    case "configure":
      return faultCauses(state).length > 0
        ? faultOrStay(state, undefined)
        : reconfigureMaster(state, configBefore, now);
    case "dataplane-connected":
      return reclaim(state, "hold");
    case "group-fault":
      return faultOrStay(state, input.cause);
    case "group-gives-way":
      return giveWayWithGroup(state, input, now);
    case "regrouped":
      return goOnRegrouped(state, input.term);
    case "shutdown":
      return enterLeaving(state, input.reason, now);
    case "group-takes-over":
    case "group-waits":
    case "stalled": // its own deadlines tell how late it is
    case "mastership-denied": // what others say of others
    case "witness-answered":
    case "tracker-stale": // it keeps what it has (SAFETY S15)
    case "startup":
    case "dataplane-disconnected": // its lease runs on (SAFETY S3)
    case "addresses-released":
      return unchanged(state);
    default:
      return assertNever(input);
  }
}

/** Into FAULT; a master tells its peers first, a listener has no voice. */
function faultOrStay(state: StateOf<"master"> | StateOf<"listening">, cause: CauseRef | undefined): Step {
  if (faultCauses(state).length === 0) return unchanged(state);
  const fault = enterFault(state, cause);
  return { state: fault.state, effects: [...release(state, state.kind === "master"), ...fault.effects] };
}

/** An answer of dataplane to this term: the lease counts from when the question was sent (SAFETY S3). */
function keepLease(
  state: StateOf<"master"> | StateOf<"listening">,
  input: Extract<Input, { type: "lease-confirmed" | "lease-applying" }>,
  now: Instant,
): Step {
  if (input.term !== state.term) return unchanged(state);
  const until = addMicros(input.sentAt, leaseLength(state.config));
  const leaseUntil = instant(Math.max(until, state.leaseUntil));
  const { state: whole, effects } = input.type === "lease-confirmed" ? restored(state) : unconfirmed(state);
  if (whole.kind === "listening") return { state: { ...whole, leaseUntil }, effects };
  const kept = masterOf(whole, whole);
  kept.leaseUntil = leaseUntil;
  if (now < leaseUntil) kept.askedUntil = undefined;
  return { state: kept, effects };
}

/** Whether a confirmation of this term moves nothing but the end of the lease: the shell may take it in later, with the next. */
export const movesLeaseOnly = (state: ElectionState, of: Term): boolean =>
  state.kind === "master" &&
  state.term === of &&
  state.askedUntil === undefined &&
  !awaitsAnswer(state) &&
  isWhole(state);

function stepListening(state: StateOf<"listening">, input: Input, now: Instant): Step {
  switch (input.type) {
    case "advertisement-received":
      return hearAsListener(state, input, now);
    case "deadline-reached":
      return listeningDeadline(state, input.lateness, now);
    case "lease-confirmed":
    case "lease-applying":
      return keepLease(state, input, now);
    case "addresses-failed":
      return input.term === state.term ? failAddresses(state, input, now) : unchanged(state);
    case "lease-lost":
      return input.term === state.term ? loseLease(state, input, now) : unchanged(state);
    case "tracker-changed":
      return faultOrStay(state, input.cause);
    case "interface-changed":
    case "primary-address-changed":
    case "configure":
      return faultOrStay(state, undefined);
    case "dataplane-connected":
      return reclaim(state, "silent");
    case "group-fault":
      return faultOrStay(state, input.cause);
    case "group-gives-way":
      return following(release(state, false), enterBackup(state, { reason: "sync-group", cause: input.cause }, now));
    case "regrouped":
      return goOnRegrouped(state, input.term);
    case "shutdown": {
      // It has no voice, so nobody could take over from it: the addresses go at once.
      const stopped = stop(state, true, input.reason);
      return { state: stopped.state, effects: [...release(state, false), ...stopped.effects] };
    }
    case "startup":
    case "dataplane-disconnected":
    case "addresses-released":
    case "group-takes-over":
    case "group-waits":
    case "tracker-stale":
    case "stalled":
    case "mastership-denied":
    case "witness-answered":
      return unchanged(state);
    default:
      return assertNever(input);
  }
}

function hearAsListener(state: StateOf<"listening">, { advert: heard, source, wireId }: Heard, now: Instant): Step {
  if (heard.priority === 0) return { state, effects: [count("priority-zero-received")] };
  const master = { address: source, priority: heard.priority, heardAt: now, accepted: true, wireId };
  const entry = { reason: "master-heard", master, masterAdvertInterval: heard.advertInterval };
  const backup = enterBackup(state, entry, now);
  return { state: backup.state, effects: [...release(state, false), ...backup.effects] };
}

function listeningDeadline(state: StateOf<"listening">, lateness: Micros, now: Instant): Step {
  const { config } = state;
  if (lateness > config.advertInterval / 2) {
    // Whoever did not run did not listen.
    const until = addMicros(now, listeningInterval(config, state.effectivePriority));
    return { state: { ...state, until }, effects: [count("lateness-granted")] };
  }
  if (now < state.leaseUntil) return endListening(state, now);
  return faultOrStay(silenced(state), undefined);
}

function stepFault(state: StateOf<"fault">, input: Input, now: Instant): Step {
  switch (input.type) {
    case "tracker-changed":
    case "group-fault":
      return recover(state, input.cause, now);
    case "deadline-reached":
      return wakeInFault(faultDeadline(state, now), now);
    case "group-takes-over":
      return canServe(state) ? serveAlone(state, input.cause, now) : unchanged(state);
    case "group-waits":
      return unchanged(canServe(state) ? listenOn(state, now) : state);
    case "interface-changed":
    case "primary-address-changed":
    case "lease-confirmed": // any answer ends `dataplane-silent`
    case "lease-applying":
    case "addresses-failed":
    case "lease-lost":
    case "addresses-released":
    case "dataplane-connected":
    case "configure":
      return recover(state, undefined, now);
    case "shutdown":
      return stop(state, false, input.reason);
    case "startup":
    case "advertisement-received": // no RFC has this state: it answers nobody, and has learned who is there
    case "tracker-stale":
    case "dataplane-disconnected":
    case "group-gives-way":
    case "stalled":
    case "mastership-denied":
    case "witness-answered":
      return unchanged(state);
    case "regrouped":
      // Under the lease from now on: the answer to the old one's release nobody waits for any more.
      return awaitsAnswer(state) ? { state, effects: [claim(input.term, "release")] } : unchanged(state);
    default:
      return assertNever(input);
  }
}

/** Some addresses are better than none, once nobody else was heard for long enough (SAFETY S9). */
function wakeInFault(state: StateOf<"fault">, now: Instant): Step {
  const isAlone = canServe(state) && state.soleAt !== undefined && now >= state.soleAt;
  return isAlone ? serveAlone(state, undefined, now) : recover(state, undefined, now);
}

function faultDeadline(state: StateOf<"fault">, now: Instant): StateOf<"fault"> {
  const holds = new Map([...state.holds].filter(([, until]) => until === undefined || until > now));
  const held = { ...state, holds };
  return state.dataplaneFaultAt !== undefined && state.dataplaneFaultAt <= now ? silenced(held) : held;
}

/** Out of FAULT when its last cause is gone: into BACKUP, an owner with a shorter wait (behaviour section 5). */
function recover(state: StateOf<"fault">, cause: CauseRef | undefined, now: Instant): Step {
  const [reason] = faultCauses(state);
  if (reason !== undefined) return unchanged(reason === state.reason ? state : { ...state, reason });
  if (awaitsFirstResult(state)) return unchanged(state);
  const wait = state.config.priority === addressOwner ? ownersWait(state.config) : restOfListening(state, now);
  return enterBackup(state, { reason: "fault-cleared", cause, wait }, now);
}

/** An owner that is not master at once: one interval and its skew (behaviour section 5). */
const ownersWait = (config: ElectionConfig): Micros => listeningInterval(config, addressOwner);

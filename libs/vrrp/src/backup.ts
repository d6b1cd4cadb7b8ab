// BACKUP: RFC 9568 section 6.4.2, keepalived's pre-emption and its delay, and what a router that has just given way still
// has to let go (SAFETY S12). Its timer does not decide alone (SAFETY S2).
import {
  addMicros,
  assertNever,
  type CauseRef,
  type Instant,
  type IpAddress,
  instant,
  type Micros,
  microsSince,
  type Term,
  term,
} from "@baton/domain";
import { backupOf } from "./copies.ts";
import { silenced } from "./facts.ts";
import { isHeld } from "./flapping.ts";
import { ownAgain } from "./owner-conflict.ts";
import { addressOwner, faultCauses } from "./priority.ts";
import { deniedWait, questionLimit, skewTime } from "./timers.ts";
import {
  claim,
  count,
  enterFault,
  enterMaster,
  farewell,
  following,
  masterDown,
  nextTerm,
  stop,
  unchanged,
} from "./transitions.ts";
import type { Effect, Input, KnownMaster, StateOf, Step } from "./types.ts";

type Heard = Extract<Input, { type: "advertisement-received" }>;

export function stepBackup(state: StateOf<"backup">, input: Input, now: Instant): Step {
  switch (input.type) {
    case "advertisement-received":
      return hearAsBackup(state, input, now);
    case "deadline-reached":
      return backupWakes(state, input.lateness, now);
    case "tracker-changed":
      return faultOr(state, input.cause);
    case "interface-changed":
    case "primary-address-changed":
    case "configure":
      return faultOr(state, undefined);
    case "stalled":
      return input.duration > state.masterAdvertInterval / 2 ? grantLateness(state, now) : unchanged(state);
    case "group-fault":
      return faultOr(state, input.cause);
    case "group-takes-over":
      return takeOverWithGroup(state, input.cause, now);
    case "group-waits":
      return unchanged({ ...state, masterDownAt: addMicros(now, masterDown(state, state.masterAdvertInterval)) });
    case "regrouped":
      // What it was letting go is covered by no lease any more.
      return state.yielding === undefined
        ? unchanged(state)
        : { state: { ...state, yielding: undefined }, effects: farewell(state) };
    case "shutdown":
      return following(abandon(state), stop(state, false, input.reason));
    case "lease-lost":
    case "addresses-released":
      return input.term === state.yielding?.term
        ? { state: { ...state, yielding: undefined }, effects: farewell(state) }
        : unchanged(state);
    case "dataplane-connected":
      return state.yielding === undefined ? unchanged(state) : letGo(state, nextTerm(state, input.highestTerm));
    case "mastership-denied":
      return doubtMaster(state, input.source, now);
    case "witness-answered":
      return believeWitness(state, input.source, now);
    case "startup":
    case "tracker-stale":
    case "addresses-failed":
    case "lease-confirmed": // answers to the claims of an earlier term
    case "lease-applying":
    case "dataplane-disconnected":
    case "group-gives-way":
      return unchanged(state);
    default:
      return assertNever(input);
  }
}

const faultOr = (state: StateOf<"backup">, cause: CauseRef | undefined): Step =>
  faultCauses(state).length > 0 ? following(abandon(state), enterFault(state, cause)) : unchanged(state);

function takeOverWithGroup(state: StateOf<"backup">, cause: CauseRef | undefined, now: Instant): Step {
  const owner = ownAgain(state);
  const entry = { reason: "sync-group", cause, peerHeardAt: state.master?.heardAt };
  return following(owner.effects, enterMaster(owner.state, entry, now));
}

/** The higher master had its time: the addresses go now (SAFETY S6, S12). A dataplane that is new knows only a new term. */
function letGo(state: StateOf<"backup">, of: Term): Step {
  const highestTerm = term(Math.max(of, state.highestTerm));
  const effects = [claim(of, "release"), ...farewell(state)];
  return { state: { ...state, highestTerm, yielding: undefined }, effects };
}

/** What is still let go goes at once, without a word. */
const abandon = ({ yielding }: StateOf<"backup">): readonly Effect[] =>
  yielding === undefined ? [] : [claim(yielding.term, "release")];

/** RFC 9568 section 6.4.2; pre-emption and its delay as keepalived does it (behaviour section 5). */
function hearAsBackup(before: StateOf<"backup">, input: Heard, now: Instant): Step {
  const { advert: heard, source } = input;
  // The other owner has gone, or is none any more.
  const isOwner = heard.priority === addressOwner && (before.master?.address ?? source) === source;
  const { state, effects } = isOwner ? { state: before, effects: [] } : ownAgain(before);
  return following(effects, hearMaster(state, input, now));
}

function hearMaster(state: StateOf<"backup">, { advert: heard, source, wireId }: Heard, now: Instant): Step {
  const { config } = state;
  const by = (accepted: boolean): KnownMaster => ({
    address: source,
    priority: heard.priority,
    heardAt: now,
    accepted,
    wireId,
  });
  if (heard.priority === 0) {
    const { version } = config;
    const skew = skewTime({
      version,
      priority: state.effectivePriority,
      masterAdvertInterval: state.masterAdvertInterval,
    });
    const skewed = addMicros(now, skew);
    // Never later than it was: a stream of zeroes must not postpone the takeover.
    const masterDownAt = instant(Math.min(skewed, state.masterDownAt));
    const next = { ...state, master: by(true), masterDownAt, grantedLateness: false };
    return { state: next, effects: [count("priority-zero-received")] };
  }
  const lower = heard.priority < state.effectivePriority && mayPreempt(state, now);
  // keepalived's preempt_delay: the first lower advert starts it, until it ends lower ones count; an equal or higher ends it.
  const delayed = lower && config.preemptDelay > 0;
  const preemptAt = delayed ? (state.preemptAt ?? addMicros(now, config.preemptDelay)) : undefined;
  if (lower && (preemptAt === undefined || now >= preemptAt)) {
    return { state: { ...state, master: by(false), preemptAt }, effects: [count("lower-priority-received")] };
  }
  const masterAdvertInterval = config.version === 3 ? heard.advertInterval : config.advertInterval;
  const until = addMicros(now, masterDown(state, masterAdvertInterval));
  const next = backupOf(state, state);
  next.master = by(true);
  next.masterAdvertInterval = masterAdvertInterval;
  next.masterDownAt = isAnother(state.master, source) ? instant(Math.max(until, state.masterDownAt)) : until;
  next.preemptAt = preemptAt;
  next.grantedLateness = false;
  return unchanged(next);
}

/**
 * Another than the master speaks, one that gives way for example, and with shorter intervals (v3): the master has the
 * time that its own gave it.
 */
const isAnother = (master: KnownMaster | undefined, source: IpAddress): boolean =>
  master?.accepted === true && master.priority > 0 && master.address !== source;

/** Somebody says that our master is none any more. It is asked itself, at most once in so many seconds (SAFETY S13). */
function doubtMaster(state: StateOf<"backup">, source: IpAddress, now: Instant): Step {
  const { master, question } = state;
  if (master === undefined || !master.accepted || master.priority === 0 || master.address !== source)
    return unchanged(state);
  if (question?.source === source && microsSince(now, question.askedAt) < questionLimit) return unchanged(state);
  return {
    state: { ...state, question: { source, askedAt: now, answered: false } },
    effects: [{ type: "ask-witness", source }],
  };
}

/**
 * It answered in time, and has not spoken as a master since: its next advert is waited for, and our skew, but not a whole
 * master-down. Never later than it was; the next advert that is accepted starts the timer anew (SAFETY S13).
 */
function believeWitness(state: StateOf<"backup">, source: IpAddress, now: Instant): Step {
  const { master, question, masterAdvertInterval } = state;
  if (question?.source !== source || master?.address !== source || !master.accepted) return unchanged(state);
  const isLate = microsSince(now, question.askedAt) > masterAdvertInterval;
  if (isLate || master.heardAt > question.askedAt) return unchanged(state);
  const { version } = state.config;
  const skew = skewTime({ version, priority: state.effectivePriority, masterAdvertInterval });
  const expected = Math.max(now + skew, master.heardAt + deniedWait(masterAdvertInterval));
  if (expected >= state.masterDownAt) return unchanged(state);
  const asked = { ...question, answered: true };
  return {
    state: { ...state, masterDownAt: instant(expected), question: asked },
    effects: [count("witness-believed")],
  };
}

/** Without dataplane nobody can be master here: the takeover waits for it, or for the fault. */
export const takeoverAt = (state: StateOf<"backup">): Instant =>
  state.dataplaneConnected ? state.masterDownAt : (state.dataplaneFaultAt ?? state.masterDownAt);

function backupWakes(state: StateOf<"backup">, lateness: Micros, now: Instant): Step {
  const { yielding } = state;
  if (yielding === undefined) return backupDeadline(state, lateness, now);
  const isOver = now >= yielding.until;
  if (now >= takeoverAt(state)) {
    // The one that it gave way to is silent again: nobody is there to say farewell to.
    const farewellAt = yielding.farewellAt === undefined ? undefined : yielding.until;
    const rest = isOver ? undefined : { ...yielding, farewellAt };
    return following(isOver ? abandon(state) : [], backupDeadline({ ...state, yielding: rest }, lateness, now));
  }
  if (isOver) return letGo(state, yielding.term);
  const spoken = { ...state, yielding: { ...yielding, farewellAt: undefined } };
  return { state: spoken, effects: farewell(state) };
}

function backupDeadline(state: StateOf<"backup">, lateness: Micros, now: Instant): Step {
  if (!state.dataplaneConnected) return enterFault(silenced(state), undefined);
  // The master may have spoken while we were not running: a timer does not decide alone (SAFETY S2).
  if (lateness > state.masterAdvertInterval / 2 && !state.grantedLateness) return grantLateness(state, now);
  const deferred = deferPreemption(state, now);
  if (deferred !== undefined) return deferred;
  const owner = ownAgain(state);
  return following(owner.effects, takeOver(owner.state, now));
}

function takeOver(state: StateOf<"backup">, now: Instant): Step {
  const { master } = state;
  if (master === undefined) return enterMaster(state, { reason: "master-down-expired" }, now);
  const { priority, heardAt: peerHeardAt } = master;
  if (master.accepted) {
    return enterMaster(state, { reason: silenceOf(state, master), peerHeardAt }, now);
  }
  // Pre-emption belongs to the story of the change that put us above that master.
  const cause = state.story.findLast(({ from }) => from <= priority)?.cause;
  return enterMaster(state, { reason: "preempt", cause, peerHeardAt }, now);
}

/** Flapping holds pre-emption back (SAFETY S12), and so does a tracker that nobody confirms (SAFETY S15). */
const mayPreempt = (state: StateOf<"backup">, now: Instant): boolean =>
  state.config.preempt && !isHeld(state, now) && state.staleTrackers.size === 0;

/** What speaks for pre-emption has gone while its time ran: a master that still speaks stays in office. */
function deferPreemption(state: StateOf<"backup">, now: Instant): Step | undefined {
  const { master } = state;
  if (master === undefined || master.accepted || mayPreempt(state, now)) return undefined;
  const masterDownAt = addMicros(master.heardAt, masterDown(state, state.masterAdvertInterval));
  if (masterDownAt <= now) return undefined;
  const next = { ...state, master: { ...master, accepted: true }, masterDownAt };
  return { state: next, effects: [count("preemption-deferred")] };
}

/** Why the master that it followed is none any more. */
function silenceOf({ question }: StateOf<"backup">, master: KnownMaster): string {
  if (master.priority === 0) return "priority-zero-received";
  const denied = question?.answered === true && question.source === master.address;
  return denied && master.heardAt <= question.askedAt ? "witness-answered" : "master-down-expired";
}

/**
 * One more interval to be heard in for a master that spoke while we did not run; once (SAFETY S2). And our skew: it may have
 * spoken just before we woke, and its clock, its timer and the network may each be a little slower than ours.
 */
function grantLateness(state: StateOf<"backup">, now: Instant): Step {
  const { effectivePriority: priority, masterAdvertInterval, config } = state;
  const skew = skewTime({ version: config.version, priority, masterAdvertInterval });
  const until = addMicros(now, masterAdvertInterval + skew);
  if (state.grantedLateness || until <= state.masterDownAt) return unchanged(state);
  return { state: { ...state, masterDownAt: until, grantedLateness: true }, effects: [count("lateness-granted")] };
}

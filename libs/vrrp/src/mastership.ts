// What a master does with adverts, its deadline and its lease. One rule above all (SAFETY S3): no advert above 0
// leaves once the lease has run out, or once we were silent for so long that a peer may have taken over (S11).
import { addMicros, assertNever, type CauseRef, type Instant, instant, type Micros, microsSince } from "@baton/domain";
import { holdOff } from "./degraded.ts";
import { addressFailed, dataplaneSilent, leaseRefused } from "./facts.ts";
import { hearOwner, spokenTo } from "./owner-conflict.ts";
import { rank } from "./priority.ts";
import {
  announceLimit,
  announcementsInRow,
  firstOnGrid,
  heartbeatInterval,
  nextOnGrid,
  resumeLimit,
  silenceLimit,
} from "./timers.ts";
import {
  advert,
  claim,
  count,
  enterBackup,
  enterFault,
  following,
  giveWay,
  listenAfterStall,
  nextTerm,
  release,
  spokenPriority,
  subject,
} from "./transitions.ts";
import type { Effect, ElectionConfig, Input, StateOf, Step } from "./types.ts";

type Master = StateOf<"master">;
type Holder = Master | StateOf<"listening">;
type Heard = Extract<Input, { type: "advertisement-received" }>;

const maySpeak = (state: Master, now: Instant): boolean =>
  now < state.leaseUntil && microsSince(now, state.lastAdvertAt) < silenceLimit(state.config);

/** RFC 9568 section 6.4.3. Whatever is heard from another router, the addresses are announced again (SAFETY S12). */
export function hearAsMaster(before: Master, heard: Heard, now: Instant): Step {
  const state: Master = { ...before, peerHeardAt: now };
  const { advert: theirs, source } = heard;
  if (theirs.priority === 0) {
    const counted = count("priority-zero-received");
    if (!maySpeak(state, now)) return { state, effects: [counted] };
    return speakUp(state, "priority-zero-received", true, [counted], now);
  }
  // Somebody else is master and we are not sure that we still are: never argue without a lease.
  if (!maySpeak(state, now)) return stepDown(state, heard, "lease-lost", now);
  if (state.primaryAddress === undefined) return { state, effects: [] };
  const own = { priority: spokenPriority(state), address: state.primaryAddress };
  const standing = rank({ priority: theirs.priority, address: source }, own);
  switch (standing) {
    case "same":
      return { state, effects: [count("same-priority-and-address")] };
    case "lower": {
      const met = hearOwner(state, theirs, now);
      // It stands above us now: another owner that does not give way.
      if (met.state.effectivePriority < state.effectivePriority)
        return following(met.effects, stepDown(met.state, heard, "owner-conflict", now));
      const counted = count("lower-priority-received");
      const told = tellRival(met.state, heard, now);
      const first = [...met.effects, counted];
      const spoken = speakUp(told.state, "lower-priority-advert", !state.config.lowerPriorityNoAdvert, first, now);
      return { state: spoken.state, effects: [...spoken.effects, ...told.effects] };
    }
    case "higher":
      return stepDown(state, heard, "higher-priority-advert", now);
    default:
      return assertNever(standing);
  }
}

/** Behaviour section 5: MASTER_RX_LOWER_PRI. A rival that does not hear us speaks with each of its intervals. */
function tellRival(state: Master, { advert: theirs, source }: Heard, now: Instant): Step & { readonly state: Master } {
  if (state.rivalToldAt !== undefined && now < addMicros(state.rivalToldAt, announceLimit))
    return { state, effects: [] };
  const data = {
    ...subject(state.config),
    term: state.term,
    priority: state.effectivePriority,
    rival: source,
    rivalPriority: theirs.priority,
  };
  const told: Effect = { type: "append-event", event: { type: "rival-heard", data }, cause: undefined };
  return { state: { ...state, rivalToldAt: now }, effects: [told] };
}

/** Asserts mastership at once: an advert, after which the grid starts again, and the addresses announced. */
function speakUp(state: Master, reason: string, speak: boolean, first: readonly Effect[], now: Instant): Step {
  const spoken = speak ? spokenTo(state, firstOnGrid(interval(state), now), now) : state;
  const announced = announceAgain(spoken, reason, now);
  const adverts = speak ? [advert(spokenPriority(state))] : [];
  return { state: announced.state, effects: [...first, ...adverts, ...announced.effects] };
}

const interval = (state: Master): Micros => state.config.advertInterval;

/** One burst per 5 s, six in a row. One that comes sooner waits, so that the last word to the switches is always ours. */
function announceAgain(state: Master, reason: string, now: Instant): { state: Master; effects: readonly Effect[] } {
  const spentUntil = instant(Math.max(now, state.announcedUntil ?? now));
  const allowedAt = instant(spentUntil - (announcementsInRow - 1) * announceLimit);
  if (now < allowedAt) {
    return { state: { ...state, announceDueAt: allowedAt }, effects: [count("announcement-limited")] };
  }
  const announce = state.announce + 1;
  return {
    state: { ...state, announce, announcedUntil: addMicros(spentUntil, announceLimit), announceDueAt: undefined },
    effects: [claim(state.term, "hold", { announce, announceReason: reason })],
  };
}

/** Gives way to the sender: addresses first, then the event. A priority 0 would only make others hurry. */
function stepDown(state: Master, { advert: theirs, source, wireId }: Heard, reason: string, now: Instant): Step {
  const { config } = state;
  // As a backup it would want the addresses back that it could not serve (SAFETY S9).
  if (state.degraded) return holdOff(state, addressFailed, false, now);
  const isSure = maySpeak(state, now);
  const last = config.higherPrioritySendAdvert && isSure ? [advert(spokenPriority(state))] : [];
  const master = { address: source, priority: theirs.priority, heardAt: now, accepted: true, wireId };
  const cause = declineBelow(state, master);
  const parting = partWays(state, now);
  const { yielding } = parting;
  const entry = { reason, cause, master, masterAdvertInterval: theirs.advertInterval, yielding };
  const backup = enterBackup(state, entry, now);
  return { state: backup.state, effects: [...last, ...parting.effects, ...backup.effects] };
}

/** Make before break (SAFETY S12); without a lease we do not know what our addresses do: they go at once. */
const partWays = (state: Master, now: Instant): ReturnType<typeof giveWay> =>
  maySpeak(state, now) ? giveWay(state, now) : { yielding: undefined, effects: release(state, false) };

/** Another member of the sync group has given way: so does this one, whatever it heard itself. */
export function giveWayWithGroup(
  state: Master,
  { cause, tellPeers }: Extract<Input, { type: "group-gives-way" }>,
  now: Instant,
): Step {
  const goodbye = tellPeers && maySpeak(state, now) && state.primaryAddress !== undefined ? [advert(0)] : [];
  const { yielding, effects } = partWays(state, now);
  const backup = enterBackup(state, { reason: "sync-group", cause, yielding }, now);
  return { state: backup.state, effects: [...goodbye, ...effects, ...backup.effects] };
}

/** The change of our own priority that put the sender above us: the story that this step-down belongs to. */
function declineBelow(state: Master, sender: Parameters<typeof rank>[0]): CauseRef | undefined {
  const address = state.primaryAddress;
  if (address === undefined) return undefined;
  const beats = (priority: number): boolean => rank(sender, { priority, address }) === "higher";
  return state.story.findLast(({ from }) => !beats(from))?.cause;
}

export function masterDeadline(state: Master, lateness: Micros, now: Instant): Step {
  // Asked once, no answer: dataplane is silent, whatever else was late.
  if (state.askedUntil !== undefined) return giveUp(state);
  // A pause of the whole machine stops its clocks too and shows as lateness only (SAFETY S11).
  const silence = Math.max(microsSince(now, state.lastAdvertAt), lateness);
  // The limit is above an interval, and nearly every silence is not: it need not be computed for each advert.
  if (silence > state.config.advertInterval && silence >= silenceLimit(state.config)) {
    return listenAfterStall(state, now);
  }
  if (now >= state.leaseUntil) return leaseRanOut(state, lateness, now);
  let next = state;
  const effects: Effect[] = [];
  if (now >= state.advertDueAt) {
    next = spokenTo(next, nextOnGrid(state.advertDueAt, interval(state), now), now);
    effects.push(advert(spokenPriority(state)));
  }
  if (state.announceDueAt !== undefined && now >= state.announceDueAt) {
    const announced = announceAgain(next, "lower-priority-advert", now);
    next = announced.state;
    effects.push(...announced.effects);
  }
  return { state: next, effects };
}

/** If it was we who did not run, the answer may be on its way: one more heartbeat, in silence (SAFETY S2). */
function leaseRanOut(state: Master, lateness: Micros, now: Instant): Step {
  const heartbeat = heartbeatInterval(state.config);
  if (lateness < heartbeat) return giveUp(state);
  return {
    state: { ...state, askedUntil: addMicros(now, heartbeat) },
    effects: [claim(state.term, "hold", { announce: state.announce }), count("lateness-granted")],
  };
}

/** No answer for a whole lease: a master over addresses that are not there must not be (SAFETY S3). */
function giveUp(state: Master): Step {
  const holds = new Map(state.holds).set(dataplaneSilent, undefined);
  const fault = enterFault({ ...state, dataplaneFaultAt: undefined, holds }, undefined);
  return { state: fault.state, effects: [...release(state, true), count("lease-expired"), ...fault.effects] };
}

/** dataplane says that this term holds nothing. */
export function loseLease(state: Holder, input: Extract<Input, { type: "lease-lost" }>, now: Instant): Step {
  switch (input.reason) {
    case "released": {
      // Peers that still wait for our adverts are told not to; after a stall they have stopped waiting.
      const heard = state.kind === "master" && microsSince(now, state.lastAdvertAt) < resumeLimit(state.config);
      const backup = enterBackup(state, { reason: "lease-lost" }, now);
      return { state: backup.state, effects: [...release(state, heard), ...backup.effects] };
    }
    case "refused":
      return holdOff(state, leaseRefused, state.kind === "master", now);
    default:
      return assertNever(input.reason);
  }
}

/** A new lease stream takes a new term (SAFETY S4). Until it is confirmed the old lease runs on. */
export function reclaim(state: Holder, as: "hold" | "silent"): Step {
  const term = nextTerm(state);
  const announceReason = as === "hold" ? "dataplane-connected" : "";
  const effects = [claim(term, as, { announce: state.announce, announceReason })];
  return { state: { ...state, term, highestTerm: term, confirmed: false }, effects };
}

/** In place: what need not move does not. New intervals are told at once, so that no peer waits by the old ones. */
export function reconfigureMaster(state: Master, before: ElectionConfig, now: Instant): Step {
  const { config } = state;
  const retimed =
    config.advertInterval !== before.advertInterval || config.downTimerAdverts !== before.downTimerAdverts;
  const readdressed = config.addresses.join() !== before.addresses.join();
  if (!retimed && !readdressed) return { state, effects: [] };
  const claimed = claim(state.term, "hold", { announce: state.announce });
  if (!retimed || !maySpeak({ ...state, config: before }, now)) return { state, effects: [claimed] };
  const next = spokenTo(state, firstOnGrid(config.advertInterval, now), now);
  return { state: next, effects: [advert(spokenPriority(state)), claimed] };
}

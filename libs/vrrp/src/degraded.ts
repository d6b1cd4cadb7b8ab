// Confirmed mastership (SAFETY S9). Addresses that could not be programmed put the instance into FAULT, from where another
// router takes over. Where nobody does, some addresses are better than none: it becomes master again, degraded, and does
// not let go for that cause any more. A degraded master speaks with priority 1, so that whoever can serve all of it
// need not be of a higher priority to do so.
import { addMicros, type CauseRef, type Instant, instant, type Micros, micros } from "@baton/domain";
import { addressFailed } from "./facts.ts";
import { ownFaultCauses } from "./priority.ts";
import { failureHold, leaseLength, soleWait } from "./timers.ts";
import { count, enterFault, enterMaster, release, spokenPriority, subject } from "./transitions.ts";
import type { Effect, ElectionState, Input, StateOf, Step } from "./types.ts";

type Holder = StateOf<"master"> | StateOf<"listening">;

/** The read-back says that something is missing. Without another master there is nobody to leave it to. */
export function failAddresses(state: Holder, input: Extract<Input, { type: "addresses-failed" }>, now: Instant): Step {
  const isAlone = state.degraded || (state.soleAt !== undefined && now >= state.soleAt);
  if (state.kind === "master" && isAlone) return stay(state, input, now);
  return holdOff(state, addressFailed, state.kind === "master", now);
}

/** What failed is dataplane's to try again; its answer keeps the lease. */
function stay(state: StateOf<"master">, input: Extract<Input, { type: "addresses-failed" }>, now: Instant): Step {
  const leaseUntil = instant(Math.max(addMicros(input.sentAt, leaseLength(state.config)), state.leaseUntil));
  const askedUntil = now < leaseUntil ? undefined : state.askedUntil;
  const next = { ...state, leaseUntil, askedUntil, confirmed: false, degraded: true };
  return { state: next, effects: state.degraded ? [] : degraded(next, input.detail) };
}

function degraded(state: StateOf<"master">, detail: string): readonly Effect[] {
  const data = { ...subject(state.config), term: state.term, priority: spokenPriority(state), detail };
  return [{ type: "append-event", event: { type: "mastership-degraded", data }, cause: undefined }, count("degraded")];
}

/** FAULT, not BACKUP: it would pre-empt and fail every few seconds for ever. */
export function holdOff(state: Holder, hold: string, tellPeers: boolean, now: Instant): Step {
  const addressFailures = state.addressFailures + 1;
  const holds = new Map(state.holds).set(hold, addMicros(now, failureHold(addressFailures)));
  const soleAt = state.soleAt ?? addMicros(now, soleWait(state.config, state.effectivePriority));
  const fault = enterFault({ ...state, addressFailures, holds, soleAt }, undefined);
  return { state: fault.state, effects: [...release(state, tellPeers), ...fault.effects] };
}

/** In FAULT for nothing else than addresses that could not be programmed, with a dataplane that could try again. */
export const canServe = (state: StateOf<"fault">): boolean =>
  state.dataplaneConnected && state.holds.has(addressFailed) && ownFaultCauses(state).length === 1;

/** Nobody was heard: it serves what it can. */
export function serveAlone(state: StateOf<"fault">, cause: CauseRef | undefined, now: Instant): Step {
  const holds = new Map([...state.holds].filter(([name]) => name !== addressFailed));
  const alone = { ...state, holds, groupFault: undefined, degraded: true };
  const { state: master, effects } = enterMaster(alone, { reason: "no-other-master", cause }, now);
  return { state: master, effects: [...effects, ...(master.kind === "master" ? degraded(master, "") : [])] };
}

/** Somebody was heard, or the rest of the group was not ready: it listens anew. */
export function listenOn(state: StateOf<"fault">, now: Instant): StateOf<"fault"> {
  return { ...state, soleAt: addMicros(now, soleWait(state.config, state.effectivePriority)) };
}

/** A hold that ended while it listened: the rest of that counts for the master-down timer. */
export const restOfListening = ({ soleAt }: ElectionState, now: Instant): Micros | undefined =>
  soleAt === undefined || soleAt <= now ? undefined : micros(soleAt - now);

/** Every address stands, and nothing had failed before. */
export const isWhole = ({ confirmed, addressFailures, soleAt, degraded }: Holder): boolean =>
  confirmed && addressFailures === 0 && soleAt === undefined && !degraded;

/** Every address was read back: whatever had failed is over. */
export function restored<State extends Holder>(state: State): { state: State; effects: readonly Effect[] } {
  // With every heartbeat of every master: nearly always nothing had failed.
  if (isWhole(state)) return { state, effects: [] };
  const whole = { ...state, confirmed: true, addressFailures: 0, soleAt: undefined, degraded: false };
  if (!state.degraded) return { state: whole, effects: [] };
  const data = { ...subject(state.config), term: state.term, priority: spokenPriority(whole) };
  return {
    state: whole,
    effects: [{ type: "append-event", event: { type: "mastership-restored", data }, cause: undefined }],
  };
}

export const unconfirmed = <State extends Holder>(state: State): { state: State; effects: readonly Effect[] } => ({
  state: { ...state, confirmed: false },
  effects: [],
});

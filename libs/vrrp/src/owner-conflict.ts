// Two routers with priority 255 for the same addresses: a mistake that must not end in two masters. The one with the lower
// address gives way at once (RFC 9568 section 6.4.3). Where it does not, the other lets it hear two adverts, waits a little
// longer than an interval, and then gives way itself, with 254, until the other is silent or no owner any more (keepalived
// does the same, behaviour section 5).
import { addMicros, type Instant, micros, priority } from "@baton/domain";
import { masterOf } from "./copies.ts";
import { addressOwner, weighPriority } from "./priority.ts";
import { count, priorityChanged } from "./transitions.ts";
import type { Advertisement, CommonState, Effect, StateOf } from "./types.ts";

type Master = StateOf<"master">;

const advertsToHear = 2;
/** A little longer than one interval of the slower of the two. */
const patience = { times: 6, by: 5 } as const;

/** An advert that is lower than ours only by its address: of another owner, or of none. */
export function hearOwner(
  state: Master,
  theirs: Advertisement,
  now: Instant,
): { state: Master; effects: readonly Effect[] } {
  if (theirs.priority !== addressOwner || state.effectivePriority !== addressOwner) return { state, effects: [] };
  const { rival } = state;
  const isOver = rival?.patienceUntil !== undefined && now >= rival.patienceUntil;
  if (rival === undefined || isOver) {
    const met = { advertInterval: theirs.advertInterval, advertsLeft: advertsToHear, patienceUntil: undefined };
    return { state: { ...state, rival: met }, effects: [count("owner-conflict")] };
  }
  if (rival.patienceUntil === undefined) {
    return { state: { ...state, rival: { ...rival, advertInterval: theirs.advertInterval } }, effects: [] };
  }
  const lowered = { ...state, ownerYields: true, effectivePriority: priority(addressOwner - 1), rival: undefined };
  return { state: lowered, effects: [changed(state, lowered, "owner-conflict")] };
}

/** One more advert of ours has left; the next is due at `advertDueAt`. */
export function spokenTo(state: Master, advertDueAt: Instant, now: Instant): Master {
  const spoken = masterOf(state, state);
  spoken.lastAdvertAt = now;
  spoken.advertDueAt = advertDueAt;
  const { rival, config } = state;
  if (rival === undefined || rival.advertsLeft === 0) return spoken;
  const advertsLeft = rival.advertsLeft - 1;
  const longer = Math.max(rival.advertInterval, config.advertInterval);
  const wait = micros(Math.ceil((longer * patience.times) / patience.by));
  const patienceUntil = advertsLeft === 0 ? addMicros(now, wait) : undefined;
  return { ...spoken, rival: { ...rival, advertsLeft, patienceUntil } };
}

/** Nobody else owns the addresses any more. */
export function ownAgain<State extends CommonState>(state: State): { state: State; effects: readonly Effect[] } {
  if (!state.ownerYields) return { state, effects: [] };
  const owner = { ...state, ownerYields: false };
  const raised = { ...owner, effectivePriority: weighPriority(owner.config, owner.trackers) };
  return { state: raised, effects: [changed(state, raised, "owner-conflict-over")] };
}

const changed = (before: CommonState, after: CommonState, reason: string): Effect =>
  priorityChanged(after.config, before.effectivePriority, after.effectivePriority, {
    tracker: "",
    reason,
    cause: undefined,
  });

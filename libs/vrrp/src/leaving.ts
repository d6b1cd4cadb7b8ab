// LEAVING: priority 0 was said, the addresses answer until the successor's do (SAFETY S6). It keeps the configuration
// and the priority that it left with, and says no other priority than 0, whatever is heard.
import { addMicros, assertNever, type Instant } from "@baton/domain";
import { releaseLimit, successorWait } from "./timers.ts";
import { advert, claim, nextTerm, stop, unchanged } from "./transitions.ts";
import type { Input, StateOf, Step } from "./types.ts";

type Heard = Extract<Input, { type: "advertisement-received" }>;

export function stepLeaving(state: StateOf<"leaving">, input: Input, now: Instant): Step {
  switch (input.type) {
    case "advertisement-received":
      return hearAsLeaver(state, input, now);
    case "deadline-reached":
      return leavingDeadline(state, now);
    case "addresses-released":
    case "lease-lost":
      return input.term === state.term ? stop(state, true, state.reason) : unchanged(state);
    case "dataplane-connected": {
      const claimed = nextTerm(state, input.highestTerm);
      const next = { ...state, term: claimed, highestTerm: claimed };
      return { state: next, effects: [claim(claimed, "leaving", { successorHeard: state.successorHeard })] };
    }
    case "startup":
    case "tracker-changed":
    case "interface-changed":
    case "primary-address-changed":
    case "tracker-stale":
    case "addresses-failed":
    case "lease-confirmed":
    case "lease-applying":
    case "dataplane-disconnected":
    case "configure":
    case "stalled":
    case "mastership-denied":
    case "witness-answered":
    case "group-takes-over":
    case "group-waits":
    case "group-gives-way":
    case "regrouped":
    case "group-fault":
    case "shutdown":
      return unchanged(state);
    default:
      return assertNever(input);
  }
}

/** The successor speaks: from here on its answers count, ours stop, and each address goes (SAFETY S6). */
function hearAsLeaver(state: StateOf<"leaving">, { advert: heard }: Heard, now: Instant): Step {
  if (heard.priority === 0 || state.successorHeard) return unchanged(state);
  const next = { ...state, successorHeard: true, nextZeroAt: undefined, releaseAt: addMicros(now, releaseLimit) };
  return { state: next, effects: [claim(state.term, "leaving", { successorHeard: true })] };
}

function leavingDeadline(state: StateOf<"leaving">, now: Instant): Step {
  if (state.nextZeroAt !== undefined && now >= state.nextZeroAt) {
    const releaseAt = addMicros(now, successorWait(state.config));
    const next = { ...state, zeroesSent: state.zeroesSent + 1, nextZeroAt: undefined, releaseAt };
    return { state: next, effects: [advert(0)] };
  }
  const stopped = stop(state, true, state.reason);
  return { state: stopped.state, effects: [claim(state.term, "release"), ...stopped.effects] };
}

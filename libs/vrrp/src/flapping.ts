// Flapping (SAFETY S12): addresses that move too often are frozen by the switches themselves (EVPN: a MAC address after 5
// moves in 180 s, RFC 7432 section 15.1). Who has seen so many moves takes over from silence only, for a while.
import { addMicros, type Instant, microsSince } from "@baton/domain";
import { flapping } from "./timers.ts";
import { count, subject, unchanged } from "./transitions.ts";
import type { CommonState, ElectionState, Step } from "./types.ts";

const serves = ({ kind }: ElectionState): boolean => kind === "master" || kind === "listening";

/** A start and a stop are no flapping; whatever else brings the addresses here or takes them away is a move. */
const isMove = (before: ElectionState, after: ElectionState): boolean =>
  serves(before) !== serves(after) &&
  before.kind !== "initialize" &&
  after.kind !== "leaving" &&
  after.kind !== "stopped";

export const isHeld = ({ preemptHeldUntil }: CommonState, now: Instant): boolean =>
  preemptHeldUntil !== undefined && now < preemptHeldUntil;

/** `after` with the move in it that the step from `before` was, if it was one. */
export function noteMove(before: ElectionState, after: ElectionState, now: Instant): Step {
  if (!isMove(before, after)) return unchanged(after);
  const recent = [...after.moves, now].filter((at) => microsSince(now, at) < flapping.window);
  const moves = recent.slice(-(flapping.most + 1));
  const moved = { ...after, moves };
  if (moves.length <= flapping.most || !after.config.preempt) return unchanged(moved);
  const held = { ...moved, preemptHeldUntil: addMicros(now, flapping.hold) };
  // One more move under a hold makes it longer, which is no news.
  if (isHeld(after, now)) return unchanged(held);
  const data = {
    ...subject(after.config),
    term: after.highestTerm,
    moves: moves.length,
    holdMs: flapping.hold / 1_000,
  };
  const told = { type: "append-event", event: { type: "preemption-held", data }, cause: undefined } as const;
  return { state: held, effects: [told, count("preemption-held")] };
}

// The two clocks of a process: CLOCK_BOOTTIME decides and orders, the wall clock is for people (SAFETY S20).
import type { Instant } from "@baton/domain";
import { bootNow, wallMicros } from "@baton/linux";

export interface Clock {
  now(): Instant;
  /** Microseconds since 1970. */
  wall(): number;
}

export const systemClock: Clock = { now: bootNow, wall: wallMicros };

/** RFC 3339 in UTC with microseconds. */
export function formatWall(micros: number): string {
  const text = new Date(Math.floor(micros / 1_000)).toISOString();
  return `${text.slice(0, -1)}${String(Math.floor(micros % 1_000)).padStart(3, "0")}Z`;
}

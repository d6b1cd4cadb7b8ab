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
  const seconds = Math.floor(micros / 1_000_000);
  return `${formatSeconds(seconds)}.${String(Math.floor(micros - seconds * 1_000_000)).padStart(6, "0")}Z`;
}

/** The same, for one caller that stamps many events: the calendar is computed once a second. */
export function wallFormatter(): (micros: number) => string {
  let [second, text] = [-1, ""];
  return (micros) => {
    const seconds = Math.floor(micros / 1_000_000);
    if (seconds !== second) [second, text] = [seconds, formatSeconds(seconds)];
    return `${text}.${String(Math.floor(micros - seconds * 1_000_000)).padStart(6, "0")}Z`;
  };
}

const formatSeconds = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 19);

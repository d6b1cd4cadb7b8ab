// The one clock that decides: CLOCK_BOOTTIME, which goes on through suspend and is never set (SAFETY S20).
import { type Instant, instant } from "@baton/domain";
import { libc } from "./libc.ts";

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;

// Reused: the clock is read for every input, and a fresh buffer each time would be most of its cost. struct timespec of
// 64-bit little-endian machines: the low halves of seconds and nanoseconds are words 0 and 2.
const timespec = new Uint32Array(4);

/** Microseconds since the machine started, suspend included. About 0.1 µs a call. */
export function bootNow(): Instant {
  return instant(readMicros(CLOCK_BOOTTIME));
}

/** Wall clock in microseconds: only to understand the kernel's receive stamps, which are in wall time. */
export const wallMicros = (): number => readMicros(CLOCK_REALTIME);

function readMicros(clock: number): number {
  libc.clockGettime(clock, timespec);
  const seconds = (timespec[0] ?? 0) + (timespec[1] ?? 0) * 2 ** 32;
  return seconds * 1_000_000 + Math.floor((timespec[2] ?? 0) / 1_000);
}

// A clock that moves only when told to.
import { addMicros, type Instant, instant } from "@baton/domain";
import type { Clock } from "../clock.ts";

export interface TestClock extends Clock {
  set(now: Instant | number): void;
  advance(micros: number): void;
}

/** 2026-01-01T00:00:00Z, an hour after the machine started. */
const wallAtStart = 1_767_225_600_000_000;
const bootAtStart = 3_600_000_000;

export function createTestClock(): TestClock {
  let now = instant(bootAtStart);
  return {
    now: () => now,
    wall: () => wallAtStart + (now - bootAtStart),
    set: (to) => {
      now = instant(to);
    },
    advance: (micros) => {
      now = addMicros(now, micros);
    },
  };
}

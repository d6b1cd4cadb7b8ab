import { instant } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Clock } from "./clock.ts";
import { Timeline } from "./timeline.ts";

test("when a clock is said to show a time, it shows it, and not two microseconds before", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000_000_000_000 }),
      fc.integer({ min: -500, max: 500 }),
      fc.integer({ min: 0, max: 100_000_000_000 }),
      (startsAt, partsPerMillion, ahead) => {
        const timeline = new Timeline();
        const clock = new Clock(timeline, startsAt, partsPerMillion);
        const at = instant(startsAt + ahead);
        const when = clock.when(at);
        timeline.runUntil(when);
        expect(clock.now()).toBeGreaterThanOrEqual(at);
        const before = new Timeline();
        before.runUntil(when - 2);
        expect(new Clock(before, startsAt, partsPerMillion).now()).toBeLessThan(at);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("who goes round in circles is noticed", () => {
  const timeline = new Timeline();
  const again = (): void => timeline.at(timeline.now, again);
  again();
  expect(() => timeline.runUntil(1)).toThrow("time-goes-on");
});

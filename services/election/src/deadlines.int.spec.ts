// With the real timer: what is due together is done in parts, and between them the process hears and speaks.
import type { Instant } from "@baton/domain";
import { addMicros, micros } from "@baton/domain";
import { bootNow } from "@baton/linux";
import { expect, test } from "vitest";
import { createCounters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";

test("of hundreds that are due at once the first are through, and the inputs taken in, before the last are judged", async () => {
  const now = (): Instant => bootNow();
  let drained = 0;
  const drainedBefore: number[] = [];
  const deadlines = new Deadlines({
    now,
    counters: createCounters(),
    drain: () => void drained++,
    approaching: () => undefined,
    leaseAnswers: () => 0,
    jumpSince: () => micros(0),
  });
  const count = 300;
  await new Promise<void>((resolve) => {
    const due = addMicros(now(), 20_000);
    for (let index = 0; index < count; index++) {
      const unit = {
        judge: () => {
          deadlines.set(unit, undefined);
          if (drainedBefore.push(drained) === count) resolve();
        },
        takesOverAt: () => false,
      };
      deadlines.set(unit, due);
    }
  });
  deadlines.close();
  expect(drainedBefore).toHaveLength(count);
  expect(drainedBefore.at(-1)).toBeGreaterThanOrEqual((drainedBefore[0] ?? 0) + 3);
});

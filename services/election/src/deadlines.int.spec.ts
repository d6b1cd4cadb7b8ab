// With the real timer: what is due together is done in parts, and between them the process hears and speaks.
import { addMicros, micros } from "@baton/domain";
import { bootNow } from "@baton/linux";
import { expect, test } from "vitest";
import { createCounters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";

function open(): { readonly deadlines: Deadlines; drained(): number } {
  let drained = 0;
  const deadlines = new Deadlines({
    now: bootNow,
    counters: createCounters(),
    drain: () => void drained++,
    awake: () => undefined,
    approaching: () => undefined,
    leaseAnswers: () => 0,
    jumpSince: () => micros(0),
  });
  return { deadlines, drained: () => drained };
}

test("of hundreds that are due at once the first are through, and the inputs taken in, before the last are judged", async () => {
  const { deadlines, drained } = open();
  const drainedBefore: number[] = [];
  const count = 300;
  await new Promise<void>((resolve) => {
    const due = addMicros(bootNow(), 20_000);
    for (let index = 0; index < count; index++) {
      const unit = {
        judge: () => {
          deadlines.set(unit, undefined);
          if (drainedBefore.push(drained()) === count) resolve();
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

test("whoever is done away with while the first are judged is not judged", async () => {
  const { deadlines } = open();
  const judged: number[] = [];
  const count = 200;
  await new Promise<void>((resolve) => {
    const units = Array.from({ length: count }, (_, index) => ({
      judge: () => {
        judged.push(index);
        deadlines.set(unitAt(index), undefined);
        if (index === 0) deadlines.set(unitAt(count - 2), undefined);
        if (index === count - 1) resolve();
      },
      takesOverAt: () => false,
    }));
    const unitAt = (index: number): (typeof units)[number] => {
      const unit = units[index];
      if (unit === undefined) throw new Error(`no unit ${index}`);
      return unit;
    };
    const due = addMicros(bootNow(), 20_000);
    for (const [index, unit] of units.entries()) deadlines.set(unit, addMicros(due, index));
  });
  deadlines.close();
  expect(judged).toEqual(Array.from({ length: count }, (_, index) => index).filter((index) => index !== count - 2));
});

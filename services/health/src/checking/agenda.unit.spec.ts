import { type Instant, instant } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createAgenda, limits } from "./agenda.ts";

/** A clock and a timer that a test moves. */
function makeAgenda() {
  let now = instant(0);
  let armed: Instant | undefined;
  let onDeadline: () => void = () => undefined;
  const agenda = createAgenda({
    now: () => now,
    openTimer: (handler) => {
      onDeadline = handler;
      const arm = (at: Instant | undefined): void => {
        armed = at;
      };
      return { arm, close: () => arm(undefined) };
    },
  });
  const goTo = (at: number): number => {
    let turns = 0;
    while (armed !== undefined && armed <= at) {
      now = instant(Math.max(now, armed));
      armed = undefined;
      onDeadline();
      turns++;
    }
    now = instant(at);
    return turns;
  };
  return { agenda, goTo, armed: () => armed };
}

test("each comes once, in order, not early, and by the next five milliseconds", () => {
  const actions = fc.array(fc.record({ entry: fc.nat(9), at: fc.option(fc.nat(100_000)) }), { maxLength: 60 });
  fc.assert(
    fc.property(actions, fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 10 }), (sets, steps) => {
      const { agenda, goTo } = makeAgenda();
      const wanted = new Map<number, number | undefined>();
      const came: { readonly entry: number; readonly at: number | undefined }[] = [];
      const entries = Array.from({ length: 10 }, (_, entry) =>
        agenda.entry(() => {
          came.push({ entry, at: wanted.get(entry) });
          wanted.delete(entry);
        }),
      );
      for (const { entry, at } of sets) {
        entries[entry]?.set(at === null ? undefined : instant(at));
        wanted.set(entry, at ?? undefined);
      }
      let now = 0;
      for (const step of steps) {
        const before = came.length;
        now += step;
        goTo(now);
        const times = came.slice(before).map(({ at }) => at ?? Number.NaN);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        for (const at of times) expect(at).toBeLessThanOrEqual(now);
        for (const at of wanted.values()) if (at !== undefined) expect(at).toBeGreaterThan(now - limits.gridMicros);
      }
    }),
  );
});

test("many that are due at once are taken in portions, and the loop turns in between", () => {
  const { agenda, goTo } = makeAgenda();
  let came = 0;
  for (let index = 0; index < 1_000; index++) agenda.entry(() => came++).set(instant(10));
  expect(goTo(limits.gridMicros)).toBe(Math.ceil(1_000 / limits.portion));
  expect(came).toBe(1_000);
});

test("one that is set anew by its own deadline comes again; nothing comes after the end", () => {
  const { agenda, goTo, armed } = makeAgenda();
  let came = 0;
  const entry = agenda.entry(() => {
    came++;
    entry.set(instant(came * 10_000));
  });
  entry.set(instant(0));
  goTo(35_000);
  expect(came).toBe(4);
  expect(armed()).toBe(40_000);
  agenda.close();
  entry.set(instant(36_000));
  goTo(100_000);
  expect(came).toBe(4);
});

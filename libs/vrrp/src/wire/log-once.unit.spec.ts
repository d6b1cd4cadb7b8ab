import fc from "fast-check";
import { expect, test } from "vitest";
import { advertNotices, discardReasons } from "./discard.ts";
import { heardMaster, type LogCause, type LogMemory, nothingTold, tellOnce } from "./log-once.ts";
import { ip } from "./testing/fixtures.ts";

const [a, b] = [ip("10.77.0.11"), ip("10.77.0.12")];

/** The lines that a series of causes and masters makes. */
function lines(events: readonly (LogCause | typeof a | "new state")[]): string[] {
  const told: string[] = [];
  let memory: LogMemory = nothingTold;
  for (const event of events) {
    if (event === "new state") memory = nothingTold;
    else if (event.includes(".")) memory = heardMaster(memory, ip(event));
    else {
      const next = tellOnce(memory, event as LogCause);
      memory = next.memory;
      if (next.tell) told.push(event);
    }
  }
  return told;
}

test("one line per cause", () => {
  expect(lines(["bad-ttl", "bad-ttl", "bad-version", "bad-ttl", "bad-version"])).toEqual(["bad-ttl", "bad-version"]);
});

test("again for another master, and after a change of state", () => {
  expect(lines([a, "bad-ttl", b, "bad-ttl", "bad-ttl"])).toEqual(["bad-ttl", "bad-ttl"]);
  expect(lines([a, "bad-ttl", "new state", "bad-ttl"])).toEqual(["bad-ttl", "bad-ttl"]);
});

test("two masters in turns say it once each", () => {
  const turns = Array.from({ length: 100 }, () => [a, "interval-differs" as const, b, "interval-differs" as const]);
  expect(lines(turns.flat())).toEqual(["interval-differs", "interval-differs"]);
});

test("any number of masters makes no more than nine lines of a cause, and memory stays small", () => {
  const cause = fc.constantFrom(...discardReasons, ...advertNotices);
  const master = fc.tuple(fc.nat(255), fc.nat(255)).map(([high, low]) => ip(`10.77.${high}.${low}`));
  fc.assert(
    fc.property(fc.array(fc.oneof(cause, master), { maxLength: 2_000 }), (events) => {
      const counts = new Map<string, number>();
      for (const line of lines(events)) counts.set(line, (counts.get(line) ?? 0) + 1);
      expect(Math.max(0, ...counts.values())).toBeLessThanOrEqual(9);
    }),
    { numRuns: 50 },
  );
});

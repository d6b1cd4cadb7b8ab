import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge, recordOf, type TellingRecord } from "./ledger.ts";
import type { NotifyState, StateChange } from "./state-change.ts";
import { change } from "./testing/fixtures.ts";

const told = (over: Partial<TellingRecord> = {}): TellingRecord => ({
  state: "MASTER",
  epoch: 2,
  version: 5,
  at: 1_000,
  mailed: undefined,
  ...over,
});
const event = (state: NotifyState, epoch: number, version: number, at = 2_000) =>
  change({ state, order: { epoch, version }, at });
const fromSnapshot = (state: NotifyState, at: number) => change({ state, order: undefined, at, replayed: true });

describe("judge", () => {
  const rows: [string, TellingRecord | undefined, StateChange, string][] = [
    ["nothing told yet", undefined, event("MASTER", 1, 1), "tell"],
    ["nothing told yet, from a snapshot", undefined, fromSnapshot("BACKUP", 1), "tell"],
    ["the next version", told(), event("BACKUP", 2, 6), "tell"],
    ["a restarted election", told(), event("BACKUP", 3, 1), "tell"],
    ["the same version", told(), event("BACKUP", 2, 5), "old"],
    ["an older version", told(), event("BACKUP", 2, 4), "old"],
    ["an older epoch", told(), event("BACKUP", 1, 99), "old"],
    ["the same state again: an election that resumed", told(), event("MASTER", 3, 7), "unchanged"],
    ["a snapshot of the same state", told(), fromSnapshot("MASTER", 2_000), "unchanged"],
    ["a snapshot of a later state", told(), fromSnapshot("BACKUP", 2_000), "tell"],
    ["a snapshot from before", told(), fromSnapshot("BACKUP", 999), "old"],
    [
      "an event from before a snapshot that was told",
      told({ epoch: 0, version: 0 }),
      event("BACKUP", 9, 9, 999),
      "old",
    ],
    ["an event after a snapshot that was told", told({ epoch: 0, version: 0 }), event("BACKUP", 9, 9, 1_001), "tell"],
  ];
  test.each(rows)("%s", (_name, record, next, verdict) => expect(judge(record, next)).toBe(verdict));
});

test("the mailed state stays until another one is mailed", () => {
  const first = recordOf(undefined, event("MASTER", 1, 1), true);
  const second = recordOf(first, event("BACKUP", 1, 2), false);
  expect([first.mailed, second.mailed]).toEqual(["MASTER", "MASTER"]);
  expect(second).toMatchObject({ state: "BACKUP", epoch: 1, version: 2, at: 2_000 });
});

test("whatever order events come in, each state is told at most once and never an older one after a newer", () => {
  const states: NotifyState[] = ["MASTER", "BACKUP", "FAULT", "STOP"];
  const one = fc.record({
    state: fc.constantFrom(...states),
    epoch: fc.integer({ min: 1, max: 3 }),
    version: fc.nat(8),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (events) => {
      let record: TellingRecord | undefined;
      let last = -1;
      for (const { state, epoch, version } of events) {
        const order = epoch * 100 + version;
        const next = event(state, epoch, version, order);
        const verdict = judge(record, next);
        if (verdict === "tell") {
          expect(order).toBeGreaterThan(last);
          expect(state).not.toBe(record?.state);
          last = order;
        }
        if (verdict !== "old") record = recordOf(record, next, false);
      }
    }),
  );
});

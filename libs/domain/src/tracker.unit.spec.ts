import fc from "fast-check";
import { expect, test } from "vitest";
import { type TrackerKind, trackerAggregate } from "./tracker.ts";

test("a script goes by its name, others by kind and name", () => {
  expect(trackerAggregate("script", "chk_haproxy").id).toBe("chk_haproxy");
  expect(trackerAggregate("file", "maintenance").id).toBe("file:maintenance");
  expect(trackerAggregate("script", "file:x").id).toBe("script:file:x");
});

test("no two trackers share an aggregate", () => {
  const kind = fc.constantFrom<TrackerKind>("script", "file", "process", "bfd");
  const name = fc.oneof(
    fc.string(),
    fc.tuple(kind, fc.string()).map(([prefix, rest]) => `${prefix}:${rest}`),
  );
  fc.assert(
    fc.property(kind, name, kind, name, (kindA, nameA, kindB, nameB) => {
      const same = kindA === kindB && nameA === nameB;
      expect(trackerAggregate(kindA, nameA).id === trackerAggregate(kindB, nameB).id).toBe(same);
    }),
    { numRuns: 2000 },
  );
});

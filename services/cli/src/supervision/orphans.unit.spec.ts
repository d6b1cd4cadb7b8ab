import { expect, test } from "vitest";
import { chooseOrphans, type Orphan, recordedOrphans } from "./orphans.ts";

const orphan = (name: Orphan["name"], pid: number, startTime = 1): Orphan => ({ name, pid, startTime });
const living =
  (...pids: number[]) =>
  (pid: number) =>
    pids.includes(pid) ? 1 : undefined;

test("one of each name is adopted, the recorded one first; a second one must go", () => {
  const found = [orphan("election", 10), orphan("election", 10), orphan("election", 11), orphan("health", 12)];
  const { adopt, end } = chooseOrphans(found, () => true, living(10, 11, 12));
  expect([...adopt]).toEqual([
    ["election", orphan("election", 10)],
    ["health", orphan("health", 12)],
  ]);
  expect(end).toEqual([orphan("election", 11)]);
});

test("who is gone, and a pid that means somebody else by now, are neither adopted nor ended", () => {
  const found = [orphan("election", 10), orphan("health", 12, 99)];
  expect(chooseOrphans(found, () => true, living(12))).toEqual({ adopt: new Map(), end: [] });
});

test("who is not part of the node any more is ended", () => {
  const { adopt, end } = chooseOrphans([orphan("uplink", 10)], (name) => name !== "uplink", living(10));
  expect([adopt.size, end]).toEqual([0, [orphan("uplink", 10)]]);
});

test("the record as it is written", () => {
  expect(recordedOrphans({ nats: { pid: 5, startTime: 6, restarts: 7 } })).toEqual([orphan("nats", 5, 6)]);
});

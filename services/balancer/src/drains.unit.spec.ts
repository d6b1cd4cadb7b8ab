import { instant } from "@baton/domain";
import { expect, test } from "vitest";
import { Drains } from "./drains.ts";
import type { Connected } from "./keeper.ts";
import { configOf, virtualServer } from "./testing/rig.ts";
import { Wish } from "./wish.ts";

const name = "[192.0.2.1]:tcp:80";
const drained = { virtualServer: name, server: "10.0.0.1:80", cause: undefined };

/** What is told after each answer, a second apart. */
function told(answers: readonly (Connected | undefined)[]): number[] {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 80", [1, 2])));
  const drains = new Drains(wish);
  drains.begin(drained);
  return answers.map((connected, second) => {
    drains.ask();
    expect(drains.next()).toMatchObject({
      kind: "count-connections",
      places: [{ service: { address: "192.0.2.1", port: 80 }, destination: { address: "10.0.0.1", port: 80 } }],
    });
    return drains.take({ kind: "connections", connected: [connected] }, instant(second * 1_000_000)).length;
  });
}

test("whose weight is told is idle at the first look that finds it without weight and connections", () => {
  const weighing = (weight: number, active: number): Connected => ({ weight, active });
  expect(told([weighing(1, 0), weighing(0, 3), weighing(0, 0), weighing(0, 0)])).toEqual([0, 0, 1, 0]);
});

test("whose weight is not told is looked at twice: the rules may not have been changed before the first look", () => {
  const unweighed = (active: number): Connected => ({ weight: undefined, active });
  expect(told([unweighed(0), unweighed(1), unweighed(0), unweighed(0)])).toEqual([0, 0, 0, 1]);
});

test("who is not there has no connections", () => {
  expect(told([undefined])).toEqual([1]);
});

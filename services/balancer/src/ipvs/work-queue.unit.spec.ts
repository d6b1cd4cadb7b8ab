// Who waits comes in his turn, each once, however many wait.
import { instant } from "@baton/domain";
import { expect, test } from "vitest";
import { startStory } from "../story.ts";
import { InOrder } from "./in-order.ts";
import { WorkQueue } from "./work-queue.ts";

const names = (length: number): string[] => Array.from({ length }, (_none, at) => `tcp 10.0.0.1:${at}`);

function drain(queue: WorkQueue): string[] {
  const taken: string[] = [];
  for (let next = queue.shift(false); next !== undefined; next = queue.shift(false)) {
    queue.release(next.story);
    taken.push(next.name);
  }
  return taken;
}

test("by rank, then by the time at which they came, each once and for the newest story", () => {
  const queue = new WorkQueue();
  const [old, young] = [startStory("reload", instant(1)), startStory("pools", instant(2))];
  for (const [name, story, rank] of [
    ["leaving", old, "leaving"],
    ["a", old, "plain"],
    ["b", old, "plain"],
    ["b", young, "urgent"],
    ["c", old, "plain"],
    ["c", young, "plain"],
  ] as const) {
    queue.put(name, story, rank);
  }
  expect(drain(queue)).toEqual(["b", "a", "c", "leaving"]);
  expect(queue.settled()).toEqual([young, old]);
  queue.put("a", old, "plain");
  expect(drain(queue)).toEqual(["a"]);
});

test("taking all of many costs no more for each than taking all of few", () => {
  const cost = (count: number): number => {
    const [queue, story] = [new WorkQueue(), startStory("reload", instant(1))];
    for (const name of names(count)) queue.put(name, story, "plain");
    const began = performance.now();
    expect(drain(queue)).toHaveLength(count);
    return (performance.now() - began) / count;
  };
  cost(1_000);
  // A queue that steps over those that have gone takes a hundred times as long for each.
  expect(cost(100_000)).toBeLessThan(Math.max(0.01, 20 * cost(1_000)));
});

test("who comes and goes leaves nothing behind", () => {
  const waiting = new InOrder<number>();
  waiting.set("first", 1);
  for (let at = 0; at < 5_000; at++) {
    waiting.set("other", at);
    waiting.delete("other");
  }
  waiting.set("last", 2);
  expect([waiting.shift(), waiting.shift(), waiting.shift()]).toEqual([
    { name: "first", value: 1 },
    { name: "last", value: 2 },
    undefined,
  ]);
});

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Strangers } from "./strangers.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Sources in which so many wait; `reads` says what was read where. */
function sources(waiting: Record<string, number>) {
  const reads: string[] = [];
  const strangers = new Strangers<string>({
    read: (source, max) => {
      const count = Math.min(waiting[source] ?? 0, max);
      waiting[source] = (waiting[source] ?? 0) - count;
      reads.push(`${count} of ${source}`);
      return { count, more: count === max };
    },
  });
  const arrive = (source: string, count: number): void => {
    waiting[source] = count;
    strangers.onWaiting(source);
  };
  return { strangers, reads, arrive };
}

test("the first is looked at at once, the next after a pause", () => {
  const { strangers, reads, arrive } = sources({ a: 1, b: 1 });
  strangers.onWaiting("a");
  expect(reads).toEqual(["1 of a"]);
  strangers.onWaiting("b");
  arrive("a", 1);
  vi.advanceTimersByTime(99);
  expect(reads).toEqual(["1 of a"]);
  vi.advanceTimersByTime(1);
  expect(reads).toEqual(["1 of a", "1 of b", "1 of a"]);
});

test("a flood: 32 in each tenth of a second, whatever waits, and nothing is woken when it is over", () => {
  const { strangers, reads, arrive } = sources({ a: 100 });
  strangers.onWaiting("a");
  vi.advanceTimersByTime(1_000);
  expect(reads).toEqual(["32 of a", "32 of a", "32 of a", "4 of a"]);
  expect(vi.getTimerCount()).toBe(0);
  arrive("a", 1);
  expect(reads.at(-1)).toBe("1 of a");
});

test("a flood in one place keeps no other waiting for long", () => {
  const { strangers, reads } = sources({ flooded: 1_000, quiet: 2, other: 1 });
  for (const source of ["flooded", "quiet", "other"]) strangers.onWaiting(source);
  vi.advanceTimersByTime(200);
  expect(reads).toEqual(["32 of flooded", "32 of flooded", "2 of quiet", "1 of other", "29 of flooded"]);
});

test("a place that is gone is not read any more, and in the end nothing is", () => {
  const { strangers, reads } = sources({ a: 100, b: 100 });
  strangers.onWaiting("a");
  strangers.onWaiting("b");
  strangers.forget("a");
  vi.advanceTimersByTime(100);
  strangers.close();
  vi.advanceTimersByTime(1_000);
  expect(reads).toEqual(["32 of a", "32 of b"]);
});

import { expect, test, vi } from "vitest";
import { createProbeQueue } from "./probe-queue.ts";

/** Probes that end when told to; `begun`: in their order. */
function makeProbes() {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const probe = (number: number) => () =>
    new Promise<void>((resolve) => {
      begun.push(number);
      ends.set(number, resolve);
    });
  return { begun, probe, end: (number: number) => ends.get(number)?.() };
}

test("no more than so many at once; the others in the order in which they came", async () => {
  const queue = createProbeQueue(2);
  const { begun, probe, end } = makeProbes();
  for (const number of [1, 2, 3, 4]) queue.add(probe(number));
  expect([begun, queue.running, queue.waiting]).toEqual([[1, 2], 2, 2]);
  end(2);
  await vi.waitFor(() => expect(begun).toEqual([1, 2, 3]));
  queue.add(probe(5));
  end(1);
  await vi.waitFor(() => expect(begun).toEqual([1, 2, 3, 4]));
  expect([queue.running, queue.waiting]).toEqual([2, 1]);
  queue.configure(3);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});

test("a crowd begins over several turns of the loop", async () => {
  const queue = createProbeQueue(1_000);
  const { begun, probe } = makeProbes();
  for (let number = 0; number < 500; number++) queue.add(probe(number));
  expect(begun.length).toBeLessThan(100);
  await vi.waitFor(() => expect(begun).toEqual(Array.from({ length: 500 }, (_, number) => number)));
  expect(queue.waiting).toBe(0);
});

// What happens when: a binary heap of things to run, in the order of their times, first come first served within one.
// The time is the simulation's own, in microseconds; routers see it through clocks of theirs (clock.ts).
import { Violation } from "./checkers.ts";

interface Entry {
  at: number;
  readonly order: number;
  readonly run: () => void;
}

const second = 1_000_000;
/** Four routers with adverts every 100 ms do some thousands of things a second; a storm after a stall ten times as many. */
const mostInASecond = 200_000;

export class Timeline {
  now = 0;
  #second = 0;
  #doneInSecond = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  at(when: number, run: () => void): void {
    const entry = { at: Math.max(this.now, Math.ceil(when)), order: this.#order++, run };
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  runUntil(end: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      this.#removeFirst();
      this.now = next.at;
      this.#count();
      next.run();
    }
    this.now = end;
  }

  /** Time passes in which nothing happens: all that is to come comes so much later. */
  pass(duration: number): void {
    this.now += duration;
    this.#second += duration;
    for (const entry of this.#heap) entry.at += duration;
  }

  #count(): void {
    if (this.now >= this.#second + second) {
      this.#second = this.now;
      this.#doneInSecond = 0;
    }
    if (++this.#doneInSecond > mostInASecond)
      throw new Violation("time-goes-on", `${mostInASecond} things happened within a second`);
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      let below = heap[child];
      const right = heap[child + 1];
      if (below !== undefined && right !== undefined && isBefore(right, below)) {
        child++;
        below = right;
      }
      if (below === undefined || !isBefore(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

import { type Instant, instant, micros } from "@baton/domain";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Metronome, realtimeOffset } from "./metronome.ts";

const second = 1_000_000;
const world = { now: 0, offset: 5 * second };
let beats: { readonly now: Instant; readonly stalled: number }[] = [];
let metronome: Metronome;

beforeEach(() => {
  vi.useFakeTimers();
  Object.assign(world, { now: 100 * second, offset: 5 * second });
  beats = [];
  metronome = new Metronome({
    now: () => instant(world.now),
    offset: () => world.offset,
    shortestInterval: () => micros(second),
    onBeat: (now, stalled) => beats.push({ now, stalled }),
  });
});
afterEach(() => {
  metronome.close();
  vi.useRealTimers();
});

/** The process runs, and its clock with it. */
const pass = (duration: number): void => {
  world.now += duration;
  vi.advanceTimersByTime(duration / 1_000);
};

test("a process that runs has not stalled", () => {
  pass(second / 4);
  pass(second / 4);
  expect(beats).toEqual([
    { now: 100 * second + second / 4, stalled: 0 },
    { now: 100 * second + second / 2, stalled: 0 },
  ]);
});

test("one that did not run says for how long", () => {
  world.now += 3 * second;
  pass(second / 4);
  expect(beats).toEqual([{ now: 103 * second + second / 4, stalled: 3 * second }]);
});

test("where the loop runs for something else, it beats then and not a moment later once more", () => {
  pass((second / 4) * 0.5);
  metronome.ran();
  expect(beats).toEqual([]);
  pass((second / 4) * 0.2);
  metronome.ran();
  expect(beats).toHaveLength(1);
  pass((second / 4) * 0.9);
  expect(beats).toHaveLength(1);
  pass((second / 4) * 0.1);
  expect(beats).toHaveLength(2);
});

test("who runs again because a socket has something says for how long it did not", () => {
  world.now += 3 * second;
  metronome.ran();
  expect(beats).toEqual([{ now: 103 * second, stalled: 3 * second - second / 4 }]);
});

test("a jump of the world's clock counts from when it was seen, and for whoever spoke before", () => {
  const before = instant(world.now);
  pass(second / 4);
  world.offset += 10 * second;
  pass(second / 4);
  expect(metronome.jumpSince(before)).toBe(10 * second);
  expect(metronome.jumpSince(instant(world.now + 1))).toBe(0);
  world.offset += 2 * second;
  expect(metronome.jumpSince(before)).toBe(12 * second);
});

test("a clock that is set back or corrected a little is no pause", () => {
  const before = instant(world.now);
  world.offset -= 3_600 * second;
  pass(second / 4);
  world.offset += 40_000;
  pass(second / 4);
  expect(metronome.jumpSince(before)).toBe(0);
});

test("the real clocks are read together", () => {
  vi.useRealTimers();
  expect(Math.abs(realtimeOffset() - realtimeOffset())).toBeLessThan(60 * second);
});

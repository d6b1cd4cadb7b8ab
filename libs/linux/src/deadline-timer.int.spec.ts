import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addMicros, microsSince } from "@baton/domain";
import { afterEach, expect, test, vi } from "vitest";
import { bootNow } from "./clock.ts";
import { openDeadlineTimer } from "./deadline-timer.ts";
import { openDescriptors } from "./testing/namespace.ts";

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const resource of opened.splice(0)) resource.close();
});
const openTimer = (onDeadline: () => void) => {
  const timer = openDeadlineTimer(onDeadline);
  opened.push(timer);
  return timer;
};

test("a deadline fires once, and never before its time", async () => {
  const fired: number[] = [];
  const timer = openTimer(() => fired.push(bootNow()));
  const deadlines = [];
  for (let i = 0; i < 20; i++) {
    const at = addMicros(bootNow(), 3_333);
    deadlines.push(at);
    timer.arm(at);
    await vi.waitFor(() => expect(fired.length).toBe(i + 1), { interval: 1 });
  }
  for (const [index, at] of deadlines.entries()) expect(fired[index]).toBeGreaterThanOrEqual(at);
});

test("arming again replaces the deadline, undefined disarms, a past deadline fires at once", async () => {
  const fired: string[] = [];
  const replaced = openTimer(() => fired.push("replaced"));
  const disarmed = openTimer(() => fired.push("disarmed"));
  const past = openTimer(() => fired.push("past"));
  const start = bootNow();
  replaced.arm(addMicros(start, 1_000));
  disarmed.arm(addMicros(start, 1_000));
  // Both deadlines come while the loop is busy: they are expired, but not yet read, when they are changed.
  while (microsSince(bootNow(), start) < 3_000);
  replaced.arm(addMicros(bootNow(), 60_000_000));
  disarmed.arm(undefined);
  past.arm(addMicros(start, -5));
  await vi.waitFor(() => expect(fired).toContain("past"), { interval: 1 });
  expect(fired).toEqual(["past"]);
});

test("a handler may arm the next deadline, and close its own timer", async () => {
  let count = 0;
  const timer = openTimer(() => {
    count++;
    if (count < 5) timer.arm(addMicros(bootNow(), 500));
    else timer.close();
  });
  timer.arm(bootNow());
  await vi.waitFor(() => expect(count).toBe(5), { interval: 1 });
});

test("close gives the descriptor back, twice closing does nothing, a closed timer stays quiet", async () => {
  const before = openDescriptors();
  let fired = 0;
  const timers = Array.from({ length: 50 }, () => openDeadlineTimer(() => fired++));
  expect(openDescriptors().length).toBe(before.length + 50);
  for (const timer of timers) timer.arm(addMicros(bootNow(), 100));
  for (const timer of timers) timer.close();
  for (const timer of timers) timer.close();
  for (const timer of timers) timer.arm(bootNow());
  let later = false;
  openTimer(() => {
    later = true;
  }).arm(addMicros(bootNow(), 2_000));
  await vi.waitFor(() => expect(later).toBe(true), { interval: 1 });
  expect(fired).toBe(0);
  opened.splice(0)[0]?.close();
  expect(openDescriptors()).toEqual(before);
});

test("timers that nobody keeps still fire: they are not collected", async () => {
  let fired = 0;
  const openAndForget = () => openDeadlineTimer(() => fired++).arm(addMicros(bootNow(), 50_000));
  for (let i = 0; i < 20; i++) openAndForget();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let i = 0; i < 5; i++) {
    await new Promise(setImmediate);
    collect();
  }
  await vi.waitFor(() => expect(fired).toBe(20), { interval: 1 });
});

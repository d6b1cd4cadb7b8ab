import { type Instant, instant, micros, secondsToMicros } from "@baton/domain";
import { expect, test } from "vitest";
import { Freshness, type Tracked } from "./freshness.ts";

const second = 1_000_000;
const at = (seconds: number): Instant => instant(1_000 * second + seconds * second);
const script = (name: string, interval: number, timeout: number) => ({
  name,
  interval: secondsToMicros(interval),
  timeout: secondsToMicros(timeout),
});
const tracked = (...scripts: readonly ReturnType<typeof script>[]): Tracked => ({
  scripts,
  trackFiles: [{ name: "load" }],
  trackProcesses: [],
  bfdInstances: [],
});
const chk = { kind: "script", name: "chk" } as const;
const file = { kind: "file", name: "load" } as const;
const is = (tracker: typeof chk | typeof file, stale: boolean) => ({ type: "tracker-stale", ...tracker, stale });

test("a script is stale after three intervals and a timeout, anything else after 5 s", () => {
  const freshness = new Freshness();
  freshness.configure(tracked(script("chk", 4, 2)), at(0));
  expect(freshness.changes(at(5))).toEqual([]);
  expect(freshness.changes(at(5.1))).toEqual([is(file, true)]);
  expect(freshness.changes(at(14))).toEqual([]);
  expect(freshness.changes(at(14.1))).toEqual([is(chk, true)]);
  expect(freshness.changes(at(100))).toEqual([]);
  expect(freshness.stale()).toEqual([is(chk, true), is(file, true)]);
});

test("never sooner than 5 s, however often a script runs", () => {
  const freshness = new Freshness();
  freshness.configure(tracked(script("chk", 0.1, 0.1)), at(0));
  expect(freshness.changes(at(5))).toEqual([]);
  expect(freshness.changes(at(5.1))).toContainEqual(is(chk, true));
});

test("whoever looks again makes it fresh; an older look does not", () => {
  const freshness = new Freshness();
  freshness.configure(tracked(script("chk", 1, 1)), at(0));
  freshness.changes(at(6));
  freshness.confirm(chk, at(0));
  expect(freshness.changes(at(6.1))).toEqual([]);
  freshness.confirm(chk, at(6));
  freshness.confirm({ kind: "script", name: "nobody's" }, at(6));
  expect(freshness.changes(at(6.2))).toEqual([is(chk, false)]);
});

test("a process that did not run heard nobody, which is not the trackers' fault", () => {
  const freshness = new Freshness();
  freshness.configure(tracked(script("chk", 1, 1)), at(0));
  freshness.excuse(micros(10 * second));
  expect(freshness.changes(at(15))).toEqual([]);
  expect(freshness.changes(at(15.1))).toHaveLength(2);
});

test("a reload keeps what is known, and forgets what is tracked no more", () => {
  const freshness = new Freshness();
  freshness.configure(tracked(script("chk", 1, 1)), at(0));
  freshness.changes(at(6));
  freshness.configure(tracked(script("new", 1, 1)), at(6));
  expect(freshness.stale()).toEqual([is(file, true)]);
  expect(freshness.changes(at(10))).toEqual([]);
});

// A dataplane that was not scheduled (SAFETY S2, S10), and elections that come and go (S3 to S5).
import { instant, micros, term } from "@baton/domain";
import { expect, test } from "vitest";
import { eventsOf, holdOf, lastStanding, ofType, Rig, second, theVip, told, typesOf } from "./testing/rig.ts";

const vipHere = [`${theVip}/32`];

test("late by more than half a lease, nothing heard: addresses go first, come back when election confirms, and are announced", () => {
  const rig = new Rig();
  rig.master();
  // It would have looked after 550 ms: late by 750 ms, and not there for 1.3 s.
  rig.stall(1_300_000);
  const woken = rig.feed({ type: "tick" });
  expect(rig.addresses()).toEqual([]);
  expect(eventsOf(woken)).toMatchObject([{ type: "vip-removed", data: { reason: "dataplane-late" } }]);
  expect(lastStanding(woken)).toMatchObject({ standing: "applying", missing: [theVip] });
  const confirmed = rig.frame([holdOf()]);
  expect(rig.addresses()).toEqual(vipHere);
  expect(typesOf(confirmed).slice(0, 3)).toEqual(["change-addresses", "announce", "answer"]);
  expect(lastStanding(confirmed)).toMatchObject({ standing: "held" });
});

test("late, but a young heartbeat was waiting: nothing happens", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(1_300_000);
  // The shell reads what waits before it lets a deadline decide.
  rig.frame([holdOf()], { sentAt: instant(rig.now - 300_000) });
  rig.feed({ type: "tick" });
  expect(told(rig.effects.slice(-3))).not.toContain("vip-removed");
  expect(rig.addresses()).toEqual(vipHere);
});

test("an old heartbeat that waited neither confirms nor adds", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(1_300_000);
  rig.frame([holdOf()], { sentAt: instant(rig.now - 1_100_000) });
  expect(rig.addresses()).toEqual(vipHere);
  rig.feed({ type: "tick" });
  expect(rig.addresses()).toEqual([]);
  // Still too old to be believed.
  rig.frame([holdOf()], { sentAt: instant(rig.now - 1_050_000) });
  expect(rig.addresses()).toEqual([]);
});

test("between waking and the tick nothing is repaired on the word of a lease that may be over", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(1_500_000);
  rig.interfere([{ op: "delete", spec: { ifindex: 2, address: theVip as never, prefixLength: 32 } }]);
  expect(rig.addresses()).toEqual([]);
});

test("a new term over a lease that had ended unnoticed is a takeover, not a resume", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(2_500_000);
  rig.frame([holdOf({ term: term(2) })]);
  expect(rig.core.states()[0]).toMatchObject({ term: 2, lease: "none" });
  const started = rig.see("became-master", { term: 2 });
  expect(ofType(started, "announce")[0]?.burst.reason).toBe("takeover");
});

test("a claim that is older than half its lease when it is read adds nothing until a younger frame", () => {
  const rig = new Rig();
  rig.connect();
  rig.see("became-master");
  rig.frame([holdOf()], { sentAt: instant(rig.now - 1_500_000) });
  rig.pass(10_000);
  expect(rig.addresses()).toEqual([]);
  const believed = rig.frame([holdOf()]);
  expect(rig.addresses()).toEqual(vipHere);
  expect(ofType(believed, "announce")[0]?.burst.reason).toBe("takeover");
});

test("a claim whose lease was over before it was read is refused", () => {
  const rig = new Rig();
  rig.connect();
  const read = rig.frame([holdOf()], { sentAt: instant(rig.now - 2 * second) });
  expect(lastStanding(read)).toMatchObject({ standing: "refused" });
});

test("a frame from the future counts from now", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([holdOf()], { sentAt: instant(rig.now + 3_600 * second) });
  rig.pass(2 * second);
  expect(rig.addresses()).toEqual([]);
});

test("a second burst that fell due during a stall is not sent before election has been heard", () => {
  const rig = new Rig();
  rig.master();
  rig.heartbeats([holdOf()], 4_800_000);
  rig.stall(5_000_000);
  // What waited in the stream: old frames first, then that it is over.
  const read = rig.frame([holdOf()], { sentAt: instant(rig.now - 4_900_000) });
  expect(ofType(read, "announce")).toEqual([]);
  rig.frame([]);
  rig.feed({ type: "tick" });
  expect(ofType(rig.pass(10 * second), "announce")).toEqual([]);
});

test("a second burst in doubt is put off until the doubt is over", () => {
  const rig = new Rig();
  rig.master();
  rig.heartbeats([holdOf()], 4_800_000);
  rig.pass(100_000);
  rig.frame([holdOf()], { sentAt: instant(rig.now - 1_100_000) });
  expect(ofType(rig.pass(500_000), "announce")).toEqual([]);
  rig.frame([holdOf()]);
  expect(ofType(rig.pass(200_000), "announce")).toMatchObject([{ burst: { reason: "second-burst" } }]);
});

test("no renewal is sent while late, nor after the end of the lease", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(1_900_000);
  const woken = rig.frame([], { stream: 9 });
  expect(ofType(woken, "renew-addresses")).toEqual([]);
});

test("the stream breaks: the lease lives on until it expires", () => {
  const rig = new Rig();
  rig.master();
  rig.feed({ type: "stream-closed", stream: 1 });
  rig.pass(1_900_000);
  expect(rig.addresses()).toEqual(vipHere);
  rig.pass(100_000);
  expect(rig.addresses()).toEqual([]);
});

test("a restarted election resumes: greeted with what is known, no packet lost, nobody told twice", () => {
  const rig = new Rig();
  rig.master(holdOf({ term: term(4) }));
  rig.feed({ type: "stream-closed", stream: 1 });
  rig.pass(300_000);
  const greeted = rig.connect(2);
  expect(greeted).toMatchObject([
    { type: "greet", stream: 2, leases: [{ lease: "VI_1", highestTerm: 4, live: true, lastClaim: { term: 4 } }] },
  ]);
  const resumed = rig.frame([holdOf({ term: term(5) })], { stream: 2 });
  expect(typesOf(resumed)).toEqual(["answer"]);
  expect(lastStanding(resumed)).toMatchObject({ standing: "held", term: 5 });
  const later = rig.heartbeats([holdOf({ term: term(5) })], 4 * second, { stream: 2 });
  expect(ofType(later, "announce").map(({ burst }) => burst.reason)).toEqual([]);
  expect(rig.addresses()).toEqual(vipHere);
});

test("a new stream must take a new term", () => {
  const rig = new Rig();
  rig.master(holdOf({ term: term(4) }));
  rig.connect(2);
  const refused = rig.frame([holdOf({ term: term(4) })], { stream: 2 });
  expect(lastStanding(refused)).toMatchObject({ standing: "refused", error: "term 4 is not above 4" });
  expect(told(refused)).toEqual(["claim-refused"]);
  // Refused is not released: the lease of the term before lives until it expires.
  expect(rig.addresses()).toEqual(vipHere);
});

test("a newer stream ends the older one, whose frames count no more", () => {
  const rig = new Rig();
  rig.master();
  expect(typesOf(rig.connect(2))).toEqual(["end-stream", "greet"]);
  expect(rig.frame([holdOf({ state: "release" })], { stream: 1 })).toEqual([]);
  rig.feed({ type: "stream-closed", stream: 1 });
  expect(rig.addresses()).toEqual(vipHere);
  // The new one may not have looked at the lease yet: silence does not end it, time does.
  rig.frame([], { stream: 2 });
  expect(rig.addresses()).toEqual(vipHere);
  rig.heartbeats([], 2 * second, { stream: 2 });
  expect(rig.addresses()).toEqual([]);
});

test("a restarted election that does not resume releases under a term of its own", () => {
  const rig = new Rig();
  rig.master(holdOf({ term: term(4) }));
  rig.connect(2);
  const released = rig.frame([holdOf({ term: term(5), state: "release" })], { stream: 2 });
  expect(rig.addresses()).toEqual([]);
  expect(lastStanding(released)).toMatchObject({ standing: "released", term: 5 });
});

test("a short lease is watched often enough to notice half of it", () => {
  const rig = new Rig();
  rig.master(holdOf({ length: micros(1 * second) }));
  expect((rig.armed ?? Number.NaN) - rig.now).toBeLessThan(500_000);
  const first = rig.armed ?? Number.NaN;
  rig.pass(400_000);
  expect((rig.armed ?? Number.NaN) - rig.now).toBeLessThan(500_000);
  expect(rig.armed).toBeGreaterThan(first);
});

test("each frame of election puts the look at the clock off until after the next one", () => {
  const rig = new Rig();
  rig.master();
  rig.pass(510_000);
  rig.frame([holdOf()]);
  expect((rig.armed ?? Number.NaN) - rig.now).toBe(550_000);
});

test("nobody holds anything: nothing is armed", () => {
  const rig = new Rig();
  rig.connect();
  rig.frame([]);
  rig.pass(3 * second);
  expect(rig.armed).toBeUndefined();
});

test("the node stops: what is left goes", () => {
  const rig = new Rig();
  rig.master();
  const stopped = rig.feed({ type: "stopped", reason: "SIGTERM" });
  expect(rig.addresses()).toEqual([]);
  expect(eventsOf(stopped)).toMatchObject([{ type: "vip-removed", data: { reason: "stopped" } }]);
});

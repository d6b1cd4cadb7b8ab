// The core against a kernel in memory: which effects, in which order, follow from claims, events, time and kernel.
import { micros, term } from "@baton/domain";
import { expect, test } from "vitest";
import { causeOf, eventsOf, holdOf, lastStanding, ofType, Rig, second, theVip, told, typesOf } from "./testing/rig.ts";

test("claim and event: the address in one batch, then the burst, then the answer, then history", () => {
  const rig = new Rig();
  rig.connect();
  const claimed = rig.frame([holdOf()]);
  expect(typesOf(claimed)).toEqual([]);
  rig.stall(300);
  const started = rig.see("became-master");
  expect(typesOf(started)).toEqual(["change-addresses", "announce", "answer", "report", "report"]);
  expect(lastStanding(started)).toMatchObject({ standing: "held", present: [theVip], missing: [], term: 1 });
  expect(ofType(started, "announce")[0]?.burst).toMatchObject({ addresses: [theVip], repeat: 5, reason: "takeover" });
  expect(eventsOf(started)).toMatchObject([
    { type: "vip-added", data: { instance: "VI_1", address: theVip, interface: "eth0", term: 1, elapsedMicros: 300 } },
    { type: "garp-sent", data: { addresses: [theVip], count: 5, elapsedMicros: 300, reason: "takeover" } },
  ]);
  expect(ofType(started, "report").map(({ cause }) => cause?.id)).toEqual(["became-master-1", "became-master-1"]);
  expect(rig.infoOf(theVip)).toMatchObject({ protocol: 0xba, validLifetime: 4 });
});

test("a claim that names its event waits for nothing: whoever claims has appended it", () => {
  const rig = new Rig();
  rig.connect();
  const started = rig.frame([holdOf({ cause: causeOf("became-master-1") })]);
  expect(typesOf(started)).toEqual(["change-addresses", "announce", "answer", "report", "report"]);
  expect(ofType(started, "report").map(({ cause }) => cause?.id)).toEqual(["became-master-1", "became-master-1"]);
  // The event itself comes later, and is no news.
  expect(typesOf(rig.see("became-master"))).toEqual([]);
  expect(rig.addresses()).toHaveLength(1);
});

test("the first answer waits for the event, at most two milliseconds", () => {
  const rig = new Rig();
  rig.connect();
  const sentAt = rig.now;
  rig.frame([holdOf()]);
  expect(ofType(rig.pass(1_999), "answer")).toEqual([]);
  expect(ofType(rig.pass(1), "answer")).toMatchObject([{ sequence: 1, sentAt, leases: [{ standing: "held" }] }]);
});

test("an unsolicited answer carries sequence 0 and echoes the last frame's time", () => {
  const rig = new Rig();
  rig.master();
  const [first] = ofType(rig.frame([holdOf()]), "answer");
  rig.stall(500);
  const [ended] = ofType(rig.see("entered-fault"), "answer");
  expect(ended).toMatchObject({ sequence: 0, sentAt: first?.sentAt });
});

test("the event may come first", () => {
  const rig = new Rig();
  rig.connect();
  expect(typesOf(rig.see("became-master"))).toEqual([]);
  expect(rig.addresses()).toEqual([]);
  const started = rig.frame([holdOf()]);
  expect(typesOf(started)).toEqual(["change-addresses", "announce", "answer", "report", "report"]);
  // One answer for the frame, with what was read back.
  expect(ofType(started, "answer")).toMatchObject([{ sequence: 1, leases: [{ standing: "held" }] }]);
});

test("a claim without its event starts after two milliseconds", () => {
  const rig = new Rig();
  rig.connect();
  rig.frame([holdOf()]);
  rig.pass(1_999);
  expect(rig.addresses()).toEqual([]);
  expect(told(rig.pass(1))).toEqual(["vip-added", "garp-sent"]);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("an event without a claim adds nothing, and is refused and counted", () => {
  const rig = new Rig();
  rig.connect();
  rig.see("became-master", { term: 7 });
  const refused = rig.pass(2 * second);
  expect(rig.addresses()).toEqual([]);
  expect(eventsOf(refused)).toEqual([
    { type: "claim-refused", data: { instance: "VI_1", term: 7, reason: "became-master without a claim" } },
  ]);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "vrrp.claims.refused", value: 1 }));
});

test("an event for an instance that nobody knows is counted, and makes no aggregate", () => {
  const rig = new Rig();
  rig.see("became-master", { instance: "nobody" });
  expect(told(rig.pass(2 * second))).toEqual([]);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "vrrp.claims.refused", value: 1 }));
});

test("an event that is older than this process is history", () => {
  const rig = new Rig();
  const before = rig.now;
  rig.pass(10);
  rig.see("became-master", { term: 3, at: (before - 1) as typeof before });
  expect(told(rig.pass(2 * second))).toEqual([]);
});

test("heartbeats keep the address, and renew its lifetime in the kernel", () => {
  const rig = new Rig();
  rig.master();
  const effects = rig.heartbeats([holdOf()], 20 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  expect(ofType(effects, "change-addresses")).toEqual([]);
  const renewals = ofType(effects, "renew-addresses");
  // Nobody reports an advert here: every third of the four seconds.
  expect(renewals.length).toBeGreaterThanOrEqual(14);
  expect(renewals[0]?.specs).toMatchObject([{ address: theVip, prefixLength: 32, validLifetime: 4, protocol: 0xba }]);
  expect(told(effects)).toEqual(["garp-sent"]);
  expect(eventsOf(effects)[0]?.data).toMatchObject({ reason: "second-burst" });
  expect(ofType(effects, "answer").every(({ leases }) => leases[0]?.standing === "held")).toBe(true);
});

test("the kernel's lease is renewed in the step that reports an advert, and not with every heartbeat", () => {
  const rig = new Rig();
  rig.master();
  const renewed: string[] = [];
  for (let interval = 0; interval < 5; interval++) {
    const lastAdvertAt = rig.now;
    const claim = holdOf({ memory: { ...holdOf().memory, lastAdvertAt } });
    for (const heartbeat of ["with the advert", "after it", "later", "last"]) {
      const effects = rig.frame([claim]);
      if (ofType(effects, "renew-addresses").length > 0) renewed.push(heartbeat);
      rig.pass(second / 4);
    }
  }
  // The first interval began with the takeover itself.
  expect(renewed).toEqual(Array(4).fill("with the advert"));
});

test("silence for a lease: the addresses go, and the story is told with its cause", () => {
  const rig = new Rig();
  rig.master(holdOf({ cause: causeOf("became-master-1") }));
  rig.pass(2 * second - 1);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  const expired = rig.pass(2);
  expect(rig.addresses()).toEqual([]);
  const reports = ofType(expired, "report");
  expect(reports).toMatchObject([{ chained: true, cause: { id: "became-master-1" } }]);
  expect(eventsOf(expired)).toMatchObject([
    { type: "lease-expired", data: { instance: "VI_1", term: 1, silentMs: 2_000 } },
    { type: "vip-removed", data: { address: theVip, reason: "lease-expired", term: 1 } },
  ]);
  expect(rig.core.states()[0]).toMatchObject({ lease: "expired", addresses: [{ present: false }] });
});

test("a lease that has expired does not come back under its term", () => {
  const rig = new Rig();
  rig.master();
  rig.pass(3 * second);
  const late = rig.frame([holdOf()]);
  expect(lastStanding(late)).toMatchObject({ standing: "refused", error: expect.stringContaining("lease-expired") });
  expect(told(late)).toEqual(["claim-refused"]);
  expect(told(rig.frame([holdOf()]))).toEqual([]);
  expect(rig.addresses()).toEqual([]);
  rig.frame([holdOf({ term: term(2) })]);
  expect(lastStanding(rig.pass(2_000))).toMatchObject({ standing: "held" });
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("a frame sent after its lease's end does not renew it, even if we had not noticed", () => {
  const rig = new Rig();
  rig.master();
  rig.stall(2 * second + 500);
  expect(lastStanding(rig.frame([holdOf()]))).toMatchObject({ standing: "refused" });
  expect(rig.addresses()).toEqual([]);
});

test("released: gone at once, told when its event has come", () => {
  const rig = new Rig();
  rig.master();
  const released = rig.frame([holdOf({ state: "release" })]);
  expect(rig.addresses()).toEqual([]);
  expect(lastStanding(released)).toMatchObject({ standing: "released", present: [] });
  expect(told(released)).toEqual([]);
  const explained = rig.see("became-backup", { id: "became-backup-1" });
  expect(ofType(explained, "report")).toMatchObject([
    { cause: { id: "became-backup-1" }, span: { name: "address.remove" }, events: [{ type: "vip-removed" }] },
  ]);
});

test("a claim that is no longer named is released; without an explanation it is told anyway", () => {
  const rig = new Rig();
  rig.master(holdOf({ cause: causeOf("became-master-1") }));
  rig.frame([]);
  expect(rig.addresses()).toEqual([]);
  const later = rig.pass(20_000);
  expect(ofType(later, "report")).toMatchObject([{ cause: { id: "became-master-1" } }]);
  expect(eventsOf(later)).toMatchObject([{ type: "vip-removed", data: { reason: "not-claimed" } }]);
});

test.each(["became-backup", "entered-fault"] as const)("%s of the held term removes by itself", (type) => {
  const rig = new Rig();
  rig.master();
  // Its stream has ended: no claim comes any more.
  rig.feed({ type: "stream-closed", stream: 1 });
  const removed = rig.see(type);
  expect(rig.addresses()).toEqual([]);
  expect(eventsOf(removed)).toMatchObject([{ type: "vip-removed", data: { reason: type } }]);
});

test("entered-fault of the held term: the frame that was under way is not news to anybody", () => {
  const rig = new Rig();
  rig.master();
  rig.see("entered-fault");
  expect(rig.addresses()).toEqual([]);
  const late = rig.frame([holdOf()]);
  expect(lastStanding(late)).toMatchObject({ standing: "refused" });
  expect(told(late)).toEqual([]);
});

test("became-backup before its claim: silent at once, kept until the claim says how it goes", () => {
  const rig = new Rig();
  rig.master();
  rig.see("became-backup");
  expect([...rig.silenced]).toEqual(["192.0.2.1"]);
  // A frame that was under way changes nothing.
  rig.frame([holdOf({ announce: 7 })]);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  expect(rig.silenced.size).toBe(1);
  rig.frame([holdOf({ state: "leaving", successorHeard: true })]);
  rig.heartbeats([holdOf({ state: "leaving", successorHeard: true })], 1.5 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  rig.heartbeats([holdOf({ state: "leaving", successorHeard: true })], 0.6 * second);
  expect(rig.addresses()).toEqual([]);
  expect(rig.silenced.size).toBe(0);
});

test("became-backup whose claim never comes: gone after a second, with its story", () => {
  const rig = new Rig();
  rig.master();
  rig.see("became-backup", { id: "became-backup-1" });
  rig.heartbeats([holdOf()], 0.9 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  const gone = rig.pass(0.2 * second);
  expect(rig.addresses()).toEqual([]);
  expect(ofType(gone, "report")).toMatchObject([
    { cause: { id: "became-backup-1" }, events: [{ type: "vip-removed", data: { reason: "became-backup" } }] },
  ]);
});

test("an event of another term removes nothing", () => {
  const rig = new Rig();
  rig.master(holdOf({ term: term(5) }));
  rig.see("became-backup", { term: 4 });
  rig.see("entered-fault", { term: 6 });
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("silent: kept and renewed, not added; holding again lets it answer and announces", () => {
  const rig = new Rig();
  rig.master();
  const silent = rig.frame([holdOf({ state: "silent" })]);
  expect(typesOf(silent)).toEqual(["silence", "answer"]);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  rig.heartbeats([holdOf({ state: "silent" })], 10 * second);
  expect(rig.infoOf(theVip)).toBeDefined();
  const again = rig.frame([holdOf({ announce: 1, announceReason: "late" })]);
  expect(typesOf(again)).toEqual(["unsilence", "announce", "answer", "report"]);
  expect(ofType(again, "announce")[0]?.burst).toMatchObject({ reason: "late", repeat: 5 });
});

test("silent under a new term adds nothing that is not there", () => {
  const rig = new Rig();
  rig.connect();
  const answered = rig.frame([holdOf({ state: "silent" })]);
  rig.pass(10_000);
  expect(rig.addresses()).toEqual([]);
  expect(lastStanding(answered)).toMatchObject({ standing: "applying", missing: [theVip] });
});

test("announce rises: one more burst, and its second; lower priority uses its own settings", () => {
  const rig = new Rig();
  rig.master();
  rig.heartbeats([holdOf()], 6 * second);
  const asked = rig.frame([holdOf({ announce: 1, announceReason: "lower-priority-advert" })]);
  expect(ofType(asked, "announce")).toMatchObject([{ burst: { reason: "lower-priority-advert", repeat: 5 } }]);
  expect(ofType(rig.frame([holdOf({ announce: 1 })]), "announce")).toEqual([]);
});

test("a claim with nonsense is refused", () => {
  const rig = new Rig();
  rig.connect();
  expect(lastStanding(rig.frame([holdOf({ instances: [] })]))).toMatchObject({ standing: "refused" });
  expect(lastStanding(rig.frame([holdOf({ lease: "x", instances: ["nobody"] })]))).toMatchObject({
    standing: "refused",
    error: "nobody is not in configuration generation 1",
  });
  expect(lastStanding(rig.frame([holdOf({ term: term(0) })]))).toMatchObject({ standing: "refused" });
});

test("a lease length that is too long is not believed", () => {
  const rig = new Rig();
  rig.master(holdOf({ length: micros(3_600 * second) }));
  rig.pass(11 * second);
  expect(rig.addresses()).toEqual([]);
});

// What others do to the kernel, what an earlier run left, and what may never be touched (SAFETY S9, S10, S16).
import { micros, secondsToMicros, term } from "@baton/domain";
import { expect, test } from "vitest";
import {
  desired,
  eventsOf,
  holdOf,
  instanceConfig,
  ip,
  lastStanding,
  link,
  ofType,
  oneInstance,
  Rig,
  second,
  theVip,
  told,
  typesOf,
  vip,
} from "./testing/rig.ts";

const vipHere = [`${theVip}/32`];
const theSpec = { ifindex: 2, address: ip(theVip), prefixLength: 32 };
const ownSpec = { ifindex: 2, address: ip("192.0.2.250"), prefixLength: 24 };

test("an address that somebody removes comes back at once, is told, counted and announced", () => {
  const rig = new Rig();
  rig.master();
  const repaired = rig.interfere([{ op: "delete", spec: theSpec }]);
  expect(rig.addresses()).toEqual(vipHere);
  expect(typesOf(repaired).slice(0, 2)).toEqual(["read-addresses", "change-addresses"]);
  expect(eventsOf(repaired)).toMatchObject([
    { type: "drift-repaired", data: { address: theVip, kind: "missing", term: 1 } },
    { type: "garp-sent", data: { reason: "drift-repaired" } },
  ]);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "address.drift", value: 1 }));
});

test("the kernel's word for what is as it should be, or somebody else's, calls for nothing at all", () => {
  const rig = new Rig();
  rig.master();
  const known = rig.infoOf(theVip);
  if (known === undefined) throw new Error("it is not there");
  const foreign = { ...known, address: ip("192.0.2.77"), protocol: 0 };
  for (const address of [known, foreign]) {
    expect(rig.feed({ type: "addresses-changed", events: [{ type: "set", address }] })).toEqual([]);
  }
  const changed = { ...known, label: "eth0:9" };
  expect(typesOf(rig.feed({ type: "addresses-changed", events: [{ type: "set", address: changed }] }))).toContain(
    "read-addresses",
  );
});

test("one that somebody changes is made anew", () => {
  const config = instanceConfig("VI_1", [vip(`${theVip}/24`, { label: "eth0:0", broadcast: ip("192.0.2.255") })]);
  const rig = new Rig({ desired: desired(1, config) });
  rig.master();
  expect(rig.infoOf(theVip)).toMatchObject({ label: "eth0:0", broadcast: "192.0.2.255", prefixLength: 24 });
  const spec = { ...theSpec, prefixLength: 24 };
  const repaired = rig.interfere([
    { op: "delete", spec },
    { op: "add", spec: { ...spec, label: "eth0:9" } },
  ]);
  expect(rig.infoOf(theVip)).toMatchObject({ label: "eth0:0", broadcast: "192.0.2.255" });
  expect(eventsOf(repaired)[0]).toMatchObject({ type: "drift-repaired", data: { kind: "different" } });
});

test("a tool that removes until nothing is left is not fought: the second repair waits a tenth of a second", () => {
  const rig = new Rig();
  rig.master();
  for (let round = 0; round < 2; round++) rig.interfere([{ op: "delete", spec: theSpec }]);
  expect(rig.addresses()).toEqual([]);
  expect(lastStanding(rig.frame([holdOf()]))).toMatchObject({ standing: "applying", missing: [theVip], error: "" });
  rig.pass(99_999);
  expect(rig.addresses()).toEqual([]);
  rig.pass(1);
  expect(rig.addresses()).toEqual(vipHere);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "address.drift", value: 2 }));
});

test("five repairs in a minute are a war: failed, and left alone until it calms down", () => {
  const rig = new Rig();
  rig.master();
  for (let i = 0; i < 5; i++) {
    rig.interfere([{ op: "delete", spec: theSpec }]);
    rig.pass(100_000);
    rig.frame([holdOf()]);
    expect(rig.addresses()).toEqual(vipHere);
  }
  const sixth = rig.interfere([{ op: "delete", spec: theSpec }]);
  expect(rig.addresses()).toEqual([]);
  expect(told(sixth)).toEqual(["drift-war", "vip-failed"]);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "address.drift.wars", value: 1 }));
  expect(lastStanding(sixth)).toMatchObject({ standing: "failed", error: expect.stringContaining("drift-war") });
  expect(told(rig.heartbeats([holdOf()], 10 * second)).filter((type) => type !== "garp-sent")).toEqual([]);
  rig.heartbeats([holdOf()], 60 * second);
  expect(rig.addresses()).toEqual(vipHere);
});

test("drift.repairs 0: what somebody takes away once is a failure, and comes back with the next lease", () => {
  const rig = new Rig({ desired: { ...oneInstance(), repairsMax: 0 } });
  rig.master();
  const removed = rig.interfere([{ op: "delete", spec: theSpec }]);
  expect(told(removed)).toEqual(["drift-war", "vip-failed"]);
  expect(lastStanding(removed)).toMatchObject({
    standing: "failed",
    error: `${theVip}: drift-war: somebody else takes it away`,
  });
  rig.heartbeats([holdOf()], 10 * second);
  expect(rig.addresses()).toEqual([]);
  rig.frame([]);
  rig.pass(second);
  rig.frame([holdOf({ term: term(9) })]);
  rig.see("became-master", { term: 9 });
  expect(rig.addresses()).toEqual(vipHere);
});

test("drift.repairs 0: a backup still removes what somebody adds", () => {
  const rig = new Rig({ desired: { ...oneInstance(), repairsMax: 0 }, found: [ownSpec] });
  rig.connect();
  rig.frame([]);
  rig.interfere([{ op: "add", spec: theSpec }]);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
});

test("what is foreign is not touched, whatever happens to it", () => {
  const rig = new Rig({ found: [ownSpec] });
  rig.master();
  rig.interfere([{ op: "delete", spec: ownSpec }]);
  rig.interfere([{ op: "add", spec: { ...ownSpec, address: ip("198.51.100.7") } }]);
  rig.frame([]);
  rig.pass(10 * second);
  expect(rig.addresses()).toEqual(["198.51.100.7/24"]);
});

test("a restarted dataplane keeps what it finds, takes it over under a new claim, and renews it at once", () => {
  const rig = new Rig({ found: [ownSpec, { ...theSpec, protocol: 0xba, validLifetime: 3 }] });
  rig.pass(300_000);
  expect(rig.infoOf(theVip)).toBeDefined();
  rig.connect();
  const claimed = rig.frame([holdOf({ term: term(9) })]);
  expect(ofType(claimed, "change-addresses")).toEqual([]);
  const started = rig.see("became-master", { term: 9 });
  expect(lastStanding(started)).toMatchObject({ standing: "held" });
  expect(told(started)).toEqual(["garp-sent"]);
  rig.heartbeats([holdOf({ term: term(9) })], 10 * second);
  expect(rig.infoOf(theVip)).toMatchObject({ validLifetime: 4 });
});

test("a leftover of a killed keepalived, without lifetime, is given one by whoever takes it over", () => {
  const rig = new Rig({ found: [ownSpec, theSpec] });
  const started = rig.master();
  expect(ofType(started, "renew-addresses")[0]?.specs).toMatchObject([{ address: theVip, validLifetime: 4 }]);
  expect(rig.infoOf(theVip)).toMatchObject({ validLifetime: 4, protocol: 0xba });
});

test.each([
  ["of a killed Baton", { ...theSpec, protocol: 0xba, validLifetime: 3 }],
  ["of a killed keepalived", theSpec],
])("a leftover %s is removed when election claims nothing", (_, spec) => {
  const rig = new Rig({ found: [ownSpec, spec] });
  rig.connect();
  const cleaned = rig.frame([]);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
  expect(eventsOf(cleaned)).toMatchObject([{ type: "vip-removed", data: { reason: "leftover" } }]);
});

test("without an election leftovers are kept for one lease", () => {
  const rig = new Rig({ found: [ownSpec, theSpec] });
  rig.pass(1_999_999);
  expect(rig.addresses()).toContain(`${theVip}/32`);
  rig.pass(1);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
});

test("a leftover that no configuration knows any more is ours by its tag, on our interfaces", () => {
  const tagged = { ...theSpec, address: ip("192.0.2.77"), protocol: 0xba, validLifetime: 11 };
  const elsewhere = { ...tagged, ifindex: 3 };
  const rig = new Rig({ links: [link("eth0", 2), link("eth1", 3)], found: [ownSpec, tagged, elsewhere] });
  rig.connect();
  rig.frame([]);
  expect(rig.table.list().filter(({ address }) => address === "192.0.2.77")).toMatchObject([{ ifindex: 3 }]);
});

test("on a backup the address is removed whoever adds it later, as drift", () => {
  const rig = new Rig({ found: [ownSpec] });
  rig.connect();
  rig.frame([]);
  const removed = rig.interfere([{ op: "add", spec: theSpec }]);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
  expect(eventsOf(removed)).toMatchObject([{ type: "drift-repaired", data: { kind: "extra" } }]);
});

test("a war over a backup's address is fought once a second, not at netlink's speed", () => {
  const rig = new Rig({ found: [ownSpec] });
  rig.connect();
  rig.frame([]);
  for (let i = 0; i < 10; i++) rig.interfere([{ op: "add", spec: theSpec }]);
  expect(rig.addresses()).toContain(`${theVip}/32`);
  rig.pass(1_000_001);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
});

test("the interface's own address is never removed, though it is in virtual_ipaddress", () => {
  const config = instanceConfig("VI_1", [vip("192.0.2.250/24"), vip(theVip)]);
  const rig = new Rig({ desired: desired(1, config), found: [ownSpec] });
  rig.master();
  expect(lastStanding(rig.frame([holdOf()]))).toMatchObject({ standing: "held" });
  rig.heartbeats([holdOf()], 10 * second);
  expect(rig.infoOf("192.0.2.250")).toMatchObject({ validLifetime: undefined, protocol: 0 });
  const released = rig.frame([holdOf({ state: "release" })]);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
  expect(lastStanding(released)).toMatchObject({ standing: "released" });
});

test("a label that only our configuration gives makes the first address a leftover all the same", () => {
  const config = instanceConfig("VI_1", [vip(theVip, { label: "eth0:0" })]);
  const rig = new Rig({ desired: desired(1, config), found: [{ ...theSpec, label: "eth0:0" }] });
  rig.connect();
  rig.frame([]);
  expect(rig.addresses()).toEqual([]);
});

test("an owner's addresses get no lifetime; what was there before stays, what we added goes", () => {
  const config = instanceConfig("VI_1", [vip("192.0.2.250/24"), vip("198.51.100.1/24")], { priority: 255 as never });
  const rig = new Rig({ desired: desired(1, config), found: [ownSpec] });
  rig.master();
  rig.heartbeats([holdOf()], 10 * second);
  expect(rig.table.list()).toMatchObject([
    { address: "192.0.2.250", validLifetime: undefined, protocol: 0 },
    { address: "198.51.100.1", validLifetime: undefined, protocol: 0xba },
  ]);
  rig.frame([]);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
});

test("removing a primary does not take another's address with it", () => {
  const config = instanceConfig("VI_1", [vip(`${theVip}/24`)]);
  const rig = new Rig({ desired: desired(1, config) });
  rig.master();
  rig.interfere([{ op: "add", spec: ownSpec }]);
  expect(rig.infoOf("192.0.2.250")?.flags.secondary).toBe(true);
  const removed = rig.frame([]);
  expect(typesOf(removed).slice(0, 2)).toEqual(["promote-secondaries", "change-addresses"]);
});

test("our own secondaries may go with their primary", () => {
  const config = instanceConfig("VI_1", [vip("192.0.2.1/24"), vip("192.0.2.2/24")]);
  const rig = new Rig({ desired: desired(1, config) });
  rig.master();
  const removed = rig.frame([]);
  expect(ofType(removed, "promote-secondaries")).toEqual([]);
  expect(rig.addresses()).toEqual([]);
  expect(told(rig.pass(20_000))).toEqual(["vip-removed", "vip-removed"]);
});

test("the kernel refuses: failed with its reason, told once, tried again with each heartbeat", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [vip(theVip), vip("192.0.2.2")])) });
  rig.kernel.failWith(ip(theVip), "ENOBUFS");
  const failed = rig.master();
  expect(lastStanding(failed)).toMatchObject({
    standing: "failed",
    present: ["192.0.2.2"],
    missing: [theVip],
    error: expect.stringContaining("ENOBUFS"),
  });
  expect(told(failed)).toEqual(["vip-added", "vip-failed", "garp-sent"]);
  const still = rig.heartbeats([holdOf()], 2 * second);
  expect(told(still)).toEqual([]);
  expect(ofType(still, "change-addresses").length).toBeGreaterThanOrEqual(5);
  rig.kernel.failWith(ip(theVip), undefined);
  const healed = rig.frame([holdOf()]);
  expect(lastStanding(healed)).toMatchObject({ standing: "held" });
  expect(told(healed)).toEqual(["vip-added", "garp-sent"]);
  expect(ofType(healed, "announce")[0]?.burst.addresses).toEqual([theVip]);
});

test("no such interface: failed, and added as soon as it is there", () => {
  const rig = new Rig({ links: [] });
  expect(lastStanding(rig.master())).toMatchObject({ standing: "failed", error: expect.stringContaining("eth0") });
  expect(rig.core.states()[0]?.addresses[0]).toMatchObject({ present: false, error: expect.stringMatching(/^ENODEV/) });
});

test("without kernel leases addresses are for ever, and found lifetimes are taken off", () => {
  const rig = new Rig({
    desired: { ...desired(1, instanceConfig("VI_1", [vip("10.1.0.0"), vip("10.1.0.1")])), kernelLease: false },
    found: [{ ifindex: 2, address: ip("10.1.0.0"), prefixLength: 32, protocol: 0xba, validLifetime: 3 }],
  });
  rig.master();
  rig.heartbeats([holdOf()], 4 * second);
  expect(rig.table.list()).toMatchObject([{ validLifetime: undefined }, { validLifetime: undefined }]);
});

test("what an earlier process silenced stays silent until election decides", () => {
  const found = [ownSpec, { ...theSpec, protocol: 0xba, validLifetime: 3 }];
  const rig = new Rig({ found, silenced: [ip(theVip)] });
  rig.pass(100_000);
  expect(rig.silenced.size).toBe(1);
  rig.connect();
  rig.frame([holdOf({ state: "leaving", successorHeard: true, term: term(3) })]);
  expect(rig.silenced.size).toBe(1);
  rig.heartbeats([holdOf({ state: "leaving", successorHeard: true, term: term(3) })], 2 * second);
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
  expect(rig.silenced.size).toBe(0);
});

test("what was silenced and is not there any more may answer again", () => {
  const rig = new Rig({ silenced: [ip(theVip), ip("203.0.113.9")] });
  expect(rig.silenced.size).toBe(0);
});

test("IPv6: no duplicate detection, deprecated from the start as /128; a failed detection is a failure", () => {
  const whole = { ...vip("2001:db8::1"), preferredLifetime: micros(0) };
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [whole], { family: 6 })) });
  expect(ofType(rig.master(), "announce")).toEqual([]);
  expect(rig.infoOf("2001:db8::1")).toMatchObject({ flags: { noDad: true }, preferredLifetime: 0, validLifetime: 4 });
  const info = rig.infoOf("2001:db8::1");
  if (info === undefined) throw new Error("no address");
  // The kernel tells of the address once it has its routes; before, nobody is to be called.
  const announced = ofType(
    rig.feed({ type: "addresses-changed", events: [{ type: "set", address: info }] }),
    "announce",
  );
  expect(announced).toMatchObject([{ burst: { addresses: ["2001:db8::1"], reason: "takeover" } }]);
  const failed = { ...info, flags: { ...info.flags, dadFailed: true } };
  rig.feed({ type: "addresses-read", addresses: [failed] });
  expect(lastStanding(rig.frame([holdOf()]))).toMatchObject({
    standing: "failed",
    error: expect.stringContaining("dad"),
  });
});

test("IPv6: an event that never comes keeps nobody waiting", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [vip("2001:db8::1"), vip("192.0.2.9")])) });
  expect(ofType(rig.master(), "announce")).toEqual([]);
  expect(ofType(rig.pass(49_999), "announce")).toEqual([]);
  const announced = ofType(rig.pass(1), "announce");
  expect(announced).toMatchObject([{ burst: { addresses: ["2001:db8::1", "192.0.2.9"], reason: "takeover" } }]);
});

test("IPv6: -nodad leaves duplicate detection to the kernel; preferred as long as it is there, or as long as asked", () => {
  const asked = { ...vip("2001:db8::1/64"), detectDuplicates: true };
  const short = { ...vip("2001:db8::2/64"), preferredLifetime: secondsToMicros(2) };
  const long = { ...vip("2001:db8::3/64"), preferredLifetime: secondsToMicros(3_600) };
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [asked, short, long], { family: 6 })) });
  rig.master();
  expect(rig.infoOf("2001:db8::1")).toMatchObject({ flags: { noDad: false }, preferredLifetime: 4 });
  expect(rig.infoOf("2001:db8::2")).toMatchObject({ preferredLifetime: 2, validLifetime: 4 });
  expect(rig.infoOf("2001:db8::3")).toMatchObject({ preferredLifetime: 4, validLifetime: 4 });
});

test("a link without ARP, or without a MAC, is not announced on", () => {
  const rig = new Rig({ links: [link("eth0", 2, { noArp: true })] });
  const started = rig.master();
  expect(ofType(started, "announce")).toEqual([]);
  expect(told(started)).toEqual(["vip-added"]);
});

test("refresh repeats by the clock, counted and not told", () => {
  const garp = { ...instanceConfig("x", []).garp, delay: micros(0), refresh: micros(10 * second), refreshRepeat: 2 };
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [vip(theVip)], { garp })) });
  rig.master();
  const effects = rig.heartbeats([holdOf()], 35 * second);
  expect(ofType(effects, "announce").map(({ burst }) => burst.reason)).toEqual(["refresh", "refresh", "refresh"]);
  expect(told(effects)).toEqual([]);
  expect(rig.core.counters()).toContainEqual(expect.objectContaining({ name: "garp.sent", value: 5 + 6 }));
});

test("an unchanged configuration changes nothing", () => {
  const rig = new Rig();
  rig.master();
  rig.heartbeats([holdOf()], 6 * second);
  rig.feed({ type: "configured", desired: oneInstance(2) });
  const effects = rig.frame([holdOf()], { configGeneration: 2 });
  expect(typesOf(effects)).toEqual(["answer"]);
});

test("renewals of one address ask with one object, which is encoded once; another lifetime makes another", () => {
  const rig = new Rig();
  rig.master();
  const specs = ofType(rig.heartbeats([holdOf()], 10 * second), "renew-addresses").flatMap((each) => each.specs);
  expect(specs.length).toBeGreaterThan(2);
  expect(new Set(specs).size).toBe(1);
  const slower = instanceConfig("VI_1", [vip(theVip)], { advertInterval: micros(4 * second) });
  rig.feed({ type: "configured", desired: desired(2, slower) });
  rig.frame([holdOf()], { configGeneration: 2 });
  const after = ofType(rig.heartbeats([holdOf()], 20 * second), "renew-addresses").flatMap((each) => each.specs);
  expect(after.at(-1)?.validLifetime).toBeGreaterThan(specs[0]?.validLifetime ?? 0);
});

// Reload under a running lease (SAFETY S18), and leases that cover several instances.
import { term } from "@baton/domain";
import { expect, test } from "vitest";
import {
  causeOf,
  desired,
  eventsOf,
  holdOf,
  instanceConfig,
  ip,
  lastStanding,
  ofType,
  Rig,
  second,
  told,
  typesOf,
  vip,
} from "./testing/rig.ts";

const one = vip("192.0.2.1");
const two = vip("192.0.2.2");
const three = vip("192.0.2.3");

/** A settled master: the second burst is over. */
function settled(...addresses: ReturnType<typeof vip>[]): Rig {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", addresses)) });
  rig.master();
  rig.heartbeats([holdOf()], 6 * second);
  return rig;
}

test("an address more: added when election takes the generation, told by vip-added alone", () => {
  const rig = settled(one);
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [one, two])) });
  rig.heartbeats([holdOf()], 2 * second);
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
  const applied = rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32", "192.0.2.2/32"]);
  expect(typesOf(applied)).toEqual(["change-addresses", "announce", "answer", "report"]);
  expect(told(applied)).toEqual(["vip-added"]);
  expect(ofType(applied, "announce")).toMatchObject([{ burst: { addresses: ["192.0.2.2"], reason: "reload" } }]);
  expect(lastStanding(applied)).toMatchObject({ standing: "held", present: ["192.0.2.1", "192.0.2.2"] });
  const after = rig.heartbeats([holdOf()], 6 * second, { configGeneration: 2 });
  expect(told(after)).toEqual([]);
  expect(ofType(after, "announce")).toMatchObject([{ burst: { addresses: ["192.0.2.2"] } }]);
});

test("an address less: removed, nothing else moves", () => {
  const rig = settled(one, two);
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [one])) });
  const applied = rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
  expect(eventsOf(applied)).toMatchObject([
    { type: "vip-removed", data: { instance: "VI_1", address: "192.0.2.2", reason: "not-configured" } },
  ]);
  expect(lastStanding(applied)).toMatchObject({ standing: "held", present: ["192.0.2.1"] });
});

test("another prefix length is another address; the old one goes first", () => {
  const rig = settled(one);
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [vip("192.0.2.1/24")])) });
  const applied = rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/24"]);
  expect(ofType(applied, "change-addresses")[0]?.changes.map(({ op }) => op)).toEqual(["delete", "add"]);
});

test("another label: the address is made anew, as the reload's doing and not as drift", () => {
  const rig = settled(one);
  rig.feed({
    type: "configured",
    desired: desired(2, instanceConfig("VI_1", [vip("192.0.2.1", { label: "eth0:7" })])),
  });
  const applied = rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.infoOf("192.0.2.1")).toMatchObject({ label: "eth0:7" });
  expect(eventsOf(applied)).toMatchObject([{ type: "vip-added", data: { label: "eth0:7" } }]);
});

test("several generations wait: the newest that election has taken", () => {
  const rig = settled(one);
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [one, two])) });
  rig.feed({ type: "configured", desired: desired(3, instanceConfig("VI_1", [one, three])) });
  rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32", "192.0.2.2/32"]);
  rig.frame([holdOf()], { configGeneration: 3 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32", "192.0.2.3/32"]);
});

test("election is ahead: its claim waits for our configuration", () => {
  const rig = new Rig({ desired: desired(1) });
  rig.connect();
  rig.frame([holdOf()], { configGeneration: 2 });
  const early = rig.pass(10_000);
  expect(lastStanding(early)).toMatchObject({ standing: "applying", error: expect.stringContaining("configuration") });
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [one])) });
  rig.frame([holdOf()], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
});

test("nobody holds anything: a new configuration holds at once", () => {
  const rig = new Rig({ found: [{ ifindex: 2, address: ip("192.0.2.250"), prefixLength: 24 }] });
  rig.connect();
  rig.frame([]);
  rig.kernel.interfere([{ op: "add", spec: { ifindex: 2, address: ip("192.0.2.9"), prefixLength: 32 } }]);
  rig.feed({ type: "addresses-read", addresses: rig.table.list() });
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [vip("192.0.2.9")])) });
  expect(rig.addresses()).toEqual(["192.0.2.250/24"]);
});

test("an instance that is gone from the file leaves with its addresses", () => {
  const rig = settled(one);
  rig.feed({ type: "configured", desired: desired(2) });
  rig.frame([holdOf({ state: "leaving" })], { configGeneration: 2 });
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
  rig.frame([holdOf({ state: "leaving", successorHeard: true })], { configGeneration: 2 });
  expect(rig.silenced.size).toBe(1);
  const claims = [holdOf({ state: "leaving", successorHeard: true })];
  const effects = rig.heartbeats(claims, 2 * second, { configGeneration: 2 });
  expect(rig.addresses()).toEqual([]);
  expect(lastStanding(effects)).toMatchObject({ standing: "released" });
  expect(rig.core.states()).toEqual([]);
});

test("new GARP settings hold from then on, without a burst", () => {
  const rig = settled(one);
  const garp = { ...instanceConfig("x", []).garp, refresh: second as never };
  rig.feed({ type: "configured", desired: desired(2, instanceConfig("VI_1", [one], { garp })) });
  expect(typesOf(rig.frame([holdOf()], { configGeneration: 2 }))).toEqual(["answer"]);
  const effects = rig.heartbeats([holdOf()], 3 * second, { configGeneration: 2 });
  expect(ofType(effects, "announce").length).toBeGreaterThanOrEqual(2);
});

test("events keep the order of facts: a removal that waits for its reason is told before what follows it", () => {
  const rig = settled(one);
  rig.frame([holdOf({ state: "release" })]);
  rig.frame([holdOf({ term: term(2) })]);
  const started = rig.see("became-master", { term: 2 });
  expect(told(started)).toEqual(["vip-removed", "vip-added", "garp-sent"]);
});

const group = { lease: "G", instances: ["VI_1", "VI_2"] };
const pair = desired(1, instanceConfig("VI_1", [one]), instanceConfig("VI_2", [two, three]));

test("a sync group is one lease: one batch, one answer, one burst each", () => {
  const rig = new Rig({ desired: pair });
  const effects = rig.master(holdOf(group));
  expect(ofType(effects, "change-addresses")).toHaveLength(1);
  expect(lastStanding(effects)).toMatchObject({
    lease: "G",
    standing: "held",
    present: ["192.0.2.1", "192.0.2.2", "192.0.2.3"],
  });
  expect(ofType(effects, "announce").map(({ burst }) => [burst.instance, burst.addresses])).toEqual([
    ["VI_1", ["192.0.2.1"]],
    ["VI_2", ["192.0.2.2", "192.0.2.3"]],
  ]);
  const expired = rig.pass(2 * second);
  expect(told(expired)).toEqual(["lease-expired", "vip-removed", "lease-expired", "vip-removed", "vip-removed"]);
});

test("two leases are two lives", () => {
  const rig = new Rig({ desired: pair });
  rig.connect();
  const first = holdOf();
  const other = holdOf({ lease: "VI_2", instances: ["VI_2"], term: term(7) });
  rig.frame([first, other]);
  rig.pass(2_000);
  expect(rig.addresses()).toHaveLength(3);
  rig.frame([first, { ...other, state: "release" }]);
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
});

test("a lease that is renamed in one frame keeps its addresses", () => {
  const rig = new Rig({ desired: pair });
  rig.connect();
  rig.frame([holdOf()]);
  rig.pass(2_000);
  const renamed = rig.frame([holdOf({ ...group, term: term(2) })]);
  expect(ofType(renamed, "change-addresses")).toEqual([]);
  rig.pass(2_000);
  expect(rig.addresses()).toHaveLength(3);
});

test("instances that come to a common lease, and part again, keep their addresses, and nobody is told again", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [one]), instanceConfig("VI_2", [two])) });
  const other = holdOf({ lease: "VI_2", instances: ["VI_2"], term: term(7) });
  rig.connect();
  rig.frame([holdOf({ cause: causeOf("one") }), { ...other, cause: causeOf("two") }]);
  rig.heartbeats([holdOf(), other], 6 * second);
  const moving = ["change-addresses", "announce", "report"];
  const common = holdOf({ lease: "G", instances: ["VI_1", "VI_2"], term: term(8), cause: causeOf("group") });
  const joined = [...rig.frame([common]), ...rig.heartbeats([common], 2 * second)];
  expect(typesOf(joined).filter((type) => moving.includes(type))).toEqual([]);
  expect(lastStanding(joined)).toMatchObject({ standing: "held", present: ["192.0.2.1", "192.0.2.2"] });
  const apart = [
    holdOf({ lease: "G", instances: ["VI_1"], term: term(8) }),
    holdOf({ lease: "VI_2", instances: ["VI_2"], term: term(9), cause: causeOf("apart") }),
  ];
  const parted = [...rig.frame(apart), ...rig.heartbeats(apart, 2 * second)];
  expect(typesOf(parted).filter((type) => moving.includes(type))).toEqual([]);
  expect(rig.addresses()).toEqual(["192.0.2.1/32", "192.0.2.2/32"]);
  // The one that stayed in the common lease lets go of its own alone.
  rig.frame(apart.slice(1));
  expect(rig.addresses()).toEqual(["192.0.2.2/32"]);
});

test("an address of two instances goes only when the last of them lets go", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [one]), instanceConfig("VI_2", [one])) });
  rig.connect();
  const [a, b] = [holdOf(), holdOf({ lease: "VI_2", instances: ["VI_2"] })];
  rig.frame([a, b]);
  rig.pass(2_000);
  rig.frame([b]);
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
  rig.frame([]);
  expect(rig.addresses()).toEqual([]);
});

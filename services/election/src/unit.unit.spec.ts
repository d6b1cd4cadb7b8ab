// A sync group as one unit: one claim for all addresses, one event for the group, and what a restart finds.
import { ClaimState, type LeaseClaim, type LeaseRecord, LeaseStanding } from "@baton/contracts";
import { type IpAddress, parseIp, priority, secondsToMicros, term, vrid } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { instanceConfig, syncGroup, virtualAddress } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { unitsOf } from "./config.ts";
import { createCounters } from "./counters.ts";
import type { LeaseClient } from "./effects/lease-client.ts";
import { Unit } from "./unit.ts";

const ip = (text: string): IpAddress => {
  const address = parseIp(text);
  if (address === undefined) throw new Error(text);
  return address;
};
const names = ["inside", "outside"] as const;
const member = (name: string, over: Parameters<typeof instanceConfig>[0] = {}) =>
  instanceConfig({
    name,
    interface: name === "inside" ? "eth1" : "eth0",
    vrid: vrid(name === "inside" ? 52 : 51),
    priority: priority(100),
    addresses: [virtualAddress(name === "inside" ? "10.1.0.100/24" : "10.0.0.100/24")],
    ...over,
  });
const group = syncGroup({ name: "G", members: [...names] });

function stage(over: Partial<Record<string, Parameters<typeof instanceConfig>[0]>> = {}) {
  const host = createTestHost({ service: "election" });
  const claims = new Map<string, LeaseClaim>();
  /** What happened, in order: the order is the contract. */
  const order: string[] = [];
  const leases: LeaseClient = {
    claim: (claim) => {
      if (claims.get(claim.lease)?.state !== claim.state) order.push(`claim ${claim.state}`);
      claims.set(claim.lease, claim);
    },
    forget: (lease) => void claims.delete(lease),
    claimed: (lease) => claims.get(lease),
    connected: () => true,
    advertSent: () => {},
    refreshNow: () => {},
    ran: () => undefined,
    received: () => 0,
    close: () => {},
  };
  const socket = (name: string) => ({
    send: ({ bytes }: { readonly bytes: Uint8Array }) => void order.push(`${name} sends ${bytes[22]}`),
  });
  const members = names.map((name) => member(name, over[name]));
  const parts = {
    host,
    counters: createCounters(),
    leases,
    socket,
    testimonies: { ask: () => {}, deny: () => {} },
    onStepped: () => {},
  };
  const unit = new Unit(parts, { group, members });
  const start = (record?: LeaseRecord) => {
    const startup = { type: "startup", interfaceUp: true, dataplaneConnected: true, recentResumes: 0 } as const;
    const own = (name: string) => (name === "inside" ? ip("10.1.0.1") : ip("10.0.0.1"));
    unit.feed(
      new Map(
        names.map((name) => [
          name,
          { ...startup, resume: unit.resumeOf(record, name), highestTerm: term(0), primaryAddress: own(name) },
        ]),
      ),
    );
  };
  const wait = () => {
    const deadline = unit.deadline();
    if (deadline === undefined) throw new Error("nothing is due");
    host.clock.set(deadline);
    unit.judge(secondsToMicros(0), deadline);
  };
  const lease = "sync-group G";
  const answer = (standing: LeaseStanding) =>
    unit.onLeaseStatus(
      { lease, term: claims.get(lease)?.term ?? 0, standing, present: [], missing: [], error: "" },
      host.now(),
    );
  const kinds = () => unit.states.map(({ kind }) => kind);
  const events = () => host.appended.map(({ event, aggregate }) => `${aggregate.id} ${event.type}`);
  return { host, parts, unit, claims, order, start, wait, answer, kinds, events, claim: () => claims.get(lease) };
}

test("units: groups as they are listed, then who is in none; another membership is another unit", () => {
  const alone = member("alone");
  const instances = [member("outside"), alone, member("inside")];
  const units = unitsOf({ instances, syncGroups: [group, syncGroup({ name: "empty", members: ["nobody"] })] });
  expect(units.map(({ members }) => members.map(({ name }) => name))).toEqual([["inside", "outside"], ["alone"]]);
  expect(units.map((unit) => unit.group?.name)).toEqual(["G", undefined]);
});

test("a takeover: all adverts, one claim for all addresses, the members' events, and one of the group", () => {
  const { start, wait, order, events, claim, host, kinds } = stage();
  start();
  wait();
  expect(kinds()).toEqual(["master", "master"]);
  expect(order).toEqual(["inside sends 100", "outside sends 100", `claim ${ClaimState.HOLD}`]);
  expect(events()).toEqual([
    ...["inside became-backup", "outside became-backup", "G sync-group-changed"],
    ...["inside became-master", "outside became-master", "G sync-group-changed"],
  ]);
  const told = host.appended.at(-1);
  expect(told?.event.data).toMatchObject({ group: "G", state: "master", term: 1, members: names, member: "inside" });
  expect(claim()).toMatchObject({ term: 1, instances: names, eventId: told?.id });
});

test("one link is lost: both say 0, one claim lets all addresses go, and both come back together", () => {
  const { unit, start, wait, answer, order, kinds, claim, host } = stage();
  start();
  wait();
  answer(LeaseStanding.HELD);
  order.length = 0;
  unit.feed(new Map([["inside", { type: "interface-changed", up: false }]]));
  expect(kinds()).toEqual(["fault", "fault"]);
  expect(order).toEqual(["inside sends 0", "outside sends 0", `claim ${ClaimState.RELEASE}`]);
  expect(host.appended.at(-1)?.event).toMatchObject({
    type: "sync-group-changed",
    data: { state: "fault", member: "inside", reason: "interface-down" },
  });
  answer(LeaseStanding.RELEASED);
  expect(claim()).toBeUndefined();
  unit.feed(new Map([["inside", { type: "interface-changed", up: true }]]));
  expect(kinds()).toEqual(["backup", "backup"]);
  wait();
  expect(kinds()).toEqual(["master", "master"]);
  expect(claim()?.term).toBeGreaterThan(1);
});

test("a lease that dataplane cannot hold is lost for all", () => {
  const { start, wait, answer, kinds } = stage();
  start();
  wait();
  answer(LeaseStanding.FAILED);
  expect(kinds()).toEqual(["fault", "fault"]);
});

test("the frame of a group says what is least in its favour", () => {
  const { unit, start, wait, answer, claim, host } = stage({ inside: { priority: priority(90) } });
  start();
  // The stronger one's time comes first, and waits for that of the other.
  while (claim() === undefined) wait();
  answer(LeaseStanding.HELD);
  const first = host.now();
  const sent = claim();
  if (sent === undefined) throw new Error("no claim");
  expect(unit.refreshClaim(sent)).toMatchObject({ priority: 90, lastAdvertAt: first });
});

test("a restarted election goes on with the whole group, under a new term", () => {
  const before = stage();
  before.start();
  before.wait();
  before.answer(LeaseStanding.HELD);
  const lastClaim = before.unit.refreshClaim(before.claim() ?? expect.fail("no claim"));
  const after = stage();
  after.host.clock.set(before.host.now());
  const expiresAt = before.host.now() + 1_000_000;
  const record = { lease: "sync-group G", highestTerm: 1, live: true, expiresAt, lastClaim };
  after.start(record);
  expect(after.kinds()).toEqual(["master", "master"]);
  expect(after.claim()).toMatchObject({ term: 2, state: ClaimState.HOLD, instances: names });
  // Where members differ, the remembered priority is nobody's own.
  const uneven = stage({ inside: { priority: priority(90) } });
  expect([after.unit.resumeOf(record, "inside")?.priority, uneven.unit.resumeOf(record, "inside")?.priority]).toEqual([
    100, 0,
  ]);
});

test("leaving: both say 0, the addresses stay under one claim until both are done", () => {
  const { unit, start, wait, answer, order, kinds, claims, host } = stage();
  start();
  wait();
  answer(LeaseStanding.HELD);
  order.length = 0;
  unit.feedAll({ type: "shutdown", reason: "stop" });
  expect(kinds()).toEqual(["leaving", "leaving"]);
  expect(order).toEqual(["inside sends 0", "outside sends 0", `claim ${ClaimState.LEAVING}`]);
  answer(LeaseStanding.RELEASED);
  expect(unit.stopped).toBe(true);
  expect(claims.size).toBe(0);
  expect(host.appended.at(-1)?.event).toMatchObject({ type: "sync-group-changed", data: { state: "stopped" } });
});

test("a reload puts two masters into a group: one claim under a new term, and no advert says that anybody leaves", () => {
  const { parts, claims, order, host } = stage();
  const alone = names.map((name) => {
    const unit = new Unit(parts, { group: undefined, members: [member(name)] });
    const startup = { type: "startup", interfaceUp: true, dataplaneConnected: true, recentResumes: 0 } as const;
    unit.feedAll({ ...startup, resume: undefined, highestTerm: term(3), primaryAddress: ip("10.0.0.1") });
    const deadline = unit.deadline() ?? expect.fail("nothing is due");
    host.clock.set(deadline);
    unit.judge(secondsToMicros(0), deadline);
    return unit;
  });
  expect([...claims.keys()]).toEqual(names);
  order.length = 0;
  const veterans = new Map(alone.map((unit, index) => [names[index] ?? "", unit.veteran(names[index] ?? "")]));
  const members = { group, members: names.map((name) => member(name)) };
  const together = new Unit(parts, members, { veterans, story: undefined });
  together.goOn(members, term(11));
  expect(order).toEqual([`claim ${ClaimState.HOLD}`]);
  expect(claims.get("sync-group G")).toMatchObject({ term: 12, instances: names });
  const told = host.appended.slice(-3).map(({ event, aggregate }) => [aggregate.id, event.type, event.data]);
  expect(told).toMatchObject([
    ["inside", "became-master", { term: 12, reason: "regrouped" }],
    ["outside", "became-master", { term: 12, reason: "regrouped" }],
    ["G", "sync-group-changed", { state: "master", term: 12 }],
  ]);
  // What a member hears reaches its new unit.
  together.feed(new Map([["inside", { type: "interface-changed", up: false }]]));
  expect(together.states.map(({ kind }) => kind)).toEqual(["fault", "fault"]);

  const left = new Unit(
    parts,
    { group: undefined, members: [member("outside")] },
    {
      veterans: new Map([["outside", together.veteran("outside")]]),
      story: undefined,
    },
  );
  left.goOn({ group: undefined, members: [member("outside")] }, term(4));
  // The fault was that of the other one.
  expect(left.states.map(({ kind }) => kind)).toEqual(["backup"]);
});

test("one that leaves a group of masters: the claim covers those that stay, under the same term", () => {
  const { parts, unit, start, wait, claims } = stage();
  start();
  wait();
  const stay = { group, members: [member("inside")] };
  const veterans = new Map([["inside", unit.veteran("inside")]]);
  new Unit(parts, stay, { veterans, story: unit.story }).goOn(stay, undefined);
  expect(claims.get("sync-group G")).toMatchObject({ term: 1, instances: ["inside"], state: ClaimState.HOLD });
});

test("a group that waits for any answer of dataplane goes on asking when a reload changes it", () => {
  const { parts, unit, start, wait, claims, kinds, host } = stage();
  start();
  // Nobody confirms the lease: its end is the end of the mastership.
  for (let turn = 0; turn < 20 && kinds()[0] !== "fault"; turn++) wait();
  expect(unit.states.map(({ reason }) => reason)).toEqual(["dataplane-silent", "dataplane-silent"]);
  const stay = { group, members: [member("inside")] };
  const veterans = new Map([["inside", unit.veteran("inside")]]);
  const left = new Unit(parts, stay, { veterans, story: unit.story });
  left.goOn(stay, undefined);
  const asked = claims.get("sync-group G");
  expect(asked).toMatchObject({ state: ClaimState.RELEASE });
  left.onLeaseStatus(
    {
      lease: "sync-group G",
      term: asked?.term ?? 0,
      standing: LeaseStanding.RELEASED,
      present: [],
      missing: [],
      error: "",
    },
    host.now(),
  );
  expect(left.states.map(({ kind }) => kind)).toEqual(["backup"]);
  expect(claims.size).toBe(0);
});

test("a newcomer in a group of masters is not covered by the claim until it comes along", () => {
  const { parts, unit, start, wait, claims, host } = stage();
  start();
  wait();
  const third = member("third", { vrid: vrid(53), addresses: [virtualAddress("10.2.0.100/24")] });
  const three = { group, members: [...names.map((name) => member(name)), third] };
  const veterans = new Map(names.map((name) => [name, unit.veteran(name)]));
  const grown = new Unit(parts, three, { veterans, story: unit.story });
  grown.goOn(three, undefined);
  expect(grown.unstarted).toEqual(["third"]);
  const startup = { type: "startup", interfaceUp: true, dataplaneConnected: true, recentResumes: 0 } as const;
  const fresh = { ...startup, resume: undefined, highestTerm: term(0), primaryAddress: ip("10.2.0.1") };
  grown.feed(new Map([["third", fresh]]));
  expect(claims.get("sync-group G")?.instances).toEqual(names);
  for (let turn = 0; turn < 20 && grown.states.at(-1)?.kind !== "master"; turn++) {
    grown.onLeaseStatus(
      { lease: "sync-group G", term: 1, standing: LeaseStanding.HELD, present: [], missing: [], error: "" },
      host.now(),
    );
    const deadline = grown.deadline() ?? expect.fail("nothing is due");
    host.clock.set(deadline);
    grown.judge(secondsToMicros(0), deadline);
  }
  expect(claims.get("sync-group G")).toMatchObject({ term: 1, instances: [...names, "third"] });
});

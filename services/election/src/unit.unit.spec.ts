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
    const resume = unit.resumeOf(record);
    const startup = { type: "startup", interfaceUp: true, dataplaneConnected: true, recentResumes: 0 } as const;
    const own = (name: string) => (name === "inside" ? ip("10.1.0.1") : ip("10.0.0.1"));
    unit.feed(
      new Map(names.map((name) => [name, { ...startup, resume, highestTerm: term(0), primaryAddress: own(name) }])),
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
  return { host, unit, claims, order, start, wait, answer, kinds, events, claim: () => claims.get(lease) };
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
  expect([after.unit.resumeOf(record)?.priority, uneven.unit.resumeOf(record)?.priority]).toEqual([100, 0]);
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

import type { LeaseClaim } from "@baton/contracts";
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { type Instant, instant, priority, secondsToMicros, term } from "@baton/domain";
import { createTestHost, type TestHost } from "@baton/host/testing";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { instanceConfig, ip, virtualAddress } from "@baton/keepalived-conf/testing";
import { decodePacket } from "@baton/vrrp";
import { expect, test } from "vitest";
import { createCounters } from "./counters.ts";
import type { LeaseClient } from "./effects/lease-client.ts";
import { Unit } from "./unit.ts";

const config = (base: number): InstanceConfig =>
  instanceConfig({
    priority: priority(base),
    authentication: { type: "pass", password: "secret12" },
    trackScripts: [{ name: "chk", weight: 2, reverse: false }],
    addresses: [virtualAddress("172.16.100.1/16")],
  });

/** A runner on a wire made of an array, with claims in a map: no socket, no dataplane. */
function router(address: string, base: number) {
  const host: TestHost = createTestHost({ service: "election" });
  const wire: Uint8Array[] = [];
  const claims = new Map<string, LeaseClaim>();
  /** What happened, in order: the order is the contract. */
  const order: string[] = [];
  const leases: LeaseClient = {
    claim: (claim) => {
      if (claims.get(claim.lease)?.term !== claim.term) order.push(`claim ${claim.state}`);
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
  const unit = new Unit(
    {
      host,
      counters: createCounters(),
      leases,
      socket: () => ({
        send: ({ bytes }) => {
          order.push(`advert ${bytes[22]}`);
          wire.push(bytes);
        },
      }),
      testimonies: { ask: () => {}, deny: () => {} },
      onStepped: () => {},
    },
    { group: undefined, members: [config(base)] },
  );
  unit.feedAll({
    type: "startup",
    interfaceUp: true,
    primaryAddress: ip(address),
    dataplaneConnected: true,
    resume: undefined,
    highestTerm: term(0),
    recentResumes: 0,
  });
  return { host, wire, claims, order, unit, runner: unit.runner("VI_1") };
}

type Router = ReturnType<typeof router>;

function waitForDeadline({ host, unit }: Router): void {
  const deadline = unit.deadline();
  if (deadline === undefined) throw new Error("no deadline");
  host.clock.set(deadline);
  unit.judge(secondsToMicros(0), deadline);
}

function confirm({ host, unit, claims }: Router): void {
  const claim = claims.get("VI_1");
  const status = {
    lease: "VI_1",
    term: claim?.term ?? 0,
    standing: LeaseStanding.HELD,
    present: [],
    missing: [],
    error: "",
  };
  unit.onLeaseStatus(status, host.now());
}

function deliver(from: Router, to: Router): void {
  const packet = from.wire.at(-1);
  const decoded = packet === undefined ? undefined : decodePacket({ family: 4, bytes: packet });
  if (decoded?.ok !== true) throw new Error("nothing to deliver");
  to.runner.onPacket(decoded.packet);
}

const linksOf = (host: TestHost, type: string) =>
  host.spans.findLast((span) => span.attributes["cloudevents.event_type"] === type)?.links ?? [];

test("a takeover: the advert first, then the claim, which carries the event that goes with it", () => {
  const r1 = router("172.16.1.1", 100);
  waitForDeadline(r1);
  expect(r1.order).toEqual(["advert 100", `claim ${ClaimState.HOLD}`]);
  const event = r1.host.appended.find((each) => each.event.type === "became-master");
  expect(r1.claims.get("VI_1")).toMatchObject({
    term: 1,
    eventId: event?.id,
    correlationId: event?.correlationId,
    traceparent: event?.traceparent,
  });
});

test("every frame tells when the last advert left", () => {
  const r1 = router("172.16.1.1", 100);
  waitForDeadline(r1);
  confirm(r1);
  waitForDeadline(r1);
  const claim = r1.claims.get("VI_1");
  if (claim === undefined) throw new Error("no claim");
  expect(r1.unit.refreshClaim(claim).lastAdvertAt).toBe(r1.host.now());
});

test("an advert with another password is counted and changes nothing", () => {
  const [r1, r2] = [router("172.16.1.1", 100), router("172.16.1.2", 90)];
  waitForDeadline(r1);
  const packet = r1.wire.at(-1);
  if (packet === undefined) throw new Error("no advert");
  packet[packet.length - 1] = 0;
  const before = r2.runner.state;
  for (let i = 0; i < 3; i++) deliver(r1, r2);
  expect(r2.runner.state).toBe(before);
  const warnings = r2.host.lines.filter(({ level }) => level === "warn");
  expect(warnings.map(({ fields }) => fields)).toEqual([
    { instance: "VI_1", cause: "auth-failure", source: "172.16.1.1" },
  ]);
});

test("a check fails: stepping down belongs to the check's story, and both routers derive the same link", () => {
  const [r1, r2] = [router("172.16.1.1", 101), router("172.16.1.2", 100)];
  for (const each of [r1, r2]) {
    each.unit.feedAll({ type: "tracker-changed", kind: "script", name: "chk", status: "up", cause: undefined });
  }
  waitForDeadline(r1);
  confirm(r1);
  const story = { id: "failure", correlationId: "story", traceparent: `00-${"ab".repeat(16)}-${"cd".repeat(8)}-01` };
  r1.unit.feedAll({ type: "tracker-changed", kind: "script", name: "chk", status: "down", cause: story });
  waitForDeadline(r2);
  expect(r2.runner.state.kind).toBe("master");
  deliver(r2, r1);

  expect(r1.runner.state.kind).toBe("backup");
  const stepDown = r1.host.appended.find(
    (each) => each.event.type === "became-backup" && each.event.data.master !== "",
  );
  expect(stepDown?.correlationId).toBe("story");
  // script-failed -> priority-changed -> became-backup: each names the one before.
  const change = r1.host.appended.findLast((each) => each.event.type === "priority-changed");
  expect(change?.causationId).toBe("failure");
  expect(stepDown?.causationId).toBe(change?.id);
  expect(r1.claims.get("VI_1")).toMatchObject({ state: ClaimState.LEAVING, successorHeard: true });
  const [theirs, ours] = [linksOf(r1.host, "became-backup"), linksOf(r2.host, "became-master")];
  expect(theirs).toHaveLength(1);
  expect(ours.map((link) => link.traceparent)).toContain(theirs[0]?.traceparent);
  expect(theirs[0]?.attributes).toMatchObject({ "vrrp.vrid": 51, "vrrp.advert.sender": "172.16.1.2" });
});

test("a released lease is claimed no more", () => {
  const r1 = router("172.16.1.1", 100);
  waitForDeadline(r1);
  confirm(r1);
  r1.unit.feedAll({ type: "interface-changed", up: false });
  expect(r1.claims.get("VI_1")?.state).toBe(ClaimState.RELEASE);
  const status = { lease: "VI_1", term: 1, standing: LeaseStanding.RELEASED, present: [], missing: [], error: "" };
  r1.unit.onLeaseStatus(status, instant(r1.host.now()) as Instant);
  expect(r1.claims.size).toBe(0);
});

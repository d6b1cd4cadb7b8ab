import type { AggregateKind, BatonEvent, EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { evolve } from "./evolve.ts";
import type { AggregateState } from "./generated/baton/v1/watch.ts";

const versions = { next: 1 };
const envelope = (kind: AggregateKind, id: string, event: BatonEvent, at = 1_000): EventEnvelope => ({
  id: `id-${versions.next}`,
  time: "2026-01-01T00:00:00.000000Z",
  at,
  node: "r1",
  service: "election",
  aggregate: { kind, id },
  epoch: 1,
  version: versions.next++,
  correlationId: "story",
  causationId: "cause",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  event,
});

const place = { instance: "VI_1", vrid: 51, interface: "eth0" };
const fold = (events: readonly EventEnvelope[]): AggregateState | undefined =>
  events.reduce<AggregateState | undefined>(evolve, undefined);

test("a group is what its last event says", () => {
  const data = { group: "G", state: "fault", term: 2, members: ["A", "B"], member: "A", reason: "interface-down" };
  const state = fold([
    envelope("group", "G", { type: "sync-group-changed", data: { ...data, state: "master", reason: "preempt" } }),
    envelope("group", "G", { type: "sync-group-changed", data }, 5_000),
  ]);
  expect(state).toMatchObject({ kind: "group", id: "G" });
  const { group: name, ...rest } = data;
  expect(state?.state).toMatchObject({
    $case: "group",
    value: { name, ...rest, since: 5_000, correlationId: "story" },
  });
});

test("an instance's transitions and priority are folded; a fault's causes end with it", () => {
  const state = fold([
    envelope("vrrp", "VI_1", { type: "entered-fault", data: { ...place, term: 0, priority: 101, causes: ["eth0"] } }),
    envelope("vrrp", "VI_1", {
      type: "became-master",
      data: { ...place, term: 3, priority: 101, reason: "master-down", addresses: ["192.0.2.1"] },
    }),
    envelope(
      "vrrp",
      "VI_1",
      {
        type: "became-backup",
        data: { ...place, term: 3, priority: 99, reason: "higher-priority", master: "10.0.0.2", masterPriority: 100 },
      },
      7_000,
    ),
    envelope("vrrp", "VI_1", {
      type: "priority-changed",
      data: { instance: "VI_1", vrid: 51, from: 99, to: 98, base: 101, tracker: "chk", reason: "down" },
    }),
  ]);
  expect(state?.state).toMatchObject({
    $case: "instance",
    value: {
      state: "backup",
      term: 3,
      since: 7_000,
      effectivePriority: 98,
      basePriority: 101,
      master: "10.0.0.2",
      masterPriority: 100,
      reason: "higher-priority",
      faultCauses: [],
      addresses: ["192.0.2.1"],
      correlationId: "story",
    },
  });
});

test("what is served in part, held back or stale, and the end of it", () => {
  const tracker = { instance: "VI_1", vrid: 51, kind: "script", tracker: "chk" };
  const events = [
    envelope("vrrp", "VI_1", {
      type: "mastership-degraded",
      data: { ...place, term: 1, priority: 1, detail: "EPERM" },
    }),
    envelope("vrrp", "VI_1", { type: "preemption-held", data: { ...place, term: 1, moves: 5, holdMs: 180_000 } }),
    envelope("vrrp", "VI_1", { type: "tracker-stale", data: tracker }),
  ];
  const held = fold(events);
  expect(held?.state).toMatchObject({
    value: {
      degraded: true,
      preemptHeldUntil: (events[1]?.at ?? 0) + 180_000_000,
      staleTrackers: ["script:chk"],
    },
  });
  const over = fold([
    ...events,
    envelope("vrrp", "VI_1", { type: "mastership-restored", data: { ...place, term: 1, priority: 100 } }),
    envelope("vrrp", "VI_1", { type: "tracker-fresh", data: tracker }),
  ]);
  expect(over?.state).toMatchObject({ value: { degraded: false, leaseConfirmed: true, staleTrackers: [] } });
});

test("a delta keeps what only the snapshot knew", () => {
  const snapshot = fold([
    envelope("vrrp", "VI_1", {
      type: "became-master",
      data: { ...place, term: 1, priority: 101, reason: "start", addresses: [] },
    }),
  ]);
  if (snapshot?.state?.$case !== "instance") throw new Error("no instance");
  const told: AggregateState = {
    ...snapshot,
    state: { $case: "instance", value: { ...snapshot.state.value, primaryAddress: "10.0.0.1", leaseConfirmed: true } },
  };
  const after = evolve(
    told,
    envelope("vrrp", "VI_1", {
      type: "instance-stopped",
      data: { ...place, term: 1, wasMaster: true, reason: "stop" },
    }),
  );
  expect(after.state).toMatchObject({
    value: { state: "stopped", primaryAddress: "10.0.0.1", leaseConfirmed: false, reason: "stop" },
  });
});

test("addresses come, fail and go; the lease ends with the last one", () => {
  const added = (address: string): EventEnvelope =>
    envelope("address", "VI_1", {
      type: "vip-added",
      data: { instance: "VI_1", address, interface: "eth0", label: "eth0:1", term: 2, elapsedMicros: 9 },
    });
  const removed = (address: string): EventEnvelope =>
    envelope("address", "VI_1", {
      type: "vip-removed",
      data: { instance: "VI_1", address, interface: "eth0", term: 2, reason: "release" },
    });
  const half = fold([added("192.0.2.1/24"), added("192.0.2.2/24"), removed("192.0.2.1/24")]);
  expect(half?.state).toEqual({
    $case: "addresses",
    value: {
      instance: "VI_1",
      term: 2,
      lease: "held",
      addresses: [
        { address: "192.0.2.1/24", interface: "eth0", label: "eth0:1", present: false, error: "" },
        { address: "192.0.2.2/24", interface: "eth0", label: "eth0:1", present: true, error: "" },
      ],
      routing: [],
    },
  });
  expect(evolve(half, removed("192.0.2.2/24")).state).toMatchObject({ value: { lease: "none" } });
  const failed = envelope("address", "VI_1", {
    type: "vip-failed",
    data: { instance: "VI_1", address: "192.0.2.2/24", interface: "eth0", term: 3, error: "EADDRNOTAVAIL" },
  });
  expect(evolve(half, failed).state).toMatchObject({
    value: { term: 3, addresses: [{}, { present: false, error: "EADDRNOTAVAIL", label: "eth0:1" }] },
  });
});

test("routes and rules come, fail, go and are put back, each by its own text", () => {
  const objects = (routes: string[], rules: string[]) => ({ instance: "VI_1", routes, rules, term: 2 });
  const of = (event: EventEnvelope["event"]): EventEnvelope => envelope("address", "VI_1", event);
  const added = of({ type: "routes-added", data: { ...objects(["a", "b"], ["a"]), elapsedMicros: 9 } });
  const failed = of({ type: "routes-failed", data: { ...objects(["b"], []), error: "EEXIST" } });
  const removed = of({ type: "routes-removed", data: { ...objects(["a"], ["a"]), reason: "release" } });
  const routing = (...events: EventEnvelope[]) => {
    const state = fold(events)?.state;
    if (state?.$case !== "addresses") throw new Error("no addresses");
    return state.value.routing.map(({ kind, text, present, error }) => `${kind} ${text} ${present} ${error}`.trim());
  };
  expect(routing(added)).toEqual(["route a true", "route b true", "rule a true"]);
  expect(routing(added, failed)).toEqual(["route a true", "route b false EEXIST", "rule a true"]);
  expect(routing(added, failed, removed)).toEqual(["route a false", "route b false EEXIST", "rule a false"]);
  const repaired = of({ type: "routes-repaired", data: objects(["b"], ["a"]) });
  expect(routing(added, failed, removed, repaired)).toEqual(["route a false", "route b true", "rule a true"]);
});

test("trackers, configuration and services are folded", () => {
  const tracker = fold([
    envelope("tracker", "chk", {
      type: "script-failed",
      data: { script: "chk", exit: "1", durationMs: 2, output: "", failures: 2 },
    }),
  ]);
  expect(tracker?.state).toMatchObject({ value: { name: "chk", status: "down", lastExit: "1", checkedAt: 1_000 } });
  const config = fold([
    envelope("config", "r1", {
      type: "config-applied",
      data: { generation: 4, hash: "h", file: "f", changes: [], warnings: 0 },
    }),
  ]);
  expect(config?.state).toMatchObject({ value: { generation: 4, hash: "h", file: "f" } });
  const service = fold([
    envelope("service", "health", {
      type: "service-started",
      data: { service: "health", pid: 7, version: "1", restarts: 0 },
    }),
    envelope("service", "health", {
      type: "service-died",
      data: { service: "health", pid: 7, exit: "SIGKILL", restarts: 1 },
    }),
  ]);
  expect(service?.state).toMatchObject({ value: { pid: 7, status: "dead", restarts: 1 } });
});

test("a notification has a version and no state", () => {
  const state = fold([
    envelope("notification", "VI_1", {
      type: "notification-failed",
      data: {
        instance: "VI_1",
        state: "master",
        channel: "mail",
        target: "a@b",
        attempts: 1,
        final: false,
        error: "x",
      },
    }),
  ]);
  expect(state?.state).toBeUndefined();
  expect(state?.version).toBeGreaterThan(0);
});

import { type AggregateState, VirtualServerState } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { type NodeFacts, NodeModel } from "./node-model.ts";
import { instanceState } from "./testing/node-status.ts";

const facts: NodeFacts = {
  node: "r1",
  version: "0.1.0",
  now: 9_000,
  startedAt: 5_000,
  bus: { connected: true, backlog: 0, oldestMicros: 0 },
};
const instance = (state: string, version: number, more = {}): AggregateState => ({
  kind: "vrrp",
  id: "VI_1",
  version,
  state: { $case: "instance", value: instanceState({ state, ...more }) },
});
const service = (name: string, startedAt: number, status = "running"): AggregateState => ({
  kind: "service",
  id: name,
  version: 1,
  state: { $case: "service", value: { name, pid: 1, status, restarts: 0, startedAt } },
});
const becameMaster = (version: number): EventEnvelope => ({
  id: `e${version}`,
  time: "2026-01-01T00:00:00Z",
  at: 7_000,
  node: "r1",
  service: "election",
  aggregate: { kind: "vrrp", id: "VI_1" },
  epoch: 1,
  version,
  correlationId: "c",
  causationId: "c",
  event: {
    type: "became-master",
    data: { instance: "VI_1", vrid: 51, interface: "eth0", term: 2, priority: 100, reason: "x", addresses: [] },
  },
});

test("a node is ready when the election has spoken and no instance is in its initial state", () => {
  const model = new NodeModel();
  model.expect("election");
  expect(model.status(facts).ready).toBe(false);
  expect(model.connections()).toEqual([{ service: "election", connected: false }]);
  model.snapshot("election", [instance("initialize", 0)]);
  expect(model.status(facts).ready).toBe(false);
  model.event("election", becameMaster(1));
  expect(model.status(facts)).toMatchObject({ ready: true, instances: [{ state: "master", term: 2, since: 7_000 }] });
  model.snapshot("election", []);
  expect(model.status(facts)).toMatchObject({ ready: true, instances: [] });
});

test("a refresh tells what has no event, and is not believed where events have overtaken it", () => {
  const model = new NodeModel();
  model.snapshot("election", [instance("master", 1)]);
  model.refresh("election", { states: [instance("master", 1, { leaseConfirmed: true })], counters: [] });
  expect(model.status(facts).instances[0]?.leaseConfirmed).toBe(true);
  model.event("election", becameMaster(3));
  model.refresh("election", { states: [instance("backup", 2)], counters: [] });
  expect(model.status(facts).instances[0]?.state).toBe("master");
});

test("a service that is gone is known by its last words", () => {
  const model = new NodeModel();
  model.snapshot("election", [instance("master", 1)]);
  model.counters("election", [{ name: "vrrp.adverts", labels: {}, value: 1 }]);
  model.disconnected("election");
  expect(model.status(facts).instances[0]?.state).toBe("master");
  expect(model.connections()).toEqual([{ service: "election", connected: false }]);
  expect(model.samples()).toMatchObject([{ service: "election", counter: { value: 1 } }]);
});

test("the supervisor's word about a service counts more than the service's own; the oldest start is the node's", () => {
  const model = new NodeModel();
  model.snapshot("health", [service("health", 6_000)]);
  model.snapshot("supervisor", [service("health", 6_000, "dead"), service("supervisor", 2_000)]);
  const status = model.status(facts);
  expect(status.services.map(({ name, status: is }) => [name, is])).toEqual([
    ["health", "dead"],
    ["supervisor", "running"],
  ]);
  expect(status.uptimeMicros).toBe(7_000);
});

test("what was not asked for stands", () => {
  const model = new NodeModel();
  const pool: AggregateState = {
    kind: "virtual-server",
    id: "vs",
    version: 3,
    state: { $case: "virtualServer", value: VirtualServerState.fromPartial({ name: "vs", quorumUp: true }) },
  };
  model.snapshot("health", [pool, service("health", 1)]);
  model.refresh("health", { states: [service("health", 2)], counters: [] }, ["tracker", "service"]);
  expect(model.status(facts)).toMatchObject({ virtualServers: [{ name: "vs" }], services: [{ startedAt: 2 }] });
  model.refresh("health", { states: [], counters: [] });
  expect(model.status(facts)).toMatchObject({ virtualServers: [], pools: undefined, services: [] });
});

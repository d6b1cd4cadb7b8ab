// What readers hold after events is what the owner's next snapshot says.

import type { AggregateKind, BatonEvent, EventEnvelope } from "@baton/domain";
import { refusedCheck } from "@baton/domain/testing";
import { expect, test } from "vitest";
import { evolve } from "./evolve.ts";
import { changeDestinations } from "./evolve-balancing.ts";
import type { AggregateState } from "./generated/baton/v1/watch.ts";

function after(kind: AggregateKind, events: readonly BatonEvent[]): AggregateState["state"] {
  const states = events.reduce<AggregateState | undefined>((state, event, index) => {
    const envelope: EventEnvelope = {
      id: `e${index}`,
      time: "2026-01-01T00:00:00Z",
      at: 1_000 + index,
      node: "r1",
      service: "health",
      aggregate: { kind, id: "it" },
      epoch: 1,
      version: index + 1,
      correlationId: "c",
      causationId: "d",
      event,
    };
    return evolve(state, envelope);
  }, undefined);
  return states?.state;
}

const failure = refusedCheck("TCP_CHECK 10.0.0.1:80", 2);
const change = { virtualServer: "it", reason: "check", changed: true, told: "everyone" };
const down = (server: string, check: string, held = false): BatonEvent => ({
  type: "realserver-down",
  data: { ...change, server, check, held },
});

test("a check that fails, tries and succeeds", () => {
  expect(after("checker", [{ type: "check-attempt-failed", data: failure }])).toMatchObject({
    value: { name: "it", status: "unknown", attempts: 2, checkedAt: 1_000, lastEventId: "e0" },
  });
  const failed = after("checker", [{ type: "check-failed", data: failure }]);
  expect(failed).toMatchObject({ $case: "checker", value: { status: "down", attempts: 0 } });
  expect(failed).toHaveProperty("value.lastFailure", "refused");
  const succeeded: BatonEvent = { type: "check-succeeded", data: { check: failure.check, durationMs: 1 } };
  expect(after("checker", [{ type: "check-failed", data: failure }, succeeded])).toMatchObject({
    value: { status: "up", lastFailure: "" },
  });
});

test("servers that fail by one check and another, and come back", () => {
  const twice = [down("a", "one"), down("a", "two", true), down("a", "two", true)];
  expect(after("virtual-server", twice)).toMatchObject({
    value: { held: "a", servers: [{ server: "a", alive: false, failing: ["one", "two"] }] },
  });
  const up: BatonEvent = { type: "realserver-up", data: { ...change, server: "a", check: "one" } };
  expect(after("virtual-server", [...twice, up])).toMatchObject({
    value: { held: "", servers: [{ server: "a", alive: true, failing: [] }] },
  });
  const other: BatonEvent = { type: "realserver-up", data: { ...change, server: "b", check: "one" } };
  const weighing = (weight: number): BatonEvent => ({
    type: "destinations-changed",
    data: { virtualServer: "it", set: [{ server: "b", role: "real", weight }], removed: [] },
  });
  expect(after("virtual-server", [...twice, other, weighing(0)])).toHaveProperty("value.held", "a");
  expect(after("virtual-server", [...twice, other, weighing(1)])).toHaveProperty("value.held", "");
});

test("quorum, sorry server and drains", () => {
  const quorum = { ...change, quorum: 2, hysteresis: 1, threshold: 1, weight: 4 };
  const events: BatonEvent[] = [
    { type: "quorum-gained", data: quorum },
    { type: "quorum-lost", data: quorum },
    { type: "sorry-server-added", data: { virtualServer: "it", server: "s" } },
    { type: "drain-started", data: { virtualServer: "it", server: "a", deadlineMs: 2 } },
    { type: "drain-started", data: { virtualServer: "it", server: "b", deadlineMs: 0 } },
    { type: "drain-finished", data: { virtualServer: "it", server: "b", reason: "idle" } },
  ];
  expect(after("virtual-server", events)).toMatchObject({
    value: {
      quorum: 2,
      hysteresis: 1,
      quorumUp: false,
      liveWeight: 4,
      since: 1_001,
      sorry: true,
      servers: [
        { server: "a", drain: "draining", drainUntil: 3_003 },
        { server: "b", drain: "removed", drainUntil: 0 },
      ],
    },
  });
  events.push({ type: "drain-undone", data: { virtualServer: "it", server: "a" } });
  events.push({ type: "sorry-server-removed", data: { virtualServer: "it", server: "s" } });
  expect(after("virtual-server", events)).toMatchObject({
    value: { sorry: false, servers: [{ drain: "none", drainUntil: 0 }, { drain: "removed" }] },
  });
});

test("who is in the service: who goes, who comes, who weighs otherwise, in the order of their coming", () => {
  const weighing = (server: string, weight: number) => ({ server, role: "real", weight });
  const before = [weighing("a", 1), weighing("b", 1), weighing("c", 1)];
  expect(changeDestinations(before, { set: [weighing("d", 4), weighing("b", 2)], removed: ["a", "x"] })).toEqual([
    weighing("b", 2),
    weighing("c", 1),
    weighing("d", 4),
  ]);
  const changed: BatonEvent = {
    type: "destinations-changed",
    data: { virtualServer: "it", set: [weighing("a", 1)], removed: [] },
  };
  expect(after("virtual-server", [changed])).toMatchObject({ value: { destinations: [weighing("a", 1)] } });
});

test("the kernel's balancer", () => {
  const changes = { engine: "ipvs", changes: ["add a"], total: 3 };
  const failed: BatonEvent = { type: "balancer-failed", data: { ...changes, error: "EINVAL" } };
  const repaired: BatonEvent = { type: "balancer-repaired", data: { ...changes, elapsedMicros: 1 } };
  const done: BatonEvent = { type: "balancer-programmed", data: { ...changes, reason: "pools", elapsedMicros: 1 } };
  expect(after("balancer", [repaired, repaired, failed])).toMatchObject({
    value: { engine: "ipvs", repairs: 6, errors: ["EINVAL"], programmedAt: 1_001 },
  });
  expect(after("balancer", [failed, done])).toMatchObject({ value: { errors: [], programmedAt: 1_001 } });
});

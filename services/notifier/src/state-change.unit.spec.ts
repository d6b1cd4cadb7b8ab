import type { InstanceState } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { changeOfEvent, changeOfGroupSnapshot, changeOfSnapshot, subjectKey } from "./state-change.ts";
import { vrrpEvent } from "./testing/fixtures.ts";

const envelope = (event: EventEnvelope["event"]): EventEnvelope => ({
  id: "0190-e",
  time: "2026-01-02T03:04:05.678901Z",
  at: 42,
  node: "r1",
  service: "election",
  aggregate: { kind: "vrrp", id: "VI_1" },
  epoch: 3,
  version: 9,
  correlationId: "0190-c",
  causationId: "0190-b",
  traceparent: undefined,
  event,
});

test.each([
  [vrrpEvent.master(), { state: "MASTER", priority: 101, reason: "master-down-expired", addresses: ["172.16.100.1"] }],
  [vrrpEvent.backup(), { state: "BACKUP", priority: 100, reason: "higher-priority-advertisement", addresses: [] }],
  [vrrpEvent.fault(), { state: "FAULT", priority: 100, reason: "script chk down, eth0 down" }],
  [vrrpEvent.stop(), { state: "STOP", priority: undefined, reason: "SIGTERM" }],
  [vrrpEvent.stop("VI_1", "removed-from-configuration"), { state: "DELETED" }],
])("$type", (event, expected) => {
  expect(changeOfEvent(envelope(event))).toMatchObject({
    instance: "VI_1",
    vrid: 51,
    term: 7,
    order: { epoch: 3, version: 9 },
    at: 42,
    cause: { id: "0190-e", correlationId: "0190-c" },
    replayed: false,
    ...expected,
  });
});

test.each([
  ["master", "MASTER"],
  ["backup", "BACKUP"],
  ["fault", "FAULT"],
  ["stopped", "STOP"],
])("a group's %s, from its event and from a snapshot", (of, told) => {
  const data = { group: "G", state: of, term: 7, members: ["A", "B"], member: "A", reason: "interface-down" };
  const change = changeOfEvent(envelope({ type: "sync-group-changed", data }));
  expect(change).toMatchObject({ subject: "group", instance: "G", state: told, reason: "A: interface-down", term: 7 });
  const { group: name, ...rest } = data;
  const traced = { lastEventId: "0190-e", correlationId: "", traceparent: "" };
  const shown = changeOfGroupSnapshot({ name, ...rest, since: 42, ...traced }, "now", true);
  // What has stopped is told by its event alone.
  if (of === "stopped") return expect(shown).toBeUndefined();
  expect(shown).toMatchObject({ subject: "group", instance: "G", state: told, at: 42, cause: { id: "0190-e" } });
});

test("a group and an instance of one name are two", () => {
  const [instance, group] = (["instance", "group"] as const).map((subject) => subjectKey({ subject, instance: "V" }));
  expect(instance).not.toBe(group);
});

test("an event that changes no state is no change", () => {
  expect(changeOfEvent(envelope(vrrpEvent.priority()))).toBeUndefined();
});

const state = (over: Partial<InstanceState>): InstanceState => ({
  name: "VI_1",
  state: "master",
  vrid: 51,
  interface: "eth0",
  basePriority: 101,
  effectivePriority: 103,
  term: 7,
  master: "",
  masterPriority: 0,
  since: 41,
  reason: "preempted",
  addresses: ["172.16.100.1"],
  faultCauses: ["eth0 down"],
  primaryAddress: "10.0.0.1",
  lastEventId: "0190-e",
  correlationId: "0190-c",
  traceparent: "",
  leaseConfirmed: true,
  masterAdvertMicros: 0,
  degraded: false,
  preemptHeldUntil: 0,
  staleTrackers: [],
  ...over,
});

test.each([
  ["master", { state: "MASTER", reason: "preempted", addresses: ["172.16.100.1"] }],
  ["backup", { state: "BACKUP", reason: "preempted", addresses: [] }],
  ["fault", { state: "FAULT", reason: "eth0 down", addresses: [] }],
])("snapshot: %s", (kind, expected) => {
  expect(changeOfSnapshot(state({ state: kind }), "now", true)).toMatchObject({
    instance: "VI_1",
    priority: 103,
    order: undefined,
    at: 41,
    time: "now",
    cause: { id: "0190-e", correlationId: "0190-c", traceparent: undefined },
    replayed: true,
    ...expected,
  });
});

test.each(["initialize", "listening", "leaving", "stopped", "new-in-a-later-release"])(
  "snapshot: %s tells nothing",
  (kind) => {
    expect(changeOfSnapshot(state({ state: kind }), "now", true)).toBeUndefined();
  },
);

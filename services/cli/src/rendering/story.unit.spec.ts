import type { BatonEvent, EventEnvelope } from "@baton/domain";
import { refusedCheck } from "@baton/domain/testing";
import { expect, test } from "vitest";
import { storyLines, storyOf } from "./story.ts";

const virtualServer = "[192.0.2.1]:tcp:80";

const envelope = (id: string, causationId: string, at: number, event: BatonEvent, story = "e1"): EventEnvelope => ({
  id,
  time: "2026-03-01T12:00:00.123456Z",
  at,
  node: "r1",
  service: "health",
  aggregate: { kind: "virtual-server", id: virtualServer },
  epoch: 1,
  version: 1,
  correlationId: story,
  causationId,
  event,
});

const failed: BatonEvent = {
  type: "check-failed",
  data: refusedCheck("TCP_CHECK 10.0.0.1:80", 2),
};
const told = { virtualServer, told: "everyone" };
const down: BatonEvent = {
  type: "realserver-down",
  data: { ...told, server: "10.0.0.1:80", reason: "check", check: "TCP_CHECK 10.0.0.1:80", changed: true, held: false },
};
const lost: BatonEvent = {
  type: "quorum-lost",
  data: { ...told, quorum: 1, hysteresis: 0, threshold: 1, weight: 0, reason: "servers" },
};
const programmed: BatonEvent = {
  type: "balancer-programmed",
  data: { engine: "ipvs", changes: ["-d 10.0.0.1:80"], total: 1, reason: "pools", elapsedMicros: 900 },
};
const other: BatonEvent = { type: "drain-undone", data: { virtualServer, server: "[2001:db8::1]:80" } };

const events = [
  envelope("e0", "", 500_000, other, "e0"),
  envelope("e1", "", 1_000_000, failed),
  envelope("e2", "e1", 1_000_200, down),
  envelope("e3", "e2", 1_000_300, lost),
  envelope("e4", "e2", 1_003_000, programmed),
];

test("a server that fails, by any of its names: the whole story", () => {
  const story = storyOf("10.0.0.1:80", events);
  expect(storyLines(story)).toEqual([
    "2026-03-01 12:00:00.123Z  check TCP_CHECK 10.0.0.1:80 failed (attempt 2, 1.0 ms): refused",
    "               +0.000 s    10.0.0.1:80 of [192.0.2.1]:tcp:80 is down: TCP_CHECK 10.0.0.1:80 failed",
    "               +0.000 s      [192.0.2.1]:tcp:80 has no quorum: its live servers weigh 0, needed is 1",
    "               +0.003 s      programmed ipvs: 1 change (-d 10.0.0.1:80) in 0.9 ms",
  ]);
  for (const name of ["10.0.0.1", "TCP_CHECK 10.0.0.1:80", virtualServer]) expect(storyOf(name, events)).toEqual(story);
});

test("another story, one without any, and a name that nothing is about", () => {
  expect(storyOf("2001:db8::1", events)).toEqual([events[0]]);
  const alone = envelope("e9", "", 1, down, "");
  expect(storyOf("10.0.0.1", [envelope("e8", "", 1, other, ""), alone])).toEqual([alone]);
  expect(storyOf("10.0.0.1:8", events)).toEqual([]);
});

test("a virtual address goes by itself", () => {
  const data = { instance: "VI_1", address: "192.0.2.1", interface: "eth0", term: 1, reason: "successor" };
  const removed = envelope("e5", "", 2_000_000, { type: "vip-removed", data }, "e5");
  expect(storyOf("192.0.2.1", [...events, removed])).toEqual([removed]);
});

test("what has caused a long chain stays on the screen", () => {
  const chain = Array.from({ length: 12 }, (_, index) => envelope(`c${index}`, `c${index - 1}`, index, lost, "c0"));
  const indents = storyLines(chain).map((line) => / {2}( *)\[/.exec(line)?.[1]?.length ?? 0);
  expect(Math.max(...indents)).toBe(12);
});

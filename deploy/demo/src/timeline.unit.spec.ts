import type { BatonEvent, EventEnvelope } from "@baton/domain";
import type { ProbeReport } from "@baton/lab";
import { expect, test } from "vitest";
import { hasMoved, timelineLines, timelineOf } from "./timeline.ts";

const event = (node: string, type: BatonEvent["type"], at: number): EventEnvelope =>
  ({ node, at, event: { type, data: {} } }) as unknown as EventEnvelope;

const report: ProbeReport = {
  sent: 100,
  answered: 98,
  lost: 2,
  outages: [
    {
      lost: 1,
      firstLostAt: 500_000,
      lastLostAt: 500_000,
      lastAnsweredAt: 499_000,
      answeredAgainAt: 501_000,
      answeredBefore: "r1",
      answeredAfter: "r1",
      durationMs: 2,
    },
    {
      lost: 3,
      firstLostAt: 1_004_000,
      lastLostAt: 1_006_000,
      lastAnsweredAt: 1_003_000,
      answeredAgainAt: 1_007_000,
      answeredBefore: "r1",
      answeredAfter: "r2",
      durationMs: 4,
    },
  ],
  reigns: [
    { by: "r2", firstAt: 1_000, lastAt: 2_000, answers: 2 },
    { by: "r1", firstAt: 3_000, lastAt: 1_003_000, answers: 90 },
    { by: "r2", firstAt: 1_007_000, lastAt: 2_000_000, answers: 8 },
  ],
  pauses: [],
  forgotten: 0,
};

const moves = { at: 1_000_000, from: "r1", to: "r2", noticedBy: { node: "r1", type: "script-failed" } } as const;

test("the first of each after the disturbance, and the losses since then", () => {
  const events = [
    event("r2", "became-master", 900_000), // earlier
    event("r1", "became-master", 1_000_500), // the other node
    event("r1", "script-failed", 1_001_230),
    event("r2", "garp-sent", 1_006_000),
    event("r2", "garp-sent", 2_006_000), // the second burst
    event("r2", "vip-added", 1_005_000),
    event("r2", "became-master", 1_004_400),
  ];
  const timeline = timelineOf(moves, events, report);
  expect(timeline).toEqual({
    detectedMs: 1.23,
    decidedMs: 4.4,
    addressOnMs: 5,
    announcedMs: 6,
    firstAnswerMs: 7,
    probesLost: 3,
    outageMs: 4,
  });
  expect(hasMoved(timeline)).toBe(true);
  expect(timelineLines(timeline).join("\n")).toMatch(/first answered probe +7\.0 ms\n +probes lost +3 in 4\.0 ms/);
});

test("what did not happen is said, and is no move", () => {
  const timeline = timelineOf(moves, [], { ...report, outages: [], reigns: [] });
  expect(timeline).toMatchObject({ decidedMs: undefined, firstAnswerMs: undefined, probesLost: 0 });
  expect(hasMoved(timeline)).toBe(false);
  expect(timelineLines(timeline).join("\n")).toMatch(/decided +not seen/);
});

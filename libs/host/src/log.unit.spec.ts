import { expect, test } from "vitest";
import { createLog } from "./log.ts";
import { createTestClock } from "./testing/test-clock.ts";

const lines: string[] = [];
const log = createLog({ service: "health", node: "r1", clock: createTestClock(), write: (line) => lines.push(line) });
const logged = (fields?: Record<string, unknown>): Record<string, unknown> => {
  lines.length = 0;
  log.warn("look", fields);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("\n");
  return JSON.parse(lines[0] ?? "") as Record<string, unknown>;
};

test("a line says when, how bad, where and what", () => {
  expect(logged({ instance: "VI_1" })).toEqual({
    time: "2026-01-01T00:00:00.000000Z",
    level: "warn",
    node: "r1",
    service: "health",
    message: "look",
    instance: "VI_1",
  });
});

test("fields cannot overwrite what every line says", () => {
  expect(logged({ level: "fine", time: 0 })).toMatchObject({ level: "warn", level_: "fine", time_: 0 });
});

test("errors keep their message, stack and cause", () => {
  const { cause } = logged({ cause: new TypeError("outer", { cause: new Error("inner") }) });
  expect(cause).toMatchObject({ name: "TypeError", error: "outer", cause: "inner" });
});

test("whatever is logged, it is one line of JSON", () => {
  const circle: Record<string, unknown> = { name: "circle" };
  circle.self = circle;
  const shared = { a: 1 };
  const hostile = {
    toJSON: () => {
      throw new Error("no");
    },
  };
  expect(logged({ circle }).circle).toEqual({ name: "circle", self: "[circular]" });
  expect(logged({ x: shared, y: shared })).toMatchObject({ x: { a: 1 }, y: { a: 1 } });
  expect(logged({ big: 12n, map: new Map([["k", 1]]), set: new Set([1]), text: "a\nb" })).toMatchObject({
    big: "12",
    map: { k: 1 },
    set: [1],
    text: "a\nb",
  });
  expect(logged({ hostile })).toMatchObject({ level: "error", message: "look" });
});

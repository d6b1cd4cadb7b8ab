import { expect, test } from "vitest";
import { pipe, screenFor } from "./screen.ts";

const red = "\u001b[31mx\u001b[39m";

test.each([
  ["a terminal", "auto", true, {}, red],
  ["a pipe", "auto", false, {}, "x"],
  ["NO_COLOR", "auto", true, { NO_COLOR: "1" }, "x"],
  ["an empty NO_COLOR is none", "auto", true, { NO_COLOR: "" }, red],
  ["a terminal that cannot", "auto", true, { TERM: "dumb" }, "x"],
  ["wanted all the same", "always", false, { NO_COLOR: "1" }, red],
  ["never", "never", true, {}, "x"],
] as const)("%s", (_name, when, isTerminal, env, shown) => {
  expect(screenFor(when, { isTerminal, columns: 80, env }).red("x")).toBe(shown);
});

test("a pipe has no width; a terminal has at least one that text fits in", () => {
  expect(screenFor("auto", { isTerminal: false, columns: 80, env: {} })).toBe(pipe);
  const columnsOf = (columns: number | undefined) => screenFor("never", { isTerminal: true, columns, env: {} }).columns;
  expect([columnsOf(120), columnsOf(3), columnsOf(undefined)]).toEqual([120, 40, 80]);
});

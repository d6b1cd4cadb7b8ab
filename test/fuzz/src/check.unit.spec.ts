// That the fuzzer finds what is wrong: answers that were spoilt.
import type { Config, Diagnostic, ParseResult } from "@baton/keepalived-conf";
import { config, diagnostic } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { failureOf, judgementOn, readBoth } from "./check.ts";
import { growthOf } from "./growth.ts";
import type { Input } from "./input.ts";
import { shrink } from "./shrink.ts";

const input: Input = { main: "vrrp_instance A {\n  interface eth0\n  virtual_router_id 1\n  nosuch 1\n}\n" };

/** Its length is one of those that are read twice. */
const readTwice: Input = { main: "# 23456\n" };

const judge = (spoilt: Partial<ParseResult>, of = input): string | undefined => {
  const judged = readBoth(of);
  return judgementOn({ ...judged, result: { ...judged.result, ...spoilt } });
};

const told = (change: Partial<Diagnostic>): Partial<ParseResult> => ({
  diagnostics: [diagnostic({ file: "main", line: 1, column: 1, ...change })],
});

const withRouterId = (routerId: unknown): Partial<ParseResult> => {
  const plain = config();
  return { config: { ...plain, global: { ...plain.global, routerId } } as Config };
};

test("what is right is right", () => {
  expect(failureOf(input)).toBeUndefined();
  expect(judge({})).toBeUndefined();
});

test.each<[string, Partial<ParseResult>, string]>([
  ["a line behind the end", told({ line: 99 }), "places: "],
  ["a column behind the end", told({ line: 3, column: 40 }), "places: "],
  ["no column", told({ column: 0 }), "places: "],
  ["another file", told({ file: "nosuch" }), "places: "],
  ["a part of a message that is missing", told({ message: "priority undefined" }), "verdict: "],
  ["a Config is missing, and no reason is told", { config: undefined, diagnostics: [] }, "verdict: neither"],
  ["a number that is none", withRouterId(Number.NaN), "plain data: "],
  ["a map", withRouterId(new Map()), "plain data: "],
  ["a function", withRouterId(() => "x"), "plain data: "],
  ["a layout that changes the Config", withRouterId("other"), "format: another Config"],
  ["a layout that changes the diagnostics", { diagnostics: [] }, "format: other diagnostics"],
])("it finds %s", (_name, spoilt, failure) => {
  expect(judge(spoilt)).toContain(failure);
});

test("it finds another answer to the same question", () => {
  expect(judge({}, readTwice)).toBeUndefined();
  expect(judge(withRouterId("other"), readTwice)).toBe("plain data: another answer the second time");
});

test("it finds what throws", () => {
  const { result } = readBoth(input);
  const thrown = judgementOn({ input, result: { ...result, diagnostics: null as never }, other: undefined });
  expect(thrown).toContain("verdict: throws TypeError");
});

test("it finds work that grows faster than the text", () => {
  const lengthOf = ({ main = "" }: Input): number => main.length;
  expect(growthOf(input, (of) => lengthOf(of) / 10)).toBeUndefined();
  expect(growthOf(input, (of) => lengthOf(of) ** 2 / 1e6)).toContain("growth: ");
  // What is over in a moment says nothing.
  expect(growthOf(input, (of) => lengthOf(of) ** 2 / 1e9)).toBeUndefined();
});

test("a failure is made short", () => {
  const long = { main: `${"a b c\n".repeat(50)}bad${"\nd e".repeat(50)}`, part: "x" };
  const failure = ({ main = "" }: Input): string | undefined => (main.includes("bad") ? "it is bad" : undefined);
  expect(shrink(long, failure)).toEqual({ main: "bad" });
});

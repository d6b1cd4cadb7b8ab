import { expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { codes, instance, parse } from "../testing/parse.ts";
import { lint } from "./lint.ts";

const lintCodes = (text: string, ...peers: readonly string[]): string[] => {
  const file = parse(text);
  const diagnostics = lint({ files: [file], peers: peers.map((peer) => parse({ "peer.conf": peer })) });
  expect(exitCodeOf(diagnostics)).toBe(exitCodeOf(file.diagnostics));
  return codes({ ...file, diagnostics }).filter((code) => code.startsWith("lint/"));
};

test("a file alone, with a peer, and as one of a set", () => {
  const one = parse({ "a.conf": instance("priority 100") });
  const other = parse({ "b.conf": instance("priority 100") });
  expect(lint({ files: [one] })).toEqual(one.diagnostics);
  const told = lint({ files: [one], peers: [other] });
  expect(told.map(({ file, line, severity, errorClass, code }) => [file, line, severity, errorClass, code])).toEqual([
    ["a.conf", 5, "warning", "ok", "lint/equal-priorities"],
  ]);
  expect(told[0]?.message).toBe(
    "VI_1 has priority 100, and so has VI_1 of b.conf: their addresses decide who is master",
  );
  expect(lint({ files: [one, other] }).map(({ file, code }) => [file, code])).toEqual([
    ["a.conf", "lint/equal-priorities"],
    ["b.conf", "lint/equal-priorities"],
  ]);
});

test("a file that cannot be used is told as it is", () => {
  const broken = parse("vrrp_instance VI_1 {\npriority\n}");
  expect(broken.config).toBeUndefined();
  expect(lint({ files: [broken], peers: [broken] })).toEqual(broken.diagnostics);
});

test("a virtual router is known by VRID and family, not by its name", () => {
  expect(lintCodes(instance("priority 100", "VI_1"), instance("priority 100", "other"))).toEqual([
    "lint/equal-priorities 5:1",
  ]);
  expect(lintCodes(instance("priority 100"), instance("priority 100", "VI_1", 52, "10.0.0.2"))).toEqual([]);
});

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

test("one file as two nodes read it", () => {
  const text = instance("@r1 priority 100\n@r2 priority 110\nstate MASTER");
  const [own, other] = ["r1", "r2"].map((configId) => parse(text, { configId }));
  if (own === undefined || other === undefined) expect.fail();
  const told = lint({ files: [own], peers: [other] }).map(({ message }) => message);
  expect(told).toEqual(["VI_1 starts as MASTER, and so does VI_1 of keepalived.conf as node r2"]);
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

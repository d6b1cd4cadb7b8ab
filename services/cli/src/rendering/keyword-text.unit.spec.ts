import type { KeywordInfo } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { explainKeyword, keywordLines, summarizeKeyword, usageOf } from "./keyword-text.ts";
import { pipe } from "./screen.ts";

const row = (over: Partial<KeywordInfo>): KeywordInfo => ({
  kind: "keyword",
  block: "vrrp_instance",
  keyword: "priority",
  syntax: "N",
  range: "1 to 255",
  default: "100",
  meaning: "Says who is first.",
  support: "works",
  service: "election",
  note: "",
  deprecated: "",
  alias: "",
  since: "",
  ...over,
});

test("one keyword with all that is known of it", () => {
  const old = row({ keyword: "prio", alias: "priority" });
  expect(explainKeyword(row({ since: "2.3.0" }), ["vrrp_instance", "x"], [row({}), old], pipe)).toEqual([
    "priority N",
    "  Says who is first.",
    "",
    "  in           vrrp_instance, x",
    "  range        1 to 255",
    "  default      100",
    "  baton        works",
    "  service      election",
    "  other names  prio",
    "  since        keepalived 2.3.0",
  ]);
});

test("what is not carried out, and what should not be written", () => {
  const lines = explainKeyword(
    row({ support: "accepted", note: "it does nothing", deprecated: "write other", range: "", default: "" }),
    [""],
    [],
    pipe,
  );
  expect(lines.slice(3)).toEqual([
    "  in          outside of all blocks",
    "  baton       accepted: read and checked, without effect; it does nothing",
    "  service     election",
    "  deprecated  write other",
  ]);
});

test("a word of many blocks: one line each, and how to ask for one of them", () => {
  const other = row({ block: "virtual_server", support: "accepted", meaning: "Says who is last." });
  const groups = [
    [row({}), ["vrrp_instance"]],
    [other, ["virtual_server", "x"]],
  ] as const;
  expect(summarizeKeyword(groups, pipe)).toEqual([
    "priority means something of its own in 2 places:",
    "  vrrp_instance      works     Says who is first.",
    "  virtual_server, x  accepted  Says who is last.",
    "",
    "All of one: baton check --explain vrrp_instance.priority",
  ]);
});

test("a list: one line each, cut at the end of a screen, counted", () => {
  const rows = [row({}), row({ keyword: "auth", support: "refused", meaning: "x".repeat(100) })];
  const lines = keywordLines(rows, { ...pipe, columns: 50 });
  expect(lines[0]).toBe("vrrp_instance (1 works, 0 accepted, 1 refused)");
  expect(lines[1]).toBe("  priority N  works    Says who is first.");
  expect(lines[2]).toMatch(/^ {2}auth N {6}refused {2}x+…$/);
  expect(lines[2]).toHaveLength(50);
  expect(lines.at(-1)).toBe("2 in all: 1 works, 0 accepted, 1 refused");
});

test.each([
  ["weight", "N", "weight N"],
  ["nopreempt", "", "nopreempt"],
  ["@ID", "@ID TEXT", "@ID TEXT"],
  ["~SEQ", "~SEQ(VAR, END) TEXT", "~SEQ(VAR, END) TEXT"],
])("how %s is written", (keyword, syntax, usage) => expect(usageOf(row({ keyword, syntax }))).toBe(usage));

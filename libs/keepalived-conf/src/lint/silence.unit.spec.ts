import { describe, expect, test } from "vitest";
import { instance, parse } from "../testing/parse.ts";
import { lint } from "./lint.ts";

const peer = parse({ "peer.conf": instance("priority 100\nstate MASTER") });
const told = (text: string): string[] =>
  lint({ files: [parse(text)], peers: [peer] })
    .filter(({ code }) => code.startsWith("lint/"))
    .map(({ code, line, column }) => `${code} ${line}:${column}`);

/** Line 5 has the priority, line 6 the state. */
const file = (priority: string, state = "state MASTER"): string => instance(`${priority}\n${state}`);
const both = ["lint/equal-priorities 5:1", "lint/several-masters 6:1"];

describe("a comment silences", () => {
  test.each([
    ["its line", file("priority 100 # baton: ignore equal-priorities"), [both[1]]],
    ["by the code", file("priority 100 # baton: ignore lint/equal-priorities"), [both[1]]],
    ["with a reason", file("priority 100 # baton: ignore equal-priorities -- both are alike"), [both[1]]],
    ["after !", file("priority 100 !baton: ignore equal-priorities"), [both[1]]],
    [
      "the next line",
      file("# baton: ignore equal-priorities\n\n# and why\npriority 100"),
      ["lint/several-masters 9:1"],
    ],
    [
      "several rules",
      file("# baton: ignore several-masters, equal-priorities\npriority 100"),
      ["lint/several-masters 7:1"],
    ],
    ["nothing else", file("priority 100 # baton: ignore several-masters"), both],
    ["no comment", file("priority 100 # ignore equal-priorities"), both],
    ["the file", `${file("priority 100")}# baton: ignore-file equal-priorities several-masters\n`, []],
  ])("%s", (_what, text, expected) => expect(told(text)).toEqual(expected));

  test.each([
    ["opened on its line", (text: string) => text.replace("{", "{ # baton: ignore equal-priorities several-masters")],
    ["below it", (text: string) => `# baton: ignore equal-priorities several-masters\n${text}`],
    [
      "whose brace stands on the next line",
      (text: string) => text.replace(" {", " # baton: ignore equal-priorities several-masters\n{"),
    ],
  ])("a block %s", (_what, change) => {
    expect(told(change(file("priority 100")))).toEqual([]);
    expect(told(change(file("authentication {\n}\npriority 100")))).toEqual([]);
  });

  test("a block no longer than it lasts", () => {
    const text = `global_defs { # baton: ignore equal-priorities\n}\n${file("priority 100")}`;
    expect(told(text)).toEqual(["lint/equal-priorities 7:1", "lint/several-masters 8:1"]);
  });
});

test("what keepalived complains of is toned down, and counts", () => {
  const text = instance("priority 100\nstate MASTER\nnopreempt # baton: ignore nopreempt-ignored");
  expect(lint({ files: [parse(text)] })).toMatchObject([
    { code: "lint/nopreempt-ignored", severity: "info", errorClass: "general-error", line: 7 },
  ]);
});

describe("a comment that silences nothing is told", () => {
  test.each([
    ["# baton: ignore equal-priority", "there is no rule 'equal-priority'", 17],
    ["# baton: ignore", "ignore names no rule", 10],
    ["# baton: ignores equal-priorities", "this comment silences nothing", 10],
    ["#baton:", "this comment silences nothing", 1],
  ])("%s", (comment, message, column) => {
    const [first] = lint({ files: [parse(`${comment}\n${instance("priority 100")}`)] });
    expect(first).toMatchObject({ code: "lint/unknown-rule", severity: "warning", errorClass: "ok", message });
    expect([first?.line, first?.column]).toEqual([1, column]);
  });
});

test("it can be silenced like any other, and what was meant is named", () => {
  const unknown = (text: string) =>
    lint({ files: [parse(text + instance("priority 100"))] })
      .filter(({ code }) => code === "lint/unknown-rule")
      .map(({ hint }) => hint);
  expect(unknown("# baton: ignore equal-priority\n")).toEqual(["did you mean equal-priorities?"]);
  expect(unknown("# baton: ignore frobnicate\n")).toEqual(["the manual page of lint lists all rules"]);
  expect(unknown("# baton: ignore frobnicate unknown-rule\n")).toEqual([]);
  expect(unknown("# baton: ignore frobnicate\n# baton: ignore-file unknown-rule\n")).toEqual([]);
});

test("braces that close nothing, and blocks that stay open, do no harm", () => {
  expect(told("} } }\na { # baton: ignore equal-priorities\n".repeat(200))).toEqual([]);
});

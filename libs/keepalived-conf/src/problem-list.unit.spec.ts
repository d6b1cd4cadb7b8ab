import { describe, expect, test } from "vitest";
import { exitCodeOf, isFatal } from "./diagnostics.ts";
import { collectProblems } from "./problem-list.ts";
import type { Problem } from "./report.ts";
import { codes, instance, parse } from "./testing/parse.ts";

const problem = (file: string, line: number, column: number, message = "m"): Problem => ({
  place: { file, line, column },
  severity: "error",
  code: "c",
  errorClass: "warning",
  message,
});

test("each once, in the order of files and lines", () => {
  const list = collectProblems();
  for (const each of [
    problem("b", 1, 1),
    problem("a", 2, 1),
    problem("a", 1, 5),
    problem("a", 1, 2),
    problem("b", 1, 1),
  ]) {
    list.report(each);
  }
  list.report(problem("a", 1, 2, "other"));
  const places = list
    .inOrder(["a", "b"], "a")
    .map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
  expect(places).toEqual(["a:1:2 m", "a:1:2 other", "a:1:5 m", "a:2:1 m", "b:1:1 m"]);
});

test("thousands of one kind are counted, not told; the verdict stays", () => {
  const { diagnostics } = parse(instance() + "foo 1\n".repeat(1200));
  expect(diagnostics).toHaveLength(501);
  expect(diagnostics.at(-1)).toMatchObject({
    line: 0,
    severity: "info",
    message: "700 more of the kind unknown-keyword",
  });
  expect(exitCodeOf(diagnostics)).toBe(5);
  const fatal = parse("vrrp_script {\n}\n".repeat(600));
  expect(isFatal(fatal.diagnostics)).toBe(true);
});

describe("the text that a diagnostic is about, and what counts instead", () => {
  const told = (text: string, code: string) => {
    const found = parse(text).diagnostics.find((diagnostic) => diagnostic.code === code);
    return [found?.text, found?.used];
  };
  test.each([
    ["a word", instance("priority 300"), "invalid-number", "300", "priority 100"],
    ["a number with a unit", instance("preempt_delay 5s"), "invalid-number", "5s", "preempt_delay 0.000005"],
    ["a line", instance("state MASTERS 1"), "state", "state MASTERS 1", "state BACKUP"],
    ["an entry", instance("virtual_ipaddress {\n10.0.0.2/99\n}"), "prefix-length", "10.0.0.2/99", "10.0.0.2/32"],
    ["an unknown keyword", instance("prioriti 1"), "unknown-keyword", "prioriti", undefined],
    ["a brace", "}", "unexpected-close-brace", "}", undefined],
  ])("%s", (_what, text, code, offending, used) => expect(told(text, code)).toEqual([offending, used]));

  test("a definition is told as what it stands for", () => {
    expect(told(`$P=300\n${instance("priority $P")}`, "invalid-number")).toEqual(["300", "priority 100"]);
  });

  test("passwords are not repeated", () => {
    const authentication = (lines: string) => instance(`authentication {\nauth_type PASS\n${lines}\n}`);
    const cut = parse(authentication("auth_pass hunter2hunter2"));
    expect(codes(cut)).toContain("auth-pass-cut 7:1");
    const open = parse(authentication('auth_pass "hunter2\nauth_pas hunter2\nauth_pass #hunter2'));
    expect(codes(open)).toEqual(expect.arrayContaining(["open-quote 7:11", "unknown-keyword 8:1"]));
    expect(JSON.stringify([cut.diagnostics, open.diagnostics])).not.toContain("hunter2");
  });
});

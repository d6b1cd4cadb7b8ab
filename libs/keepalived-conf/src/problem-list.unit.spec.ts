import { expect, test } from "vitest";
import { exitCodeOf, isFatal } from "./diagnostics.ts";
import { collectProblems } from "./problem-list.ts";
import type { Problem } from "./report.ts";
import { instance, parse } from "./testing/parse.ts";

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

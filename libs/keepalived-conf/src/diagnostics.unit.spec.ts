import { expect, test } from "vitest";
import { type Diagnostic, type ErrorClass, exitCodeOf, formatDiagnostic, isFatal } from "./diagnostics.ts";

const diagnostic = (errorClass: ErrorClass, extra: Partial<Diagnostic> = {}): Diagnostic => ({
  file: "a.conf",
  line: 3,
  column: 7,
  severity: "error",
  code: "code",
  errorClass,
  message: "it is wrong",
  hint: undefined,
  ...extra,
});

test.each<[ErrorClass[], number]>([
  [[], 0],
  [["ok"], 0],
  [["file-not-found"], 6],
  [["missing-parameter", "security-error"], 2],
  [["missing-parameter", "file-not-found"], 6],
  [["bad-interface"], 4],
  [["fatal", "bad-interface"], 4],
  [["fatal", "general-error"], 5],
  [["unknown-keyword"], 5],
  [["warning"], 5],
  [["deprecated"], 5],
  [["deprecated", "security-error"], 6],
])("%j exits %i", (classes, exit) => expect(exitCodeOf(classes.map((name) => diagnostic(name)))).toBe(exit));

test("fatal is what keepalived would not start with", () => {
  expect(isFatal([diagnostic("general-error")])).toBe(false);
  expect(isFatal([diagnostic("general-error", { code: "vrid-missing" })])).toBe(true);
  expect(isFatal([diagnostic("general-error", { code: "vrid-missing", severity: "warning" })])).toBe(false);
});

test("a diagnostic reads like a compiler's", () => {
  expect(formatDiagnostic(diagnostic("ok"))).toBe("a.conf:3:7: error: it is wrong");
  expect(formatDiagnostic(diagnostic("ok", { hint: "do this" }))).toBe(
    "a.conf:3:7: error: it is wrong\n  hint: do this",
  );
  expect(formatDiagnostic(diagnostic("ok", { line: 0, column: 0 }))).toBe("a.conf: error: it is wrong");
});

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
  text: undefined,
  used: undefined,
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
  expect(formatDiagnostic(diagnostic("ok"))).toBe("a.conf:3:7: error: it is wrong [code]");
  expect(formatDiagnostic(diagnostic("ok", { hint: "do this" }))).toBe(
    "a.conf:3:7: error: it is wrong [code]\n  hint: do this",
  );
  expect(formatDiagnostic(diagnostic("ok", { line: 0, column: 0 }))).toBe("a.conf: error: it is wrong [code]");
});

test("it says what is meant and what counts instead", () => {
  expect(formatDiagnostic(diagnostic("ok", { text: "priority 300", used: "priority 100", hint: "do this" }))).toBe(
    "a.conf:3:7: error: it is wrong [code]\n  text: priority 300\n  used: priority 100\n  hint: do this",
  );
  const quoting = diagnostic("ok", { message: "'300' is too much", text: "300" });
  expect(formatDiagnostic(quoting)).toBe("a.conf:3:7: error: '300' is too much [code]");
  expect(formatDiagnostic(diagnostic("ok", { text: "x".repeat(500) }))).toHaveLength(37 + "\n  text: ".length + 120);
});

test("a file cannot write to the terminal", () => {
  const hostile = { file: "a\u001b[2J", message: "'\u0007\u202e' \ud800", text: "\u009b31m\n", used: "\ufeff" };
  expect(formatDiagnostic(diagnostic("ok", hostile))).toBe(
    "a\\x1b[2J:3:7: error: '\\x07\\u{202e}' \\u{d800} [code]\n  text: \\x9b31m\\x0a\n  used: \\u{feff}",
  );
});

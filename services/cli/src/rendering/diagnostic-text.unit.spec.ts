import type { Diagnostic } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { countDiagnostics, diagnosticLines } from "./diagnostic-text.ts";
import { pipe } from "./screen.ts";

const diagnostic = (over: Partial<Diagnostic>): Diagnostic => ({
  file: "k.conf",
  line: 2,
  column: 3,
  severity: "warning",
  code: "some-code",
  errorClass: "ok",
  message: "too much",
  text: "300",
  used: "100",
  hint: "write less",
  ...over,
});
const source = (): string => "first\n  300 x\nthird 300\n";
const screen = { ...pipe, columns: 80 };

test("for a program: one after the other, with what silences them", () => {
  expect(
    diagnosticLines([diagnostic({}), diagnostic({ line: 0, hint: undefined, used: undefined })], source, pipe),
  ).toEqual([
    "k.conf:2:3: warning: too much [some-code]",
    "  text: 300",
    "  used: 100",
    "  hint: write less",
    "k.conf: warning: too much [some-code]",
    "  text: 300",
  ]);
});

test("on a terminal: with the line, and once for the same complaint", () => {
  const others = [3, 3, 9].map((line) => diagnostic({ line, column: 7 }));
  expect(diagnosticLines([diagnostic({}), ...others, diagnostic({ file: "other" })], source, screen)).toEqual([
    "k.conf:2:3: warning: too much [some-code]",
    "  2 |   300 x",
    "    |   ^^^",
    "  used: 100",
    "  hint: write less",
    "  also: lines 3, 9",
    "",
    "other:2:3: warning: too much [some-code]",
    "  2 |   300 x",
    "    |   ^^^",
    "  used: 100",
    "  hint: write less",
    "",
  ]);
});

test("what a definition stands for is told: the line does not show it", () => {
  const [, line, mark, text] = diagnosticLines([diagnostic({ text: "2.5" })], () => "first\n  $A x\n", screen);
  expect([line, mark, text]).toEqual(["  2 |   $A x", "    |   ^^", "  text: 2.5"]);
});

test("what the parser keeps to itself is not in the line either", () => {
  const secret = diagnostic({ text: "auth_pass …", message: "auth_pass is cut" });
  const lines = diagnosticLines([secret], () => "{\n  auth_pass  sesame # mine\n", screen);
  expect(lines[1]).toBe("  2 |   auth_pass …");
  expect(lines[2]).toBe("    |   ^^^^^^^^^^^");
  expect(lines[3]).toBe("  used: 100");
  expect(lines.join("\n")).not.toContain("sesame");
});

test("without a source, and of a file as a whole, there is no line", () => {
  const bare = diagnostic({ hint: undefined, used: undefined, message: "300 is too much" });
  expect(diagnosticLines([bare], () => undefined, screen)).toEqual([
    "k.conf:2:3: warning: 300 is too much [some-code]",
    "",
  ]);
  expect(diagnosticLines([{ ...bare, line: 0 }], source, screen)).toEqual([
    "k.conf: warning: 300 is too much [some-code]",
    "",
  ]);
});

test("counts", () => {
  expect(countDiagnostics([])).toBe("");
  const all = ["info", "warning", "error", "error"] as const;
  expect(countDiagnostics(all.map((severity) => diagnostic({ severity })))).toBe("2 errors, 1 warning, 1 info");
});

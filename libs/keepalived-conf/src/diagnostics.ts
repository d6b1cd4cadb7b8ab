// What is wrong with a file, and where. Diagnostics are collected, never thrown.

export type Severity = "error" | "warning" | "info";

/** keepalived's error classes in rising order (grammar: `-t` exit codes are derived from the highest one seen). */
export const errorClasses = [
  "ok",
  "file-not-found",
  "bad-interface",
  "fatal",
  "multiple-files",
  "unknown-keyword",
  "unexpected-open-brace",
  "missing-open-brace",
  "unexpected-close-brace",
  "missing-close-brace",
  "unmatched-quote",
  "missing-parameter",
  "invalid-number",
  "general-error",
  "warning",
  "deprecated",
  "security-error",
] as const;
export type ErrorClass = (typeof errorClasses)[number];

export interface Diagnostic {
  readonly file: string;
  /** 1-based; 0 when the diagnostic concerns the file as a whole. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
  readonly severity: Severity;
  /** Stable and searchable, kebab-case: `unknown-keyword`, `shell-syntax-script`, … */
  readonly code: string;
  /** What keepalived would class it as; `ok` when keepalived says nothing (Baton's own advice). */
  readonly errorClass: ErrorClass;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | undefined;
}

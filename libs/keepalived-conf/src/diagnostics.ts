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
  /** The text that it is about, definitions expanded; undefined for a file as a whole. */
  readonly text: string | undefined;
  /** What counts in its place, as one would write it; undefined: nothing does, or the text itself. */
  readonly used: string | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
}

/** With these, keepalived would not start, or Baton would do harm if it did. */
const fatalCodes: ReadonlySet<string> = new Set([
  "file-not-found",
  "missing-parameter",
  "too-much",
  "vrid-missing",
  "vrid-duplicate",
  "interface-required",
  "interface-missing",
  "address-required",
  "unicast-strict",
  "refused",
]);

export const isFatal = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some((diagnostic) => diagnostic.severity === "error" && fatalCodes.has(diagnostic.code));

/** What `keepalived -t` exits with (grammar section 12). 1, a wrong command line, is the command's own business. */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): 0 | 2 | 4 | 5 | 6 {
  const classes = new Set(diagnostics.map((diagnostic) => diagnostic.errorClass));
  // Includes are read, and their absence is noticed, before any keyword of a child is.
  if (classes.has("file-not-found")) return 6;
  if (classes.has("missing-parameter")) return 2;
  const highest = errorClasses.findLast((name) => classes.has(name)) ?? "ok";
  if (highest === "ok") return 0;
  if (highest === "security-error") return 6;
  return highest === "bad-interface" || highest === "fatal" ? 4 : 5;
}

/**
 * `file:line:column: severity: message [code]`; then, each on a line of its own, the text where the message does not quote it,
 * what counts instead, and the hint. A file cannot write to the terminal by it: control characters are escaped.
 */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, code, message, text, used, hint } = diagnostic;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const quoted = text === undefined || text === "" || message.includes(text);
  const details = [
    ["text", quoted ? undefined : shorten(text)],
    ["used", used],
    ["hint", hint],
  ].flatMap(([name, content]) => (content === undefined ? [] : [`\n  ${name}: ${printable(content)}`]));
  return `${printable(place)}: ${severity}: ${printable(message)} [${code}]${details.join("")}`;
}

const textMax = 120;
const shorten = (text: string): string => (text.length <= textMax ? text : `${text.slice(0, textMax - 1)}…`);

/** Control and format characters (the latter turn the direction of writing), halves of surrogate pairs, line ends. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Text that comes from a file, so that it cannot write to the terminal: what does not print is escaped. */
export const printable = (text: string): string =>
  text.replace(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });

// Diagnostics as they are read: one a line where a program reads, with the source and a mark under it on a terminal,
// where the same complaint about many lines is told once. Pure.
import { type Diagnostic, formatDiagnostic, printable } from "@baton/keepalived-conf";
import type { Screen } from "./screen.ts";
import { type Excerpt, excerpt } from "./source-line.ts";

/** The text of a file; undefined where there is none to show. */
export type SourceOf = (file: string) => string | undefined;

/** In the order given. */
export function diagnosticLines(diagnostics: readonly Diagnostic[], sourceOf: SourceOf, screen: Screen): string[] {
  const { columns } = screen;
  if (columns === undefined) return diagnostics.flatMap(plainLines);
  const lineOf = lineReader(sourceOf);
  return groupRepeated(diagnostics).flatMap(({ first, others }) => {
    const line = first.line === 0 ? undefined : lineOf(first.file, first.line);
    return [...describe(first, others, line, screen), ""];
  });
}

/** As in logs. */
const plainLines = (diagnostic: Diagnostic): string[] => formatDiagnostic(diagnostic).split("\n");

interface Group {
  readonly first: Diagnostic;
  readonly others: readonly Diagnostic[];
}

/** Those that differ in nothing but their place in a file. */
function groupRepeated(diagnostics: readonly Diagnostic[]): Group[] {
  const groups = new Map<string, { first: Diagnostic; others: Diagnostic[] }>();
  for (const diagnostic of diagnostics) {
    const { file, severity, code, message, used, hint } = diagnostic;
    const key = JSON.stringify([file, severity, code, message, used, hint]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: diagnostic, others: [] });
    else group.others.push(diagnostic);
  }
  return [...groups.values()];
}

function lineReader(sourceOf: SourceOf): (file: string, line: number) => string | undefined {
  const files = new Map<string, readonly string[]>();
  return (file, line) => {
    const known =
      files.get(file) ??
      sourceOf(file)
        ?.replace(/^\uFEFF/, "")
        .split("\n") ??
      [];
    files.set(file, known);
    return known[line - 1];
  };
}

function describe(
  diagnostic: Diagnostic,
  others: readonly Diagnostic[],
  source: string | undefined,
  screen: Screen,
): string[] {
  const { file, line, column, severity, message, text, used, hint, code } = diagnostic;
  const { bold, dim, columns = 0 } = screen;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const gutter = String(line).length;
  const visible = source === undefined ? undefined : withoutSecret(source, column, text);
  const shown = visible === undefined ? undefined : excerpt(visible, column, text, columns - gutter - 4);
  const paint = paintOf(severity, screen);
  // A definition stood there: what it stands for is seen nowhere else.
  const isSeen = text === undefined || text === "" || message.includes(text) || visible?.startsWith(text, column - 1);
  return [
    `${bold(printable(place))}: ${paint(`${severity}: `)}${bold(printable(message))} ${dim(`[${code}]`)}`,
    ...(shown === undefined ? [] : quote(shown, line, gutter, paint, dim)),
    ...(isSeen ? [] : [`  ${dim("text:")} ${printable(text)}`]),
    ...(used === undefined ? [] : [`  ${dim("used:")} ${printable(used)}`]),
    ...(hint === undefined ? [] : [`  ${dim("hint:")} ${printable(hint)}`]),
    ...(others.length === 0 ? [] : [`  ${dim("also:")} ${also(others)}`]),
  ];
}

/** Where the parser keeps a password to itself (`auth_pass …`), so does the line. */
function withoutSecret(source: string, column: number, text: string | undefined): string {
  if (text?.endsWith(" …") !== true) return source;
  const keyword = text.slice(0, -1);
  const start = Math.max(0, column - 1);
  return source.slice(start).replace(/\s+/, " ").startsWith(keyword) ? source.slice(0, start) + text : source;
}

const quote = (
  { line, mark }: Excerpt,
  number: number,
  gutter: number,
  paint: Screen["red"],
  dim: Screen["dim"],
): string[] => [`  ${dim(`${number} |`)} ${line}`, `  ${dim(`${" ".repeat(gutter)} |`)} ${paint(mark)}`];

const paintOf = (severity: Diagnostic["severity"], screen: Screen): Screen["red"] =>
  severity === "error" ? screen.red : severity === "warning" ? screen.yellow : screen.cyan;

const placesMax = 12;

function also(others: readonly Diagnostic[]): string {
  const lines = [...new Set(others.map(({ line }) => line))];
  const more = lines.length > placesMax ? ` and ${lines.length - placesMax} more` : "";
  return `line${lines.length === 1 ? "" : "s"} ${lines.slice(0, placesMax).join(", ")}${more}`;
}

/** `2 errors, 1 warning, 3 info`; empty when there are none. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const count = (severity: Diagnostic["severity"]): number =>
    diagnostics.filter((diagnostic) => diagnostic.severity === severity).length;
  const [errors, warnings, infos] = [count("error"), count("warning"), count("info")];
  return [
    ...(errors === 0 ? [] : [plural(errors, "error")]),
    ...(warnings === 0 ? [] : [plural(warnings, "warning")]),
    ...(infos === 0 ? [] : [`${infos} info`]),
  ].join(", ");
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

// All that was reported, each once however many processes of keepalived would find it, in the order of files and lines.
import type { Diagnostic } from "./diagnostics.ts";
import type { Problem, Report } from "./report.ts";

/** A file that is broken all over says the same thousands of times; nobody reads on. */
const perCodeMax = 500;

export interface ProblemList {
  readonly report: Report;
  readonly has: (code: string) => boolean;
  inOrder(files: readonly string[], main: string): Diagnostic[];
}

export function collectProblems(): ProblemList {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  const report = (problem: Problem): void => {
    const { place, code, message } = problem;
    const told = counts.get(code) ?? 0;
    if (told >= perCodeMax) {
      counts.set(code, told + 1);
      return;
    }
    const key = `${place.file}\n${place.line}\n${place.column}\n${code}\n${message}`;
    if (seen.has(key)) return;
    seen.add(key);
    counts.set(code, told + 1);
    problems.push(problem);
  };
  const inOrder = (files: readonly string[], main: string): Diagnostic[] => {
    const more = [...counts]
      .filter(([, count]) => count > perCodeMax)
      .map(([code, count]) => tellMore(main, code, count));
    return [...inFileOrder(problems.map(toDiagnostic), files), ...more];
  };
  return { report, has: (code) => counts.has(code), inOrder };
}

/** As they stand in the files; those of other files after them. */
export function inFileOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const order = new Map(files.map((file, index) => [file, index]));
  const rank = ({ file }: Diagnostic) => order.get(file) ?? files.length;
  return diagnostics.toSorted((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column);
}

const toDiagnostic = ({ place, severity, code, errorClass, message, hint, used }: Problem): Diagnostic => ({
  file: place.file,
  line: place.line,
  column: place.column,
  severity,
  code,
  errorClass,
  message,
  text: place.text,
  used,
  hint: typeof hint === "function" ? hint() : hint,
});

const tellMore = (file: string, code: string, count: number): Diagnostic => ({
  file,
  line: 0,
  column: 0,
  severity: "info",
  code: "more",
  errorClass: "ok",
  message: `${count - perCodeMax} more of the kind ${code}`,
  text: undefined,
  used: undefined,
  hint: "put the first ones right and check again",
});

// Comments that silence rules: `# baton: ignore RULE …` for its own line, or for the next one when it stands alone; for
// the whole block where that line opens one. `# baton: ignore-file RULE …` for the file. After ` -- ` a reason may follow.
import type { Diagnostic } from "../diagnostics.ts";
import { nearestName } from "../keywords/nearest.ts";
import type { Source } from "../parse-config.ts";
import { collectProblems } from "../problem-list.ts";
import type { Problem, Report } from "../report.ts";
import { splitAtBrace } from "../source/braces.ts";
import { stripComment } from "../source/comment.ts";
import type { FileText } from "../source/octets.ts";
import { physicalLines } from "../source/physical-line.ts";
import { sliceText, type Text } from "../source/text.ts";
import { splitWords, type Word } from "../source/words.ts";
import { codeOf } from "./rule.ts";
import { rules } from "./rules.ts";

/**
 * Without what comments silence. What keepalived complains of itself is only toned down to an info, for the exit code
 * stays keepalived's; errors stay errors.
 */
export function silence(diagnostics: readonly Diagnostic[], { file, files }: Source): Diagnostic[] {
  const problems = collectProblems();
  const silent = new Set<Diagnostic>();
  for (const [path, content] of files) {
    if (!("text" in content) || !content.text.includes("baton:")) continue;
    const own = diagnostics.filter((diagnostic) => diagnostic.file === path);
    for (const diagnostic of silencedIn(path, content, own, problems.report)) silent.add(diagnostic);
  }
  const kept = diagnostics.flatMap((diagnostic): Diagnostic[] => {
    if (diagnostic.severity === "error" || !silent.has(diagnostic)) return [diagnostic];
    if (diagnostic.errorClass === "ok") return [];
    return [{ ...diagnostic, severity: "info", hint: "silenced by a comment; keepalived complains all the same" }];
  });
  return [...kept, ...problems.inOrder([...files.keys()], file)];
}

type Codes = ReadonlySet<string>;
const none: Codes = new Set();

interface ScanState {
  /** Of each open block, from the comment on the line that opened it. */
  readonly blocks: Codes[];
  /** In how many open blocks a code is silent. */
  readonly depths: Map<string, number>;
  readonly wholeFile: Set<string>;
  /** Of comments that stand alone, for the next line. */
  pending: Codes;
  /** Of the last line that has no brace: the one of its block may stand on the next. */
  opening: Codes;
  /** Of comments that silence nothing. */
  readonly complaints: Problem[];
}

function silencedIn(path: string, content: FileText, diagnostics: readonly Diagnostic[], report: Report): Diagnostic[] {
  const state: ScanState = {
    blocks: [],
    depths: new Map(),
    wholeFile: new Set(),
    pending: none,
    opening: none,
    complaints: [],
  };
  const byLine = new Map<number, Diagnostic[]>();
  for (const diagnostic of diagnostics) {
    const others = byLine.get(diagnostic.line);
    if (others === undefined) byLine.set(diagnostic.line, [diagnostic]);
    else others.push(diagnostic);
  }
  const silent: Diagnostic[] = [];
  for (const { number, text: line } of physicalLines(path, content, () => {})) {
    const { text: code, comment } = stripComment(line);
    const own = comment === undefined ? none : readComment(sliceText(line, comment), path, number, state);
    if (code.value === "") {
      state.pending = union(state.pending, own);
      continue;
    }
    const here = union(state.pending, own);
    state.pending = none;
    const before = new Set(state.depths.keys());
    followBraces(code, here, state);
    for (const diagnostic of byLine.get(number) ?? []) {
      const { code: name } = diagnostic;
      if (here.has(name) || before.has(name) || state.depths.has(name)) silent.push(diagnostic);
    }
  }
  if (!state.wholeFile.has(unknownRule)) for (const complaint of state.complaints) report(complaint);
  return [...silent, ...diagnostics.filter(({ code }) => state.wholeFile.has(code))];
}

function followBraces(line: Text, here: Codes, state: ScanState): void {
  for (let rest: Text | undefined = line; rest !== undefined; ) {
    const [piece, tail]: [Text, Text | undefined] = splitAtBrace(rest);
    if (piece.value === "{") openBlock(state, union(here, rest === line ? state.opening : none));
    else if (piece.value === "}") closeBlock(state);
    if (rest === line) state.opening = piece.value === "{" || piece.value === "}" ? none : here;
    rest = tail;
  }
}

function openBlock({ blocks, depths }: ScanState, codes: Codes): void {
  blocks.push(codes);
  for (const code of codes) depths.set(code, (depths.get(code) ?? 0) + 1);
}

function closeBlock({ blocks, depths }: ScanState): void {
  for (const code of blocks.pop() ?? none) {
    const depth = (depths.get(code) ?? 1) - 1;
    if (depth === 0) depths.delete(code);
    else depths.set(code, depth);
  }
}

const union = (one: Codes, other: Codes): Codes =>
  one.size === 0 ? other : other.size === 0 ? one : new Set([...one, ...other]);

/** By the name that a comment uses, with and without `lint/`. */
const codesByName: ReadonlyMap<string, string> = new Map(
  rules.flatMap((rule) => [rule.name, `lint/${rule.name}`].map((name) => [name, codeOf(rule)] as const)),
);

const ruleNames = rules.map(({ name }) => name);

const unknownRule = "lint/unknown-rule";

/** What the comment silences on its line; what it silences in the file goes into `state`. */
function readComment(comment: Text, file: string, line: number, state: ScanState): Codes {
  const head = /^[#!][#! \t]*baton:/.exec(comment.value);
  if (head === null) return none;
  const [text] = comment.value.slice(head[0].length).split(/ --( |$)/);
  const { words } = splitWords(sliceText(comment, head[0].length, head[0].length + (text ?? "").length));
  const [directive, ...names] = words;
  const complaints: Problem[] = [];
  const complain = (word: Word | undefined, message: string, hint: string): void => {
    const place = { file, line, column: word?.column ?? 1, text: word?.text };
    complaints.push({ place, severity: "warning", code: unknownRule, errorClass: "ok", message, hint });
  };
  const codes = readNames(directive, names, complain);
  if (directive?.text === "ignore-file") for (const code of codes) state.wholeFile.add(code);
  const isSilent = codes.has(unknownRule) || state.pending.has(unknownRule) || state.depths.has(unknownRule);
  if (!isSilent) state.complaints.push(...complaints);
  return directive?.text === "ignore" ? codes : none;
}

/** The codes of the rules that a comment names. */
function readNames(
  directive: Word | undefined,
  names: readonly Word[],
  complain: (word: Word | undefined, message: string, hint: string) => void,
): Codes {
  if (directive?.text !== "ignore" && directive?.text !== "ignore-file") {
    complain(directive, "this comment silences nothing", "write # baton: ignore RULE, or ignore-file RULE");
    return none;
  }
  if (names.length === 0) complain(directive, `${directive.text} names no rule`, "write # baton: ignore RULE");
  const codes = new Set<string>();
  for (const name of names) {
    const written = name.text.replace(/,$/, "");
    const code = codesByName.get(written);
    if (code === undefined) complain(name, `there is no rule '${written}'`, hintFor(written));
    else codes.add(code);
  }
  return codes;
}

function hintFor(name: string): string {
  const nearest = nearestName(name.replace(/^lint\//, ""), ruleNames);
  return nearest === undefined ? "the manual page of lint lists all rules" : `did you mean ${nearest}?`;
}

// Lines → blocks, by the keyword table (grammar sections 5 and 6). keepalived's four processes each read the whole file
// and skip what belongs to the others by counting braces; a stray brace or an unknown block therefore breaks different
// things in each of them. So do we: one pass per process, each keeps what it owns.

import { globalDefs } from "../keywords/global-defs.ts";
import { missingWord } from "../keywords/missing-word.ts";
import { ownersOf, root } from "../keywords/root.ts";
import {
  type BlockSpec,
  type Keyword,
  type KeywordLine,
  type Pass,
  passes,
  type ValueBlock,
} from "../keywords/table.ts";
import type { Place, Problem, Report } from "../report.ts";
import { openQuoteProblem } from "../source/comment.ts";
import { changeIncludeCheck } from "../source/include-check.ts";
import type { LineReader, LogicalLine } from "../source/line-reader.ts";
import { splitWords, type Word } from "../source/words.ts";
import * as problems from "./problems.ts";
import { type Block, placesOf } from "./tree.ts";

/** Root keywords and blocks, each from the process that owns it. `openReader` reads the same lines each time. */
export function parseLines(openReader: () => LineReader, report: Report): Block {
  const tree = openBlock(root, undefined, { file: "", line: 0, column: 0 }, 0);
  const shared = {
    report,
    unknown: new Map<string, () => Problem>(),
    understood: new Set<string>(),
  };
  for (const pass of passes) {
    const state: PassState = {
      pass,
      reader: openReader(),
      shared,
      skip: 0,
      openBraces: [],
      order: 0,
    };
    readBlock(state, tree, 0, false);
    const unclosed = state.openBraces.at(-1);
    if (unclosed !== undefined) report(problems.missingClose(unclosed, state.openBraces.length));
  }
  // A line that one process understands is not unknown, even where another one stumbles over it.
  for (const [key, problem] of shared.unknown) if (!shared.understood.has(key)) report(problem());
  return tree;
}

interface PassState {
  readonly pass: Pass;
  readonly reader: LineReader;
  readonly shared: {
    readonly report: Report;
    readonly unknown: Map<string, () => Problem>;
    readonly understood: Set<string>;
  };
  /** Braces to close before reading goes on; -1: skip the next block, if one opens here at all. */
  skip: number;
  readonly openBraces: Place[];
  order: number;
}

interface Line {
  readonly source: LogicalLine;
  readonly words: readonly [Word, ...Word[]];
  readonly openQuote: Place | undefined;
}

const openBlock = (spec: BlockSpec, header: unknown, place: Place, order: number): Block => ({
  spec,
  header,
  place,
  order,
  settings: [],
  lists: [],
  blocks: [],
});

function nextLine(state: PassState): Line | undefined {
  for (let source = state.reader.next(); source !== undefined; source = state.reader.next()) {
    const { words, openQuote } = splitWords(source.text);
    const [first, ...rest] = words;
    if (first === undefined) continue;
    const at = placesOf(source, first);
    countBraces(state, first, at());
    return {
      source,
      words: [first, ...rest],
      openQuote: openQuote === undefined ? undefined : { ...at(), column: openQuote },
    };
  }
  return undefined;
}

function countBraces(state: PassState, first: Word, place: Place): void {
  if (first.text === "{") state.openBraces.push(place);
  else if (first.text === "}" && state.openBraces.pop() === undefined) state.shared.report(problems.extraClose(place));
}

const keyOf = (place: Place): string => `${place.file}\n${place.line}\n${place.column}`;

/** Reads until the block closes. False when it was skipped instead, so that it must not be kept. */
function readBlock(state: PassState, block: Block, level: number, needsBrace: boolean): boolean {
  let expectsBrace = needsBrace;
  for (let line = nextLine(state); line !== undefined; line = nextLine(state)) {
    const [first] = line.words;
    const place = placesOf(line.source, first)();
    if (state.skip === -1) {
      state.skip = first.text === "{" ? 1 : 0;
      if (state.skip === 1) {
        expectsBrace = false;
        continue;
      }
    }
    if (state.skip > 0) {
      if (first.text === "{") state.skip++;
      else if (first.text === "}" && --state.skip === 0 && level > 0) return false;
      continue;
    }
    if (expectsBrace) {
      expectsBrace = false;
      if (first.text === "{") continue;
      state.shared.report(problems.missingOpen(place, block.spec.name));
    } else if (first.text === "{") {
      noteUnknown(state, place, () => problems.unexpectedOpen(place));
      continue;
    }
    if (first.text === "}") {
      if (level > 0) return true;
      state.shared.report(problems.extraClose(place));
      continue;
    }
    readKeyword(state, block, line, level);
  }
  return true;
}

function noteUnknown(state: PassState, place: Place, problem: () => Problem): void {
  const key = keyOf(place);
  if (!state.shared.unknown.has(key)) state.shared.unknown.set(key, problem);
}

function readKeyword(state: PassState, block: Block, line: Line, level: number): void {
  const [first] = line.words;
  const place = placesOf(line.source, first)(first);
  const spec = findSpec(block.spec, first.text);
  if (spec === undefined) {
    noteUnknown(state, place, () => problems.unknownKeyword(place, first.text, block.spec));
    return;
  }
  const owners = level === 0 ? ownersOf(spec) : [state.pass];
  if (!owners.includes(state.pass)) {
    state.skip = -1;
    return;
  }
  state.shared.understood.add(keyOf(place));
  // A block that two processes read is kept from the first of them.
  const kept = owners[0] === state.pass;
  if (spec.kind === "keyword") readSetting(state, block, spec, line);
  else if (spec.kind === "values") readList(state, block, spec, line);
  else readInner(state, block, spec, line, level, kept);
}

const findSpec = (spec: BlockSpec, name: string): Keyword<unknown> | ValueBlock | BlockSpec | undefined =>
  byName(spec).get(name);

/** Looking a keyword up is on the path of every line. */
const namesOf = new WeakMap<BlockSpec, ReadonlyMap<string, Keyword<unknown> | ValueBlock | BlockSpec>>();

function byName(spec: BlockSpec): ReadonlyMap<string, Keyword<unknown> | ValueBlock | BlockSpec> {
  const known = namesOf.get(spec);
  if (known !== undefined) return known;
  const names = new Map([...Object.values(spec.keywords), ...spec.blocks].map((inner) => [inner.name, inner]));
  namesOf.set(spec, names);
  return names;
}

function keywordLine(line: Line, secret = false): KeywordLine {
  const [keyword, ...args] = line.words;
  const at = placesOf(line.source, keyword);
  const hidden = (word?: Word): Place => ({ ...at(word), text: `${keyword.text} …` });
  return { keyword, args, text: line.source.text, at: secret ? hidden : at };
}

function readSetting(state: PassState, block: Block, spec: Keyword<unknown>, line: Line): void {
  const { report } = state.shared;
  const source = keywordLine(line, spec.argument.secret);
  if (line.openQuote !== undefined && !spec.argument.script) report(openQuoteProblem(line.openQuote));
  // The script tokeniser sees more words than the other where a quote stays open.
  if (!(line.openQuote !== undefined && spec.argument.script) && !hasWords(state, source, spec.argument)) return;
  const target = spec.alias ?? spec;
  if (target.repeat === "first" && block.settings.some((earlier) => earlier.keyword === target)) {
    report(problems.repeated(source));
    return;
  }
  if (spec.deprecated !== undefined) report(problems.deprecated(source.at(), spec.kind, spec.name, spec.deprecated));
  const value = spec.argument.parse(source, report);
  if (value === undefined && (source.args.length > 0 || line.openQuote !== undefined)) return;
  tellSupport(spec, source.at(), report);
  block.settings.push({ keyword: target, value, place: source.at(), order: state.order++ });
  if (spec === globalDefs.keywords.includeCheck) {
    state.reader.setIncludeCheck((current) => changeIncludeCheck(current, source, report));
  }
}

/** keepalived ends at once where a word is missing; we go on to say what else is wrong, and make no Config. */
function hasWords(
  state: PassState,
  line: KeywordLine,
  argument: { required: number; syntax: string } | undefined,
): boolean {
  if (argument === undefined || line.args.length >= argument.required) return true;
  state.shared.report(missingWord(line, argument.syntax));
  return false;
}

function readList(state: PassState, block: Block, spec: ValueBlock, line: Line): void {
  const { report } = state.shared;
  const source = keywordLine(line);
  if (line.openQuote !== undefined) report(openQuoteProblem(line.openQuote));
  if (!hasWords(state, source, spec.header)) return;
  const header = spec.header?.parse(source, report);
  const surplus = source.args[spec.header === undefined ? 0 : 1];
  if (surplus !== undefined) report(problems.surplusWords(source, surplus));
  tellSupport(spec, source.at(), report);
  const order = state.order++;
  const entries = readEntries(state, spec);
  block.lists.push({ spec, header, entries, place: source.at(), order });
}

function readEntries(state: PassState, spec: ValueBlock): Block["lists"][number]["entries"][number][] {
  const entries: Block["lists"][number]["entries"][number][] = [];
  let expectsBrace = true;
  for (let line = nextLine(state); line !== undefined; line = nextLine(state)) {
    const [first] = line.words;
    const at = placesOf(line.source, first);
    state.shared.understood.add(keyOf(at()));
    if (expectsBrace) {
      expectsBrace = false;
      if (first.text === "{") continue;
      // keepalived only logs this one and reads entries all the same.
      state.shared.report({ ...problems.missingOpen(at(), spec.name), errorClass: "ok" });
    }
    if (first.text === "}") break;
    if (line.openQuote !== undefined) state.shared.report(openQuoteProblem(line.openQuote));
    entries.push({ words: line.words, text: line.source.text, at, order: state.order++ });
  }
  return entries;
}

function readInner(state: PassState, block: Block, spec: BlockSpec, line: Line, level: number, kept: boolean): void {
  const { report } = state.shared;
  const source = keywordLine(line);
  if (line.openQuote !== undefined) report(openQuoteProblem(line.openQuote));
  const complete = hasWords(state, source, spec.header);
  const header = complete ? spec.header?.parse(source, report) : undefined;
  const usable = complete && (spec.header === undefined || header !== undefined);
  const twin = spec.unique && block.blocks.find((other) => other.spec === spec && other.header === header);
  if (usable && twin) report(problems.duplicateBlock(source, twin.place));
  if (!usable || twin) state.skip = -1;
  else {
    if (spec.deprecated !== undefined) report(problems.deprecated(source.at(), spec.kind, spec.name, spec.deprecated));
    tellSupport(spec, source.at(), report);
  }
  const inner = openBlock(spec, header, source.at(), state.order++);
  if (readBlock(state, inner, level + 1, true) && usable && kept && !twin) block.blocks.push(inner);
}

function tellSupport({ name, support }: BlockSpec | Keyword<unknown> | ValueBlock, place: Place, report: Report): void {
  const problem = problems.unsupported(place, name, support);
  if (problem !== undefined) report(problem);
}

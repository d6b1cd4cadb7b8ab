// Lines → blocks, by the keyword table (grammar sections 5 and 6). keepalived's four processes each read the whole file
// and skip what belongs to the others by counting braces; a stray brace or an unknown block therefore breaks different
// things in each of them. So do we: each line is read once and shown to four readers, each keeps what it owns.

import { globalDefs } from "../keywords/global-defs.ts";
import { missingWord } from "../keywords/missing-word.ts";
import { ownersOf, root } from "../keywords/root.ts";
import {
  type Argument,
  type BlockSpec,
  type Entry,
  type Keyword,
  type Pass,
  passes,
  type ValueBlock,
} from "../keywords/table.ts";
import type { Place, Report } from "../report.ts";
import { openQuoteProblem } from "../source/comment.ts";
import { changeIncludeCheck } from "../source/include-check.ts";
import type { LineReader } from "../source/line-reader.ts";
import { keywordLine, type Line, lineOf } from "./line.ts";
import * as problems from "./problems.ts";
import type { Block } from "./tree.ts";

/** Root keywords and blocks, each from the process that owns it. */
export function parseLines(lines: LineReader, report: Report): Block {
  const tree = emptyBlock(root, undefined, { file: "", line: 0, column: 0 }, 0);
  const openBraces: Place[] = [];
  const counts = { blocks: 0 };
  const readers = passes.map((pass) => openReader(pass, { tree, lines, report, counts }));
  for (let order = 1, source = lines.next(); source !== undefined; source = lines.next(), order++) {
    const line = lineOf(source, order);
    if (line === undefined) continue;
    countBraces(openBraces, line, report);
    for (const reader of readers) readLine(reader, line);
    if (line.unknown !== undefined) report(line.unknown());
  }
  for (const reader of readers) endReading(reader);
  const unclosed = openBraces.at(-1);
  if (unclosed !== undefined) report(problems.missingClose(unclosed, openBraces.length));
  return tree;
}

/** Many times what a machine could carry out. */
const blocksMax = 250_000;

/** One of keepalived's processes. */
interface Reader {
  readonly pass: Pass;
  readonly lines: LineReader;
  readonly report: Report;
  /** Of all readers together. */
  readonly counts: { blocks: number };
  /** The blocks around the next line, the root first. */
  readonly levels: [Level, ...Level[]];
  /** The value block around the next line. */
  list: OpenList | undefined;
  /** Braces to close before reading goes on; -1: skip the next block, if one opens here at all. */
  skip: number;
}

interface Level {
  readonly block: Block;
  /** Its `{` has not come yet. */
  expectsBrace: boolean;
  /** Whether the block goes into the one around it when it closes. */
  readonly kept: boolean;
  /** What was given already, of keywords that may be given once. */
  readonly given: Set<Keyword<unknown>>;
  /** Blocks that may be there once, by their headers. */
  readonly twins: Map<BlockSpec, Map<unknown, Block>>;
}

interface OpenList {
  readonly spec: ValueBlock;
  readonly entries: Entry[];
  expectsBrace: boolean;
}

const emptyBlock = (spec: BlockSpec, header: unknown, place: Place, order: number): Block => ({
  spec,
  header,
  place,
  order,
  settings: [],
  lists: [],
  blocks: [],
});

const openLevel = (block: Block, expectsBrace: boolean, kept: boolean): Level => ({
  block,
  expectsBrace,
  kept,
  given: new Set(),
  twins: new Map(),
});

const openReader = (
  pass: Pass,
  { tree, ...shared }: Pick<Reader, "lines" | "report" | "counts"> & { readonly tree: Block },
): Reader => ({
  ...shared,
  pass,
  levels: [openLevel(tree, false, true)],
  list: undefined,
  skip: 0,
});

const topLevel = (reader: Reader): Level => reader.levels.at(-1) ?? reader.levels[0];

function readLine(reader: Reader, line: Line): void {
  if (reader.list !== undefined) {
    readEntry(reader, reader.list, line);
    return;
  }
  const first = line.words[0].text;
  const level = topLevel(reader);
  if (reader.skip === -1) {
    reader.skip = first === "{" ? 1 : 0;
    if (reader.skip === 1) {
      level.expectsBrace = false;
      return;
    }
  }
  if (reader.skip > 0) {
    if (first === "{") reader.skip++;
    else if (first === "}" && --reader.skip === 0 && reader.levels.length > 1) reader.levels.pop();
    return;
  }
  if (level.expectsBrace) {
    level.expectsBrace = false;
    if (first === "{") return;
    reader.report(problems.missingOpen(line.at(line.words[0]), level.block.spec.name));
  } else if (first === "{") {
    line.unknown ??= () => problems.unexpectedOpen(line.at(line.words[0]));
    return;
  }
  if (first !== "}") readKeyword(reader, level, line);
  else if (reader.levels.length > 1) closeBlock(reader);
  else reader.report(problems.extraClose(line.at(line.words[0])));
}

/** As they stand in the file, whatever they mean. Quotes make a brace one for the blocks, but not for this count. */
function countBraces(open: Place[], line: Line, report: Report): void {
  const { value } = line.source.text;
  if (value === "{") open.push(line.at());
  else if (value === "}" && open.pop() === undefined) report(problems.extraClose(line.at()));
}

/** What is open at the end of the file counts as far as it goes. */
function endReading(reader: Reader): void {
  reader.list = undefined;
  while (reader.levels.length > 1) closeBlock(reader);
}

function closeBlock(reader: Reader): void {
  const closed = reader.levels.pop();
  if (closed?.kept === true) topLevel(reader).block.blocks.push(closed.block);
}

function readKeyword(reader: Reader, level: Level, line: Line): void {
  const [first] = line.words;
  const { spec: around } = level.block;
  const spec = byName(around).get(first.text);
  if (spec === undefined) {
    line.unknown ??= () => problems.unknownKeyword(line.at(first), first.text, around);
    return;
  }
  const owners = reader.levels.length === 1 ? ownersOf(spec) : [reader.pass];
  if (!owners.includes(reader.pass)) {
    reader.skip = -1;
    return;
  }
  if (spec.kind === "keyword") readSetting(reader, level, spec, line);
  else if (spec.kind === "values") readList(reader, level, spec, line);
  // A block that two processes read is kept from the first of them.
  else openBlock(reader, level, spec, line, owners[0] === reader.pass);
}

/** Looking a keyword up is on the path of every line. */
const namesOf = new WeakMap<BlockSpec, ReadonlyMap<string, Keyword<unknown> | ValueBlock | BlockSpec>>();

function byName(spec: BlockSpec): ReadonlyMap<string, Keyword<unknown> | ValueBlock | BlockSpec> {
  const known = namesOf.get(spec);
  if (known !== undefined) return known;
  const names = new Map([...Object.values(spec.keywords), ...spec.blocks].map((inner) => [inner.name, inner]));
  namesOf.set(spec, names);
  return names;
}

function readSetting(reader: Reader, level: Level, spec: Keyword<unknown>, line: Line): void {
  const { report } = reader;
  const source = keywordLine(line, spec.argument.secret);
  const { openQuote } = line;
  if (openQuote !== undefined && !spec.argument.script) report(openQuoteProblem(openQuote));
  // The script tokeniser sees more words than the other where a quote stays open.
  if (!(openQuote !== undefined && spec.argument.script) && !hasWords(reader, line, spec.argument)) return;
  const target = spec.alias ?? spec;
  if (target.repeat === "first" && level.given.has(target)) {
    report(problems.repeated(source.at(), source.keyword.text));
    return;
  }
  if (spec.deprecated !== undefined)
    report(problems.deprecated(source.at(), spec.name, spec.deprecated, spec.tolerated));
  const value = spec.argument.parse(source, report);
  // Not usable, and reported: it is as if the line were not there.
  if (value === undefined) return;
  if (target.repeat === "replaced" && level.given.has(target)) {
    report(problems.replaced(source.at(), source.keyword.text));
  }
  tellSupport(spec, line, report);
  level.given.add(target);
  level.block.settings.push({ keyword: target, value, place: source.at(), order: line.order });
  if (spec === globalDefs.keywords.includeCheck) {
    reader.lines.setIncludeCheck((current) => changeIncludeCheck(current, source, report));
  }
}

/** keepalived ends at once where a word is missing; we go on to say what else is wrong, and make no Config. */
function hasWords(reader: Reader, line: Line, argument: Argument<unknown> | undefined): boolean {
  if (argument === undefined || line.words.length > argument.required) return true;
  reader.report(missingWord(keywordLine(line, argument.secret), argument.syntax));
  return false;
}

function readList(reader: Reader, { block }: Level, spec: ValueBlock, line: Line): void {
  const { report } = reader;
  const source = keywordLine(line);
  if (line.openQuote !== undefined) report(openQuoteProblem(line.openQuote));
  if (!hasWords(reader, line, spec.header)) return;
  const header = spec.header?.parse(source, report);
  const surplus = source.args[spec.header === undefined ? 0 : 1];
  // keepalived ends over a block with a name where anything but its `{` follows.
  const errorClass = spec.header === undefined ? "general-error" : "missing-parameter";
  if (surplus !== undefined) report({ ...problems.surplusWords(source, surplus), errorClass });
  tellSupport(spec, line, report);
  const entries: Entry[] = [];
  reader.list = { spec, entries, expectsBrace: true };
  block.lists.push({ spec, header, entries, place: line.at(), order: line.order });
}

function readEntry(reader: Reader, list: OpenList, line: Line): void {
  const first = line.words[0].text;
  if (list.expectsBrace) {
    list.expectsBrace = false;
    if (first === "{") return;
    // keepalived only logs this one and reads entries all the same, unless the block has a name: then it ends.
    const errorClass = list.spec.header === undefined ? "ok" : "missing-parameter";
    reader.report({ ...problems.missingOpen(line.at(), list.spec.name), errorClass });
  }
  if (first === "}") {
    reader.list = undefined;
    return;
  }
  if (line.openQuote !== undefined) reader.report(openQuoteProblem(line.openQuote));
  list.entries.push({ words: line.words, text: line.source.text, at: line.at, order: line.order });
}

function openBlock(reader: Reader, level: Level, spec: BlockSpec, line: Line, kept: boolean): void {
  const { report } = reader;
  const source = keywordLine(line);
  if (line.openQuote !== undefined) report(openQuoteProblem(line.openQuote));
  const complete = hasWords(reader, line, spec.header);
  const header = complete ? spec.header?.parse(source, report) : undefined;
  const usable = complete && (spec.header === undefined || header !== undefined);
  const block = emptyBlock(spec, header, line.at(), line.order);
  const twin = usable && spec.unique ? twinOf(level, block) : undefined;
  if (twin !== undefined) report(problems.duplicateBlock(source, twin.place));
  else if (usable) {
    if (spec.deprecated !== undefined) report(problems.deprecated(line.at(), spec.name, spec.deprecated, true));
    tellSupport(spec, line, report);
  }
  const read = usable && twin === undefined;
  if (++reader.counts.blocks > blocksMax)
    reader.lines.stop(`there are more than ${blocksMax} blocks`, "is a ~SEQ without a right end?");
  if (!read) reader.skip = -1;
  reader.levels.push(openLevel(block, true, read && kept));
}

/** An earlier block that goes by the same header; from now on, this one is. */
function twinOf(level: Level, block: Block): Block | undefined {
  const known = level.twins.get(block.spec) ?? new Map<unknown, Block>();
  level.twins.set(block.spec, known);
  const twin = known.get(block.header);
  if (twin === undefined) known.set(block.header, block);
  return twin;
}

function tellSupport(spec: BlockSpec | Keyword<unknown> | ValueBlock, line: Line, report: Report): void {
  if (spec.support.level === "works" || spec.support.level === "as-block") return;
  const problem = problems.unsupported(line.at(), spec.name, spec.support);
  if (problem !== undefined) report(problem);
}

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
import type { Place, Problem, Report } from "../report.ts";
import { openQuoteProblem } from "../source/comment.ts";
import { changeIncludeCheck } from "../source/include-check.ts";
import type { LineReader } from "../source/line-reader.ts";
import { keywordLine, type Line, lineOf } from "./line.ts";
import * as problems from "./problems.ts";
import type { Block, Setting, ValueList } from "./tree.ts";

/** Root keywords and blocks, each from the process that owns it. */
export function parseLines(lines: LineReader, report: Report): Block {
  const tree = openLevel(root, undefined, { file: "", line: 0, column: 0 }, 0);
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
  return blockOf(tree);
}

/** Many times what a machine could carry out. */
const blocksMax = 500_000;

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

/** A block that is open. */
interface Level extends Pick<Block, "spec" | "header" | "place" | "order"> {
  readonly settings: Setting<unknown>[];
  readonly lists: ValueList[];
  readonly blocks: Block[];
  /** Its `{` has not come yet. */
  expectsBrace: boolean;
  /** Whether the block goes into the one around it when it closes. */
  kept: boolean;
  readonly names: Names;
  /** What was given already, of keywords that may be given once; undefined: nothing. */
  given: Set<Keyword<unknown>> | undefined;
  /** What was given among the first so many settings; undefined: nobody asked. */
  seen: { readonly keywords: Set<Keyword<unknown>>; count: number } | undefined;
  /** Blocks that may be there once, by their headers; undefined: none. */
  twins: Map<BlockSpec, Map<unknown, Place>> | undefined;
}

interface OpenList {
  readonly spec: ValueBlock;
  readonly entries: Entry[];
  expectsBrace: boolean;
}

/** The root has no brace to wait for. */
const openLevel = (spec: BlockSpec, header: unknown, place: Place, order: number): Level => ({
  spec,
  header,
  place,
  order,
  settings: [],
  lists: [],
  blocks: [],
  expectsBrace: spec !== root,
  kept: true,
  names: namesOf(spec),
  given: undefined,
  seen: undefined,
  twins: undefined,
});

const blockOf = ({ spec, header, place, order, settings, lists, blocks }: Level): Block => ({
  spec,
  header,
  place,
  order,
  settings: asLongAs(settings),
  lists: asLongAs(lists),
  blocks: asLongAs(blocks),
});

const none: readonly never[] = [];

/** Without the room that an array leaves for more: there are many thousand blocks, most with a line or two. */
const asLongAs = <T>(items: readonly T[]): readonly T[] => (items.length === 0 ? none : items.slice());

const openReader = (
  pass: Pass,
  { tree, ...shared }: Pick<Reader, "lines" | "report" | "counts"> & { readonly tree: Level },
): Reader => ({
  ...shared,
  pass,
  // All fill one root; what was there before, each knows for itself.
  levels: [{ ...tree }],
  list: undefined,
  skip: 0,
});

const topLevel = ({ levels }: Reader): Level => levels[levels.length - 1] ?? levels[0];

/** Four times for every line: what it asks first is what is most often so, and nothing is made that is not needed. */
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
    reader.report(problems.missingOpen(line.at(line.words[0]), level.spec.name));
  } else if (first === "{") {
    noteOpen(line);
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
  if (closed?.kept === true) topLevel(reader).blocks.push(blockOf(closed));
}

function readKeyword(reader: Reader, level: Level, line: Line): void {
  const spec = level.names.get(line.words[0].text);
  if (spec === undefined) {
    noteUnknown(line, level.spec);
    return;
  }
  const owners = reader.levels.length === 1 ? ownersOf(spec) : undefined;
  if (owners?.includes(reader.pass) === false) {
    reader.skip = -1;
    return;
  }
  if (spec.kind === "keyword") readSetting(reader, level, spec, line);
  else if (spec.kind === "values") readList(reader, level, spec, line);
  // A block that two processes read is kept from the first of them.
  else openBlock(reader, level, spec, line, owners === undefined || owners[0] === reader.pass);
}

function noteUnknown(line: Line, around: BlockSpec): void {
  const [first] = line.words;
  line.unknown ??= () => problems.unknownKeyword(line.at(first), first.text, around);
}

function noteOpen(line: Line): void {
  line.unknown ??= () => problems.unexpectedOpen(line.at(line.words[0]));
}

/** What a block knows, by name. */
type Names = ReadonlyMap<string, Keyword<unknown> | ValueBlock | BlockSpec>;

const knownNames = new WeakMap<BlockSpec, Names>();

function namesOf(spec: BlockSpec): Names {
  const known = knownNames.get(spec);
  if (known !== undefined) return known;
  const names = new Map([...Object.values(spec.keywords), ...spec.blocks].map((inner) => [inner.name, inner]));
  knownNames.set(spec, names);
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
  const once = target.repeat === "first" || target.repeat === "replaced";
  const again = once && level.given?.has(target) === true;
  if (again && target.repeat === "first") {
    report(problems.repeated(source.at(), source.keyword.text));
    return;
  }
  if (spec.deprecated !== undefined)
    report(problems.deprecated(source.at(), spec.name, spec.deprecated, spec.tolerated));
  const found: Problem[] = [];
  const value = spec.argument.parse(source, (problem) => found.push(problem));
  if (found.length > 0) {
    const used = value === undefined ? usedInstead(level, target) : undefined;
    for (const problem of found) report(used === undefined ? problem : { ...problem, used: problem.used ?? used });
  }
  // Not usable, and reported: it is as if the line were not there.
  if (value === undefined) return;
  if (again) report(problems.replaced(source.at(), source.keyword.text));
  tellSupport(spec, line, report);
  if (once) level.given = (level.given ?? new Set()).add(target);
  level.settings.push({ keyword: target, value, place: source.at(), order: line.order });
  if (spec === globalDefs.keywords.includeCheck) {
    reader.lines.setIncludeCheck((current) => changeIncludeCheck(current, source, report));
  }
}

/** What counts where a line is of no use. Of several global_defs an earlier one may say it. */
function usedInstead(level: Level, keyword: Keyword<unknown>): string | undefined {
  const { default: absent, name, repeat } = keyword;
  if (repeat === "all" || level.spec === globalDefs) return undefined;
  // Each setting is looked at once, however many lines are wrong.
  level.seen ??= { keywords: new Set(), count: 0 };
  const { keywords, count } = level.seen;
  for (const setting of level.settings.slice(count)) keywords.add(setting.keyword);
  level.seen.count = level.settings.length;
  if (keywords.has(keyword)) return `the ${name} above it`;
  if (absent === "" || absent.startsWith("none")) return undefined;
  return isValue.test(absent) ? `${name} ${absent}` : `its default: ${absent}`;
}

/** As one could write it; other defaults are words about it. */
const isValue = /^(?:[\d.]+|on|off|[A-Z]+)$/;

/** keepalived ends at once where a word is missing; we go on to say what else is wrong, and make no Config. */
function hasWords(reader: Reader, line: Line, argument: Argument<unknown> | undefined): boolean {
  if (argument === undefined || line.words.length > argument.required) return true;
  reader.report(missingWord(keywordLine(line, argument.secret), argument.syntax));
  return false;
}

function readList(reader: Reader, level: Level, spec: ValueBlock, line: Line): void {
  const { report } = reader;
  const source = keywordLine(line);
  if (line.openQuote !== undefined) report(openQuoteProblem(line.openQuote));
  if (!hasWords(reader, line, spec.header)) return;
  if (spec.once && level.lists.some((list) => list.spec === spec && list.entries.length > 0)) {
    report(problems.repeatedList(line.at(), spec.name, level.spec.name));
    reader.skip = -1;
    return;
  }
  const header = spec.header?.parse(source, report);
  const surplus = source.args[spec.header === undefined ? 0 : 1];
  // keepalived ends over a block with a name where anything but its `{` follows.
  const errorClass = spec.header === undefined ? "general-error" : "missing-parameter";
  if (surplus !== undefined) report({ ...problems.surplusWords(source, surplus), errorClass });
  tellSupport(spec, line, report);
  const entries: Entry[] = [];
  reader.list = { spec, entries, expectsBrace: true };
  level.lists.push({ spec, header, entries, place: line.at(), order: line.order });
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
  const opened = openLevel(spec, header, line.at(), line.order);
  const twin = usable && spec.unique ? twinOf(level, opened) : undefined;
  if (twin !== undefined) report(problems.duplicateBlock(source, twin));
  else if (usable) {
    if (spec.deprecated !== undefined) report(problems.deprecated(line.at(), spec.name, spec.deprecated, true));
    tellSupport(spec, line, report);
  }
  const read = usable && twin === undefined;
  if (++reader.counts.blocks > blocksMax)
    reader.lines.stop(`there are more than ${blocksMax} blocks`, "is a ~SEQ without a right end?");
  if (!read) reader.skip = -1;
  opened.kept = read && kept;
  reader.levels.push(opened);
}

/** Where an earlier block goes by the same header; from now on, this one does. */
function twinOf(level: Level, { spec, header, place }: Level): Place | undefined {
  level.twins ??= new Map();
  const known = level.twins.get(spec) ?? new Map<unknown, Place>();
  level.twins.set(spec, known);
  const twin = known.get(header);
  if (twin === undefined) known.set(header, place);
  return twin;
}

function tellSupport(spec: BlockSpec | Keyword<unknown> | ValueBlock, line: Line, report: Report): void {
  if (spec.support.level === "works" || spec.support.level === "as-block") return;
  const problem = problems.unsupported(line.at(), spec.name, spec.support);
  if (problem !== undefined) report(problem);
}

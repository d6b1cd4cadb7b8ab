// What the parser makes of a file: blocks with typed values, each with its place. What they mean together is resolve/'s.
import type { BlockSpec, Entry, Keyword, ValueBlock } from "../keywords/table.ts";
import type { Place } from "../report.ts";
import type { LogicalLine } from "../source/line-reader.ts";
import type { Word } from "../source/words.ts";

export interface Setting<T> {
  readonly keyword: Keyword<unknown>;
  readonly value: T;
  readonly place: Place;
  /** Rises through the file: some things have to be defined before they are named (grammar section 6). */
  readonly order: number;
}

export interface ValueList {
  readonly spec: ValueBlock;
  readonly header: string | undefined;
  readonly entries: readonly Entry[];
  readonly place: Place;
  readonly order: number;
}

export interface Block<Header = unknown> {
  readonly spec: BlockSpec<Header>;
  readonly header: Header;
  readonly place: Place;
  readonly order: number;
  readonly settings: readonly Setting<unknown>[];
  readonly lists: readonly ValueList[];
  readonly blocks: readonly Block[];
}

/** The one that counts: the first where keepalived keeps the first, else the last. */
export function setting<T>(block: Block, keyword: Keyword<T>): Setting<T> | undefined {
  let found: Setting<T> | undefined;
  for (const candidate of candidates(block, keyword)) {
    if (!isSettingOf(candidate, keyword)) continue;
    found = candidate;
    if (keyword.repeat === "first") break;
  }
  return found;
}

/** A keyword stores only what its own argument made, so its settings have its type. */
export const settings = <T>(block: Block, keyword: Keyword<T>): readonly Setting<T>[] =>
  candidates(block, keyword).filter((candidate) => candidate.keyword === keyword) as Setting<T>[];

const none: readonly never[] = [];

/** Looking through so many is quicker than an index of them, and there are thousands of such blocks. */
const fewMax = 40;

const candidates = (block: Block, keyword: Keyword<unknown>): readonly Setting<unknown>[] =>
  block.settings.length <= fewMax ? block.settings : (byKeyword(block).get(keyword) ?? none);

/** Resolving asks each block for each of its keywords: an index for all of a block, made when it is first asked. */
const indices = new WeakMap<Block, ReadonlyMap<Keyword<unknown>, Setting<unknown>[]>>();

function byKeyword(block: Block): ReadonlyMap<Keyword<unknown>, Setting<unknown>[]> {
  const known = indices.get(block);
  if (known !== undefined) return known;
  const index = new Map<Keyword<unknown>, Setting<unknown>[]>();
  for (const each of block.settings) {
    const others = index.get(each.keyword);
    if (others === undefined) index.set(each.keyword, [each]);
    else others.push(each);
  }
  indices.set(block, index);
  return index;
}

export const value = <T>(block: Block, keyword: Keyword<T>): T | undefined => setting(block, keyword)?.value;

export const isSet = (block: Block, keyword: Keyword<unknown>): boolean => setting(block, keyword) !== undefined;

export const lists = (block: Block, spec: ValueBlock): ValueList[] => block.lists.filter((list) => list.spec === spec);

/** Settings and inner blocks as they stand in the file: for what depends on what comes before it. */
export function inOrder({ settings: lines, blocks }: Block): readonly (Setting<unknown> | Block)[] {
  if (blocks.length === 0) return lines;
  const items: (Setting<unknown> | Block)[] = [];
  let next = 0;
  for (const block of blocks) {
    for (let line = lines[next]; line !== undefined && line.order < block.order; line = lines[++next]) items.push(line);
    items.push(block);
  }
  return items.concat(lines.slice(next));
}

/** Says that `item` is a setting of `keyword`, and of its type. */
export const isSettingOf = <T>(item: Setting<unknown> | Block, keyword: Keyword<T>): item is Setting<T> =>
  "keyword" in item && item.keyword === keyword;

/** All lines of all blocks of that name. */
export const entries = (block: Block, spec: ValueBlock): Entry[] => lists(block, spec).flatMap((list) => list.entries);

/** A block holds what its own header argument made. */
export const blocksOf = <Header>(block: Block, spec: BlockSpec<Header>): Block<Header>[] =>
  block.blocks.filter((candidate) => candidate.spec === spec) as Block<Header>[];

/** `at(word)` of everything that stands on one line; `at()` is the line itself. */
export const placesOf =
  ({ file, line, text }: LogicalLine, first: Word) =>
  (word?: Word): Place => ({
    file,
    line,
    column: (word ?? first).column,
    text: word === undefined ? text.value : word.text,
  });

// What a keyword is. All that the parser knows about keepalived's language is a table of these: block, keyword, words it
// takes with their type and range, default, what a repetition means, and whether Baton carries it out. The parser fills
// blocks with typed values by it; resolve/ makes the Config of them.

import type { Machine } from "../machine.ts";
import type { Place, Report } from "../report.ts";
import type { Text } from "../source/text.ts";
import type { Word } from "../source/words.ts";

/** keepalived's processes: each reads the whole file and leaves the others' blocks unread (grammar section 1). */
export const passes = ["parent", "checker", "vrrp", "bfd"] as const;
export type Pass = (typeof passes)[number];

/** A line whose first word is a keyword of the current block. */
export interface KeywordLine {
  readonly keyword: Word;
  readonly args: readonly Word[];
  readonly text: Text;
  /** Where a word of the line stands; without one, the line as a whole, at its keyword. */
  at(word?: Word): Place;
}

/** The words that a keyword takes, and the value that they make. */
export interface Argument<T> {
  /** As a manual writes it: `SECS`, `[BOOL]`. */
  readonly syntax: string;
  /** Type and range in words; empty when the syntax says it all. */
  readonly range: string;
  /** Words that must be there: keepalived ends at once when one is missing (grammar section 6). */
  readonly required: number;
  /** Quotes may stay open for the standard tokeniser: the script tokeniser reads the line again. */
  readonly script: boolean;
  /** Never to be repeated to anybody: diagnostics are logged. */
  readonly secret?: true;
  /** undefined: not usable, and reported; the default stands. */
  parse(line: KeywordLine, report: Report): T | undefined;
}

/** What becomes of a keyword here. A later release turns `accepted` and `refused` into `works`. */
export type Support =
  | { readonly level: "works" }
  /** As the block around it, which says it once for all its keywords. */
  | { readonly level: "as-block" }
  /** Read and checked, without effect; `differs`: what happens instead. A `warning`: something asked for does not happen. */
  | { readonly level: "accepted"; readonly severity: "warning" | "info"; readonly differs: string }
  /** Carried out wrongly it would do harm, so the configuration is not used; `differs`: which harm. */
  | { readonly level: "refused"; readonly differs: string };

/** Who carries it out. */
export type Service =
  | "parser"
  | "supervisor"
  | "control"
  | "election"
  | "health"
  | "dataplane"
  | "balancer"
  | "notifier";

interface Row {
  readonly name: string;
  readonly support: Support;
  /** One sentence for manuals: what it does, from the user's point of view. */
  readonly meaning: string;
  /** undefined: as the block around it. */
  readonly service: Service | undefined;
  /** keepalived's version that brought it, where Debian's 2.2.7 does not know it. */
  readonly since: string | undefined;
  /** What counts when the keyword is absent; in the file's own words, for manuals. */
  readonly default: string;
  /** Why it should not be written any more, and what to write instead. */
  readonly deprecated: string | undefined;
}

/** A keyword with a value on its line. */
export interface Keyword<T> extends Row {
  readonly kind: "keyword";
  readonly argument: Argument<T>;
  /**
   * `first`: keepalived complains about a second one and ignores it; `replaced`: it complains, and takes it.
   * `all`: the Config wants every one.
   */
  readonly repeat: "last" | "first" | "replaced" | "all";
  /** Another spelling: the value is stored there. */
  readonly alias: Keyword<T> | undefined;
  /** Deprecated, and keepalived only logs it; otherwise it complains. */
  readonly tolerated: boolean;
}

/** One line of a value block. */
export interface Entry {
  readonly words: readonly [Word, ...Word[]];
  readonly text: Text;
  /** Rises through the file. */
  readonly order: number;
  at(word?: Word): Place;
}

/** The words of an entry, from left to right. */
export interface EntryWords {
  /** The next word not yet taken, or one further on. */
  peek(ahead?: number): Word | undefined;
  /** undefined: there is none, and the option that asked for it lacks a value. */
  take(): Word | undefined;
}

/** What an option's words are read with. */
export interface OptionContext {
  readonly report: Report;
  readonly machine: Machine;
  /** `dynamic_interfaces`: what is not there may come. */
  readonly dynamicInterfaces: boolean;
  readonly entry: Entry;
  /** The option's own word. */
  readonly word: Word;
  /** Reports that `word` is not usable; `expected` as in "a number from 1 to 5". */
  invalid(word: Word, expected: string): void;
}

/** The words that an option takes, and the value that they make. */
export interface OptionArgument<T> {
  /** As a manual writes it: `[lock] N`; empty when the option is a word alone. */
  readonly syntax: string;
  /** Type and range in words; empty when the syntax says it all. */
  readonly range: string;
  /** undefined: not usable, and reported, unless a word is missing: the reader says so. */
  read(words: EntryWords, context: OptionContext): T | undefined;
}

/** A word of the lines of a value block, with those that belong to it. */
export interface Option<T> extends Row {
  readonly kind: "option";
  readonly argument: OptionArgument<T>;
  /** What is lost when its value is not understood, and, for `once`, by a second one of it. */
  readonly loses: "option" | "entry";
  /** `first`: keepalived complains about a second one and ignores it. `once`: it drops the line. */
  readonly repeat: "last" | "first" | "once" | "all";
  /** Another spelling: the value is stored there. */
  readonly alias: Option<T> | undefined;
}

export type OptionMap = Readonly<Record<string, Option<unknown>>>;

/** How the lines of a value block are read. */
export interface EntryForm<Options extends OptionMap = OptionMap> {
  /** One whose name is in parentheses is no word of its own: another one reads it. */
  readonly options: Options;
  /** This and `rest` read what stands at a place of its own; their names are in parentheses, too. */
  readonly first: Option<unknown> | undefined;
  /** Reads words that no other option knows; without it they are reported. */
  readonly rest: Option<unknown> | undefined;
  /** What is lost with a word that keepalived does not know: it alone, all that follows it, or the line. */
  readonly unknownWord: "word" | "rest" | "entry";
  /** What is lost for want of a value; `ends`: keepalived goes no further (grammar section 6). */
  readonly missingValue: "option" | "entry" | "ends";
}

/** A keyword followed by `{ … }` of entries rather than keywords. */
export interface ValueBlock<Options extends OptionMap = OptionMap> extends Row {
  readonly kind: "values";
  readonly header: Argument<string> | undefined;
  /** After one that holds something, another ends the block around it without keeping it: keepalived miscounts braces. */
  readonly once: boolean;
  /** Absent where every word is an entry of its own. */
  readonly form: EntryForm<Options> | undefined;
}

/** A keyword that opens a block of keywords. */
export interface BlockSpec<Header = unknown, Keywords extends KeywordMap = KeywordMap> extends Row {
  readonly kind: "block";
  readonly header: Argument<Header> | undefined;
  readonly keywords: Keywords;
  readonly blocks: readonly BlockSpec[];
  /** Root blocks: who reads it. */
  readonly owners: readonly Pass[];
  /** A second block with an equal header is skipped. */
  readonly unique: boolean;
  /** Wrong words that people write here, and the right ones. */
  readonly misnomers: Readonly<Record<string, string>>;
}

export type KeywordMap = Readonly<Record<string, Keyword<unknown> | ValueBlock>>;

interface RowOptions<T> {
  readonly meaning?: string;
  readonly service?: Service;
  readonly since?: string;
  readonly default?: string;
  readonly repeat?: Keyword<T>["repeat"];
  readonly deprecated?: string;
  readonly tolerated?: boolean;
  readonly alias?: Keyword<T>;
}

const row = <T>(name: string, argument: Argument<T>, support: Support, options: RowOptions<T>): Keyword<T> => ({
  kind: "keyword",
  name,
  argument,
  support,
  meaning: options.meaning ?? "",
  service: options.service,
  since: options.since,
  default: options.default ?? "",
  repeat: options.repeat ?? "last",
  deprecated: options.deprecated,
  alias: options.alias,
  tolerated: options.tolerated ?? false,
});

/** Carried out. */
export const works = <T>(name: string, argument: Argument<T>, options: RowOptions<T> = {}): Keyword<T> =>
  row(name, argument, { level: "works" }, options);

/** Checked and kept; carried out, or not, with the block that it belongs to. */
export const asBlock = <T>(name: string, argument: Argument<T>, options: RowOptions<T> = {}): Keyword<T> =>
  row(name, argument, { level: "as-block" }, options);

/** Checked, without effect, and nothing is lost by it. `differs` says what Baton does instead. */
export const noted = <T>(
  name: string,
  argument: Argument<T>,
  differs: string,
  options: RowOptions<T> = {},
): Keyword<T> => row(name, argument, { level: "accepted", severity: "info", differs }, options);

/** Checked, without effect, and something that was asked for does not happen. */
export const missing = <T>(
  name: string,
  argument: Argument<T>,
  differs: string,
  options: RowOptions<T> = {},
): Keyword<T> => row(name, argument, { level: "accepted", severity: "warning", differs }, options);

/** Another spelling of `keyword`. `deprecated`: what to write, where keepalived has something against it. */
export const alias = <T>(
  name: string,
  keyword: Keyword<T>,
  deprecated?: string,
  options: Pick<RowOptions<T>, "since" | "tolerated"> = {},
): Keyword<T> =>
  row(name, keyword.argument, keyword.support, {
    alias: keyword,
    default: keyword.default,
    repeat: keyword.repeat,
    meaning: `Another name of ${keyword.name}.`,
    ...(keyword.service === undefined ? {} : { service: keyword.service }),
    ...(deprecated === undefined ? {} : { deprecated }),
    ...options,
  });

interface ValuesOptions<Options extends OptionMap> {
  readonly support?: Support;
  readonly meaning?: string;
  readonly service?: Service;
  readonly since?: string;
  readonly header?: Argument<string>;
  readonly once?: boolean;
  readonly form?: EntryForm<Options>;
}

export const values = <Options extends OptionMap>(
  name: string,
  options: ValuesOptions<Options> = {},
): ValueBlock<Options> => ({
  kind: "values",
  name,
  support: options.support ?? { level: "works" },
  meaning: options.meaning ?? "",
  service: options.service,
  since: options.since,
  default: "",
  deprecated: undefined,
  header: options.header,
  once: options.once ?? false,
  form: options.form,
});

interface BlockOptions<Header, Keywords extends KeywordMap> {
  readonly header?: Argument<Header>;
  readonly keywords: Keywords;
  readonly blocks?: readonly BlockSpec[];
  readonly owners?: readonly Pass[];
  readonly unique?: boolean;
  readonly support?: Support;
  readonly meaning?: string;
  readonly service?: Service;
  readonly since?: string;
  readonly deprecated?: string;
  readonly misnomers?: Readonly<Record<string, string>>;
}

export const block = <Header, Keywords extends KeywordMap>(
  name: string,
  options: BlockOptions<Header, Keywords>,
): BlockSpec<Header, Keywords> => ({
  kind: "block",
  name,
  header: options.header,
  keywords: options.keywords,
  blocks: options.blocks ?? [],
  owners: options.owners ?? [],
  unique: options.unique ?? false,
  support: options.support ?? { level: "works" },
  meaning: options.meaning ?? "",
  service: options.service,
  since: options.since,
  default: "",
  deprecated: options.deprecated,
  misnomers: options.misnomers ?? {},
});

export const accepted = (severity: "warning" | "info", differs: string): Support => ({
  level: "accepted",
  severity,
  differs,
});

export const refused = (differs: string): Support => ({ level: "refused", differs });

// How the words of a value block's lines are declared. `readEntry` reads a line by its form; manuals list the same rows.
import type { Argument, EntryForm, KeywordLine, Option, OptionArgument, OptionMap, Service, Support } from "./table.ts";

interface OptionSettings<T> {
  /** As the block around it when absent. */
  readonly support?: Support;
  readonly meaning?: string;
  readonly service?: Service;
  readonly since?: string;
  readonly default?: string;
  readonly deprecated?: string;
  readonly loses?: Option<T>["loses"];
  readonly repeat?: Option<T>["repeat"];
}

export const option = <T>(
  name: string,
  argument: OptionArgument<T>,
  { meaning = "", default: absent = "", loses = "option", repeat = "last", ...settings }: OptionSettings<T> = {},
): Option<T> => ({
  kind: "option",
  name,
  argument,
  support: settings.support ?? { level: "as-block" },
  meaning,
  service: settings.service,
  since: settings.since,
  default: absent,
  deprecated: settings.deprecated,
  loses,
  repeat,
  alias: undefined,
});

/** Another spelling of `target`. `deprecated`: keepalived complains about it. */
export const optionAlias = <T>(name: string, target: Option<T>, deprecated?: string): Option<T> => ({
  ...target,
  name,
  meaning: `Another name of ${target.name}.`,
  deprecated,
  alias: target,
});

interface FormSettings {
  readonly first?: Option<unknown>;
  readonly rest?: Option<unknown>;
  readonly unknownWord?: EntryForm["unknownWord"];
  readonly missingValue?: EntryForm["missingValue"];
}

export const entryForm = <Options extends OptionMap>(
  options: Options,
  { first, rest, unknownWord = "word", missingValue = "entry" }: FormSettings = {},
): EntryForm<Options> => ({ options, first, rest, unknownWord, missingValue });

/** True when it is there. */
export const present: OptionArgument<true> = { syntax: "", range: "", read: () => true };

/** One word, as a keyword's only word is read. */
export const one = <T>(argument: Argument<T>): OptionArgument<T> => ({
  syntax: argument.syntax,
  range: argument.range,
  read: (words, { entry, word, report }) => {
    const value = words.take();
    if (value === undefined) return undefined;
    const line: KeywordLine = { keyword: word, args: [value], text: entry.text, at: (at = word) => entry.at(at) };
    return argument.parse(line, report);
  },
});

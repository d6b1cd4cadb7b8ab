// One line of a value block → typed values, by the block's form. What keepalived does with a line that it understands only
// in part differs from block to block, and is told by the form: here the word is passed over, there the line, and
// elsewhere keepalived ends.

import { nearestName } from "../keywords/nearest.ts";
import type { Entry, EntryForm, EntryWords, Option, OptionContext, OptionMap } from "../keywords/table.ts";
import type { Place, Problem } from "../report.ts";
import type { Word } from "../source/words.ts";
import * as problems from "./problems.ts";

/** What one option of a line says. */
export interface OptionValue<T> {
  /** The one that a manual lists first, where it has several names. */
  readonly option: Option<unknown>;
  readonly value: T;
  readonly word: Word;
  readonly place: Place;
}

/** The values of a line, from left to right. */
export interface ReadEntry {
  readonly entry: Entry;
  readonly values: readonly OptionValue<unknown>[];
}

/** What the caller knows; the rest of the context is the line's own. */
export type EntryContext = Pick<OptionContext, "report" | "machine" | "dynamicInterfaces">;

/**
 * False, having reported why: the line cannot be used. Asked after each option, because keepalived does not look at
 * what follows.
 */
export type CheckOption = (value: OptionValue<unknown>, before: readonly OptionValue<unknown>[]) => boolean;

/** The same, asked of the option's name before its words are read. */
export type CheckName = (option: Option<unknown>, place: Place) => boolean;

interface Checks {
  readonly name?: CheckName;
  readonly value?: CheckOption;
}

const always = (): boolean => true;

/** undefined: the line is left out; reported. */
export function readEntry(
  entry: Entry,
  form: EntryForm,
  context: EntryContext,
  { name: checkName = always, value: checkValue = always }: Checks = {},
): ReadEntry | undefined {
  const words = wordsOf(entry.words);
  const values: OptionValue<unknown>[] = [];
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const option = optionOf(word, form, values.length === 0 && words.taken === 0);
    if (option === undefined) {
      words.take();
      context.report(unknownWord(entry, word, form));
      if (form.unknownWord === "entry") return undefined;
      if (form.unknownWord === "rest") break;
      continue;
    }
    if (!checkName(option.alias ?? option, entry.at(word))) return undefined;
    const outcome = readOption(option, word, words, { entry, form, context, values });
    if (outcome === "dropped") return undefined;
    if (outcome === "ignored") continue;
    if (!checkValue(outcome, values)) return undefined;
    values.push(outcome);
  }
  return { entry, values };
}

/** The one that counts. */
export function optionValue<T>(read: ReadEntry, option: Option<T>): OptionValue<T> | undefined {
  const all = optionValues(read, option);
  return option.repeat === "first" ? all[0] : all.at(-1);
}

/** An option stores only what its own argument made, so its values have its type. */
export const optionValues = <T>(read: ReadEntry, option: Option<T>): OptionValue<T>[] =>
  read.values.filter((candidate) => isOf(candidate, option)) as OptionValue<T>[];

/** Says that `value` is one of `option`'s, and of its type. */
export const isOf = <T>(value: OptionValue<unknown>, option: Option<T>): value is OptionValue<T> =>
  value.option === option;

interface Cursor extends EntryWords {
  readonly taken: number;
  /** A word was asked for where there is none. */
  readonly exhausted: boolean;
}

function wordsOf(words: readonly Word[]): Cursor {
  let taken = 0;
  return {
    peek: (ahead = 0) => words[taken + ahead],
    take: () => words[taken++],
    get taken() {
      return taken;
    },
    get exhausted() {
      return taken > words.length;
    },
  };
}

/** Names first: an option's name wins over what stands at a place of its own, except in front. */
function optionOf(word: Word, form: EntryForm, inFront: boolean): Option<unknown> | undefined {
  if (inFront && form.first !== undefined) return form.first;
  return namesOf(form.options).get(word.text) ?? form.rest;
}

const named = new WeakMap<OptionMap, ReadonlyMap<string, Option<unknown>>>();

function namesOf(options: OptionMap): ReadonlyMap<string, Option<unknown>> {
  const known = named.get(options);
  if (known !== undefined) return known;
  const words = Object.values(options).filter(({ name }) => !name.startsWith("("));
  const names = new Map(words.map((option) => [option.name, option]));
  named.set(options, names);
  return names;
}

interface Reading {
  readonly entry: Entry;
  readonly form: EntryForm;
  readonly context: EntryContext;
  readonly values: readonly OptionValue<unknown>[];
}

function readOption(
  option: Option<unknown>,
  word: Word,
  words: Cursor,
  { entry, form, context, values }: Reading,
): OptionValue<unknown> | "ignored" | "dropped" {
  // What stands at a place of its own is its own value.
  if (option !== form.first && option !== form.rest) words.take();
  const place = entry.at(word);
  const report = (problem: Problem): void =>
    context.report(option.loses === "entry" ? problems.withoutLine(problem) : problem);
  const invalid: OptionContext["invalid"] = (wrong, expected) => {
    // What no option knows may be one that is misspelt.
    const meant = option === form.rest ? nearestName(wrong.text, [...namesOf(form.options).keys()]) : undefined;
    const hint = meant === undefined ? `write ${expected}` : `did you mean ${meant}?`;
    context.report(problems.invalidOption(entry.at(wrong), word, wrong, { hint, loses: option.loses }));
  };
  const value = option.argument.read(words, { ...context, report, entry, word, invalid });
  if (words.exhausted) {
    context.report(problems.missingValue(entry.at(entry.words.at(-1)), option, form));
    return form.missingValue === "option" ? "ignored" : "dropped";
  }
  if (value === undefined) return option.loses === "entry" ? "dropped" : "ignored";
  const target = option.alias ?? option;
  if (values.some((earlier) => earlier.option === target) && target.repeat !== "last" && target.repeat !== "all") {
    context.report(problems.repeatedOption(place, word, target.repeat === "once" ? "entry" : "option"));
    return target.repeat === "once" ? "dropped" : "ignored";
  }
  if (option.deprecated !== undefined) context.report(problems.deprecatedOption(place, option.name, option.deprecated));
  const told = problems.unsupported(place, option.name, option.support);
  if (told !== undefined) context.report(told);
  return { option: target, value, word, place };
}

function unknownWord(entry: Entry, word: Word, form: EntryForm): Problem {
  const hint = (): string => {
    const names = [...namesOf(form.options).keys()];
    const nearest = nearestName(word.text, names);
    return nearest === undefined ? `known are ${names.join(", ")}` : `did you mean ${nearest}?`;
  };
  return problems.unknownOption(entry.at(word), word, form.unknownWord, hint);
}

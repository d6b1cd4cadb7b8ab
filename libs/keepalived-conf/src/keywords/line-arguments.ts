// Arguments that are about a line as a whole: several words, words in any order, words too many.
import { type Micros, micros } from "@baton/domain";
import type { Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import { invalidNumber, invalidValue, readNumber, uint32Max } from "./arguments.ts";
import type { Argument, KeywordLine } from "./table.ts";

interface LineOptions {
  readonly range?: string;
  /** Words without which keepalived ends; 0 when it only complains. */
  readonly required?: number;
}

/** One name, neither more nor less; keepalived skips the block otherwise. */
export const onlyName: Argument<string> = {
  syntax: "NAME",
  range: "",
  required: 0,
  script: false,
  parse: (line, report) => {
    const [name, surplus] = line.args;
    if (name !== undefined && surplus === undefined) return name.text;
    report({
      place: line.at(surplus),
      severity: "error",
      code: "name",
      errorClass: "general-error",
      message: `${line.keyword.text} takes one name; the block is skipped`,
      hint: name === undefined ? undefined : "put a name with blanks into double quotes",
    });
    return undefined;
  },
};

export const wholeLine = <T>(
  syntax: string,
  parse: Argument<T>["parse"],
  { range = "", required = 0 }: LineOptions = {},
): Argument<T> => ({ syntax, range, required, script: false, parse });

/** keepalived complains, and ignores the line. */
export function incomplete(line: KeywordLine, report: Report, syntax: string): undefined {
  report({
    place: line.at(),
    severity: "error",
    code: "missing-value",
    errorClass: "general-error",
    message: `${line.keyword.text} has no value and is ignored`,
    hint: `${line.keyword.text} ${syntax}`,
  });
}

/** Neither more words than `argument` takes nor fewer: keepalived ignores the line otherwise, which few keywords do. */
export const exactly = <T>(count: number, argument: Argument<T>): Argument<T> => ({
  ...argument,
  required: 0,
  parse: (line, report) => {
    const surplus = line.args[count];
    if (line.args.length < count) return incomplete(line, report, argument.syntax);
    if (surplus === undefined) return argument.parse(line, report);
    report({
      place: line.at(surplus),
      severity: "error",
      code: "surplus-words",
      errorClass: "general-error",
      message: `${line.keyword.text} takes ${count === 1 ? "one word" : `${count} words`}; the line is ignored`,
      hint: "put words with blanks into double quotes",
    });
    return undefined;
  },
});

/** A name that is cut where the system has no room for more of it. */
export const cutName = (max: number): Argument<string> => ({
  syntax: "NAME",
  range: `up to ${max} characters`,
  required: 1,
  script: false,
  parse: (line, report) => {
    const word = line.args[0];
    if (word === undefined || word.text.length <= max) return word?.text;
    const used = word.text.slice(0, max);
    report({
      place: line.at(word),
      severity: "error",
      code: "too-long",
      errorClass: "general-error",
      message: `${line.keyword.text}: a name has ${max} characters at most`,
      used: `${line.keyword.text} ${used}`,
    });
    return used;
  },
});

/** A name that is not used when it is empty or too long. */
export function boundedName(word: Word, max: number, line: KeywordLine, report: Report): string | undefined {
  if (word.text.length > 0 && word.text.length <= max) return word.text;
  invalidValue(word, line, report, `a name of 1 to ${max} characters`);
  return undefined;
}

/** Who runs something: names, not looked up here. */
export interface Account {
  readonly user: string;
  readonly group: string | undefined;
}

export const accountOf = (user: Word | undefined, group: Word | undefined): Account | undefined =>
  user === undefined ? undefined : { user: user.text, group: group?.text };

/** `USER [GROUP]`. */
export const account: Argument<Account> = wholeLine(
  "USER [GROUP]",
  ({ args: [user, group] }) => accountOf(user, group),
  { required: 1, range: "names; a ':' before the group asks for the user's supplementary groups too" },
);

/** A whole number on a line of several; `undefined` is reported. */
export function numberOf(
  word: Word,
  range: { readonly min: number; readonly max: number; readonly strict?: boolean },
  line: KeywordLine,
  report: Report,
): number | undefined {
  const { value, problem } = readNumber(word.text, { ...range, decimals: 0 });
  if (problem === undefined) return value;
  const hint = `write a number from ${range.min} to ${range.max}`;
  invalidNumber(word, line, report, { message: problem, hint, used: value });
  return value;
}

/** 0 is taken for 1: a burst without an announcement announces nothing. */
export const repeatCount: Argument<number> = wholeLine(
  "N",
  (line, report) => {
    const word = line.args[0];
    const value = word && numberOf(word, { min: 0, max: uint32Max }, line, report);
    if (word === undefined || value !== 0) return value;
    report({
      place: line.at(word),
      severity: "warning",
      code: "garp-repeat",
      errorClass: "general-error",
      message: `${line.keyword.text} has to be positive`,
      used: `${line.keyword.text} 1`,
    });
    return 1;
  },
  { range: `1 to ${uint32Max}`, required: 1 },
);

export interface Weight {
  readonly weight: number;
  readonly reverse: boolean;
}

/** What a weight out of its range becomes: the nearest in it, what counts without one, or nothing. */
type WeightOutOfRange = "nearest" | "default" | "nothing";

/** A weight, perhaps followed by `reverse`. */
export const weight = (max: number, outOfRange: WeightOutOfRange, absent = 0): Argument<Weight> =>
  wholeLine(
    "N [reverse]",
    (line, report) => {
      const [amount, option] = line.args;
      if (amount === undefined) return undefined;
      const { value, problem } = readNumber(amount.text, { min: -max, max, decimals: 0 });
      const instead = outOfRange === "nothing" ? undefined : outOfRange === "default" ? absent : nearest(amount, max);
      const used = value ?? instead;
      if (problem !== undefined)
        invalidNumber(amount, line, report, { message: problem, hint: `write a number from -${max} to ${max}`, used });
      // keepalived does not look further when the number counts for nothing.
      if (used === undefined) return undefined;
      if (option !== undefined && option.text !== "reverse") invalidValue(option, line, report, "reverse, or nothing");
      return { weight: used, reverse: option?.text === "reverse" };
    },
    { range: `-${max} to ${max}`, required: 1 },
  );

/** keepalived keeps a weight that is too big; within the range the effect on the priority is the same. */
function nearest({ text }: Word, max: number): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : Math.max(-max, Math.min(max, value));
}

/** A time in whole seconds, and perhaps `all`, in any order. */
export interface ExtraInterfaces {
  readonly interval: Micros;
  /** Not only on interfaces with a virtual MAC address of their own. */
  readonly all: boolean;
}

export const extraInterfaces = (min: 0 | 1): Argument<ExtraInterfaces> =>
  wholeLine(
    "[all] SECS",
    (line, report) => {
      let seconds: number | undefined;
      let all = false;
      for (const word of line.args) {
        if (word.text === "all") all = true;
        else {
          seconds = numberOf(word, { min, max: 86_400 }, line, report);
          if (seconds === undefined) return undefined;
        }
      }
      if (seconds === undefined) return incomplete(line, report, "[all] SECS");
      return { interval: micros(seconds * 1_000_000), all };
    },
    { range: `${min} to 86400 s` },
  );

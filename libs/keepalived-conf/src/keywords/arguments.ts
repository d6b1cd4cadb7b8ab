// The simple types of words: numbers, times, booleans, names (grammar section 7).
import { type Micros, micros } from "@baton/domain";
import type { Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import type { Argument, KeywordLine } from "./table.ts";

type Parse<T> = (word: Word, line: KeywordLine, report: Report) => T | undefined;

/** One word that must be there. */
export const oneWord = <T>(syntax: string, range: string, parse: Parse<T>): Argument<T> => ({
  syntax,
  range,
  required: 1,
  script: false,
  parse: (line, report) => {
    const word = line.args[0];
    return word === undefined ? undefined : parse(word, line, report);
  },
});

/** Makes the only word of `argument` optional; `absent` counts without it. */
export const optional = <T>(argument: Argument<T>, absent: T): Argument<T> => ({
  ...argument,
  syntax: `[${argument.syntax}]`,
  required: 0,
  parse: (line, report) => (line.args.length === 0 ? absent : argument.parse(line, report)),
});

/** keepalived says that the word is missing, and goes on. */
export const lenientlyMissing = <T>(argument: Argument<T>): Argument<T> => ({
  ...argument,
  required: 0,
  parse: (line, report) => {
    if (line.args.length > 0) return argument.parse(line, report);
    report({
      place: line.at(),
      severity: "error",
      code: "missing-value",
      errorClass: "general-error",
      message: `${line.keyword.text} has no value and is ignored`,
      hint: `${line.keyword.text} ${argument.syntax}`,
    });
    return undefined;
  },
});

/** Extra words change nothing in keepalived either; `flag` keywords are true when they are there. */
export const flag: Argument<true> = { syntax: "", range: "", required: 0, script: false, parse: () => true };

/** `unit` as in "seconds". `strict`: a number with something behind it is refused rather than cut. */
interface NumberOptions {
  readonly min: number;
  readonly max: number;
  readonly strict?: boolean;
  readonly syntax?: string;
  /** Out of range: this counts, and not the default. */
  readonly instead?: number;
}

interface NumberProblem {
  readonly message: string;
  readonly hint?: string;
  /** The number that counts instead. */
  readonly used: number | undefined;
}

export const invalidNumber = (
  word: Word,
  line: KeywordLine,
  report: Report,
  { message, hint, used }: NumberProblem,
): void =>
  report({
    place: line.at(word),
    severity: "error",
    code: "invalid-number",
    errorClass: "invalid-number",
    message: `${line.keyword.text}: ${message}`,
    used: used === undefined ? undefined : `${line.keyword.text} ${used}`,
    hint,
  });

interface ReadNumber {
  /** Times ten to the power of `decimals`; undefined: not usable. */
  readonly value: number | undefined;
  readonly problem: string | undefined;
}

/**
 * What strtol finds in front, and whether something follows. Nothing at all is 0 for keepalived; words are too while it
 * runs, but not for `keepalived -t`, nor here.
 */
function leadingInteger(text: string): { readonly value: number; readonly whole: boolean } {
  if (isDigits(text)) return { value: Number(text), whole: true };
  const match = /^[ \t\f\n\r\v]*([+-]?)(\d+)/.exec(text);
  if (match === null) return { value: text === "" ? 0 : Number.NaN, whole: text === "" };
  const size = Number(match[2]);
  return { value: match[1] === "-" ? 0 - size : size, whole: match[0].length === text.length };
}

/** What nearly all numbers are. */
function isDigits(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text !== "";
}

/**
 * Reads `text` as keepalived does (grammar section 7): what follows the digits is an error, but the number counts all the
 * same where it is in range, unless `strict`.
 */
export function readNumber(text: string, options: NumberOptions & { readonly decimals: number }): ReadNumber {
  return options.decimals === 0 ? readInteger(text, options) : readDecimal(text, options);
}

const noNumber = (text: string): string => `'${text}' is no number`;
const outOfRange = (text: string, { min, max }: NumberOptions): string => `${text} is not between ${min} and ${max}`;

function readInteger(text: string, options: NumberOptions): ReadNumber {
  const { min, max, strict = false } = options;
  const { value, whole } = leadingInteger(text);
  const inRange = value >= min && value <= max;
  const negative = min >= 0 && /^[ \t\f\n\r\v]*-/.test(text);
  if (!whole || negative) return { value: inRange && !strict ? value : undefined, problem: noNumber(text) };
  return inRange ? { value, problem: undefined } : { value: undefined, problem: outOfRange(text, options) };
}

/** The point is taken out and zeros are put behind before anything is read: `5s` is five millionths, not five. */
function readDecimal(text: string, options: NumberOptions & { readonly decimals: number }): ReadNumber {
  const { min, max, decimals, strict = false } = options;
  if (text.startsWith("-")) return { value: undefined, problem: noNumber(text) };
  const point = text.indexOf(".");
  const fraction = point < 0 ? "" : text.slice(point + 1);
  const digits = (point < 0 ? text : text.slice(0, point)) + fraction.slice(0, decimals).padEnd(decimals, "0");
  const { value: down, whole } = leadingInteger(digits);
  const value = down + ((fraction[decimals] ?? "0") >= "5" ? 1 : 0);
  const scale = 10 ** decimals;
  // 4294.967295 is not exactly what it looks like.
  const inRange = value >= Math.round(min * scale) && value <= Math.round(max * scale);
  if (!whole) return { value: inRange && !strict ? value : undefined, problem: noNumber(text) };
  if (!inRange) return { value: undefined, problem: outOfRange(text, options) };
  return { value, problem: fraction.length > decimals ? `${text} has more than ${decimals} decimals` : undefined };
}

function number(options: NumberOptions & { readonly decimals: number; readonly unit?: string }): Parse<number> {
  const { min, max, unit } = options;
  const range = `a number from ${min} to ${max}${unit === undefined ? "" : ` (${unit})`}`;
  return (word, line, report) => {
    const { value, problem } = readNumber(word.text, options);
    if (problem === undefined) return value;
    const used = value ?? options.instead;
    const scaled = used === undefined ? undefined : used / 10 ** options.decimals;
    invalidNumber(word, line, report, { message: problem, hint: `write ${range}`, used: scaled });
    return used;
  };
}

export const integer = (options: NumberOptions): Argument<number> =>
  oneWord(options.syntax ?? "N", `${options.min} to ${options.max}`, number({ ...options, decimals: 0 }));

export const uint32Max = 4_294_967_295;
export const int32Max = 2_147_483_647;

interface SecondsOptions {
  /** In seconds. */
  readonly min?: number;
  readonly max?: number;
  readonly decimals?: 0 | 3 | 6;
  /** 0 is taken for one second, as keepalived has done since the value had to be positive. */
  readonly zeroIsOne?: boolean;
  /** Out of range: this counts, and not the default. */
  readonly instead?: number;
}

/** Longest time that keepalived keeps in microseconds of 32 bits, in whole seconds and to the microsecond. */
export const secondsMax = 4_294;
export const microSecondsMax = 4_294.967295;

export function seconds(options: SecondsOptions = {}): Argument<Micros> {
  const { min = 0, max = secondsMax, decimals = 6, zeroIsOne = false } = options;
  const instead = options.instead === undefined ? {} : { instead: options.instead };
  const parse = number({ min, max, decimals, unit: "seconds", ...instead });
  const scale = 10 ** (6 - decimals);
  return oneWord("SECS", `${zeroIsOne ? 1 / 10 ** decimals : min} to ${max} s`, (word, line, report) => {
    const value = parse(word, line, report);
    if (value === undefined) return undefined;
    // Longer than a number holds exactly is as good as for ever.
    if (value > 0 || !zeroIsOne) return micros(Math.min(value * scale, Number.MAX_SAFE_INTEGER));
    invalidNumber(word, line, report, { message: "0 seconds are too few", used: 1 });
    return micros(1_000_000);
  });
}

/** Milliseconds with up to three decimals, as BFD counts. */
export const milliseconds = (min: number, max: number): Argument<Micros> => {
  const parse = number({ min, max, decimals: 3, strict: true, unit: "milliseconds" });
  return oneWord("MS", `${min} to ${max} ms`, (word, line, report) => {
    const value = parse(word, line, report);
    return value === undefined ? undefined : micros(value);
  });
};

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
};

/** The keyword alone means true. */
export const bool: Argument<boolean> = optional(
  oneWord("BOOL", "true on yes / false off no", (word, line, report) => {
    const value = Object.hasOwn(booleans, word.text) ? booleans[word.text] : undefined;
    if (value === undefined) invalidValue(word, line, report, "true, on, yes, false, off or no");
    return value;
  }),
  true,
);

export function invalidValue(word: Word, line: KeywordLine, report: Report, expected: string): undefined {
  report({
    place: line.at(word),
    severity: "error",
    code: "invalid-value",
    errorClass: "general-error",
    message: `${line.keyword.text}: '${word.text}' is not understood and ignored`,
    hint: `write ${expected}`,
  });
}

export const choice = <const T extends string>(...names: readonly T[]): Argument<T> =>
  oneWord(names.join("|"), "", (word, line, report) => {
    const found = names.find((name) => name === word.text);
    if (found === undefined) invalidValue(word, line, report, names.join(" or "));
    return found;
  });

export const text = (syntax: string): Argument<string> => oneWord(syntax, "", (word) => word.text);

/** What no diagnostic may quote. */
export const secret = <T>(argument: Argument<T>): Argument<T> => ({ ...argument, secret: true });

/** IFNAMSIZ of linux/if.h, with its terminating zero. */
export const interfaceNameMax = 15;

export const interfaceName: Argument<string> = oneWord(
  "IFNAME",
  `up to ${interfaceNameMax} characters`,
  (word, line, report) => {
    if (word.text.length <= interfaceNameMax) return word.text;
    invalidValue(word, line, report, `an interface name of at most ${interfaceNameMax} characters`);
    return undefined;
  },
);

/** Any words; what they mean is not checked yet. */
export const anyWords = (syntax: string, required = 0): Argument<readonly string[]> => ({
  syntax,
  range: "",
  required,
  script: false,
  parse: (line) => line.args.map((word) => word.text),
});

// `~SEQ`, `~SEQx` and `~LST` (grammar section 11): a template line that is read once per value. Read as keepalived reads
// them, with what it lets pass: a number that is missing is 0, and any character can stand for the first comma of ~SEQ.
import { sliceText, type Text } from "./text.ts";

export interface Sequence {
  /** Read once per step, as if it stood in the file. */
  readonly template: Text;
  /** The definitions to set before the next reading; undefined at the end. */
  next(): readonly (readonly [name: string, value: string])[] | undefined;
}

export type SequenceResult =
  | { readonly ok: true; readonly sequence: Sequence }
  | { readonly ok: false; readonly reason: string };

const fail = (reason: string): SequenceResult => ({ ok: false, reason });

export const isSequence = (line: string): boolean => line.startsWith("~SEQ") || line.startsWith("~LST");

/** `expand`: substitutes definitions in the numbers of ~SEQ; undefined: with more than one line. */
export function parseSequence(line: Text, expand: (numbers: string) => string | undefined): SequenceResult {
  return line.value.startsWith("~LST") ? parseList(line) : parseRange(line, expand);
}

/** Longest text of the numbers, with the parenthesis that closes them. */
const numbersLengthMax = 63;

function parseRange(line: Text, expand: (numbers: string) => string | undefined): SequenceResult {
  const head = /^~SEQ(x?)[ \t]*\([ \t]*([^ \t,){][^ \t,)]*)(?=[ \t,)])[ \t]*[^ \t)][ \t]*/.exec(line.value);
  const variable = head?.[2];
  if (head === null || variable === undefined) return fail("~SEQ takes (VAR, [START, [STEP,]] END)");
  const close = line.value.indexOf(")", head[0].length);
  if (close < 0) return fail("~SEQ has no closing ')'");
  if (close + 1 - head[0].length > numbersLengthMax)
    return fail(`the numbers of ~SEQ are longer than ${numbersLengthMax - 1} characters`);
  const numbers = expand(line.value.slice(head[0].length, close + 1));
  if (numbers === undefined) return fail("~SEQ takes no multi-line definition");
  const range = readRange(readNumbers(numbers));
  if (range === undefined) return fail("~SEQ takes one to three numbers");
  const { start, step, end } = range;
  if (step === 0 || (start < end && step < 0) || (start > end && step > 0))
    return fail("the step of ~SEQ does not lead to its end");
  const hexadecimal = head[1] === "x";
  if (hexadecimal && (start < 0 || end < 0)) return fail("~SEQx takes no negative numbers");
  let value = start;
  const next = () => {
    if (step > 0 ? value > end : value < end) return undefined;
    const text = value.toString(hexadecimal ? 16 : 10);
    value += step;
    return [[variable, text]] as const;
  };
  return { ok: true, sequence: { template: templateAfter(line, close), next } };
}

/** Up to three numbers as strtol reads them with base 0, with commas between them and `)` behind the last. */
function readNumbers(text: string): number[] | undefined {
  const numbers: number[] = [];
  const token = /[ \t\f\n\r\v]*([+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*))?[ \t]*([,)])/y;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const number = cInteger(match[1] ?? "0");
    if (!Number.isSafeInteger(number)) return undefined;
    numbers.push(number);
    if (match[2] === ")") return numbers;
    if (numbers.length === 3) return undefined;
  }
  return undefined;
}

function cInteger(text: string): number {
  const digits = text.replace(/^[+-]/, "");
  const base = /^0[xX]/.test(digits) ? 16 : digits.startsWith("0") ? 8 : 10;
  const size = Number.parseInt(base === 16 ? digits.slice(2) : digits, base);
  return text.startsWith("-") ? -size : size;
}

function readRange(numbers: readonly number[] | undefined): { start: number; step: number; end: number } | undefined {
  const [one, two, three] = numbers ?? [];
  if (one === undefined) return undefined;
  if (two === undefined) return { start: one < 0 ? -1 : 1, step: one < 1 ? -1 : 1, end: one };
  if (three === undefined) return { start: one, step: one <= two ? 1 : -1, end: two };
  return { start: one, step: two, end: three };
}

function parseList(line: Text): SequenceResult {
  const { value } = line;
  const head = /^~LST[ \t]*\([ \t]*/.exec(value);
  const names = head === null ? undefined : readMembers(value, head[0].length, /[^ \t,}]*/y);
  if (names === undefined || value[names.end] !== ",")
    return fail("~LST takes (VAR, value, …) or ({V1, V2}, {a, b}, …)");
  const sets: (readonly string[])[] = [];
  let end = names.end;
  do {
    const set = readMembers(value, afterBlanks(value, end + 1), /[^ \t,})]*/y);
    if (set === undefined) return fail("~LST is not closed, or lacks a comma");
    if (set.members.length > names.members.length) return fail("~LST has more values than names");
    sets.push(set.members);
    end = set.end;
  } while (value[end] === ",");
  if (value[end] !== ")") return fail("~LST is not closed, or lacks a comma");
  let index = 0;
  const next = () => {
    const set = sets[index++];
    return set === undefined ? undefined : names.members.map((name, i) => [name, set[i] ?? ""] as const);
  };
  return { ok: true, sequence: { template: templateAfter(line, end), next } };
}

interface Members {
  readonly members: readonly string[];
  /** Of the character behind the last, or behind the brace. */
  readonly end: number;
}

/** `a`, or `{a, b}`. `word`: what a member can consist of. */
function readMembers(text: string, start: number, word: RegExp): Members | undefined {
  const braced = text[start] === "{";
  const members: string[] = [];
  for (let at = braced ? afterBlanks(text, start + 1) : start; ; at = afterBlanks(text, at + 1)) {
    word.lastIndex = at;
    const member = word.exec(text)?.[0] ?? "";
    members.push(member);
    at = afterBlanks(text, at + member.length);
    if (!braced) return text[at] === "," || text[at] === ")" ? { members, end: at } : undefined;
    if (text[at] === "}") return { members, end: afterBlanks(text, at + 1) };
    if (text[at] !== ",") return undefined;
  }
}

function afterBlanks(text: string, start: number): number {
  let at = start;
  while (text[at] === " " || text[at] === "\t") at++;
  return at;
}

const templateAfter = (line: Text, close: number): Text => sliceText(line, afterBlanks(line.value, close + 1));

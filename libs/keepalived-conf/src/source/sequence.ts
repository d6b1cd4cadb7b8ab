// `~SEQ`, `~SEQx` and `~LST` (grammar section 11): a template line that is read once per value.
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

/** `expand`: substitutes definitions in the numbers of ~SEQ. */
export function parseSequence(line: Text, expand: (numbers: string) => string | undefined): SequenceResult {
  return line.value.startsWith("~LST") ? parseList(line) : parseRange(line, expand);
}

/** Longest text of the numbers, with what separates them. */
const numbersLengthMax = 63;

function parseRange(line: Text, expand: (numbers: string) => string | undefined): SequenceResult {
  const head = /^~SEQ(x?)[ \t]*\([ \t]*([^ \t,){][^ \t,)]*)[ \t]*,[ \t]*/.exec(line.value);
  const variable = head?.[2];
  if (head === null || variable === undefined) return fail("~SEQ takes (VAR, [START, [STEP,]] END)");
  const close = line.value.indexOf(")", head[0].length);
  if (close < 0) return fail("~SEQ has no closing ')'");
  const numbers = expand(line.value.slice(head[0].length, close));
  if (numbers === undefined) return fail("~SEQ takes no multi-line definition");
  if (numbers.length + 1 > numbersLengthMax)
    return fail(`the numbers of ~SEQ are longer than ${numbersLengthMax} characters`);
  const values = numbers.split(",").map((text) => parseCInteger(text.trim()));
  const [one, two, three] = values;
  if (values.length > 3 || values.includes(undefined) || one === undefined)
    return fail("~SEQ takes one to three numbers");
  const range =
    two === undefined
      ? { start: one < 0 ? -1 : 1, step: one < 1 ? -1 : 1, end: one }
      : three === undefined
        ? { start: one, step: one <= two ? 1 : -1, end: two }
        : { start: one, step: two, end: three };
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

/** As C reads it with base 0: 0x and 0 prefixes. */
function parseCInteger(text: string): number | undefined {
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) return undefined;
  const digits = text.replace(/^[+-]/, "");
  const base = /^0[xX]/.test(digits) ? 16 : digits.startsWith("0") ? 8 : 10;
  const size = Number.parseInt(base === 16 ? digits.slice(2) : digits, base);
  if (!Number.isSafeInteger(size)) return undefined;
  return text.startsWith("-") ? -size : size;
}

function templateAfter(line: Text, close: number): Text {
  const blanks = /^[ \t]*/.exec(line.value.slice(close + 1))?.[0].length ?? 0;
  return sliceText(line, close + 1 + blanks);
}

function parseList(line: Text): SequenceResult {
  const head = /^~LST[ \t]*\([ \t]*/.exec(line.value);
  if (head === null) return fail("~LST takes (VAR, value, …) or ({V1, V2}, {a, b}, …)");
  const groups = readGroups(line.value, head[0].length);
  if (groups === undefined) return fail("~LST is not closed, or lacks a comma");
  const [names, ...sets] = groups.items;
  if (names === undefined || sets.length === 0 || names.some((name) => name === ""))
    return fail("~LST needs a name and values");
  if (sets.some((set) => set.length > names.length)) return fail("~LST has more values than names");
  let index = 0;
  const next = () => {
    const set = sets[index++];
    return set === undefined ? undefined : names.map((name, i) => [name, set[i] ?? ""] as const);
  };
  return { ok: true, sequence: { template: templateAfter(line, groups.close), next } };
}

/** `{a, b}, c, {d})` → [[a, b], [c], [d]] and the index of the closing parenthesis. */
function readGroups(value: string, start: number): { items: string[][]; close: number } | undefined {
  const items: string[][] = [];
  const token = /[ \t]*(?:\{([^{})]*)\}|([^ \t,{})]*))[ \t]*([,)])/y;
  token.lastIndex = start;
  for (;;) {
    const match = token.exec(value);
    if (match === null) return undefined;
    const braced = match[1];
    items.push(braced === undefined ? [match[2] ?? ""] : braced.split(",").map((member) => member.trim()));
    if (match[3] === ")") return { items, close: token.lastIndex - 1 };
  }
}

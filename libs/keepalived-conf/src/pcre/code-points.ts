// Sets of code points as rising ranges apart from each other: what a class of characters matches, whatever way it was written.

export type Range = readonly [first: number, last: number];
export type CodePoints = readonly Range[];

/** Any ranges in, in any order. */
export function unionOf(...sets: readonly CodePoints[]): CodePoints {
  const sorted = sets.flat().sort((a, b) => a[0] - b[0]);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** All others from 0 to `max`. */
export function complementOf(set: CodePoints, max: number): CodePoints {
  const others: Range[] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) others.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= max) others.push([next, max]);
  return others;
}

const letters: readonly (readonly [first: number, last: number, toOther: number])[] = [
  [65, 90, 32],
  [97, 122, -32],
];

/** With the other case of each letter of ASCII, which are all that have one in the C locale. */
export const bothCases = (set: CodePoints): CodePoints =>
  unionOf(
    set,
    ...letters.map(([low, high, other]) =>
      set
        .map(([first, last]): Range => [Math.max(first, low) + other, Math.min(last, high) + other])
        .filter(([first, last]) => first <= last),
    ),
  );

const of = (...ranges: readonly (Range | number)[]): CodePoints =>
  unionOf(ranges.map((each): Range => (typeof each === "number" ? [each, each] : each)));

export const digits = of([48, 57]);
export const wordCharacters = of([48, 57], [65, 90], 95, [97, 122]);
/** `\s` of PCRE2 in the C locale: not JavaScript's, which knows more. */
export const spaces = of([9, 13], 32);
export const newline = of(10);
/** `\h` and `\v`; what lies beyond the greatest code point is cut by whoever uses them. */
export const horizontalSpaces = of(9, 32, 0xa0, 0x1680, 0x180e, [0x2000, 0x200a], 0x202f, 0x205f, 0x3000);
export const verticalSpaces = of([10, 13], 0x85, [0x2028, 0x2029]);

/** POSIX classes of the C locale. */
export const posixClasses: Readonly<Record<string, CodePoints>> = {
  alpha: of([65, 90], [97, 122]),
  lower: of([97, 122]),
  upper: of([65, 90]),
  alnum: of([48, 57], [65, 90], [97, 122]),
  ascii: of([0, 127]),
  blank: of(9, 32),
  cntrl: of([0, 31], 127),
  digit: digits,
  graph: of([33, 126]),
  print: of([32, 126]),
  punct: of([33, 47], [58, 64], [91, 96], [123, 126]),
  space: spaces,
  word: wordCharacters,
  xdigit: of([48, 57], [65, 70], [97, 102]),
};

/** JavaScript for one of them; the empty set never matches. */
export function writeSet(set: CodePoints, unicode: boolean): string {
  const first = set[0];
  if (first !== undefined && set.length === 1 && first[0] === first[1]) return writeCharacter(first[0], unicode);
  const ranges = set.map(([low, high]) =>
    low === high ? escaped(low, unicode) : `${escaped(low, unicode)}-${escaped(high, unicode)}`,
  );
  return `[${ranges.join("")}]`;
}

export function writeCharacter(code: number, unicode: boolean): string {
  const character = String.fromCodePoint(code);
  return /^[A-Za-z0-9_ ]$/.test(character) ? character : escaped(code, unicode);
}

const escaped = (code: number, unicode: boolean): string =>
  unicode ? `\\u{${code.toString(16)}}` : `\\x${code.toString(16).padStart(2, "0")}`;

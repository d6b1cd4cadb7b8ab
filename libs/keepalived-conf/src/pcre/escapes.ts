// What a backslash and the characters after it mean in PCRE2.
import {
  type CodePoints,
  complementOf,
  digits,
  horizontalSpaces,
  newline,
  spaces,
  verticalSpaces,
  wordCharacters,
} from "./code-points.ts";
import type { PatternText } from "./pattern-text.ts";

export type Escape =
  | { readonly kind: "character"; readonly code: number }
  | { readonly kind: "set"; readonly set: CodePoints }
  | { readonly kind: "assertion"; readonly script: string }
  | { readonly kind: "group"; readonly group: number | string };

const controls: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
const sets: Readonly<Record<string, CodePoints>> = {
  d: digits,
  s: spaces,
  w: wordCharacters,
  h: horizontalSpaces,
  v: verticalSpaces,
};
/** Ends of the subject and of words, without JavaScript's flags. */
const boundary = (not: "" | "!"): string =>
  not === "" ? "(?:(?<=[\\w])(?![\\w])|(?<![\\w])(?=[\\w]))" : "(?:(?<=[\\w])(?=[\\w])|(?<![\\w])(?![\\w]))";
export const subjectStart = "(?<![^])";
export const subjectEnd = "(?![^])";
export const beforeLastNewline = `(?=\\n?${subjectEnd})`;
const assertions: Readonly<Record<string, string>> = {
  b: boundary(""),
  B: boundary("!"),
  A: subjectStart,
  z: subjectEnd,
  Z: beforeLastNewline,
};

/** Behind the backslash. `max`: the greatest code point. Throws Refusal. */
export function readEscape(text: PatternText, where: "class" | "outside", max: number): Escape {
  const at = text.at - 1;
  const letter = text.take();
  if (letter === "") text.refuse("a backslash at the end", at);
  if (!/^[A-Za-z0-9]$/.test(letter)) return character(letter.codePointAt(0) ?? 0);
  const control = controls[letter];
  if (control !== undefined) return character(control);
  const set = sets[letter.toLowerCase()];
  if (set !== undefined) {
    const within = set.filter(([first]) => first <= max);
    return { kind: "set", set: letter in sets ? within : complementOf(within, max) };
  }
  if (where === "class" && letter === "b") return character(8);
  const assertion = where === "outside" ? assertions[letter] : undefined;
  if (assertion !== undefined) return { kind: "assertion", script: assertion };
  if (where === "outside" && letter === "N" && text.peek() !== "{")
    return { kind: "set", set: complementOf(newline, max) };
  if (/[0-9ox]/.test(letter)) return readNumber(text, letter, where, max);
  if (letter === "c") return readControl(text, at);
  if (where === "outside" && (letter === "g" || letter === "k")) return readReference(text, letter, at);
  return text.refuse(`\\${letter}`, at);
}

const character = (code: number): Escape => ({ kind: "character", code });

function readControl(text: PatternText, at: number): Escape {
  const next = text.take();
  if (!/^[ -~]$/.test(next)) text.refuse("\\c without a printable character of ASCII", at);
  return character((next.toUpperCase().codePointAt(0) ?? 0) ^ 64);
}

/** `\0`, `\12`, `\x41`, `\x{41}`, `\o{101}`, `\3`. */
function readNumber(text: PatternText, letter: string, where: "class" | "outside", max: number): Escape {
  const at = text.at - 2;
  const inRange = (code: number): Escape => {
    if (!(code <= max)) text.refuse("a character beyond the greatest one", at);
    return character(code);
  };
  if (letter === "x") {
    const braced = text.match(/\{([0-9A-Fa-f]{1,8})\}/y);
    if (braced !== undefined) return inRange(Number.parseInt(braced[1] ?? "", 16));
    return character(Number.parseInt(`0${text.match(/[0-9A-Fa-f]{0,2}/y)?.[0] ?? ""}`, 16));
  }
  if (letter === "o") {
    const braced = text.match(/\{([0-7]{1,11})\}/y) ?? text.refuse("\\o without octal digits in braces", at);
    return inRange(Number.parseInt(braced[1] ?? "", 8));
  }
  if (letter === "0") return character(Number.parseInt(`0${text.match(/[0-7]{0,2}/y)?.[0] ?? ""}`, 8));
  if (where === "class") {
    text.goTo(at + 1);
    const octal = text.match(/[0-7]{1,3}/y) ?? text.refuse(`\\${letter} in a class`, at);
    return inRange(Number.parseInt(octal[0], 8));
  }
  // Two digits are a group or octal, whichever there is: nobody should have to guess.
  if (/[0-9]/.test(text.peek())) text.refuse("\\ with two digits: write \\x.. or \\g{..}", at);
  return { kind: "group", group: Number(letter) };
}

/** `\g1`, `\g{1}`, `\g{name}`, `\k<name>`, `\k'name'`, `\k{name}`. */
function readReference(text: PatternText, letter: string, at: number): Escape {
  if (letter === "g") {
    const number = text.match(/(\d{1,5})|\{(\d{1,5})\}/y);
    if (number !== undefined) return { kind: "group", group: Number(number[1] ?? number[2]) };
    const named = text.match(/\{([A-Za-z_]\w{0,31})\}/y) ?? text.refuse("\\g of this kind", at);
    return { kind: "group", group: named[1] ?? "" };
  }
  const named = text.match(/<(\w{1,32})>|'(\w{1,32})'|\{(\w{1,32})\}/y) ?? text.refuse("\\k without a name", at);
  return { kind: "group", group: named[1] ?? named[2] ?? named[3] ?? "" };
}

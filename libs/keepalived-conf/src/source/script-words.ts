// The script tokeniser (grammar section 4): both kinds of quotes group, may start inside a word, and adjacent pieces
// join. Scripts go through it twice: without escapes to find the command among the words of the line, then with escapes
// to split the command into its arguments. Escapes make octets, so it works on octets.
import { decodeLatin1, decodeOctets, encodeLine } from "./octets.ts";

export type ScriptWords =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly reason: string };

const space = /[ \t\f\n\r\v]/;
const simpleEscapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  E: "\x1b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

export function splitScript(text: string, escapes: boolean): ScriptWords {
  const source = toOctets(text);
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let i = 0; i < source.length; i++) {
    const character = source[i] ?? "";
    if (character === "\\") {
      if (i === source.length - 1) return { ok: false, reason: "a backslash at the end escapes nothing" };
      const escaped = escapes ? readEscape(source, i) : { text: source.slice(i, i + 2), length: 2 };
      word = (word ?? "") + escaped.text;
      i += escaped.length - 1;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (space.test(character)) {
      if (word !== undefined) words.push(fromOctets(word));
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) return { ok: false, reason: `a ${quote} is not closed` };
  if (word !== undefined) words.push(fromOctets(word));
  return { ok: true, words };
}

const isAscii = (text: string): boolean => !/[^\0-\x7f]/.test(text);

/** One character for each octet. */
const toOctets = (text: string): string => (isAscii(text) ? text : decodeLatin1(encodeLine(text, false)));

/** A NUL that an escape makes ends its word: programs take no others. */
function fromOctets(octets: string): string {
  const word = octets.replace(/\0.*$/s, "");
  return isAscii(word) ? word : decodeOctets(encodeLine(word, true)).text;
}

function readEscape(source: string, at: number): { text: string; length: number } {
  const hexadecimal = /^\\x([0-9a-fA-F]{1,2})/.exec(source.slice(at, at + 4));
  if (hexadecimal !== null) return octet(hexadecimal, 16);
  const octal = /^\\([0-7]{1,3})/.exec(source.slice(at, at + 4));
  if (octal !== null) return octet(octal, 8);
  const next = source[at + 1] ?? "";
  if (next === "c" && at + 2 < source.length) {
    return { text: String.fromCharCode(source.charCodeAt(at + 2) & 0x1f), length: 3 };
  }
  return { text: simpleEscapes[next] ?? next, length: 2 };
}

const octet = (match: RegExpExecArray, base: number) => ({
  text: String.fromCharCode(Number.parseInt(match[1] ?? "0", base) & 0xff),
  length: match[0].length,
});

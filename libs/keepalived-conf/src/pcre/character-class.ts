// `[...]` of PCRE2 as a set of code points.
import { type CodePoints, complementOf, posixClasses, unionOf } from "./code-points.ts";
import { readEscape } from "./escapes.ts";
import type { PatternText } from "./pattern-text.ts";

export interface ClassRules {
  readonly max: number;
  /** `[]` matches nothing, instead of a class that begins with `]`. */
  readonly emptyAllowed: boolean;
}

type Member = { readonly code: number } | { readonly set: CodePoints };

/** Behind the opening bracket. Without the other case of letters, and negated already. Throws Refusal. */
export function readClass(text: PatternText, { max, emptyAllowed }: ClassRules): { set: CodePoints; negated: boolean } {
  const start = text.at - 1;
  const negated = text.takes("^");
  const sets: CodePoints[] = [];
  for (let first = true; ; first = false) {
    if (text.isOver()) text.refuse("a class without an end", start);
    if (text.peek() === "]" && (!first || emptyAllowed)) break;
    if (text.takes("\\Q")) {
      const quoted = text.match(/[\s\S]*?\\E/y) ?? text.refuse("\\Q without \\E in a class", text.at);
      for (const each of quoted[0].slice(0, -2)) sets.push(single(each.codePointAt(0) ?? 0));
      continue;
    }
    if (text.takes("\\E")) continue;
    sets.push(readRange(text, max));
  }
  text.take();
  return { set: unionOf(...sets), negated };
}

const single = (code: number): CodePoints => [[code, code]];

function readRange(text: PatternText, max: number): CodePoints {
  const at = text.at;
  const first = readMember(text, max);
  if (!("code" in first)) {
    // `[\d-z]`: PCRE2 refuses some and takes a hyphen in others.
    const range = text.match(/-(?=[^\]])/y);
    return range === undefined ? first.set : text.refuse("a range that begins with a class", at);
  }
  if (text.match(/-(?=[^\]])/y) === undefined) return single(first.code);
  const last = readMember(text, max);
  if (!("code" in last)) return text.refuse("a range that ends with a class", at);
  if (last.code < first.code) text.refuse("a range that falls", at);
  return [[first.code, last.code]];
}

function readMember(text: PatternText, max: number): Member {
  const at = text.at;
  const posix = text.match(/\[:(\^?)(\w*):\]/y);
  if (posix !== undefined) {
    const set = posixClasses[posix[2] ?? ""] ?? text.refuse(`there is no class ${posix[0]}`, at);
    return { set: posix[1] === "^" ? complementOf(set, max) : set };
  }
  if (text.match(/\[[.=]/y) !== undefined) text.refuse("collating elements", at);
  if (!text.takes("\\")) return { code: text.take().codePointAt(0) ?? 0 };
  const meaning = readEscape(text, "class", max);
  if (meaning.kind === "character") return { code: meaning.code };
  return meaning.kind === "set" ? { set: meaning.set } : text.refuse("this escape in a class", at);
}

export const finishClass = (set: CodePoints, negated: boolean, max: number): CodePoints =>
  negated ? complementOf(set, max) : set;

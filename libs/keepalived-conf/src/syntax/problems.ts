// What the parser says about lines and braces, in one place so that the wording stays even.

import { meantKeyword } from "../keywords/meant.ts";
import type { BlockSpec, EntryForm, KeywordLine, Option, Support } from "../keywords/table.ts";
import type { Place, Problem } from "../report.ts";
import type { Word } from "../source/words.ts";

export const unknownKeyword = (place: Place, name: string, block: BlockSpec): Problem => ({
  place,
  severity: "warning",
  code: "unknown-keyword",
  errorClass: "unknown-keyword",
  message: `${name === "" ? '""' : name} is no keyword ${block.name === "" ? "outside of blocks" : `of ${block.name}`}; the line is ignored`,
  hint: () => meantKeyword(name, block),
});

export const unexpectedOpen = (place: Place): Problem => ({
  place,
  severity: "warning",
  code: "unexpected-open-brace",
  errorClass: "unexpected-open-brace",
  message: "no block opens here; the brace is ignored",
  hint: "what follows is read as a part of the block around it, and the next '}' closes that one",
});

export const extraClose = (place: Place): Problem => ({
  place,
  severity: "error",
  code: "unexpected-close-brace",
  errorClass: "unexpected-close-brace",
  message: "this '}' closes nothing",
  hint: "look for a missing '{' or an unknown block above",
});

export const missingOpen = (place: Place, name: string): Problem => ({
  place,
  severity: "error",
  code: "missing-open-brace",
  errorClass: "missing-open-brace",
  message: `${name} lacks its '{' before this`,
  hint: `write ${name} … {`,
});

export const missingClose = (place: Place, count: number): Problem => ({
  place,
  severity: "error",
  code: "missing-close-brace",
  errorClass: "missing-close-brace",
  message: count === 1 ? "this '{' is never closed" : `this '{' is never closed, nor are ${count - 1} before it`,
  hint: "add the missing '}'",
});

export const repeated = (place: Place, name: string): Problem => ({
  place,
  severity: "error",
  code: "repeated",
  errorClass: "general-error",
  message: `${name} was given before; this one is ignored`,
});

/** keepalived miscounts the braces from there on: its `}` closes the block around it. */
export const repeatedList = (place: Place, name: string, around: string): Problem => ({
  ...repeated(place, name),
  message: `${name} was given before; this one ends ${around}, which is left out`,
  hint: `write one ${name} { … }`,
});

export const replaced = (place: Place, name: string): Problem => ({
  place,
  severity: "warning",
  code: "replaced",
  errorClass: "general-error",
  message: `${name} was given before; this one counts`,
});

/** `tolerated`: keepalived only logs it. */
export const deprecated = (place: Place, name: string, instead: string, tolerated: boolean): Problem => ({
  place,
  severity: tolerated ? "info" : "warning",
  code: "deprecated",
  errorClass: tolerated ? "ok" : "deprecated",
  message: `${name} is deprecated`,
  hint: instead,
});

/** What a keyword cannot do here; nothing for one that works, or of which its block has told. */
export function unsupported(place: Place, name: string, support: Support): Problem | undefined {
  if (support.level === "refused") {
    const message = `${name}: not carried out by this version, and not to be passed over`;
    return { place, severity: "error", code: "refused", errorClass: "fatal", message, hint: support.differs };
  }
  if (support.level !== "accepted") return undefined;
  const message = `${name}: accepted, not carried out by this version`;
  return { place, severity: support.severity, code: "accepted", errorClass: "ok", message, hint: support.differs };
}

export const surplusWords = (line: KeywordLine, first: Word): Problem => ({
  place: line.at(first),
  severity: "error",
  code: "surplus-words",
  errorClass: "general-error",
  message: `'${first.text}' before the '{' of ${line.keyword.text} is ignored`,
});

export const duplicateBlock = (line: KeywordLine, earlier: Place): Problem => ({
  place: line.at(),
  severity: "error",
  code: "duplicate-block",
  errorClass: "general-error",
  message: `${line.keyword.text} ${line.args.map((word) => word.text).join(" ")} was defined on line ${earlier.line} of ${earlier.file}; this block is skipped`,
});

/** What goes with something that is not understood in a line of a value block. */
const lost = {
  word: "it is ignored",
  option: "it is ignored",
  rest: "it is ignored, as is what follows it",
  entry: "the line is left out",
} as const;

export const unknownOption = (
  place: Place,
  word: Word,
  loses: EntryForm["unknownWord"],
  hint: Problem["hint"],
): Problem => ({
  place,
  severity: "error",
  code: "unknown-option",
  errorClass: "general-error",
  message: `'${word.text}' is not known here; ${lost[loses]}`,
  hint,
});

export const invalidOption = (
  place: Place,
  option: Word,
  wrong: Word,
  { hint, loses }: { readonly hint: string; readonly loses: Option<unknown>["loses"] },
): Problem => ({
  place,
  severity: "error",
  code: "invalid-value",
  errorClass: "general-error",
  message: `${option === wrong ? "" : `${option.text}: `}'${wrong.text}' is not usable; ${lost[loses]}`,
  hint,
});

/** keepalived drops the line, or ends with exit code 2 (grammar section 6). */
export function missingValue(place: Place, { name, argument }: Option<unknown>, form: EntryForm): Problem {
  const ends = form.missingValue === "ends";
  return {
    place,
    severity: "error",
    code: ends ? "missing-parameter" : "missing-value",
    errorClass: ends ? "missing-parameter" : "general-error",
    message: `${name} lacks a word${form.missingValue === "ends" ? "" : `; ${lost[form.missingValue]}`}`,
    hint: `write ${name} ${argument.syntax}`,
  };
}

export const repeatedOption = (place: Place, word: Word, loses: "option" | "entry"): Problem => ({
  place,
  severity: "error",
  code: "repeated",
  errorClass: "general-error",
  message: `${word.text} was given before; ${lost[loses]}`,
});

export const deprecatedOption = (place: Place, name: string, instead: string): Problem => ({
  place,
  severity: "warning",
  code: "deprecated",
  errorClass: "general-error",
  message: `${name} is deprecated`,
  hint: instead,
});

/** Says that the whole line goes with what is wrong. */
export const withoutLine = (problem: Problem): Problem => ({
  ...problem,
  message: `${problem.message}; ${lost.entry}`,
});

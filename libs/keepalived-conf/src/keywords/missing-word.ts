// keepalived ends, with exit code 2, where a word is missing that a keyword cannot be without (grammar section 6).
import type { Place, Problem } from "../report.ts";
import type { KeywordLine } from "./table.ts";

export const missingWord = (line: KeywordLine, syntax: string): Problem =>
  missingWordAt(line.at(line.args.at(-1)), line.keyword.text, syntax);

/** `name`: the keyword. */
export const missingWordAt = (place: Place, name: string, syntax: string): Problem => ({
  place,
  severity: "error",
  code: "missing-parameter",
  errorClass: "missing-parameter",
  message: `${name} lacks a word`,
  hint: `write ${name} ${syntax}`,
});

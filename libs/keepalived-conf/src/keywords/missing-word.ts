// keepalived ends, with exit code 2, where a word is missing that a keyword cannot be without (grammar section 6).
import type { Problem } from "../report.ts";
import type { KeywordLine } from "./table.ts";

export const missingWord = (line: KeywordLine, syntax: string): Problem => ({
  place: line.at(line.args.at(-1)),
  severity: "error",
  code: "missing-parameter",
  errorClass: "missing-parameter",
  message: `${line.keyword.text} lacks a word`,
  hint: `write ${line.keyword.text} ${syntax}`,
});

// Words of `url`: status codes, digests, and what PCRE2 is to look for.

import { regexOptions } from "../config/checker.ts";
import type { RegexOption, StatusRange } from "../config.ts";
import type { Place, Report } from "../report.ts";
import { splitScript } from "../source/script-words.ts";
import type { Word } from "../source/words.ts";
import { invalidValue, oneWord } from "./arguments.ts";
import { nearestName } from "./nearest.ts";
import type { Argument, KeywordLine } from "./table.ts";

/** `200`, `200-299 301`. What is wrong is left out, and the rest counts. */
export const statusCodes: Argument<readonly StatusRange[]> = {
  syntax: "N[-M] …",
  range: "100 to 599",
  required: 0,
  script: false,
  parse: (line, report) => {
    const ranges: StatusRange[] = [];
    for (const word of line.args) {
      const match = /^0*(\d{3})(?:-0*(\d{3}))?$/.exec(word.text);
      const min = Number(match?.[1]);
      const max = Number(match?.[2] ?? match?.[1]);
      if (match !== null && min >= 100 && max <= 599 && min <= max) ranges.push({ min, max });
      else invalidValue(word, line, report, "codes from 100 to 599, or ranges like 200-299");
    }
    return ranges;
  },
};

export const md5: Argument<string> = oneWord("MD5", "32 hexadecimal digits", (word, line, report) => {
  if (/^[0-9a-fA-F]{32}$/.test(word.text)) return word.text.toLowerCase();
  invalidValue(word, line, report, "the MD5 of the body in 32 hexadecimal digits");
  return undefined;
});

/** One pattern, quoted and escaped as the script tokeniser wants it (grammar section 4). */
export const regex: Argument<string> = {
  syntax: "PATTERN",
  range: "of PCRE2; a backslash has to be written twice, and quotes around blanks",
  required: 0,
  script: true,
  parse: (line, report) => {
    const words = splitScript(line.text.value, true);
    const [, pattern, surplus] = words.ok ? words.words : [];
    if (pattern !== undefined && surplus === undefined) return pattern;
    report({
      place: line.at(),
      severity: "error",
      code: "invalid-value",
      errorClass: words.ok ? "general-error" : "unmatched-quote",
      message: `regex: ${words.ok ? "one pattern has to follow" : words.reason}; the line is ignored`,
      hint: 'put a pattern with blanks into quotes: regex "is up"',
    });
    return undefined;
  },
};

export const regexOptionNames: Argument<readonly RegexOption[]> = {
  syntax: "OPTION …",
  range: regexOptions.join(" "),
  required: 0,
  script: false,
  parse: (line, report) =>
    line.args.flatMap((word) => {
      const option = regexOptions.find((name) => name === word.text);
      if (option !== undefined) return [option];
      const meant = nearestName(word.text, regexOptions);
      ignore(line.at(word), line, report, `'${word.text}' is no option of PCRE2`, meant && `did you mean ${meant}?`);
      return [];
    }),
};

/** keepalived only logs what is wrong with these. */
const ignore = (place: Place, line: KeywordLine, report: Report, message: string, hint?: string): void =>
  report({
    place,
    severity: "warning",
    code: "invalid-value",
    errorClass: "ok",
    message: `${line.keyword.text}: ${message}; it is ignored`,
    hint,
  });

const sizeOf = (word: Word | undefined): number | undefined =>
  word !== undefined && /^\d{1,15}$/.test(word.text) ? Number(word.text) : undefined;

/** Octets from the start of the body. */
export const offset: Argument<number> = {
  syntax: "N",
  range: "0 upwards",
  required: 0,
  script: false,
  parse: (line, report) => {
    const [word, surplus] = line.args;
    const size = surplus === undefined ? sizeOf(word) : undefined;
    if (size === undefined) ignore(line.at(surplus ?? word), line, report, "one number has to follow");
    return size;
  },
};

export interface StackSizes {
  readonly start: number;
  readonly max: number;
}

export const stackSizes: Argument<StackSizes> = {
  syntax: "START MAX",
  range: "octets, START up to MAX",
  required: 0,
  script: false,
  parse: (line, report) => {
    const [first, second, surplus] = line.args;
    const [start, max] = [sizeOf(first), sizeOf(second)];
    if (surplus === undefined && start !== undefined && max !== undefined && start <= max) return { start, max };
    ignore(
      line.at(surplus ?? second ?? first),
      line,
      report,
      "two numbers have to follow, the second not below the first",
    );
    return undefined;
  },
};

// Octets in hexadecimal digits, with or without blanks between them: what UDP_CHECK sends and wants back.
import type { Report } from "../report.ts";
import type { Argument, KeywordLine } from "./table.ts";

export interface Octets {
  readonly octets: readonly number[];
  /** A 1 bit has to be as in the octet. */
  readonly mask: readonly number[];
}

/** Two digits are an octet; one before a blank is one as well. With `wildcards` X stands for any digit. */
export function readOctets(text: string, wildcards: boolean): Octets | undefined {
  const octets: number[] = [];
  const mask: number[] = [];
  for (const [pair] of text.matchAll(/[^ ]{1,2}/g)) {
    if (!(wildcards ? /^[0-9a-fA-FxX]+$/ : /^[0-9a-fA-F]+$/).test(pair)) return undefined;
    octets.push(Number.parseInt(pair.replace(/x/gi, "0"), 16));
    mask.push(Number.parseInt([...pair.padStart(2, "0")].map((digit) => (/x/i.test(digit) ? "0" : "f")).join(""), 16));
  }
  return octets.length === 0 ? undefined : { octets, mask };
}

function parse(line: KeywordLine, report: Report, wildcards: boolean): Octets | undefined {
  const octets = readOctets(line.args.map((word) => word.text).join(" "), wildcards);
  if (octets !== undefined) return octets;
  report({
    place: line.at(line.args[0]),
    severity: "error",
    code: "invalid-value",
    errorClass: "general-error",
    message: `${line.keyword.text}: these are no octets in hexadecimal digits, and ignored`,
    hint: `write ${line.keyword.text} 01 23 4567${wildcards ? " XX 8X" : ""}`,
  });
  return undefined;
}

export const payload: Argument<readonly number[]> = {
  syntax: "HEX …",
  range: "hexadecimal digits",
  required: 1,
  script: false,
  parse: (line, report) => parse(line, report, false)?.octets,
};

export interface Reply {
  /** undefined: any. */
  readonly pattern: Octets | undefined;
}

/** An answer is needed even where its pattern cannot be read. */
export const reply: Argument<Reply> = {
  syntax: "[HEX …]",
  range: "hexadecimal digits, X for any",
  required: 0,
  script: false,
  parse: (line, report) => ({ pattern: line.args.length === 0 ? undefined : parse(line, report, true) }),
};

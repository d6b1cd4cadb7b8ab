// Text of a file → physical lines, with keepalived's limits (grammar section 2). It reads pieces of up to 1023 octets,
// the line end among them: of a longer line all pieces but the last are lost, and that one is read as a line of its own.
// A piece that holds a NUL octet is lost too. CR before the line end does not count.
import type { Place, Report } from "../report.ts";
import { decodeOctets, encodeLine, type FileText } from "./octets.ts";
import { type Text, textOf } from "./text.ts";

export interface PhysicalLine {
  readonly number: number;
  /** Empty for a piece that was lost. */
  readonly text: Text;
}

export const lineOctetsMax = 1023;

const mark = "\uFEFF";
const newline = 0x0a;

export function* physicalLines(file: string, content: FileText, report: Report): Generator<PhysicalLine, undefined> {
  const { text, foreign } = content;
  const hasMark = text.startsWith(mark);
  if (hasMark) reportMark(file, report);
  const hasNul = text.includes("\0");
  let number = 1;
  for (let start = hasMark ? 1 : 0; start < text.length; number++) {
    if (isEmptyTwice(text, start)) {
      start++;
      continue;
    }
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    const raw = text.slice(start, end);
    start = end + 1;
    // No character is more than 3 octets for each of its UTF-16 units.
    const short = raw.length * 3 < lineOctetsMax && !hasNul;
    if (short) yield { number, text: textOf(withoutReturns(raw)) };
    else {
      const octets = encodeLine(found < 0 ? raw : `${raw}\n`, foreign?.has(number) === true);
      yield* readPieces(octets, { file, line: number, column: 1 }, report);
    }
  }
}

/** Of empty lines the last one says all that they say. */
const isEmptyTwice = (text: string, at: number): boolean =>
  text.charCodeAt(at) === newline && text.charCodeAt(at + 1) === newline;

const withoutReturns = (raw: string): string => (raw.endsWith("\r") ? raw.replace(/\r+$/, "") : raw);

/** As fgets fills keepalived's buffer, and as its string functions see what is in there. */
function* readPieces(octets: Uint8Array, place: Place, report: Report): Generator<PhysicalLine, undefined> {
  let [lost, column] = [0, 1];
  let hasNul = false;
  for (let start = 0; start < octets.length; start += lineOctetsMax) {
    const piece = octets.subarray(start, start + lineOctetsMax);
    const nul = piece.indexOf(0);
    const seen = nul < 0 ? piece : piece.subarray(0, nul);
    const whole = decodeOctets(seen).text;
    const atEnd = piece.length < lineOctetsMax && piece[piece.length - 1] !== newline;
    // keepalived lets a NUL pass in a last line without line end, and takes what stands before it.
    if (seen[seen.length - 1] === newline || (atEnd && nul < 0)) {
      yield { number: place.line, text: textOf(whole.replace(/[\r\n]+$/, ""), column) };
    } else {
      if (nul < 0) lost += piece.length;
      else hasNul = true;
      yield { number: place.line, text: textOf("") };
    }
    column += whole.length;
  }
  if (lost > 0) reportLong(place, lost, report);
  if (hasNul) reportNul(place, report);
}

function reportMark(file: string, report: Report): void {
  report({
    place: { file, line: 1, column: 1 },
    severity: "warning",
    code: "byte-order-mark",
    errorClass: "unknown-keyword",
    message: "the file starts with a byte-order mark",
    hint: "save it as UTF-8 without a mark: keepalived takes the mark for a part of the first word",
  });
}

function reportLong(place: Place, octets: number, report: Report): void {
  report({
    place,
    severity: "error",
    code: "line-too-long",
    errorClass: "general-error",
    message: `the line is longer than ${lineOctetsMax - 1} octets; its first ${octets} are ignored`,
    hint: "split it, or move parts of it into definitions ($NAME=…)",
  });
}

function reportNul(place: Place, report: Report): void {
  report({
    place,
    severity: "error",
    code: "nul-octet",
    errorClass: "general-error",
    message: "the line holds a NUL octet and is ignored",
    hint: "is the file UTF-16? It has to be UTF-8 or another encoding that extends ASCII",
  });
}

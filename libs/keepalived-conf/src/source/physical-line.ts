// Text of a file → physical lines, with keepalived's limits (grammar section 2): a line of 1023 octets or more loses its
// first 1023, a line with a NUL octet is dropped whole, CR before the line end does not count.
import type { Report } from "../report.ts";
import { octetsOfUnit, type Text, textOf } from "./text.ts";

export interface PhysicalLine {
  readonly number: number;
  readonly text: Text;
}

export const lineOctetsMax = 1023;

export function physicalLines(file: string, content: string, report: Report): PhysicalLine[] {
  const lines: PhysicalLine[] = [];
  const hasMark = content.startsWith("\uFEFF");
  if (hasMark) {
    report({
      place: { file, line: 1, column: 1 },
      severity: "warning",
      code: "byte-order-mark",
      errorClass: "unknown-keyword",
      message: "the file starts with a byte-order mark",
      hint: "save it as UTF-8 without a mark: keepalived takes the mark for a part of the first word",
    });
  }
  for (const [index, raw] of (hasMark ? content.slice(1) : content).split("\n").entries()) {
    const number = index + 1;
    const place = { file, line: number, column: 1 };
    if (raw.includes("\0")) {
      report({
        place,
        severity: "error",
        code: "nul-octet",
        errorClass: "general-error",
        message: "the line holds a NUL octet and is ignored",
        hint: "is the file UTF-16? It has to be UTF-8 or another encoding that extends ASCII",
      });
      continue;
    }
    lines.push(
      ...cutLong(raw, number, (octets) =>
        report({
          place,
          severity: "error",
          code: "line-too-long",
          errorClass: "general-error",
          message: `the line is longer than ${lineOctetsMax - 1} octets; its first ${octets} are ignored`,
          hint: "split it, or move parts of it into definitions ($NAME=…)",
        }),
      ),
    );
  }
  return lines;
}

/** Each full buffer of a long line is thrown away; what is left is read as a line of its own. */
function cutLong(raw: string, number: number, onCut: (octets: number) => void): PhysicalLine[] {
  let start = 0;
  if (raw.length * 3 >= lineOctetsMax) {
    let octets = 0;
    for (let i = 0; i < raw.length; i++) {
      octets += octetsOfUnit(raw.charCodeAt(i));
      if (octets < lineOctetsMax) continue;
      onCut(octets);
      start = i + 1;
      octets = 0;
    }
  }
  let end = raw.length;
  while (end > start && raw[end - 1] === "\r") end--;
  return [{ number, text: textOf(raw.slice(start, end), start + 1) }];
}

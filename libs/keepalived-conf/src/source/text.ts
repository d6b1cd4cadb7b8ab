// A piece of one line that still knows which column of the file each of its characters came from. Comments, conditional
// prefixes and definitions change a line before it is split into words; a diagnostic has to point at what the user wrote.

/** From index `at` on: characters that follow each other in the file from `column`, or that all stand for that column. */
interface Run {
  readonly at: number;
  readonly column: number;
  readonly fixed: boolean;
}

export interface Text {
  readonly value: string;
  /** The column of the first character when all others follow it; else runs in rising order, the first at 0. */
  readonly columns: number | readonly Run[];
}

export const textOf = (value: string, column = 1): Text => ({ value, columns: column });

/** All of it stands for one column: what a definition puts in place of its name. */
export const textAt = (value: string, column: number): Text => ({ value, columns: [{ at: 0, column, fixed: true }] });

/** 1-based, in UTF-16 units as editors count; one past the last character for the end of the text. */
export function columnAt({ columns }: Text, index: number): number {
  if (typeof columns === "number") return columns + index;
  const run = columns.findLast(({ at }) => at <= index);
  if (run === undefined) return 1;
  return run.fixed ? run.column : run.column + index - run.at;
}

export function sliceText(text: Text, start: number, end: number = text.value.length): Text {
  const { columns } = text;
  const value = text.value.slice(start, end);
  if (typeof columns === "number") return { value, columns: columns + start };
  const first = columns.findLast(({ at }) => at <= start);
  const later = columns.filter(({ at }) => at > start && at < end).map((run) => ({ ...run, at: run.at - start }));
  const head = { at: 0, column: columnAt(text, start), fixed: first?.fixed ?? false };
  return { value, columns: [head, ...later] };
}

export function joinTexts(parts: readonly Text[]): Text {
  const runs: Run[] = [];
  let value = "";
  for (const part of parts) {
    if (part.value === "") continue;
    const { columns } = part;
    if (typeof columns === "number") runs.push({ at: value.length, column: columns, fixed: false });
    else for (const run of columns) addRun(runs, { ...run, at: run.at + value.length });
    value += part.value;
  }
  return { value, columns: runs.length === 0 ? (parts[0]?.columns ?? 1) : runs };
}

/** What a definition stands for may be made of many others: all of it stands for one column. */
function addRun(runs: Run[], run: Run): void {
  const last = runs[runs.length - 1];
  if (!(run.fixed && last?.fixed === true && last.column === run.column)) runs.push(run);
}

/** Without the characters at `indices`, which rise. */
export function withoutCharacters(text: Text, indices: readonly number[]): Text {
  if (indices.length === 0) return text;
  const starts = [0, ...indices.map((index) => index + 1)];
  return joinTexts(starts.map((start, i) => sliceText(text, start, indices[i] ?? text.value.length)));
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Blanks and tabs only: other white space separates words, but is not trimmed (grammar section 2). */
export function trimText(text: Text): Text {
  const { value } = text;
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return start === 0 && end === value.length ? text : sliceText(text, start, end);
}

/** Octets of the text as UTF-8: keepalived's limits count octets. */
export function octetsOf(value: string): number {
  let octets = 0;
  for (let i = 0; i < value.length; i++) octets += octetsOfUnit(value.charCodeAt(i));
  return octets;
}

/** A surrogate pair is 4 octets, 2 for each half. */
const octetsOfUnit = (unit: number): number =>
  unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;

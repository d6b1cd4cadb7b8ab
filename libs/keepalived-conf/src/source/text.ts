// A piece of one line that still knows which column of the file each of its characters came from. Comments, conditional
// prefixes and definitions change a line before it is split into words; a diagnostic has to point at what the user wrote.

export interface Text {
  readonly value: string;
  /** The column of the first character when all others follow it, else one column per character. */
  readonly columns: number | readonly number[];
}

export const textOf = (value: string, column = 1): Text => ({ value, columns: column });

/** 1-based, in UTF-16 units as editors count; one past the last character for the end of the text. */
export function columnAt(text: Text, index: number): number {
  if (typeof text.columns === "number") return text.columns + index;
  const last = text.columns.length - 1;
  return text.columns[index] ?? (last < 0 ? 1 : (text.columns[last] ?? 0) + 1);
}

export function sliceText(text: Text, start: number, end: number = text.value.length): Text {
  const columns =
    typeof text.columns === "number" ? text.columns + start : text.columns.slice(start, Math.max(start, end));
  return { value: text.value.slice(start, end), columns };
}

/** `inserted` takes the place of the characters from `start` to `end`, and the column of the first of them. */
export function replaceText(text: Text, start: number, end: number, inserted: string): Text {
  const columns: number[] = [];
  const value = text.value.slice(0, start) + inserted + text.value.slice(end);
  for (let i = 0; i < start; i++) columns.push(columnAt(text, i));
  for (let i = 0; i < inserted.length; i++) columns.push(columnAt(text, start));
  for (let i = end; i < text.value.length; i++) columns.push(columnAt(text, i));
  return { value, columns };
}

/** Without the characters at `indices`, which rise. */
export function withoutCharacters(text: Text, indices: readonly number[]): Text {
  if (indices.length === 0) return text;
  const dropped = new Set(indices);
  const kept: number[] = [];
  for (let i = 0; i < text.value.length; i++) if (!dropped.has(i)) kept.push(i);
  return { value: kept.map((i) => text.value[i]).join(""), columns: kept.map((i) => columnAt(text, i)) };
}

const isBlank = (character: string | undefined): boolean => character === " " || character === "\t";

/** Blanks and tabs only: other white space separates words, but is not trimmed (grammar section 2). */
export function trimText(text: Text): Text {
  const { value } = text;
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return start === 0 && end === value.length ? text : sliceText(text, start, end);
}

/** Octets of the text as UTF-8: keepalived's limits count octets. */
export function octetsOf(value: string): number {
  let octets = 0;
  for (let i = 0; i < value.length; i++) octets += octetsOfUnit(value.charCodeAt(i));
  return octets;
}

/** A surrogate pair is 4 octets, 2 for each half. */
export const octetsOfUnit = (unit: number): number =>
  unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3;

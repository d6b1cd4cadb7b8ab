// Octets of a file → text. keepalived looks at octets and knows no encodings: any that extends ASCII goes through it. A
// file is UTF-8 here; a line that is none is read as Latin-1, one character an octet, so that two names which differ in
// the file differ in the Config too.

/** A file as text. */
export interface FileText {
  readonly text: string;
  /** Numbers of the lines that are no UTF-8; absent: all are. */
  readonly foreign?: ReadonlySet<number> | undefined;
}

const newline = 0x0a;

export function decodeOctets(octets: Uint8Array): FileText {
  const foreign = new Set<number>();
  const pieces: string[] = [];
  // Lines that are UTF-8 wait for each other: decoding all of them at once costs little more than one.
  let waiting = 0;
  let start = 0;
  for (let number = 1; start < octets.length; number++) {
    const invalid = invalidAt(octets, start);
    if (octets[invalid] === newline || invalid === octets.length) {
      start = invalid + 1;
      continue;
    }
    foreign.add(number);
    const found = octets.indexOf(newline, invalid);
    const end = found < 0 ? octets.length : found + 1;
    if (waiting < start) pieces.push(utf8.decode(octets.subarray(waiting, start)));
    pieces.push(decodeForeign(octets.subarray(start, end), start === 0));
    waiting = end;
    start = end;
  }
  const rest = waiting < octets.length ? utf8.decode(octets.subarray(waiting)) : "";
  return foreign.size === 0 ? { text: rest } : { text: pieces.join("") + rest, foreign };
}

/** What stood in the file: of a line that was read as Latin-1, or of any other. */
export function encodeLine(line: string, foreign: boolean): Uint8Array {
  if (!foreign) return new TextEncoder().encode(line);
  const octets = new Uint8Array(line.length);
  for (let i = 0; i < line.length; i++) octets[i] = line.charCodeAt(i);
  return octets;
}

/** Whatever follows it, a mark of UTF-8 at the start of a file is one. */
function decodeForeign(line: Uint8Array, isFirst: boolean): string {
  const isMarked = isFirst && byteOrderMark.every((octet, index) => line[index] === octet);
  return isMarked ? `\uFEFF${decodeLatin1(line.subarray(byteOrderMark.length))}` : decodeLatin1(line);
}

/** In UTF-8. */
export const byteOrderMark = [0xef, 0xbb, 0xbf] as const;

/** The mark of a byte order stays: it is a part of the first word for keepalived. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Where the line that starts at `start` stops being UTF-8 (RFC 3629 section 4), or ends. Not asked of a decoder: of a
 * file that is no text, it would throw for every line.
 */
function invalidAt(octets: Uint8Array, start: number): number {
  let at = start;
  while (at < octets.length) {
    const first = octets[at] ?? 0;
    if (first < 0x80) {
      if (first === newline) return at;
      at++;
      continue;
    }
    const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    const second = octets[at + 1] ?? 0;
    // Neither longer than need be, nor a half of a surrogate pair, nor beyond U+10FFFF.
    const min = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const max = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (length === 0 || second < min || second > max) return at;
    for (let i = 2; i < length; i++) if (((octets[at + i] ?? 0) & 0xc0) !== 0x80) return at;
    at += length;
  }
  return at;
}

/** Not TextDecoder: its "latin1" is Windows-1252. Piece by piece: a line can be longer than a call has arguments. */
export function decodeLatin1(octets: Uint8Array): string {
  if (octets.length <= pieceLength) return latin1(octets);
  const pieces: string[] = [];
  for (let i = 0; i < octets.length; i += pieceLength) pieces.push(latin1(octets.subarray(i, i + pieceLength)));
  return pieces.join("");
}

const pieceLength = 4096;

const latin1 = (octets: Uint8Array): string => Reflect.apply(String.fromCharCode, undefined, octets);

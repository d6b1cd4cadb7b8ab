// Octets of a file → text. keepalived looks at octets and knows no encodings: any that extends ASCII goes through it. A
// file is UTF-8 here; a line that is none is read as Latin-1, one character an octet, so that two names which differ in
// the file differ in the Config too.

/** A file as text. */
export interface FileText {
  readonly text: string;
  /** Numbers of the lines that are no UTF-8; absent: all are. */
  readonly foreign?: ReadonlySet<number> | undefined;
}

export function decodeOctets(octets: Uint8Array): FileText {
  const whole = decodeUtf8(octets);
  if (whole !== undefined) return { text: whole };
  const foreign = new Set<number>();
  const lines: string[] = [];
  for (let start = 0; start <= octets.length; ) {
    const newline = octets.indexOf(0x0a, start);
    const end = newline < 0 ? octets.length : newline;
    const line = octets.subarray(start, end);
    const text = decodeUtf8(line);
    if (text === undefined) foreign.add(lines.length + 1);
    lines.push(text ?? decodeForeign(line, start === 0));
    start = end + 1;
  }
  return { text: lines.join("\n"), foreign };
}

/** What stood in the file: of a line that was read as Latin-1, or of any other. */
export const encodeLine = (line: string, foreign: boolean): Uint8Array =>
  foreign ? Uint8Array.from(line, (character) => character.charCodeAt(0)) : new TextEncoder().encode(line);

/** Whatever follows it, a mark of UTF-8 at the start of a file is one. */
function decodeForeign(line: Uint8Array, isFirst: boolean): string {
  const isMarked = isFirst && byteOrderMark.every((octet, index) => line[index] === octet);
  return isMarked ? `\uFEFF${decodeLatin1(line.subarray(byteOrderMark.length))}` : decodeLatin1(line);
}

/** In UTF-8. */
export const byteOrderMark = [0xef, 0xbb, 0xbf] as const;

/** The mark of a byte order stays: it is a part of the first word for keepalived. */
function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/** Not TextDecoder: its "latin1" is Windows-1252. Piece by piece: a line can be longer than a call has arguments. */
export function decodeLatin1(octets: Uint8Array): string {
  const pieces: string[] = [];
  for (let i = 0; i < octets.length; i += 4096) pieces.push(String.fromCharCode(...octets.subarray(i, i + 4096)));
  return pieces.join("");
}

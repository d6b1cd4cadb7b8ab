import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteOrderMark, decodeLatin1, decodeOctets, encodeLine } from "./octets.ts";

/** As a decoder sees it that throws. */
function decodeLine(octets: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets);
  } catch {
    return undefined;
  }
}

/** A mark of UTF-8 is one, whatever follows it. */
const isMarked = (octets: Uint8Array): boolean => byteOrderMark.every((octet, index) => octets[index] === octet);

function decodeForeign(line: Uint8Array, index: number): string {
  return index === 0 && isMarked(line) ? `\uFEFF${decodeLatin1(line.subarray(3))}` : decodeLatin1(line);
}

function linesOf(octets: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] !== 0x0a) continue;
    lines.push(octets.subarray(start, at));
    start = at + 1;
  }
  return [...lines, octets.subarray(start)];
}

const fragments = [..."a \n\0é€𝄞\uFEFF", "\n\n", "é\n", "\r\n"].map((text) => [...new TextEncoder().encode(text)]);
/** Too long, halves of pairs, beyond the last, cut off, out of order. */
const broken = [
  [0xc0, 0xaf],
  [0xe0, 0x80, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0x80],
  [0xff],
];
const octetsOfAnyKind = fc
  .array(fc.oneof(fc.constantFrom(...fragments, ...broken), fc.array(fc.nat(255), { maxLength: 3 })), { maxLength: 30 })
  .map((pieces) => Uint8Array.from(pieces.flat()));

describe("octets as text", () => {
  test("are UTF-8 where the line is, and Latin-1 where it is not", () => {
    fc.assert(
      fc.property(octetsOfAnyKind, (octets) => {
        const lines = linesOf(octets);
        const { text, foreign } = decodeOctets(octets);
        expect(text).toBe(lines.map((line, index) => decodeLine(line) ?? decodeForeign(line, index)).join("\n"));
        const expected = lines.flatMap((line, index) => (decodeLine(line) === undefined ? [index + 1] : []));
        expect([...(foreign ?? [])]).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test("can be had back, line by line", () => {
    fc.assert(
      fc.property(octetsOfAnyKind, (octets) => {
        fc.pre(!isMarked(octets));
        const { text, foreign } = decodeOctets(octets);
        const back = text.split("\n").map((line, index) => encodeLine(line, foreign?.has(index + 1) === true));
        expect(back.map((line) => [...line])).toEqual(linesOf(octets).map((line) => [...line]));
      }),
    );
  });

  test("of a line of any length", () => {
    const octets = new Uint8Array(1_000_000).fill(0xe9);
    expect(decodeOctets(octets).text).toBe("é".repeat(octets.length));
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeQuery, readRcode } from "./dns-message.ts";

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("hex");
const header = "123401000001000000000000";

describe("question", () => {
  test.each([
    [".", "NS", "00" + "00020001"],
    ["example.org", "A", "076578616d706c65036f726700" + "00010001"],
    ["a.b.", "AAAA", "01610162" + "00" + "001c0001"],
  ] as const)("%s %s", (name, type, expected) => {
    expect(hex(encodeQuery(0x1234, name, type))).toBe(header + expected);
  });
  test("the longest name, and none that is longer or empty in the middle", () => {
    const label = "a".repeat(63);
    expect(encodeQuery(1, [label, label, label, "a".repeat(61)].join("."), "A")).toHaveLength(12 + 255 + 4);
    for (const name of [
      [label, label, label, "a".repeat(62)].join("."),
      `${label}a`,
      "a..b",
      ".a",
      "\u00e9".repeat(32),
    ]) {
      expect(encodeQuery(1, name, "A")).toBeUndefined();
    }
  });
});

describe("answer", () => {
  test.each([
    ["123481800001000100000000", 0],
    ["12348183", undefined],
    ["123481830001000000000000", 3],
    ["1234018000010001000000005555", undefined],
    ["123581800001000100000000", undefined],
    ["", undefined],
  ])("%s", (bytes, rcode) => {
    expect(readRcode(Uint8Array.from(Buffer.from(bytes, "hex")), 0x1234)).toBe(rcode);
  });
  test("of an answer that is cut off, points at itself or is full of nonsense the header counts, as it does in keepalived", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(15), fc.boolean(), (rest, rcode, truncated) => {
        const flags = [0x80 | (truncated ? 2 : 0), rcode];
        // One question, and an answer whose name is a pointer to itself (RFC 1035 4.1.4).
        const bytes = Uint8Array.from([0x12, 0x34, ...flags, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0xc0, 12, ...rest]);
        expect(readRcode(bytes, 0x1234)).toBe(rcode);
        expect(readRcode(bytes.subarray(0, 11), 0x1234)).toBeUndefined();
      }),
    );
  });
  test("whatever comes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const rcode = readRcode(bytes, 0);
        expect(rcode === undefined || (rcode >= 0 && rcode <= 15)).toBe(true);
      }),
    );
  });
});

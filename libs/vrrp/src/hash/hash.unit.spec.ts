// The hashes against the vectors of their RFCs and against OpenSSL's (node:crypto).
import { createHash, createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { digest, midstate } from "./hash.ts";
import { equalInConstantTime, hmac, hmacKey } from "./hmac.ts";
import { md5 } from "./md5.ts";
import { sha256 } from "./sha256.ts";

const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");
const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value, "latin1"));
const repeat = (octet: number, times: number): Uint8Array => new Uint8Array(times).fill(octet);

test.each([
  ["", "d41d8cd98f00b204e9800998ecf8427e"],
  ["a", "0cc175b9c0f1b6a831c399e269772661"],
  ["abc", "900150983cd24fb0d6963f7d28e17f72"],
  ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"],
  [
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
    "57edf4a22be3c955ac49da2e2107b67a",
  ],
])("MD5 of %j (RFC 1321 appendix A.5)", (message, expected) => {
  expect(hex(digest(md5, text(message)))).toBe(expected);
});

test.each([
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [
    "0123456701234567012345670123456701234567012345670123456701234567".repeat(10),
    "594847328451bdfa85056225462cc1d867d877fb388df0ce35f25ab5562bfbb5",
  ],
])("SHA-256 of %j (RFC 6234 section 8.5)", (message, expected) => {
  expect(hex(digest(sha256, text(message)))).toBe(expected);
});

test.each([
  [repeat(0x0b, 16), text("Hi There"), "9294727a3638bb1c13f48ef8158bfc9d"],
  [text("Jefe"), text("what do ya want for nothing?"), "750c783e6ab0b503eaa86e310a5db738"],
  [repeat(0xaa, 16), repeat(0xdd, 50), "56be34521d144c88dbb8c733f0e8b3f6"],
  [
    repeat(0xaa, 80),
    text("Test Using Larger Than Block-Size Key - Hash Key First"),
    "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd",
  ],
])("HMAC-MD5 (RFC 2202 section 2), case %#", (key, message, expected) => {
  expect(hex(hmac(hmacKey(md5, key), message))).toBe(expected);
});

test.each([
  [repeat(0x0b, 20), text("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
  [
    text("Jefe"),
    text("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [repeat(0xaa, 20), repeat(0xdd, 50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
  [
    repeat(0xaa, 131),
    text("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
])("HMAC-SHA-256 (RFC 4231), case %#", (key, message, expected) => {
  expect(hex(hmac(hmacKey(sha256, key), message))).toBe(expected);
});

const chunks = fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 5 });

test.each([
  ["md5", md5],
  ["sha256", sha256],
] as const)("%s agrees with OpenSSL for any message in any parts and any key", (name, hash) => {
  fc.assert(
    fc.property(chunks, fc.uint8Array({ maxLength: 140 }), (parts, key) => {
      const whole = Buffer.concat(parts);
      expect(hex(digest(hash, ...parts))).toBe(createHash(name).update(whole).digest("hex"));
      expect(hex(hmac(hmacKey(hash, key), ...parts))).toBe(createHmac(name, key).update(whole).digest("hex"));
    }),
    { numRuns: 300 },
  );
});

test("every length around a block's end is padded right", () => {
  for (let length = 0; length <= 200; length++) {
    const message = repeat(0x5a, length);
    expect(hex(digest(md5, message))).toBe(createHash("md5").update(message).digest("hex"));
    expect(hex(digest(sha256, message))).toBe(createHash("sha256").update(message).digest("hex"));
  }
});

test("a key is prepared once and used often", () => {
  const key = hmacKey(sha256, text("k".repeat(32)));
  const first = hex(hmac(key, text("one")));
  hmac(key, text("two"));
  expect(hex(hmac(key, text("one")))).toBe(first);
  expect(() => midstate(sha256, repeat(0, 63))).toThrow("between two blocks");
});

test("equal means equal in every expected octet", () => {
  expect(equalInConstantTime(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2))).toBe(true);
  expect(equalInConstantTime(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalInConstantTime(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  expect(equalInConstantTime(Uint8Array.of(0x81), Uint8Array.of(0x01))).toBe(false);
});

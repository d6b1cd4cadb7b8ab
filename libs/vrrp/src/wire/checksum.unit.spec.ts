import { expect, test } from "vitest";
import { checksumBetween, internetChecksum } from "./checksum.ts";
import { ip, octets } from "./testing/fixtures.ts";

test("the example of RFC 1071 section 3", () => {
  expect(internetChecksum(octets("0001 f203 f4f5 f6f7"))).toBe(~0xddf2 & 0xffff);
});

test("the carry is added until none is left", () => {
  expect(internetChecksum(octets("ffff ffff 0001"))).toBe(0xfffe);
  expect(internetChecksum(octets("ffff"), octets("01"))).toBe(0xfeff); // an odd end is padded with zero
});

test("the pseudo-header has both addresses, the length and the protocol", () => {
  const data = octets("0102 0304");
  const over4 = { source: ip("192.0.2.1"), destination: ip("224.0.0.18") };
  expect(checksumBetween(over4, data)).toBe(internetChecksum(octets("c0000201 e0000012 0070 0004"), data));
  const over6 = { source: ip("fe80::1"), destination: ip("ff02::12") };
  const ends = octets("fe800000000000000000000000000001 ff020000000000000000000000000012");
  expect(checksumBetween(over6, data)).toBe(internetChecksum(ends, octets("00000004 00000070"), data));
});

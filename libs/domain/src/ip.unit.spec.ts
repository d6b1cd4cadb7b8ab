import fc from "fast-check";
import { expect, test } from "vitest";
import { compareIp, type IpAddress, ipFromBytes, ipToBytes, parseIp } from "./ip.ts";

const ip = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"],
  ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
  ["::", "::"],
  ["::ffff:192.0.2.1", "::ffff:c000:201"],
  ["fe80::1", "fe80::1"],
])("%s is written %s", (text, canonical) => expect(parseIp(text)).toBe(canonical));

test.each([
  "",
  "1.2.3",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4.5",
  ":::",
  "1::2::3",
  "fe80::1%eth0",
  "12345::",
  "::1.2.3",
  "1:2:3:4:5:6:7::8:9",
])("%j is no address", (text) => expect(parseIp(text)).toBeUndefined());

test("order is by bytes, not by text", () => {
  expect(compareIp(ip("10.0.0.9"), ip("10.0.0.10"))).toBeLessThan(0);
  expect(compareIp(ip("10.0.0.200"), ip("10.0.0.30"))).toBeGreaterThan(0);
  expect(compareIp(ip("fe80::1"), ip("fe80:0::1"))).toBe(0);
});

test("formatting and parsing are inverse", () => {
  const byte = fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );
  fc.assert(
    fc.property(fc.array(byte, { minLength: 16, maxLength: 16 }), (bytes) => {
      const groups = Array.from({ length: 8 }, (_, i) =>
        (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
      );
      const canonical = ip(groups.join(":"));
      expect([...ipToBytes(canonical)]).toEqual(bytes);
      expect(ipFromBytes(Uint8Array.from(bytes))).toBe(canonical);
      expect(parseIp(canonical)).toBe(canonical);
    }),
  );
});

test("four bytes are an IPv4 address, and five are none", () => {
  expect(ipFromBytes(Uint8Array.of(192, 0, 2, 255))).toBe("192.0.2.255");
  expect(() => ipFromBytes(new Uint8Array(5))).toThrow("4 or 16 bytes");
});

test("bytes of every shape of canonical text", () => {
  const shapes = [
    "::",
    "::1",
    "1::",
    "fe80::1",
    "1:2:3:4:5:6:7:8",
    "1::8",
    "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "abcd:ef01::ffff",
  ];
  for (const text of shapes) {
    expect(ipFromBytes(ipToBytes(ip(text)))).toBe(ip(text));
  }
  expect([...ipToBytes(ip("1::8"))]).toEqual([0, 1, ...new Array<number>(13).fill(0), 8]);
  expect([...ipToBytes(ip("255.0.10.1"))]).toEqual([255, 0, 10, 1]);
  for (const text of ["1.2.3", "1.2.3.4.5", "1:2", "1:2:3:4:5:6:7:8:9"]) {
    expect(() => ipToBytes(text as IpAddress)).toThrow("not an address");
  }
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeEcho, internetChecksum, isReplyTo } from "./icmp-echo.ts";

const echo = { identifier: 0x1234, sequence: 7, payload: Uint8Array.from({ length: 128 }, (_, at) => at) };
/** What the peer makes of a request: an IP header before it for IPv4, and the type changed. */
function reply(family: 4 | 6, change: (bytes: Uint8Array) => void = () => undefined): Uint8Array {
  const request = encodeEcho(family, echo);
  const start = family === 4 ? 24 : 0;
  const packet = new Uint8Array(start + request.length);
  if (family === 4) packet[0] = 0x46;
  packet.set(request, start);
  packet[start] = family === 4 ? 0 : 129;
  change(packet.subarray(start));
  return packet;
}

test("a request has a sound checksum", () => {
  expect(internetChecksum(encodeEcho(4, echo))).toBe(0);
  expect(internetChecksum(Uint8Array.of(0x01))).toBe(0xfeff);
});

test.each([4, 6] as const)("the answer, and none for any other octet (IPv%i)", (family) => {
  expect(isReplyTo(family, reply(family), echo)).toBe(true);
  const changed = [0, 1, 4, 5, 6, 7, 8, 135].map((at) =>
    isReplyTo(
      family,
      reply(family, (bytes) => {
        bytes[at] = (bytes[at] ?? 0) ^ 1;
      }),
      echo,
    ),
  );
  expect(changed).toEqual(changed.map(() => false));
  expect(isReplyTo(family, reply(family).subarray(0, -1), echo)).toBe(false);
});

test("whatever comes", () => {
  fc.assert(
    fc.property(fc.constantFrom(4 as const, 6 as const), fc.uint8Array({ maxLength: 200 }), (family, bytes) => {
      expect(isReplyTo(family, bytes, echo)).toBe(false);
    }),
  );
});

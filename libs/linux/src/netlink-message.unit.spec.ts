import fc from "fast-check";
import { expect, test } from "vitest";
import {
  attribute,
  concatBytes,
  cString,
  encodeRequests,
  nested,
  readAttributes,
  readError,
  readList,
  readText,
  readUint32,
  splitMessages,
  uint32,
} from "./netlink-message.ts";
import { decodeAddressEvent, decodeLinkEvent } from "./rtnetlink.ts";

test("requests come back as messages, whatever their length", () => {
  const request = fc.record({
    type: fc.nat(0xffff),
    flags: fc.nat(0xffff),
    body: fc.uint8Array({ maxLength: 70 }),
  });
  fc.assert(
    fc.property(fc.array(request), fc.nat(0x7fffffff), (requests, sequence) => {
      const messages = splitMessages(encodeRequests(requests, sequence));
      expect(messages).toEqual(
        requests.map(({ type, flags, body }, i) => ({ type, flags: flags | 1, sequence: (sequence + i) >>> 0, body })),
      );
    }),
  );
});

test("attributes come back, nested and in lists", () => {
  const list = nested(9, attribute(1, Uint8Array.of(1)), attribute(1, Uint8Array.of(2, 3, 4, 5, 6)));
  const body = concatBytes(uint32(7), attribute(3, cString("eth0")), list);
  const attributes = readAttributes(body, 4);
  expect(readText(attributes.get(3))).toBe("eth0");
  expect(readList(attributes.get(9), 1)).toEqual([Uint8Array.of(1), Uint8Array.of(2, 3, 4, 5, 6)]);
  expect(readUint32(body)).toBe(7);
  expect(readUint32(Uint8Array.of(1, 2, 3))).toBeUndefined();
});

test("an error's text is found behind a whole or a capped request", () => {
  const original = encodeRequests([{ type: 20, flags: 0, body: new Uint8Array(13) }], 1);
  const text = attribute(1, cString("because"));
  const error = (flags: number, request: Uint8Array) =>
    readError({ type: 2, flags, sequence: 1, body: concatBytes(uint32(-17 >>> 0), request, text) });
  expect(error(0x200, original)).toEqual({ errno: 17, text: "because" });
  expect(error(0x300, original.subarray(0, 16))).toEqual({ errno: 17, text: "because" });
  expect(error(0, original)).toEqual({ errno: 17, text: undefined });
});

test("no bytes make a decoder throw or hang", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(2, 16, 17, 20, 21), (bytes, type) => {
      const messages = [...splitMessages(bytes), { type, flags: 0x200, sequence: 1, body: bytes }];
      for (const message of messages) {
        decodeLinkEvent(message);
        decodeAddressEvent(message);
        readError(message);
      }
    }),
    { numRuns: 2_000 },
  );
});

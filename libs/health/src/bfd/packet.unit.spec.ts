import { micros } from "@baton/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BfdPacket, bfdDiagnostics, bfdStates, decodeBfd, encodeBfd } from "./packet.ts";

// As FRR's bfdd sends it in state Down: no poll, multiplier 3, one second.
const captured = Uint8Array.from(
  "20400318 000004d2 00000000 000f4240 000493e0 00000000"
    .replaceAll(" ", "")
    .match(/../g)
    ?.map((octet) => Number.parseInt(octet, 16)) ?? [],
);

test("the octets of RFC 5880 section 4.1", () => {
  const packet: BfdPacket = {
    diagnostic: "none",
    state: "down",
    poll: false,
    final: false,
    demand: false,
    multiplier: 3,
    myDiscriminator: 1234,
    yourDiscriminator: 0,
    desiredMinTransmit: micros(1_000_000),
    requiredMinReceive: micros(300_000),
  };
  expect(encodeBfd(packet)).toEqual(captured);
  expect(decodeBfd(captured)).toEqual(packet);
});

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const packets: fc.Arbitrary<BfdPacket> = fc.record({
  diagnostic: fc.constantFrom(...bfdDiagnostics),
  state: fc.constantFrom(...bfdStates),
  poll: fc.boolean(),
  final: fc.boolean(),
  demand: fc.boolean(),
  multiplier: fc.integer({ min: 1, max: 255 }),
  myDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
  yourDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
  desiredMinTransmit: uint32.map(micros),
  requiredMinReceive: uint32.map(micros),
});

test("what is sent is read", () => {
  fc.assert(fc.property(packets, (packet) => void expect(decodeBfd(encodeBfd(packet))).toEqual(packet)));
});

test("any octets are a packet or a reason", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const read = decodeBfd(bytes);
      expect("discard" in read || read.multiplier > 0).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

describe("the order of section 6.8.6", () => {
  const changed = (at: number, value: number) =>
    Uint8Array.from(captured, (octet, index) => (index === at ? value : octet));
  test.each([
    ["too-short", captured.slice(0, 23)],
    ["version", changed(0, 0x40)],
    ["length", changed(3, 23)],
    ["length", changed(3, 25)],
    ["multiplier", changed(2, 0)],
    ["multipoint", changed(1, 0x41)],
    ["not-for-a-session", changed(1, 0xc0)],
    ["not-for-a-session", changed(1, 0x80)],
    ["authentication", Uint8Array.from([...changed(3, 26), 1, 2].map((octet, index) => (index === 1 ? 0x44 : octet)))],
  ])("%s", (discard, bytes) => {
    expect(decodeBfd(bytes)).toEqual({ discard });
  });

  test("no discriminator", () => {
    expect(decodeBfd(captured.map((octet, index) => (index >= 4 && index < 8 ? 0 : octet)))).toEqual({
      discard: "no-discriminator",
    });
  });

  test("taken down by hand needs no session, and what follows the length is not read", () => {
    expect(decodeBfd(Uint8Array.from([...changed(1, 0x00), 9, 9]))).toMatchObject({ state: "admin-down" });
  });
});

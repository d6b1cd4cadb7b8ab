// The program, run by a small machine of its own, against the words of what it is for. That the kernel runs it in the same
// way is the integration test's to say.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type AdvertFilter, buildAdvertFilter } from "./advert-filter.ts";

/** Octets from the IPv6 header on; what an IPv6 socket sees begins after it. */
const ipv6Header = 40;

/** Classic BPF as Documentation/networking/filter.rst describes it: whether the packet passes. */
function passes(program: Uint8Array, packet: Uint8Array, family: 4 | 6): boolean {
  const seen = family === 4 ? packet : packet.subarray(ipv6Header);
  const view = new DataView(program.buffer);
  const memory = new Uint32Array(16);
  let [a, x] = [0, 0];
  for (let pc = 0; ; pc++) {
    if ((pc + 1) * 8 > program.length) throw new Error("fell off the end");
    const [code, k] = [view.getUint16(pc * 8, true), view.getUint32(pc * 8 + 4, true)];
    const [yes, no] = [view.getUint8(pc * 8 + 2), view.getUint8(pc * 8 + 3)];
    const byteAt = (at: number): number | undefined => (at >= 0xfff00000 ? packet[at - 0xfff00000] : seen[at]);
    const load = code === 0x30 || code === 0xb1 ? byteAt(k) : code === 0x50 ? byteAt(x + k) : 0;
    if (load === undefined) return false;
    if (code === 0x06) return k > 0;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) pc += a === k ? yes : no;
    else if (code === 0x35) pc += a >= k ? yes : no;
    else if (code === 0xb1) x = 4 * (load & 15);
    else if (code === 0x30 || code === 0x50) a = load;
    else if (code === 0x80) a = seen.length;
    else if (code === 0x00) a = k;
    else if (code === 0x01) x = k;
    else if (code === 0x02) memory[k] = a;
    else if (code === 0x60) a = memory[k] ?? 0;
    else if (code === 0x07) x = a;
    else if (code === 0x1c) a = (a - x) >>> 0;
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x74) a >>>= k;
    else if (code === 0x7c) a >>>= x;
    else throw new Error(`unknown instruction ${code}`);
  }
}

type Sifted = Omit<AdvertFilter, "pass">;
const filtersOf = (sifted: Sifted): { readonly expected: Uint8Array; readonly others: Uint8Array } => ({
  expected: buildAdvertFilter({ ...sifted, pass: "expected" }),
  others: buildAdvertFilter({ ...sifted, pass: "others" }),
});

interface Shape {
  readonly first: number;
  readonly vrid: number;
  readonly ttl: number;
  /** IPv4 options, in words. */
  readonly options: number;
  readonly length: number;
}

/** `length` octets after the headers, authentication header and all. */
function packetOf({ first, vrid, ttl, options, length }: Shape, { family, protocol }: Sifted): Uint8Array {
  const header = family === 4 ? 20 + 4 * options : ipv6Header;
  const packet = new Uint8Array(header + length);
  packet[0] = family === 4 ? 0x45 + options : 0x60;
  packet[family === 4 ? 8 : 7] = ttl;
  const at = header + (protocol === 51 ? 24 : 0);
  if (at + 1 < packet.length) packet.set([first, vrid], at);
  return packet;
}

const places: readonly Sifted[] = ([4, 6] as const).flatMap((family) =>
  ([112, 51] as const).flatMap((protocol) =>
    [true, false].map((fromLink) => ({ family, protocol, fromLink, expected: [] })),
  ),
);
const sound = { first: 0x31, vrid: 51, ttl: 255, options: 0, length: 36 };

test.each(places)("IPv$family, protocol $protocol, from the link: $fromLink", (place) => {
  const sifted: Sifted = { ...place, expected: [51, 0, 31, 32, 255].map((vrid) => ({ version: 3, vrid })) };
  const { expected, others } = filtersOf(sifted);
  const verdict = (change: Partial<Shape>): readonly boolean[] => {
    const packet = packetOf({ ...sound, ...change }, sifted);
    return [passes(expected, packet, place.family), passes(others, packet, place.family)];
  };
  const [wanted, unwanted] = [
    [true, false],
    [false, true],
  ];
  for (const vrid of [51, 0, 31, 32, 255]) expect(verdict({ vrid })).toEqual(wanted);
  for (const vrid of [50, 52, 1, 30, 33, 254]) expect(verdict({ vrid })).toEqual(unwanted);
  for (const first of [0x21, 0x30, 0x32, 0x11, 0x41, 0, 255]) expect(verdict({ first })).toEqual(unwanted);
  for (const ttl of [0, 1, 254]) expect(verdict({ ttl })).toEqual(place.fromLink ? unwanted : wanted);
  const fixed = place.protocol === 51 ? 32 : 8;
  for (let length = 0; length < fixed; length++) expect(verdict({ length })).toEqual(unwanted);
  expect(verdict({ length: fixed })).toEqual(wanted);
  if (place.family === 4) for (let options = 1; options <= 10; options++) expect(verdict({ options })).toEqual(wanted);
});

test("any packet, any expectation: through one of the two, and through the first exactly if it is expected", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const expectation = fc.record({ version: fc.constantFrom(2 as const, 3 as const), vrid: octet });
  const shape = fc.record({
    first: fc.oneof(fc.constantFrom(0x21, 0x31), octet),
    vrid: octet,
    ttl: fc.oneof(fc.constant(255), octet),
    options: fc.integer({ min: 0, max: 10 }),
    length: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...places),
      fc.array(expectation, { maxLength: 300 }),
      shape,
      (place, expected, each) => {
        const sifted = { ...place, expected };
        const filters = filtersOf(sifted);
        const packet = packetOf(each, sifted);
        const wanted =
          each.length >= (place.protocol === 51 ? 32 : 8) &&
          (!place.fromLink || each.ttl === 255) &&
          expected.some(({ version, vrid }) => vrid === each.vrid && each.first === version * 16 + 1);
        expect(passes(filters.expected, packet, place.family)).toBe(wanted);
        expect(passes(filters.others, packet, place.family)).toBe(!wanted);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("noise is sorted, too", () => {
  const sifted: Sifted = { family: 4, protocol: 112, fromLink: true, expected: [{ version: 3, vrid: 51 }] };
  const { expected, others } = filtersOf(sifted);
  fc.assert(
    // The kernel has seen a whole header, with all the options that it says it has.
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 100 }), (packet) => {
      expect(passes(expected, packet, 4)).toBe(!passes(others, packet, 4));
    }),
  );
});

test("however many are expected, the program stays short: the kernel takes 4,096 instructions", () => {
  const all = [2, 3].flatMap((version) =>
    Array.from({ length: 256 }, (_, vrid) => ({ version: version as 2 | 3, vrid })),
  );
  expect(
    buildAdvertFilter({ family: 4, protocol: 112, fromLink: true, expected: all, pass: "others" }).length / 8,
  ).toBeLessThan(100);
});

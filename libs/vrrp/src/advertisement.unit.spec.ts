// The codec against packets that Debian's keepalived 2.2.7 sent (captured on a veth pair with tcpdump), against each
// fault in keepalived's order, and against noise.
import { type IpAddress, type Micros, parseIp, secondsToMicros, vrid } from "@baton/domain";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { decodeAdvertisement, type Expectation, encodeAdvertisement } from "./advertisement.ts";
import { type ChecksumRule, groupAddress, internetChecksum } from "./checksum.ts";
import { discardReasons } from "./discard.ts";
import { decodeIpv4Packet, encodeIpv4Packet } from "./ipv4.ts";
import type { Advertisement } from "./types.ts";

// Many runs each; how fast they are is no matter, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const ip = (text: string): IpAddress => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
};
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ""), "hex"));
const hex = (data: Uint8Array): string => Buffer.from(data).toString("hex");

const router = ip("10.77.0.11");
const vip = ip("10.77.0.100");
const vips = [vip, ip("10.77.0.101"), ip("10.77.0.102")];

interface Capture {
  readonly name: string;
  readonly hex: string;
  readonly version: 2 | 3;
  readonly priority: number;
  readonly interval: number;
  readonly addresses: readonly IpAddress[];
  readonly id?: number;
  readonly destination?: IpAddress;
  readonly password?: string;
  readonly checksum?: ChecksumRule;
}

const captures: readonly Capture[] = [
  {
    name: "v2 PASS, one address",
    hex: "45c0002800010000ff70d03a0a4d000be0000012 2133650101010bb70a4d00643131313100000000",
    version: 2,
    priority: 101,
    interval: 1,
    addresses: [vip],
    password: "1111",
  },
  {
    name: "v2 PASS, three addresses, a password of 9 characters",
    hex: "45c0003000010000ff70d0320a4d000be0000012 2133650301029a050a4d00640a4d00650a4d00666c6f6e6770617373",
    version: 2,
    priority: 101,
    interval: 2,
    addresses: vips,
    password: "longpass9",
  },
  {
    name: "v2 PASS, a short password, the longest interval",
    hex: "45c0002800010000ff70d03a0a4d000be0000012 2133ff0101ff62b90a4d00647061000000000000",
    version: 2,
    priority: 255,
    interval: 255,
    addresses: [vip],
    password: "pa",
  },
  {
    name: "v2 without authentication, two addresses",
    hex: "45c0002c00010000ff70d0360a4d000be0000012 2133ff020001ca650a4d00640a4d00650000000000000000",
    version: 2,
    priority: 255,
    interval: 1,
    addresses: vips.slice(0, 2),
  },
  {
    name: "v2, the second advert",
    hex: "45c0002800020000ff70d0390a4d000be0000012 2133ff010001d5180a4d00640000000000000000",
    version: 2,
    priority: 255,
    interval: 1,
    addresses: [vip],
    id: 2,
  },
  {
    name: "v2, priority 0 at stop",
    hex: "45c0002800030000ff70d0380a4d000be0000012 213300010001d4190a4d00640000000000000000",
    version: 2,
    priority: 0,
    interval: 1,
    addresses: [vip],
    id: 3,
  },
  {
    name: "v3, one address, 100 ms",
    hex: "45c0002000010000ff70d0420a4d000be0000012 31336401000a75290a4d0064",
    version: 3,
    priority: 100,
    interval: 0.1,
    addresses: [vip],
  },
  {
    name: "v3, three addresses, the longest interval",
    hex: "45c0002800010000ff70d03a0a4d000be0000012 3133ff030ffffd750a4d00640a4d0065c0000201",
    version: 3,
    priority: 255,
    interval: 40.95,
    addresses: [vip, ip("10.77.0.101"), ip("192.0.2.1")],
  },
  {
    name: "v3, priority 0 at stop",
    hex: "45c0002000030000ff70d0400a4d000be0000012 313300010064d8cf0a4d0064",
    version: 3,
    priority: 0,
    interval: 1,
    addresses: [vip],
    id: 3,
  },
  {
    name: "v3 to a unicast peer",
    hex: "45c0002000010000ff70a5fc0a4d000b0a4d000c 3133640100644a890a4d0064",
    version: 3,
    priority: 100,
    interval: 1,
    addresses: [vip],
    destination: ip("10.77.0.12"),
  },
  {
    name: "v3 to a unicast peer with old_unicast_checksum",
    hex: "45c0002000010000ff70a5fc0a4d000b0a4d000c 31336401006474cf0a4d0064",
    version: 3,
    priority: 100,
    interval: 1,
    addresses: [vip],
    destination: ip("10.77.0.12"),
    checksum: "group-pseudo-header",
  },
];

function expectationOf(capture: Capture): Expectation {
  return {
    version: capture.version,
    vrid: 51,
    advertInterval: secondsToMicros(capture.interval),
    addresses: capture.addresses,
    authentication: capture.password === undefined ? { type: "none" } : { type: "pass", password: capture.password },
    checksum: capture.checksum ?? "pseudo-header",
  };
}

function advertOf(capture: Capture): Advertisement {
  const { version, priority, addresses } = capture;
  return { version, vrid: vrid(51), priority, advertInterval: secondsToMicros(capture.interval), addresses };
}

function judge(packet: Uint8Array, expected: Expectation) {
  const decoded = decodeIpv4Packet(packet);
  return decoded.ok ? decodeAdvertisement(decoded.packet, expected) : decoded;
}

for (const capture of captures) {
  test(`sent as keepalived sends it: ${capture.name}`, () => {
    const endpoints = { source: router, destination: capture.destination ?? groupAddress };
    const message = encodeAdvertisement(advertOf(capture), expectationOf(capture), endpoints);
    expect(hex(encodeIpv4Packet(message, { ...endpoints, id: capture.id ?? 1 }))).toBe(hex(bytes(capture.hex)));
  });
}

for (const capture of captures.filter(({ destination }) => destination === undefined)) {
  test(`understood: ${capture.name}`, () => {
    const decoded = decodeIpv4Packet(bytes(capture.hex));
    expect(decoded.ok && { source: decoded.packet.source, id: decoded.packet.id }).toEqual({
      source: router,
      id: capture.id ?? 1,
    });
    expect(judge(bytes(capture.hex), expectationOf(capture))).toEqual({
      ok: true,
      advert: advertOf(capture),
      notices: [],
    });
  });
}

test("the carry of the checksum is added until none is left (RFC 1071)", () => {
  expect(internetChecksum(bytes("ffff ffff 0001"))).toBe(0xfffe);
  expect(internetChecksum(bytes("ffff"), bytes("01"))).toBe(0xfeff); // an odd end is padded with zero
});

test("a packet for one peer is not for a multicast instance", () => {
  const unicast = captures.find(({ name }) => name === "v3 to a unicast peer");
  if (unicast === undefined) throw new Error("capture missing");
  expect(judge(bytes(unicast.hex), expectationOf(unicast))).toEqual({ ok: false, reason: "bad-destination" });
});

test("v3_checksum_as_v2 sums the message alone, as RFC 9568 section 5.2.8 has it, and hears both kinds", () => {
  const capture: Capture = { name: "", hex: "", version: 3, priority: 100, interval: 1, addresses: [vip] };
  const advert = advertOf(capture);
  const endpoints = { source: router, destination: groupAddress };
  const alone = encodeAdvertisement(advert, { ...expectationOf(capture), checksum: "message" }, endpoints);
  expect(internetChecksum(alone)).toBe(0);
  const withHeader = encodeAdvertisement(advert, expectationOf(capture), endpoints);
  const heard = (message: Uint8Array, checksum: ChecksumRule) =>
    judge(encodeIpv4Packet(message, { ...endpoints, id: 1 }), { ...expectationOf(capture), checksum }).ok;
  expect(heard(alone, "message")).toBe(true);
  expect(heard(withHeader, "message")).toBe(true);
  expect(heard(alone, "pseudo-header")).toBe(false);
});

// --- every discard reason, first fault first ---

const pass = captures[0] as Capture;
const three = captures[6] as Capture;

/** The captured packet with some octets changed; the VRRP checksum put right again unless told otherwise. */
function changed(capture: Capture, changes: Readonly<Record<number, number>>, repair = true): Uint8Array {
  const packet = bytes(capture.hex);
  for (const [offset, value] of Object.entries(changes)) packet[Number(offset)] = value;
  if (!repair) return packet;
  packet.fill(0, 26, 28);
  const pseudo = bytes(`${hex(packet.subarray(12, 20))}0070${(packet.length - 20).toString(16).padStart(4, "0")}`);
  const message = packet.subarray(20);
  new DataView(packet.buffer).setUint16(
    26,
    capture.version === 2 ? internetChecksum(message) : internetChecksum(pseudo, message),
  );
  return packet;
}

const longer = (packet: Uint8Array, by: number): Uint8Array => Uint8Array.from([...packet, ...new Uint8Array(by)]);

const faults: readonly (readonly [(typeof discardReasons)[number], string, Uint8Array, Capture])[] = [
  ["truncated", "nothing", new Uint8Array(0), pass],
  ["truncated", "half an IP header", bytes(pass.hex).subarray(0, 10), pass],
  ["truncated", "no whole VRRP header", bytes(pass.hex).subarray(0, 27), pass],
  ["bad-ip-header", "IP version 6", changed(pass, { 0: 0x65 }), pass],
  ["bad-ip-header", "a header of 16 octets", changed(pass, { 0: 0x44 }), pass],
  ["truncated", "IP options beyond the end", changed(pass, { 0: 0x4f }), pass],
  ["bad-protocol", "UDP", changed(pass, { 9: 17 }), pass],
  ["unknown-vrid", "another VRID", changed(pass, { 21: 52 }), pass],
  ["unknown-vrid", "VRID before length", changed(pass, { 21: 52, 23: 9 }), pass],
  ["bad-length", "more addresses than octets", changed(pass, { 23: 2 }), pass],
  ["bad-length", "length before TTL", changed(pass, { 23: 2, 8: 1 }), pass],
  ["bad-ttl", "TTL 254", changed(pass, { 8: 254 }), pass],
  ["bad-ttl", "TTL before version", changed(pass, { 8: 64, 20: 0x31 }), pass],
  ["bad-version", "version 3 to a v2 instance", changed(pass, { 20: 0x31 }), pass],
  ["bad-version", "version 2 to a v3 instance", longer(changed(three, { 20: 0x21 }), 8), three],
  ["bad-version", "version 4", changed(three, { 20: 0x41 }), three],
  ["invalid-auth-type", "type 3", changed(pass, { 24: 3 }), pass],
  ["auth-type-mismatch", "none", changed(pass, { 24: 0 }), pass],
  ["auth-type-mismatch", "AH", changed(pass, { 24: 2 }), pass],
  [
    "auth-type-mismatch",
    "PASS to an instance without",
    changed(captures[4] as Capture, { 24: 1 }),
    captures[4] as Capture,
  ],
  ["auth-failure", "another first character", changed(pass, { 32: 0x32 }), pass],
  ["auth-failure", "another last octet", changed(pass, { 39: 0x20 }), pass],
  ["auth-failure", "password before interval", changed(pass, { 39: 0x20, 25: 2 }), pass],
  ["interval-mismatch", "2 s", changed(pass, { 25: 2 }), pass],
  ["interval-mismatch", "interval before type", changed(pass, { 25: 2, 20: 0x22 }), pass],
  ["bad-type", "type 2", changed(pass, { 20: 0x22 }), pass],
  ["bad-type", "type 0 in v3", changed(three, { 20: 0x30 }), three],
  ["bad-length", "the IP header says more than there is", changed(pass, { 3: 41 }), pass],
  ["bad-length", "the IP header says less than there is", changed(pass, { 3: 39 }), pass],
  [
    "bad-length",
    "a longer message than it says",
    changed({ ...three, hex: `${three.hex} 0a4d0065` }, { 3: 36 }),
    three,
  ],
  ["interval-mismatch", "an interval of 0 in v3", changed(three, { 25: 0 }), three],
  ["bad-checksum", "a damaged priority", changed(pass, { 22: 100 }, false), pass],
  ["bad-checksum", "a damaged source address (v3)", changed(three, { 15: 12 }, false), three],
  ["bad-checksum", "checksum before destination", changed(three, { 19: 19 }, false), three],
  ["bad-destination", "another group", changed(three, { 19: 19 }), three],
];

test.each(faults)("discarded for %s: %s", (reason, _, packet, capture) => {
  expect(judge(packet, expectationOf(capture))).toEqual({ ok: false, reason });
});

test("every discard reason has a packet", () => {
  expect(new Set(faults.map(([reason]) => reason))).toEqual(new Set(discardReasons));
});

test("Ethernet padding is no fault", () => {
  const padded = Uint8Array.from([...bytes(three.hex), ...new Uint8Array(14)]);
  expect(judge(padded, expectationOf(three)).ok).toBe(true);
});

test("v3's reserved bits are ignored on receipt (RFC 9568 section 5.2.6)", () => {
  const decoded = judge(changed(three, { 24: 0xf0 }), expectationOf(three));
  expect(decoded.ok && decoded.advert.advertInterval).toBe(100_000);
});

test("an IP header with options is read past", () => {
  const plain = bytes(pass.hex);
  const packet = Uint8Array.from([...plain.subarray(0, 20), 1, 1, 1, 1, ...plain.subarray(20)]);
  packet[0] = 0x46;
  packet[3] = packet.length;
  expect(judge(packet, expectationOf(pass))).toMatchObject({ ok: true, advert: { priority: 101 } });
});

test.each([
  ["another interval in v3", changed(three, { 25: 20 }), three, ["interval-differs"]],
  ["another address", changed(pass, { 31: 99 }), pass, ["address-list-mismatch"]],
  ["other addresses than configured", bytes(pass.hex), { ...pass, addresses: vips }, ["address-count-mismatch"]],
  [
    "no address",
    changed({ ...three, hex: three.hex.slice(0, -8) }, { 3: 28, 23: 0 }),
    three,
    ["address-count-mismatch"],
  ],
  ["one address, and another", changed(pass, { 31: 99 }), { ...pass, addresses: vips }, ["address-count-mismatch"]],
  [
    "the same in another order",
    bytes((captures[3] as Capture).hex),
    { ...captures[3], addresses: [ip("10.77.0.101"), vip] },
    [],
  ],
] as const)("accepted and noticed: %s", (_, packet, capture, notices) => {
  expect(judge(packet, expectationOf(capture as Capture))).toMatchObject({ ok: true, notices });
});

// --- what may never be sent ---

test.each([
  ["v2 with parts of a second", { version: 2, interval: 1.5 }],
  ["v2 above 255 s", { version: 2, interval: 256 }],
  ["v3 with milliseconds", { version: 3, interval: 0.015 }],
  ["v3 above 12 bits", { version: 3, interval: 40.96 }],
  ["an interval of 0", { version: 3, interval: 0 }],
  ["a priority above one octet", { priority: 256 }],
  ["more addresses than the count can say", { addresses: Array.from({ length: 256 }, () => vip) }],
  ["an IPv6 address in an IPv4 message", { addresses: [ip("2001:db8::1")] }],
] as const)("a bug, not a packet: %s", (_, change) => {
  const capture = { ...three, ...change } as Capture;
  const endpoints = { source: router, destination: groupAddress };
  expect(() => encodeAdvertisement(advertOf(capture), expectationOf(capture), endpoints)).toThrow("assertion failed");
});

test.each([0, 65_536, 1.5])("an IP identification of %s is a bug", (id) => {
  const endpoints = { source: router, destination: groupAddress };
  expect(() => encodeIpv4Packet(new Uint8Array(8), { ...endpoints, id })).toThrow("identification");
});

test("nothing is sent from 0.0.0.0", () => {
  const addressing = { source: ip("0.0.0.0"), destination: groupAddress, id: 1 };
  expect(() => encodeIpv4Packet(new Uint8Array(8), addressing)).toThrow("source address");
});

// --- properties ---

const address = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => ip(parts.join(".")));
const spoken = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    vrid: fc.integer({ min: 1, max: 255 }),
    priority: fc.nat(255),
    addresses: fc.oneof(
      { weight: 9, arbitrary: fc.array(address, { maxLength: 8 }) },
      { weight: 1, arbitrary: fc.array(address, { minLength: 200, maxLength: 255 }) },
    ),
    seconds: fc.integer({ min: 1, max: 255 }),
    centiseconds: fc.integer({ min: 1, max: 4095 }),
    password: fc.option(fc.string({ unit: "binary", maxLength: 12 }), { nil: undefined }),
    checksum: fc.constantFrom<ChecksumRule>("pseudo-header", "message", "group-pseudo-header"),
    source: address.filter((each) => each !== "0.0.0.0"),
    id: fc.integer({ min: 1, max: 65_535 }),
  })
  .map((each) => {
    const advertInterval = (each.version === 2 ? each.seconds * 1_000_000 : each.centiseconds * 10_000) as Micros;
    const { version, priority, addresses, password, checksum } = each;
    const advert: Advertisement = { version, vrid: vrid(each.vrid), priority, advertInterval, addresses };
    const authentication = password === undefined ? { type: "none" as const } : { type: "pass" as const, password };
    const expected: Expectation = { version, vrid: each.vrid, advertInterval, addresses, authentication, checksum };
    const endpoints = { source: each.source, destination: groupAddress };
    const packet = encodeIpv4Packet(encodeAdvertisement(advert, expected, endpoints), { ...endpoints, id: each.id });
    return { advert, expected, packet, source: each.source, id: each.id };
  });

test("what is encoded is decoded", () => {
  fc.assert(
    fc.property(spoken, ({ advert, expected, packet, source, id }) => {
      const decoded = decodeIpv4Packet(packet);
      expect(decoded.ok && [decoded.packet.source, decoded.packet.id]).toEqual([source, id]);
      expect(judge(packet, expected)).toEqual({ ok: true, advert, notices: [] });
      expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
    }),
  );
});

/** What the rest of the program may rely on. */
function expectWellFormed(decoded: ReturnType<typeof judge>, expected: Expectation): void {
  if (!decoded.ok) return expect(discardReasons).toContain(decoded.reason);
  const { advert } = decoded;
  expect(advert.version).toBe(expected.version);
  expect(advert.vrid).toBe(expected.vrid);
  expect(advert.priority).toBeGreaterThanOrEqual(0);
  expect(advert.priority).toBeLessThanOrEqual(255);
  expect(advert.advertInterval).toBeGreaterThan(0);
  expect(advert.addresses.every((each) => parseIp(each) === each)).toBe(true);
}

test("any one octet changed: discarded, or only the IP header's unchecked part changed", () => {
  // Octets that the checks do not cover: class of service, identification, flags, header checksum; and for v2 and the
  // rules without a pseudo-header with the real address also the sender's address.
  const free = new Set([1, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15]);
  fc.assert(
    fc.property(spoken, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ advert, expected, packet }, where, flip) => {
      const offset = where % packet.length;
      const damaged = packet.slice();
      damaged[offset] = (damaged[offset] ?? 0) ^ flip;
      const decoded = judge(damaged, expected);
      expectWellFormed(decoded, expected);
      if (decoded.ok) {
        expect(free.has(offset)).toBe(true);
        expect(decoded.advert).toEqual(advert);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("noise never throws, and what passes is well-formed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), spoken, (noise, { expected }) => {
      expectWellFormed(judge(noise, expected), expected);
    }),
    { numRuns: 500 },
  );
});

test("a valid start with a noisy rest never throws", () => {
  fc.assert(
    fc.property(spoken, fc.nat(60), fc.uint8Array({ maxLength: 60 }), ({ expected, packet }, keep, noise) => {
      expectWellFormed(judge(Uint8Array.from([...packet.subarray(0, keep), ...noise]), expected), expected);
    }),
    { numRuns: 1_000 },
  );
});

test("the receive buffer may be used again at once", () => {
  const buffer = bytes(pass.hex);
  const decoded = decodeIpv4Packet(buffer);
  buffer.fill(0);
  expect(decoded.ok && decodeAdvertisement(decoded.packet, expectationOf(pass)).ok).toBe(true);
});

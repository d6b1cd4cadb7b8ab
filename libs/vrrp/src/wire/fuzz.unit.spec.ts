// Hostile octets: whatever comes in, nothing throws, nothing is taken that is not sound, and nothing that is thrown away
// leaves a trace. And what one end sends the other end understands, in every way there is to say it.
import { parseIp } from "@baton/domain";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { discardReasons } from "./discard.ts";
import type { ReceivedDatagram } from "./packet.ts";
import type { ReceivedAdvertisement } from "./receive.ts";
import { buildAdvertisement } from "./send.ts";
import { type Capture, captures, cutIpv6, hmacSettings } from "./testing/captures.ts";
import { facts, ip, judge, multicast, octets, onTheWire, seconds, unicast, wireOf } from "./testing/fixtures.ts";
import { malformed } from "./testing/malformed.ts";
import { type Authentication, initialWireState, type WireConfig, type WireState } from "./wire.ts";

// Many runs each; how fast they are is no matter, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

test.each(malformed)("$name: $reason", ({ wire, datagram, reason }) => {
  expect(judge(datagram, wire)).toEqual({ ok: false, reason });
});

/** What the rest of the program may rely on. */
function expectSound(judged: ReceivedAdvertisement, wire: WireConfig): void {
  if (!judged.ok) return expect(discardReasons).toContain(judged.reason);
  const { advert } = judged;
  expect(advert.version).toBe(wire.version);
  expect(advert.vrid).toBeGreaterThan(0);
  expect(advert.priority).toBeGreaterThanOrEqual(0);
  expect(advert.priority).toBeLessThanOrEqual(255);
  expect(advert.advertInterval).toBeGreaterThan(0);
  expect(advert.addresses.length).toBeLessThanOrEqual(255);
  expect(advert.addresses.every((each) => parseIp(each) === each)).toBe(true);
  expect(judged.state.hmac.marks.length).toBeLessThanOrEqual(8);
}

/** Frozen all through: an attempt to write would throw. */
function frozen(state: WireState): WireState {
  for (const mark of state.hmac.marks) Object.freeze(mark);
  Object.freeze(state.hmac.marks);
  Object.freeze(state.hmac);
  return Object.freeze(state);
}

const seen: WireState = frozen({
  ipId: 7,
  ahSequence: 7,
  hmac: { sent: 7n, marks: [{ sender: ip("10.77.0.11"), sequence: 7n }] },
  oldChecksumPeers: new Set([ip("10.77.0.11")]),
});

const datagramsOf = ({ wire, sent }: Capture): readonly ReceivedDatagram[] =>
  sent.map((hex) => (wire.family === 4 ? { family: 4, bytes: octets(hex) } : cutIpv6(hex)));

const receiver = ({ wire, source }: Capture): WireConfig =>
  wire.reach.cast === "multicast" ? wire : { ...wire, reach: unicast([source], { checkSource: true }) };

const captured = captures.flatMap((capture) =>
  datagramsOf(capture).map((datagram) => ({
    name: capture.name,
    wire: receiver(capture),
    wallMicros: capture.wallMicros,
    datagram,
  })),
);
const anyCaptured = fc.constantFrom(...captured);
const anyWire = fc.constantFrom(...captured.map(({ wire }) => wire));

test("cut anywhere, a captured packet is discarded", () => {
  for (const { name, wire, wallMicros, datagram } of captured) {
    for (let length = 0; length < datagram.bytes.length; length++) {
      const cut = { ...datagram, bytes: datagram.bytes.slice(0, length) };
      const judged = judge(cut, wire, seen, { wallMicros });
      expect([name, length, judged.ok]).toEqual([name, length, false]);
    }
  }
});

test("any one octet changed: discarded, or only what no check covers was changed", () => {
  // Of IPv4's header: class of service, identification, "do not fragment", header checksum, and where neither a
  // pseudo-header nor a signature has it the sender.
  const free = new Set([1, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15]);
  fc.assert(
    fc.property(anyCaptured, fc.nat(), fc.integer({ min: 1, max: 255 }), (each, where, flip) => {
      const { wire, wallMicros, datagram } = each;
      const whole = judge(datagram, wire, initialWireState, { wallMicros });
      const offset = where % datagram.bytes.length;
      const bytes = datagram.bytes.slice();
      bytes[offset] = (bytes[offset] ?? 0) ^ flip;
      const judged = judge({ ...datagram, bytes }, wire, initialWireState, { wallMicros });
      expectSound(judged, wire);
      if (!judged.ok || !whole.ok) return;
      expect(judged.advert).toEqual(whole.advert);
      // Enough in unicast is what VRRPv2 and the old checksum leave uncovered besides: TTL and destination.
      const unchecked = wire.reach.cast === "unicast" ? [8, 16, 17, 18, 19] : [];
      expect(wire.family === 4 && (free.has(offset) || unchecked.includes(offset))).toBe(true);
    }),
    { numRuns: 4_000 },
  );
});

test("several octets changed, inserted or left out never throw, and what passes is sound", () => {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(6), insert: fc.uint8Array({ maxLength: 6 }) });
  fc.assert(
    fc.property(anyCaptured, fc.array(edit, { minLength: 1, maxLength: 6 }), anyWire, (each, edits, other) => {
      let bytes = [...each.datagram.bytes];
      for (const { at, remove, insert } of edits) {
        const start = at % (bytes.length + 1);
        bytes = [...bytes.slice(0, start), ...insert, ...bytes.slice(start + remove)];
      }
      const mutated = { ...each.datagram, bytes: Uint8Array.from(bytes) };
      for (const wire of [each.wire, other]) {
        expectSound(judge(mutated, wire, seen, { wallMicros: each.wallMicros }), wire);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("noise never throws, and what passes is sound", () => {
  const source = fc.uint8Array({ minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), anyWire, source, fc.nat(255), (noise, wire, from, hopLimit) => {
      const address = ip(
        Buffer.from(from)
          .toString("hex")
          .replaceAll(/(....)(?!$)/g, "$1:"),
      );
      const datagrams: readonly ReceivedDatagram[] = [
        { family: 4, bytes: noise },
        // So that more than the first check is reached.
        { family: 4, bytes: Uint8Array.from([...octets("45c000200001000000ff70"), ...noise]) },
        { family: 4, bytes: Uint8Array.from([...octets("45c0002000010000ff70d0420a4d000be0000012"), ...noise]) },
        { family: 6, bytes: noise, source: address, destination: ip("ff02::12"), hopLimit },
        {
          family: 6,
          bytes: Uint8Array.from([0x31, 51, ...noise]),
          source: address,
          destination: ip("ff02::12"),
          hopLimit,
        },
      ];
      for (const datagram of datagrams) expectSound(judge(datagram, wire, seen), wire);
    }),
    { numRuns: 1_000 },
  );
});

test("a datagram as long as they come is judged like any other", () => {
  const longest = new Uint8Array(65_535).fill(0x31);
  longest.set(octets("45c0ffff00010000ff70d0420a4d000be0000012 3133c8ff0064"));
  for (const { wire } of captured) {
    expectSound(judge({ family: 4, bytes: longest }, wire), wire);
    const over6 = {
      family: 6,
      bytes: longest.subarray(20),
      source: ip("fe80::1"),
      destination: ip("ff02::12"),
    } as const;
    expectSound(judge({ ...over6, hopLimit: 255 }, wire), wire);
  }
});

// --- round trips ---

const address4 = fc.tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255));
const v4 = address4.map((parts) => ip(parts.join(".")));
const v6 = fc
  .uint8Array({ minLength: 14, maxLength: 14 })
  .map((bytes) => ip(`fe80${Buffer.from(bytes).toString("hex")}`.replaceAll(/(....)(?!$)/g, "$1:")));

const authentications = (family: 4 | 6, version: 2 | 3): readonly fc.Arbitrary<Authentication>[] => {
  const password = fc.string({ unit: "binary", maxLength: 12 });
  const hmac = fc.constantFrom("time" as const, "monotonic" as const).map((antiReplay) => hmacSettings({ antiReplay }));
  return [
    fc.constant({ type: "none" } as const),
    hmac,
    ...(version === 2 ? [fc.record({ type: fc.constant("pass" as const), password })] : []),
    ...(version === 2 && family === 4 ? [fc.record({ type: fc.constant("ah" as const), password })] : []),
  ];
};

interface Spoken {
  readonly sender: WireConfig;
  readonly receiver: WireConfig;
  readonly priority: number;
  readonly source: ReturnType<typeof ip>;
}

const spoken: fc.Arbitrary<Spoken> = fc
  .tuple(fc.constantFrom(4 as const, 6 as const), fc.constantFrom(2 as const, 3 as const))
  .chain(([family, version]) => {
    const address = family === 4 ? v4 : v6;
    return fc
      .record({
        vrid: fc.integer({ min: 1, max: 255 }),
        priority: fc.nat(255),
        addresses: fc.oneof(
          { weight: 9, arbitrary: fc.array(address, { maxLength: 8 }) },
          { weight: 1, arbitrary: fc.array(address, { minLength: 200, maxLength: 255 }) },
        ),
        interval: version === 2 ? fc.integer({ min: 1, max: 255 }) : fc.integer({ min: 1, max: 4095 }),
        authentication: fc.oneof(...authentications(family, version)),
        send: fc.constantFrom("pseudo-header" as const, "message" as const, "group-pseudo-header" as const),
        source: address,
        peer: address,
        alone: fc.boolean(),
        ttl: fc.option(fc.nat(255), { nil: undefined }),
      })
      .map((each) => {
        const { vrid, priority, addresses, authentication, send, source, peer, alone, ttl } = each;
        const base = wireOf({
          family,
          version,
          vrid,
          advertInterval: seconds(version === 2 ? each.interval : each.interval / 100),
          addresses,
          authentication,
          checksum: { send, learn: true, oldDestination: ip("224.0.0.18") },
        });
        const sender = { ...base, reach: alone ? unicast([peer], { ttl }) : multicast(family) };
        const receiver = { ...base, reach: alone ? unicast([source], { checkSource: true }) : multicast(family) };
        return { sender, receiver, priority, source };
      });
  });

test("what is sent is understood, once", () => {
  fc.assert(
    fc.property(spoken, ({ sender, receiver: to, priority, source }) => {
      const { wallMicros } = facts;
      let [ours, theirs] = [initialWireState, initialWireState];
      for (let i = 1; i <= 3; i++) {
        const sent = buildAdvertisement(priority, sender, ours, { source, wallMicros });
        ours = sent.state;
        const [packet] = sent.packets;
        if (packet === undefined) throw new Error("no packet");
        const judged = judge(onTheWire(packet), to, frozen(theirs));
        expect(judged).toMatchObject({
          ok: true,
          advert: {
            version: sender.version,
            vrid: sender.vrid,
            priority,
            advertInterval: sender.advertInterval,
            addresses: sender.addresses,
          },
          notices: [],
        });
        if (!judged.ok) return;
        theirs = judged.state;
        const again = judge(onTheWire(packet), to, theirs);
        const counted = sender.authentication.type === "ah" || sender.authentication.type === "hmac";
        expect(again.ok).toBe(!counted);
      }
    }),
    { numRuns: 200 },
  );
});

test("a peer that sums by the old rule is answered by it, and by the new one as soon as it does", () => {
  const me = ip("10.77.0.12");
  const peer = ip("10.77.0.11");
  const wire = wireOf({ reach: unicast([peer, "10.77.0.13"]) });
  const peers = wireOf({ reach: unicast([me]) });
  const old = { ...peers, checksum: { ...peers.checksum, send: "group-pseudo-header" as const } };
  const wallMicros = 0;
  const hearFrom = (spoke: WireConfig, state: WireState): WireState => {
    const [packet] = buildAdvertisement(100, spoke, initialWireState, { source: peer, wallMicros }).packets;
    const judged = judge(
      onTheWire(packet ?? { source: peer, destination: me, hopLimit: 1, bytes: octets("") }),
      wire,
      state,
    );
    if (!judged.ok) throw new Error(judged.reason);
    return judged.state;
  };
  const answers = (state: WireState) =>
    buildAdvertisement(100, wire, state, { source: me, wallMicros }).packets.map(({ bytes }) => {
      const judged = judge({ family: 4, bytes }, wireOf({ reach: unicast([me]) }));
      return judged.ok && judged.notices.length === 0 ? "new" : "old";
    });
  expect(answers(initialWireState)).toEqual(["new", "new"]);
  const learned = hearFrom(old, initialWireState);
  expect(answers(learned)).toEqual(["old", "new"]);
  expect(answers(hearFrom(peers, learned))).toEqual(["new", "new"]);
});

// --- what may never be sent ---

test.each([
  ["v2 with parts of a second", { version: 2, advertInterval: seconds(1.5) }],
  ["v2 above 255 s", { version: 2, advertInterval: seconds(256) }],
  ["v3 with milliseconds", { advertInterval: seconds(0.015) }],
  ["v3 above 12 bits", { advertInterval: seconds(40.96) }],
  ["an interval of 0", { advertInterval: seconds(0) }],
  ["more addresses than the count can say", { addresses: Array.from({ length: 256 }, () => ip("10.77.0.100")) }],
  ["an IPv6 address in an IPv4 message", { addresses: [ip("2001:db8::1")] }],
  ["an IPv4 address in an IPv6 message", { family: 6, addresses: [ip("10.77.0.100")] }],
  ["a TTL of more than one octet", { reach: unicast(["10.77.0.12"], { ttl: 256 }) }],
] as const satisfies readonly (readonly [string, Partial<WireConfig>])[])("a bug, not a packet: %s", (_, change) => {
  const wire = wireOf(change);
  const source = ip(wire.family === 4 ? "10.77.0.11" : "fe80::1");
  expect(() => buildAdvertisement(100, wire, initialWireState, { source, wallMicros: 0 })).toThrow("assertion failed");
});

test.each(["0.0.0.0", "fe80::1"])("nothing is sent over IPv4 from %s", (source) => {
  const send = () => buildAdvertisement(100, wireOf(), initialWireState, { source: ip(source), wallMicros: 0 });
  expect(send).toThrow("assertion failed");
});

test("a priority above one octet is a bug", () => {
  const source = ip("10.77.0.11");
  expect(() => buildAdvertisement(256, wireOf(), initialWireState, { source, wallMicros: 0 })).toThrow("priority");
});

test("the identification counts up and is never 0", () => {
  const source = ip("10.77.0.11");
  const next = (ipId: number): number =>
    buildAdvertisement(100, wireOf(), { ...initialWireState, ipId }, { source, wallMicros: 0 }).state.ipId;
  expect([0, 1, 65_534, 65_535].map(next)).toEqual([1, 2, 65_535, 1]);
});

// Every reason to discard with a packet that is wrong in that way alone, and every two of them together: the earlier
// check decides, as in keepalived, so that the counters of a mixed pair mean the same.
import { type IpAddress, parseIp } from "@baton/domain";
import { expect, test } from "vitest";
import { type DiscardReason, discardReasons, discards } from "./discard.ts";
import type { ReceivedDatagram } from "./packet.ts";
import type { ReceiveFacts } from "./receive.ts";
import { hmacSettings } from "./testing/captures.ts";
import { ascii, facts, ip, judge, octets, seconds, unicast, wireOf } from "./testing/fixtures.ts";
import { ahOf, type Forgery, forge, sequenceAt, trailer } from "./testing/forge.ts";
import { initialWireState, type WireConfig, type WireState } from "./wire.ts";

/** In the order of the checks. */
interface Defect {
  readonly reason: DiscardReason;
  readonly what: string;
  readonly packet?: Partial<Forgery>;
  readonly wire?: Partial<WireConfig>;
  readonly moment?: Partial<ReceiveFacts>;
  readonly state?: Partial<WireState>;
}

interface Profile {
  readonly name: string;
  readonly wire: WireConfig;
  readonly packet: Partial<Forgery>;
  readonly defects: readonly Defect[];
}

const now = sequenceAt(facts.wallMicros);

const headers: readonly Defect[] = [
  { reason: "truncated", what: "half an IP header", packet: { cut: 10 } },
  { reason: "bad-ip-header", what: "IP version 6", packet: { ipVersion: 6 } },
  { reason: "fragment", what: "more fragments follow", packet: { fragment: 0x2000 } },
  { reason: "bad-protocol", what: "UDP", packet: { protocol: 17 } },
  { reason: "unknown-vrid", what: "VRID 0", packet: { vrid: 0 } },
];

const profiles: readonly Profile[] = [
  {
    name: "v2 PASS",
    wire: wireOf({ version: 2, authentication: { type: "pass", password: "1111" } }),
    packet: { version: 2, authType: 1, password: "1111", interval: 1 },
    defects: [
      ...headers,
      { reason: "ah-unexpected", what: "an authentication header", packet: { ah: ahOf() } },
      { reason: "bad-length", what: "more addresses than octets", packet: { count: 2 } },
      { reason: "bad-ttl", what: "TTL 254", packet: { ttl: 254 } },
      { reason: "bad-version", what: "version 4", packet: { version: 4 } },
      { reason: "invalid-auth-type", what: "type 3", packet: { authType: 3 } },
      { reason: "auth-type-mismatch", what: "none", packet: { authType: 0 } },
      { reason: "auth-failure", what: "another password", packet: { password: "1112" } },
      { reason: "interval-mismatch", what: "2 s", packet: { interval: 2 } },
      { reason: "bad-type", what: "type 2", packet: { type: 2 } },
      { reason: "bad-total-length", what: "the IP header says one more", packet: { totalLengthError: 1 } },
      { reason: "bad-checksum", what: "one bit", packet: { checksumError: 1 } },
      { reason: "bad-destination", what: "sent to us alone", packet: { destination: ip("10.77.0.12") } },
      { reason: "owner-ignores", what: "we own the addresses", moment: { ownerIgnores: true } },
    ],
  },
  {
    name: "v2 AH",
    wire: wireOf({ version: 2, authentication: { type: "ah", password: "secret12" } }),
    packet: { version: 2, authType: 2, ah: ahOf() },
    defects: [
      { reason: "truncated", what: "no whole VRRP header", packet: { cut: 27 } },
      { reason: "ah-missing", what: "none", packet: { ah: undefined } },
      { reason: "bad-length", what: "less addresses than octets", packet: { count: 0 } },
      { reason: "bad-ttl", what: "TTL 0", packet: { ttl: 0 } },
      { reason: "bad-version", what: "version 0", packet: { version: 0 } },
      { reason: "invalid-auth-type", what: "type 255", packet: { authType: 255 } },
      { reason: "auth-type-mismatch", what: "PASS inside", packet: { authType: 1 } },
      { reason: "ah-next-header", what: "TCP", packet: { ah: ahOf({ nextHeader: 6 }) } },
      { reason: "ah-invalid", what: "another key", packet: { ah: ahOf({ key: "secret13" }) } },
      { reason: "ah-wrong-spi", what: "another index", packet: { ah: ahOf({ spi: ip("10.77.0.12") }) } },
      { reason: "ah-replayed", what: "a number already seen", state: { ahSequence: 1 } },
      { reason: "interval-mismatch", what: "3 s", packet: { interval: 3 } },
      { reason: "bad-type", what: "type 0", packet: { type: 0 } },
      { reason: "bad-checksum", what: "every bit", packet: { checksumError: 0xffff } },
      { reason: "bad-destination", what: "another group", packet: { destination: ip("224.0.0.19") } },
    ],
  },
  {
    name: "v3",
    wire: wireOf(),
    packet: {},
    defects: [
      { reason: "unexpected-trailer", what: "signed by auth_hmac", packet: { trailer: trailer() } },
      { reason: "bad-ttl", what: "TTL 1", packet: { ttl: 1 } },
      { reason: "bad-version", what: "version 2", packet: { version: 2, interval: 1 } },
      { reason: "bad-type", what: "type 15", packet: { type: 15 } },
      { reason: "bad-total-length", what: "the IP header says less", packet: { totalLengthError: -4 } },
      { reason: "zero-interval", what: "none", packet: { interval: 0 } },
      { reason: "bad-checksum", what: "over the message alone", packet: { summing: "message" } },
      { reason: "bad-destination", what: "sent to us alone", packet: { destination: ip("10.77.0.12") } },
      { reason: "owner-ignores", what: "we own the addresses", moment: { ownerIgnores: true } },
    ],
  },
  {
    name: "v3 auth_hmac, unicast",
    wire: wireOf({
      authentication: hmacSettings(),
      reach: {
        ...unicast(["10.77.0.11", "10.77.0.13"], { checkSource: true }),
        peers: [{ address: ip("10.77.0.11"), ttlMin: 250, ttlMax: 254 }],
      },
    }),
    packet: { destination: ip("10.77.0.12"), ttl: 253, trailer: trailer() },
    defects: [
      { reason: "ah-unexpected", what: "an authentication header", packet: { ah: ahOf() } },
      { reason: "bad-length", what: "more addresses than octets", packet: { count: 255 } },
      { reason: "bad-version", what: "version 15", packet: { version: 15 } },
      { reason: "hmac-missing", what: "none", packet: { trailer: undefined } },
      { reason: "hmac-unknown-peer", what: "no peer of ours", packet: { source: ip("10.77.0.99") } },
      { reason: "hmac-malformed", what: "another type", packet: { trailer: trailer({ type: 2 }) } },
      { reason: "hmac-stale", what: "6 s old", packet: { trailer: trailer({ sequence: now - (6n << 32n) }) } },
      { reason: "hmac-unknown-key", what: "key 9", packet: { trailer: trailer({ keyId: 9 }) } },
      {
        reason: "hmac-invalid",
        what: "another secret",
        packet: { trailer: trailer({ secret: ascii("x".repeat(32)) }) },
      },
      {
        reason: "hmac-replayed",
        what: "as high as the last",
        state: { hmac: { sent: undefined, marks: [{ sender: ip("10.77.0.11"), sequence: now }] } },
      },
      { reason: "bad-type", what: "type 3", packet: { type: 3 } },
      { reason: "bad-total-length", what: "the IP header leaves the trailer out", packet: { totalLengthError: -28 } },
      { reason: "zero-interval", what: "none", packet: { interval: 0 } },
      { reason: "bad-checksum", what: "one bit", packet: { checksumError: 0x100 } },
      { reason: "bad-destination", what: "sent to the group", packet: { destination: ip("224.0.0.18") } },
      { reason: "owner-ignores", what: "we own the addresses", moment: { ownerIgnores: true } },
      { reason: "peer-ttl", what: "nearer than it may be", packet: { ttl: 255 } },
    ],
  },
  {
    name: "v3 unicast",
    wire: wireOf({ reach: unicast(["10.77.0.11"], { checkSource: true }) }),
    packet: { destination: ip("10.77.0.12") },
    defects: [
      { reason: "bad-destination", what: "sent to the group", packet: { destination: ip("224.0.0.18") } },
      { reason: "owner-ignores", what: "we own the addresses", moment: { ownerIgnores: true } },
      { reason: "unknown-peer", what: "from somebody else", packet: { source: ip("10.77.0.10") } },
    ],
  },
  {
    name: "v3 over IPv6",
    wire: wireOf({ family: 6 }),
    packet: { family: 6 },
    defects: [
      { reason: "truncated", what: "no whole VRRP header", packet: { cut: 7 } },
      { reason: "unknown-vrid", what: "VRID 52", packet: { vrid: 52 } },
      { reason: "bad-length", what: "more addresses than octets", packet: { count: 2 } },
      { reason: "bad-ttl", what: "hop limit 64", packet: { ttl: 64 } },
      { reason: "bad-version", what: "version 2", packet: { version: 2 } },
      { reason: "bad-type", what: "type 4", packet: { type: 4 } },
      { reason: "zero-interval", what: "none", packet: { interval: 0 } },
      { reason: "bad-checksum", what: "one bit", packet: { checksumError: 0x8000 } },
      { reason: "bad-destination", what: "another group", packet: { destination: ip("ff02::13") } },
      { reason: "owner-ignores", what: "we own the addresses", moment: { ownerIgnores: true } },
    ],
  },
];

function reasonOf({ wire, packet }: Profile, ...defects: readonly Defect[]): DiscardReason | "accepted" {
  const merge = <Part>(start: Part, pick: (defect: Defect) => Partial<Part> | undefined): Part =>
    Object.assign({}, start, ...defects.map(pick));
  const state = merge<WireState>(initialWireState, (defect) => defect.state);
  const before = structuredClone(state);
  const judged = judge(
    forge(merge(packet, (defect) => defect.packet)),
    merge(wire, (defect) => defect.wire),
    state,
    merge(facts, (defect) => defect.moment),
  );
  expect(state).toEqual(before);
  return judged.ok ? "accepted" : judged.reason;
}

/** Two defects of one field cannot be had together. */
function clash(one: Defect, other: Defect): boolean {
  const keys = ({ packet = {}, moment = {}, state = {}, wire = {} }: Defect) =>
    [packet, moment, state, wire].flatMap((part) => Object.keys(part));
  return keys(one).some((key) => keys(other).includes(key));
}

for (const profile of profiles) {
  test(`accepted: ${profile.name}`, () => {
    expect(reasonOf(profile)).toBe("accepted");
  });

  test.each(profile.defects)(`${profile.name} is discarded for $reason: $what`, (defect) => {
    expect(reasonOf(profile, defect)).toBe(defect.reason);
  });

  const pairs = profile.defects.flatMap((first, index) =>
    profile.defects
      .slice(index + 1)
      .filter((second) => !clash(first, second))
      .map((second) => ({ first, second })),
  );
  test(`${profile.name}: of two faults the earlier check decides, ${pairs.length} times`, () => {
    expect(pairs.length).toBeGreaterThan(0);
    for (const { first, second } of pairs) {
      expect([second.reason, reasonOf(profile, first, second)]).toEqual([second.reason, first.reason]);
    }
  });
}

test("the defects stand in the order of the reasons, and every reason has one", () => {
  for (const { defects } of profiles) {
    const places = defects.map(({ reason }) => discardReasons.indexOf(reason));
    expect(places).toEqual(places.toSorted((left, right) => left - right));
  }
  const found = new Set(profiles.flatMap(({ defects }) => defects.map(({ reason }) => reason)));
  // That one is the dispatcher's alone.
  expect(new Set([...found, "wrong-cast"])).toEqual(new Set(discardReasons));
});

test("keepalived's verdicts: what is not meant for us is ignored, the rest is wrong", () => {
  const ignored = discardReasons.filter((reason) => discards[reason].verdict === "ignored");
  expect(ignored).toEqual([
    ...["truncated", "bad-ip-header", "fragment", "bad-protocol", "unknown-vrid", "wrong-cast"],
    ...["ah-next-header", "interval-mismatch", "owner-ignores", "peer-ttl"],
  ]);
});

// --- what is no fault ---

const accepted = (packet: Partial<Forgery>, wire: Partial<WireConfig> = {}, moment: Partial<ReceiveFacts> = {}) => {
  const judged = judge(forge(packet), wireOf(wire), initialWireState, moment);
  return judged.ok ? judged.notices : judged.reason;
};

test.each([14, 10, 6, 2])("a frame filled up with %i octets, as fewer VLAN tags leave it", (padding) => {
  expect(accepted({ padding })).toEqual([]);
});

test.each([1, 3, 4, 8, 13, 18])("%i octets more than the packet fill up no frame", (padding) => {
  expect(accepted({ padding })).toBe(padding % 4 === 2 ? "bad-total-length" : "bad-length");
});

test("a packet that no frame has to be filled up for is not padded", () => {
  const addresses = Array.from({ length: 5 }, (_, index) => ip(`10.77.0.${100 + index}`));
  expect(accepted({ addresses }, { addresses })).toEqual([]);
  expect(accepted({ addresses, padding: 2 }, { addresses })).toBe("bad-length");
});

test("the IP header may count the padding", () => {
  expect(accepted({ padding: 14, totalLengthError: 14 })).toEqual([]);
  expect(accepted({ padding: 14, totalLengthError: 3 })).toBe("bad-total-length");
});

test("nothing but the message follows an IPv6 header", () => {
  const datagram = forge({ family: 6 });
  const longer = { ...datagram, bytes: Uint8Array.from([...datagram.bytes, 0, 0]) };
  expect(judge(longer, wireOf({ family: 6 }))).toEqual({ ok: false, reason: "bad-length" });
});

test("a socket that could not take the whole datagram says so", () => {
  expect(judge({ ...forge(), truncated: true }, wireOf())).toEqual({ ok: false, reason: "truncated" });
});

test.each([0x4000, 0x8000])("flags that make no fragment: %i", (fragment) => {
  expect(accepted({ fragment })).toEqual([]);
});

test.each([0x0001, 0x1fff, 0x2000, 0x6000])("a fragment: %i", (fragment) => {
  expect(accepted({ fragment })).toBe("fragment");
});

test("an IP header with options is read past, with and without an authentication header", () => {
  const options = Uint8Array.of(1, 1, 1, 0);
  expect(accepted({ options })).toEqual([]);
  const ah: Partial<WireConfig> = { version: 2, authentication: { type: "ah", password: "secret12" } };
  expect(accepted({ options, version: 2, authType: 2, ah: ahOf() }, ah)).toEqual([]);
});

test("an IPv6 socket that cannot say the hop limit is believed", () => {
  expect(accepted({ family: 6, ttl: undefined }, { family: 6 })).toEqual([]);
});

test("v3's reserved bits are ignored on receipt (RFC 9568 section 5.2.6)", () => {
  expect(accepted({ interval: 0xf064 })).toEqual([]);
});

test("unicast crosses routers", () => {
  const reach = unicast(["10.77.0.11"]);
  expect(accepted({ destination: ip("10.77.0.12"), ttl: 3 }, { reach })).toEqual([]);
  expect(accepted({ destination: ip("10.77.0.12"), source: ip("192.0.2.7") }, { reach })).toEqual([]);
});

test.each([
  ["another interval in v3", { interval: 200 }, {}, ["interval-differs"]],
  ["another address", { addresses: [ip("10.77.0.101")] }, {}, ["address-list-mismatch"]],
  ["no address", { addresses: [] }, {}, ["address-count-mismatch"]],
  ["one address twice", { addresses: [ip("10.77.0.100"), ip("10.77.0.100")] }, {}, ["address-count-mismatch"]],
  [
    "an address twice instead of two",
    { addresses: [ip("10.77.0.100"), ip("10.77.0.100")] },
    { addresses: [ip("10.77.0.100"), ip("10.77.0.101")] },
    ["address-list-mismatch"],
  ],
  [
    "the same in another order",
    { addresses: [ip("10.77.0.101"), ip("10.77.0.100")] },
    { addresses: [ip("10.77.0.100"), ip("10.77.0.101")] },
    [],
  ],
  [
    "over IPv6 from a global address",
    { family: 6, source: ip("2001:db8::11") },
    { family: 6 },
    ["source-not-link-local"],
  ],
  [
    "unsigned, where signatures are not yet asked for",
    {},
    { authentication: hmacSettings({ mode: "permissive" }) },
    ["unsigned"],
  ],
  [
    "signed by a clock 3 s ahead",
    { trailer: trailer({ sequence: now + (3n << 32n) }) },
    { authentication: hmacSettings() },
    ["clock-skew"],
  ],
] as const satisfies readonly (readonly [string, Partial<Forgery>, Partial<WireConfig>, readonly string[]])[])(
  "accepted and noticed: %s",
  (_, packet, wire, notices) => {
    expect(accepted(packet, wire)).toEqual(notices);
  },
);

test("skip_check_adv_addr: the count still counts", () => {
  const skipped = { checkAddresses: false };
  expect(accepted({ addresses: [ip("10.77.0.101")] }, {}, skipped)).toEqual([]);
  expect(accepted({ addresses: [] }, {}, skipped)).toEqual(["address-count-mismatch"]);
});

// --- the three checksum rules ---

const group = ip("224.0.0.18");
const to = ip("10.77.0.12");
type Sending = WireConfig["checksum"]["send"];
const summing = (send: Sending, learn = true): Partial<WireConfig> => ({
  checksum: { send, learn, oldDestination: group },
});

test.each([
  // our rule, the packet's sum: multicast, unicast
  ["pseudo-header", { summing: "pseudo-header" }, [], []],
  ["pseudo-header", { summing: "message" }, "bad-checksum", "bad-checksum"],
  ["pseudo-header", { summedDestination: group }, [], ["old-checksum"]],
  ["message", { summing: "message" }, [], []],
  ["message", { summing: "pseudo-header" }, ["other-checksum"], ["other-checksum"]],
  ["message", { summedDestination: group }, ["other-checksum"], ["other-checksum"]],
  ["message", { checksumError: 1 }, "bad-checksum", ["wrong-checksum"]],
  ["group-pseudo-header", { summedDestination: group }, [], []],
  ["group-pseudo-header", { summing: "pseudo-header" }, [], ["other-checksum"]],
  ["group-pseudo-header", { summing: "message" }, "bad-checksum", "bad-checksum"],
] as const satisfies readonly (readonly [Sending, Partial<Forgery>, unknown, unknown])[])(
  "we sum by %s and hear %j: multicast %j, unicast %j",
  (send, packet, multicast, alone) => {
    expect(accepted(packet, summing(send))).toEqual(multicast);
    expect(accepted({ ...packet, destination: to }, { ...summing(send), reach: unicast(["10.77.0.11"]) })).toEqual(
      alone,
    );
  },
);

test("old_unicast_checksum never", () => {
  const wire = { ...summing("pseudo-header", false), reach: unicast(["10.77.0.11"]) };
  expect(accepted({ destination: to, summedDestination: group }, wire)).toBe("bad-checksum");
});

// --- how an instance of the other version hears it ---

test.each([
  [2, 3],
  [3, 2],
] as const)("version %i to an instance of version %i on one wire: not ours", (spoken, expected) => {
  expect(accepted({ version: spoken, interval: 1 }, { version: expected })).toBe("bad-version");
});

test("v2 speaks of the password's first eight octets", () => {
  const wire: Partial<WireConfig> = { version: 2, authentication: { type: "pass", password: "longpass9" } };
  expect(accepted({ version: 2, interval: 1, authType: 1, password: "longpass" }, wire)).toEqual([]);
});

test("v2 over IPv6 has no room for a password: the type must do", () => {
  const wire: Partial<WireConfig> = {
    family: 6,
    version: 2,
    advertInterval: seconds(1),
    authentication: { type: "pass", password: "1111" },
  };
  expect(accepted({ family: 6, version: 2, authType: 1 }, wire)).toEqual([]);
  expect(accepted({ family: 6, version: 2, authType: 0 }, wire)).toBe("auth-type-mismatch");
});

test("an accepted advert is well-formed", () => {
  const judged = judge(forge({ priority: 0, interval: 4095 }), wireOf());
  expect(judged.ok && judged.advert).toEqual({
    version: 3,
    vrid: 51,
    priority: 0,
    advertInterval: seconds(40.95),
    addresses: ["10.77.0.100"],
  });
  const isCanonical = (address: IpAddress): boolean => parseIp(address) === address;
  expect(judged.ok && judged.advert.addresses.every(isCanonical)).toBe(true);
});

test("a packet of the other family is not this instance's", () => {
  expect(judge(forge({ family: 6 }), wireOf())).toEqual({ ok: false, reason: "unknown-vrid" });
  expect(judge(forge(), wireOf({ family: 6 }))).toEqual({ ok: false, reason: "unknown-vrid" });
});

test("a datagram of nothing", () => {
  const empty: readonly ReceivedDatagram[] = [
    { family: 4, bytes: octets("") },
    { family: 6, bytes: octets(""), source: ip("fe80::1"), destination: ip("ff02::12"), hopLimit: 255 },
  ];
  for (const datagram of empty) expect(judge(datagram, wireOf())).toEqual({ ok: false, reason: "truncated" });
});

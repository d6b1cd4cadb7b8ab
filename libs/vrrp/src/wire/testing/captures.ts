// Adverts as keepalived sent them, captured with tcpdump on a veth pair: Debian's 2.2.7, and 2.4.3 for what came later
// (`auth_hmac`, `v3_checksum_as_v2`, no addresses at all). Where both have the option, both sent the same octets.
// The router is 10.77.0.11, fe80::ff:fe00:b and 2001:db8::11, the VRID 51; IPv6 packets begin with their 40-octet header.
import { type IpAddress, ipFromBytes } from "@baton/domain";
import { authKey, type HmacSettings } from "../auth-hmac.ts";
import { groupAddress } from "../checksum.ts";
import { initialWireState, type WireConfig, type WireState } from "../wire.ts";
import { ascii, ip, multicast, octets, seconds, unicast, wireOf } from "./fixtures.ts";

export interface Capture {
  readonly name: string;
  readonly wire: WireConfig;
  readonly priority: number;
  readonly source: IpAddress;
  /** Of the advert before. */
  readonly before: WireState;
  readonly wallMicros: number;
  /** One packet to the group, or one to each peer. */
  readonly sent: readonly string[];
}

const vip = ip("10.77.0.100");
const three = [vip, ip("10.77.0.101"), ip("192.0.2.1")];
const wide = [ip("fe80::100"), ip("2001:db8::100")];
const peers = unicast(["10.77.0.12", "10.77.0.13", "10.77.0.14"]);
const widePeers = unicast(["2001:db8::12", "2001:db8::13"]);

export const hmacKeys = [
  authKey(1, ascii("0123456789abcdef0123456789abcdef")),
  authKey(
    7,
    Uint8Array.from({ length: 40 }, (_, index) => index),
  ),
];

export const hmacSettings = (change: Partial<HmacSettings> = {}): { readonly type: "hmac" } & HmacSettings => ({
  type: "hmac",
  keys: hmacKeys,
  activeKey: 1,
  mode: "enforce",
  antiReplay: "time",
  windowSeconds: 5,
  ...change,
});

/** The wall clock that a trailer's seconds and fraction were taken from. */
export const wallOf = (clock: string): number => {
  const fraction = Number.parseInt(clock.slice(8), 16);
  return Number.parseInt(clock.slice(0, 8), 16) * 1_000_000 + Math.ceil((fraction * 1_000_000) / 0x10000);
};

type Rest = Partial<WireConfig> & {
  readonly priority?: number;
  readonly source?: string;
  readonly id?: number;
  readonly ahSequence?: number;
  /** Seconds and fraction of the trailer. */
  readonly clock?: string;
};

function capture(name: string, rest: Rest, ...sent: readonly string[]): Capture {
  const { priority = 200, source, id = 1, ahSequence = 0, clock = "6b0389ff0000", ...change } = rest;
  const wire = wireOf(change);
  const before: WireState = { ...initialWireState, ipId: id - 1, ahSequence };
  const sender = ip(source ?? (wire.family === 4 ? "10.77.0.11" : "fe80::ff:fe00:b"));
  return { name, wire, priority, source: sender, before, wallMicros: wallOf(clock), sent };
}

const pass = (password: string) => ({ version: 2, authentication: { type: "pass", password } }) as const;
const ah = (password: string) => ({ version: 2, authentication: { type: "ah", password } }) as const;
const summing = (send: WireConfig["checksum"]["send"], oldDestination = groupAddress) => ({
  checksum: { send, learn: true, oldDestination },
});

const plain: readonly Capture[] = [
  capture(
    "v2 PASS, one address",
    { ...pass("1111"), priority: 101 },
    "45c0002800010000ff70d03a0a4d000be0000012 2133650101010bb70a4d00643131313100000000",
  ),
  capture(
    "v2 PASS, three addresses, a password of 9 characters",
    {
      ...pass("longpass9"),
      priority: 101,
      advertInterval: seconds(2),
      addresses: [vip, ip("10.77.0.101"), ip("10.77.0.102")],
    },
    "45c0003000010000ff70d0320a4d000be0000012 2133650301029a050a4d00640a4d00650a4d00666c6f6e6770617373",
  ),
  capture(
    "v2 PASS, a short password, the longest interval",
    { ...pass("pa"), priority: 255, advertInterval: seconds(255) },
    "45c0002800010000ff70d03a0a4d000be0000012 2133ff0101ff62b90a4d00647061000000000000",
  ),
  capture(
    "v2 without authentication, two addresses",
    { version: 2, priority: 255, addresses: [vip, ip("10.77.0.101")] },
    "45c0002c00010000ff70d0360a4d000be0000012 2133ff020001ca650a4d00640a4d00650000000000000000",
  ),
  capture(
    "v2, the second advert",
    { version: 2, priority: 255, id: 2 },
    "45c0002800020000ff70d0390a4d000be0000012 2133ff010001d5180a4d00640000000000000000",
  ),
  capture(
    "v2, priority 0 at stop",
    { version: 2, priority: 0, id: 3 },
    "45c0002800030000ff70d0380a4d000be0000012 213300010001d4190a4d00640000000000000000",
  ),
  capture(
    "v3, one address, 100 ms",
    { priority: 100, advertInterval: seconds(0.1) },
    "45c0002000010000ff70d0420a4d000be0000012 31336401000a75290a4d0064",
  ),
  capture(
    "v3, three addresses, the longest interval",
    { priority: 255, advertInterval: seconds(40.95), addresses: three },
    "45c0002800010000ff70d03a0a4d000be0000012 3133ff030ffffd750a4d00640a4d0065c0000201",
  ),
  capture(
    "v3, priority 0 at stop",
    { priority: 0, id: 3 },
    "45c0002000030000ff70d0400a4d000be0000012 313300010064d8cf0a4d0064",
  ),
  capture("v3 without addresses", { addresses: [] }, "45c0001c00010000ff70d0460a4d000be0000012 3133c80000641b85"),
  capture("v3_checksum_as_v2", summing("message"), "45c0002000010000ff70d0420a4d000be0000012 3133c8010064fbb50a4d0064"),
  capture(
    "vrrp_mcast_group4",
    { reach: { cast: "multicast", group: ip("224.0.0.99") } },
    "45c0002000010000ff70cff10a4d000be0000063 3133c8010064107e0a4d0064",
  ),
  capture(
    "mcast_dst_ip",
    { reach: { cast: "multicast", group: ip("224.0.0.77") } },
    "45c0002000010000ff70d0070a4d000be000004d 3133c801006410940a4d0064",
  ),
  capture(
    "mcast_src_ip, an address that the interface does not have",
    { source: "10.77.0.200" },
    "45c0002000010000ff70cf850a4d00c8e0000012 3133c801006410120a4d0064",
  ),
];

const toPeers: readonly Capture[] = [
  capture(
    "v3 to unicast peers",
    { reach: peers },
    "45c0002000010000ff70a5fc0a4d000b0a4d000c 3133c8010064e6880a4d0064",
    "45c0002000010000ff70a5fb0a4d000b0a4d000d 3133c8010064e6870a4d0064",
    "45c0002000010000ff70a5fa0a4d000b0a4d000e 3133c8010064e6860a4d0064",
  ),
  capture(
    "v3 to unicast peers, priority 0 at stop",
    { reach: peers, priority: 0, id: 4 },
    "45c0002000040000ff70a5f90a4d000b0a4d000c 313300010064ae890a4d0064",
    "45c0002000040000ff70a5f80a4d000b0a4d000d 313300010064ae880a4d0064",
    "45c0002000040000ff70a5f70a4d000b0a4d000e 313300010064ae870a4d0064",
  ),
  capture(
    "v2 PASS to unicast peers, unicast_ttl 64",
    { ...pass("1111"), reach: { ...peers, ttl: 64 } },
    "45c0002800010000407064f50a4d000b0a4d000c 2133c8010101a8b60a4d00643131313100000000",
    "45c0002800010000407064f40a4d000b0a4d000d 2133c8010101a8b60a4d00643131313100000000",
    "45c0002800010000407064f30a4d000b0a4d000e 2133c8010101a8b60a4d00643131313100000000",
  ),
  capture(
    "old_unicast_checksum",
    { reach: peers, ...summing("group-pseudo-header") },
    "45c0002000010000ff70a5fc0a4d000b0a4d000c 3133c801006410cf0a4d0064",
    "45c0002000010000ff70a5fb0a4d000b0a4d000d 3133c801006410cf0a4d0064",
    "45c0002000010000ff70a5fa0a4d000b0a4d000e 3133c801006410cf0a4d0064",
  ),
  capture(
    "old_unicast_checksum with another vrrp_mcast_group4",
    { reach: peers, ...summing("group-pseudo-header", ip("224.0.0.99")) },
    "45c0002000010000ff70a5fc0a4d000b0a4d000c 3133c8010064107e0a4d0064",
    "45c0002000010000ff70a5fb0a4d000b0a4d000d 3133c8010064107e0a4d0064",
    "45c0002000010000ff70a5fa0a4d000b0a4d000e 3133c8010064107e0a4d0064",
  ),
];

const authenticated: readonly Capture[] = [
  capture(
    "v2 AH",
    { ...ah("secret12"), priority: 255 },
    `45c0004000010000ff33d05f0a4d000be0000012 700400000a4d000b00000001de127d1f8cc332d334b5114d
     2133ff010201d3180a4d00640000000000000000`,
  ),
  capture(
    "v2 AH, the fourth advert",
    { ...ah("secret12"), priority: 255, id: 4, ahSequence: 3 },
    `45c0004000040000ff33d05c0a4d000be0000012 700400000a4d000b00000004a800fc9bbe9eb1d2b40baf35
     2133ff010201d3180a4d00640000000000000000`,
  ),
  capture(
    "v2 AH, priority 0 at stop",
    { ...ah("secret12"), priority: 0, id: 5, ahSequence: 4 },
    `45c0004000050000ff33d05b0a4d000be0000012 700400000a4d000b00000005fe17c04714b574f564b0ad76
     213300010201d2190a4d00640000000000000000`,
  ),
  capture(
    "v2 AH, three addresses, a short password",
    { ...ah("ab"), priority: 255, addresses: three },
    `45c0004800010000ff33d0570a4d000be0000012 700400000a4d000b000000010c468440b6badd6b3b7566a5
     2133ff03020106630a4d00640a4d0065c00002010000000000000000`,
  ),
  capture(
    "v2 AH to unicast peers, the second advert",
    { ...ah("secret12"), priority: 255, reach: peers, id: 2, ahSequence: 1 },
    `45c0004000020000ff33a6180a4d000b0a4d000c 700400000a4d000b00000002fbd3ed74a6099bc2688b1735
     2133ff010201d3180a4d00640000000000000000`,
    `45c0004000020000ff33a6170a4d000b0a4d000d 700400000a4d000b00000002700207fbce4452b5c05f1911
     2133ff010201d3180a4d00640000000000000000`,
    `45c0004000020000ff33a6160a4d000b0a4d000e 700400000a4d000b00000002eeaaf38cb06d502eea4ac110
     2133ff010201d3180a4d00640000000000000000`,
  ),
  capture(
    "v3 auth_hmac",
    { authentication: hmacSettings(), clock: "6b038ae9eabb" },
    `45c0003c00010000ff70d0260a4d000be0000012 3133c801006410cf0a4d0064
     010100006b038ae9eabb0000bf27ee8acbac60baabfccdd13a98b23d`,
  ),
  capture(
    "v3 auth_hmac, the other key, a longer one",
    { authentication: hmacSettings({ activeKey: 7 }), id: 2, clock: "6b038af33168" },
    `45c0003c00020000ff70d0250a4d000be0000012 3133c801006410cf0a4d0064
     010700006b038af331680000e74996f86490ae056a6ce6c4b163881d`,
  ),
  capture(
    "v3 auth_hmac, priority 0 at stop",
    { authentication: hmacSettings(), priority: 0, id: 4, clock: "6b038aecdb7d" },
    `45c0003c00040000ff70d0230a4d000be0000012 313300010064d8cf0a4d0064
     010100006b038aecdb7d0000d16b3e8c4d15d5106cd9d7332f25d219`,
  ),
  capture(
    "v2 auth_hmac",
    { version: 2, authentication: hmacSettings(), clock: "6b038afa7cad" },
    `45c0004400010000ff70d01e0a4d000be0000012 2133c80100010c190a4d00640000000000000000
     010100006b038afa7cad0000c14e08071820921b8b3cc823e07b15fb`,
  ),
  capture(
    "v3 auth_hmac to unicast peers: one signature",
    { authentication: hmacSettings(), reach: peers, clock: "6b038bb6964c" },
    `45c0003c00010000ff70a5e00a4d000b0a4d000c 3133c8010064e6880a4d0064
     010100006b038bb6964c000010d07adbd015499b668dbece2cbb3c98`,
    `45c0003c00010000ff70a5df0a4d000b0a4d000d 3133c8010064e6870a4d0064
     010100006b038bb6964c000010d07adbd015499b668dbece2cbb3c98`,
    `45c0003c00010000ff70a5de0a4d000b0a4d000e 3133c8010064e6860a4d0064
     010100006b038bb6964c000010d07adbd015499b668dbece2cbb3c98`,
  ),
  capture(
    "v3 auth_hmac receive-only: unsigned",
    { authentication: hmacSettings({ mode: "receive-only" }) },
    "45c0002000010000ff70d0420a4d000be0000012 3133c801006410cf0a4d0064",
  ),
];

const linkLocalToGroup = "fe80000000000000000000fffe00000b ff020000000000000000000000000012";
const vips6 = "fe800000000000000000000000000100 20010db8000000000000000000000100";

const overIpv6: readonly Capture[] = [
  capture(
    "v3 over IPv6",
    { family: 6, addresses: wide },
    `6c0db4a4002870ff ${linkLocalToGroup} 3133c8020064daf2 ${vips6}`,
  ),
  capture(
    "v3 over IPv6, priority 0 at stop",
    { family: 6, addresses: wide, priority: 0 },
    `6c0db4a4002870ff ${linkLocalToGroup} 313300020064a2f3 ${vips6}`,
  ),
  capture(
    "v3 over IPv6, mcast_dst_ip",
    { family: 6, addresses: wide, reach: { cast: "multicast", group: ip("ff02::77") } },
    `6c0683ec002870ff fe80000000000000000000fffe00000b ff020000000000000000000000000077 3133c8020064da8d ${vips6}`,
  ),
  capture(
    "v3 over IPv6, mcast_src_ip",
    { family: 6, addresses: wide, source: "2001:db8::11", reach: multicast(6) },
    `6c0fad13002870ff 20010db8000000000000000000000011 ff020000000000000000000000000012 3133c8020064aab4 ${vips6}`,
  ),
  capture(
    "v2 over IPv6",
    { family: 6, version: 2, addresses: wide },
    `6c0db4a4002870ff ${linkLocalToGroup} 2133c8020001eb55 ${vips6}`,
  ),
  capture(
    "v2 PASS over IPv6: the type without the password",
    { family: 6, ...pass("1111"), addresses: wide },
    `6c0db4a4002870ff ${linkLocalToGroup} 2133c8020101ea55 ${vips6}`,
  ),
  capture(
    "v3 over IPv6 to unicast peers",
    { family: 6, addresses: wide, source: "2001:db8::11", reach: widePeers },
    `6c05f33900287040 20010db8000000000000000000000011 20010db8000000000000000000000012 3133c80200647bfe ${vips6}`,
    `6c05390600287040 20010db8000000000000000000000011 20010db8000000000000000000000013 3133c80200647bfd ${vips6}`,
  ),
  capture(
    "v3 over IPv6, unicast_ttl 77",
    { family: 6, addresses: wide, source: "2001:db8::11", reach: unicast(["2001:db8::12"], { ttl: 77 }) },
    `6c05f3390028704d 20010db8000000000000000000000011 20010db8000000000000000000000012 3133c80200647bfe ${vips6}`,
  ),
  capture(
    "v3 auth_hmac over IPv6: the checksum covers the trailer",
    { family: 6, addresses: wide, authentication: hmacSettings(), clock: "6b038b0b5700" },
    `6c0db4a4004470ff ${linkLocalToGroup} 3133c80200644bf3 ${vips6}
     010100006b038b0b57000000df5056ca7188c78f630a25b19d1cabc7`,
  ),
  capture(
    "v3 auth_hmac over IPv6 to unicast peers",
    {
      family: 6,
      addresses: wide,
      source: "2001:db8::11",
      reach: widePeers,
      authentication: hmacSettings({ activeKey: 7 }),
      clock: "6b038bbf0972",
    },
    `6c05f33900447040 20010db8000000000000000000000011 20010db8000000000000000000000012 3133c802006444be ${vips6}
     010700006b038bbf09720000bbdb622ccdfe1de9f7c4321bb52d4cea`,
    `6c05390600447040 20010db8000000000000000000000011 20010db8000000000000000000000013 3133c802006444bd ${vips6}
     010700006b038bbf09720000bbdb622ccdfe1de9f7c4321bb52d4cea`,
  ),
];

export const captures: readonly Capture[] = [...plain, ...toPeers, ...authenticated, ...overIpv6];

/** keepalived 2.4.3 with `v3_checksum_as_v2` to three unicast peers: right for the first, wrong by every rule for the others. */
export const wrongChecksums: readonly string[] = [
  "45c0002000010000ff70a5fc0a4d000b0a4d000c 3133c8010064fbb50a4d0064",
  "45c0002000010000ff70a5fb0a4d000b0a4d000d 3133c8010064fbb40a4d0064",
  "45c0002000010000ff70a5fa0a4d000b0a4d000e 3133c8010064fbb30a4d0064",
];

/** A captured IPv6 packet, cut into what a socket and its ancillary data would say. */
export function cutIpv6(hex: string) {
  const packet = octets(hex);
  const address = (offset: number): IpAddress => ipFromBytes(packet.subarray(offset, offset + 16));
  return {
    family: 6,
    source: address(8),
    destination: address(24),
    hopLimit: packet[7],
    bytes: packet.subarray(40),
  } as const;
}

// A small corpus of datagrams that no router should send, octet by octet as they would arrive, and what becomes of each at
// an instance that would take its sound neighbour. Kept as octets so that it can be sent through a real socket too.
import type { DiscardReason } from "../discard.ts";
import type { ReceivedDatagram } from "../packet.ts";
import type { WireConfig } from "../wire.ts";
import { hmacSettings } from "./captures.ts";
import { ip, octets, unicast, wireOf } from "./fixtures.ts";

export interface Malformed {
  readonly name: string;
  readonly wire: WireConfig;
  readonly datagram: ReceivedDatagram;
  readonly reason: DiscardReason;
  /** As a frame on a link it comes no further than the kernel, which hands no such thing to a raw socket. */
  readonly keptByKernel: boolean;
}

const v2 = wireOf({ version: 2, authentication: { type: "pass", password: "1111" } });
const ah = wireOf({ version: 2, authentication: { type: "ah", password: "secret12" } });
const v3 = wireOf();
const signed = wireOf({ authentication: hmacSettings({ antiReplay: "monotonic" }) });
const v6 = wireOf({ family: 6 });
const alone = wireOf({ reach: unicast(["10.77.0.11"], { checkSource: true }) });

const over4 = (name: string, wire: WireConfig, reason: DiscardReason, hex: string): Malformed => ({
  name,
  wire,
  reason,
  keptByKernel: false,
  datagram: { family: 4, bytes: octets(hex) },
});

const over6 = (name: string, reason: DiscardReason, hex: string, hopLimit = 255): Malformed => ({
  name,
  wire: v6,
  reason,
  keptByKernel: false,
  datagram: {
    family: 6,
    bytes: octets(hex),
    source: ip("fe80::ff:fe00:b"),
    destination: ip("ff02::12"),
    hopLimit,
  },
});

const kept = (each: Malformed): Malformed => ({ ...each, keptByKernel: true });

const ip4 = (length: string) => `45c0${length}00010000ff70d0420a4d000be0000012`;

export const malformed: readonly Malformed[] = [
  kept(over4("nothing", v3, "truncated", "")),
  kept(over4("one octet", v3, "truncated", "45")),
  over4("an IP header alone", v3, "truncated", ip4("0014")),
  over4("seven octets of VRRP", v3, "truncated", `${ip4("001b")} 3133c801006410`),
  kept(over4("IPv6 on an IPv4 socket", v3, "bad-ip-header", `6000000000080070 ff${"00".repeat(27)} 3133c80100641000`)),
  kept(over4("a header length of 0", v3, "bad-ip-header", `40${ip4("0020").slice(2)} 3133c801006410cf0a4d0064`)),
  kept(over4("a header longer than the packet", v3, "truncated", `4f${ip4("0020").slice(2)} 3133c801006410cf0a4d0064`)),
  kept(over4("options over the message", v3, "truncated", `47${ip4("0020").slice(2)} 3133c801006410cf0a4d0064`)),
  kept(over4("a last fragment", v3, "fragment", `45c00020000100b9ff70d0420a4d000be0000012 3133c801006410cf0a4d0064`)),
  kept(
    over4("no instance's protocol", v3, "bad-protocol", `45c0002000010000ff01d0420a4d000be0000012 ${"00".repeat(12)}`),
  ),
  kept(over4("all zero", v3, "bad-ip-header", "00".repeat(32))),
  kept(over4("all one", v3, "bad-ip-header", "ff".repeat(32))),
  over4("255 addresses, and none there", v3, "bad-length", `${ip4("0020")} 3133c8ff006410cf0a4d0064`),
  over4("no address by the count, one there", v3, "bad-length", `${ip4("0020")} 3133c800006410cf0a4d0064`),
  over4("half an address", v3, "bad-length", `${ip4("001e")} 3133c801006410cf0a4d`),
  over4("version 0", v3, "bad-version", `${ip4("0020")} 0133c801006410cf0a4d0064`),
  over4("version 2 in the length of version 3", v3, "bad-length", `${ip4("0020")} 2133c801006410cf0a4d0064`),
  over4("type 0", v3, "bad-type", `${ip4("0020")} 3033c801006410cf0a4d0064`),
  over4("a checksum of zero", v3, "bad-checksum", `${ip4("0020")} 3133c801006400000a4d0064`),
  kept(over4("an IP length of 0", v3, "bad-total-length", `${ip4("0000")} 3133c801006410cf0a4d0064`)),
  kept(over4("an IP length of 65535", v3, "bad-total-length", `${ip4("ffff")} 3133c801006410cf0a4d0064`)),
  over4("a TTL of 0", v3, "bad-ttl", `45c000200001000000 70d0420a4d000be0000012 3133c801006410cf0a4d0064`),
  over4("v2 without its authentication data", v2, "bad-length", `${ip4("0020")} 2133c80101010bb70a4d0064`),
  over4(
    "v2 PASS and a password of zeroes",
    v2,
    "auth-failure",
    `${ip4("0028")} 2133c80101010bb70a4d0064${"00".repeat(8)}`,
  ),
  over4("v2 with an interval of 0", v2, "interval-mismatch", `${ip4("0028")} 2133c80101000bb70a4d00643131313100000000`),
  over4(
    "an authentication header alone",
    ah,
    "truncated",
    `45c0002c00010000ff33d05f0a4d000be0000012 7004${"00".repeat(22)}`,
  ),
  over4(
    "an authentication header with a digest of zeroes",
    ah,
    "ah-invalid",
    `45c0004000010000ff33d05f0a4d000be0000012 700400000a4d000b00000001${"00".repeat(12)} 2133ff010201d3180a4d0064${"00".repeat(8)}`,
  ),
  over4(
    "an authentication header for another protocol",
    ah,
    "ah-next-header",
    `45c0004000010000ff33d05f0a4d000be0000012 040400000a4d000b00000001${"00".repeat(12)} 2133ff010201d3180a4d0064${"00".repeat(8)}`,
  ),
  over4("a trailer of zeroes", signed, "hmac-malformed", `${ip4("003c")} 3133c801006410cf0a4d0064 ${"00".repeat(28)}`),
  over4(
    "a trailer with a digest of zeroes",
    signed,
    "hmac-invalid",
    `${ip4("003c")} 3133c801006410cf0a4d0064 01010000${"ff".repeat(8)}${"00".repeat(16)}`,
  ),
  over4(
    "a trailer of 27 octets",
    signed,
    "bad-length",
    `${ip4("003b")} 3133c801006410cf0a4d0064 0101${"00".repeat(25)}`,
  ),
  over4(
    "two trailers",
    signed,
    "bad-length",
    `${ip4("0058")} 3133c801006410cf0a4d0064 ${`0101${"00".repeat(26)}`.repeat(2)}`,
  ),
  over4(
    "a trailer for the addresses",
    signed,
    "hmac-missing",
    `${ip4("0038")} 3133c807006410cf ${`0101${"00".repeat(26)}`}`,
  ),
  kept(
    over4(
      "from 0.0.0.0 to a unicast instance",
      alone,
      "unknown-peer",
      "45c0002000010000ff70a5fc000000000a4d000c 3133c8010064f0e00a4d0064",
    ),
  ),
  kept(over6("nothing", "truncated", "")),
  over6("seven octets", "truncated", "3133c801006410"),
  over6("IPv4 addresses", "bad-length", "3133c801006410cf0a4d0064"),
  over6("an address and a half", "bad-length", `3133c801006410cf${"00".repeat(24)}`),
  over6("a checksum of zero", "bad-checksum", "3133c80100640000 fe800000000000000000000000000100"),
  over6("through a router", "bad-ttl", "3133c80100640000 fe800000000000000000000000000100", 254),
];

/** The instances that the kernel hands any of it. */
export const malformedWires: readonly WireConfig[] = [
  ...new Set(malformed.filter(({ keptByKernel }) => !keptByKernel).map(({ wire }) => wire)),
];

/** How often each reason comes up in one round of the corpus, sent as frames. */
export const malformedByReason: ReadonlyMap<DiscardReason, number> = malformed
  .filter(({ keptByKernel }) => !keptByKernel)
  .reduce((counts, { reason }) => counts.set(reason, (counts.get(reason) ?? 0) + 1), new Map<DiscardReason, number>());

// One advert as the packets that carry it: one to the group, or one to each unicast peer, with the octets of keepalived.
// Sequence numbers and the trailer are of the advert; checksum and integrity check are of the copy.
import { assert, type IpAddress, ipFamily } from "@baton/domain";
import { encodeMessage, passwordOctets, writeChecksum } from "./advertisement.ts";
import { signTrailer } from "./auth-hmac.ts";
import { ahLength, ahProtocol, nextAhSequence, writeAuthenticationHeader } from "./authentication-header.ts";
import { type ChecksumRule, checksumBetween, internetChecksum, vrrpProtocol } from "./checksum.ts";
import { ipv4HeaderLength, requiredTtl, writeIpv4Header } from "./ipv4.ts";
import type { WireConfig, WireState } from "./wire.ts";

export interface OutgoingPacket {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IPv6: to be set on the socket or as ancillary data; undefined: the kernel's choice. IPv4: it is in the packet. */
  readonly hopLimit: number | undefined;
  /** IPv4: from its header on. IPv6: the VRRP message, with its checksum. */
  readonly bytes: Uint8Array;
}

export interface SendFacts {
  /** IPv6: the link-local address of the interface, unless the configuration says another. */
  readonly source: IpAddress;
  /** Microseconds since 1970, for `auth_hmac` alone (SAFETY S20). */
  readonly wallMicros: number;
}

export interface SentAdvertisement {
  readonly packets: readonly OutgoingPacket[];
  /** As a receiver sees it: the IPv4 identification; 0 over IPv6, which has none. */
  readonly id: number;
  readonly state: WireState;
}

/** `priority`: 0 to 255, 0 when leaving. Both the interval and the addresses are the configuration's. */
export function buildAdvertisement(
  priority: number,
  wire: WireConfig,
  before: WireState,
  facts: SendFacts,
): SentAdvertisement {
  assert(ipFamily(facts.source) === wire.family, `IPv${wire.family} is not sent from ${facts.source}`);
  const message = encodeMessage(priority, wire);
  const { trailer, state } = sign(message, wire, advance(before, wire), facts);
  const { reach } = wire;
  const destinations = reach.cast === "multicast" ? [reach.group] : reach.peers.map(({ address }) => address);
  const packets = destinations.map((destination) => {
    const copy = { message: message.slice(), trailer, destination };
    return wire.family === 4 ? ipv4Packet(copy, wire, state, facts) : ipv6Packet(copy, wire, facts);
  });
  return { packets, id: wire.family === 4 ? state.ipId : 0, state };
}

interface Copy {
  readonly message: Uint8Array;
  readonly trailer: Uint8Array;
  readonly destination: IpAddress;
}

/** As keepalived counts: one more with each advert, the identification never 0. */
const advance = (state: WireState, { authentication }: WireConfig): WireState => ({
  ...state,
  ipId: (state.ipId % 0xffff) + 1,
  ahSequence: authentication.type === "ah" ? nextAhSequence(state.ahSequence) : state.ahSequence,
});

function sign(
  message: Uint8Array,
  { authentication, version, vrid }: WireConfig,
  state: WireState,
  { source, wallMicros }: SendFacts,
): { readonly trailer: Uint8Array; readonly state: WireState } {
  if (authentication.type !== "hmac" || authentication.mode === "receive-only") {
    return { trailer: new Uint8Array(0), state };
  }
  const context = { version, vrid, source };
  const signed = signTrailer(message, context, authentication, state.hmac, wallMicros);
  return { trailer: signed.trailer, state: { ...state, hmac: signed.state } };
}

function ipv4Packet(copy: Copy, wire: WireConfig, state: WireState, { source }: SendFacts): OutgoingPacket {
  const { message, trailer, destination } = copy;
  const { authentication, reach } = wire;
  writeChecksum(message, ipv4Checksum(message, wire, state, { source, destination }));
  const ah = authentication.type === "ah";
  const messageOffset = ipv4HeaderLength + (ah ? ahLength : 0);
  const bytes = new Uint8Array(messageOffset + message.length + trailer.length);
  bytes.set(message, messageOffset);
  bytes.set(trailer, messageOffset + message.length);
  const ttl = reach.cast === "unicast" ? (reach.ttl ?? requiredTtl) : requiredTtl;
  const protocol = ah ? ahProtocol : vrrpProtocol;
  writeIpv4Header(bytes, { source, destination, id: state.ipId, ttl, protocol });
  if (ah) {
    const key = passwordOctets(authentication.password);
    const unicast = reach.cast === "unicast";
    writeAuthenticationHeader(bytes, ipv4HeaderLength, { key, sequence: state.ahSequence, unicast });
  }
  return { source, destination, hopLimit: undefined, bytes };
}

function ipv4Checksum(
  message: Uint8Array,
  { version, checksum }: WireConfig,
  { oldChecksumPeers }: WireState,
  { source, destination }: { readonly source: IpAddress; readonly destination: IpAddress },
): number {
  const learned: ChecksumRule = oldChecksumPeers.has(destination) ? "group-pseudo-header" : "pseudo-header";
  const rule = checksum.send === "pseudo-header" ? learned : checksum.send;
  if (version === 2 || rule === "message") return internetChecksum(message);
  const summed = rule === "pseudo-header" ? destination : checksum.oldDestination;
  return checksumBetween({ source, destination: summed }, message);
}

/** The checksum is ours, not the socket's (IPV6_CHECKSUM): a wrong one that comes in is to be counted, not lost in the kernel. */
function ipv6Packet(
  { message, trailer, destination }: Copy,
  { reach }: WireConfig,
  { source }: SendFacts,
): OutgoingPacket {
  const bytes = new Uint8Array(message.length + trailer.length);
  bytes.set(message);
  bytes.set(trailer, message.length);
  writeChecksum(bytes, checksumBetween({ source, destination }, bytes));
  const hopLimit = reach.cast === "unicast" ? reach.ttl : requiredTtl;
  return { source, destination, hopLimit, bytes };
}

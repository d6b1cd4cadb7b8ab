// A received packet, cut into what the checks need: the same for IPv4, where the socket gives the whole packet, and for
// IPv6, where it gives the message and the kernel says the rest beside it. Nothing aliases the receive buffer.
import { type IpAddress, ipFromBytes } from "@baton/domain";
import { ahLength, ahProtocol } from "./authentication-header.ts";
import { vrrpProtocol } from "./checksum.ts";
import type { DiscardReason } from "./discard.ts";
import { ipv4HeaderLength } from "./ipv4.ts";

/** What the shell hands over of one datagram. */
export type ReceivedDatagram =
  | {
      readonly family: 4;
      /** From the IPv4 header on. */
      readonly bytes: Uint8Array;
      /** MSG_TRUNC: the datagram was longer than the buffer. */
      readonly truncated?: boolean;
    }
  | {
      readonly family: 6;
      /** From the VRRP header on. */
      readonly bytes: Uint8Array;
      readonly source: IpAddress;
      /** IPV6_PKTINFO. */
      readonly destination: IpAddress;
      /** IPV6_HOPLIMIT; undefined when the kernel did not say. */
      readonly hopLimit: number | undefined;
      readonly truncated?: boolean;
    };

export interface VrrpPacket {
  readonly family: 4 | 6;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** IPv6: the hop limit. Undefined: unknown. */
  readonly ttl: number | undefined;
  /** IPv4 identification; 0 for IPv6, which has none. */
  readonly id: number;
  readonly vrid: number;
  /** All that was received, padding included. */
  readonly bytes: Uint8Array;
  /** What the IPv4 header says; undefined for IPv6. */
  readonly totalLength: number | undefined;
  /** Length of the IPv4 header with its options; 0 for IPv6. */
  readonly headerLength: number;
  /** An authentication header follows the IPv4 header. */
  readonly authenticated: boolean;
  /** Where in `bytes` the VRRP message begins. */
  readonly messageOffset: number;
}

export type DecodedPacket =
  | { readonly ok: true; readonly packet: VrrpPacket }
  | { readonly ok: false; readonly reason: DiscardReason };

/** Octets of a VRRP message before its addresses (RFC 9568 section 5.1). */
export const messageHeaderLength = 8;

const moreFragmentsAndOffset = 0x3fff;

/** Only what is needed to find the instance that is meant; the instance's own checks are `receiveAdvertisement`'s. */
export function decodePacket(received: ReceivedDatagram): DecodedPacket {
  if (received.truncated === true) return { ok: false, reason: "truncated" };
  if (received.family === 4) return decodeIpv4(received.bytes.slice());
  const { source, destination, hopLimit } = received;
  const bytes = received.bytes.slice();
  if (bytes.length < messageHeaderLength) return { ok: false, reason: "truncated" };
  const [, vrid = 0] = bytes;
  const plain = { totalLength: undefined, headerLength: 0, authenticated: false, messageOffset: 0 };
  return { ok: true, packet: { family: 6, source, destination, ttl: hopLimit, id: 0, vrid, bytes, ...plain } };
}

function decodeIpv4(bytes: Uint8Array): DecodedPacket {
  const view = new DataView(bytes.buffer);
  if (bytes.length < ipv4HeaderLength) return { ok: false, reason: "truncated" };
  const headerLength = (view.getUint8(0) & 0x0f) * 4;
  if (view.getUint8(0) >> 4 !== 4 || headerLength < ipv4HeaderLength) return { ok: false, reason: "bad-ip-header" };
  if ((view.getUint16(6) & moreFragmentsAndOffset) !== 0) return { ok: false, reason: "fragment" };
  const protocol = view.getUint8(9);
  if (protocol !== vrrpProtocol && protocol !== ahProtocol) return { ok: false, reason: "bad-protocol" };
  const authenticated = protocol === ahProtocol;
  const messageOffset = headerLength + (authenticated ? ahLength : 0);
  // A VRRP message without its fixed part has no VRID: there is no instance that could count it.
  if (bytes.length < messageOffset + messageHeaderLength) return { ok: false, reason: "truncated" };
  const packet: VrrpPacket = {
    family: 4,
    source: ipFromBytes(bytes.subarray(12, 16)),
    destination: ipFromBytes(bytes.subarray(16, 20)),
    ttl: view.getUint8(8),
    id: view.getUint16(4),
    vrid: view.getUint8(messageOffset + 1),
    bytes,
    totalLength: view.getUint16(2),
    headerLength,
    authenticated,
    messageOffset,
  };
  return { ok: true, packet };
}

// The IPv4 packet around an advertisement. It is built whole (IP_HDRINCL) so that it equals keepalived's on the wire:
// class of service "network control", TTL 255, no flags, an identification of our own.
import { assert, type IpAddress, ipFamily, ipToBytes, parseIp } from "@baton/domain";
import { internetChecksum, vrrpProtocol } from "./checksum.ts";
import type { DiscardReason } from "./discard.ts";

/** RFC 9568 section 5.1.1.3: a smaller one has crossed a router. */
export const requiredTtl = 255;

const headerLength = 20;
/** Precedence "internetwork control" (RFC 791 section 3.1), as keepalived sets it. */
const internetworkControl = 0xc0;

export interface Ipv4Addressing {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** 1 to 65535; with sender and VRID it names this advertisement across routers. */
  readonly id: number;
}

export function encodeIpv4Packet(message: Uint8Array, { source, destination, id }: Ipv4Addressing): Uint8Array {
  assert(ipFamily(source) === 4 && ipFamily(destination) === 4, "an IPv4 packet has IPv4 addresses");
  assert(source !== "0.0.0.0", "nothing is sent without a source address");
  // The kernel replaces an identification of 0, and then nobody knows which advertisement it was.
  assert(Number.isInteger(id) && id >= 1 && id <= 0xffff, `IP identification out of range: ${id}`);
  const packet = new Uint8Array(headerLength + message.length);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint8(1, internetworkControl);
  view.setUint16(2, packet.length);
  view.setUint16(4, id);
  view.setUint16(6, 0);
  view.setUint8(8, requiredTtl);
  view.setUint8(9, vrrpProtocol);
  packet.set(ipToBytes(source), 12);
  packet.set(ipToBytes(destination), 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, headerLength)));
  packet.set(message, headerLength);
  return packet;
}

/** A received packet, cut into what the checks of the advertisement need. Nothing aliases the receive buffer. */
export interface Ipv4Packet extends Ipv4Addressing {
  readonly ttl: number;
  /** What the header says, and how much there was: Ethernet pads short frames, so more is no error. */
  readonly totalLength: number;
  readonly receivedLength: number;
  readonly vrid: number;
  /** Everything after the IP header, padding included. */
  readonly payload: Uint8Array;
}

export type DecodedPacket =
  | { readonly ok: true; readonly packet: Ipv4Packet }
  | { readonly ok: false; readonly reason: DiscardReason };

/** Only what is needed to find the instance that is meant; the instance's own checks are `decodeAdvertisement`'s. */
export function decodeIpv4Packet(received: Uint8Array): DecodedPacket {
  const bytes = received.slice();
  const view = new DataView(bytes.buffer);
  if (bytes.length < headerLength) return { ok: false, reason: "truncated" };
  const header = (view.getUint8(0) & 0x0f) * 4;
  if (view.getUint8(0) >> 4 !== 4 || header < headerLength) return { ok: false, reason: "bad-ip-header" };
  if (view.getUint8(9) !== vrrpProtocol) return { ok: false, reason: "bad-protocol" };
  // A VRRP message without its fixed part has no VRID: there is no instance that could count it.
  if (bytes.length < header + messageHeaderLength) return { ok: false, reason: "truncated" };
  return {
    ok: true,
    packet: {
      source: addressAt(bytes, 12),
      destination: addressAt(bytes, 16),
      id: view.getUint16(4),
      ttl: view.getUint8(8),
      totalLength: view.getUint16(2),
      receivedLength: bytes.length,
      vrid: view.getUint8(header + 1),
      payload: bytes.subarray(header),
    },
  };
}

/** Octets of a VRRP message before its addresses (RFC 9568 section 5.1). */
export const messageHeaderLength = 8;

export function addressAt(bytes: Uint8Array, offset: number): IpAddress {
  const address = parseIp(bytes.subarray(offset, offset + 4).join("."));
  assert(address !== undefined, "four octets are an address");
  return address;
}

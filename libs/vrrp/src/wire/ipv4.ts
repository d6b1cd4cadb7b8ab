// The IPv4 header around an advertisement. It is built whole (IP_HDRINCL) so that it equals keepalived's on the wire:
// class of service "internetwork control", no flags, an identification of our own.
import { assert, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import { internetChecksum } from "./checksum.ts";

/** RFC 9568 section 5.1.1.3: a smaller one has crossed a router. */
export const requiredTtl = 255;

export const ipv4HeaderLength = 20;
/** Precedence "internetwork control" (RFC 791 section 3.1), as keepalived sets it. */
const internetworkControl = 0xc0;

export interface Ipv4Addressing {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** 1 to 65535; with sender and VRID it names this advertisement across routers. */
  readonly id: number;
  readonly ttl: number;
  readonly protocol: number;
}

/** Writes the header into the first 20 octets of `packet`, which is as long as the packet will be. */
export function writeIpv4Header(packet: Uint8Array, { source, destination, id, ttl, protocol }: Ipv4Addressing): void {
  assert(ipFamily(source) === 4 && ipFamily(destination) === 4, "an IPv4 packet has IPv4 addresses");
  assert(source !== "0.0.0.0", "nothing is sent without a source address");
  // The kernel replaces an identification of 0, and then nobody knows which advertisement it was.
  assert(Number.isInteger(id) && id >= 1 && id <= 0xffff, `IP identification out of range: ${id}`);
  assert(Number.isInteger(ttl) && ttl >= 0 && ttl <= 255, `TTL out of range: ${ttl}`);
  const view = new DataView(packet.buffer, packet.byteOffset, ipv4HeaderLength);
  view.setUint8(0, 0x45);
  view.setUint8(1, internetworkControl);
  view.setUint16(2, packet.length);
  view.setUint16(4, id);
  view.setUint16(6, 0);
  view.setUint8(8, ttl);
  view.setUint8(9, protocol);
  view.setUint16(10, 0);
  packet.set(ipToBytes(source), 12);
  packet.set(ipToBytes(destination), 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, ipv4HeaderLength)));
}

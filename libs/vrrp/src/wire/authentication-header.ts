// VRRPv2's IPsec authentication header (RFC 2402) with HMAC-MD5-96 (RFC 2403), laid out as keepalived lays it out: the
// security parameter index is the sender's address, the key the eight octets of the password, and one counter per
// virtual router serves sender and receivers, so that a new master goes on where the old one was heard last.
import { assert } from "@baton/domain";
import { equalInConstantTime, hmac, hmacKey } from "../hash/hmac.ts";
import { md5 } from "../hash/md5.ts";
import { vrrpProtocol } from "./checksum.ts";

export const ahProtocol = 51;
export const ahLength = 24;
const icvOffset = 12;
const icvLength = 12;
/** In words of four octets, less two (RFC 2402 section 2.2). */
const payloadLength = ahLength / 4 - 2;
/** keepalived goes no further: the counter never wraps, and at one advert a second it lasts for 136 years. */
const sequenceMax = 0xfffffffe;

export const nextAhSequence = (sequence: number): number => Math.min(sequence + 1, sequenceMax);

export interface AhFields {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly unicast: boolean;
}

/** Fills in the header between the IPv4 header and the message of `packet`, both of which are complete. */
export function writeAuthenticationHeader(packet: Uint8Array, headerLength: number, fields: AhFields): void {
  assert(fields.sequence > 0 && fields.sequence <= sequenceMax, `sequence number out of range: ${fields.sequence}`);
  const view = new DataView(packet.buffer, packet.byteOffset + headerLength, ahLength);
  view.setUint8(0, vrrpProtocol);
  view.setUint8(1, payloadLength);
  view.setUint16(2, 0);
  packet.copyWithin(headerLength + 4, 12, 16);
  view.setUint32(8, fields.sequence);
  packet.set(integrityCheck(packet, headerLength, fields), headerLength + icvOffset);
}

export type AhFault = "ah-next-header" | "ah-invalid" | "ah-wrong-spi" | "ah-replayed";

/** `packet`: from its IPv4 header on, as received. `sequence`: the highest number accepted or sent so far. */
export function authenticationHeaderFault(
  packet: Uint8Array,
  headerLength: number,
  { key, sequence, unicast }: AhFields,
): AhFault | undefined {
  if (packet[headerLength] !== vrrpProtocol) return "ah-next-header";
  // Nothing in it is to be believed before this.
  const expected = integrityCheck(packet, headerLength, { key, unicast });
  const icvAt = headerLength + icvOffset;
  if (!equalInConstantTime(packet.subarray(icvAt, icvAt + icvLength), expected)) return "ah-invalid";
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (view.getUint32(headerLength + 4) !== view.getUint32(12)) return "ah-wrong-spi";
  return sequenceOf(packet, headerLength) > sequence ? undefined : "ah-replayed";
}

export const sequenceOf = (packet: Uint8Array, headerLength: number): number =>
  new DataView(packet.buffer, packet.byteOffset + headerLength, ahLength).getUint32(8);

/**
 * Over the whole packet, with zero in place of what routers may change (RFC 2402 section 3.3.3.1.1.1) and of the value
 * itself. keepalived counts the TTL among the former for unicast only, since no router forwards the multicast.
 */
function integrityCheck(packet: Uint8Array, headerLength: number, fields: Omit<AhFields, "sequence">): Uint8Array {
  const steady = packet.slice();
  steady[1] = 0; // type of service
  steady.fill(0, 6, 8); // flags and fragment offset
  if (fields.unicast) steady[8] = 0;
  steady.fill(0, 10, 12); // header checksum
  steady.fill(0, headerLength + icvOffset, headerLength + icvOffset + icvLength);
  return hmac(hmacKey(md5, fields.key), steady).subarray(0, icvLength);
}

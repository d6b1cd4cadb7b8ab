// ICMP and ICMPv6 echo (RFC 792, RFC 4443 4): the request, and whether a packet is the answer to it.

const headerBytes = 8;
const requestTypes = { 4: 8, 6: 128 } as const;
const replyTypes = { 4: 0, 6: 129 } as const;
const minIpHeaderBytes = 20;

export interface Echo {
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The checksum of ICMPv6 is the kernel's to fill in. */
export function encodeEcho(family: 4 | 6, { identifier, sequence, payload }: Echo): Uint8Array {
  const bytes = new Uint8Array(headerBytes + payload.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = requestTypes[family];
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  bytes.set(payload, headerBytes);
  if (family === 4) view.setUint16(2, internetChecksum(bytes));
  return bytes;
}

/** RFC 1071; the sum of a message that carries its own is 0. */
export function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** `packet`: of IPv4 with its IP header, as raw sockets hand it out. */
export function isReplyTo(family: 4 | 6, packet: Uint8Array, echo: Echo): boolean {
  const start = family === 6 ? 0 : ((packet[0] ?? 0) & 0xf) * 4;
  if (family === 4 && start < minIpHeaderBytes) return false;
  if (packet.length - start !== headerBytes + echo.payload.length) return false;
  const view = new DataView(packet.buffer, packet.byteOffset + start, headerBytes);
  if (view.getUint8(0) !== replyTypes[family] || view.getUint8(1) !== 0) return false;
  if (view.getUint16(4) !== echo.identifier || view.getUint16(6) !== echo.sequence) return false;
  return echo.payload.every((octet, at) => packet[start + headerBytes + at] === octet);
}

// The Internet checksum (RFC 1071) and the rules for what VRRP puts into it. VRRPv2 over IPv4 sums the message alone
// (RFC 3768 section 5.3.8); everything over IPv6 adds the pseudo-header of RFC 8200 section 8.1. For VRRPv3 over IPv4,
// RFC 9568 section 5.2.8 says the message alone, while keepalived by default adds a pseudo-header, and once did so with
// the multicast group even where the packet goes to a unicast peer; who talks to keepalived must follow.
import { type IpAddress, ipToBytes } from "@baton/domain";

/** keepalived's default; `v3_checksum_as_v2`; `old_unicast_checksum`. */
export type ChecksumRule = "pseudo-header" | "message" | "group-pseudo-header";

export const vrrpProtocol = 112;

/** RFC 9568 sections 5.1.1.2 and 5.1.2.2. */
export const groupAddress = "224.0.0.18" as IpAddress;
export const groupAddressV6 = "ff02::12" as IpAddress;

export interface Endpoints {
  readonly source: IpAddress;
  readonly destination: IpAddress;
}

/** One's complement of the one's complement sum. Over data that holds its own right checksum it is 0. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    // Parts are of even length but the last, so that each starts on a word.
    for (let i = 0; i < part.length; i += 2) sum += ((part[i] ?? 0) << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The checksum of `data` after a pseudo-header; 0 when the one in it is right. */
export const checksumBetween = (endpoints: Endpoints, data: Uint8Array): number =>
  internetChecksum(pseudoHeader(endpoints, data.length), data);

/**
 * Source, destination, length, protocol: 40 octets over IPv6, where length and protocol have four each (RFC 8200
 * section 8.1), and 12 over IPv4, as keepalived lays them out.
 */
function pseudoHeader({ source, destination }: Endpoints, length: number): Uint8Array {
  const from = ipToBytes(source);
  const wide = from.length === 16;
  const header = new Uint8Array(wide ? 40 : 12);
  header.set(from);
  header.set(ipToBytes(destination), from.length);
  const view = new DataView(header.buffer);
  view.setUint16(wide ? 34 : 10, length);
  view.setUint8(wide ? 39 : 9, vrrpProtocol);
  return header;
}

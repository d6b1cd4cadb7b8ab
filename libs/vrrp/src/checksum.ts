// The Internet checksum (RFC 1071) and the three rules for what VRRP puts into it. VRRPv2 sums the message alone
// (RFC 3768 section 5.3.8). For VRRPv3 over IPv4, RFC 9568 section 5.2.8 says the message alone as well, while
// keepalived by default adds a pseudo-header, with the multicast group even where the packet goes to a unicast peer in
// its old mode; who talks to keepalived must follow.
import { type IpAddress, ipToBytes } from "@baton/domain";

/** keepalived's default; `v3_checksum_as_v2`; `old_unicast_checksum`. */
export type ChecksumRule = "pseudo-header" | "message" | "group-pseudo-header";

export const vrrpProtocol = 112;

/** RFC 9568 section 5.1.1.2. */
export const groupAddress = "224.0.0.18" as IpAddress;

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

/** The checksum of a VRRP message over IPv4 as it is; 0 when the one in it is right. */
export function messageChecksum(
  message: Uint8Array,
  version: 2 | 3,
  rule: ChecksumRule,
  { source, destination }: Endpoints,
): number {
  if (version === 2 || rule === "message") return internetChecksum(message);
  const towards = rule === "group-pseudo-header" ? groupAddress : destination;
  return internetChecksum(pseudoHeader(source, towards, message.length), message);
}

/** Source, destination, zero, protocol, length (RFC 9568 section 5.2.8 after RFC 8200 section 8.1, as keepalived lays it out for IPv4). */
function pseudoHeader(source: IpAddress, destination: IpAddress, length: number): Uint8Array {
  return Uint8Array.from([
    ...ipToBytes(source),
    ...ipToBytes(destination),
    0,
    vrrpProtocol,
    (length >> 8) & 0xff,
    length & 0xff,
  ]);
}

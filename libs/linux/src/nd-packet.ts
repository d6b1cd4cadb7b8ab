// Unsolicited neighbour advertisements (RFC 4861 sections 4.4 and 7.2.6): what gratuitous ARP is for IPv4. Pure.
import { assert, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type { NeighbourAdvertisement } from "./api.ts";
import { ipFromBytes, macFromBytes, macToBytes } from "./ip-bytes.ts";

export const ETH_P_IPV6 = 0x86dd;
export const ICMPV6 = 58;
export const NEIGHBOUR_ADVERTISEMENT = 136;
const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
const ADVERTISEMENT_BYTES = 24;
const LINK_LAYER_OPTION_BYTES = 8;
const TARGET_LINK_LAYER_ADDRESS = 2;
const ROUTER = 0x80;
const OVERRIDE = 0x20;
/** What came over a router has less (RFC 4861 section 7.1.2). */
const HOP_LIMIT = 255;

const SOURCE = ETHERNET_BYTES + 8;
const DESTINATION = ETHERNET_BYTES + 24;
const MESSAGE = ETHERNET_BYTES + IPV6_BYTES;
const CHECKSUM = 2;
const FLAGS = 4;
const TARGET = 8;
const OPTIONS = 24;

/**
 * A frame from `mac` to all nodes, to be addressed by `addressAdvertisement`. `router`: whether the interface forwards;
 * who clears the flag by mistake is taken out of its neighbours' lists of routers (section 7.2.5).
 */
export function advertisementFrame(mac: string, router: boolean): Uint8Array {
  const frame = new Uint8Array(MESSAGE + ADVERTISEMENT_BYTES + LINK_LAYER_OPTION_BYTES);
  const sender = macToBytes(mac);
  frame.set([0x33, 0x33, 0, 0, 0, 1], 0);
  frame.set(sender, 6);
  frame.set([ETH_P_IPV6 >> 8, ETH_P_IPV6 & 0xff], 12);
  frame.set([0x60, 0, 0, 0, 0, ADVERTISEMENT_BYTES + LINK_LAYER_OPTION_BYTES, ICMPV6, HOP_LIMIT], ETHERNET_BYTES);
  frame.set([0xff, 0x02], DESTINATION);
  frame[DESTINATION + 15] = 1;
  frame[MESSAGE] = NEIGHBOUR_ADVERTISEMENT;
  frame[MESSAGE + FLAGS] = OVERRIDE | (router ? ROUTER : 0);
  frame.set([TARGET_LINK_LAYER_ADDRESS, 1, ...sender], MESSAGE + OPTIONS);
  return frame;
}

/** Source and target of the frame become `address`; the checksum follows. */
export function addressAdvertisement(frame: Uint8Array, address: IpAddress): void {
  assert(ipFamily(address) === 6, `neighbour discovery announces IPv6 addresses only, not ${address}`);
  const bytes = ipToBytes(address);
  frame.set(bytes, SOURCE);
  frame.set(bytes, MESSAGE + TARGET);
  frame.fill(0, MESSAGE + CHECKSUM, MESSAGE + CHECKSUM + 2);
  new DataView(frame.buffer, frame.byteOffset).setUint16(MESSAGE + CHECKSUM, checksum(frame));
}

/** RFC 4443 section 2.3: over addresses, length and next header, and the message. */
function checksum(frame: Uint8Array): number {
  let sum = frame.length - MESSAGE + ICMPV6;
  for (let at = SOURCE; at < frame.length; at += 2) sum += ((frame[at] ?? 0) << 8) | (frame[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** A received ICMPv6 message; undefined: no advertisement that names a MAC address. Never from beyond a router. */
export function decodeAdvertisement(
  message: Uint8Array,
  hopLimit: number | undefined,
): NeighbourAdvertisement | undefined {
  if (hopLimit !== HOP_LIMIT || message.length < ADVERTISEMENT_BYTES || message[0] !== NEIGHBOUR_ADVERTISEMENT)
    return undefined;
  for (let at = OPTIONS; at + LINK_LAYER_OPTION_BYTES <= message.length; ) {
    const [type = 0, units = 0] = message.subarray(at);
    // An option without length would never end (section 4.6).
    if (units === 0) return undefined;
    if (type === TARGET_LINK_LAYER_ADDRESS && units === 1)
      return { target: ipFromBytes(message, TARGET, 16), mac: macFromBytes(message, at + 2) };
    at += units * 8;
  }
  return undefined;
}

// ARP for IPv4 over Ethernet (RFC 826). Pure.
import { assert, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type { ArpPacket } from "./api.ts";
import { ipFromBytes, macFromBytes, macToBytes } from "./ip-bytes.ts";

export const ETH_P_ARP = 0x0806;
const ETHERNET_BYTES = 14;
const ARP_BYTES = 28;
const REQUEST = 1;
const REPLY = 2;
const FIXED = [0, 1, 0x08, 0x00, 6, 4, 0]; // Ethernet, IPv4, their address lengths, the operation's high byte
const SENDER_MAC = 8;
const SENDER_IP = 14;
const TARGET_MAC = 18;
const TARGET_IP = 24;
const BROADCAST = new Uint8Array(6).fill(0xff);

/**
 * A frame for gratuitous requests of `mac`, to be addressed by `addressGratuitous`. As keepalived's: to everybody, and
 * with broadcast as the target MAC too, a field that receivers of a request ignore.
 */
export function gratuitousFrame(mac: string): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + ARP_BYTES);
  const sender = macToBytes(mac);
  frame.set(BROADCAST, 0);
  frame.set(sender, 6);
  frame.set([ETH_P_ARP >> 8, ETH_P_ARP & 0xff], 12);
  frame.set([...FIXED, REQUEST], ETHERNET_BYTES);
  frame.set(sender, ETHERNET_BYTES + SENDER_MAC);
  frame.set(BROADCAST, ETHERNET_BYTES + TARGET_MAC);
  return frame;
}

/** Sender and target of the frame become `address`. */
export function addressGratuitous(frame: Uint8Array, address: IpAddress): void {
  if (ipFamily(address) !== 4) assert(false, `ARP announces IPv4 addresses only, not ${address}`);
  const bytes = ipToBytes(address);
  frame.set(bytes, ETHERNET_BYTES + SENDER_IP);
  frame.set(bytes, ETHERNET_BYTES + TARGET_IP);
}

/** What follows the Ethernet header, or undefined when it is not ARP of IPv4 over Ethernet. */
export function decodeArp(bytes: Uint8Array): ArpPacket | undefined {
  if (bytes.length < ARP_BYTES || FIXED.some((value, index) => bytes[index] !== value)) return undefined;
  const code = bytes[FIXED.length];
  if (code !== REQUEST && code !== REPLY) return undefined;
  return {
    operation: code === REQUEST ? "request" : "reply",
    senderMac: macFromBytes(bytes, SENDER_MAC),
    senderIp: ipFromBytes(bytes, SENDER_IP, 4),
    targetIp: ipFromBytes(bytes, TARGET_IP, 4),
  };
}

// What the tests of the protocol share: octets as text, addresses, and an instance to start from.
import { assert, type IpAddress, type Micros, micros, parseIp } from "@baton/domain";
import { groupAddress, groupAddressV6 } from "../checksum.ts";
import { decodePacket, type ReceivedDatagram, type VrrpPacket } from "../packet.ts";
import { type ReceivedAdvertisement, type ReceiveFacts, receiveAdvertisement } from "../receive.ts";
import type { OutgoingPacket } from "../send.ts";
import { initialWireState, type Reach, type WireConfig, type WireState } from "../wire.ts";

/** Spaces are for the reader. */
export function octets(hex: string): Uint8Array {
  const pairs = hex.replaceAll(/\s/g, "").match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}

export const hexOf = (data: Uint8Array): string =>
  Array.from(data, (octet) => octet.toString(16).padStart(2, "0")).join("");

export const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

export function ip(text: string): IpAddress {
  const parsed = parseIp(text);
  assert(parsed !== undefined, `not an address: ${text}`);
  return parsed;
}

export const seconds = (value: number): Micros => micros(Math.round(value * 1_000_000));

export const multicast = (family: 4 | 6): Reach => ({
  cast: "multicast",
  group: family === 4 ? groupAddress : groupAddressV6,
});

type Unicast = Extract<Reach, { readonly cast: "unicast" }>;

export const unicast = (peers: readonly string[], change: Partial<Unicast> = {}): Unicast => ({
  cast: "unicast",
  peers: peers.map((peer) => ({ address: ip(peer), ttlMin: 0, ttlMax: 255 })),
  ttl: undefined,
  checkSource: false,
  ...change,
});

/** VRRPv3 over IPv4 with one address, unless told otherwise. */
export function wireOf(change: Partial<WireConfig> = {}): WireConfig {
  const family = change.family ?? 4;
  return {
    family,
    version: 3,
    vrid: 51,
    advertInterval: seconds(1),
    addresses: [ip(family === 4 ? "10.77.0.100" : "fe80::100")],
    authentication: { type: "none" },
    reach: multicast(family),
    checksum: { send: "pseudo-header", learn: true, oldDestination: groupAddress },
    ...change,
  };
}

export const facts: ReceiveFacts = { wallMicros: 1_800_000_000_000_000, ownerIgnores: false, checkAddresses: true };

/** What one router sends as the other's socket hands it over. */
export function onTheWire({ source, destination, hopLimit, bytes }: OutgoingPacket): ReceivedDatagram {
  return source.includes(":")
    ? { family: 6, bytes, source, destination, hopLimit: hopLimit ?? 64 }
    : { family: 4, bytes };
}

export function packetOf(received: ReceivedDatagram): VrrpPacket {
  const decoded = decodePacket(received);
  assert(decoded.ok, `no packet: ${decoded.ok ? "" : decoded.reason}`);
  return decoded.packet;
}

/** Every check there is, those before the instance included. */
export function judge(
  received: ReceivedDatagram,
  wire: WireConfig,
  state: WireState = initialWireState,
  moment: Partial<ReceiveFacts> = {},
): ReceivedAdvertisement {
  const decoded = decodePacket(received);
  return decoded.ok ? receiveAdvertisement(decoded.packet, wire, state, { ...facts, ...moment }) : decoded;
}

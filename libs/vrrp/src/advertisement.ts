// The VRRP message: VRRPv2 (RFC 3768 section 5.3) and VRRPv3 (RFC 9568 section 5.2) over IPv4. What is sent equals
// keepalived's octets for the same configuration; what is received passes every check in keepalived's order or is
// discarded for the first that fails.
import {
  assert,
  centisecondsToMicros,
  type IpAddress,
  ipFamily,
  ipToBytes,
  type Micros,
  secondsToMicros,
  vrid,
} from "@baton/domain";
import { type ChecksumRule, type Endpoints, groupAddress, messageChecksum } from "./checksum.ts";
import type { AdvertNotice, DiscardReason } from "./discard.ts";
import { addressAt, type Ipv4Packet, messageHeaderLength, requiredTtl } from "./ipv4.ts";
import type { Advertisement } from "./types.ts";

export type Authentication = { readonly type: "none" } | { readonly type: "pass"; readonly password: string };

/** How an instance speaks on the wire, beyond what the advertisement says. */
export interface WireFormat {
  /** v2 only; v3 has none (RFC 9568 section 9). */
  readonly authentication: Authentication;
  /** v3 only. */
  readonly checksum: ChecksumRule;
}

const advertisementType = 1;
const addressLength = 4;
const authenticationLength = 8;
const authTypes = { none: 0, pass: 1, ah: 2 } as const;
/** 12 bits of centiseconds (RFC 9568 section 5.2.7). */
const centisecondsMax = 0xfff;
const addressCountMax = 255;

export function encodeAdvertisement(advert: Advertisement, format: WireFormat, endpoints: Endpoints): Uint8Array {
  const { version, addresses } = advert;
  assert(addresses.length <= addressCountMax, "the address count is one octet");
  assert(Number.isInteger(advert.priority) && advert.priority >= 0 && advert.priority <= 255, "one octet of priority");
  assert(addresses.every((address) => ipFamily(address) === 4) && ipFamily(endpoints.source) === 4, "IPv4 only");
  const message = new Uint8Array(messageLength(version, addresses.length));
  message.set([(version << 4) | advertisementType, advert.vrid, advert.priority, addresses.length]);
  message.set(version === 2 ? secondsField(advert, format.authentication) : centisecondsField(advert), 4);
  for (const [index, address] of addresses.entries()) {
    message.set(ipToBytes(address), messageHeaderLength + index * addressLength);
  }
  if (version === 2) message.set(authenticationData(format.authentication), message.length - authenticationLength);
  new DataView(message.buffer).setUint16(6, messageChecksum(message, version, format.checksum, endpoints));
  return message;
}

/** VRRPv2 over IPv4 always ends in 8 octets of authentication data, zero where there is none. */
const messageLength = (version: 2 | 3, addresses: number): number =>
  messageHeaderLength + addresses * addressLength + (version === 2 ? authenticationLength : 0);

function secondsField({ advertInterval }: Advertisement, { type }: Authentication): readonly number[] {
  const seconds = advertInterval / 1_000_000;
  assert(Number.isInteger(seconds) && seconds >= 1 && seconds <= 255, `VRRPv2 speaks whole seconds: ${seconds}`);
  return [authTypes[type], seconds];
}

function centisecondsField({ advertInterval }: Advertisement): readonly number[] {
  const centiseconds = advertInterval / 10_000;
  const fits = Number.isInteger(centiseconds) && centiseconds >= 1 && centiseconds <= centisecondsMax;
  assert(fits, `VRRPv3 speaks whole centiseconds: ${centiseconds}`);
  return [centiseconds >> 8, centiseconds & 0xff];
}

/** Eight octets, padded with zeroes; the configuration has cut longer ones already, and says so. */
function authenticationData(authentication: Authentication): Uint8Array {
  const data = new Uint8Array(authenticationLength);
  if (authentication.type === "pass") data.set(utf8(authentication.password).subarray(0, authenticationLength));
  return data;
}

/** The octets of a password as they stand in the file. No TextEncoder: this package knows no platform. */
function utf8(text: string): Uint8Array {
  return Uint8Array.from([...text].flatMap((character) => utf8Octets(character.codePointAt(0) ?? 0)));
}

function utf8Octets(codePoint: number): readonly number[] {
  const tail = (shift: number): number => 0x80 | ((codePoint >> shift) & 0x3f);
  if (codePoint < 0x80) return [codePoint];
  if (codePoint < 0x800) return [0xc0 | (codePoint >> 6), tail(0)];
  if (codePoint < 0x10000) return [0xe0 | (codePoint >> 12), tail(6), tail(0)];
  return [0xf0 | (codePoint >> 18), tail(12), tail(6), tail(0)];
}

/** What an instance accepts. */
export interface Expectation extends WireFormat {
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly advertInterval: Micros;
  readonly addresses: readonly IpAddress[];
}

export type DecodedAdvertisement =
  | { readonly ok: true; readonly advert: Advertisement; readonly notices: readonly AdvertNotice[] }
  | { readonly ok: false; readonly reason: DiscardReason };

export function decodeAdvertisement(packet: Ipv4Packet, expected: Expectation): DecodedAdvertisement {
  const reason = firstFault(packet, expected);
  if (reason !== undefined) return { ok: false, reason };
  const { payload } = packet;
  const addresses = Array.from({ length: payload[3] ?? 0 }, (_, index) =>
    addressAt(payload, messageHeaderLength + index * addressLength),
  );
  const advert: Advertisement = {
    version: expected.version,
    vrid: vrid(expected.vrid),
    priority: payload[2] ?? 0,
    advertInterval: intervalOf(payload, expected.version),
    addresses,
  };
  return { ok: true, advert, notices: noticesOf(advert, expected) };
}

/** The first check that fails, in keepalived's order: the counters then mean the same in a mixed pair. */
function firstFault(packet: Ipv4Packet, expected: Expectation): DiscardReason | undefined {
  const { payload } = packet;
  const [versionAndType = 0, , , count = 0] = payload;
  if (packet.vrid !== expected.vrid) return "unknown-vrid";
  // The version in the packet decides how long it has to be; whether it is ours comes after that.
  const length = messageLength(versionAndType >> 4 === 2 ? 2 : 3, count);
  if (payload.length < length) return "bad-length";
  if (packet.ttl !== requiredTtl) return "bad-ttl";
  if (versionAndType >> 4 !== expected.version) return "bad-version";
  if (expected.version === 2) {
    const fault = authenticationFault(payload.subarray(0, length), expected.authentication);
    if (fault !== undefined) return fault;
    if (intervalOf(payload, 2) !== expected.advertInterval) return "interval-mismatch";
  }
  if ((versionAndType & 0x0f) !== advertisementType) return "bad-type";
  // More octets than the IP header says are Ethernet padding; a header that says another length than ours is not.
  const headerBytes = packet.receivedLength - payload.length;
  if (packet.totalLength !== headerBytes + length) return "bad-length";
  if (expected.version === 3 && intervalOf(payload, 3) === 0) return "interval-mismatch";
  if (!checksumRight(payload.subarray(0, length), packet, expected)) return "bad-checksum";
  if (packet.destination !== groupAddress) return "bad-destination";
  return undefined;
}

function authenticationFault(message: Uint8Array, authentication: Authentication): DiscardReason | undefined {
  const type = message[4] ?? 0;
  if (type !== authTypes.none && type !== authTypes.pass && type !== authTypes.ah) return "invalid-auth-type";
  if (type !== authTypes[authentication.type]) return "auth-type-mismatch";
  if (authentication.type === "none") return undefined;
  const theirs = message.subarray(message.length - authenticationLength);
  return equalInConstantTime(theirs, authenticationData(authentication)) ? undefined : "auth-failure";
}

/** How long it takes says nothing about where the first difference is. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < authenticationLength; i++) difference |= (left[i] ?? 0) ^ (right[i] ?? 0);
  return difference === 0;
}

function intervalOf(message: Uint8Array, version: 2 | 3): Micros {
  const [, , , , high = 0, low = 0] = message;
  // v3: the upper four bits are reserved and ignored (RFC 9568 section 5.2.6).
  return version === 2 ? secondsToMicros(low) : centisecondsToMicros(((high & 0x0f) << 8) | low);
}

/**
 * With `v3_checksum_as_v2` keepalived takes any v3 checksum, so that both kinds of peers are heard. Here both kinds are
 * heard too, but a packet that is right by neither rule was damaged on the way.
 */
function checksumRight(message: Uint8Array, endpoints: Endpoints, { version, checksum }: Expectation): boolean {
  const rules: readonly ChecksumRule[] = checksum === "message" ? ["message", "pseudo-header"] : [checksum];
  return rules.some((rule) => messageChecksum(message, version, rule, endpoints) === 0);
}

function noticesOf(advert: Advertisement, expected: Expectation): readonly AdvertNotice[] {
  const notices: AdvertNotice[] = [];
  if (advert.advertInterval !== expected.advertInterval) notices.push("interval-differs");
  const ours = new Set(expected.addresses);
  if (advert.addresses.length !== expected.addresses.length) notices.push("address-count-mismatch");
  else if (!advert.addresses.every((address) => ours.has(address))) notices.push("address-list-mismatch");
  return notices;
}

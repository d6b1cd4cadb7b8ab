// The VRRP message itself: VRRPv2 (RFC 3768 section 5.3) and VRRPv3 (RFC 9568 section 5.2), over IPv4 and IPv6. Its
// octets and fields only; what surrounds it and what is right about it are others' business.
import {
  assert,
  centisecondsToMicros,
  type IpAddress,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  type Micros,
  secondsToMicros,
  vrid,
} from "@baton/domain";
import type { Advertisement } from "../types.ts";
import { messageHeaderLength } from "./packet.ts";
import type { Authentication, WireConfig } from "./wire.ts";

export const advertisementType = 1;
export const authTypes = { none: 0, pass: 1, ah: 2 } as const;
const authenticationLength = 8;
/** 12 bits of centiseconds (RFC 9568 section 5.2.7). */
const centisecondsMax = 0xfff;
const addressCountMax = 255;
const checksumOffset = 6;

const addressLength = (family: 4 | 6): number => (family === 4 ? 4 : 16);

/** VRRPv2 over IPv4 always ends in 8 octets of authentication data, zero where there is none. Over IPv6 it has none. */
export const messageLength = (family: 4 | 6, version: number, addresses: number): number =>
  messageHeaderLength + addresses * addressLength(family) + (family === 4 && version === 2 ? authenticationLength : 0);

/** With a checksum of zero: what it covers depends on where the message goes. */
export function encodeMessage(priority: number, wire: WireConfig): Uint8Array {
  const { family, version, addresses } = wire;
  assert(addresses.length <= addressCountMax, "the address count is one octet");
  assert(Number.isInteger(priority) && priority >= 0 && priority <= 255, "one octet of priority");
  assert(
    addresses.every((address) => ipFamily(address) === family),
    `IPv${family} only`,
  );
  const message = new Uint8Array(messageLength(family, version, addresses.length));
  message.set([(version << 4) | advertisementType, wire.vrid, priority, addresses.length]);
  message.set(version === 2 ? secondsField(wire) : centisecondsField(wire), 4);
  for (const [index, address] of addresses.entries()) {
    message.set(ipToBytes(address), messageHeaderLength + index * addressLength(family));
  }
  if (family === 4 && wire.authentication.type === "pass" && version === 2) {
    message.set(passwordOctets(wire.authentication.password), message.length - authenticationLength);
  }
  return message;
}

export const writeChecksum = (message: Uint8Array, checksum: number): void =>
  new DataView(message.buffer, message.byteOffset).setUint16(checksumOffset, checksum);

/** As the message of a v2 instance says it: `auth_hmac` is none, since the message does not know of its trailer. */
export const authTypeOf = ({ type }: Authentication): number => (type === "hmac" ? authTypes.none : authTypes[type]);

function secondsField({ advertInterval, authentication }: WireConfig): readonly number[] {
  const seconds = advertInterval / 1_000_000;
  assert(Number.isInteger(seconds) && seconds >= 1 && seconds <= 255, `VRRPv2 speaks whole seconds: ${seconds}`);
  return [authTypeOf(authentication), seconds];
}

function centisecondsField({ advertInterval }: WireConfig): readonly number[] {
  const centiseconds = advertInterval / 10_000;
  const fits = Number.isInteger(centiseconds) && centiseconds >= 1 && centiseconds <= centisecondsMax;
  assert(fits, `VRRPv3 speaks whole centiseconds: ${centiseconds}`);
  return [centiseconds >> 8, centiseconds & 0xff];
}

/** Eight octets, padded with zeroes; the configuration has cut longer ones already, and says so. */
export function passwordOctets(password: string): Uint8Array {
  const octets = new Uint8Array(authenticationLength);
  octets.set(utf8(password).subarray(0, authenticationLength));
  return octets;
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

// --- reading: a message that is known to be as long as it has to be ---

export const versionOf = (message: Uint8Array): number => (message[0] ?? 0) >> 4;
export const typeOf = (message: Uint8Array): number => (message[0] ?? 0) & 0x0f;
export const addressCountOf = (message: Uint8Array): number => message[3] ?? 0;
export const receivedAuthType = (message: Uint8Array): number => message[4] ?? 0;
/** The last 8 octets of a v2 message over IPv4. */
export const receivedPassword = (message: Uint8Array): Uint8Array =>
  message.subarray(message.length - authenticationLength);

export function intervalOf(message: Uint8Array, version: 2 | 3): Micros {
  const [, , , , high = 0, low = 0] = message;
  // v3: the upper four bits are reserved and ignored (RFC 9568 section 5.2.6).
  return version === 2 ? secondsToMicros(low) : centisecondsToMicros(((high & 0x0f) << 8) | low);
}

export function decodeMessage(message: Uint8Array, family: 4 | 6, version: 2 | 3): Advertisement {
  const length = addressLength(family);
  const addressAt = (index: number): IpAddress => {
    const start = messageHeaderLength + index * length;
    return ipFromBytes(message.subarray(start, start + length));
  };
  return {
    version,
    vrid: vrid(message[1] ?? 0),
    priority: message[2] ?? 0,
    advertInterval: intervalOf(message, version),
    addresses: Array.from({ length: addressCountOf(message) }, (_, index) => addressAt(index)),
  };
}

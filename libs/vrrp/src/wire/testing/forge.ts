// Builds packets that are wrong in chosen ways and right in all others: every field can be given, and whatever depends on
// it (lengths, checksums, signatures) follows, unless that is given too. It shares no code with `send.ts`.
import { type IpAddress, ipToBytes } from "@baton/domain";
import { hmac, hmacKey } from "../../hash/hmac.ts";
import { md5 } from "../../hash/md5.ts";
import { sha256 } from "../../hash/sha256.ts";
import { internetChecksum } from "../checksum.ts";
import type { ReceivedDatagram } from "../packet.ts";
import { ascii, facts, ip } from "./fixtures.ts";

export interface Forgery {
  readonly family: 4 | 6;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ttl: number | undefined;
  // --- IPv4 ---
  readonly ipVersion: number;
  readonly headerWords: number;
  readonly fragment: number;
  readonly protocol: number | undefined;
  /** Added to what the header says. */
  readonly totalLengthError: number;
  readonly options: Uint8Array;
  /** Of the frame, after everything. */
  readonly padding: number;
  // --- the message ---
  readonly version: number;
  readonly type: number;
  readonly vrid: number;
  readonly priority: number;
  /** What the message says; default: as many as there are. */
  readonly count: number | undefined;
  readonly addresses: readonly IpAddress[];
  readonly authType: number;
  readonly password: string;
  /** v2: seconds; v3: centiseconds. */
  readonly interval: number;
  readonly checksumError: number;
  /** v3 over IPv4; default: where the packet goes. */
  readonly summedDestination: IpAddress | undefined;
  readonly summing: "pseudo-header" | "message";
  /** Of the finished packet, only so much arrives. */
  readonly cut: number | undefined;
  readonly trailer: ForgedTrailer | undefined;
  readonly ah: ForgedHeader | undefined;
}

export interface ForgedTrailer {
  readonly type: number;
  readonly keyId: number;
  readonly reserved: number;
  readonly sequence: bigint;
  readonly secret: Uint8Array;
  readonly vrid: number;
}

export interface ForgedHeader {
  readonly nextHeader: number;
  readonly spi: IpAddress;
  readonly sequence: number;
  readonly key: string;
  readonly unicast: boolean;
}

export const sequenceAt = (wallMicros: number): bigint => BigInt(Math.floor(wallMicros / 1_000_000)) << 32n;

export const trailer = (change: Partial<ForgedTrailer> = {}): ForgedTrailer => ({
  type: 1,
  keyId: 1,
  reserved: 0,
  sequence: sequenceAt(facts.wallMicros),
  secret: ascii("0123456789abcdef0123456789abcdef"),
  vrid: 51,
  ...change,
});

export const ahOf = (change: Partial<ForgedHeader> = {}): ForgedHeader => ({
  nextHeader: 112,
  spi: ip("10.77.0.11"),
  sequence: 1,
  key: "secret12",
  unicast: false,
  ...change,
});

export const forgery = (change: Partial<Forgery> = {}): Forgery => ({
  family: 4,
  source: ip(change.family === 6 ? "fe80::ff:fe00:b" : "10.77.0.11"),
  destination: ip(change.family === 6 ? "ff02::12" : "224.0.0.18"),
  ttl: 255,
  ipVersion: 4,
  headerWords: 5,
  fragment: 0,
  protocol: undefined,
  totalLengthError: 0,
  options: new Uint8Array(0),
  padding: 0,
  version: 3,
  type: 1,
  vrid: 51,
  priority: 200,
  count: undefined,
  addresses: [ip(change.family === 6 ? "fe80::100" : "10.77.0.100")],
  authType: 0,
  password: "",
  interval: change.version === 2 ? 1 : 100,
  checksumError: 0,
  summedDestination: undefined,
  summing: "pseudo-header",
  cut: undefined,
  trailer: undefined,
  ah: undefined,
  ...change,
});

export function forge(change: Partial<Forgery> = {}): ReceivedDatagram {
  const wanted = forgery(change);
  const message = messageOf(wanted);
  const signed = joined(message, wanted.trailer === undefined ? none : trailerOf(message, wanted.trailer, wanted));
  const { source, destination } = wanted;
  if (wanted.family === 6) {
    setSum(signed, checksumOf(wanted, signed));
    return { family: 6, source, destination, hopLimit: wanted.ttl, bytes: signed.slice(0, wanted.cut) };
  }
  return { family: 4, bytes: ipv4Packet(wanted, signed).slice(0, wanted.cut) };
}

const none = new Uint8Array(0);

const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]));

const padded = (data: Uint8Array, length: number): Uint8Array => joined(data, new Uint8Array(length - data.length));

const wordOf = (value: number): readonly number[] => [(value >> 8) & 0xff, value & 0xff];

function messageOf(wanted: Forgery): Uint8Array {
  const { version, type, vrid, priority, addresses, count = addresses.length, authType, interval, family } = wanted;
  const timing = version === 2 ? [authType, interval] : wordOf(interval);
  const header = Uint8Array.from([(version << 4) | type, vrid, priority, count, ...timing, 0, 0]);
  const password = version === 2 && family === 4 ? padded(ascii(wanted.password), 8) : none;
  const message = joined(header, ...addresses.map((address) => ipToBytes(address)), password);
  setSum(message, checksumOf(wanted, message));
  return message;
}

const setSum = (message: Uint8Array, sum: number): void => message.set(wordOf(sum), 6);

function checksumOf(wanted: Forgery, data: Uint8Array): number {
  const { family, version, source, destination, summedDestination = destination, summing } = wanted;
  const message = data.slice();
  setSum(message, 0);
  const ends = [...ipToBytes(source), ...ipToBytes(summedDestination)];
  const pseudo =
    family === 6
      ? [...ends, 0, 0, ...wordOf(message.length), 0, 0, 0, 112]
      : [...ends, 0, 112, ...wordOf(message.length)];
  const alone = family === 4 && (version === 2 || summing === "message");
  const sum = internetChecksum(...(alone ? [message] : [Uint8Array.from(pseudo), message]));
  return sum ^ wanted.checksumError;
}

function trailerOf(message: Uint8Array, wanted: ForgedTrailer, { version, source, family }: Forgery): Uint8Array {
  const prefix = new Uint8Array(12);
  prefix.set([wanted.type, wanted.keyId, ...wordOf(wanted.reserved)]);
  new DataView(prefix.buffer).setBigUint64(4, wanted.sequence);
  const context = padded(Uint8Array.from([family, version, wanted.vrid, 0, ...ipToBytes(source)]), 20);
  const summed = message.slice();
  setSum(summed, 0);
  const mac = hmac(hmacKey(sha256, wanted.secret), joined(context, summed, prefix, new Uint8Array(16)));
  return joined(prefix, mac.slice(0, 16));
}

function ipv4Packet(wanted: Forgery, payload: Uint8Array): Uint8Array {
  const { source, destination, ttl = 255, options, ah, protocol = ah === undefined ? 112 : 51 } = wanted;
  const headerLength = 20 + options.length;
  const length = headerLength + (ah === undefined ? 0 : 24) + payload.length;
  const start = [(wanted.ipVersion << 4) | (wanted.headerWords + options.length / 4), 0xc0];
  const lengths = [...wordOf(length + wanted.totalLengthError), 0, 1, ...wordOf(wanted.fragment)];
  const header = Uint8Array.from([...start, ...lengths, ttl, protocol, 0, 0, ...ipToBytes(source)]);
  const ip4 = joined(header, ipToBytes(destination), options);
  ip4.set(wordOf(internetChecksum(ip4)), 10);
  const packet = ah === undefined ? joined(ip4, payload) : joined(ip4, headerOf(ip4, ah, payload), payload);
  return padded(packet, packet.length + wanted.padding);
}

function headerOf(ip4: Uint8Array, ah: ForgedHeader, payload: Uint8Array): Uint8Array {
  const fields = new Uint8Array(24);
  fields.set([ah.nextHeader, 4, 0, 0, ...ipToBytes(ah.spi)]);
  new DataView(fields.buffer).setUint32(8, ah.sequence);
  const steady = ip4.slice();
  steady.set([0], 1);
  steady.set([0, 0], 6);
  steady.set([0, 0], 10);
  if (ah.unicast) steady.set([0], 8);
  const icv = hmac(hmacKey(md5, padded(ascii(ah.key), 8)), joined(steady, fields, payload));
  return joined(fields.slice(0, 12), icv.slice(0, 12));
}

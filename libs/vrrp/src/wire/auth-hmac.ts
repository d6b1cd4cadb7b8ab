// keepalived's `auth_hmac` (2.4.1 and later): a trailer of 28 octets after the VRRP message, with the identifier of a
// key, a sequence number that is the sender's wall clock, and the first 16 octets of an HMAC-SHA-256. It is no part of
// the VRRP message: neither its length nor, over IPv4, its checksum counts it. Time is an argument, state a value.
import { assert, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import { equalInConstantTime, type HmacKey, hmac, hmacKey } from "../hash/hmac.ts";
import { sha256 } from "../hash/sha256.ts";

export interface AuthKey {
  /** 1 to 255. */
  readonly id: number;
  readonly key: HmacKey;
}

/** `secret`: 32 to 64 octets. */
export const authKey = (id: number, secret: Uint8Array): AuthKey => ({ id, key: hmacKey(sha256, secret) });

export interface HmacSettings {
  /** All that are accepted; to change a key, each router learns the new one first, then signs with it, then forgets the old. */
  readonly keys: readonly AuthKey[];
  /** The one that signs; `keys` has it. */
  readonly activeKey: number;
  /** `enforce`: unsigned adverts are discarded. `permissive`: they are accepted. `receive-only`: and ours are unsigned. */
  readonly mode: "enforce" | "permissive" | "receive-only";
  /** `time`: the sender's clock may differ by `windowSeconds`. `monotonic`: sequence numbers must grow, whatever the time. */
  readonly antiReplay: "time" | "monotonic";
  /** 1 to 300. */
  readonly windowSeconds: number;
}

/** A sender's highest accepted sequence number. */
export interface ReplayMark {
  readonly sender: IpAddress;
  readonly sequence: bigint;
}

export interface HmacState {
  /** The last sequence number sent; undefined before the first. */
  readonly sent: bigint | undefined;
  /** Most recently heard last. */
  readonly marks: readonly ReplayMark[];
}

export const initialHmacState: HmacState = { sent: undefined, marks: [] };

export const trailerLength = 28;
const prefixLength = 12;
const hmacLength = 16;
const trailerType = 1;
/** Several masters at once are heard during an election only: so many multicast senders are remembered. */
const multicastSendersMax = 4;
const checksumOffset = 6;

/** What the HMAC covers besides the octets sent, so that no advert fits another virtual router or sender. */
export interface SignedContext {
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly source: IpAddress;
}

export type HmacFault = "hmac-malformed" | "hmac-stale" | "hmac-unknown-key" | "hmac-invalid" | "hmac-replayed";

export type HmacVerdict =
  /** `skew`: how many seconds the sender's clock is behind ours; 0 where time is not judged. */
  | { readonly ok: true; readonly state: HmacState; readonly skew: number }
  | { readonly ok: false; readonly reason: HmacFault };

/** The trailer for `message`, whose checksum may still change. Signed once per advert, whoever its copies go to. */
export function signTrailer(
  message: Uint8Array,
  context: SignedContext,
  settings: HmacSettings,
  { sent, marks }: HmacState,
  wallMicros: number,
): { readonly trailer: Uint8Array; readonly state: HmacState } {
  const active = settings.keys.find(({ id }) => id === settings.activeKey);
  assert(active !== undefined, `the key that signs is known: ${settings.activeKey}`);
  const sequence = nextSequence(sent, settings, wallMicros);
  const trailer = new Uint8Array(trailerLength);
  const view = new DataView(trailer.buffer);
  view.setUint8(0, trailerType);
  view.setUint8(1, active.id);
  view.setBigUint64(4, sequence);
  trailer.set(mac(active.key, context, message, trailer), prefixLength);
  return { trailer, state: { sent: sequence, marks } };
}

/**
 * In keepalived's order. The time comes before the costly HMAC, because it can only refuse; the mark comes after it,
 * because nothing forged may move it. `senders`: the unicast peers; undefined for multicast.
 */
export function verifyTrailer(
  message: Uint8Array,
  trailer: Uint8Array,
  context: SignedContext,
  settings: HmacSettings,
  state: HmacState,
  wallMicros: number,
  senders: readonly IpAddress[] | undefined,
): HmacVerdict {
  const view = new DataView(trailer.buffer, trailer.byteOffset, trailerLength);
  if (view.getUint8(0) !== trailerType || view.getUint16(2) !== 0) return { ok: false, reason: "hmac-malformed" };
  const sequence = view.getBigUint64(4);
  const timed = settings.antiReplay === "time";
  const skew = timed ? secondsBetween(clockSequence(wallMicros), sequence) : 0;
  if (Math.abs(skew) > settings.windowSeconds) return { ok: false, reason: "hmac-stale" };
  const known = settings.keys.find(({ id }) => id === view.getUint8(1));
  if (known === undefined) return { ok: false, reason: "hmac-unknown-key" };
  const expected = mac(known.key, context, message, trailer);
  if (!equalInConstantTime(trailer.subarray(prefixLength), expected)) return { ok: false, reason: "hmac-invalid" };
  const mark = state.marks.find(({ sender }) => sender === context.source);
  // A mark outside the window orders only what the window refuses: without it, a sender whose clock was put right is heard again.
  const stands = mark !== undefined && (!timed || inWindow(mark.sequence, settings, wallMicros));
  if (stands && !isAfter(sequence, mark.sequence)) return { ok: false, reason: "hmac-replayed" };
  return { ok: true, state: { sent: state.sent, marks: raised(state.marks, context.source, sequence, senders) }, skew };
}

function raised(
  marks: readonly ReplayMark[],
  sender: IpAddress,
  sequence: bigint,
  senders: readonly IpAddress[] | undefined,
): readonly ReplayMark[] {
  const others = marks.filter((mark) => mark.sender !== sender && (senders?.includes(mark.sender) ?? true));
  const kept = senders === undefined ? others.slice(-(multicastSendersMax - 1)) : others;
  return [...kept, { sender, sequence }];
}

const inWindow = (sequence: bigint, { windowSeconds }: HmacSettings, wallMicros: number): boolean =>
  Math.abs(secondsBetween(clockSequence(wallMicros), sequence)) <= windowSeconds;

/**
 * The clock, or one more than the last where the clock has not moved on. A clock that was put back leaves the last number
 * ahead of what receivers accept: beyond the window time mode starts from the clock again. Without time, growth is all
 * there is to trust, and it goes on.
 */
function nextSequence(sent: bigint | undefined, settings: HmacSettings, wallMicros: number): bigint {
  const clock = clockSequence(wallMicros);
  if (sent === undefined || isAfter(clock, sent)) return clock;
  const ahead = secondsBetween(sent, clock);
  const stranded = settings.antiReplay === "time" && ahead > settings.windowSeconds;
  return stranded ? clock : BigInt.asUintN(64, sent + 1n);
}

/** 32 bits of seconds since 1970, 16 of a second's fraction, 16 of a counter that begins at 0. */
function clockSequence(wallMicros: number): bigint {
  const seconds = Math.floor(wallMicros / 1_000_000);
  const fraction = Math.floor(((wallMicros - seconds * 1_000_000) * 0x10000) / 1_000_000);
  return (BigInt(seconds >>> 0) << 32n) | (BigInt(fraction) << 16n);
}

/** Serial number arithmetic (RFC 1982): right across the wrap of the seconds in 2106. */
const isAfter = (left: bigint, right: bigint): boolean => BigInt.asIntN(64, left - right) > 0n;
const secondsBetween = (later: bigint, earlier: bigint): number => (Number(later >> 32n) - Number(earlier >> 32n)) | 0;

/** The message reads with a checksum of zero, because over IPv6 it is the kernel that may write it, after the signature. */
function mac(key: HmacKey, context: SignedContext, message: Uint8Array, trailer: Uint8Array): Uint8Array {
  const parts = [
    pseudoHeader(context),
    message.subarray(0, checksumOffset),
    new Uint8Array(2),
    message.subarray(checksumOffset + 2),
    trailer.subarray(0, prefixLength),
    new Uint8Array(hmacLength),
  ];
  return hmac(key, ...parts).subarray(0, hmacLength);
}

function pseudoHeader({ version, vrid, source }: SignedContext): Uint8Array {
  const header = new Uint8Array(20);
  header.set([ipFamily(source), version, vrid, 0, ...ipToBytes(source)]);
  return header;
}

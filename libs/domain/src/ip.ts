// IP addresses as canonical text: equal text means equal address, so they can be map keys and JSON.
// Order is by bytes, never by text: the greater primary address wins a VRRP tie (RFC 9568 section 6.4.3).
import { assert } from "./assert.ts";

declare const ipBrand: unique symbol;
/** Canonical text of an IPv4 (dotted quad) or IPv6 (RFC 5952) address, without prefix length or zone. */
export type IpAddress = string & { readonly [ipBrand]: true };

/** The canonical form of `text`, or undefined when it is no IP address. Zones (`%eth0`) are not accepted. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(":")) return isV4(text) ? text : undefined;
  const bytes = parseV6(text);
  return bytes === undefined ? undefined : format(bytes);
}

export const isIpAddress = (text: string): text is IpAddress => parseIp(text) === text;

export const ipFamily = (address: IpAddress): 4 | 6 => (address.includes(":") ? 6 : 4);

/** `0.0.0.0` or `::`. */
export const unspecifiedIp = (family: 4 | 6): IpAddress => format(new Array<number>(family === 4 ? 4 : 16).fill(0));

/** 4 or 16 bytes in network order. Several times for each advert: canonical text is read without looking back. */
export function ipToBytes(address: IpAddress): Uint8Array {
  return address.includes(":") ? readV6(address) : readV4(address);
}

const [dot, colon, zero, nine, letterA] = [46, 58, 48, 57, 97];

function readV4(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(4);
  let [at, byte] = [0, 0];
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === dot) {
      bytes[at++] = byte;
      byte = 0;
    } else byte = byte * 10 + code - zero;
  }
  bytes[at] = byte;
  if (at !== 3) assert(false, `not an address: ${address}`);
  return bytes;
}

function readV6(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(16);
  /** Where the zeroes that `::` stands for begin. */
  let gap = -1;
  let [at, group] = [0, 0];
  for (let i = 0; i <= address.length; i++) {
    const code = i < address.length ? address.charCodeAt(i) : colon;
    if (code !== colon) group = group * 16 + (code < letterA ? code - zero : code - letterA + 10);
    else if (i > 0 && address.charCodeAt(i - 1) !== colon) {
      bytes[at++] = group >> 8;
      bytes[at++] = group & 0xff;
      group = 0;
    } else if (i > 0 && i < address.length) gap = at;
  }
  assert(gap < 0 ? at === 16 : at <= 14, `not an address: ${address}`);
  if (gap >= 0) {
    bytes.copyWithin(16 - (at - gap), gap, at);
    bytes.fill(0, gap, 16 - (at - gap));
  }
  return bytes;
}

/** The address of 4 or 16 bytes in network order. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  assert(bytes.length === 4 || bytes.length === 16, `an address has 4 or 16 bytes, not ${bytes.length}`);
  return format(bytes);
}

/** Negative, zero or positive as `a` is below, equal to or above `b`, by unsigned bytes; IPv4 sorts before IPv6. */
export function compareIp(a: IpAddress, b: IpAddress): number {
  const [left, right] = [ipToBytes(a), ipToBytes(b)];
  if (left.length !== right.length) return left.length - right.length;
  for (let i = 0; i < left.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Four numbers up to 255 without leading zeros: there is one text for an address, so it is canonical. */
function isV4(text: string): text is IpAddress {
  let dots = 0;
  let [byte, digits] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === dot) {
      if (digits === 0 || ++dots > 3) return false;
      byte = digits = 0;
      continue;
    }
    if (code < zero || code > nine || (digits > 0 && byte === 0)) return false;
    byte = byte * 10 + code - zero;
    if (byte > 255) return false;
    digits++;
  }
  return dots === 3 && digits > 0;
}

function parseV6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string, mayEndInV4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [index, group] of groups.entries()) {
    if (mayEndInV4 && index === groups.length - 1 && group.includes(".")) {
      if (!isV4(group)) return undefined;
      bytes.push(...readV4(group));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

function format(bytes: ArrayLike<number>): IpAddress {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}` as IpAddress;
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  // RFC 5952 section 4.2: compress the longest run of zero groups, the first of equals, never a single one.
  let [bestStart, bestLength] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) [bestStart, bestLength] = [i, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(":") as IpAddress;
  return `${hex.slice(0, bestStart).join(":")}::${hex.slice(bestStart + bestLength).join(":")}` as IpAddress;
}

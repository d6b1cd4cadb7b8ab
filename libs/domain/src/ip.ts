// IP addresses as canonical text: equal text means equal address, so they can be map keys and JSON.
// Order is by bytes, never by text: the greater primary address wins a VRRP tie (RFC 9568 section 6.4.3).
import { assert } from "./assert.ts";

declare const ipBrand: unique symbol;
/** Canonical text of an IPv4 (dotted quad) or IPv6 (RFC 5952) address, without prefix length or zone. */
export type IpAddress = string & { readonly [ipBrand]: true };

/** The canonical form of `text`, or undefined when it is no IP address. Zones (`%eth0`) are not accepted. */
export function parseIp(text: string): IpAddress | undefined {
  const bytes = text.includes(":") ? parseV6(text) : parseV4(text);
  return bytes === undefined ? undefined : format(bytes);
}

export const isIpAddress = (text: string): text is IpAddress => parseIp(text) === text;

export const ipFamily = (address: IpAddress): 4 | 6 => (address.includes(":") ? 6 : 4);

/** `0.0.0.0` or `::`. */
export const unspecifiedIp = (family: 4 | 6): IpAddress => format(new Array<number>(family === 4 ? 4 : 16).fill(0));

/** 4 or 16 bytes in network order. */
export function ipToBytes(address: IpAddress): Uint8Array {
  const bytes = address.includes(":") ? parseV6(address) : parseV4(address);
  assert(bytes !== undefined, `not an address: ${address}`);
  return Uint8Array.from(bytes);
}

/** The address of 4 or 16 bytes in network order. */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  assert(bytes.length === 4 || bytes.length === 16, `an address has 4 or 16 bytes, not ${bytes.length}`);
  return format([...bytes]);
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

function parseV4(text: string): number[] | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
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
      const embedded = parseV4(group);
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

function format(bytes: number[]): IpAddress {
  if (bytes.length === 4) return bytes.join(".") as IpAddress;
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

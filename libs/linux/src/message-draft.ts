// Where the body of a netlink message is put together, and copied from: of thousands that go at once, nothing is made for
// each but the body. One for all, since encoding is never interrupted; each `begin` starts it anew.
import { align4, NLA_F_NESTED, viewOf } from "./netlink-message.ts";

/** The longest that is put together here, a destination of IPVS with a tunnel, has 152 bytes. */
const draft = new Uint8Array(512);
const view = viewOf(draft);
const place = { end: 0 };

/** Starts with the family's fixed part, of which each number is a byte. */
export function begin(...header: readonly number[]): void {
  draft.set(header);
  place.end = header.length;
}

/** A copy of what was put since `begin`. */
export const written = (): Uint8Array => draft.slice(0, place.end);

/** An attribute, padded to four bytes; `length`: with zeros up to it. */
export function putBytes(type: number, value: Uint8Array, length: number = value.length): void {
  const at = header(type, length);
  const next = at + align4(length);
  draft.set(value, at);
  draft.fill(0, at + value.length, next);
  place.end = next;
}

export function putUint8(type: number, value: number): void {
  const at = header(type, 1);
  view.setUint32(at, value, true);
  place.end = at + 4;
}

export function putUint16(type: number, value: number): void {
  const at = header(type, 2);
  view.setUint32(at, value, true);
  place.end = at + 4;
}

/** In network order. */
export const putPort = (type: number, port: number): void => putUint16(type, ((port & 0xff) << 8) | (port >> 8));

/** `littleEndian` false: in network order. */
export function putUint32(type: number, value: number, littleEndian = true): void {
  const at = header(type, 4);
  view.setUint32(at, value, littleEndian);
  place.end = at + 4;
}

export function putUint32s(type: number, ...values: readonly number[]): void {
  const at = header(type, 4 * values.length);
  for (const [index, value] of values.entries()) view.setUint32(at + 4 * index, value, true);
  place.end = at + 4 * values.length;
}

/** An attribute that holds what `putAll` puts. */
export function putNested(type: number, putAll: () => void): void {
  const start = place.end;
  place.end = header(type | NLA_F_NESTED, 0);
  putAll();
  view.setUint16(start, place.end - start, true);
}

/** Returns where the value begins. */
function header(type: number, length: number): number {
  view.setUint16(place.end, 4 + length, true);
  view.setUint16(place.end + 2, type, true);
  return place.end + 4;
}

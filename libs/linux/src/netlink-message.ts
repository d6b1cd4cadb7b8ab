// Netlink's wire format (<linux/netlink.h>): messages of a 16-byte header, a fixed body and attributes, all in the
// machine's byte order (little-endian on every machine that Node and Baton run on). Pure: bytes in, values out.

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_DUMP_INTR = 0x10;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const NLA_TYPE_MASK = 0x3fff;
export const NLA_F_NESTED = 0x8000;
const HEADER_BYTES = 16;

export interface NetlinkRequest {
  readonly type: number;
  /** Besides NLM_F_REQUEST. */
  readonly flags: number;
  /** The family's fixed body and the attributes. */
  readonly body: Uint8Array;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** A view into what was received: to be decoded before the next receive. */
  readonly body: Uint8Array;
}

/** Not by bits: a length of 32 bits would turn negative. */
export const align4 = (length: number): number => Math.ceil(length / 4) * 4;

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** One attribute, padded to four bytes. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align4(4 + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

export const nested = (type: number, ...attributes: readonly Uint8Array[]): Uint8Array =>
  attribute(type | NLA_F_NESTED, concatBytes(...attributes));

/** Text as the kernel wants names: ended by a zero byte. */
export const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

export const uint16 = (value: number): Uint8Array => Uint8Array.of(value & 0xff, value >> 8);

export function uint32(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(4 * index, value, true);
  return bytes;
}

/** Requests one after the other, numbered from `sequence` on. */
export function encodeRequests(requests: readonly NetlinkRequest[], sequence: number): Uint8Array {
  const bytes = new Uint8Array(requests.reduce((sum, { body }) => sum + align4(HEADER_BYTES + body.length), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [index, { type, flags, body }] of requests.entries()) {
    const length = HEADER_BYTES + body.length;
    view.setUint32(at, length, true);
    view.setUint16(at + 4, type, true);
    view.setUint16(at + 6, flags | NLM_F_REQUEST, true);
    view.setUint32(at + 8, sequence + index, true);
    bytes.set(body, at + HEADER_BYTES);
    at += align4(length);
  }
  return bytes;
}

/** What one receive brought. A message cut short ends the list: the kernel does not send such. */
export function splitMessages(bytes: Uint8Array): NetlinkMessage[] {
  const view = viewOf(bytes);
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(offset, true);
    if (length < HEADER_BYTES || offset + length > bytes.length) break;
    messages.push({
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      body: bytes.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += align4(length);
  }
  return messages;
}

/** Attributes by type, from `offset` of a body on; the last of equal types wins. */
export function readAttributes(body: Uint8Array, offset: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  eachAttribute(body, offset, (type, value) => attributes.set(type, value));
  return attributes;
}

function eachAttribute(body: Uint8Array, offset: number, visit: (type: number, value: Uint8Array) => void): void {
  eachAttributePlace(body, offset, (type, at, length) => visit(type, body.subarray(at, at + length)));
}

/** Tells of each attribute where its value begins and how long it is. One that is cut short ends the list. */
export function eachAttributePlace(
  body: Uint8Array,
  offset: number,
  visit: (type: number, at: number, length: number) => void,
): void {
  for (let at = offset; at + 4 <= body.length; ) {
    const length = uint16At(body, at);
    if (length < 4 || at + length > body.length) return;
    visit(uint16At(body, at + 2) & NLA_TYPE_MASK, at + 4, length - 4);
    at += align4(length);
  }
}

/** The values of a list of attributes of one type. */
export function readList(bytes: Uint8Array | undefined, type: number): Uint8Array[] {
  const values: Uint8Array[] = [];
  if (bytes !== undefined) eachAttribute(bytes, 0, (found, value) => found === type && values.push(value));
  return values;
}

export function readUint32(bytes: Uint8Array | undefined, offset = 0): number | undefined {
  return bytes === undefined || bytes.length < offset + 4 ? undefined : viewOf(bytes).getUint32(offset, true);
}

export const readUint16 = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined || bytes.length < 2 ? undefined : uint16At(bytes, 0);

/** Exact up to 2^53. */
export const readUint64 = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined || bytes.length < 8 ? undefined : uint32At(bytes, 4) * 2 ** 32 + uint32At(bytes, 0);

/** Up to the first zero byte. Names of interfaces come by the thousand, and in ASCII: no decoder is needed for them. */
export function readText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    if (byte > 0x7f) return decodeText(bytes);
    text += String.fromCharCode(byte);
  }
  return text;
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** What NLMSG_ERROR says: errno 0 is the acknowledgement; `text` is the kernel's explanation (NETLINK_EXT_ACK). */
export function readError(message: NetlinkMessage): { errno: number; text: string | undefined } {
  const errno = Math.abs((readUint32(message.body) ?? 0) | 0);
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno, text: undefined };
  // After the errno comes the request that failed: its header only where capped.
  const requestBytes = (message.flags & NLM_F_CAPPED) !== 0 ? HEADER_BYTES : (readUint32(message.body, 4) ?? 0);
  return { errno, text: readText(readAttributes(message.body, 4 + align4(requestBytes)).get(NLMSGERR_ATTR_MSG)) };
}

const uint16At = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);

/** What lies beyond the end counts as zero: the caller has looked how long it is. */
export const uint32At = (bytes: Uint8Array, at: number): number =>
  (uint16At(bytes, at) | (uint16At(bytes, at + 2) << 16)) >>> 0;

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

// As much of DNS (RFC 1035 4) as a check needs: one question out, and of what comes back the header.
import type { DnsType } from "@baton/keepalived-conf";

const types: Readonly<Record<DnsType, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  RRSIG: 46,
  DNSKEY: 48,
};
const headerBytes = 12;
const labelMax = 63;
const nameMax = 255;
const recursionDesired = 0x0100;
const response = 0x8000;
const internet = 1;

/** `.`: the root; a dot at the end is no label. undefined: no such name can be asked for. */
export function encodeQuery(id: number, name: string, type: DnsType): Uint8Array | undefined {
  const labels = name === "." || name === "" ? [] : name.replace(/\.$/, "").split(".");
  const encoded = labels.map((label) => new TextEncoder().encode(label));
  if (encoded.some(({ length }) => length === 0 || length > labelMax)) return undefined;
  const nameBytes = encoded.reduce((sum, { length }) => sum + 1 + length, 1);
  if (nameBytes > nameMax) return undefined;
  const bytes = new Uint8Array(headerBytes + nameBytes + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id);
  view.setUint16(2, recursionDesired);
  view.setUint16(4, 1); // one question
  let at = headerBytes;
  for (const label of encoded) {
    bytes[at] = label.length;
    bytes.set(label, at + 1);
    at += 1 + label.length;
  }
  view.setUint16(at + 1, types[type]);
  view.setUint16(at + 3, internet);
  return bytes;
}

/** The rcode of an answer to question `id`; undefined: it is none. */
export function readRcode(bytes: Uint8Array, id: number): number | undefined {
  if (bytes.length < headerBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  return view.getUint16(0) === id && (flags & response) !== 0 ? flags & 0xf : undefined;
}

const rcodes = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
export const rcodeName = (rcode: number): string => rcodes[rcode] ?? `rcode ${rcode}`;

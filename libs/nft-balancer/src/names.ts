// Names of chains and sets in Baton's table. Everything of a service is below its base, so that whoever reads the table
// finds it, and a service that stays as it is can be kept without knowing what it looks like. The name of a chain ends
// with a digest of its rules: a chain never changes, a changed one is another one. So what is the same is not touched,
// and counters and turns go on.
import type { DestinationKey } from "@baton/ipvs";

export const tableName = "baton_lb";

/** `tcp [2001:db8::1]:80` → `tcp/2001_db8__1/80`: letters that a name of nft may have. `service`: as `serviceName` says it. */
export const baseOf = (service: string): string =>
  service
    .replaceAll(" ", "/")
    .replace("[", "")
    .replace(/\]?:(\d+)$/, "/$1")
    .replaceAll(":", "_");

export const placeOf = ({ address, port }: DestinationKey): string => `${address.replaceAll(":", "_")}/${port}`;

/** Of a chain or a set that belongs to a service; undefined: it belongs to none. */
export function baseOfObject(name: string): string | undefined {
  const parts = name.split("/", 4);
  return parts.length === 4 && /^(tcp|udp|fwmark)$/.test(parts[0] ?? "") ? parts.slice(0, 3).join("/") : undefined;
}

/** 53 bits in 11 letters: equal text, equal digest, for ever. Not against somebody who searches for another text. */
export function digest(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36).padStart(11, "0");
}

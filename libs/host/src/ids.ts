// Identifiers: UUIDv7 (RFC 9562 section 5.7), which sort by the time they were made, from a pool of random bytes, so
// that an event costs no system call.
import { randomFillSync } from "node:crypto";

const poolBytes = 4_096;

/** Hands out random bytes; each view is good until the pool is filled again, so use it at once. */
export function randomPool(): (length: number) => Uint8Array {
  const pool = randomFillSync(new Uint8Array(poolBytes));
  let used = 0;
  return (length) => {
    if (used + length > poolBytes) {
      randomFillSync(pool);
      used = 0;
    }
    used += length;
    return pool.subarray(used - length, used);
  };
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const digits = (bytes: Uint8Array, from: number, to: number): string => {
  let text = "";
  for (let i = from; i < to; i++) text += hex[bytes[i] ?? 0] ?? "00";
  return text;
};

/**
 * UUIDv7 that rise strictly within a process: 48 bits of milliseconds, 12 bits of a counter within the millisecond
 * (method 1 of section 6.2), 62 random bits. A clock that steps back does not take the ids with it.
 */
export function uuidSource(random: (length: number) => Uint8Array): (wallMicros: number) => string {
  let lastMs = 0;
  let counter = 0;
  return (wallMicros) => {
    const ms = Math.floor(wallMicros / 1_000);
    if (ms > lastMs) {
      lastMs = ms;
      counter = 0;
    } else if (++counter > 0xfff) {
      lastMs++;
      counter = 0;
    }
    const time = lastMs.toString(16).padStart(12, "0");
    const bytes = random(8);
    const variant = hex[((bytes[0] ?? 0) & 0x3f) | 0x80] ?? "80";
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-${variant}${digits(bytes, 1, 2)}-${digits(bytes, 2, 8)}`;
  };
}

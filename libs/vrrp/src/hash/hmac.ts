// HMAC (RFC 2104). A key is worked in once, so that a check costs the message and two blocks, not four.
import { blockLength, digest, digestFrom, type HashFunction, type Midstate, midstate } from "./hash.ts";

/** A key, ready for use with its hash function. */
export interface HmacKey {
  readonly hash: HashFunction;
  readonly inner: Midstate;
  readonly outer: Midstate;
}

export function hmacKey(hash: HashFunction, key: Uint8Array): HmacKey {
  const block = new Uint8Array(blockLength);
  block.set(key.length > blockLength ? digest(hash, key) : key);
  return {
    hash,
    inner: midstate(
      hash,
      block.map((octet) => octet ^ 0x36),
    ),
    outer: midstate(
      hash,
      block.map((octet) => octet ^ 0x5c),
    ),
  };
}

export const hmac = ({ hash, inner, outer }: HmacKey, ...parts: readonly Uint8Array[]): Uint8Array =>
  digestFrom(hash, outer, [digestFrom(hash, inner, parts)]);

/** Whether `received` begins with `expected`; how long it takes says nothing about where the first difference is. */
export function equalInConstantTime(received: Uint8Array, expected: Uint8Array): boolean {
  let difference = received.length < expected.length ? 1 : 0;
  for (let i = 0; i < expected.length; i++) difference |= (received[i] ?? 0) ^ (expected[i] ?? 0);
  return difference === 0;
}

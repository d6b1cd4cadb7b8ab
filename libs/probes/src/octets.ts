// What a server sends, kept up to a limit. It grows by doubling: octets that come one by one cost what they are, and not an
// object each.

export interface Octets {
  /** What is beyond the limit is left out. */
  push(chunk: Uint8Array): void;
  /** All of it; the same memory until the next push. */
  bytes(): Buffer;
}

const startBytes = 256;

export function keepOctets(maxBytes: number): Octets {
  let kept = Buffer.alloc(0);
  let length = 0;
  return {
    push: (chunk) => {
      const part = chunk.subarray(0, maxBytes - length);
      const needed = length + part.length;
      if (needed > kept.length) {
        const larger = Buffer.alloc(Math.min(maxBytes, Math.max(needed, 2 * kept.length, startBytes)));
        kept.copy(larger, 0, 0, length);
        kept = larger;
      }
      kept.set(part, length);
      length = needed;
    },
    bytes: () => kept.subarray(0, length),
  };
}

// MD5 (RFC 1321), for the HMAC-MD5-96 of VRRPv2's IPsec authentication header alone: fit for that, and for nothing new.
import type { HashFunction } from "./hash.ts";

/** How far each step turns its word, four steps of each round in turn (section 3.4). */
const turns = Uint8Array.of(7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21);

/** T: the first 32 bits of the fraction of each sine (section 3.4). */
const sines = Uint32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));

/** Which word of the block each step takes (section 3.4). */
const words = Uint8Array.from({ length: 64 }, (_, step) => {
  const [factor = 0, offset = 0] =
    [
      [1, 0],
      [5, 1],
      [3, 5],
      [7, 0],
    ][step >> 4] ?? [];
  return (factor * step + offset) % 16;
});

/** F, G, H and I (section 3.4). */
function mix(step: number, b: number, c: number, d: number): number {
  if (step < 16) return (b & c) | (~b & d);
  if (step < 32) return (b & d) | (c & ~d);
  return step < 48 ? b ^ c ^ d : c ^ (b | ~d);
}

export const md5: HashFunction = {
  initial: [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476],
  littleEndian: true,
  compress(state, block) {
    let [a = 0, b = 0, c = 0, d = 0] = state;
    for (let step = 0; step < 64; step++) {
      const word = block.getInt32((words[step] ?? 0) * 4, true);
      const sum = (a + mix(step, b, c, d) + word + (sines[step] ?? 0)) | 0;
      const turn = turns[((step >> 4) << 2) | (step & 3)] ?? 0;
      a = d;
      d = c;
      c = b;
      b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
    }
    state[0] = (state[0] ?? 0) + a;
    state[1] = (state[1] ?? 0) + b;
    state[2] = (state[2] ?? 0) + c;
    state[3] = (state[3] ?? 0) + d;
  },
};

// SHA-256 (RFC 6234, FIPS 180-4), for the trailer of keepalived's `auth_hmac`.
import type { HashFunction } from "./hash.ts";

const rounds = 64;
const primes = firstPrimes(rounds);
/** The first 32 bits of the fraction of a root (FIPS 180-4 sections 4.2.2 and 5.3.3). */
const fraction = (root: number): number => Math.floor((root % 1) * 2 ** 32);
const constants = Uint32Array.from(primes, (prime) => fraction(Math.cbrt(prime)));

function firstPrimes(count: number): readonly number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < count; candidate++) {
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate);
  }
  return found;
}

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The message schedule (RFC 6234 section 6.2, step 1). */
function scheduleOf(block: DataView): Int32Array {
  const schedule = new Int32Array(rounds);
  for (let t = 0; t < 16; t++) schedule[t] = block.getInt32(t * 4);
  for (let t = 16; t < rounds; t++) {
    const near = schedule[t - 2] ?? 0;
    const far = schedule[t - 15] ?? 0;
    const mixedNear = turn(near, 17) ^ turn(near, 19) ^ (near >>> 10);
    const mixedFar = turn(far, 7) ^ turn(far, 18) ^ (far >>> 3);
    schedule[t] = mixedNear + (schedule[t - 7] ?? 0) + mixedFar + (schedule[t - 16] ?? 0);
  }
  return schedule;
}

export const sha256: HashFunction = {
  initial: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
  littleEndian: false,
  compress(state, block) {
    const schedule = scheduleOf(block);
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
    for (let t = 0; t < rounds; t++) {
      const choice = (e & f) ^ (~e & g);
      const first =
        (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + (constants[t] ?? 0) + (schedule[t] ?? 0)) | 0;
      const majority = (a & b) ^ (a & c) ^ (b & c);
      const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + majority) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + first) | 0;
      d = c;
      c = b;
      b = a;
      a = (first + second) | 0;
    }
    for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + word;
  },
};

// What MD5 and SHA-256 have in common: a state that swallows blocks of 64 octets, and the padding of the last one.
// Written here because this package loads nothing: the election core must run wherever a step of it can be replayed.
import { assert } from "@baton/domain";

export const blockLength = 64;

export interface HashFunction {
  readonly initial: readonly number[];
  /** Of its words: the state in the digest, the schedule of a block, the length at the end. */
  readonly littleEndian: boolean;
  /** Works one block into `state`. */
  compress(state: Uint32Array, block: DataView): void;
}

/** A state that has swallowed whole blocks already. */
export interface Midstate {
  readonly state: Uint32Array;
  readonly octets: number;
}

export const digest = (hash: HashFunction, ...parts: readonly Uint8Array[]): Uint8Array =>
  digestFrom(hash, { state: Uint32Array.from(hash.initial), octets: 0 }, parts);

export function digestFrom(hash: HashFunction, { state, octets }: Midstate, parts: readonly Uint8Array[]): Uint8Array {
  const padded = pad(hash, octets, parts);
  const end = state.slice();
  swallow(hash, end, padded);
  const result = new Uint8Array(end.length * 4);
  const view = new DataView(result.buffer);
  for (const [index, word] of end.entries()) view.setUint32(index * 4, word, hash.littleEndian);
  return result;
}

/** `data`: whole blocks. */
export function midstate(hash: HashFunction, data: Uint8Array): Midstate {
  assert(data.length % blockLength === 0, "a midstate lies between two blocks");
  const state = Uint32Array.from(hash.initial);
  swallow(hash, state, data);
  return { state, octets: data.length };
}

function swallow(hash: HashFunction, state: Uint32Array, data: Uint8Array): void {
  for (let at = 0; at < data.length; at += blockLength) {
    hash.compress(state, new DataView(data.buffer, data.byteOffset + at, blockLength));
  }
}

/** A one bit, zeroes, and the length of everything in bits (RFC 1321 section 3.1, RFC 6234 section 4.1). */
function pad(hash: HashFunction, octetsBefore: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const padded = new Uint8Array(Math.ceil((length + 9) / blockLength) * blockLength);
  let end = 0;
  for (const part of parts) {
    padded.set(part, end);
    end += part.length;
  }
  padded[end] = 0x80;
  const bits = (octetsBefore + length) * 8;
  const view = new DataView(padded.buffer, padded.length - 8);
  view.setUint32(hash.littleEndian ? 0 : 4, bits >>> 0, hash.littleEndian);
  view.setUint32(hash.littleEndian ? 4 : 0, Math.floor(bits / 2 ** 32), hash.littleEndian);
  return padded;
}

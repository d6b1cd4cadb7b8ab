// Which adverts an instance may care about, as a program of the kernel's packet filter (classic BPF): what concerns nobody
// here ends before it takes room in the buffer of what does, and before it costs us a system call. Looks at what is
// there in every sound advert: its version and type, its VRID, and on a link the TTL of 255 (RFC 9568 sections 5.1.1.3,
// 5.1.2.3, 5.2). The same program with its two ends exchanged lets through exactly the others.
import type { ExpectedAdvert } from "./api.ts";
import {
  and,
  assemble,
  copyToIndex,
  giveBack,
  jump,
  jumpIfAtLeast,
  jumpIfEqual,
  type Line,
  loadByte,
  loadByteIndexed,
  loadHeaderLength,
  loadIndexNumber,
  loadLength,
  loadMemory,
  loadNumber,
  shiftRight,
  shiftRightByIndex,
  store,
  subtractIndex,
} from "./packet-program.ts";

export interface AdvertFilter {
  readonly family: 4 | 6;
  /** 112, or 51: then an authentication header stands before the message. */
  readonly protocol: 112 | 51;
  /** What comes from afar is not expected. */
  readonly fromLink: boolean;
  readonly expected: Iterable<ExpectedAdvert>;
  /** What passes. */
  readonly pass: "expected" | "others";
}

/** SKF_NET_OFF, <linux/filter.h>: from here on offsets count from the IP header, which an IPv6 socket does not see. */
const networkHeader = 0xfff00000;
const hopLimitAt = 7;
const ttlAt = 8;
const requiredTtl = 255;
const messageLength = 8;
const authenticationHeaderLength = 24;
const advertisement = 1;

/** struct sock_filter[], as SO_ATTACH_FILTER takes it. */
export function buildAdvertFilter({ family, protocol, fromLink, expected, pass }: AdvertFilter): Uint8Array {
  const at = protocol === 51 ? authenticationHeaderLength : 0;
  const tables = bitmaps(expected);
  const [wanted, unwanted] = pass === "expected" ? [0xffffffff, 0] : [0, 0xffffffff];
  return assemble([
    // X: where the message or its authentication header begins.
    family === 4 ? { code: loadHeaderLength, k: 0 } : { code: loadIndexNumber, k: 0 },
    // A load beyond the end would end the program in "drop", whichever of the two it is.
    { code: loadLength },
    { code: subtractIndex },
    { code: jumpIfAtLeast, k: at + messageLength, no: "other" },
    ...(fromLink ? comesFromLink(family) : []),
    { code: loadByteIndexed, k: at + 1 },
    { code: store, k: 0 },
    { code: loadByteIndexed, k: at },
    { code: store, k: 1 },
    // M[0]: the VRID. X: its bit in a word of 32.
    { code: loadMemory, k: 0 },
    { code: and, k: 31 },
    { code: copyToIndex },
    { code: loadMemory, k: 1 },
    ...[...tables.keys()].map((first) => ({ code: jumpIfEqual, k: first, yes: `of ${first}` })),
    { code: jump, to: "other" },
    ...[...tables].flatMap(([first, words]) => lookUp(`of ${first}`, words)),
    { label: "bit" },
    { code: shiftRightByIndex },
    { code: and, k: 1 },
    { code: jumpIfEqual, k: 1, no: "other" },
    { code: giveBack, k: wanted },
    { label: "other" },
    { code: giveBack, k: unwanted },
  ]);
}

const comesFromLink = (family: 4 | 6): readonly Line[] => [
  { code: loadByte, k: family === 4 ? ttlAt : networkHeader + hopLimitAt },
  { code: jumpIfEqual, k: requiredTtl, no: "other" },
];

/** For each first octet (version and type) the 256 VRIDs as eight words: so the program is as long for one as for all. */
function bitmaps(expected: Iterable<ExpectedAdvert>): ReadonlyMap<number, Uint32Array> {
  const tables = new Map<number, Uint32Array>();
  for (const { version, vrid } of expected) {
    const first = (version << 4) | advertisement;
    const words = tables.get(first) ?? new Uint32Array(8);
    tables.set(first, words);
    words[vrid >> 5] = (words[vrid >> 5] ?? 0) | (1 << (vrid & 31));
  }
  return tables;
}

/** A = the word in which the VRID's bit is. */
const lookUp = (label: string, words: Uint32Array): readonly Line[] => [
  { label },
  { code: loadMemory, k: 0 },
  { code: shiftRight, k: 5 },
  ...[...words].flatMap((word, index): Line[] =>
    word === 0
      ? []
      : [
          { code: jumpIfEqual, k: index, no: `${label}, after ${index}` },
          { code: loadNumber, k: word },
          { code: jump, to: "bit" },
          { label: `${label}, after ${index}` },
        ],
  ),
  { code: jump, to: "other" },
];

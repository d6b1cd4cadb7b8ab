// Leaves out what dataplane tells the kernel again each second: the lifetimes of its own addresses (SAFETY S10), which
// the kernel repeats to every listener. To receive them cost an election with 255 instances a twentieth of its time.
import {
  assemble,
  copyToIndex,
  findAttribute,
  giveBack,
  jumpIfEqual,
  jumpIfEqualIndex,
  type Line,
  loadByte,
  loadByteIndexed,
  loadHalf,
  loadIndexMemory,
  loadIndexNumber,
  loadNumber,
  loadWord,
  loadWordIndexed,
  store,
} from "./packet-program.ts";
import { AF_INET, addressTag, IFA_CACHEINFO, IFA_PROTO, RTM_NEWADDR } from "./rtnetlink.ts";

const typeAt = 4; // struct nlmsghdr
const familyAt = 16; // struct ifaddrmsg
const attributesAt = 24;
/** Of struct ifa_cacheinfo behind the attribute's own header: when the address was made, and when it was last changed. */
const createdAt = 4 + 8;
const changedAt = 4 + 12;

/** X = where it begins; without it the message passes. */
const toAttribute = (type: number): readonly Line[] => [
  { code: loadNumber, k: attributesAt },
  { code: loadIndexNumber, k: type },
  { code: loadWord, k: findAttribute },
  { code: jumpIfEqual, k: 0, yes: "pass" },
  { code: copyToIndex },
];

/**
 * Drops "set" of an IPv4 address that is tagged as ours and was there before: of IPv4 nothing but a lifetime changes so. An
 * IPv6 address may be told of again because duplicate address detection has come to an end.
 */
export const renewalFilter = (): Uint8Array =>
  assemble([
    { code: loadHalf, k: typeAt },
    // The kernel's own octet order, read as the network's.
    { code: jumpIfEqual, k: RTM_NEWADDR << 8, no: "pass" },
    { code: loadByte, k: familyAt },
    { code: jumpIfEqual, k: AF_INET, no: "pass" },
    ...toAttribute(IFA_PROTO),
    { code: loadByteIndexed, k: 4 },
    { code: jumpIfEqual, k: addressTag, no: "pass" },
    ...toAttribute(IFA_CACHEINFO),
    { code: loadWordIndexed, k: createdAt },
    { code: store, k: 0 },
    { code: loadWordIndexed, k: changedAt },
    { code: loadIndexMemory, k: 0 },
    { code: jumpIfEqualIndex, no: "drop" },
    { label: "pass" },
    { code: giveBack, k: 0xffffffff },
    { label: "drop" },
    { code: giveBack, k: 0 },
  ]);

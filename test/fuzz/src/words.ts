// What is put into texts: keywords and values, octets that are no text, and everything that the language does beside them.
import { keywordTable } from "@baton/keepalived-conf";
import type { Random } from "@baton/simulator";

export type Words = readonly string[];

export const pickFrom = (words: Words, random: Random): string => words[random.integer(0, words.length - 1)] ?? "";

const split = (text: string): Words => text.trim().split(/\s+/);

export const keywords: Words = [...new Set(keywordTable().map(({ keyword }) => keyword))];

export const values: Words = [
  ...split("0 1 -1 +1 1.5 0x10 010 255 256 65535 65536 4294967295 4294967296 9223372036854775808 1e9 .5 5. Infinity"),
  "9".repeat(400),
  `0.${"0".repeat(300)}1`,
  ...split("10.0.0.1 10.0.0.1/24 10.0.0.1/33 10.0.0.1-20 300.0.0.1 fe80::1 fe80::1%eth0 fd00::1/64 ::ffff:1.2.3.4 ::"),
  ...split(
    "eth0 nosuch0 on off yes no true false MASTER default none any weight reverse dev via src label brd VI_1 SCR",
  ),
  ...split("__proto__ constructor toString"),
  "x".repeat(300),
];

/** UTF-8 and octets that are none, marks, controls, and what JavaScript takes for blanks and keepalived does not. */
export const octets: Words = [
  ..."\0\x01\x07\b\t\v\f\r\x1b\x7f\x80\x85\xa0\xbf\xc0\xc3\xe2\xed\xf0\xf8\xfe\xff",
  "\xef\xbb\xbf",
  "\xc3\xa4",
  "\xe2\x80\xa8",
  "\xed\xa0\x80",
  "\xf0\x9f\x98\x80",
  "\xf4\x90\x80\x80",
  "\xb5\xe7\xa3\xfd",
];

export const signs: Words = [..."{}\"'\\#!@$~()[]*?;:,/=%^|&<>+- \n", "\r\n", "\\\n", "# c\n"];

/** `${NAME}`. */
export const use = (name: string): string => `$\{${name}}`;

export const constructs: Words = [
  ...["@r1 ", "@^r1 ", "@r2 ", "@"],
  ...["$A=", "$A", use("A"), "$A=$A $A\n$A", `$A=${use("B")}\n$B=${use("A")}\n$A`, "$A= \\\nx 1 \\\ny 2\n\n$A\n"],
  ...["_ENV HOME", "_ENV LINES", "_ENV nosuch", "_PWD", "_INSTANCE", "_HASH", "_BANG"].map(use),
  ...["_RANDOM", "_RANDOM 1 3", "_RANDOM 9999999999 -1"].map(use),
  ...["~SEQ(I, 3) ", "~SEQ(I, 3, 1) $I ", "~SEQ(I, 1, 1, 300) ", "~SEQ(I, 0, 0, 0) ", "~SEQx(I, 1, 16, 1024) $I "],
  ...["~LST(I, x, y) $I ", "~LST({A, B}, {1, 2}, {3, 4}) $A $B ", "~SEQ(I, 2) ~SEQ(J, 2) $I$J "],
  ...["\ninclude part\n", "\ninclude main\n", "\nincludea part\n", "\ninclude p*\n", "\ninclude {part,nosuch}\n"],
  ...["\nincludeb [pm]*\n", "\ninclude nosuch\n", "include "],
  ...["# baton: ignore-file ", "# baton: ignore slow-check ", "# baton: "],
];

// The lines of `virtual_server_group`: addresses and ranges of them, and firewall marks.
import { compareIp, type IpAddress, ipFamily, ipFromBytes, ipToBytes, parseIp } from "@baton/domain";
import { readPort } from "./address-arguments.ts";
import { readNumber, uint32Max } from "./arguments.ts";
import { entryForm, option } from "./option.ts";
import type { EntryWords, OptionContext } from "./table.ts";

export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
  /** 0: all ports. */
  readonly port: number;
}

export interface MarkLine {
  readonly mark: number;
  readonly family: 4 | 6 | undefined;
}

/** keepalived does not look at what follows. */
function takeRest(words: EntryWords): void {
  while (words.peek() !== undefined) words.take();
}

export const range = option<AddressRange>(
  "(range)",
  {
    syntax: "IP[-END|/LENGTH] [PORT]",
    range: "END an address, or the last number of one: 0 to 255, in IPv6 0 to ffff; nothing behind LENGTH bits",
    read: (words, context) => {
      const address = words.take();
      const portWord = words.peek() === undefined ? undefined : words.take();
      takeRest(words);
      if (address === undefined) return undefined;
      const port = portWord === undefined ? 0 : readPort(portWord, context.entry.at(portWord), context.report);
      const bounds = readRange(address.text);
      if (typeof bounds === "string") context.invalid(address, bounds);
      else if (bounds.surplus) tellSurplus(context);
      return typeof bounds === "string" || port === undefined ? undefined : { ...bounds.range, port };
    },
  },
  { loses: "entry", meaning: "Each of these addresses, with the port, is a service." },
);

const tellSurplus = ({ entry, word, report }: OptionContext): void =>
  report({
    place: entry.at(word),
    severity: "error",
    code: "invalid-number",
    errorClass: "invalid-number",
    message: `'${word.text}': something follows the number of the last address`,
    used: "the number",
  });

interface Bounds {
  readonly range: { readonly first: IpAddress; readonly last: IpAddress };
  /** Something follows the number at its end. */
  readonly surplus: boolean;
}

/** What was expected, where the text is no range. */
function readRange(text: string): Bounds | string {
  const [start = ""] = text.split(/[-/]/, 1);
  const first = parseIp(start);
  if (first === undefined) return "an address, or a range like 192.0.2.1-9";
  const family = ipFamily(first);
  const length = /\/(.*)$/s.exec(text)?.[1];
  if (length !== undefined) return ofPrefix(first, length);
  const end = /-(.*)$/s.exec(text)?.[1];
  if (end === undefined) return { range: { first, last: first }, surplus: false };
  if (!end.includes(family === 4 ? "." : ":")) return ofNumber(first, end);
  const last = parseIp(end);
  if (last === undefined || ipFamily(last) !== family) return `an IPv${family} address after the -`;
  return compareIp(first, last) > 0 ? "the smaller address first" : { range: { first, last }, surplus: false };
}

function ofPrefix(first: IpAddress, word: string): Bounds | string {
  const bytes = ipToBytes(first);
  const bits = bytes.length * 8;
  const length = /^\d{1,3}$/.test(word) ? Number(word) : 0;
  if (length < 1 || length > bits) return `a prefix length from 1 to ${bits}`;
  const hostBits = bytes.map((_, index) => 0xff >> Math.max(0, Math.min(8, length - 8 * index)));
  if (bytes.some((byte, index) => (byte & (hostBits[index] ?? 0)) !== 0)) {
    return `the first address of the network, with nothing behind its first ${length} bits`;
  }
  const last = ipFromBytes(bytes.map((byte, index) => byte | (hostBits[index] ?? 0)));
  return { range: { first, last }, surplus: false };
}

/** `192.0.2.1-9` or `2001:db8::1-ff`: the last byte, or the last group in hexadecimal digits. */
function ofNumber(first: IpAddress, word: string): Bounds | string {
  const bytes = ipToBytes(first);
  const [size, base] = bytes.length === 4 ? [1, 10] : [2, 16];
  const digits = (base === 10 ? /^\d+/ : /^(?:0[xX])?[0-9a-fA-F]+/).exec(word)?.[0] ?? "";
  const number = digits === "" ? 0 : Number.parseInt(digits, base);
  const start = bytes.subarray(-size).reduce((sum, byte) => sum * 256 + byte, 0);
  const most = 256 ** size - 1;
  if (number > most) return `a number up to ${most.toString(base)} after the -`;
  if (number <= start) return `a number above ${start.toString(base)} after the -`;
  const end = size === 1 ? [number] : [number >> 8, number & 0xff];
  const last = ipFromBytes(Uint8Array.from([...bytes.subarray(0, -size), ...end]));
  return { range: { first, last }, surplus: digits.length < word.length };
}

const families = new Map([
  ["inet", 4],
  ["inet6", 6],
] as const);

export const mark = option<MarkLine>(
  "fwmark",
  {
    syntax: "N [inet|inet6]",
    range: `0 to ${uint32Max}`,
    read: (words, context) => {
      const number = words.take();
      const familyWord = words.peek() === undefined ? undefined : words.take();
      takeRest(words);
      if (number === undefined) return undefined;
      const { value, problem } = readNumber(number.text, { min: 0, max: uint32Max, decimals: 0 });
      if (problem !== undefined) tellNumber(number.text, value, context);
      const family = [...families].find(([name]) => name === familyWord?.text)?.[1];
      if (familyWord !== undefined && family === undefined) context.invalid(familyWord, "inet or inet6");
      const usable = value !== undefined && (familyWord === undefined || family !== undefined);
      return usable ? { mark: value, family } : undefined;
    },
  },
  {
    loses: "entry",
    default: "the family of the virtual server, or inet",
    meaning: "Packets with this firewall mark, of one family or of both, are a service.",
  },
);

const tellNumber = (text: string, value: number | undefined, { entry, word, report }: OptionContext): void =>
  report({
    place: entry.at(word),
    severity: "error",
    code: "invalid-number",
    errorClass: "general-error",
    message: `'${text}' is no firewall mark`,
    used: value === undefined ? undefined : `fwmark ${value}`,
    hint: `write fwmark and a number from 0 to ${uint32Max}`,
  });

export const groupForm = entryForm({ mark }, { rest: range, missingValue: "ends" });

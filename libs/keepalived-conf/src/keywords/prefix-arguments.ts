// Words that are an address with the length of its network's prefix, or alone.
import { type IpAddress, ipFamily, parseIp, unspecifiedIp } from "@baton/domain";
import type { Report } from "../report.ts";
import type { Word } from "../source/words.ts";
import { readNumber } from "./arguments.ts";
import type { Entry, OptionArgument } from "./table.ts";

export interface Prefix {
  readonly address: IpAddress;
  readonly prefixLength: number;
}

/** undefined: no address. A length that is none is taken for the whole address, and reported. */
export function parsePrefix(word: Word, entry: Entry, report: Report): Prefix | undefined {
  const slash = word.text.indexOf("/");
  const address = parseIp(slash < 0 ? word.text : word.text.slice(0, slash));
  if (address === undefined) return undefined;
  const max = ipFamily(address) === 4 ? 32 : 128;
  if (slash < 0) return { address, prefixLength: max };
  const { value, problem } = readNumber(word.text.slice(slash + 1), { min: 0, max, decimals: 0 });
  if (problem !== undefined) {
    report({
      place: entry.at(word),
      severity: "warning",
      code: "prefix-length",
      errorClass: "general-error",
      // The line stays: what becomes of it otherwise is not told.
      message: `prefix length: ${problem.replace(/;.*/s, "")}`,
      used: `${address}/${value ?? max}`,
    });
  }
  return { address, prefixLength: value ?? max };
}

/** undefined: no address, or no length. */
export function plainPrefix(text: string): Prefix | undefined {
  const slash = text.indexOf("/");
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const max = ipFamily(address) === 4 ? 32 : 128;
  const length = slash < 0 ? max : readNumber(text.slice(slash + 1), { min: 0, max, decimals: 0, strict: true }).value;
  return length === undefined ? undefined : { address, prefixLength: length };
}

export const prefix: OptionArgument<Prefix> = {
  syntax: "ADDR[/LEN]",
  range: "IPv4 or IPv6; 0 to 32 or 128",
  read: (words, { report, entry, invalid }) => {
    const word = words.take();
    const found = word && parsePrefix(word, entry, report);
    if (word !== undefined && found === undefined) invalid(word, "an IP address, and its prefix length after a slash");
    return found;
  },
};

/** A destination or source of routes and rules. */
export interface Selector extends Prefix {
  /** undefined: everything, in the family that the rest of the line says. */
  readonly family: 4 | 6 | undefined;
}

const everything = new Set(["default", "any", "all"]);

/** `ADDR[/LEN]`, `default`, `any` or `all`; `default6`, which is old, for all of IPv6. */
export const selector: OptionArgument<Selector> = {
  syntax: "ADDR[/LEN]|default",
  range: "IPv4 or IPv6; 0 to 32 or 128",
  read: (words, { report, entry, invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    if (everything.has(word.text)) return { address: unspecifiedIp(4), prefixLength: 0, family: undefined };
    if (word.text === "default6") return { address: unspecifiedIp(6), prefixLength: 0, family: 6 };
    const found = parsePrefix(word, entry, report);
    if (found === undefined) invalid(word, "an IP address with its prefix length, or default");
    return found === undefined ? undefined : { ...found, family: ipFamily(found.address) };
  },
};

/** An address without a prefix length. */
export const addressOnly: OptionArgument<IpAddress> = {
  syntax: "ADDR",
  range: "IPv4 or IPv6",
  read: (words, { invalid }) => {
    const word = words.take();
    const address = word && parseIp(word.text);
    if (word !== undefined && address === undefined) invalid(word, "an IP address");
    return address;
  },
};

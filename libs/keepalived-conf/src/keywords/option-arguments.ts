// The simple types of the words of a value block's line.
import type { RoutingNames } from "../machine.ts";
import { interfaceMissing } from "./interface-missing.ts";
import { nearestName } from "./nearest.ts";
import { knownRoutingNames } from "./routing-names.ts";
import type { OptionArgument } from "./table.ts";

/** A word of its own choice; at most `max` octets where the kernel has no room for more. */
export const name = (max?: number): OptionArgument<string> => ({
  syntax: "NAME",
  range: max === undefined ? "" : `up to ${max} characters`,
  read: (words, { invalid }) => {
    const word = words.take();
    if (word === undefined || max === undefined || word.text.length <= max) return word?.text;
    invalid(word, `at most ${max} characters`);
    return undefined;
  },
});

export const existingInterface: OptionArgument<string> = {
  syntax: "IFNAME",
  range: "an interface of the machine",
  read: (words, { entry, machine, dynamicInterfaces, report }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    if (dynamicInterfaces || machine.interfaceExists?.(word.text) !== false) return word.text;
    report(interfaceMissing(entry.at(word), word.text));
    return undefined;
  },
};

/**
 * A number, or a name that iproute2 has for one. Numbers may be hexadecimal or octal as C writes them; like keepalived,
 * we keep the low 32 bits of those that are too big.
 */
export const routingNumber = (table: RoutingNames, max: number): OptionArgument<number> => ({
  syntax: "N|NAME",
  range: `0 to ${max}, or a name of ${table}`,
  read: (words, { machine, invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const known = knownRoutingNames[table];
    const number = numberOf(word.text) ?? machine.routingNumber?.(table, word.text) ?? known.get(word.text);
    if (number !== undefined && number <= max) return number;
    const nearest = nearestName(word.text, [...known.keys()]);
    invalid(word, nearest === undefined ? `a number up to ${max} or a name of ${table}` : `${nearest}, or a number`);
    return undefined;
  },
});

/** As strtoul(3) reads it with base 0. */
export function numberOf(text: string): number | undefined {
  const match = /^[ \t\f\n\r\v]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const limited = size > 0xffff_ffff_ffff_ffffn ? 0xffff_ffff_ffff_ffffn : sign === "-" ? -size : size;
  return Number(BigInt.asUintN(32, limited));
}

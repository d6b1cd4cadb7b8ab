// The simple types of the words of a value block's line.
import type { NameTable } from "../machine.ts";
import type { Word } from "../source/words.ts";
import { interfaceMissing } from "./interface-missing.ts";
import { nearestName } from "./nearest.ts";
import { knownNames } from "./number-names.ts";
import type { OptionArgument, OptionContext } from "./table.ts";

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
 * we keep the low 32 bits of those that are too big, and say so.
 */
export const numberOrName = (table: NameTable, max: number): OptionArgument<number> => ({
  syntax: "N|NAME",
  range: `0 to ${max}, or a name of ${table}`,
  read: (words, context) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const number = lookUp(word.text, word, table, context);
    if (number !== undefined && number <= max) return number;
    const nearest = nearestName(word.text, [...knownNames[table].keys()]);
    context.invalid(
      word,
      nearest === undefined ? `a number up to ${max} or a name of ${table}` : `${nearest}, or a number`,
    );
    return undefined;
  },
});

/** `text` is `word`, or a part of it. undefined: neither a number nor a name. */
export function lookUp(text: string, word: Word, table: NameTable, context: OptionContext): number | undefined {
  const number = unsigned(text);
  if (number === undefined) return context.machine.numberOfName?.(table, text) ?? knownNames[table].get(text);
  return fitting(number, 32, word, context);
}

/** The low bits of a number, as keepalived keeps them; reported where there are more. */
export function fitting(
  number: bigint,
  bits: number,
  word: Word,
  { report, entry, word: option }: OptionContext,
): number {
  const kept = low(number, bits);
  if (BigInt(kept) !== number) {
    report({
      place: entry.at(word),
      severity: "warning",
      code: "number-wraps",
      errorClass: "ok",
      message: `${option.text}: ${number} does not fit into ${bits} bits`,
      used: String(kept),
    });
  }
  return kept;
}

/** As strtoul(3) reads it with base 0: decimal, 0x hexadecimal, 0 octal. */
export function unsigned(text: string): bigint | undefined {
  const match = /^[ \t\f\n\r\v]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const size = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const limit = 0xffff_ffff_ffff_ffffn;
  return size > limit ? limit : sign === "-" ? -size : size;
}

export const low = (number: bigint, bits: number): number => Number(BigInt.asUintN(bits, number));

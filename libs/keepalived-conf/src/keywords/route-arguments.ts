// The values of words in routes and rules: families, realms, metrics that can be locked, times of TCP.
import { type IpAddress, type Micros, micros } from "@baton/domain";
import type { RealmsConfig } from "../config/routes.ts";
import { integer, readNumber, uint32Max } from "./arguments.ts";
import { routeTypes } from "./number-names.ts";
import { one, option } from "./option.ts";
import { lookUp, low, unsigned } from "./option-arguments.ts";
import { addressOnly, type Selector, selector } from "./prefix-arguments.ts";
import type { OptionArgument } from "./table.ts";

export const uint = (max = uint32Max): OptionArgument<number> => one(integer({ min: 0, max, strict: true }));

/** 0 or 1. */
export const zeroOne: OptionArgument<boolean> = {
  syntax: "0|1",
  range: "",
  read: (words, { invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const value = readNumber(word.text, { min: 0, max: 1, decimals: 0, strict: true }).value;
    if (value === undefined) invalid(word, "0 or 1");
    return value === undefined ? undefined : value === 1;
  },
};

/** keepalived passes over the word behind a family's name. What becomes of the line is told where it breaks. */
export const familyName = (family: 4 | 6): OptionArgument<4 | 6> => ({
  syntax: "",
  range: "",
  read: (words, { report, entry, word }) => {
    const next = words.peek();
    if (next === undefined) return family;
    words.take();
    if (next.text === word.text) return family;
    report({
      place: entry.at(next),
      severity: "warning",
      code: "word-skipped",
      errorClass: "ok",
      message: `keepalived does not read the word behind ${word.text}, nor do we: '${next.text}' has no effect`,
      hint: `write ${word.text} ${word.text} …, or leave it out where an address tells the family`,
    });
    return family;
  },
});

export interface Via {
  readonly address: IpAddress;
  /** Written before the address. */
  readonly family: 4 | 6 | undefined;
}

/** `[inet|inet6] ADDR`. */
export const via: OptionArgument<Via> = {
  syntax: "[inet|inet6] ADDR",
  range: "",
  read: (words, context) => {
    const name = words.peek()?.text;
    const family = name === "inet" ? 4 : name === "inet6" ? 6 : undefined;
    if (family !== undefined) words.take();
    const address = addressOnly.read(words, context);
    return address === undefined ? undefined : { address, family };
  },
};

export interface Locked<T> {
  readonly value: T;
  readonly locked: boolean;
}

/** `[lock] VALUE`: the kernel must not change it. */
export const lockable = <T>(argument: OptionArgument<T>): OptionArgument<Locked<T>> => ({
  syntax: `[lock] ${argument.syntax}`,
  range: argument.range,
  read: (words, context) => {
    const locked = words.peek()?.text === "lock";
    if (locked) words.take();
    const value = argument.read(words, context);
    return value === undefined ? undefined : { value, locked };
  },
});

/** What the kernel takes for round trips, in milliseconds. */
const tripMin = 200;
const tripMax = 120_000;

/** A time in `units` to the millisecond, or in seconds (s, sec, secs) or milliseconds (ms …) when it says so. */
export const tripTime = (units: number): OptionArgument<Micros> => ({
  syntax: "TIME",
  range: `0.2s to 120s; without s or ms in 1/${units * 1000} s`,
  read: (words, { report, entry, word: option, invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const count = parseTrip(word.text, units);
    if (count === undefined) {
      invalid(word, `a time from 0.2s to 120s, as in 300ms`);
      return undefined;
    }
    const fitting = Math.min(tripMax * units, Math.max(tripMin * units, count.value));
    if (fitting !== count.value || count.rounded) {
      report({
        place: entry.at(word),
        severity: "warning",
        code: "time-range",
        errorClass: "general-error",
        message: `${option.text}: ${word.text} is not from 0.2 s to 120 s in whole milliseconds`,
        used: `${option.text} ${fitting / units}ms`,
      });
    }
    return micros((fitting * 1000) / units);
  },
});

/** In the kernel's units. undefined: no time, or one that keepalived does not reduce to the longest. */
function parseTrip(text: string, units: number): { value: number; rounded: boolean } | undefined {
  // The first s begins the unit; what stands behind the decimals that count is cut off unread.
  const match = /^[ \t\f\n\r\v]*(\d*)(?:\.([^sS]*?))?(?:(m?)(?:s|sec|secs))?$/i.exec(text);
  const [whole = "", fraction = "", milli] = match?.slice(1) ?? [];
  const decimals = milli === "" ? 3 : 0;
  const read = /^\d*$/.test(fraction.slice(0, decimals)) && !/e/i.test(fraction);
  if (match === null || !read || (whole === "" && fraction === "")) return undefined;
  const digits = Number(whole + fraction.slice(0, decimals).padEnd(decimals, "0"));
  const value = digits + ((fraction[decimals] ?? "0") >= "5" ? 1 : 0);
  // keepalived measures before it multiplies.
  if (value > tripMax * units) return undefined;
  return { value: milli === undefined ? value : value * units, rounded: fraction.length > decimals };
}

/** `[SOURCE/]DESTINATION`, numbers up to 255 or names. */
export const realms: OptionArgument<RealmsConfig> = {
  syntax: "[SOURCE/]DESTINATION",
  range: "0 to 255, or names of rt_realms",
  read: (words, context) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const slash = word.text.indexOf("/");
    const parts = slash < 0 ? ["0", word.text] : [word.text.slice(0, slash), word.text.slice(slash + 1)];
    const [source, destination] = parts.map((part) => lookUp(part, word, "rt_realms", context));
    if (source !== undefined && destination !== undefined && source <= 255 && destination <= 255)
      return { source, destination };
    context.invalid(word, "numbers up to 255 or names of rt_realms, as in 1/2");
    return undefined;
  },
};

/** RTN_*, by name or number; undefined: it is none. */
export function routeTypeOf(text: string): number | undefined {
  const number = routeTypes.get(text) ?? unsigned(text);
  if (typeof number !== "bigint") return number;
  return number >= 0n && number <= 255n ? low(number, 8) : undefined;
}

export const routeType = option(
  "(type)",
  {
    syntax: [...routeTypes.keys()].join("|"),
    range: "or its number",
    read: (words) => {
      const type = routeTypeOf(words.peek()?.text ?? "");
      if (type !== undefined) words.take();
      return type;
    },
  },
  { default: "unicast", meaning: "Stands before the destination: what the kernel does with the packets." },
);

export interface Destination {
  /** undefined: not written. */
  readonly type: number | undefined;
  readonly selector: Selector;
}

/** `[TYPE] DESTINATION`. */
export const typedDestination: OptionArgument<Destination> = {
  ...selector,
  read: (words, context) => {
    const type = routeType.argument.read(words, context);
    const found = selector.read(words, context);
    return found === undefined ? undefined : { type, selector: found };
  },
};

/** `to DESTINATION`: no type may come between. */
export const plainDestination: OptionArgument<Destination> = {
  ...selector,
  read: (words, context) => {
    const found = selector.read(words, context);
    return found === undefined ? undefined : { type: undefined, selector: found };
  },
};

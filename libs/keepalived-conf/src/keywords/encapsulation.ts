// `encap` of a route or next hop: ip, ip6, mpls or ila, and what belongs to each (ip-route(8), lwtunnel.h).
import { ipFamily, parseIp } from "@baton/domain";
import type { EncapsulationConfig } from "../config/routes.ts";
import type { Word } from "../source/words.ts";
import { readNumber } from "./arguments.ts";
import { lookUp, low, unsigned } from "./option-arguments.ts";
import type { EntryWords, OptionArgument, OptionContext } from "./table.ts";

type Tunnel = Extract<EncapsulationConfig, { readonly type: "ip" | "ip6" }>;
type Member = Exclude<keyof Tunnel, "type">;

/** A word of a tunnel, and how its value is read. */
interface TunnelWord {
  readonly member: Member;
  readonly expected: string;
  parse(text: string, word: Word, context: OptionContext): string | number | undefined;
}

const whole = (max: number) => (text: string) => readNumber(text, { min: 0, max, decimals: 0, strict: true }).value;
const ofFamily = (family: 4 | 6) => (text: string) => {
  const address = parseIp(text);
  return address !== undefined && ipFamily(address) === family ? address : undefined;
};

/** Decimal text of 64 bits. */
export const bits64 = (text: string): string | undefined => {
  const digits = /^[ \t\f\n\r\v]*\+?(\d+)$/.exec(text)?.[1];
  const number = digits === undefined ? undefined : BigInt(digits);
  return number !== undefined && number <= 0xffff_ffff_ffff_ffffn ? String(number) : undefined;
};

const tunnelWords = (family: 4 | 6): Readonly<Record<string, TunnelWord>> => ({
  id: { member: "id", expected: "a number of 64 bits", parse: bits64 },
  dst: { member: "destination", expected: `an IPv${family} address`, parse: ofFamily(family) },
  src: { member: "source", expected: `an IPv${family} address`, parse: ofFamily(family) },
  [family === 4 ? "tos" : "tc"]: {
    member: "typeOfService",
    expected: "a number up to 255 or a name of rt_dsfield",
    parse: (text, word, context) => {
      const number = lookUp(text, word, "rt_dsfield", context);
      return number === undefined || number > 255 ? undefined : number;
    },
  },
  [family === 4 ? "ttl" : "hoplimit"]: { member: "hopLimit", expected: "a number up to 255", parse: whole(255) },
  flags: { member: "flags", expected: "a number up to 65535", parse: whole(65_535) },
});

const words4 = tunnelWords(4);
const words6 = tunnelWords(6);

/** Stops in front of what is not its own, and of what is not understood: keepalived reads that as a part of the route. */
function readTunnel(type: "ip" | "ip6", words: EntryWords, context: OptionContext): Tunnel | undefined {
  const known = type === "ip" ? words4 : words6;
  const found: Partial<Record<Member, string | number>> = {};
  for (;;) {
    const [name, value] = [words.peek(), words.peek(1)];
    const word = name !== undefined && Object.hasOwn(known, name.text) ? known[name.text] : undefined;
    if (word === undefined || value === undefined) break;
    const parsed = word.parse(value.text, value, context);
    if (parsed === undefined) {
      context.invalid(value, word.expected);
      return undefined;
    }
    found[word.member] = parsed;
    words.take();
    words.take();
  }
  if (found.destination === undefined && found.id === undefined) {
    context.invalid(context.word, `encap ${type} with dst or id`);
    return undefined;
  }
  return tunnelOf(type, found);
}

function tunnelOf(type: "ip" | "ip6", found: Partial<Record<Member, string | number>>): Tunnel {
  const number = (value: string | number | undefined) => (typeof value === "number" ? value : undefined);
  const address = (value: string | number | undefined) => (typeof value === "string" ? parseIp(value) : undefined);
  return {
    type,
    id: found.id === undefined ? undefined : String(found.id),
    destination: address(found.destination),
    source: address(found.source),
    typeOfService: number(found.typeOfService),
    hopLimit: number(found.hopLimit),
    flags: number(found.flags),
  };
}

/** keepalived has room for so many; a label has 20 bits (RFC 3032). */
const labelsMax = 2;

function parseLabels(text: string): number[] | undefined {
  const labels = text.trim().split("/").map(unsigned);
  const fit = labels.every((label) => label !== undefined && label >= 0n && label <= 0xf_ffffn);
  return fit && labels.length <= labelsMax ? labels.map((label) => low(label ?? 0n, 32)) : undefined;
}

/** Four groups of up to 16 bits in hexadecimal. */
function parseLocator(text: string): readonly [number, number, number, number] | undefined {
  const groups = text.trim().split(":");
  const [a, b, c, d] = groups.map((group) =>
    /^0*[0-9a-fA-F]{1,4}$/.test(group) ? Number.parseInt(group, 16) : undefined,
  );
  if (groups.length !== 4 || a === undefined || b === undefined || c === undefined || d === undefined) return undefined;
  return [a, b, c, d];
}

export const encapsulation: OptionArgument<EncapsulationConfig> = {
  syntax:
    "ip [id N] [dst ADDR] [src ADDR] [tos N] [ttl N] [flags N] | ip6 … [tc N] [hoplimit N] | mpls N[/N] | ila LOCATOR",
  range: "ip and ip6: dst or id has to be there",
  read: (words, context) => {
    const type = words.peek();
    if (type === undefined) {
      context.invalid(context.word, "encap ip, ip6, mpls or ila");
      return undefined;
    }
    words.take();
    if (type.text === "ip" || type.text === "ip6") return readTunnel(type.text, words, context);
    // Of a type that it does not know, keepalived passes over one word more.
    const value = words.peek();
    if (value !== undefined) words.take();
    if (type.text !== "mpls" && type.text !== "ila") {
      context.invalid(type, "encap ip, ip6, mpls or ila");
      return undefined;
    }
    if (value === undefined) context.invalid(type, type.text === "mpls" ? "mpls LABEL" : "ila LOCATOR");
    return value === undefined ? undefined : readAddress(type.text, value, context);
  },
};

function readAddress(type: "mpls" | "ila", value: Word, context: OptionContext): EncapsulationConfig | undefined {
  if (type === "mpls") {
    const labels = parseLabels(value.text);
    if (labels === undefined) context.invalid(value, `one or two labels of 20 bits, as in 100/200`);
    return labels && { type, labels };
  }
  const locator = parseLocator(value.text);
  if (locator === undefined) context.invalid(value, "four groups of 16 bits, as in 1:2:3:4");
  return locator && { type, locator };
}

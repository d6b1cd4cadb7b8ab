// The words of a line that is a rule: `virtual_rules` and `static_rules` (ip-rule(8)).
import type { RangeConfig, RuleAction } from "../config/routes.ts";
import type { Word } from "../source/words.ts";
import { int32Max, readNumber, uint32Max } from "./arguments.ts";
import { bits64 } from "./encapsulation.ts";
import { knownNames } from "./number-names.ts";
import { entryForm, option, optionAlias, present } from "./option.ts";
import { existingInterface, fitting, low, name, numberOrName, unsigned } from "./option-arguments.ts";
import { selector } from "./prefix-arguments.ts";
import { familyName, realms, routeTypeOf, uint } from "./route-arguments.ts";
import type { EntryWords, Option, OptionArgument, OptionContext } from "./table.ts";

const selecting = <T>(word: string, argument: OptionArgument<T>, meaning: string, absent = "any"): Option<T> =>
  option(word, argument, { loses: "entry", default: absent, meaning });

/** One word, by `parse`. */
const word = <T>(
  syntax: string,
  range: string,
  parse: (text: string, taken: Word, context: OptionContext) => T | undefined,
): OptionArgument<T> => ({
  syntax,
  range,
  read: (words, context) => {
    const taken = words.take();
    if (taken === undefined) return undefined;
    const value = parse(taken.text, taken, context);
    if (value === undefined) context.invalid(taken, `${range}${syntax.includes("-") ? ", as in 1000-2000" : ""}`);
    return value;
  },
});

/** Decimal, 0x hexadecimal or 0 octal, and 0 for an empty word; more than 32 bits are too many here. */
const number32 = word("N", `0 to ${uint32Max}`, (text) => {
  const number = text.trim() === "" ? 0n : unsigned(text);
  return number !== undefined && number >= 0n && number <= BigInt(uint32Max) ? low(number, 32) : undefined;
});

/** keepalived cuts ports to 16 bits and users to 32, and reads no further than the second number. */
const range = (bits: number): OptionArgument<RangeConfig> =>
  word("FIRST-LAST", `two numbers up to ${2 ** bits - 1} with - between`, (text, taken, context) => {
    const match = /^\s*(\d+)-\s*(\d+)/.exec(text);
    if (match === null) return undefined;
    const [first, last] = [match[1], match[2]].map((digits) => fitting(BigInt(digits ?? 0), bits, taken, context));
    return first === undefined || last === undefined ? undefined : { first, last };
  });

/** `MARK[/MASK]`. */
const mark = word("MARK[/MASK]", "numbers of 32 bits", (text) => {
  const slash = text.indexOf("/");
  const value = text.slice(0, slash < 0 ? undefined : slash);
  const mask = slash < 0 ? String(uint32Max) : text.slice(slash + 1);
  const [first, second] = [value, mask].map((part) => (part === "" ? 0n : unsigned(part)));
  const fits = (number: bigint | undefined) => number !== undefined && number >= 0n && number <= BigInt(uint32Max);
  if (!fits(first) || !fits(second) || /^\s/.test(mask)) return undefined;
  return { value: low(first ?? 0n, 32), mask: low(second ?? 0n, 32) };
});

/** keepalived takes numbers up to 127 only, and any name of /etc/protocols. */
const ipProtocol = word("N|NAME", "0 to 127, or a name of /etc/protocols", (text, _taken, { machine }) => {
  if (!/^\s*\+?\d+$/.test(text)) return machine.numberOfName?.("protocols", text) ?? knownNames.protocols.get(text);
  return readNumber(text, { min: 0, max: 127, decimals: 0, strict: true }).value;
});

/** Of those that a rule can have; linux/fib_rules.h numbers them as routes' types. */
const actions: ReadonlyMap<number, RuleAction> = new Map([
  [6, { type: "blackhole" }],
  [7, { type: "unreachable" }],
  [8, { type: "prohibit" }],
]);

function readAction(words: EntryWords, context: OptionContext): RuleAction | undefined {
  const taken = words.take();
  if (taken === undefined) return undefined;
  if (taken.text === "goto") {
    const preference = uint().read(words, context);
    return preference === undefined ? undefined : { type: "goto", preference };
  }
  if (taken.text === "nop") return { type: "nop" };
  const action = actions.get(routeTypeOf(taken.text) ?? 0);
  if (action === undefined) refuseAction(taken, context);
  return action;
}

const refuseAction = (taken: Word, { invalid }: OptionContext): void =>
  invalid(taken, "an option, or what happens: table N, goto N, nop, blackhole, unreachable, prohibit");

export const ruleAction = option(
  "(action)",
  {
    syntax: "goto N|nop|blackhole|unreachable|prohibit",
    range: "goto: the preference of a later rule",
    read: readAction,
  },
  { loses: "entry", default: "table", meaning: "What happens to the packet, when it is not to look into a table." },
);

const table = selecting("table", numberOrName("rt_tables", uint32Max), "Looks into this table.", "(action)");
const preference = selecting(
  "preference",
  number32,
  "Gives the rule its place: lower ones are asked first.",
  "16384 and below, in the order of the file",
);
const typeOfService = selecting(
  "tos",
  numberOrName("rt_dsfield", 255),
  "Matches packets of this type of service only.",
);
const inputInterface = selecting("iif", existingInterface, "Matches packets that come in here only.");
const prefixLength = selecting(
  "suppress_prefixlength",
  uint(int32Max),
  "Passes over routes whose prefix is not longer than this.",
  "none",
);
const group = selecting(
  "suppress_ifgroup",
  numberOrName("group", int32Max),
  "Passes over routes through interfaces of this group.",
  "none",
);

/** keepalived ignores these three when it does not understand them. */
const lenient = <T>(name: string, argument: OptionArgument<T>, meaning: string, absent = "any"): Option<T> =>
  option(name, argument, { default: absent, meaning });

export const ruleOptions = {
  inet: selecting("inet", familyName(4), "Says that it is IPv4; the word behind it is not read.", "as the addresses"),
  inet6: selecting("inet6", familyName(6), "Says that it is IPv6; the word behind it is not read.", "as the addresses"),
  not: option("not", present, { default: "off", meaning: "Matches what the rest of the line does not." }),
  from: selecting("from", selector, "Matches packets from this network only."),
  to: selecting("to", selector, "Matches packets to this network only."),
  table,
  lookup: optionAlias("lookup", table),
  preference,
  priority: optionAlias("priority", preference),
  order: optionAlias("order", preference),
  typeOfService,
  dsfield: optionAlias("dsfield", typeOfService),
  mark: selecting("fwmark", mark, "Matches packets with this firewall mark only."),
  realms: selecting("realms", realms, "Marks IPv4 packets for counting and filtering.", "none"),
  suppressPrefixLength: prefixLength,
  suppressPrefixLengthShort: optionAlias("sup_pl", prefixLength),
  suppressGroup: group,
  suppressGroupShort: optionAlias("sup_group", group),
  inputInterface,
  device: optionAlias("dev", inputInterface),
  outputInterface: selecting("oif", existingInterface, "Matches packets of sockets that are bound to it only."),
  tunnelId: selecting("tunnel-id", word("N", "a number of 64 bits", bits64), "Matches packets of this tunnel only."),
  users: selecting("uidrange", range(32), "Matches packets of these users' sockets only."),
  l3mdev: selecting("l3mdev", present, "Looks into the table of the packet's VRF.", "off"),
  protocol: lenient("protocol", uint(255), "Says who made the rule; 18 as long as it is tracked.", "18"),
  ipProtocol: lenient("ipproto", ipProtocol, "Matches packets of this IP protocol only."),
  sourcePorts: lenient("sport", range(16), "Matches packets from these ports only."),
  destinationPorts: lenient("dport", range(16), "Matches packets to these ports only."),
  type: { ...optionAlias("type", ruleAction), meaning: "May stand before the action." },
  noTrack: option("no_track", present, {
    default: "off",
    meaning: "Lets the instance go on when the rule is lost.",
  }),
} as const;

const trackGroup = option("track_group", name(), {
  default: "none",
  repeat: "first",
  meaning: "Puts the instances of this track_group into fault while the rule's input interface is down.",
});

export const virtualRuleForm = entryForm(ruleOptions, { rest: ruleAction, missingValue: "ends" });

export const staticRuleForm = entryForm({ ...ruleOptions, trackGroup }, { rest: ruleAction, missingValue: "ends" });

export const ruleTrackGroup = trackGroup;

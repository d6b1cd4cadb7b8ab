// What concerns interfaces apart from any instance: static addresses, routes and rules, which stand as long as Baton runs,
// the instances that depend on them, and how changes of links are taken and told.
import { type Micros, micros } from "@baton/domain";
import type { Problem } from "../report.ts";
import type { Word } from "../source/words.ts";
import { staticAddressForm } from "./address-options.ts";
import { interfaceName, readNumber, seconds } from "./arguments.ts";
import { onlyName } from "./line-arguments.ts";
import { entryForm, option } from "./option.ts";
import { staticRouteForm } from "./route-options.ts";
import { staticRuleForm } from "./rule-options.ts";
import { accepted, asBlock, block, type OptionArgument, type OptionContext, values } from "./table.ts";

/** keepalived goes on without the line, and ends with exit code 4 when nothing else is wrong. */
const fatalProblem = (word: Word, { entry }: OptionContext, message: string): Problem => ({
  place: entry.at(word),
  severity: "error",
  code: "interface-unknown",
  errorClass: "fatal",
  message,
  hint: "dynamic_interfaces in global_defs allows it to come later",
});

function takeInterface(words: Parameters<OptionArgument<string>["read"]>[0], context: OptionContext) {
  const word = words.take();
  if (word === undefined) return undefined;
  if (context.dynamicInterfaces || context.machine.interfaceExists?.(word.text) !== false) return word.text;
  context.report(fatalProblem(word, context, `there is no interface ${word.text}`));
  return undefined;
}

export interface InterfaceDelay {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}

/** Longest delay, in seconds. */
const delayMax = 255;

function readDelay(word: Word, { report, entry }: OptionContext): number | undefined {
  const { value, problem } = readNumber(word.text, { min: 0, max: delayMax, decimals: 6 });
  if (problem !== undefined) {
    report({
      place: entry.at(word),
      severity: "error",
      code: "invalid-number",
      errorClass: "invalid-number",
      message: problem,
      hint: `write seconds from 0 to ${delayMax}`,
      used: value === undefined ? undefined : String(value / 1_000_000),
    });
  }
  return value;
}

/** keepalived says nothing of it, and takes the line for what it understands. */
const advice = (word: Word, { entry }: OptionContext, message: string): Problem => ({
  place: entry.at(word),
  severity: "warning",
  code: "interface-delay",
  errorClass: "ok",
  message,
  hint: "write INTERFACE SECONDS-BEFORE-DOWN [SECONDS-BEFORE-UP]",
});

const interfaceDelay: OptionArgument<InterfaceDelay> = {
  syntax: "IFNAME DOWN [UP]",
  range: `0 to ${delayMax} s`,
  read: (words, context) => {
    const name = takeInterface(words, context);
    const [down, up, surplus] = [0, 1, 2].map((ahead) => words.peek(ahead));
    while (words.peek() !== undefined) words.take();
    if (name === undefined) return undefined;
    if (down === undefined) {
      context.report(advice(context.word, context, "there is no delay in the line; it is left out"));
      return undefined;
    }
    if (surplus !== undefined) context.report(advice(surplus, context, `'${surplus.text}' is ignored`));
    const [before, after] = [readDelay(down, context), up === undefined ? 0 : readDelay(up, context)];
    if (before === undefined || after === undefined) return undefined;
    return { interface: name, down: micros(before), up: micros(after) };
  },
};

const methods = { MII: "mii", ETHTOOL: "ethtool", IOCTL: "ioctl" } as const;

export interface PolledInterface {
  readonly interface: string;
  readonly method: (typeof methods)[keyof typeof methods] | undefined;
}

const methodOf = (text: string): PolledInterface["method"] =>
  text === "MII" || text === "ETHTOOL" || text === "IOCTL" ? methods[text] : undefined;

const polledInterface: OptionArgument<PolledInterface> = {
  syntax: "IFNAME [MII|ETHTOOL|IOCTL]",
  range: "",
  read: (words, context) => {
    const name = takeInterface(words, context);
    const [word, surplus] = [words.peek(), words.peek(1)];
    while (words.peek() !== undefined) words.take();
    if (name === undefined) return undefined;
    const method = methodOf(word?.text ?? "");
    const wrong = word !== undefined && method === undefined ? word : surplus;
    if (wrong !== undefined) {
      context.report({
        place: context.entry.at(wrong),
        severity: "error",
        code: "invalid-value",
        errorClass: "general-error",
        message: `'${wrong.text}' is not understood and ignored`,
        hint: "write MII, ETHTOOL, IOCTL or nothing behind the interface",
      });
    }
    return { interface: name, method };
  },
};

export const delayedInterface = option("(interface)", interfaceDelay, {
  loses: "entry",
  meaning: "Takes a change of the interface for one only when it lasts for so many seconds.",
});

export const polled = option("(interface)", polledInterface, {
  loses: "entry",
  meaning: "Asks the driver for the state of this interface's link, in the way given or in the first that works.",
});

export const delayForm = entryForm({}, { first: delayedInterface });
export const polledForm = entryForm({}, { first: polled });

/** What keepalived counts in microseconds of 32 bits. */
const interval = seconds({ max: 4294.967295 });

export const garpGroup = block("garp_group", {
  owners: ["vrrp"],
  service: "dataplane",
  meaning: "Spaces the announcements that leave through some interfaces.",
  keywords: {
    garpInterval: asBlock("garp_interval", interval, {
      default: "vrrp_garp_interval",
      meaning: "Waits so long between two gratuitous ARPs.",
    }),
    gnaInterval: asBlock("gna_interval", interval, {
      default: "vrrp_gna_interval",
      meaning: "Waits so long between two unsolicited neighbour advertisements.",
    }),
    interface: asBlock("interface", interfaceName, {
      repeat: "all",
      meaning: "Puts one interface into the group.",
    }),
    interfaces: values("interfaces", {
      support: { level: "as-block" },
      meaning: "Puts interfaces into the group; together they send no faster than one.",
    }),
  },
});

export const trackGroup = block("track_group", {
  header: onlyName,
  owners: ["vrrp"],
  unique: true,
  service: "election",
  meaning: "Names the instances that depend on static addresses, routes and rules.",
  keywords: {
    group: values("group", {
      once: true,
      support: { level: "as-block" },
      meaning: "The instances, as many to a line as one likes.",
    }),
  },
});

export const staticValues = {
  staticAddresses: values("static_ipaddress", {
    form: staticAddressForm,
    service: "dataplane",
    meaning: "Addresses that stand as long as the service runs, whoever is master.",
  }),
  staticRoutes: values("static_routes", {
    form: staticRouteForm,
    service: "dataplane",
    meaning: "Routes that stand as long as the service runs, whoever is master.",
  }),
  staticRules: values("static_rules", {
    form: staticRuleForm,
    service: "dataplane",
    meaning: "Rules that stand as long as the service runs, whoever is master.",
  }),
  linkbeatInterfaces: values("linkbeat_interfaces", {
    form: polledForm,
    service: "election",
    support: accepted("info", "the kernel tells of link changes"),
    meaning: "Interfaces whose drivers tell nobody that the link is lost, and have to be asked.",
  }),
  interfaceDelays: values("interface_up_down_delays", {
    form: delayForm,
    service: "election",
    meaning: "Interfaces whose short losses of the link, or short returns, are to be passed over.",
  }),
} as const;

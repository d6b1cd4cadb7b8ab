// One line of `virtual_ipaddress`: ADDR[/LEN] and its options.
import { type IpAddress, ipFamily, ipToBytes, parseIp } from "@baton/domain";
import type { VirtualAddressConfig } from "../config.ts";
import { interfaceNameMax, readNumber } from "../keywords/arguments.ts";
import type { Entry } from "../keywords/table.ts";
import type { Word } from "../source/words.ts";
import { adjust, advise, inform, type ResolveContext, reject } from "./context.ts";
import { requireInterface } from "./interface.ts";

/** Before the instance's own interface fills what the line leaves open. */
export interface AddressLine extends Omit<VirtualAddressConfig, "interface"> {
  readonly interface: string | undefined;
  readonly entry: Entry;
}

interface Draft {
  address: IpAddress;
  prefixLength: number;
  interface: string | undefined;
  label: string | undefined;
  broadcast: IpAddress | "+" | "-" | undefined;
  scope: number;
  noPrefixRoute: boolean;
}

interface OptionContext extends ResolveContext {
  readonly entry: Entry;
  readonly dynamicInterfaces: boolean;
}

type Apply = (draft: Draft, value: Word, context: OptionContext) => boolean;
interface Option {
  readonly takes: "word" | "nothing";
  /** False: the address cannot be used. */
  readonly apply: Apply;
}

const notYetOption = (takes: Option["takes"], differs: string, say = inform): Option => ({
  takes,
  apply: (_draft, word, context) => {
    say(
      context,
      context.entry.at(word),
      "accepted",
      `${word.text}: accepted, not carried out by this version`,
      differs,
    );
    return true;
  },
});

const broadcastOption: Option = { takes: "word", apply: applyBroadcast };

const options: Readonly<Record<string, Option>> = {
  dev: { takes: "word", apply: applyDevice },
  label: { takes: "word", apply: applyLabel },
  brd: broadcastOption,
  broadcast: broadcastOption,
  scope: { takes: "word", apply: applyScope },
  noprefixroute: {
    takes: "nothing",
    apply: (draft) => {
      draft.noPrefixRoute = true;
      return true;
    },
  },
  peer: notYetOption("word", "the address is set without a peer", advise),
  preferred_lft: notYetOption("word", "the kernel prefers the address for as long as it has it"),
  home: notYetOption("nothing", "the address is an ordinary one"),
  "-nodad": notYetOption("nothing", "the kernel does not look for duplicates of a virtual address"),
  mngtmpaddr: notYetOption("nothing", "no temporary addresses are made"),
  autojoin: notYetOption("nothing", "no multicast group is joined"),
  no_track: notYetOption("nothing", "the interface of the address is not watched, unless it is the instance's own"),
  use_vmac: notYetOption("nothing", "the address has the MAC address of its interface", advise),
};

/** undefined: the line holds no usable address; reported. */
export function parseAddressLine(
  entry: Entry,
  context: ResolveContext,
  dynamicInterfaces: boolean,
): AddressLine | undefined {
  const [first, ...words] = entry.words;
  const draft = parsePrefix(first, entry, context);
  if (draft === undefined) return undefined;
  const inEntry: OptionContext = { ...context, entry, dynamicInterfaces };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    const option = Object.hasOwn(options, word.text) ? options[word.text] : undefined;
    if (option === undefined) {
      reject(
        context,
        entry.at(word),
        "address-option",
        `'${word.text}' is no option of an address and is ignored`,
        `known are ${Object.keys(options).join(", ")}`,
      );
      continue;
    }
    const value = option.takes === "word" ? words[++i] : word;
    if (value === undefined) {
      reject(context, entry.at(word), "address-option", `${word.text} lacks its value; ${first.text} is left out`);
      return undefined;
    }
    if (!option.apply(draft, value, inEntry)) return undefined;
  }
  return { ...draft, broadcast: resolveBroadcast(draft, inEntry), entry };
}

function parsePrefix(word: Word, entry: Entry, context: ResolveContext): Draft | undefined {
  const slash = word.text.indexOf("/");
  const address = parseIp(slash < 0 ? word.text : word.text.slice(0, slash));
  if (address === undefined) {
    reject(
      context,
      entry.at(word),
      "address",
      `'${word.text}' is no IP address and is left out`,
      "write ADDRESS/PREFIXLENGTH",
    );
    return undefined;
  }
  const max = ipFamily(address) === 4 ? 32 : 128;
  let prefixLength = max;
  if (slash >= 0) {
    const { value, problem } = readNumber(word.text.slice(slash + 1), { min: 0, max, decimals: 0 });
    prefixLength = value ?? max;
    if (problem !== undefined)
      adjust(context, entry.at(word), "prefix-length", `prefix length: ${problem}`, {
        used: `${address}/${prefixLength}`,
      });
  }
  return {
    address,
    prefixLength,
    interface: undefined,
    label: undefined,
    broadcast: undefined,
    scope: 0,
    noPrefixRoute: false,
  };
}

function applyDevice(draft: Draft, value: Word, context: OptionContext): boolean {
  if (draft.interface !== undefined) {
    reject(context, context.entry.at(value), "address-option", `${draft.address} has two interfaces and is left out`);
    return false;
  }
  draft.interface = value.text;
  return requireInterface(value.text, context.entry.at(value), context, context.dynamicInterfaces);
}

function applyLabel(draft: Draft, value: Word, context: OptionContext): boolean {
  if (value.text.length > interfaceNameMax) {
    reject(
      context,
      context.entry.at(value),
      "address-label",
      `the label is longer than ${interfaceNameMax} characters; ${draft.address} is left out`,
    );
    return false;
  }
  if (ipFamily(draft.address) === 6) {
    adjust(context, context.entry.at(value), "address-label", "IPv6 addresses have no labels; it is ignored");
    return true;
  }
  draft.label = value.text;
  return true;
}

function applyBroadcast(draft: Draft, value: Word, context: OptionContext): boolean {
  const address = parseIp(value.text);
  const valid = value.text === "+" || value.text === "-" || (address !== undefined && ipFamily(address) === 4);
  if (!valid || ipFamily(draft.address) === 6) {
    reject(
      context,
      context.entry.at(value),
      "broadcast",
      `${draft.address} cannot have the broadcast address ${value.text} and is left out`,
      "write an IPv4 address, + or -",
    );
    return false;
  }
  draft.broadcast = address ?? (value.text === "+" ? "+" : "-");
  return true;
}

/** linux/rtnetlink.h, and /etc/iproute2/rt_scopes. */
const scopes: Readonly<Record<string, number>> = {
  global: 0,
  universe: 0,
  site: 200,
  link: 253,
  host: 254,
  nowhere: 255,
};

function applyScope(draft: Draft, value: Word, context: OptionContext): boolean {
  const scope = Object.hasOwn(scopes, value.text) ? scopes[value.text] : undefined;
  const number = scope ?? (/^\d{1,3}$/.test(value.text) ? Number(value.text) : 256);
  if (number > 255) {
    adjust(
      context,
      context.entry.at(value),
      "scope",
      `'${value.text}' is no scope and is ignored`,
      `write ${Object.keys(scopes).join(", ")} or a number up to 255`,
    );
  } else if (ipFamily(draft.address) === 6) {
    adjust(
      context,
      context.entry.at(value),
      "scope",
      "the kernel sets the scope of IPv6 addresses itself; it is ignored",
    );
  } else draft.scope = number;
  return true;
}

/** `+` sets all bits behind the prefix, `-` clears them. */
function resolveBroadcast(draft: Draft, context: OptionContext): IpAddress | undefined {
  const { broadcast, prefixLength, address } = draft;
  if (broadcast !== "+" && broadcast !== "-") return broadcast;
  if (prefixLength > 30) {
    adjust(
      context,
      context.entry.at(),
      "broadcast",
      `/${prefixLength} leaves no room for a broadcast address; there is none`,
    );
    return undefined;
  }
  const bytes = [...ipToBytes(address)].map((byte, index) => {
    const hostBits = Math.min(8, Math.max(0, 8 * (index + 1) - prefixLength));
    const mask = 2 ** hostBits - 1;
    return broadcast === "+" ? byte | mask : byte & ~mask;
  });
  return parseIp(bytes.join("."));
}

// The words of a line that is an address: `virtual_ipaddress`, `virtual_ipaddress_excluded`, `static_ipaddress`.
import { type IpAddress, ipFamily, type Micros, parseIp, secondsToMicros } from "@baton/domain";
import { interfaceNameMax, readNumber, uint32Max } from "./arguments.ts";
import { entryForm, option, optionAlias, present } from "./option.ts";
import { existingInterface, name, numberOrName } from "./option-arguments.ts";
import { prefix } from "./prefix-arguments.ts";
import type { OptionArgument } from "./table.ts";

/** `+`: all bits behind the prefix set; `-`: none. */
const broadcast: OptionArgument<IpAddress | "+" | "-"> = {
  syntax: "ADDR|+|-",
  range: "IPv4",
  read: (words, { invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    if (word.text === "+" || word.text === "-") return word.text;
    const address = parseIp(word.text);
    if (address !== undefined && ipFamily(address) === 4) return address;
    invalid(word, "an IPv4 address, + or -");
    return undefined;
  },
};

const peer: OptionArgument<IpAddress> = {
  syntax: "ADDR",
  range: "of the same family",
  read: (words, { invalid }) => {
    const word = words.take();
    if (word === undefined) return undefined;
    const address = parseIp(word.text);
    if (address === undefined) invalid(word, "an IP address without a prefix length");
    return address;
  },
};

const lifetime: OptionArgument<Micros | "forever"> = {
  syntax: "SECS|forever",
  range: `0 to ${uint32Max} s`,
  read: (words, { invalid }) => {
    const word = words.take();
    if (word === undefined || word.text === "forever") return word === undefined ? undefined : "forever";
    const { value, problem } = readNumber(word.text, { min: 0, max: uint32Max, decimals: 0 });
    if (problem !== undefined) invalid(word, "seconds, or forever");
    return value === undefined ? undefined : secondsToMicros(value);
  },
};

const broadcastOption = option("broadcast", broadcast, {
  default: "none",
  loses: "entry",
  repeat: "all",
  meaning: "Sets the broadcast address: the one given, or with + and - the highest or lowest of the prefix.",
});

const common = {
  device: option("dev", existingInterface, {
    default: "the instance's interface; of a static address default_interface",
    loses: "entry",
    repeat: "once",
    meaning: "Puts the address on this interface.",
  }),
  scope: option("scope", numberOrName("rt_scopes", 255), {
    default: "global",
    meaning: "Tells the kernel how far the IPv4 address is valid: global, site, link, host or a number.",
  }),
  broadcast: broadcastOption,
  brd: optionAlias("brd", broadcastOption),
  label: option("label", name(interfaceNameMax), {
    default: "none",
    loses: "entry",
    meaning: "Gives the IPv4 address the name under which old tools list it, as in eth0:1.",
  }),
  peer: option("peer", peer, {
    default: "none",
    repeat: "all",
    meaning: "Names the other end of a point-to-point link.",
  }),
  home: option("home", present, {
    default: "off",
    meaning: "Marks an IPv6 address as the home address of Mobile IPv6.",
  }),
  withoutNoDad: option("-nodad", present, {
    default: "off",
    meaning: "Asks that duplicate address detection be left to the kernel rather than turned off.",
  }),
  manageTemporary: option("mngtmpaddr", present, {
    default: "off",
    meaning: "Lets the kernel make temporary IPv6 addresses from this one.",
  }),
  noPrefixRoute: option("noprefixroute", present, {
    default: "off",
    meaning: "Sets the address without the route to its network.",
  }),
  autojoin: option("autojoin", present, {
    default: "off",
    meaning: "Lets the kernel join the multicast group that the address is.",
  }),
  noTrack: option("no_track", present, {
    default: "off",
    meaning: "Lets the instance go on when this address or its interface is lost.",
  }),
  preferredLifetime: option("preferred_lft", lifetime, {
    default: "forever; 0 for an IPv6 address of /128",
    meaning: "Says for how long the kernel may choose the IPv6 address for what the machine itself sends.",
  }),
} as const;

export const addressPrefix = option("(address)", prefix, {
  default: "/32 for IPv4, /128 for IPv6",
  loses: "entry",
  meaning: "The address, with the length of its network's prefix.",
});

export const virtualAddressOptions = {
  ...common,
  useVmac: option("use_vmac", present, {
    default: "off",
    meaning: "Gives this address a virtual MAC address on its interface.",
  }),
} as const;

export const staticAddressOptions = {
  ...common,
  trackGroup: option("track_group", name(), {
    default: "none",
    repeat: "first",
    meaning: "Puts the instances of this track_group into fault while the address's interface is down.",
  }),
} as const;

export const virtualAddressForm = entryForm(virtualAddressOptions, { first: addressPrefix });
export const staticAddressForm = entryForm(staticAddressOptions, { first: addressPrefix });

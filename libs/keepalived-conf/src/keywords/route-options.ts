// The words of a line that is a route: `virtual_routes` and `static_routes` (ip-route(8)).
import type { NextHopConfig, RealmsConfig } from "../config/routes.ts";
import { uint32Max } from "./arguments.ts";
import { encapsulation } from "./encapsulation.ts";
import { entryForm, option, optionAlias, present } from "./option.ts";
import { existingInterface, name, numberOrName } from "./option-arguments.ts";
import { addressOnly, selector } from "./prefix-arguments.ts";
import {
  familyName,
  lockable,
  plainDestination,
  realms,
  routeType,
  tripTime,
  typedDestination,
  uint,
  type Via,
  via,
  zeroOne,
} from "./route-arguments.ts";
import type { EntryWords, OptionArgument, OptionContext } from "./table.ts";

/** What the rest of a line is worth without a part of it, keepalived does not judge: it drops the line. */
const part = <T>(
  word: string,
  argument: OptionArgument<T>,
  meaning: string,
  settings: Parameters<typeof option>[2] = {},
) => option(word, argument, { loses: "entry", default: "none", ...settings, meaning });

const flag = (word: string, meaning: string) => option(word, present, { default: "off", meaning });
const seconds = uint();

const gateway = part("via", via, "Sends the packets to this router.");
const device = part("dev", existingInterface, "Sends the packets through this interface.");
const onlink = flag("onlink", "Takes the IPv4 gateway for a neighbour although no route to it says so.");
const encap = option("encap", encapsulation, {
  default: "none",
  meaning: "Wraps the packets: into IP, IPv6 or MPLS, or with an identifier-locator address.",
});
const realm = part("realms", realms, "Marks IPv4 packets of the route for counting and filtering.");
const typeOfService = part(
  "tos",
  numberOrName("rt_dsfield", 255),
  "Matches IPv4 packets of this type of service only.",
);
const metric = part("metric", uint(), "Prefers routes to the same destination with lower numbers.");

/** Of a next hop. 0 is as wrong as 257. */
const weight: OptionArgument<number> = {
  syntax: "N",
  range: "1 to 256",
  read: (words, context) => {
    const word = words.peek();
    const value = uint(256).read(words, context);
    if (value === 0 && word !== undefined) context.invalid(word, "a weight from 1 to 256");
    return value === 0 ? undefined : value;
  },
};

/** Before the families of the line are compared. */
export interface NextHop extends Omit<NextHopConfig, "gateway"> {
  readonly via: Via | undefined;
  readonly realms: RealmsConfig | undefined;
}

interface HopDraft {
  via?: Via;
  interface?: string;
  weight?: number;
  onlink?: boolean;
  realms?: RealmsConfig;
  encapsulation?: NextHop["encapsulation"];
}

type ReadHopWord = (draft: HopDraft, words: EntryWords, context: OptionContext) => boolean;

const hopWords: Readonly<Record<string, ReadHopWord>> = {
  via: (draft, words, context) => assign(draft, "via", via.read(words, context)),
  dev: (draft, words, context) => assign(draft, "interface", existingInterface.read(words, context)),
  weight: (draft, words, context) => assign(draft, "weight", weight.read(words, context)),
  onlink: (draft) => assign(draft, "onlink", true),
  realms: (draft, words, context) => assign(draft, "realms", realms.read(words, context)),
  encap: (draft, words, context) => {
    assign(draft, "encapsulation", encapsulation.read(words, context));
    return true;
  },
  as: (_draft, words, context) => {
    const word = words.take();
    if (word !== undefined) context.invalid(word, "the next hop without as: the kernel rewrites no IP destination");
    return false;
  },
};

function assign<Name extends keyof HopDraft>(draft: HopDraft, key: Name, value: HopDraft[Name]): boolean {
  if (value === undefined) return false;
  draft[key] = value;
  return true;
}

/** False: it is not usable; the hops before it are. */
function readHop(words: EntryWords, context: OptionContext): NextHop | undefined {
  const draft: HopDraft = {};
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const read = Object.hasOwn(hopWords, word.text) ? hopWords[word.text] : undefined;
    if (read === undefined) break;
    words.take();
    if (!read(draft, words, { ...context, word })) return undefined;
  }
  const { weight: share = 1, onlink: direct = false } = draft;
  return {
    via: draft.via,
    interface: draft.interface,
    weight: share,
    onlink: direct,
    realms: draft.realms,
    encapsulation: draft.encapsulation,
  };
}

/** To the end of the line: keepalived reads nothing else behind the first. */
const nextHops: OptionArgument<readonly NextHop[]> = {
  syntax: "[via ADDR] [dev IF] [weight N] [onlink] [realms …] [encap …] [nexthop …]",
  range: "weight 1 to 256; nothing else may follow",
  read: (words, context) => {
    const hops: NextHop[] = [];
    for (let hop = readHop(words, context); hop !== undefined; hop = readHop(words, context)) {
      hops.push(hop);
      const next = words.peek();
      if (next === undefined) return hops;
      words.take();
      if (next.text === "nexthop") continue;
      context.invalid(next, "nexthop, or nothing: other words of the route stand in front of the next hops");
      break;
    }
    while (words.peek() !== undefined) words.take();
    return hops;
  },
};

/** keepalived says that it is for MPLS only, and goes on. */
const newDestination: OptionArgument<true> = {
  syntax: "[to] ADDR",
  range: "",
  read: (words, { report, entry, word }) => {
    if (words.take()?.text === "to" && words.peek() !== undefined) words.take();
    report({
      place: entry.at(word),
      severity: "error",
      code: "unknown-option",
      errorClass: "general-error",
      message: "as: the kernel rewrites no IP destination; it is ignored",
    });
    return true;
  },
};

const choice = <T>(values: Readonly<Record<string, T>>): OptionArgument<T> => ({
  syntax: Object.keys(values).join("|"),
  range: "",
  read: (words, { invalid }) => {
    const word = words.take();
    const value = word !== undefined && Object.hasOwn(values, word.text) ? values[word.text] : undefined;
    if (word !== undefined && value === undefined) invalid(word, Object.keys(values).join(" or "));
    return value;
  },
});

/** What is neither word counts as the second. */
const propagation: OptionArgument<boolean> = {
  syntax: "enabled|disabled",
  range: "",
  read: (words, { report, entry, word: own }) => {
    const word = words.take();
    if (word !== undefined && word.text !== "enabled" && word.text !== "disabled") {
      report({
        place: entry.at(word),
        severity: "error",
        code: "invalid-value",
        errorClass: "general-error",
        message: `${own.text}: '${word.text}' is not understood`,
        used: `${own.text} disabled`,
        hint: "write enabled or disabled",
      });
    }
    return word && word.text === "enabled";
  },
};

/** ICMPV6_ROUTER_PREF_* of linux/icmpv6.h. */
const preferences: Readonly<Record<string, number>> = { low: 3, medium: 0, high: 1 };

const preference: OptionArgument<number> = {
  syntax: "low|medium|high",
  range: "or its number",
  read: (words, context) => {
    const word = words.peek()?.text ?? "";
    return Object.hasOwn(preferences, word) ? choice(preferences).read(words, context) : uint(255).read(words, context);
  },
};

const metrics = {
  mtu: part("mtu", lockable(uint()), "Limits the size of packets; with lock, path MTU discovery does not change it."),
  hopLimit: part("hoplimit", uint(255), "Sets the hop limit or TTL of what the machine sends."),
  advertisedMss: part("advmss", lockable(uint()), "Sets the segment size that TCP announces."),
  roundTripTime: part("rtt", lockable(tripTime(8)), "Sets the first guess of TCP's round trip time."),
  roundTripVariance: part("rttvar", lockable(tripTime(4)), "Sets the first guess of its variance."),
  reordering: part("reordering", lockable(uint()), "Sets how far out of order segments may come before one is lost."),
  window: part("window", uint(), "Limits the window that TCP announces."),
  congestionWindow: part("cwnd", lockable(uint()), "Limits the congestion window."),
  slowStartThreshold: part("ssthresh", lockable(uint()), "Sets the first slow start threshold."),
  retransmitMin: part("rto_min", lockable(tripTime(1)), "Sets the least time before TCP sends again."),
  initialCongestionWindow: part("initcwnd", uint(), "Sets the first congestion window, in segments."),
  initialReceiveWindow: part("initrwnd", uint(), "Sets the first window that TCP announces, in segments."),
  features: option("features", choice({ ecn: true }), {
    default: "none",
    meaning: "Turns on explicit congestion notification for the route.",
  }),
  quickAck: part("quickack", zeroOne, "Acknowledges every segment at once (1), or as usual (0)."),
  congestionControl: part("congctl", lockable(name()), "Chooses TCP's congestion control."),
  fastOpenNoCookie: part("fastopen_no_cookie", zeroOne, "Lets TCP Fast Open do without a cookie (1)."),
} as const;

export const routeDestination = option("(dest)", typedDestination, {
  loses: "entry",
  default: "none: it has to be there",
  meaning: "Where the packets go to.",
});

export const routeOptions = {
  type: routeType,
  to: {
    ...optionAlias("to", routeDestination),
    argument: plainDestination,
    meaning: "Stands before a destination that could be taken for another word.",
  },
  inet: option("inet", familyName(4), {
    loses: "entry",
    default: "as the addresses",
    meaning: "Says that it is IPv4; the word behind it is not read.",
  }),
  inet6: option("inet6", familyName(6), {
    loses: "entry",
    default: "as the addresses",
    meaning: "Says that it is IPv6; the word behind it is not read.",
  }),
  preferredSource: part("src", addressOnly, "Lets the machine itself send from this address."),
  newDestination: option("as", newDestination, { default: "none", meaning: "Has no effect on IP routes." }),
  gateway,
  gw: optionAlias("gw", gateway, "write via"),
  source: part("from", selector, "Matches packets from this IPv6 network only."),
  typeOfService,
  dsfield: optionAlias("dsfield", typeOfService),
  table: part("table", numberOrName("rt_tables", uint32Max), "Puts the route into this table.", { default: "main" }),
  protocol: part("protocol", numberOrName("rt_protos", 255), "Says who made the route; 18 as long as it is tracked.", {
    default: "18",
  }),
  scope: part("scope", numberOrName("rt_scopes", 255), "Says how far the destination is.", { default: "the kernel's" }),
  metric,
  priority: optionAlias("priority", metric),
  preferenceMetric: optionAlias("preference", metric),
  device,
  oif: optionAlias("oif", device),
  onlink,
  encap,
  expires: part("expires", seconds, "Lets the kernel remove the IPv6 route after so many seconds."),
  realms: realm,
  ...metrics,
  routerPreference: part("pref", preference, "Says how this IPv6 router compares with others.", { default: "medium" }),
  ttlPropagate: option("ttl-propagate", propagation, {
    default: "the kernel's",
    meaning: "Copies the TTL between MPLS and IP, or not.",
  }),
  add: flag("add", "Sets the route only where no equal one is."),
  prepend: option("prepend", present, { default: "on", meaning: "Sets the route in front of an equal one." }),
  append: flag("append", "Sets the route behind an equal one."),
  nextHops: option("nexthop", nextHops, {
    default: "none",
    meaning: "Shares the packets among several routers; weight says in which proportion.",
  }),
  or: part("or", addressOnly, "Adds a second router to via.", {
    repeat: "first",
    deprecated: "write nexthop via ADDR nexthop via ADDR",
  }),
  vrf: part("vrf", name(), "Puts the route into the table of this VRF."),
  noTrack: flag("no_track", "Lets the instance go on when the route is lost."),
} as const;

export const routeTrackGroup = option("track_group", name(), {
  default: "none",
  repeat: "once",
  meaning: "Puts the instances of this track_group into fault while the route's interface is down.",
});

export const virtualRouteForm = entryForm(routeOptions, { rest: routeDestination, missingValue: "ends" });

export const staticRouteForm = entryForm(
  { ...routeOptions, trackGroup: routeTrackGroup },
  { rest: routeDestination, missingValue: "ends" },
);

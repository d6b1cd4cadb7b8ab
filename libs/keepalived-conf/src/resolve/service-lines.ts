// The lines of a `virtual_server`, one after another. What some of them mean depends on what stands above them: a server
// takes the forwarding method as it is so far, a netmask is read by the family as it is so far, and the flags of sh want
// to stand behind it.
import { type IpAddress, ipFamily, ipFromBytes } from "@baton/domain";
import type { PersistenceConfig, Scheduler } from "../config.ts";
import type { VirtualServerId } from "../keywords/address-arguments.ts";
import { readNumber } from "../keywords/arguments.ts";
import { missingWordAt } from "../keywords/missing-word.ts";
import { realServer, virtualServer } from "../keywords/virtual-server.ts";
import { type Block, inOrder, isSettingOf, type Setting } from "../syntax/tree.ts";
import { advise, type ResolveContext, reject } from "./context.ts";
import { changeForwarding, type GivenForwarding, noForwarding } from "./forwarding.ts";
import { type FoundServer, type FoundSorry, forwardingOf } from "./real-server.ts";

const { keywords } = virtualServer;

/** What the lines say. */
export interface FoundService {
  family: 4 | 6 | undefined;
  forwarding: GivenForwarding;
  scheduler: Scheduler | undefined;
  readonly schedulerFlags: Set<1 | 2 | 3>;
  onePacket: boolean;
  granularity: PersistenceConfig["granularity"] | undefined;
  readonly realServers: FoundServer[];
  sorryServer: FoundSorry | undefined;
}

type Item = Setting<unknown> | Block;

export function readService(block: Block<VirtualServerId>, context: ResolveContext): FoundService {
  const found: FoundService = {
    family: block.header.kind === "address" ? ipFamily(block.header.address) : undefined,
    forwarding: noForwarding,
    scheduler: undefined,
    schedulerFlags: new Set(),
    onePacket: false,
    granularity: undefined,
    realServers: [],
    sorryServer: undefined,
  };
  for (const item of inOrder(block)) readItem(item, found, context);
  return found;
}

function readItem(item: Item, found: FoundService, context: ResolveContext): void {
  if (isSettingOf(item, keywords.family)) readFamily(item, found, context);
  else if (isSettingOf(item, keywords.forwarding)) found.forwarding = changeForwarding(found.forwarding, item.value);
  else if (isSettingOf(item, keywords.scheduler)) found.scheduler = item.value;
  else if (isSettingOf(item, keywords.onePacket)) found.onePacket = true;
  else if (isSettingOf(item, keywords.persistenceGranularity)) readGranularity(item, found, context);
  else if (isSorryLine(item)) readSorry(item, found, context);
  else if (isRealServer(item)) readRealServer(item, found, context);
  else if (isSetting(item)) readFlag(item, found, context);
}

const isSetting = (item: Item): item is Setting<unknown> => "keyword" in item;

function readFamily(line: Setting<"inet" | "inet6">, found: FoundService, context: ResolveContext): void {
  const family = line.value === "inet" ? 4 : 6;
  if (found.family === undefined || found.family === family) found.family = family;
  else {
    const message = `ip_family ${line.value} contradicts the IPv${found.family} that is known already; it is ignored`;
    reject(context, line.place, "address-family", message);
  }
}

/** Keywords that are flags of one scheduler, and what they are to it (linux/ip_vs.h). */
const ownFlags = new Map<Setting<unknown>["keyword"], { scheduler: "sh" | "mh"; flag: 1 | 2 }>([
  [keywords.shFallback, { scheduler: "sh", flag: 1 }],
  [keywords.shPort, { scheduler: "sh", flag: 2 }],
  [keywords.mhFallback, { scheduler: "mh", flag: 1 }],
  [keywords.mhPort, { scheduler: "mh", flag: 2 }],
]);

const anyFlags = new Map<Setting<unknown>["keyword"], 1 | 2 | 3>([
  [keywords.flag1, 1],
  [keywords.flag2, 2],
  [keywords.flag3, 3],
]);

function readFlag({ keyword, place }: Setting<unknown>, found: FoundService, context: ResolveContext): void {
  const any = anyFlags.get(keyword);
  if (any !== undefined) found.schedulerFlags.add(any);
  const own = ownFlags.get(keyword);
  if (own === undefined && keyword !== keywords.hashed) return;
  if (own !== undefined && own.scheduler === found.scheduler) {
    found.schedulerFlags.add(own.flag);
    return;
  }
  const hashes = found.scheduler === "sh" || found.scheduler === "mh";
  const say = hashes ? advise : reject;
  say(
    context,
    place,
    "scheduler-flag",
    own === undefined
      ? "hashed has no effect"
      : `${keyword.name} is a flag of lb_algo ${own.scheduler}, which does not stand above it; it is ignored`,
  );
}

function readGranularity(line: Setting<string>, found: FoundService, context: ResolveContext): void {
  const family = found.family ?? (line.value.includes(".") ? 4 : 6);
  const mask = family === 4 ? readLooseAddress(line.value) : undefined;
  const length = family === 6 ? readNumber(line.value, { min: 1, max: 128, decimals: 0, strict: true }) : undefined;
  if (mask !== undefined) {
    found.granularity = { kind: "mask", mask };
    if (!isNetmask(mask)) {
      const message = `persistence_granularity ${mask} is no netmask: clients are told apart by single bits`;
      advise(context, line.place, "netmask", message, "write one like 255.255.255.0");
    }
  } else if (length?.value !== undefined) found.granularity = { kind: "prefix", length: length.value };
  else {
    const expected = family === 4 ? "a netmask like 255.255.255.0" : "a prefix length from 1 to 128";
    const message = `persistence_granularity: '${line.value}' is not understood and ignored`;
    reject(context, line.place, "invalid-value", message, `write ${expected}`);
    return;
  }
  found.family ??= family;
}

/** As inet_aton(3) reads it: one to four numbers, the last of which fills what is left; 0 and 0x lead other bases in. */
export function readLooseAddress(text: string): IpAddress | undefined {
  const parts = text.split(".");
  const numbers = parts.map((part) => {
    if (/^0[xX][0-9a-fA-F]+$/.test(part)) return Number.parseInt(part.slice(2), 16);
    if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
    return /^[1-9][0-9]*$/.test(part) ? Number(part) : Number.NaN;
  });
  const last = numbers.pop() ?? Number.NaN;
  const room = 256 ** (4 - numbers.length);
  if (parts.length > 4 || !(last < room) || !numbers.every((number) => number < 256)) return undefined;
  const rest = Array.from({ length: 4 - numbers.length }, (_, i) => Math.floor(last / 256 ** i) % 256).reverse();
  return ipFromBytes(Uint8Array.from([...numbers, ...rest]));
}

/** Ones, then zeros. */
function isNetmask(mask: IpAddress): boolean {
  const bits = mask.split(".").map((byte) => Number(byte).toString(2).padStart(8, "0"));
  return /^1*0*$/.test(bits.join(""));
}

const sorryKeywords: ReadonlySet<unknown> = new Set([
  keywords.sorryServer,
  keywords.sorryServerInhibit,
  keywords.sorryServerMethod,
]);

const isSorryLine = (item: Item): item is Setting<unknown> => isSetting(item) && sorryKeywords.has(item.keyword);

function readSorry(line: Setting<unknown>, found: FoundService, context: ResolveContext): void {
  const { sorryServer: sorry } = found;
  if (isSettingOf(line, keywords.sorryServer)) {
    if (sorry !== undefined) advise(context, line.place, "replaced", "sorry_server was given before; this one counts");
    found.sorryServer = { ...line.value, forwarding: found.forwarding, inhibit: false, place: line.place };
  } else if (sorry === undefined) {
    const message = `${line.keyword.name} has to stand below sorry_server; it is ignored`;
    reject(context, line.place, "sorry-server", message);
  } else if (isSettingOf(line, keywords.sorryServerInhibit)) found.sorryServer = { ...sorry, inhibit: true };
  else if (isSettingOf(line, keywords.sorryServerMethod)) {
    if (line.value === "missing") {
      context.report(missingWordAt(line.place, line.keyword.name, line.keyword.argument.syntax));
      return;
    }
    found.sorryServer = { ...sorry, forwarding: changeForwarding(sorry.forwarding, line.value) };
  }
}

const isRealServer = (item: Item): item is FoundServer["block"] => "spec" in item && item.spec === realServer;

/** Only a tunnel takes packets of one family to a server of the other. */
function readRealServer(block: FoundServer["block"], found: FoundService, context: ResolveContext): void {
  const forwarding = forwardingOf(block, found.forwarding);
  const { address } = block.header;
  const family = ipFamily(address);
  if (forwarding.method !== "tunnel") {
    found.family ??= family;
    if (found.family !== family) {
      const message = `real_server ${address} is not of the family of its virtual server and is left out`;
      reject(context, block.place, "address-family", message, "write lb_kind TUN above it, if a tunnel is meant");
      return;
    }
  }
  found.realServers.push({ block, forwarding });
}

// One service as chains: the first asks whether the client is known and draws a server where it is not; each server has
// a chain that remembers the client and translates. A rule is run for the first packet of a connection alone: conntrack
// keeps the answer, and the connection its server, whatever becomes of the chains.
import { type IpAddress, ipFromBytes, ipToBytes } from "@baton/domain";
import type { Destination, Family, Service, WantedService } from "@baton/ipvs";
import { baseOf, digest, placeOf } from "./names.ts";
import { flag, type Scheduler } from "./refusal.ts";
import { blocks, type Slots, turns } from "./slots.ts";

/** What is in the table of one family, by name. */
export interface ServiceChains {
  /** The chain where the service begins. */
  readonly entry: string;
  /** Rules of each chain. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Known clients of each server: what a set is. */
  readonly clients: ReadonlyMap<string, string>;
}

/**
 * Without a size the kernel remembers 65,535 clients, serves those beyond without remembering them, and takes memory as
 * they come. With one it takes the table of as many at once: 2 MiB for 65,535, of each server of each service.
 */
const clientSet = "flags dynamic,timeout;";

/** The same for ever and on every node: a client finds its server again after a restart, and behind another director. */
const seed = "0x6261746f";

/** `name`: as `serviceName` says it. `scheduler` is the service's; it has no obstacle. */
export function serviceChains(name: string, service: WantedService, scheduler: Scheduler): ServiceChains {
  const base = baseOf(name);
  const chains = new Map<string, readonly string[]>();
  const clients = new Map<string, string>();
  const add = (path: string, rules: readonly string[]): string => {
    const chain = `${path}/${digest(rules.join("\n"))}`;
    chains.set(chain, rules);
    return chain;
  };
  const live: Destination[] = [];
  for (const destination of service.destinations) {
    if (destination.weight > 0) live.push(destination);
    // Nothing leads there. It says that the server is still one of the service's: its flows are not stray.
    else add(`${base}/to/${placeOf(destination)}`, [translationOf(service, destination)]);
  }
  const persistent = (service.flags & flag.persistent) !== 0;
  const known: string[] = [];
  const servers = live.map((destination) => {
    const place = placeOf(destination);
    const translation = translationOf(service, destination);
    if (!persistent) return add(`${base}/to/${place}`, [translation]);
    const set = `${base}/from/${place}`;
    clients.set(set, `type ${addressType(service.key.family)}; ${clientSet}`);
    const seconds = Math.max(1, service.timeoutSeconds);
    const chain = add(`${base}/to/${place}`, [
      `update @${set} { ${clientOf(service)} timeout ${seconds}s }`,
      translation,
    ]);
    known.push(`${clientOf(service)} @${set} goto ${chain}`);
    return chain;
  });
  const weights = live.map(({ weight }) => (scheduler === "rr" ? 1 : weight));
  const entry = add(`${base}/service`, [...known, ...choice(service, scheduler, servers, weights)]);
  return { entry, chains, clients };
}

export const addressType = (family: Family): string => (family === 4 ? "ipv4_addr" : "ipv6_addr");
export const ip = (family: Family): string => (family === 4 ? "ip" : "ip6");

/**
 * Rules that draw a server. Whom a service without a server meets learns it at once, as with ip_vs, and not only after
 * its own patience.
 */
function choice(
  service: Service,
  scheduler: Scheduler,
  servers: readonly string[],
  weights: readonly number[],
): readonly string[] {
  const [only] = servers;
  if (only === undefined) return ["reject"];
  const hashed = scheduler === "sh" || scheduler === "dh";
  const slots = hashed ? blocks(weights) : turns(weights);
  if (!hashed && slots.count === servers.length && servers.length <= fewServers) return takeTurns(servers);
  if (servers.length === 1) return [`goto ${only}`];
  const map = slots.slots.map(({ first, last, owner }) => {
    const range = first === last ? `${first}` : `${first}-${last}`;
    return `${range} : goto ${servers[owner] ?? only}`;
  });
  const number = hashed ? hashOf(service, scheduler, slots.count) : turnOf(slots);
  return [`${number} vmap { ${map.join(", ")} }`];
}

/** Each takes every n-th of what those before it have left: as exact as a map, and without one. */
const takeTurns = (servers: readonly string[]): string[] =>
  servers.map((server, at) => {
    const left = servers.length - at;
    return left === 1 ? `goto ${server}` : `numgen inc mod ${left} == 0 goto ${server}`;
  });

/** The kernel compares each new map with all that are there: thousands of services had better do without. */
const fewServers = 8;

/** Long blocks in turn would send one server everything for a while: there chance is better than order. */
const turnOf = ({ count, mixed }: Slots): string => `numgen ${mixed ? "inc" : "random"} mod ${count}`;

function hashOf({ key, flags }: Service, scheduler: "sh" | "dh", count: number): string {
  const address = `${ip(key.family)} ${scheduler === "sh" ? "saddr" : "daddr"}`;
  const port = scheduler === "sh" && (flags & flag.sched2) !== 0 ? " . th sport" : "";
  return `jhash ${address}${port} mod ${count} seed ${seed}`;
}

function translationOf({ key }: Service, { address, port, family }: Destination): string {
  if (port === 0) return `dnat to ${address}`;
  const protocol = key.kind === "address" ? key.protocol : "{ tcp, udp }";
  return `meta l4proto ${protocol} dnat to ${family === 4 ? address : `[${address}]`}:${port}`;
}

/** The source, or the network of it that persistence takes for one client. */
function clientOf({ key, netmask }: Service): string {
  const source = `${ip(key.family)} saddr`;
  const whole = key.family === 4 ? netmask === 0xffffffff : netmask >= 128;
  // An IPv4 mask need not be a prefix: each octet is for itself.
  const mask = key.family === 4 ? [24, 16, 8, 0].map((shift) => (netmask >>> shift) & 255) : prefixMask(6, netmask);
  return whole ? source : `${source} & ${ipFromBytes(Uint8Array.from(mask))}`;
}

/** Ones in front, zeros behind. */
export const prefixMask = (family: Family, length: number): Uint8Array =>
  Uint8Array.from({ length: family === 4 ? 4 : 16 }, (_, at) => {
    const ones = Math.max(0, Math.min(8, length - at * 8));
    return 256 - 2 ** (8 - ones);
  });

/** The first address of a network. */
export const networkOf = (address: IpAddress, length: number, family: Family): IpAddress => {
  const mask = prefixMask(family, length);
  return ipFromBytes(ipToBytes(address).map((byte, at) => byte & (mask[at] ?? 0)));
};

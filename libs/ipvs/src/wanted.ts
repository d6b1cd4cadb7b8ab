// What is to be in the kernel, from the configuration and what each pool wants just now. Pure and whole: no history,
// so that a restart comes to the same table.
import { type IpAddress, ipFamily, ipToBytes, toSeconds } from "@baton/domain";
import type { VirtualServerConfig, VirtualServerGroupConfig } from "@baton/keepalived-conf";
import { type AddressRange, serviceKeys } from "./group.ts";
import {
  type Destination,
  destinationName,
  type Family,
  type ForwardingMethod,
  type Service,
  type ServiceKey,
  serviceFlags,
  serviceName,
  wholeMask,
} from "./model.ts";
import type { ServiceTable, WantedService } from "./table.ts";

/** A server that a pool wants in its service now, a sorry server like any other. */
export interface PoolServer {
  readonly address: IpAddress;
  /** As it is configured. Where packets keep the port that they were sent to, it does not count. */
  readonly port: number;
  readonly forwarding: ForwardingMethod;
  /** Effective weight; anything outside of 0 to 2^31 - 1 is taken for the nearest of them. */
  readonly weight: number;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** What the pool of a virtual server wants; undefined: it is not known yet. */
export type PoolView = (server: VirtualServerConfig) => readonly PoolServer[] | undefined;

export interface WantedTable {
  /** In the order of the file. */
  readonly services: ServiceTable;
  /** Names of configured services of which a pool is not known yet: they stay as they are. */
  readonly unknown: ReadonlySet<string>;
  /** Ranges of groups with too many addresses: left out. */
  readonly tooWide: readonly AddressRange[];
}

interface LoadBalancerConfig {
  readonly virtualServers: readonly VirtualServerConfig[];
  readonly virtualServerGroups: readonly VirtualServerGroupConfig[];
}

/**
 * A mark or an address that several virtual servers have in common (two protocols of one group with marks) is one service
 * of the kernel: it is as the first of them says, with the destinations of all.
 */
export function wantedTable(config: LoadBalancerConfig, poolOf: PoolView): WantedTable {
  const groups = new Map(config.virtualServerGroups.map((group) => [group.name, group]));
  const drafts = new Map<string, Draft>();
  const unknown = new Set<string>();
  const tooWide: AddressRange[] = [];
  for (const server of config.virtualServers) {
    const pool = poolOf(server);
    const found = serviceKeys(server, groups);
    tooWide.push(...found.tooWide);
    for (const key of found.keys) {
      const name = serviceName(key);
      if (pool === undefined) unknown.add(name);
      const draft = drafts.get(name) ?? { service: serviceOf(server, key), destinations: new Map() };
      drafts.set(name, draft);
      for (const each of pool ?? []) addDestination(draft, destinationOf(key, each));
    }
  }
  const services = new Map<string, WantedService>();
  for (const [name, { service, destinations }] of drafts) {
    if (!unknown.has(name)) services.set(name, { ...service, destinations: [...destinations.values()] });
  }
  return { services, unknown, tooWide };
}

interface Draft {
  readonly service: Service;
  readonly destinations: Map<string, Destination>;
}

/** A server that is there twice serves as long as either of the two does. */
function addDestination({ destinations }: Draft, destination: Destination): void {
  const name = destinationName(destination);
  const before = destinations.get(name);
  if (before === undefined || before.weight < destination.weight) destinations.set(name, destination);
}

/** Only masquerading can send a packet to another port than it came for; a mark stands for any port. */
function destinationOf(key: ServiceKey, server: PoolServer): Destination {
  const kept = key.kind === "fwmark" ? 0 : key.port;
  return {
    family: ipFamily(server.address),
    address: server.address,
    port: server.forwarding.method === "masquerade" ? server.port : kept,
    forwarding: server.forwarding,
    weight: Math.max(0, Math.min(numberMax, Math.trunc(server.weight))),
    ...thresholds(server),
  };
}

/** Of weights and thresholds. */
const numberMax = 2 ** 31 - 1;

/** The kernel refuses a server whose lower threshold is above the upper one; without an upper one there is none. */
function thresholds(server: PoolServer): Pick<Destination, "upperThreshold" | "lowerThreshold"> {
  const upperThreshold = Math.min(numberMax, server.upperThreshold);
  return { upperThreshold, lowerThreshold: Math.min(upperThreshold, server.lowerThreshold) };
}

function serviceOf(server: VirtualServerConfig, key: ServiceKey): Service {
  const { persistence, scheduler, schedulerFlags, onePacket } = server;
  const flags = schedulerFlags.reduce((all, flag) => all | schedulerFlag[flag], 0);
  return {
    key,
    scheduler,
    flags: flags | (persistence === undefined ? 0 : serviceFlags.persistent) | (onePacket ? serviceFlags.onePacket : 0),
    timeoutSeconds: persistence === undefined ? 0 : Math.round(toSeconds(persistence.timeout)),
    netmask: netmaskOf(server, key.family),
    engine: persistence?.engine,
  };
}

const schedulerFlag = { 1: serviceFlags.sched1, 2: serviceFlags.sched2, 3: serviceFlags.sched3 } as const;

/** keepalived gives the services of a group the whole mask, whatever persistence_granularity says; so does this. */
function netmaskOf({ id, persistence }: VirtualServerConfig, family: Family): number {
  const granularity = persistence?.granularity;
  if (granularity === undefined || id.kind === "group") return wholeMask(family);
  if (granularity.kind === "prefix") return family === 6 ? granularity.length : wholeMask(family);
  return family === 4 ? ipToBytes(granularity.mask).reduce((mask, byte) => mask * 256 + byte, 0) : wholeMask(family);
}

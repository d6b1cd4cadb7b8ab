// What the kernel's IPVS tells (<linux/ip_vs.h>, a family of generic netlink). Pure: bytes in, values out. What this does
// not know (another protocol, a way of forwarding to come) decodes to undefined: it belongs to somebody else.
import type { IpAddress } from "@baton/domain";
import type {
  ConnectionCounts,
  ConnectionTimeouts,
  DumpedDestination,
  DumpedService,
  Family,
  ForwardingMethod,
  Protocol,
  ServiceKey,
  SyncDaemon,
  TrafficCounters,
  TunnelEncapsulation,
} from "@baton/ipvs";
import { readGeneric } from "./generic-netlink.ts";
import { ipFromBytes } from "./ip-bytes.ts";
import {
  AF_INET,
  AF_INET6,
  checksumNumbers,
  choosableFlags,
  commands,
  methodMask,
  methodNumbers,
  ofDaemon,
  ofDestination,
  ofInfo,
  ofService,
  ofStats,
  protocolNumbers,
  roleNumbers,
  top,
  tunnelNumbers,
} from "./ipvs-numbers.ts";
import {
  type NetlinkMessage,
  readAttributes,
  readText,
  readUint16,
  readUint32,
  readUint64,
  viewOf,
} from "./netlink-message.ts";

/** What IPVS itself says of itself. */
export interface IpvsInfo {
  /** Such as "1.2.1". */
  readonly version: string;
  /** Slots of the table of connections. */
  readonly connectionTableSize: number;
}

export type DumpedServiceAlone = Omit<DumpedService, "destinations">;

type Attributes = ReadonlyMap<number, Uint8Array>;

export function decodeService(message: NetlinkMessage, family: number): DumpedServiceAlone | undefined {
  const attributes = readNest(message, family, commands.newService, top.service);
  if (attributes === undefined) return undefined;
  const key = readKey(attributes);
  const scheduler = readText(attributes.get(ofService.scheduler));
  const flags = readUint32(attributes.get(ofService.flags));
  const timeoutSeconds = readUint32(attributes.get(ofService.timeout));
  const netmask = key === undefined ? undefined : readNetmask(attributes.get(ofService.netmask), key.family);
  if (key === undefined || scheduler === undefined || flags === undefined) return undefined;
  if (timeoutSeconds === undefined || netmask === undefined) return undefined;
  return {
    key,
    scheduler,
    flags: flags & choosableFlags,
    timeoutSeconds,
    netmask,
    engine: readText(attributes.get(ofService.engine)),
    traffic: readTraffic(attributes.get(ofService.stats64), attributes.get(ofService.stats)),
  };
}

function readKey(attributes: Attributes): ServiceKey | undefined {
  const family = readFamily(attributes.get(ofService.family));
  if (family === undefined) return undefined;
  const mark = readUint32(attributes.get(ofService.fwmark));
  if (mark !== undefined) return mark === 0 ? undefined : { kind: "fwmark", family, mark };
  const protocol = protocolNames.get(readUint16(attributes.get(ofService.protocol)) ?? 0);
  const address = readAddress(attributes.get(ofService.address), family);
  const port = readPort(attributes.get(ofService.port));
  if (protocol === undefined || address === undefined || port === undefined) return undefined;
  return { kind: "address", family, protocol, address, port };
}

/** `service`: whose it is; a kernel older than 3.18 tells no family of destinations. */
export function decodeDestination(
  message: NetlinkMessage,
  family: number,
  service: ServiceKey,
): DumpedDestination | undefined {
  const attributes = readNest(message, family, commands.newDestination, top.destination);
  if (attributes === undefined) return undefined;
  const number = (type: number): number | undefined => readUint32(attributes.get(type));
  const told = attributes.get(ofDestination.family);
  const ipVersion = told === undefined ? service.family : readFamily(told);
  const address = ipVersion === undefined ? undefined : readAddress(attributes.get(ofDestination.address), ipVersion);
  const port = readPort(attributes.get(ofDestination.port));
  const forwarding = readForwarding(attributes);
  const weight = number(ofDestination.weight);
  const upperThreshold = number(ofDestination.upperThreshold);
  const lowerThreshold = number(ofDestination.lowerThreshold);
  if (ipVersion === undefined || address === undefined || port === undefined) return undefined;
  if (forwarding === undefined || weight === undefined) return undefined;
  if (upperThreshold === undefined || lowerThreshold === undefined) return undefined;
  const connections: ConnectionCounts = {
    active: number(ofDestination.activeConnections) ?? 0,
    inactive: number(ofDestination.inactiveConnections) ?? 0,
    persistent: number(ofDestination.persistentConnections) ?? 0,
  };
  const traffic = readTraffic(attributes.get(ofDestination.stats64), attributes.get(ofDestination.stats));
  return {
    family: ipVersion,
    address,
    port,
    forwarding,
    weight,
    upperThreshold,
    lowerThreshold,
    connections,
    traffic,
  };
}

function readForwarding(attributes: Attributes): ForwardingMethod | undefined {
  const bits = readUint32(attributes.get(ofDestination.forwarding));
  const method = bits === undefined ? undefined : methodNames.get(bits & methodMask);
  if (method !== "tunnel") return method === undefined ? undefined : { method };
  // Before 5.2 there was one kind of tunnel, and nothing to tell of it.
  const type = tunnelNames.get(attributes.get(ofDestination.tunnelType)?.[0] ?? 0);
  const port = readPort(attributes.get(ofDestination.tunnelPort)) ?? 0;
  const checksum = checksumNames.get(readUint16(attributes.get(ofDestination.tunnelFlags)) ?? 0);
  if (type === "ipip") return { method, tunnel: { type } };
  if (type === "gue" && checksum !== undefined) return { method, tunnel: { type, port, checksum } };
  if (type === "gre" && (checksum === "none" || checksum === "full")) return { method, tunnel: { type, checksum } };
  return undefined;
}

/** Kernels before 4.1 count in 32 bits, but for the bytes. What they do not tell is 0. */
function readTraffic(wide: Uint8Array | undefined, narrow: Uint8Array | undefined): TrafficCounters {
  const attributes = readAttributes(wide ?? narrow ?? nothing, 0);
  const count = (type: number): number => {
    const bytes = attributes.get(type);
    return readUint64(bytes) ?? readUint32(bytes) ?? 0;
  };
  return {
    connections: count(ofStats.connections),
    inPackets: count(ofStats.inPackets),
    outPackets: count(ofStats.outPackets),
    inBytes: count(ofStats.inBytes),
    outBytes: count(ofStats.outBytes),
  };
}

const nothing = new Uint8Array();

export function decodeDaemon(message: NetlinkMessage, family: number): SyncDaemon | undefined {
  const attributes = readNest(message, family, commands.newDaemon, top.daemon);
  if (attributes === undefined) return undefined;
  const role = roleNames.get(readUint32(attributes.get(ofDaemon.state)) ?? 0);
  const name = readText(attributes.get(ofDaemon.interface));
  const id = readUint32(attributes.get(ofDaemon.id));
  if (role === undefined || name === undefined || id === undefined) return undefined;
  return {
    role,
    interface: name,
    id,
    maxLength: readUint16(attributes.get(ofDaemon.maxLength)),
    group: readAddress(attributes.get(ofDaemon.group), 4) ?? readAddress(attributes.get(ofDaemon.group6), 6),
    port: readUint16(attributes.get(ofDaemon.port)),
    ttl: attributes.get(ofDaemon.ttl)?.[0],
  };
}

export function decodeInfo(message: NetlinkMessage, family: number): IpvsInfo | undefined {
  const attributes = readReply(message, family, commands.setInfo);
  const version = readUint32(attributes?.get(ofInfo.version));
  const connectionTableSize = readUint32(attributes?.get(ofInfo.tableSize));
  if (version === undefined || connectionTableSize === undefined) return undefined;
  return { version: [version >> 16, version >> 8, version].map((part) => part & 0xff).join("."), connectionTableSize };
}

export function decodeTimeouts(message: NetlinkMessage, family: number): ConnectionTimeouts | undefined {
  const attributes = readReply(message, family, commands.setConfig);
  const tcp = readUint32(attributes?.get(top.timeoutTcp));
  const tcpFin = readUint32(attributes?.get(top.timeoutTcpFin));
  const udp = readUint32(attributes?.get(top.timeoutUdp));
  // A kernel without one of the protocols does not tell its timeout.
  return tcp === undefined && udp === undefined ? undefined : { tcp: tcp ?? 0, tcpFin: tcpFin ?? 0, udp: udp ?? 0 };
}

// --- parts ----------------------------------------------------------------------------------------------------------

function readReply(message: NetlinkMessage, family: number, command: number): Attributes | undefined {
  const reply = readGeneric(message, family);
  return reply?.command === command ? reply.attributes : undefined;
}

function readNest(message: NetlinkMessage, family: number, command: number, type: number): Attributes | undefined {
  const bytes = readReply(message, family, command)?.get(type);
  return bytes === undefined ? undefined : readAttributes(bytes, 0);
}

function readFamily(bytes: Uint8Array | undefined): Family | undefined {
  const number = readUint16(bytes);
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}

function readAddress(bytes: Uint8Array | undefined, family: Family): IpAddress | undefined {
  const length = family === 4 ? 4 : 16;
  return bytes === undefined || bytes.length < length ? undefined : ipFromBytes(bytes, 0, length);
}

/** In network order. */
const readPort = (bytes: Uint8Array | undefined): number | undefined =>
  bytes === undefined || bytes.length < 2 ? undefined : ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);

/** IPv4: a mask, in network order. IPv6: the prefix length, a number like any other. */
const readNetmask = (bytes: Uint8Array | undefined, family: Family): number | undefined =>
  bytes === undefined || bytes.length < 4 ? undefined : viewOf(bytes).getUint32(0, family === 6);

const namesOf = <Name extends string>(numbers: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> =>
  new Map((Object.entries(numbers) as [Name, number][]).map(([name, number]) => [number, name]));

const protocolNames = namesOf<Protocol>(protocolNumbers);
const methodNames = namesOf<ForwardingMethod["method"]>(methodNumbers);
const tunnelNames = namesOf<TunnelEncapsulation["type"]>(tunnelNumbers);
const checksumNames = namesOf<keyof typeof checksumNumbers>(checksumNumbers);
const roleNames = namesOf<SyncDaemon["role"]>(roleNumbers);

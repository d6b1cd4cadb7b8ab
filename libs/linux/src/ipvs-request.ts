// What is asked of the kernel's IPVS (<linux/ip_vs.h>, a family of generic netlink). Pure: values in, bytes out.
import { assert, assertNever, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type {
  ConnectionTimeouts,
  Destination,
  DestinationKey,
  Family,
  Operation,
  Service,
  ServiceKey,
  SyncDaemon,
  TunnelEncapsulation,
} from "@baton/ipvs";
import {
  AF_INET,
  AF_INET6,
  checksumNumbers,
  choosableFlags,
  commands,
  ipvsVersion,
  methodNumbers,
  nameBytesMax,
  ofDaemon,
  ofDestination,
  ofService,
  protocolNumbers,
  roleNumbers,
  top,
  tunnelNumbers,
} from "./ipvs-numbers.ts";
import { begin, putBytes, putNested, putPort, putUint8, putUint16, putUint32, written } from "./message-draft.ts";
import { cString, type NetlinkRequest } from "./netlink-message.ts";

/** The body of a command without anything. */
const bare = (command: number): Uint8Array => Uint8Array.of(command, ipvsVersion, 0, 0);

function bodyOf(command: number, putAll: () => void): Uint8Array {
  begin(command, ipvsVersion, 0, 0);
  putAll();
  return written();
}

const request = (family: number, body: Uint8Array): NetlinkRequest => ({ type: family, flags: 0, body });

export const serviceDumpBody = (): Uint8Array => bare(commands.getService);
export const daemonDumpBody = (): Uint8Array => bare(commands.getDaemon);
export const destinationDumpBody = (service: ServiceKey): Uint8Array =>
  bodyOf(commands.getDestination, () => putKey(service));
export const infoRequest = (family: number): NetlinkRequest => request(family, bare(commands.getInfo));
export const timeoutsRequest = (family: number): NetlinkRequest => request(family, bare(commands.getConfig));

/** `service` undefined: the counters of all services, and the totals. */
export const encodeZero = (family: number, service: ServiceKey | undefined): NetlinkRequest =>
  request(family, service === undefined ? bare(commands.zero) : bodyOf(commands.zero, () => putKey(service)));

export const encodeTimeouts = (family: number, { tcp, tcpFin, udp }: ConnectionTimeouts): NetlinkRequest =>
  request(
    family,
    bodyOf(commands.setConfig, () => {
      putNumber(top.timeoutTcp, "a timeout", tcp);
      putNumber(top.timeoutTcpFin, "a timeout", tcpFin);
      putNumber(top.timeoutUdp, "a timeout", udp);
    }),
  );

export const encodeDaemonStart = (family: number, daemon: SyncDaemon): NetlinkRequest =>
  request(
    family,
    bodyOf(commands.newDaemon, () => putNested(top.daemon, () => putDaemon(daemon))),
  );

export const encodeDaemonStop = (family: number, role: SyncDaemon["role"]): NetlinkRequest =>
  request(
    family,
    bodyOf(commands.deleteDaemon, () => putNested(top.daemon, () => putUint32(ofDaemon.state, roleNumbers[role]))),
  );

export const encodeOperation = (family: number, operation: Operation): NetlinkRequest =>
  request(family, operationBody(operation));

function operationBody(operation: Operation): Uint8Array {
  switch (operation.kind) {
    case "new-service":
      return bodyOf(commands.newService, () => putService(operation.service));
    case "set-service":
      return bodyOf(commands.setService, () => putService(operation.service));
    case "delete-service":
      return bodyOf(commands.deleteService, () => putKey(operation.service));
    case "new-destination":
      return destinationBody(commands.newDestination, operation.service, operation.destination);
    case "set-destination":
      return destinationBody(commands.setDestination, operation.service, operation.destination);
    case "delete-destination":
      return bodyOf(commands.deleteDestination, () => {
        putKey(operation.service);
        putNested(top.destination, () => putDestinationKey(operation.destination));
      });
    case "flush":
      return bare(commands.flush);
    default:
      return assertNever(operation);
  }
}

const destinationBody = (command: number, service: ServiceKey, destination: Destination): Uint8Array =>
  bodyOf(command, () => {
    putKey(service);
    putNested(top.destination, () => putDestination(destination));
  });

const putKey = (key: ServiceKey): void => putNested(top.service, () => putKeyAttributes(key));

function putKeyAttributes(key: ServiceKey): void {
  putUint16(ofService.family, familyNumber(key.family));
  if (key.kind === "fwmark") {
    // A mark of 0 is none at all: the kernel would take it for an address that is missing.
    if (key.mark === 0) assert(false, "a firewall mark is not 0");
    putNumber(ofService.fwmark, "a firewall mark", key.mark);
    return;
  }
  putUint16(ofService.protocol, protocolNumbers[key.protocol]);
  putAddress(ofService.address, key.address, key.family);
  putPort(ofService.port, portNumber(key.port));
}

function putService({ key, scheduler, flags, timeoutSeconds, netmask, engine }: Service): void {
  if ((flags & ~choosableFlags) !== 0) assert(false, `flags of a service that nobody may choose: ${flags}`);
  putNested(top.service, () => {
    putKeyAttributes(key);
    putName(ofService.scheduler, "a scheduler", scheduler);
    // struct ip_vs_flags: the flags, and which of them are meant
    putBytes(ofService.flags, Uint8Array.of(flags, 0, 0, 0, 0xff, 0xff, 0xff, 0xff));
    putNumber(ofService.timeout, "a timeout of persistence", timeoutSeconds);
    // IPv4: a mask, in network order. IPv6: the prefix length, a number like any other.
    putNumber(ofService.netmask, "a netmask", netmask, key.family === 6);
    if (engine !== undefined) putName(ofService.engine, "a persistence engine", engine);
  });
}

function putDestinationKey({ family, address, port }: DestinationKey): void {
  putUint16(ofDestination.family, familyNumber(family));
  putAddress(ofDestination.address, address, family);
  putPort(ofDestination.port, portNumber(port));
}

function putDestination(destination: Destination): void {
  const { forwarding, weight, upperThreshold, lowerThreshold } = destination;
  putDestinationKey(destination);
  putUint32(ofDestination.forwarding, methodNumbers[forwarding.method]);
  putNumber(ofDestination.weight, "a weight", weight);
  putNumber(ofDestination.upperThreshold, "an upper threshold", upperThreshold);
  putNumber(ofDestination.lowerThreshold, "a lower threshold", lowerThreshold);
  if (forwarding.method === "tunnel") putTunnel(forwarding.tunnel);
}

function putTunnel(tunnel: TunnelEncapsulation): void {
  putUint8(ofDestination.tunnelType, tunnelNumbers[tunnel.type]);
  putPort(ofDestination.tunnelPort, tunnel.type === "gue" ? portNumber(tunnel.port) : 0);
  putUint16(ofDestination.tunnelFlags, tunnel.type === "ipip" ? 0 : checksumNumbers[tunnel.checksum]);
}

function putDaemon(daemon: SyncDaemon): void {
  const { role, id, maxLength, group, port, ttl } = daemon;
  putUint32(ofDaemon.state, roleNumbers[role]);
  putName(ofDaemon.interface, "an interface", daemon.interface);
  putUint32(ofDaemon.id, checkedNumber("a sync id", id, 0xff));
  if (maxLength !== undefined) putUint16(ofDaemon.maxLength, checkedNumber("a length", maxLength, 0xffff));
  if (group !== undefined) putBytes(ipFamily(group) === 4 ? ofDaemon.group : ofDaemon.group6, ipToBytes(group));
  if (port !== undefined) putUint16(ofDaemon.port, portNumber(port));
  if (ttl !== undefined) putUint8(ofDaemon.ttl, checkedNumber("a TTL", ttl, 0xff));
}

const familyNumber = (family: Family): number => (family === 4 ? AF_INET : AF_INET6);

/** union nf_inet_addr: 16 bytes, of which IPv4 uses the first four. */
function putAddress(type: number, address: IpAddress, family: Family): void {
  if (ipFamily(address) !== family) assert(false, `${address} is not of IPv${family}`);
  putBytes(type, ipToBytes(address), 16);
}

const portNumber = (port: number): number => checkedNumber("a port", port, 0xffff);

function putName(type: number, what: string, name: string): void {
  const bytes = cString(name);
  if (bytes.length < 2 || bytes.length > nameBytesMax) assert(false, `not the name of ${what}: ${name}`);
  putBytes(type, bytes);
}

const putNumber = (type: number, what: string, value: number, littleEndian = true): void =>
  putUint32(type, checkedNumber(what, value, 0xffffffff), littleEndian);

/** Only that it fits: what is too much is the kernel's to say. */
function checkedNumber(what: string, value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) assert(false, `not ${what}: ${value}`);
  return value;
}

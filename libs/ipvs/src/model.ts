// The kernel's table of virtual services as values: what a dump of ip_vs brings and what a command carries.
// Fields are the kernel's (linux/ip_vs.h), so that whatever somebody has put there can be said, foreign services too.
import type { IpAddress } from "@baton/domain";

export type Family = 4 | 6;

export type Protocol = "tcp" | "udp" | "sctp";

/** What tells one service from all others. `family` is that of the clients' packets. */
export type ServiceKey =
  /** `address` is of `family`; port 0: all ports (the kernel takes it always, and serves it with persistence only). */
  | {
      readonly kind: "address";
      readonly family: Family;
      readonly protocol: Protocol;
      readonly address: IpAddress;
      readonly port: number;
    }
  /** `mark`: 1 to 2^32 - 1. */
  | { readonly kind: "fwmark"; readonly family: Family; readonly mark: number };

/** IP_VS_SVC_F_*: bits of `Service.flags`. With sh and mh sched1 is their fallback and sched2 their port flag. */
export const serviceFlags = { persistent: 1, onePacket: 4, sched1: 8, sched2: 16, sched3: 32 } as const;

/** All bits that can be chosen. IP_VS_SVC_F_HASHED (2) is the kernel's own: a dump leaves it out, no command carries it. */
export const serviceFlagsMask = 0x3d;

/** One service without its destinations. */
export interface Service {
  readonly key: ServiceKey;
  /** The kernel's name of it, up to 15 octets; `none`: it has none yet. */
  readonly scheduler: string;
  /** Of `serviceFlags`, nothing outside `serviceFlagsMask`. */
  readonly flags: number;
  /** Of persistence, in seconds, up to 17,179,868: beyond that the kernel starts again at 0. 0 without persistence. */
  readonly timeoutSeconds: number;
  /**
   * Clients that are one for persistence. IPv4: the mask as unsigned number, 0xffffff00 for 255.255.255.0 (on the wire
   * in network order); IPv6: the prefix length, 1 to 128 (on the wire a number of the host). Each for itself: `wholeMask`.
   */
  readonly netmask: number;
  /** Persistence engine, up to 15 octets, as `sip`; undefined: by address. */
  readonly engine: string | undefined;
}

/** The netmask with which each client is for itself. */
export const wholeMask = (family: Family): number => (family === 4 ? 0xffffffff : 128);

/** How packets reach a destination: IP_VS_CONN_F_FWD_MASK, and IP_VS_CONN_F_TUNNEL_TYPE_* with what belongs to it. */
export type ForwardingMethod =
  | { readonly method: "masquerade" }
  | { readonly method: "direct-route" }
  | { readonly method: "tunnel"; readonly tunnel: TunnelEncapsulation }
  /** The machine itself. The kernel finds out by itself; only others ask for it. */
  | { readonly method: "local" }
  /** Past the balancer. Never asked for by Baton. */
  | { readonly method: "bypass" };

/** `remote`: remote checksum offload. */
export type TunnelEncapsulation =
  | { readonly type: "ipip" }
  | { readonly type: "gue"; readonly port: number; readonly checksum: "none" | "full" | "remote" }
  | { readonly type: "gre"; readonly checksum: "none" | "full" };

/** What tells one destination from all others of its service. */
export interface DestinationKey {
  /** Of `address`; another one than the service's with tunnels only. */
  readonly family: Family;
  readonly address: IpAddress;
  /** 0: the port that the client asked for. */
  readonly port: number;
}

export interface Destination extends DestinationKey {
  readonly forwarding: ForwardingMethod;
  /** 0 to 2^31 - 1; 0: no new connections. */
  readonly weight: number;
  /** Connections above which it gets no more, and below which it gets some again, up to 2^31 - 1; 0: no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
}

/** Counted by the kernel since the service or destination was made; exact up to 2^53. */
export interface TrafficCounters {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/** Now, by their state. */
export interface ConnectionCounts {
  readonly active: number;
  readonly inactive: number;
  readonly persistent: number;
}

export interface DumpedDestination extends Destination {
  readonly connections: ConnectionCounts;
  readonly traffic: TrafficCounters;
}

/** A service and what is behind it, in the order of the dump. */
export interface DumpedService extends Service {
  readonly traffic: TrafficCounters;
  readonly destinations: readonly DumpedDestination[];
}

/** One role of the connection sync daemon that runs. Undefined: the kernel's own choice. */
export interface SyncDaemon {
  readonly role: "master" | "backup";
  readonly interface: string;
  /** 0 to 255. */
  readonly id: number;
  /** Octets of a message; a backup takes in 1,024 at least, and says so, whatever it was told. */
  readonly maxLength: number | undefined;
  readonly group: IpAddress | undefined;
  readonly port: number | undefined;
  readonly ttl: number | undefined;
}

/** Of connections, in seconds. As a command, 0: as it is. */
export interface ConnectionTimeouts {
  readonly tcp: number;
  readonly tcpFin: number;
  readonly udp: number;
}

/** One command to the kernel. The order of a list of them matters. */
export type Operation =
  | { readonly kind: "new-service"; readonly service: Service }
  | { readonly kind: "set-service"; readonly service: Service }
  /** Its destinations go with it. */
  | { readonly kind: "delete-service"; readonly service: ServiceKey }
  | { readonly kind: "new-destination"; readonly service: ServiceKey; readonly destination: Destination }
  | { readonly kind: "set-destination"; readonly service: ServiceKey; readonly destination: Destination }
  | { readonly kind: "delete-destination"; readonly service: ServiceKey; readonly destination: DestinationKey }
  /** All services of everybody. */
  | { readonly kind: "flush" };

/** Equal text means equal service: for maps, and for people to read. */
export function serviceName(key: ServiceKey): string {
  if (key.kind === "fwmark") return `fwmark ${key.mark} ${key.family === 4 ? "IPv4" : "IPv6"}`;
  return `${key.protocol} ${key.family === 4 ? key.address : `[${key.address}]`}:${key.port}`;
}

/** Equal text means equal destination of one service. */
export const destinationName = ({ family, address, port }: DestinationKey): string =>
  family === 4 ? `${address}:${port}` : `[${address}]:${port}`;

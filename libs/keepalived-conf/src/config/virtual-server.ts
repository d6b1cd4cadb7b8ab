// `virtual_server`, `virtual_server_group` and real servers: which services there are to be, and who is behind them.
// Everything that a service leaves to its virtual server, or to global_defs, is resolved where it counts.
import type { IpAddress, Micros } from "@baton/domain";
import type { CheckerConfig } from "./checker.ts";
import type { Command } from "./command.ts";

/** What tells one virtual server from all others, together with its protocol and family. */
export type VirtualServerId =
  /** Port 0: all ports. */
  | { readonly kind: "address"; readonly address: IpAddress; readonly port: number }
  | { readonly kind: "fwmark"; readonly mark: number }
  /** `index` counts the virtual servers of the group from 0, in the order of the file. */
  | { readonly kind: "group"; readonly name: string; readonly index: number };

/** Schedulers of the kernel's ip_vs. */
export const schedulers = [
  "rr",
  "wrr",
  "lc",
  "wlc",
  "lblc",
  "lblcr",
  "sh",
  "mh",
  "dh",
  "fo",
  "ovf",
  "sed",
  "nq",
  "twos",
] as const;
export type Scheduler = (typeof schedulers)[number];

/** `virtual_server`. */
export interface VirtualServerConfig {
  readonly id: VirtualServerId;
  /** Of the packets served; undefined: both, for a group of both families whose servers are all behind tunnels. */
  readonly family: 4 | 6 | undefined;
  /** undefined: any, as it is with firewall marks alone. */
  readonly protocol: "tcp" | "udp" | "sctp" | undefined;
  readonly scheduler: Scheduler;
  /** IP_VS_SVC_F_SCHED1 to 3 (linux/ip_vs.h), rising. With sh and mh 1 is their fallback flag and 2 their port flag. */
  readonly schedulerFlags: readonly (1 | 2 | 3)[];
  /** `ops`: each packet is scheduled by itself. */
  readonly onePacket: boolean;
  /** undefined: clients are not remembered. */
  readonly persistence: PersistenceConfig | undefined;
  /** Of the servers that do not say it themselves. */
  readonly forwarding: Forwarding;
  /** Total weight of live servers at which the service is up: gained at quorum + hysteresis, lost below quorum - hysteresis, or at 0. At least 1. */
  readonly quorum: number;
  readonly hysteresis: number;
  /** Its servers count as down until their checks have succeeded. */
  readonly alpha: boolean;
  /** An end of the service tells as much as the loss of its servers. */
  readonly omega: boolean;
  /** Checks run only while the service's address is on this machine. */
  readonly haSuspend: boolean;
  readonly smtpAlert: boolean;
  readonly quorumUp: Command | undefined;
  readonly quorumDown: Command | undefined;
  readonly snmpName: string | undefined;
  readonly checkDefaults: CheckDefaults;
  /** At least one; no two with equal address and port. */
  readonly realServers: readonly RealServerConfig[];
  readonly sorryServer: SorryServerConfig | undefined;
}

/** `persistence_*`: a client's connections go to one server. */
export interface PersistenceConfig {
  /** Whole seconds. */
  readonly timeout: Micros;
  /** Clients that are one: IPv4 by netmask, IPv6 by prefix length; undefined: each is for itself. */
  readonly granularity:
    | { readonly kind: "mask"; readonly mask: IpAddress }
    | { readonly kind: "prefix"; readonly length: number }
    | undefined;
  /** ip_vs persistence engine, as `sip`; undefined: by address. */
  readonly engine: string | undefined;
}

/** How packets reach a server. */
export type Forwarding =
  | { readonly method: "masquerade" }
  | { readonly method: "direct-route" }
  | { readonly method: "tunnel"; readonly tunnel: Tunnel };

/** `remote`: remote checksum offload. */
export type Tunnel =
  | { readonly type: "ipip" }
  | { readonly type: "gue"; readonly port: number; readonly checksum: "none" | "full" | "remote" }
  | { readonly type: "gre"; readonly checksum: "none" | "full" };

/** What checkers take that neither they nor their real server say themselves; undefined: each type has its own. */
export interface CheckDefaults {
  readonly delayLoop: Micros;
  readonly connectTimeout: Micros;
  readonly retry: number | undefined;
  readonly delayBeforeRetry: Micros | undefined;
  /** undefined: as delayLoop. */
  readonly warmup: Micros | undefined;
}

/** `real_server`. */
export interface RealServerConfig {
  readonly address: IpAddress;
  /** 0: the port that the client asked for. Only masquerading can change it. */
  readonly port: number;
  /** 0: no new connections. */
  readonly weight: number;
  readonly forwarding: Forwarding;
  /** Connections above which it gets no more, and below which it gets some again; 0: no limit. */
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** A failure makes its weight 0, and it stays in the service. */
  readonly inhibitOnFailure: boolean;
  readonly alpha: boolean;
  readonly smtpAlert: boolean;
  readonly notifyUp: Command | undefined;
  readonly notifyDown: Command | undefined;
  readonly snmpName: string | undefined;
  /** The server is alive while none of them has failed; in the order of the file. */
  readonly checkers: readonly CheckerConfig[];
}

/** `sorry_server`: stands in while the quorum is lost. */
export interface SorryServerConfig {
  readonly address: IpAddress;
  /** 0: the port that the client asked for. */
  readonly port: number;
  readonly forwarding: Forwarding;
  /** It stays in the service with weight 0 while it is not needed. */
  readonly inhibit: boolean;
}

/** `virtual_server_group`: many services in one, each entry one service of its own. */
export interface VirtualServerGroupConfig {
  readonly name: string;
  /** At least one. */
  readonly entries: readonly VirtualServerGroupEntry[];
}

export type VirtualServerGroupEntry =
  /** All addresses from `first` to `last`; port 0: all ports. */
  | { readonly kind: "range"; readonly first: IpAddress; readonly last: IpAddress; readonly port: number }
  /** Family undefined: that of the virtual server, or IPv4. */
  | { readonly kind: "fwmark"; readonly mark: number; readonly family: 4 | 6 | undefined };

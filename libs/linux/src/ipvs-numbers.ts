// The numbers of <linux/ip_vs.h> that requests and replies have in common.
import type { ForwardingMethod, Protocol, SyncDaemon, TunnelEncapsulation } from "@baton/ipvs";

export const ipvsFamilyName = "IPVS";

export const ipvsVersion = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

/** IPVS_CMD_* */
export const commands = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  setInfo: 14,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const;

/** IPVS_CMD_ATTR_* */
export const top = { service: 1, destination: 2, daemon: 3, timeoutTcp: 4, timeoutTcpFin: 5, timeoutUdp: 6 } as const;

/** IPVS_SVC_ATTR_* */
export const ofService = {
  family: 1,
  protocol: 2,
  address: 3,
  port: 4,
  fwmark: 5,
  scheduler: 6,
  flags: 7,
  timeout: 8,
  netmask: 9,
  stats: 10,
  engine: 11,
  stats64: 12,
} as const;

/** IPVS_DEST_ATTR_* */
export const ofDestination = {
  address: 1,
  port: 2,
  forwarding: 3,
  weight: 4,
  upperThreshold: 5,
  lowerThreshold: 6,
  activeConnections: 7,
  inactiveConnections: 8,
  persistentConnections: 9,
  stats: 10,
  family: 11,
  stats64: 12,
  tunnelType: 13,
  tunnelPort: 14,
  tunnelFlags: 15,
} as const;

/** IPVS_DAEMON_ATTR_* */
export const ofDaemon = { state: 1, interface: 2, id: 3, maxLength: 4, group: 5, group6: 6, port: 7, ttl: 8 } as const;

/** IPVS_STATS_ATTR_* */
export const ofStats = { connections: 1, inPackets: 2, outPackets: 3, inBytes: 4, outBytes: 5 } as const;

/** IPVS_INFO_ATTR_* */
export const ofInfo = { version: 1, tableSize: 2 } as const;

export const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };
export const methodNumbers: Readonly<Record<ForwardingMethod["method"], number>> = {
  masquerade: 0,
  local: 1,
  tunnel: 2,
  "direct-route": 3,
  bypass: 4,
};
export const methodMask = 0x7; // IP_VS_CONN_F_FWD_MASK
export const tunnelNumbers: Readonly<Record<TunnelEncapsulation["type"], number>> = { ipip: 0, gue: 1, gre: 2 };
export const checksumNumbers = { none: 0, full: 1, remote: 2 } as const;
export const roleNumbers: Readonly<Record<SyncDaemon["role"], number>> = { master: 1, backup: 2 };
/** IP_VS_SVC_F_PERSISTENT, _ONEPACKET and the three of the scheduler: not _HASHED, which is the kernel's own. */
export const choosableFlags = 0x3d;

export const nameBytesMax = 16; // IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN, with the final zero

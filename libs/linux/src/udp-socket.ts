// A UDP socket that knows with which TTL its datagrams came, where to, and when: Node's own tells none of the three.
import { type IpAddress, ipFamily, unspecifiedIp } from "@baton/domain";
import type { Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { checked, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { type Datagram, openReceiveQueue } from "./receive-queue.ts";
import { AF_INET, AF_INET6, socketAddress } from "./socket-address.ts";
import { watchFd } from "./watch-fd.ts";

const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const MSG_DONTWAIT = 0x40;
const SOL_IP = 0;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IP_RECVTTL = 12;
const SOL_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const IPV6_RECVHOPLIMIT = 51;

export interface UdpSocketOptions {
  readonly family: 4 | 6;
  /** Bound to; undefined: every address of the family. */
  readonly address?: IpAddress | undefined;
  /** The first free one is taken, from `first` on and then from the beginning. */
  readonly ports: { readonly from: number; readonly to: number; readonly first?: number };
  /** Of what is sent, 1 to 255; undefined: the system's. */
  readonly ttl?: number | undefined;
  /** What is longer comes truncated. */
  readonly bufferBytes: number;
  /** Datagrams that arrived, oldest first; never empty. Those that `drain` hands out do not come here again. */
  onDatagrams(datagrams: readonly UdpDatagram[]): void;
}

export interface UdpDatagram {
  readonly bytes: Uint8Array;
  readonly source: IpAddress;
  readonly destination: IpAddress | undefined;
  readonly ttl: number | undefined;
  readonly truncated: boolean;
  /** When the kernel received it, not when we came to read it (SAFETY S2). */
  readonly receivedAt: Datagram["receivedAt"];
}

export interface UdpSocket extends Closable {
  /** Never queues and never waits. Throws LinuxError: ENETUNREACH, EHOSTUNREACH, EPERM (a firewall), EAGAIN, EBADF. */
  send(bytes: Uint8Array, destination: IpAddress, port: number): void;
  /** What waits in the socket right now, oldest first. */
  drain(): UdpDatagram[];
}

/** Throws LinuxError: EADDRINUSE when every port is taken, EADDRNOTAVAIL when the address is not here, EAFNOSUPPORT. */
export function openUdpSocket(options: UdpSocketOptions): UdpSocket {
  const family = options.family === 4 ? AF_INET : AF_INET6;
  const fd = checked(libc.socket(family, SOCK_DGRAM_CLOEXEC_NONBLOCK, 0), "socket UDP");
  try {
    configure(fd, options);
    bind(fd, options);
    return listen(fd, options);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function configure(fd: number, { family, ttl }: UdpSocketOptions): void {
  const set = (level: number, option: number, value: number): void =>
    void checked(libc.setsockopt(fd, level, option, int32(value), 4), `setsockopt ${level}/${option}`);
  if (family === 4) {
    set(SOL_IP, IP_RECVTTL, 1);
    set(SOL_IP, IP_PKTINFO, 1);
    if (ttl !== undefined) set(SOL_IP, IP_TTL, ttl);
    return;
  }
  set(SOL_IPV6, IPV6_V6ONLY, 1);
  set(SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
  set(SOL_IPV6, IPV6_RECVPKTINFO, 1);
  if (ttl !== undefined) set(SOL_IPV6, IPV6_UNICAST_HOPS, ttl);
}

function bind(fd: number, { family, address = unspecifiedIp(family), ports }: UdpSocketOptions): void {
  const count = ports.to - ports.from + 1;
  const first = (ports.first ?? ports.from) - ports.from;
  for (let tried = 0; tried < count; tried++) {
    const port = ports.from + ((first + tried) % count);
    const bound = socketAddress(address, { port });
    if (libc.bind(fd, bound, bound.length) >= 0) return;
    if (lastErrno() !== errnos.eaddrinuse) throw errorOf(lastErrno(), `bind to ${address} port ${port}`);
  }
  throw errorOf(errnos.eaddrinuse, `bind to ${address} port ${ports.from} to ${ports.to}`);
}

function listen(fd: number, { family, bufferBytes, onDatagrams }: UdpSocketOptions): UdpSocket {
  const queue = openReceiveQueue(fd, bufferBytes);
  const read = (max: number): UdpDatagram[] => {
    if (watch.isClosed()) return [];
    try {
      return queue.drain(max).flatMap(toUdpDatagram);
    } catch (error) {
      // An ICMP answer to something that was sent: nothing was received, and nothing is broken.
      if (error instanceof LinuxError) return [];
      throw error;
    }
  };
  const watch = watchFd(fd, () => {
    const datagrams = read(limits.datagramsPerTurn);
    if (datagrams.length > 0) onDatagrams(datagrams);
    return false;
  });
  return {
    send: (bytes, destination, port) => {
      if (watch.isClosed()) throw new LinuxError("EBADF", `send to ${destination}`, "the socket is closed");
      if (ipFamily(destination) !== family) throw new LinuxError("EAFNOSUPPORT", `send to ${destination}`, "family");
      const to = socketAddress(destination, { port });
      checked(libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT, to, to.length), `send to ${destination} port ${port}`);
    },
    drain: () => read(limits.datagramsPerDrain),
    close: () => watch.close(),
  };
}

function toUdpDatagram({ bytes, source, destination, hopLimit, truncated, receivedAt }: Datagram): UdpDatagram[] {
  // The kernel always says who sent it.
  return source === undefined ? [] : [{ bytes, source, destination, ttl: hopLimit, truncated, receivedAt }];
}

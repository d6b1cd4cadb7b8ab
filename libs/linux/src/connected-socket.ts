// Sockets towards one peer, from where the configuration says: `fwmark`, `bind_if`, `bindto` and `bind_port` are options
// that Node's own sockets do not have, and Node hands on neither ICMP errors of UDP nor ICMP itself.
import { type IpAddress, ipFamily, unspecifiedIp } from "@baton/domain";
import type { Closable } from "./api.ts";
import { LinuxError } from "./error.ts";
import { checked, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { AF_INET, AF_INET6, socketAddress } from "./socket-address.ts";
import { watchFd } from "./watch-fd.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_BINDTODEVICE = 25;
const SO_MARK = 36;
const SOL_IP = 0;
const IP_RECVERR = 11;
const IP_BIND_ADDRESS_NO_PORT = 24;
const SOL_IPV6 = 41;
const IPV6_RECVERR = 25;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const SOL_ICMPV6 = 58;
const ICMPV6_FILTER = 1;
const ICMP_ECHO_REPLY = 0;
const ICMPV6_ECHO_REPLY = 129;
const MSG_DONTWAIT = 0x40;

/** Where packets come from. */
export interface SocketOrigin {
  /** SO_MARK; 0: none. */
  readonly mark: number;
  /** SO_BINDTODEVICE. */
  readonly interface: string | undefined;
  readonly address: IpAddress | undefined;
  readonly port: number | undefined;
}

/**
 * A TCP socket that is bound and not connected, for Node's `new Socket({ fd })`, whose it is from then on: close-on-exec,
 * non-blocking. Throws LinuxError; its `call` is `socket` when there was none to be had, otherwise what could not be set.
 */
export function openTcpDescriptor(family: 4 | 6, origin: SocketOrigin): number {
  return openBound(family, SOCK_STREAM, 0, origin);
}

export interface ConnectedSocketOptions {
  /** `icmp`: echo replies alone, ICMPv6 for an IPv6 peer; needs CAP_NET_RAW. */
  readonly protocol: "udp" | "icmp";
  readonly peer: IpAddress;
  /** Of UDP. */
  readonly port: number;
  readonly origin: SocketOrigin;
  /** What is longer is cut. */
  readonly bufferBytes: number;
  /** From the peer alone; of IPv4's ICMP with the IP header before it. A copy of its own. */
  onDatagram(bytes: Uint8Array): void;
  /** What the network said of that which was sent: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES … */
  onError(error: LinuxError): void;
}

export interface ConnectedSocket extends Closable {
  /** Never queues and never waits. Throws LinuxError: EPERM (a firewall), ENETUNREACH, EAGAIN, EBADF. */
  send(bytes: Uint8Array): void;
}

/** Throws LinuxError, as openTcpDescriptor; its `call` is `connect` when there is no way to the peer. */
export function openConnectedSocket(options: ConnectedSocketOptions): ConnectedSocket {
  const { protocol, peer, port, origin } = options;
  const family = ipFamily(peer);
  const icmp = family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
  const fd = protocol === "udp" ? openBound(family, SOCK_DGRAM, 0, origin) : openBound(family, SOCK_RAW, icmp, origin);
  try {
    if (protocol === "icmp") acceptEchoRepliesOnly(fd, family);
    // Soft errors too (host unreachable), not only those that end a connection (port unreachable).
    const [level, option] = family === 4 ? [SOL_IP, IP_RECVERR] : [SOL_IPV6, IPV6_RECVERR];
    checked(libc.setsockopt(fd, level, option, int32(1), 4), "setsockopt RECVERR");
    // A raw socket has no port; in an IPv6 address another one than 0 is an error there.
    const to = socketAddress(peer, protocol === "udp" ? { port } : {});
    checked(libc.connect(fd, to, to.length), "connect");
    return watch(fd, options);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function openBound(family: 4 | 6, type: number, protocol: number, origin: SocketOrigin): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = checked(libc.socket(domain, type | SOCK_CLOEXEC_NONBLOCK, protocol), "socket");
  try {
    bind(fd, family, type, origin);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function bind(fd: number, family: 4 | 6, type: number, origin: SocketOrigin): void {
  const set = (level: number, option: number, value: Uint8Array, name: string): void =>
    void checked(libc.setsockopt(fd, level, option, value, value.length), name);
  // int32 wraps: a mark has 32 bits without a sign.
  if (origin.mark !== 0) set(SOL_SOCKET, SO_MARK, int32(origin.mark), `mark ${origin.mark}`);
  const name = origin.interface;
  if (name !== undefined) set(SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${name}\0`), `bind to ${name}`);
  const port = type === SOCK_RAW ? 0 : (origin.port ?? 0);
  if (origin.address === undefined && port === 0) return;
  const address = origin.address ?? unspecifiedIp(family);
  // The same port again while the connection before it is still remembered.
  if (port !== 0) set(SOL_SOCKET, SO_REUSEADDR, int32(1), "setsockopt SO_REUSEADDR");
  // With an address alone the port is chosen at connect, when it need be unique for one peer only.
  else if (type !== SOCK_RAW) set(SOL_IP, IP_BIND_ADDRESS_NO_PORT, int32(1), "setsockopt IP_BIND_ADDRESS_NO_PORT");
  const bound = socketAddress(address, { port });
  checked(libc.bind(fd, bound, bound.length), `bind to ${address} port ${port}`);
}

/** Each raw socket gets every ICMP message otherwise. A bit that is set keeps a type out. */
function acceptEchoRepliesOnly(fd: number, family: 4 | 6): void {
  const filter = new Uint32Array(family === 4 ? 1 : 8).fill(0xffffffff);
  const type = family === 4 ? ICMP_ECHO_REPLY : ICMPV6_ECHO_REPLY;
  filter[type >> 5] = ~(1 << (type & 31));
  const bytes = new Uint8Array(filter.buffer);
  const [level, option] = family === 4 ? [SOL_RAW, ICMP_FILTER] : [SOL_ICMPV6, ICMPV6_FILTER];
  checked(libc.setsockopt(fd, level, option, bytes, bytes.length), "setsockopt ICMP_FILTER");
}

function watch(fd: number, options: ConnectedSocketOptions): ConnectedSocket {
  const buffer = new Uint8Array(options.bufferBytes);
  const watched = watchFd(fd, () => {
    for (let read = 0; read < limits.datagramsPerTurn && !watched.isClosed(); read++) {
      const length = libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
      if (length >= 0) options.onDatagram(buffer.slice(0, length));
      else {
        const errno = lastErrno();
        if (errno !== errnos.eagain) options.onError(errorOf(errno, "recv"));
        break;
      }
    }
    return false;
  });
  return {
    send: (bytes) => {
      if (watched.isClosed()) throw new LinuxError("EBADF", "send", "the socket is closed");
      checked(libc.send(fd, bytes, bytes.length, MSG_DONTWAIT), "send");
    },
    close: () => watched.close(),
  };
}

// Protocol 112 on one interface, by raw-socket. One socket serves every virtual router of the interface.
// Three traps of raw-socket are closed here: its send queue starves while receiving is saturated, so sends go straight
// to sendto (`wrap.send`); after close its `wrap.send` would silently open a new, unbound socket, so a `closed` flag
// stands before it; it reads one packet a wake into one shared buffer, so we read the descriptor ourselves, all that waits.
import { readdirSync, readlinkSync } from "node:fs";
import { assert, type IpAddress, ipFamily } from "@baton/domain";
import type { VrrpDatagram, VrrpSocket, VrrpSocketOptions } from "./api.ts";
import { VrrpSocketError } from "./error.ts";
import { ipFromBytes } from "./ip-bytes.ts";
import { checked, errnoNameOfText, int32, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { createRawSocket, type RawSocket } from "./raw-socket.ts";
import { type Datagram, openReceiveQueue } from "./receive-queue.ts";

const VRRP_PROTOCOL = 112;
const GROUP = [224, 0, 0, 18]; // RFC 9568 section 5.1.1.2
const IP_HEADER_BYTES = 20;

const SOL_IP = 0;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PRIORITY = 12;
const SO_RCVBUFFORCE = 33;
const SO_PROTOCOL = 38;
const SO_BINDTOIFINDEX = 62;
const TC_PRIO_CONTROL = 7; // <linux/pkt_sched.h>; also what a VLAN's egress map sees
const SOCK_RAW = 3;
const FD_CLOEXEC = 1;
const F_SETFD = 2;

/** Sockets in use: raw-socket's are closed when they are garbage-collected. */
const liveSockets = new Set<RawSocket>();

/** Throws VrrpSocketError: EPERM without CAP_NET_RAW, ENODEV when there is no such interface. */
export function openVrrpSocket(options: VrrpSocketOptions): VrrpSocket {
  const { socket, fd } = createWithDescriptor(options.interface);
  const closeSocket = (): boolean => {
    const live = liveSockets.delete(socket);
    if (live) socket.close();
    return live;
  };
  try {
    configure(socket, fd, options);
    const queue = openReceiveQueue(fd, options.bufferBytes ?? limits.datagramBytes);
    const read = (max: number): VrrpDatagram[] =>
      liveSockets.has(socket) ? queue.drain(max).flatMap(toVrrpDatagram) : [];
    read(limits.datagramsPerDrain); // what came from other interfaces before the socket was bound
    socket.wrap.removeAllListeners("recvReady");
    socket.wrap.on("recvReady", () => {
      const datagrams = read(limits.datagramsPerTurn);
      if (datagrams.length > 0) options.onDatagrams(datagrams);
    });
    // A poll error closes the socket by itself, without our close(): from then on only a new one is of use.
    socket.on("error", (error) => {
      if (closeSocket()) options.onError(error ?? new Error(`the VRRP socket on ${options.interface} failed`));
    });
    return {
      send: (packet, destination) => send(socket, packet, destination, options.interface),
      drain: () => read(limits.datagramsPerDrain),
      close: () => void closeSocket(),
    };
  } catch (error) {
    closeSocket();
    throw asVrrpSocketError(error, `set up the VRRP socket on ${options.interface}`);
  }
}

/** raw-socket does not tell its descriptor: it is the one raw socket of protocol 112 that is new afterwards. */
function createWithDescriptor(interfaceName: string): { socket: RawSocket; fd: number } {
  const before = new Set(socketDescriptors());
  const socket = attempt(`open a raw socket for ${interfaceName}`, () =>
    // Its own buffer is never used: 16 bytes instead of the default 4096.
    createRawSocket({ protocol: VRRP_PROTOCOL, bufferSize: 16 }),
  );
  liveSockets.add(socket);
  const created = socketDescriptors().filter((entry) => !before.has(entry));
  const candidates = created.map((entry) => Number(entry.split(" ")[0])).filter(isVrrpDescriptor);
  const fd = candidates[0];
  assert(fd !== undefined && candidates.length === 1, `one new socket of protocol 112, not ${candidates.length}`);
  return { socket, fd };
}

/** "<fd> socket:[<inode>]": with the inode a number that is used again counts as new. */
function socketDescriptors(): string[] {
  const entries: string[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (target.startsWith("socket:")) entries.push(`${fd} ${target}`);
    } catch {
      // Closed by another thread since the directory was read, or the directory itself.
    }
  }
  return entries;
}

function isVrrpDescriptor(fd: number): boolean {
  const option = (name: number): number => {
    const value = new Uint8Array(4);
    const result = libc.getsockopt(fd, SOL_SOCKET, name, value, int32(4));
    return result < 0 ? -1 : (value[0] ?? -1);
  };
  return option(SO_TYPE) === SOCK_RAW && option(SO_PROTOCOL) === VRRP_PROTOCOL;
}

function configure(socket: RawSocket, fd: number, { ifindex }: VrrpSocketOptions): void {
  const set = (level: number, option: number, value: Uint8Array): void =>
    socket.setOption(level, option, value, value.length);
  // By index, not by name: the name may mean another interface by now.
  set(SOL_SOCKET, SO_BINDTOIFINDEX, int32(ifindex));
  set(SOL_IP, IP_ADD_MEMBERSHIP, multicastRequest(GROUP, ifindex));
  set(SOL_IP, IP_MULTICAST_IF, multicastRequest([0, 0, 0, 0], ifindex));
  set(SOL_IP, IP_MULTICAST_LOOP, int32(0));
  set(SOL_IP, IP_MULTICAST_ALL, int32(0)); // not the groups that other sockets of the machine have joined
  set(SOL_IP, IP_HDRINCL, int32(1)); // we write the header: TTL 255, TOS 0xc0 and the identification are the codec's
  set(SOL_SOCKET, SO_PRIORITY, int32(TC_PRIO_CONTROL));
  set(SOL_SOCKET, SO_RCVBUFFORCE, int32(limits.receiveBufferBytes));
  // Unlike Node's, raw-socket's descriptor would be inherited by child processes.
  checked(libc.setDescriptorFlags(fd, F_SETFD, "int", FD_CLOEXEC), "fcntl FD_CLOEXEC");
}

/** struct ip_mreqn: group, local address (any), interface index. */
function multicastRequest(group: readonly number[], ifindex: number): Uint8Array {
  const request = new Uint8Array(12);
  request.set(group, 0);
  new DataView(request.buffer).setInt32(8, ifindex, true);
  return request;
}

function send(socket: RawSocket, packet: Uint8Array, destination: IpAddress, interfaceName: string): void {
  const call = `send to ${destination} on ${interfaceName}`;
  if (!liveSockets.has(socket)) throw new VrrpSocketError("EBADF", call, "the socket is closed");
  assert(ipFamily(destination) === 4, `an IPv4 socket sends to IPv4 addresses, not to ${destination}`);
  assert(packet.length > IP_HEADER_BYTES && packet[0] === 0x45, "the packet starts with an IPv4 header of 20 bytes");
  // The kernel would choose a source, or send 0.0.0.0 where the interface has none: neither is a VRRP sender.
  if (packet.subarray(12, 16).every((byte) => byte === 0)) {
    throw new VrrpSocketError("EINVAL", call, "the packet has no source address");
  }
  attempt(call, () => socket.wrap.send(packet, 0, packet.length, destination, sent));
}
const sent = (): void => undefined;

function toVrrpDatagram({ bytes, receivedAt }: Datagram): VrrpDatagram[] {
  // The kernel has checked the IP header before a raw socket gets the packet, so a shorter one cannot be.
  if (bytes.length < IP_HEADER_BYTES) return [];
  return [{ bytes, source: ipFromBytes(bytes, 12, 4), ttl: bytes[8] ?? 0, receivedAt }];
}

function attempt<T>(call: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asVrrpSocketError(error, call);
  }
}

function asVrrpSocketError(error: unknown, call: string): unknown {
  if (error instanceof VrrpSocketError || !(error instanceof Error) || error.message.startsWith("assertion")) {
    return error;
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : errnoNameOfText(error.message);
  return new VrrpSocketError(code, call, error.message, { cause: error });
}

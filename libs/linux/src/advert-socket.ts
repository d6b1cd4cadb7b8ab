// One raw socket for adverts in every way there is to send them: IPv4 and IPv6, to a group or between two addresses,
// protocol 112 or the authentication header's 51. Opened and watched by raw-socket; read and sent by system calls on its
// descriptor, so that all that waits is read in one go, with what only comes beside an IPv6 packet: destination, hop limit.
import { assert, type IpAddress, ipFamily, ipToBytes } from "@baton/domain";
import type { AdvertDatagram, AdvertPacket, AdvertSocket, AdvertSocketOptions } from "./api.ts";
import { LinuxError, VrrpSocketError } from "./error.ts";
import { addressOf, errnoName, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { openRawSocket, type RawSocket, type RawSocketHandlers } from "./raw-socket.ts";
import { type Datagram, openReceiveQueue } from "./receive-queue.ts";
import { socketAddress } from "./socket-address.ts";

const MSG_DONTWAIT = 0x40;

const SOL_SOCKET = 1;
const SO_PRIORITY = 12;
const SO_RCVBUFFORCE = 33;
const SO_BINDTOIFINDEX = 62;
const TC_PRIO_CONTROL = 7; // <linux/pkt_sched.h>; also what a VLAN's egress map sees

const SOL_IP = 0;
const IP_HDRINCL = 3;
const IP_FREEBIND = 15;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;

const SOL_IPV6 = 41;
const IPV6_CHECKSUM = 7;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_ADD_MEMBERSHIP = 20;
const IPV6_MULTICAST_ALL = 29;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
const IPV6_FREEBIND = 78;
/** Class of service "internetwork control", as the IPv4 header of an advert says it. */
const INTERNETWORK_CONTROL = 0xc0;

/** Throws VrrpSocketError: EPERM without CAP_NET_RAW, ENODEV when there is no such interface. */
export function openAdvertSocket(options: AdvertSocketOptions): AdvertSocket {
  const { family, address, ifindex } = options;
  assert(ipFamily(address) === family, `an IPv${family} socket listens on IPv${family} addresses, not on ${address}`);
  assert(ifindex !== undefined || !isMulticast(address), "a group is joined on an interface");
  const handlers = { onReadable: (): void => undefined, onError: (error: Error) => options.onError(error) };
  const socket = openRawSocket(family, options.protocol, {
    onReadable: () => handlers.onReadable(),
    onError: (error) => handlers.onError(error),
  });
  try {
    return listen(socket, handlers, options);
  } catch (error) {
    socket.close();
    const call = `set up the advert socket on ${options.interface}`;
    throw error instanceof LinuxError ? new VrrpSocketError(error.code, call, error.message, { cause: error }) : error;
  }
}

function listen(
  { fd, close: closeSocket }: RawSocket,
  handlers: RawSocketHandlers,
  options: AdvertSocketOptions,
): AdvertSocket {
  configure(fd, options);
  const queue = openReceiveQueue(fd, limits.datagramBytes);
  const memory = layOutSending();
  queue.drain(limits.datagramsPerDrain); // what came before the socket was bound
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    closeSocket();
  };
  const read = (max: number): AdvertDatagram[] =>
    closed ? [] : queue.drain(max).flatMap((datagram) => toAdvertDatagram(datagram, options));
  handlers.onReadable = () => {
    try {
      const datagrams = read(limits.datagramsPerTurn);
      if (datagrams.length > 0) options.onDatagrams(datagrams);
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      close();
      options.onError(error);
    }
  };
  handlers.onError = (error) => {
    closed = true;
    options.onError(error);
  };
  return {
    send: (packet) => {
      if (closed) throw new VrrpSocketError("EBADF", callOf(packet, options), "the socket is closed");
      send(fd, packet, options, memory);
    },
    drain: () => read(limits.datagramsPerDrain),
    close,
  };
}

function configure(fd: number, { family, address, ifindex }: AdvertSocketOptions): void {
  const set = (level: number, option: number, value: Uint8Array): void => {
    const result = libc.setsockopt(fd, level, option, value, value.length);
    if (result < 0) throw failure(`setsockopt ${level}/${option}`);
  };
  // By index, not by name: the name may mean another interface by now.
  if (ifindex !== undefined) set(SOL_SOCKET, SO_BINDTOIFINDEX, int32(ifindex));
  set(SOL_SOCKET, SO_PRIORITY, int32(TC_PRIO_CONTROL));
  set(SOL_SOCKET, SO_RCVBUFFORCE, int32(limits.receiveBufferBytes));
  const group = isMulticast(address) ? ifindex : undefined;
  if (family === 4) configureIpv4(set, address, group);
  else configureIpv6(set, address, group);
  // Nothing but what was sent there: two sockets of one interface never both get a packet.
  const bound = socketAddress(address, { ifindex });
  if (libc.bind(fd, bound, bound.length) < 0) throw failure(`bind to ${address}`);
}

type SetOption = (level: number, option: number, value: Uint8Array) => void;

function configureIpv4(set: SetOption, address: IpAddress, groupOn: number | undefined): void {
  // We write the header: TTL, class of service and identification are the codec's.
  set(SOL_IP, IP_HDRINCL, int32(1));
  set(SOL_IP, IP_MULTICAST_ALL, int32(0)); // not the groups that other sockets of the machine have joined
  if (groupOn === undefined) return set(SOL_IP, IP_FREEBIND, int32(1));
  set(SOL_IP, IP_ADD_MEMBERSHIP, multicastRequest(ipToBytes(address), groupOn));
  set(SOL_IP, IP_MULTICAST_IF, multicastRequest(new Uint8Array(4), groupOn));
  set(SOL_IP, IP_MULTICAST_LOOP, int32(0));
}

function configureIpv6(set: SetOption, address: IpAddress, groupOn: number | undefined): void {
  // The kernel neither writes nor verifies the checksum: it would drop wrong ones before anybody could count them.
  set(SOL_IPV6, IPV6_CHECKSUM, int32(-1));
  set(SOL_IPV6, IPV6_RECVPKTINFO, int32(1));
  set(SOL_IPV6, IPV6_RECVHOPLIMIT, int32(1));
  set(SOL_IPV6, IPV6_TCLASS, int32(INTERNETWORK_CONTROL));
  set(SOL_IPV6, IPV6_MULTICAST_ALL, int32(0));
  // A source address may come later than the socket, or be a virtual one.
  set(SOL_IPV6, IPV6_FREEBIND, int32(1));
  if (groupOn === undefined) return;
  set(SOL_IPV6, IPV6_ADD_MEMBERSHIP, Uint8Array.from([...ipToBytes(address), ...int32(groupOn)]));
  set(SOL_IPV6, IPV6_MULTICAST_IF, int32(groupOn));
  set(SOL_IPV6, IPV6_MULTICAST_HOPS, int32(255));
  set(SOL_IPV6, IPV6_MULTICAST_LOOP, int32(0));
}

/** struct ip_mreqn: group, local address (any), interface index. */
const multicastRequest = (group: Uint8Array, ifindex: number): Uint8Array =>
  Uint8Array.from([...group, 0, 0, 0, 0, ...int32(ifindex)]);

const isMulticast = (address: IpAddress): boolean => {
  const bytes = ipToBytes(address);
  return bytes.length === 4 ? (bytes[0] ?? 0) >> 4 === 0xe : bytes[0] === 0xff;
};

const callOf = ({ destination }: AdvertPacket, options: AdvertSocketOptions): string =>
  `send to ${destination} on ${options.interface}`;

function send(fd: number, packet: AdvertPacket, options: AdvertSocketOptions, memory: SendMemory): void {
  const { bytes, source, destination } = packet;
  const { family, ifindex } = options;
  assert(ipFamily(destination) === family && ipFamily(source) === family, `IPv${family} only: ${destination}`);
  // The kernel would choose a source, or send 0.0.0.0 where the interface has none: neither is a VRRP sender.
  if (ipToBytes(source).every((byte) => byte === 0)) {
    throw new VrrpSocketError("EINVAL", callOf(packet, options), "the packet has no source address");
  }
  const to = socketAddress(destination, { ifindex });
  const result =
    family === 4
      ? libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT, to, to.length)
      : sendFrom(fd, packet, to, ifindex ?? 0, memory);
  if (result < 0) throw failure(callOf(packet, options));
}

/** What the kernel reaches through pointers while it sends: kept as long as the socket, so that nothing of it is collected. */
interface SendMemory {
  readonly header: Uint8Array;
  readonly name: Uint8Array;
  readonly iovec: Uint8Array;
  readonly data: Uint8Array;
  readonly control: Uint8Array;
}

const CONTROL_LENGTH = 40;

/** struct msghdr of 64-bit machines, pointing to the destination, one iovec and the control buffer. */
function layOutSending(): SendMemory {
  const [header, name, iovec] = [new Uint8Array(56), new Uint8Array(28), new Uint8Array(16)];
  const [data, control] = [new Uint8Array(limits.datagramBytes), new Uint8Array(64)];
  new DataView(iovec.buffer).setBigUint64(0, addressOf(data), true);
  const view = new DataView(header.buffer);
  view.setBigUint64(0, addressOf(name), true);
  view.setUint32(8, name.length, true);
  view.setBigUint64(16, addressOf(iovec), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, addressOf(control), true);
  return { header, name, iovec, data, control };
}

/** sendmsg with the source beside the packet: the socket's own is chosen by the kernel, and need not be the one meant. */
function sendFrom(fd: number, packet: AdvertPacket, to: Uint8Array, ifindex: number, memory: SendMemory): number {
  const { bytes, source, hopLimit } = packet;
  assert(bytes.length <= memory.data.length, `no advert is as long as ${bytes.length} bytes`);
  memory.name.set(to);
  memory.data.set(bytes);
  new DataView(memory.iovec.buffer).setBigUint64(8, BigInt(bytes.length), true);
  let used = writeControl(memory.control, 0, IPV6_PKTINFO, [...ipToBytes(source), ...int32(ifindex)]);
  if (hopLimit !== undefined) used = writeControl(memory.control, used, IPV6_HOPLIMIT, [...int32(hopLimit)]);
  new DataView(memory.header.buffer).setBigUint64(CONTROL_LENGTH, BigInt(used), true);
  return libc.sendmsg(fd, memory.header, MSG_DONTWAIT);
}

/** struct cmsghdr (length, level, type) and its data, filled up to a multiple of eight. Returns where the next one begins. */
function writeControl(control: Uint8Array, at: number, type: number, data: readonly number[]): number {
  const view = new DataView(control.buffer);
  view.setBigUint64(at, BigInt(16 + data.length), true);
  view.setInt32(at + 8, SOL_IPV6, true);
  view.setInt32(at + 12, type, true);
  control.set(data, at + 16);
  return at + 16 + Math.ceil(data.length / 8) * 8;
}

function toAdvertDatagram(datagram: Datagram, { family }: AdvertSocketOptions): AdvertDatagram[] {
  const { bytes, truncated, receivedAt, source, destination, hopLimit } = datagram;
  if (family === 4) return [{ family, bytes, truncated, receivedAt }];
  // The kernel always says both; without them there is nothing to judge by.
  if (source === undefined || destination === undefined) return [];
  return [{ family, bytes, source, destination, hopLimit, truncated, receivedAt }];
}

function failure(call: string): VrrpSocketError {
  const errno = lastErrno();
  return new VrrpSocketError(errnoName(errno), call, libc.strerror(errno));
}

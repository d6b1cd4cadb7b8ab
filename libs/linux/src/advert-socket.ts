// One raw socket for adverts in every way there is to send them: IPv4 and IPv6, to a group or between two addresses,
// protocol 112 or the authentication header's 51. Opened and watched by raw-socket; read and sent by system calls on its
// descriptor, so that all that waits is read in one go, with what only comes beside an IPv6 packet: destination, hop limit.
import { assert, ipFamily, ipToBytes } from "@baton/domain";
import { attachFilter, bindToPlace, countMissed, failure, isMulticast, toAdvertDatagram } from "./advert-place.ts";
import type { AdvertDatagram, AdvertPacket, AdvertSocket, AdvertSocketOptions } from "./api.ts";
import { LinuxError, VrrpSocketError } from "./error.ts";
import { addressOf, int32, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { openRawSocket, type RawSocket, type RawSocketHandlers } from "./raw-socket.ts";
import { openReceiveQueue } from "./receive-queue.ts";
import { socketAddress } from "./socket-address.ts";

const MSG_DONTWAIT = 0x40;

const SOL_IPV6 = 41;
const IPV6_PKTINFO = 50;
const IPV6_HOPLIMIT = 52;

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
  if (options.expected !== undefined) attachFilter(fd, options, options.expected, "expected");
  bindToPlace(fd, options, limits.receiveBufferBytes);
  const missed = countMissed(fd);
  const queue = openReceiveQueue(fd, limits.datagramBytes);
  const memory = layOutSending();
  queue.drain(limits.datagramsPerDrain); // what came before the socket was bound
  missed();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    closeSocket();
  };
  const read = (max: number): AdvertDatagram[] => {
    if (closed) return [];
    try {
      return queue.drain(max).flatMap((datagram) => toAdvertDatagram(datagram, options));
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      close();
      options.onError(error);
      return [];
    }
  };
  handlers.onReadable = () => {
    const datagrams = read(limits.datagramsPerTurn);
    if (datagrams.length > 0) options.onDatagrams(datagrams);
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
    expect: (expected) => {
      if (!closed) attachFilter(fd, options, expected, "expected");
    },
    missed: () => (closed ? 0 : missed()),
    close,
  };
}

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

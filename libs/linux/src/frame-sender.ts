// Announcements of addresses as Ethernet frames over AF_PACKET: they pass by the silence, for announcing is always meant.
// Many go with one call: of a thousand addresses the last is to be announced as soon as the first.
import { assert, type IpAddress } from "@baton/domain";
import type { AnnounceResult, Closable } from "./api.ts";
import { addressOf, checked, checkedOrClose, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";

export const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const MSG_DONTWAIT = 0x40;

export interface FrameSender extends Closable {
  /** Sends `frame` once for each address, with what `write` puts into it. Stops at the first error. */
  announce(
    addresses: readonly IpAddress[],
    frame: Uint8Array,
    write: (frame: Uint8Array, address: IpAddress) => void,
  ): AnnounceResult;
}

/** Throws LinuxError: EPERM without CAP_NET_RAW. An interface that is gone shows when something is sent. */
export function openFrameSender(ifindex: number, protocol: number): FrameSender {
  // Protocol 0: this socket receives nothing, so nothing piles up in it.
  const fd = checked(libc.socket(AF_PACKET, SOCK_RAW_CLOEXEC, 0), "socket AF_PACKET");
  const size = int32(limits.arpSendBufferBytes);
  checkedOrClose(libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, size, 4), "setsockopt SO_SNDBUFFORCE", fd);
  const destination = packetAddress(ifindex, protocol);
  let closed = false;
  return {
    announce: (addresses, frame, write) => {
      let sent = 0;
      while (sent < addresses.length) {
        const count = outgoing.fill(destination, frame, addresses, sent, write);
        const result = closed ? -1 : libc.sendmmsg(fd, outgoing.headers, count, MSG_DONTWAIT);
        // Less than all: the error of the next one comes when it is sent again.
        if (result > 0) sent += result;
        else return { sent, error: errorOf(closed ? errnos.ebadf : lastErrno(), `announce ${addresses[sent]}`) };
      }
      return { sent, error: undefined };
    },
    close: () => {
      if (!closed) libc.close(fd);
      closed = true;
    },
  };
}

/** Frames on their way to the kernel, which reads them within the call: all senders of a process share the memory. */
interface Outgoing {
  /** struct mmsghdr for each frame. */
  readonly headers: Uint8Array;
  /** Puts in as many frames as there is room for, from the address at `start` on. Returns how many. */
  fill(
    destination: Uint8Array,
    frame: Uint8Array,
    addresses: readonly IpAddress[],
    start: number,
    write: (frame: Uint8Array, address: IpAddress) => void,
  ): number;
}

const SOCKADDR_LL_BYTES = 20;
const MMSGHDR_BYTES = 64; // on 64-bit machines: struct msghdr of 56, what was sent of it, and four to fill up
const IOVEC_BYTES = 16;
const outgoing = layOut(limits.framesPerSend, limits.frameBytes);

function layOut(capacity: number, frameBytes: number): Outgoing {
  const name = new Uint8Array(SOCKADDR_LL_BYTES);
  const headers = new Uint8Array(MMSGHDR_BYTES * capacity);
  const iovecs = new Uint8Array(IOVEC_BYTES * capacity);
  const frames = new Uint8Array(frameBytes * capacity);
  const [header, iovec] = [new DataView(headers.buffer), new DataView(iovecs.buffer)];
  for (let i = 0; i < capacity; i++) {
    iovec.setBigUint64(IOVEC_BYTES * i, addressOf(frames) + BigInt(frameBytes * i), true);
    header.setBigUint64(MMSGHDR_BYTES * i, addressOf(name), true);
    header.setUint32(MMSGHDR_BYTES * i + 8, SOCKADDR_LL_BYTES, true);
    header.setBigUint64(MMSGHDR_BYTES * i + 16, addressOf(iovecs) + BigInt(IOVEC_BYTES * i), true);
    header.setUint32(MMSGHDR_BYTES * i + 24, 1, true);
  }
  return {
    headers,
    fill: (destination, frame, addresses, start, write) => {
      assert(frame.length <= frameBytes, `a frame has at most ${frameBytes} bytes, not ${frame.length}`);
      name.set(destination);
      const count = Math.min(capacity, addresses.length - start);
      for (let i = 0; i < count; i++) {
        const address = addresses[start + i];
        if (address !== undefined) write(frame, address);
        frames.set(frame, frameBytes * i);
        iovec.setUint32(IOVEC_BYTES * i + 8, frame.length, true);
      }
      return count;
    },
  };
}

/** struct sockaddr_ll; the protocol is in network order. */
export function packetAddress(ifindex: number, protocol: number): Uint8Array {
  const address = new Uint8Array(SOCKADDR_LL_BYTES);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol, false);
  view.setInt32(4, ifindex, true);
  return address;
}

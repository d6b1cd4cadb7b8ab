// Announcements of addresses as Ethernet frames over AF_PACKET: they pass by the silence, for announcing is always meant.
import type { IpAddress } from "@baton/domain";
import type { AnnounceResult, Closable } from "./api.ts";
import { checked, checkedOrClose, errnos, errorOf, int32, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";

export const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUFFORCE = 32;
const MSG_DONTWAIT = 0x40;

export interface FrameSender extends Closable {
  /** Sends `frame` once for each address, after `write` has put the address into it. Stops at the first error. */
  announce(addresses: readonly IpAddress[], frame: Uint8Array, write: (address: IpAddress) => void): AnnounceResult;
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
      for (const [sent, address] of addresses.entries()) {
        write(address);
        const result = closed
          ? -errnos.ebadf
          : libc.sendto(fd, frame, frame.length, MSG_DONTWAIT, destination, destination.length);
        if (result < 0) return { sent, error: errorOf(closed ? errnos.ebadf : lastErrno(), `announce ${address}`) };
      }
      return { sent: addresses.length, error: undefined };
    },
    close: () => {
      if (!closed) libc.close(fd);
      closed = true;
    },
  };
}

/** struct sockaddr_ll; the protocol is in network order. */
export function packetAddress(ifindex: number, protocol: number): Uint8Array {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, protocol, false);
  view.setInt32(4, ifindex, true);
  return address;
}

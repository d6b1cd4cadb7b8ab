// Neighbour discovery on one interface, what `arp-port.ts` is for IPv4: announces addresses in frames of its own, which
// pass by the silence, and hears who else announces (SAFETY S6). Listening is a raw ICMPv6 socket: the kernel has looked at
// the checksum then, and lets nothing but advertisements through.

import { openAnnouncingPort } from "./announcing-port.ts";
import type { Closable, NdPort, NeighbourAdvertisement } from "./api.ts";
import { checked, checkedOrClose, int32, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import {
  addressAdvertisement,
  advertisementFrame,
  decodeAdvertisement,
  ETH_P_IPV6,
  ICMPV6,
  NEIGHBOUR_ADVERTISEMENT,
} from "./nd-packet.ts";
import { openReceiveQueue } from "./receive-queue.ts";
import { AF_INET6 } from "./socket-address.ts";
import { watchFd } from "./watch-fd.ts";

const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_BINDTOIFINDEX = 62;
const SOL_IPV6 = 41;
const IPV6_RECVHOPLIMIT = 51;
const SOL_ICMPV6 = 58;
const ICMP6_FILTER = 1;

/** Throws LinuxError: EPERM without CAP_NET_RAW. An interface that is gone shows when something is sent. */
export function openNdPort({ ifindex }: { readonly ifindex: number }): NdPort {
  const port = openAnnouncingPort(ifindex, ETH_P_IPV6, openReceiver);
  return {
    sendUnsolicited: (addresses, { mac, router }) =>
      port.announce(addresses, advertisementFrame(mac, router), addressAdvertisement),
    onAdvertisement: port.listen,
    close: port.close,
  };
}

/** struct icmp6_filter: one bit for each type that is blocked. */
function onlyAdvertisements(): Uint8Array {
  const filter = new Uint8Array(32).fill(0xff);
  const word = NEIGHBOUR_ADVERTISEMENT >> 5;
  new DataView(filter.buffer).setUint32(word * 4, ~(1 << (NEIGHBOUR_ADVERTISEMENT & 31)), true);
  return filter;
}

function openReceiver(ifindex: number, handler: (heard: NeighbourAdvertisement) => void): Closable {
  const fd = checked(libc.socket(AF_INET6, SOCK_RAW_CLOEXEC_NONBLOCK, ICMPV6), "socket ICMPv6");
  const set = (level: number, option: number, value: Uint8Array): void =>
    void checkedOrClose(libc.setsockopt(fd, level, option, value, value.length), `setsockopt ${level}/${option}`, fd);
  set(SOL_ICMPV6, ICMP6_FILTER, onlyAdvertisements());
  set(SOL_IPV6, IPV6_RECVHOPLIMIT, int32(1));
  set(SOL_SOCKET, SO_BINDTOIFINDEX, int32(ifindex));
  const queue = openReceiveQueue(fd, limits.neighbourMessageBytes);
  queue.drain(limits.datagramsPerDrain); // what came from other interfaces before the socket was bound
  const drain = (): boolean => {
    // Bounded: a storm must not keep the loop; what is left wakes us in the next turn.
    for (const { bytes, hopLimit } of queue.drain(limits.arpPacketsPerTurn)) {
      const heard = watch.isClosed() ? undefined : decodeAdvertisement(bytes, hopLimit);
      if (heard !== undefined) handler(heard);
    }
    return false;
  };
  const watch = watchFd(fd, drain);
  return watch;
}

// ARP on one interface over AF_PACKET: announces addresses, and hears who else claims them (SAFETY S6: an address is
// let go when its gratuitous ARP comes from another MAC). Frames sent this way pass by the ARP silence: announcing is
// always meant.
import { openAnnouncingPort } from "./announcing-port.ts";
import type { ArpPacket, ArpPort, Closable } from "./api.ts";
import { addressGratuitous, decodeArp, ETH_P_ARP, gratuitousFrame } from "./arp-packet.ts";
import { AF_PACKET, packetAddress } from "./frame-sender.ts";
import { checked, checkedOrClose, closeAside, errnos, errorOf, lastErrno, libc } from "./libc.ts";
import { limits } from "./limits.ts";
import { watchFd } from "./watch-fd.ts";

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40;

/** Throws LinuxError: EPERM without CAP_NET_RAW. An interface that is gone shows when something is sent. */
export function openArpPort({ ifindex }: { readonly ifindex: number }): ArpPort {
  const port = openAnnouncingPort(ifindex, ETH_P_ARP, openReceiver);
  return {
    sendGratuitous: (addresses, mac) => port.announce(addresses, gratuitousFrame(mac), addressGratuitous),
    onArp: port.listen,
    close: port.close,
  };
}

function openReceiver(ifindex: number, handler: (packet: ArpPacket) => void): Closable {
  // The protocol comes with the bind: before it, packets of every interface would be queued.
  const fd = checked(libc.socket(AF_PACKET, SOCK_DGRAM_CLOEXEC, 0), "socket AF_PACKET");
  const address = packetAddress(ifindex, ETH_P_ARP);
  checkedOrClose(libc.bind(fd, address, address.length), "bind AF_PACKET", fd);
  const bytes = new Uint8Array(64);
  const drain = (): boolean => {
    // Bounded: a storm of broadcasts must not keep the loop; what is left wakes us in the next turn.
    for (let i = 0; i < limits.arpPacketsPerTurn && !watch.isClosed(); i++) {
      const length = libc.recv(fd, bytes, bytes.length, MSG_DONTWAIT);
      if (length < 0) {
        const errno = lastErrno();
        if (errno === errnos.eagain) break;
        // Told once when the link goes down; the socket hears again when it is up.
        if (errno === errnos.enetdown) continue;
        throw errorOf(errno, "receive ARP");
      }
      const packet = decodeArp(bytes.subarray(0, length));
      if (packet !== undefined) handler(packet);
    }
    return false;
  };
  const watch = watchFd(fd, drain, undefined, closeAside);
  return watch;
}

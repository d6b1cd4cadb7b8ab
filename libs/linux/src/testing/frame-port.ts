// Puts packets onto a link as they are, wrong or not: the kernel mends what goes out through a raw IP socket, and a test of
// what comes in needs it unmended.
import type { Closable } from "../api.ts";
import { checked, libc } from "../libc.ts";

const AF_PACKET = 17;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
/** Any group's frames are taken in by who joined it; IPv4's lower 23 bits, IPv6's lower 32 are in the address. */
const multicastMac = (packet: Uint8Array, family: 4 | 6): number[] =>
  family === 4
    ? [0x01, 0x00, 0x5e, (packet[17] ?? 0) & 0x7f, packet[18] ?? 0, packet[19] ?? 0]
    : [0x33, 0x33, ...packet.subarray(36, 40)];

export interface FramePort extends Closable {
  /** From the IP header on, whatever it says; to the group that stands where a destination would. */
  send(packet: Uint8Array, family: 4 | 6): void;
}

export function openFramePort(ifindex: number): FramePort {
  const fd = checked(libc.socket(AF_PACKET, SOCK_DGRAM_CLOEXEC, 0), "socket AF_PACKET");
  return {
    send: (packet, family) => {
      const to = new Uint8Array(20);
      const view = new DataView(to.buffer);
      view.setUint16(0, AF_PACKET, true);
      view.setUint16(2, family === 4 ? ETH_P_IP : ETH_P_IPV6);
      view.setInt32(4, ifindex, true);
      view.setUint8(11, 6);
      to.set(multicastMac(packet, family), 12);
      checked(libc.sendto(fd, packet, packet.length, 0, to, to.length), "send a frame");
    },
    close: () => void libc.close(fd),
  };
}

// Datagrams as frames on a link: what an attacker there would send, and what makes the kernel hand it on.
import type { ReceivedDatagram } from "../packet.ts";
import { octets } from "./fixtures.ts";

/** The whole packet, an IPv6 datagram with the header that it says it had. */
export function frameOf(datagram: ReceivedDatagram): Uint8Array {
  if (datagram.family === 4) return withHeaderChecksum(datagram.bytes.slice());
  const { bytes, hopLimit = 255 } = datagram;
  const header = octets("6000000000007000 fe80000000000000000000fffe00000b ff020000000000000000000000000012");
  header.set([bytes.length >> 8, bytes.length & 0xff, 112, hopLimit], 4);
  return Uint8Array.from([...header, ...bytes]);
}

/** The kernel drops a wrong one before a raw socket sees the packet; the corpus leaves it open. */
function withHeaderChecksum(packet: Uint8Array): Uint8Array {
  if (packet.length < 20) return packet;
  packet.fill(0, 10, 12);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += ((packet[at] ?? 0) << 8) | (packet[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet.set([(~sum >> 8) & 0xff, ~sum & 0xff], 10);
  return packet;
}

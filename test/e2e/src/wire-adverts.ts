// VRRP as a recording has it: read here with a few lines of its own, so that nothing of the product judges itself.
import { readFileSync } from "node:fs";

export interface SeenAdvert {
  /** Wall clock, in milliseconds. */
  readonly atMs: number;
  /** As the kernel writes it. */
  readonly source: string;
  readonly vrid: number;
  readonly priority: number;
  /** The packet without its Ethernet header. */
  readonly packet: Buffer;
}

const ethernet = { bytes: 14, ipv4: 0x0800, ipv6: 0x86dd } as const;
const protocols = { vrrp: 112, ah: 51 } as const;

const pcapHeaderBytes = 24;

/** Reads on where it stopped, each time it is asked. Times are in nanoseconds (see the lab's capture). */
export function followAdverts(file: string): () => readonly SeenAdvert[] {
  const adverts: SeenAdvert[] = [];
  const read = { bytes: pcapHeaderBytes };
  return () => {
    const pcap = readFileSync(file);
    // The last record may still be being written.
    for (let length = 0; read.bytes + 16 <= pcap.length; read.bytes += 16 + length) {
      length = pcap.readUInt32LE(read.bytes + 8);
      if (read.bytes + 16 + length > pcap.length) break;
      const atMs = pcap.readUInt32LE(read.bytes) * 1000 + pcap.readUInt32LE(read.bytes + 4) / 1e6;
      const advert = readAdvert(pcap.subarray(read.bytes + 16, read.bytes + 16 + length));
      if (advert !== undefined) adverts.push({ atMs, ...advert });
    }
    return adverts;
  };
}

function readAdvert(frame: Buffer): Omit<SeenAdvert, "atMs"> | undefined {
  const packet = frame.subarray(ethernet.bytes);
  const offset = advertOffset(packet);
  if (offset === undefined || packet.length < offset + 8) return undefined;
  return {
    source: sourceOf(packet),
    vrid: packet.readUInt8(offset + 1),
    priority: packet.readUInt8(offset + 2),
    packet,
  };
}

const versionOf = (packet: Buffer): number => packet.readUInt8(0) >> 4;
const ipv4HeaderBytes = (packet: Buffer): number => (packet.readUInt8(0) & 15) * 4;

/** Where VRRP begins in an IP packet; undefined: there is none in it. */
export function advertOffset(packet: Buffer): number | undefined {
  if (packet.length < (versionOf(packet) === 6 ? 40 : 20)) return undefined;
  if (versionOf(packet) === 6) return packet.readUInt8(6) === protocols.vrrp ? 40 : undefined;
  const header = ipv4HeaderBytes(packet);
  const protocol = packet.readUInt8(9);
  if (protocol === protocols.ah) return header + (packet.readUInt8(header + 1) + 2) * 4;
  return protocol === protocols.vrrp ? header : undefined;
}

function sourceOf(packet: Buffer): string {
  if (versionOf(packet) === 4) return [...packet.subarray(12, 16)].join(".");
  const groups = Array.from({ length: 8 }, (_, at) => packet.readUInt16BE(8 + at * 2).toString(16));
  // The URL parser writes an IPv6 address as the kernel does.
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1);
}

/**
 * What two routers must have in common, as hexadecimal digits: all but their own addresses and what follows from those
 * (checksums), IPv4's identification, IPv6's flow label, AH's index (the sender's address), sequence number and signature, and the `trailer` octets at the end.
 */
export function comparable({ packet }: SeenAdvert, { unicast = false, trailer = 0 } = {}): string {
  const copy = Buffer.from(packet.subarray(0, packet.length - trailer));
  const clear = (from: number, to: number): Buffer => copy.fill(0, from, to);
  const offset = advertOffset(copy) ?? 0;
  if (versionOf(copy) === 6) {
    clear(8, unicast ? 40 : 24);
    copy.writeUInt8(copy.readUInt8(1) & 0xf0, 1);
    clear(2, 4);
  } else {
    clear(4, 6);
    clear(10, unicast ? 20 : 16);
    const header = ipv4HeaderBytes(copy);
    if (copy.readUInt8(9) === protocols.ah) clear(header + 4, offset);
  }
  // Version 2 over IPv4 sums up the message alone.
  if (versionOf(copy) === 6 || copy.readUInt8(offset) >> 4 !== 2) clear(offset + 6, offset + 8);
  return `${packet.length} octets: ${copy.toString("hex")}`;
}

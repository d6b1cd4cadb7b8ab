// Floods a link with adverts that nobody may believe, as frames of its own making: no kernel mends or refuses them.
// Arguments: interface, source, kind, packets a second, the VRID that forged ones name, and how many rounds. Runs until it is ended.
import { ipToBytes, parseIp } from "@baton/domain";
import { openLinkMonitor } from "@baton/linux";
import { type FramePort, openFramePort } from "@baton/linux/testing";
import { createRandom, type Random } from "@baton/simulator";
import { frameOf, malformed, malformedWires } from "@baton/vrrp/testing";
import type { FloodKind, FloodMessage } from "./flood.ts";
import { cableInterface } from "./topology.ts";

const [name = "", from = "", kind = "", ...numbers] = process.argv.slice(2);
const [rate = 0, own = 0, rounds = 0] = numbers.map(Number);
const [source, group] = [parseIp(from), parseIp("224.0.0.18")];
if (source === undefined || group === undefined) throw new Error(`cannot flood from ${from}`);
const addresses = [...ipToBytes(source), ...ipToBytes(group)];

/** A packet and where it is sent from. */
interface Aimed {
  readonly packet: Uint8Array;
  readonly family: 4 | 6;
  readonly port: FramePort;
}

function openPort(link: string): FramePort {
  const monitor = openLinkMonitor({ onChange: () => undefined, onGap: () => undefined });
  const found = monitor.links().find((each) => each.name === link);
  monitor.close();
  if (found === undefined) throw new Error(`cannot flood ${link}`);
  return openFramePort(found.ifindex);
}

interface Said {
  readonly first?: number;
  readonly vrid: number;
  readonly priority?: number;
  readonly count?: number;
  readonly interval?: number;
  readonly ttl?: number;
}

/** RFC 9568 section 5.1, with a checksum of zero, which is never right. */
const packet = (said: Said): Uint8Array => inIp(said.ttl ?? 255, vrrp(said));

function vrrp({ first = 0x31, vrid: number, priority = 254, count = 1, interval = 100 }: Said): number[] {
  return [first, number, priority, count, interval >> 8, interval & 0xff, 0, 0, 192, 0, 2, 1];
}

function inIp(ttl: number, payload: readonly number[]): Uint8Array {
  const header = [0x45, 0xc0, 0, 20 + payload.length, 0, 1, 0, 0, ttl, 112, 0, 0, ...addresses];
  const checksum = ~sumOf(header) & 0xffff;
  header.splice(10, 2, checksum >> 8, checksum & 0xff);
  return Uint8Array.from([...header, ...payload]);
}

/** RFC 1071, not complemented. */
function sumOf(bytes: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/**
 * One to four octets are others, and the end may be missing. Its checksum is right by neither rule, with the pseudo-header
 * or without: chance must not make one that is to be believed.
 */
function mutated(random: Random): Uint8Array {
  const payload = vrrp({ vrid: own });
  for (let left = random.integer(1, 4); left > 0; left--) payload[random.integer(0, 11)] = random.integer(0, 255);
  const cut = random.chance(0.2) ? payload.slice(0, random.integer(0, 11)) : payload;
  if (cut.length < 8) return inIp(255, cut);
  cut.splice(6, 2, 0, 0);
  const alone = sumOf(cut);
  const right = [alone, sumOf([...cut.slice(0, cut.length - (cut.length % 2)), ...addresses, 0, 112, 0, cut.length])];
  let checksum = random.integer(1, 0xffff);
  while (right.some((sum) => (~sum & 0xffff) === checksum)) checksum = random.integer(1, 0xffff);
  cut.splice(6, 2, checksum >> 8, checksum & 0xff);
  return inIp(255, cut);
}

function onTheLink(packets: readonly Uint8Array[]): readonly Aimed[] {
  const port = openPort(name);
  return packets.map((each) => ({ packet: each, family: 4, port }));
}

const packetsOf: Record<FloodKind, () => readonly Aimed[]> = {
  strangers: () => onTheLink(Array.from({ length: 56 }, (_, index) => packet({ vrid: 200 + index }))),
  forged: () =>
    onTheLink(
      [
        ...[{ priority: 255 }, { priority: 0 }, { priority: 1 }, { ttl: 254 }, { first: 0x41 }, { first: 0x30 }],
        ...[{ count: 255 }, { interval: 0 }],
      ].map((said) => packet({ vrid: own, ...said })),
    ),
  mutated: () => {
    const random = createRandom(own);
    return onTheLink(Array.from({ length: 20_000 }, () => mutated(random)));
  },
  malformed: () =>
    malformedWires.flatMap((wire, index) => {
      const port = openPort(cableInterface(index + 1));
      return malformed
        .filter((each) => each.wire === wire && each.datagram.bytes.length > 0)
        .map(({ datagram }) => ({ packet: frameOf(datagram), family: datagram.family, port }));
    }),
};
const packets = packetsOf[kind as FloodKind]();
const countMax = rounds * packets.length;

/** Of what a busy machine has made us late for, so much is made up in one turn; the rest is forgotten. */
const burstMax = Math.max(1, rate / 50);
const flood = { sent: 0, from: performance.now(), sinceThen: 0 };
setInterval(() => {
  const due = ((performance.now() - flood.from) / 1_000) * rate - flood.sinceThen;
  for (let count = Math.min(due, burstMax, countMax - flood.sent); count >= 1; count--) {
    const next = packets[flood.sent % packets.length];
    try {
      next?.port.send(next.packet, next.family);
    } catch {
      // The queue of the link is full: that many are enough.
    }
    flood.sent++;
    flood.sinceThen++;
  }
  if (due <= burstMax) return;
  flood.from = performance.now();
  flood.sinceThen = 0;
}, 1);
setInterval(() => process.send?.({ sent: flood.sent, isOver: flood.sent >= countMax } satisfies FloodMessage), 100);

// Floods a link with adverts that nobody may believe, as frames of its own making: no kernel mends or refuses them.
// Arguments: interface, source, packets a second, kind, and the VRID that forged ones name. Runs until it is ended.
import { ipToBytes, parseIp } from "@baton/domain";
import { openLinkMonitor } from "@baton/linux";
import { openFramePort } from "@baton/linux/testing";
import type { FloodMessage } from "./flood.ts";

const [name = "", from = "", rate = "", kind = "", vrid = ""] = process.argv.slice(2);
const [source, group] = [parseIp(from), parseIp("224.0.0.18")];
const monitor = openLinkMonitor({ onChange: () => undefined, onGap: () => undefined });
const link = monitor.links().find((each) => each.name === name);
monitor.close();
if (source === undefined || group === undefined || link === undefined) throw new Error(`cannot flood ${name}`);
const addresses = [...ipToBytes(source), ...ipToBytes(group)];

interface Said {
  readonly first?: number;
  readonly vrid: number;
  readonly priority?: number;
  readonly count?: number;
  readonly interval?: number;
  readonly ttl?: number;
}

/** RFC 9568 section 5.1, with a checksum of zero, which is never right. */
function packet({
  first = 0x31,
  vrid: number,
  priority = 254,
  count = 1,
  interval = 100,
  ttl = 255,
}: Said): Uint8Array {
  const bytes = Uint8Array.from([
    ...[0x45, 0xc0, 0, 32, 0, 1, 0, 0, ttl, 112, 0, 0, ...addresses],
    ...[first, number, priority, count, interval >> 8, interval & 0xff, 0, 0, 192, 0, 2, 1],
  ]);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const folded = (sum & 0xffff) + (sum >>> 16);
  bytes.set([(~folded >> 8) & 0xff, ~folded & 0xff], 10);
  return bytes;
}

const own = Number(vrid);
const packets =
  kind === "strangers"
    ? Array.from({ length: 56 }, (_, index) => packet({ vrid: 200 + index }))
    : [
        ...[{ priority: 255 }, { priority: 0 }, { priority: 1 }, { ttl: 254 }, { first: 0x41 }, { first: 0x30 }],
        ...[{ count: 255 }, { interval: 0 }],
      ].map((said) => packet({ vrid: own, ...said }));

/** Of what a busy machine has made us late for, so much is made up in one turn; the rest is forgotten. */
const burstMax = Number(rate) / 50;
const port = openFramePort(link.ifindex);
const flood = { sent: 0, from: performance.now(), sinceThen: 0 };
setInterval(() => {
  const due = ((performance.now() - flood.from) / 1_000) * Number(rate) - flood.sinceThen;
  for (let count = Math.min(due, burstMax); count >= 1; count--) {
    try {
      port.send(packets[flood.sent % packets.length] ?? packet({ vrid: own }), 4);
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
setInterval(() => process.send?.({ sent: flood.sent } satisfies FloodMessage), 100);

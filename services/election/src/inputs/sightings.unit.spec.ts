import { type Instant, instant, parseIp } from "@baton/domain";
import type { VrrpPacket } from "@baton/vrrp";
import { expect, test } from "vitest";
import { Sightings } from "./sightings.ts";

const second = 1_000_000;
const at = (seconds: number): Instant => instant(1_000 * second + seconds * second);

function packet(source: string, vrid = 77): VrrpPacket {
  const from = parseIp(source);
  const to = parseIp("224.0.0.18");
  if (from === undefined || to === undefined) throw new Error(source);
  const bytes = Uint8Array.from([...new Array<number>(20).fill(0), 0x21, vrid, 150, 1, 0, 1, 0, 0]);
  const header = { ttl: 255, id: 1, totalLength: 28, headerLength: 20, authenticated: false, messageOffset: 20 };
  return { family: 4, source: from, destination: to, vrid, bytes, ...header };
}

test("who speaks for which number, once in five minutes", () => {
  const sightings = new Sightings();
  expect(sightings.see("eth0", packet("10.0.0.9"), "unknown-vrid", at(0))?.data).toEqual({
    interface: "eth0",
    vrid: 77,
    family: 4,
    source: "10.0.0.9",
    version: 2,
    priority: 150,
    reason: "unknown-vrid",
  });
  expect(sightings.see("eth0", packet("10.0.0.9"), "unknown-vrid", at(299))).toBeUndefined();
  expect(sightings.see("eth0", packet("10.0.0.9"), "unknown-vrid", at(300))).toBeDefined();
});

test("another sender, number or interface is another sighting", () => {
  const sightings = new Sightings();
  sightings.see("eth0", packet("10.0.0.9"), "unknown-vrid", at(0));
  expect(sightings.see("eth0", packet("10.0.0.8"), "unknown-vrid", at(0))).toBeDefined();
  expect(sightings.see("eth0", packet("10.0.0.9", 78), "unknown-vrid", at(0))).toBeDefined();
  expect(sightings.see("eth1", packet("10.0.0.9"), "unknown-vrid", at(0))).toBeDefined();
});

test("a flood of made-up senders is not told one by one, nor remembered for ever", () => {
  const sightings = new Sightings();
  const flood = (seconds: number): number => {
    let told = 0;
    for (let n = 0; n < 1_000; n++) {
      const source = packet(`10.1.${n >> 8}.${n & 255}`);
      if (sightings.see("eth0", source, "unknown-vrid", at(seconds)) !== undefined) told++;
    }
    return told;
  };
  expect(flood(0)).toBe(256);
  expect(flood(1)).toBe(0);
  expect(sightings.see("eth0", packet("10.0.0.9"), "unknown-vrid", at(301))).toBeDefined();
});

// Virtual routers of others on our links: worth one event now and then, for whoever chose the same number by mistake or
// forgot an instance. Anybody may send anything: what is remembered has an end.
import { type BatonEventOf, type Instant, microsSince, secondsToMicros } from "@baton/domain";
import type { DiscardReason, VrrpPacket } from "@baton/vrrp";

export type Sighting = BatonEventOf<"foreign-vrid-seen">;

/** The same VRID of the same sender on the same interface is told this often. */
const quiet = secondsToMicros(300);
const sightingsMax = 256;

export class Sightings {
  readonly #seen = new Map<string, Instant>();

  /** The event, when this is news. */
  see(interfaceName: string, packet: VrrpPacket, reason: DiscardReason, now: Instant): Sighting | undefined {
    const { vrid, family, source, bytes, messageOffset } = packet;
    const key = `${interfaceName} ${family} ${vrid} ${source}`;
    const last = this.#seen.get(key);
    if (last !== undefined && microsSince(now, last) < quiet) return undefined;
    if (last === undefined && this.#seen.size >= sightingsMax && !this.#forgetOldest(now)) return undefined;
    this.#seen.delete(key);
    this.#seen.set(key, now);
    const version = (bytes[messageOffset] ?? 0) >> 4;
    const priority = bytes[messageOffset + 2] ?? 0;
    const data = { interface: interfaceName, vrid, family, source, version, priority, reason };
    return { type: "foreign-vrid-seen", data };
  }

  /** False while all of them are news still: a flood is not told packet by packet. */
  #forgetOldest(now: Instant): boolean {
    const [oldest] = this.#seen;
    return oldest !== undefined && microsSince(now, oldest[1]) >= quiet && this.#seen.delete(oldest[0]);
  }
}

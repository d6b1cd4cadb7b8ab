// One segment: what a router sends reaches the others late, twice, out of order or not at all. Each direction between two
// routers can be cut by itself.
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export interface Quality {
  /** Of each packet to each receiver. */
  readonly loss: number;
  readonly duplicates: number;
  /** Microseconds; packets overtake each other when the difference is longer than the time between them. */
  readonly delay: { readonly min: number; readonly max: number };
}

export const goodNetwork: Quality = { loss: 0, duplicates: 0, delay: { min: 50, max: 300 } };

export class Network<Packet> {
  quality: Quality = goodNetwork;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #receivers: ((packet: Packet) => void)[] = [];
  readonly #cut = new Set<string>();

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  join(receive: (packet: Packet) => void): number {
    return this.#receivers.push(receive) - 1;
  }

  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  heal(): void {
    this.#cut.clear();
    this.quality = goodNetwork;
  }

  /** No direction is cut and nothing is lost. */
  get isWhole(): boolean {
    return this.#cut.size === 0 && this.quality.loss === 0;
  }

  send(from: number, packet: Packet): void {
    const { loss, duplicates } = this.quality;
    for (const [to, receive] of this.#receivers.entries()) {
      if (to === from || this.#cut.has(`${from}>${to}`) || this.#random.chance(loss)) continue;
      this.#deliver(packet, receive);
      if (this.#random.chance(duplicates)) this.#deliver(packet, receive);
    }
  }

  #deliver(packet: Packet, receive: (packet: Packet) => void): void {
    const { min, max } = this.quality.delay;
    this.#timeline.at(this.#timeline.now + this.#random.integer(min, max), () => receive(packet));
  }
}

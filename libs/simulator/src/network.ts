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
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #receivers: ((packet: Packet) => void)[] = [];
  /** How often each direction is cut: two faults may have the same. */
  readonly #cuts = new Map<string, number>();
  readonly #troubles = new Set<Quality>();
  #quality: Quality = goodNetwork;

  constructor(timeline: Timeline, random: Random) {
    this.#timeline = timeline;
    this.#random = random;
  }

  join(receive: (packet: Packet) => void): number {
    return this.#receivers.push(receive) - 1;
  }

  /** Returns what mends it. */
  cut(from: number, to: number): () => void {
    const direction = `${from}>${to}`;
    this.#cuts.set(direction, (this.#cuts.get(direction) ?? 0) + 1);
    return () => {
      const left = (this.#cuts.get(direction) ?? 0) - 1;
      if (left > 0) this.#cuts.set(direction, left);
      else this.#cuts.delete(direction);
    };
  }

  /** Nobody hears `from`. */
  mute(from: number): () => void {
    const mends = this.#receivers.map((_, to) => this.cut(from, to));
    return () => {
      for (const mend of mends) mend();
    };
  }

  /** The worst of all that is worsened counts. Returns what mends it. */
  worsen(quality: Quality): () => void {
    this.#troubles.add(quality);
    this.#assess();
    return () => {
      this.#troubles.delete(quality);
      this.#assess();
    };
  }

  heal(): void {
    this.#cuts.clear();
    this.#troubles.clear();
    this.#assess();
  }

  #assess(): void {
    let quality = goodNetwork;
    for (const { loss, duplicates, delay } of this.#troubles) {
      quality = {
        loss: Math.max(loss, quality.loss),
        duplicates: Math.max(duplicates, quality.duplicates),
        delay: { min: goodNetwork.delay.min, max: Math.max(delay.max, quality.delay.max) },
      };
    }
    this.#quality = quality;
  }

  send(from: number, packet: Packet): void {
    const { loss, duplicates } = this.#quality;
    const isCut = this.#cuts.size > 0;
    for (const [to, receive] of this.#receivers.entries()) {
      if (to === from || (isCut && this.#cuts.has(`${from}>${to}`)) || this.#random.chance(loss)) continue;
      this.#deliver(packet, receive);
      if (this.#random.chance(duplicates)) this.#deliver(packet, receive);
    }
  }

  #deliver(packet: Packet, receive: (packet: Packet) => void): void {
    const { min, max } = this.#quality.delay;
    this.#timeline.at(this.#timeline.now + this.#random.integer(min, max), () => receive(packet));
  }
}

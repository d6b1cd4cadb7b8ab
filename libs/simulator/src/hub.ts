// The hub as the routers of a segment see it: what one testifies reaches the others over another network, soon, hours
// later, twice, or never; and somebody may lie (SAFETY S13).
import type { IpAddress } from "@baton/domain";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

export interface Testimony {
  readonly kind: "denial" | "question" | "answer";
  readonly member: number;
  /** The router that it is about. */
  readonly address: IpAddress;
  readonly nonce: number;
}

export interface HubQuality {
  readonly loss: number;
  readonly replays: number;
  /** Microseconds at the most; most come far sooner. */
  readonly delay: number;
}

const hour = 3_600_000_000;

/** Every second fleet has one that works; others have one on which nothing comes in time, or only twice. */
export const hubs = {
  none: { loss: 1, replays: 0, delay: 0 },
  good: { loss: 0, replays: 0, delay: 5_000 },
  bad: { loss: 0.2, replays: 0.5, delay: hour },
} as const satisfies Record<string, HubQuality>;
export type HubKind = keyof typeof hubs;

/** From here up to the quality's delay. */
const fastest = 500;

export class Hub {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #quality: HubQuality;
  readonly #receivers: ((testimony: Testimony) => void)[] = [];
  /** Answers every question in the name of whoever is asked: it can read the hub. */
  liesWithNonces = false;

  constructor(timeline: Timeline, random: Random, quality: HubQuality) {
    this.#timeline = timeline;
    this.#random = random;
    this.#quality = quality;
  }

  /** Numbers that nobody guesses. */
  readonly nonce = (): number => this.#random.next();

  join(receive: (testimony: Testimony) => void): number {
    return this.#receivers.push(receive) - 1;
  }

  /** `from`: undefined for somebody who is no router of the segment. */
  send(from: number | undefined, testimony: Testimony): void {
    const { loss, replays } = this.#quality;
    for (const [to, receive] of this.#receivers.entries()) {
      if (to === from || this.#random.chance(loss)) continue;
      this.#deliver(testimony, receive);
      if (this.#random.chance(replays)) this.#deliver(testimony, receive);
    }
    if (this.liesWithNonces && testimony.kind === "question") this.send(undefined, { ...testimony, kind: "answer" });
  }

  #deliver(testimony: Testimony, receive: (testimony: Testimony) => void): void {
    const longest = Math.max(this.#quality.delay, fastest);
    const delay = fastest * (longest / fastest) ** this.#random.next();
    this.#timeline.at(this.#timeline.now + delay, () => receive(testimony));
  }
}

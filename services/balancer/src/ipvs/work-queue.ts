// Services that wait for their turn, each once and for its newest story; and the stories of which nothing waits any more.
import type { Story } from "../story.ts";
import { InOrder } from "./in-order.ts";

const ranks = ["urgent", "plain", "leaving"] as const;
export type Rank = (typeof ranks)[number];

export class WorkQueue {
  readonly #queues: Readonly<Record<Rank, InOrder<Story>>> = {
    urgent: new InOrder(),
    plain: new InOrder(),
    leaving: new InOrder(),
  };
  #settled: Story[] = [];

  has(name: string): boolean {
    return ranks.some((rank) => this.#queues[rank].has(name));
  }

  /** Whoever waits already keeps no lower rank than it has. */
  put(name: string, story: Story, rank: Rank): void {
    story.waiting++;
    const before = ranks.find((each) => this.#queues[each].has(name));
    if (before !== undefined) {
      const superseded = this.#queues[before].get(name);
      this.#queues[before].delete(name);
      if (superseded !== undefined) this.release(superseded);
    }
    this.#queues[before === "urgent" && rank === "plain" ? "urgent" : rank].set(name, story);
  }

  /** Its story waits for it until `release`. */
  shift(urgentOnly: boolean): { readonly name: string; readonly story: Story } | undefined {
    for (const rank of urgentOnly ? (["urgent"] as const) : ranks) {
      const next = this.#queues[rank].shift();
      if (next !== undefined) return { name: next.name, story: next.value };
    }
    return undefined;
  }

  release(story: Story): void {
    story.waiting--;
    if (story.waiting === 0) this.#settled.push(story);
  }

  /** Each once. */
  settled(): readonly Story[] {
    return this.#settled.splice(0);
  }

  clear(): void {
    for (let next = this.shift(false); next !== undefined; next = this.shift(false)) this.release(next.story);
  }
}

// Every event of this node as control hears it, on Watch or on NATS, whichever is alive: remembered for a while, and
// told to whoever listens. This is what `baton events` lives on while the bus is down.
import type { EventEnvelope } from "@baton/domain";
import { EventRing } from "./event-ring.ts";

export class EventFeed {
  readonly #ring = new EventRing();
  readonly #listeners = new Set<(envelope: EventEnvelope) => void>();

  add(envelope: EventEnvelope): void {
    if (!this.#ring.add(envelope)) return;
    for (const listener of this.#listeners) listener(envelope);
  }

  /** What the stream holds of the time before control listened. */
  seed(older: readonly EventEnvelope[]): void {
    this.#ring.seed(older);
  }

  /** Oldest first. */
  recent(): readonly EventEnvelope[] {
    return this.#ring.all();
  }

  listen(listener: (envelope: EventEnvelope) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }
}

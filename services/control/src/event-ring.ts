// The last events of this node as control saw them itself, for the time when the bus is down: history is then short,
// but what happens now is told.
import type { EventEnvelope } from "@baton/domain";

export const ringMax = 1_000;

export class EventRing {
  readonly #events: EventEnvelope[] = [];
  readonly #ids = new Set<string>();

  /** False when it is there already: an event is seen on Watch and on NATS. */
  add(envelope: EventEnvelope): boolean {
    if (this.#ids.has(envelope.id)) return false;
    this.#events.push(envelope);
    this.#ids.add(envelope.id);
    const dropped = this.#events.length > ringMax ? this.#events.shift() : undefined;
    if (dropped !== undefined) this.#ids.delete(dropped.id);
    return true;
  }

  /** Oldest first. */
  all(): readonly EventEnvelope[] {
    return this.#events;
  }
}

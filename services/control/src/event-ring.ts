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

  /** Events of before the oldest that is here, oldest first: as many as there is room for. */
  seed(older: readonly EventEnvelope[]): void {
    const room = ringMax - this.#events.length;
    if (room <= 0) return;
    const missing = older.filter((each) => !this.#ids.has(each.id)).slice(-room);
    this.#events.unshift(...missing);
    for (const { id } of missing) this.#ids.add(id);
  }

  /** Oldest first. */
  all(): readonly EventEnvelope[] {
    return this.#events;
  }
}

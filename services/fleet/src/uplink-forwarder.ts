// Store and forward: the node's events to the hub, in the node's order, each once.
//
// Events are sent one after the other, so the hub always holds a beginning of the node's history and nothing of its
// rest. After anything doubtful (a start, a lost connection, no answer) the first events are looked up on the hub
// until one is found missing; from there on none can be there. JetStream's own de-duplication by message id covers
// ten minutes only, and an outage may be longer.
import { encodeMessage, subjectOf } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import type { StoredEvent } from "@baton/event-log";

export interface ForwarderHub {
  publish(message: ReturnType<typeof encodeMessage>): Promise<unknown>;
  /** The last event that the hub holds on this very subject. */
  lastOn(subject: string): Promise<EventEnvelope | undefined>;
}

export class Forwarder {
  readonly #hub: ForwarderHub;
  #doubtful = true;
  #forwarded = 0;

  constructor(hub: ForwarderHub) {
    this.#hub = hub;
  }

  /** Events sent since the start. */
  get forwarded(): number {
    return this.#forwarded;
  }

  /** The connection to either side was lost: what was under way may or may not have arrived. */
  doubt(): void {
    this.#doubtful = true;
  }

  /** Rejects when the hub is away; the same batch is then to be given again. */
  async forward(batch: readonly StoredEvent[]): Promise<void> {
    for (const { envelope } of batch) {
      try {
        if (this.#doubtful && (await this.#isThere(envelope))) continue;
        this.#doubtful = false;
        await this.#hub.publish(encodeMessage(envelope));
        this.#forwarded++;
      } catch (error) {
        this.#doubtful = true;
        throw error;
      }
    }
  }

  async #isThere(envelope: EventEnvelope): Promise<boolean> {
    const last = await this.#hub.lastOn(subjectOf(envelope.node, envelope.aggregate, envelope.event.type));
    if (last === undefined) return false;
    // (epoch, version) rises with every event of an aggregate, across restarts and reboots.
    return last.epoch > envelope.epoch || (last.epoch === envelope.epoch && last.version >= envelope.version);
  }
}

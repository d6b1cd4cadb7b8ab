// One story out of two: the owner's Watch stream (the level) and NATS (the edge). Pure: who feeds it owns the stream
// and the timers.
//
// Per aggregate the last (epoch, version) handed out is known; an event is handed out when it is the next one, dropped
// when it is not newer, and held when something before it is missing: the other path usually brings that within a
// millisecond. What does not come is a gap, and a gap asks for a fresh snapshot.
import type { AggregateState, Pulse, Snapshot } from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import { aggregateKey, isAfter } from "@baton/event-log";

export const mergeLimits = { heldMax: 1_000 } as const;

export interface MergeHandler {
  snapshot(states: readonly AggregateState[]): void;
  event(envelope: EventEnvelope): void;
}

/** What the feeder should do: nothing, give the other path a moment, or open a fresh stream at once. */
export type MergeVerdict = "fine" | "gap" | "resnapshot";

interface Seen {
  readonly epoch: number;
  readonly version: number;
}

export class FollowMerge {
  readonly #service: ServiceName;
  readonly #kinds: ReadonlySet<string>;
  readonly #handler: MergeHandler;
  readonly #seen = new Map<string, Seen>();
  readonly #held = new Map<string, EventEnvelope[]>();
  #heldCount = 0;
  #synced = false;
  /** Until the first pulse of a stream the versions of aggregates that the snapshot did not list are unknown. */
  #based = false;
  #epoch = 0;

  constructor(service: ServiceName, kinds: readonly Aggregate["kind"][], handler: MergeHandler) {
    this.#service = service;
    this.#kinds = new Set(kinds);
    this.#handler = handler;
  }

  get holding(): boolean {
    return this.#synced && this.#heldCount > 0;
  }

  snapshot(snapshot: Snapshot): MergeVerdict {
    const states = snapshot.aggregates.filter((state) => this.#kinds.has(state.kind));
    const epoch = snapshot.epoch;
    // NATS was faster than this snapshot: handing it out would take the reader back in time.
    const stale = states.some((state) => {
      const seen = this.#seen.get(keyOf(state));
      return seen !== undefined && isAfter(seen, { epoch, version: state.version });
    });
    if (this.#synced && (stale || epoch < this.#epoch)) return "resnapshot";
    this.#epoch = epoch;
    this.#synced = true;
    this.#based = false;
    for (const state of states) this.#seen.set(keyOf(state), { epoch, version: state.version });
    this.#handler.snapshot(states);
    return "fine";
  }

  pulse(pulse: Pulse): MergeVerdict {
    if (!this.#synced) return "fine";
    if (pulse.epoch !== this.#epoch) return "resnapshot";
    let missing = false;
    for (const { kind, id, version } of pulse.versions) {
      if (!this.#kinds.has(kind)) continue;
      const key = `${kind}/${id}`;
      const now = { epoch: pulse.epoch, version };
      const seen = this.#seen.get(key);
      if (!this.#based && seen === undefined) this.#seen.set(key, now);
      else if (version > (seen?.version ?? 0)) missing = true;
    }
    this.#based = true;
    // Held events may be next now that the base line is known; the stream may have been what was missing.
    for (const key of [...this.#held.keys()]) this.#release(key);
    return missing ? "resnapshot" : this.#verdict();
  }

  event(envelope: EventEnvelope): MergeVerdict {
    const { aggregate } = envelope;
    if (envelope.service !== this.#service || !this.#kinds.has(aggregate.kind)) return "fine";
    const key = aggregateKey(aggregate);
    if (this.#synced && !isAfter(envelope, this.#seen.get(key))) return "fine";
    this.#hold(key, envelope);
    if (this.#synced) this.#release(key);
    return this.#verdict();
  }

  #verdict(): MergeVerdict {
    return this.holding ? "gap" : "fine";
  }

  #hold(key: string, envelope: EventEnvelope): void {
    if (this.#heldCount >= mergeLimits.heldMax) {
      // Too much to be out of order: the next snapshot stands in for it.
      this.#held.clear();
      this.#heldCount = 0;
    }
    const held = this.#held.get(key) ?? [];
    if (held.some((other) => other.epoch === envelope.epoch && other.version === envelope.version)) return;
    held.push(envelope);
    held.sort((a, b) => a.epoch - b.epoch || a.version - b.version);
    this.#held.set(key, held);
    this.#heldCount++;
  }

  #release(key: string): void {
    const held = this.#held.get(key) ?? [];
    for (let next = held[0]; next !== undefined; next = held[0]) {
      if (isAfter(next, this.#seen.get(key))) {
        if (!this.#isNext(key, next)) break;
        this.#seen.set(key, next);
        held.shift();
        this.#heldCount--;
        this.#handler.event(next);
      } else {
        held.shift();
        this.#heldCount--;
      }
    }
    if (held.length === 0) this.#held.delete(key);
  }

  #isNext(key: string, envelope: EventEnvelope): boolean {
    const seen = this.#seen.get(key);
    if (seen !== undefined) return envelope.version === seen.version + 1;
    // Never heard of: with the base line known, it is new.
    return this.#based && envelope.version === 1;
  }
}

const keyOf = (state: AggregateState): string => `${state.kind}/${state.id}`;

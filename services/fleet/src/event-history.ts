// The last events of the whole fleet as the page shows them: a bounded memory, newest last.
import { type BatonEventType, type EventEnvelope, type ExplainContext, explain } from "@baton/domain";
import { compareEvents, type EventView } from "./view.ts";

export const historyMax = 1_000;

export class EventHistory {
  readonly #events: EventView[] = [];
  readonly #ids = new Set<string>();

  /** Undefined for an event that is there already. */
  add(envelope: EventEnvelope, context: ExplainContext): EventView | undefined {
    if (this.#ids.has(envelope.id)) return undefined;
    const view: EventView = {
      id: envelope.id,
      time: envelope.time,
      node: envelope.node,
      service: envelope.service,
      kind: envelope.aggregate.kind,
      aggregate: envelope.aggregate.id,
      type: envelope.event.type,
      sentence: explain(envelope, context),
      tone: toneOf(envelope.event.type),
      correlationId: envelope.correlationId,
    };
    this.#events.push(view);
    this.#ids.add(view.id);
    const dropped = this.#events.length > historyMax ? this.#events.shift() : undefined;
    if (dropped !== undefined) this.#ids.delete(dropped.id);
    return view;
  }

  /** The newest `limit` events, oldest first: by their time, for each service's events come their own way. */
  last(limit: number): readonly EventView[] {
    return limit <= 0 ? [] : this.#events.toSorted(compareEvents).slice(-limit);
  }
}

const good: ReadonlySet<BatonEventType> = new Set([
  "became-master",
  "script-succeeded",
  "process-quorum-gained",
  "bfd-session-up",
  "check-succeeded",
  "realserver-up",
  "quorum-gained",
  "vip-added",
  "routes-added",
]);
const bad: ReadonlySet<BatonEventType> = new Set([
  "entered-fault",
  "script-failed",
  "process-quorum-lost",
  "bfd-session-down",
  "check-failed",
  "realserver-down",
  "quorum-lost",
  "sorry-server-added",
  "vip-failed",
  "drift-repaired",
  "balancer-repaired",
  "balancer-failed",
  "routes-failed",
  "routes-repaired",
  "lease-expired",
  "claim-refused",
  "notification-failed",
  "config-rejected",
  "service-died",
  "events-lost",
]);

const toneOf = (type: BatonEventType): EventView["tone"] =>
  good.has(type) ? "good" : bad.has(type) ? "bad" : "neutral";

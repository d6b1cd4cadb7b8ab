// What Baton needs of a message bus with a memory: the node's NATS server (nats-bus.ts), the hub's, or the twin in
// memory (memory-bus.ts). All three pass bus-contract.ts.
import type { EncodedEvent } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";

/** The one stream of a node: every event on baton.<node>.>. */
export const eventStream = "EVENTS";

export const limits = {
  /** A second message with the same id is dropped for this long (JetStream's default is 2 minutes; SAFETY S8). */
  duplicateWindowMs: 10 * 60_000,
  /** How long the outbox keeps what the stream holds already: nats-server 2.9 fsyncs every 2 minutes (SAFETY S8). */
  holdMs: 5 * 60_000,
  publishTimeoutMs: 2_000,
  /** Events handed over and not yet stored, over all aggregates; beyond it they wait in the journal only. */
  inFlightMax: 256,
} as const;

export interface StoredEvent {
  /** Position in the stream. */
  readonly sequence: number;
  readonly envelope: EventEnvelope;
}

export type PublishRefusal =
  /** Not connected, no stream yet, or no answer in time: nothing is known to be stored; try again. */
  | "away"
  /** The server refused it for good: too large, or this user may not publish there. */
  | "refused";

export class PublishError extends Error {
  readonly refusal: PublishRefusal;
  constructor(refusal: PublishRefusal, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "PublishError";
    this.refusal = refusal;
  }
}

export interface HistoryQuery {
  /** Subject filter (`subjectFilter` of libs/contracts). */
  readonly filter: string;
  /** Only what was stored after the event with this id (a UUIDv7); when it is not there, what has a greater id. */
  readonly sinceId?: string | undefined;
  /** Of what is stored, only the last `limit`. */
  readonly limit?: number | undefined;
  /** Go on with live events after the stored ones, until `signal` aborts. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface DurableOptions {
  /** Name of the consumer: the position survives restarts under it. */
  readonly name: string;
  readonly filter: string;
  /** A new consumer starts with the first stored event, or with the next one. */
  readonly start: "first" | "new";
  readonly batchMax?: number;
  /**
   * Gets events in stream order. They count as consumed when the promise resolves; when it rejects, the same events
   * come again after a pause.
   */
  handle(batch: readonly StoredEvent[]): Promise<void>;
  onError?(error: unknown): void;
}

export interface BusStats {
  readonly malformed: number;
}

export interface Bus {
  readonly connected: boolean;
  readonly stats: BusStats;
  /** Called at once when connected already. */
  onStatus(handler: (connected: boolean, detail: string) => void): { close(): void };
  /** Resolves when the stream holds the event. Never queues: rejects with PublishError `away` while disconnected. */
  publish(message: EncodedEvent): Promise<{ readonly sequence: number; readonly duplicate: boolean }>;
  /** The last stored event on a subject, which may hold wildcards. Rejects with PublishError `away`. */
  last(subject: string): Promise<StoredEvent | undefined>;
  /** Live messages (core NATS): nothing is replayed. Malformed ones are counted and dropped. */
  subscribe(filter: string, handler: (envelope: EventEnvelope) => void): { close(): void };
  history(query: HistoryQuery): AsyncIterable<StoredEvent>;
  durable(options: DurableOptions): { close(): Promise<void> };
  close(): Promise<void>;
}

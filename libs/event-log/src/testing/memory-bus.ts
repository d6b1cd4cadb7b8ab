// A Bus in memory: the twin of the NATS one, for tests that want to say when it is away, slow or full. Passes
// bus-contract.ts, as the real one does.
import { decodeMessage, type EncodedEvent } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";
import {
  type Bus,
  type BusStats,
  type DurableOptions,
  type HistoryQuery,
  limits,
  PublishError,
  type StoredEvent,
} from "../bus.ts";

interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly envelope: EventEnvelope;
}

export const openMemoryBus = (): MemoryBus => new MemoryBus();

export class MemoryBus implements Bus {
  readonly stored: StoredMessage[] = [];
  readonly #statusHandlers = new Set<(connected: boolean, detail: string) => void>();
  readonly #subscribers = new Set<{ filter: string; handler(envelope: EventEnvelope): void }>();
  readonly #followers = new Set<() => void>();
  readonly #positions = new Map<string, number>();
  #connected = true;
  #malformed = 0;
  /** Set by a test: decides about each publish before it is stored. */
  onPublish: ((message: EncodedEvent) => Promise<void> | void) | undefined;
  /** Set by a test: runs when a message was stored; by throwing it loses the answer. */
  onStored: ((message: EncodedEvent) => void) | undefined;

  get connected(): boolean {
    return this.#connected;
  }

  get stats(): BusStats {
    return { malformed: this.#malformed };
  }

  disconnect(): void {
    this.#connected = false;
    for (const handler of this.#statusHandlers) handler(false, "disconnected by the test");
  }

  connect(): void {
    this.#connected = true;
    for (const handler of this.#statusHandlers) handler(true, "");
    this.#wake();
  }

  onStatus(handler: (connected: boolean, detail: string) => void): { close(): void } {
    this.#statusHandlers.add(handler);
    if (this.#connected) handler(true, "");
    return { close: () => void this.#statusHandlers.delete(handler) };
  }

  async publish(message: EncodedEvent): Promise<{ sequence: number; duplicate: boolean }> {
    if (!this.#connected) throw new PublishError("away", "not connected");
    await this.onPublish?.(message);
    // Like the server: everybody listening gets it, duplicate or not.
    const envelope = decodeMessage(message.subject, (name) => message.headers.get(name) ?? "", message.body);
    if (envelope === undefined) this.#malformed++;
    else for (const { filter, handler } of this.#subscribers) if (matches(filter, message.subject)) handler(envelope);
    if (envelope === undefined) return { sequence: this.stored.length, duplicate: false };
    const earlier = this.stored.find((other) => other.envelope.id === envelope.id);
    const fresh = earlier !== undefined && Date.now() - Date.parse(earlier.envelope.time) < limits.duplicateWindowMs;
    if (earlier !== undefined && fresh) return { sequence: earlier.sequence, duplicate: true };
    const sequence = (this.stored.at(-1)?.sequence ?? 0) + 1;
    this.stored.push({ sequence, subject: message.subject, envelope });
    this.#wake();
    this.onStored?.(message);
    return { sequence, duplicate: false };
  }

  async last(subject: string): Promise<StoredEvent | undefined> {
    if (!this.#connected) throw new PublishError("away", "not connected");
    return this.stored.findLast((message) => matches(subject, message.subject));
  }

  subscribe(filter: string, handler: (envelope: EventEnvelope) => void): { close(): void } {
    const subscriber = { filter, handler };
    this.#subscribers.add(subscriber);
    return { close: () => void this.#subscribers.delete(subscriber) };
  }

  async *history(query: HistoryQuery): AsyncGenerator<StoredEvent> {
    const since = this.#after(query.sinceId);
    const wanted = (message: StoredMessage): boolean =>
      matches(query.filter, message.subject) && message.sequence >= since;
    const all = this.stored.filter(wanted);
    let next = (this.stored.at(-1)?.sequence ?? 0) + 1;
    yield* query.limit === undefined ? all : query.limit === 0 ? [] : all.slice(-query.limit);
    while (query.follow === true && query.signal?.aborted !== true) {
      const fresh = this.stored.filter((message) => message.sequence >= next && wanted(message));
      for (const message of fresh) {
        next = message.sequence + 1;
        yield message;
      }
      if (fresh.length === 0) await this.#change(query.signal);
    }
  }

  durable(options: DurableOptions): { close(): Promise<void> } {
    const stop = new AbortController();
    const done = this.#consume(options, stop.signal);
    return {
      close: async () => {
        stop.abort();
        await done;
      },
    };
  }

  async close(): Promise<void> {
    this.disconnect();
    this.#wake();
  }

  #after(id: string | undefined): number {
    if (id === undefined) return 0;
    const found = this.stored.find(({ envelope }) => envelope.id === id);
    if (found !== undefined) return found.sequence + 1;
    return this.stored.find(({ envelope }) => envelope.id > id)?.sequence ?? Number.POSITIVE_INFINITY;
  }

  async #consume(options: DurableOptions, signal: AbortSignal): Promise<void> {
    const start = options.start === "first" ? 0 : (this.stored.at(-1)?.sequence ?? 0);
    if (!this.#positions.has(options.name)) this.#positions.set(options.name, start);
    while (!signal.aborted) {
      const position = this.#positions.get(options.name) ?? 0;
      const batch = this.stored
        .filter((message) => message.sequence > position && matches(options.filter, message.subject))
        .slice(0, options.batchMax ?? 100);
      const last = batch.at(-1);
      if (last === undefined || !this.#connected) {
        await this.#change(signal);
        continue;
      }
      try {
        await options.handle(batch);
        this.#positions.set(options.name, last.sequence);
      } catch (error) {
        options.onError?.(error);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#followers.delete(done);
        resolve();
      };
      this.#followers.add(done);
      if (signal?.aborted === true) done();
      signal?.addEventListener("abort", done, { once: true });
    });
  }

  #wake(): void {
    for (const follower of [...this.#followers]) follower();
  }
}

/** NATS subject matching: `*` is one token, `>` is the rest. */
function matches(filter: string, subject: string): boolean {
  const [wanted, tokens] = [filter.split("."), subject.split(".")];
  for (const [index, token] of wanted.entries()) {
    if (token === ">") return tokens.length > index;
    if (tokens[index] === undefined || (token !== "*" && token !== tokens[index])) return false;
  }
  return wanted.length === tokens.length;
}

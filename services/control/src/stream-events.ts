// The answer to StreamEvents: what is stored, then what happens. Stored events come from JetStream, or, while the bus
// is down, from control's own memory; live ones always come from the feed, which does not need the bus.
import type { EventEnvelope } from "@baton/domain";
import type { EventFeed } from "./event-feed.ts";
import { type EventQuery, matchesQuery, selectStored } from "./event-query.ts";

export interface EventSources {
  readonly feed: EventFeed;
  /** Stored events that match; rejects or throws while the bus is away. */
  history(query: EventQuery, signal: AbortSignal): AsyncIterable<EventEnvelope>;
}

export const limits = {
  /** A caller that reads slower than this many events wait is cut off. */
  waitingMax: 10_000,
  /** The bus may be there and not answer. */
  historySilenceMs: 3_000,
} as const;

export class SlowReaderError extends Error {
  constructor() {
    super(`the reader is more than ${limits.waitingMax} events behind`);
    this.name = "SlowReaderError";
  }
}

/** Each event once; ends after the stored ones unless `follow`, or when `signal` aborts. */
export async function* streamEvents(
  sources: EventSources,
  query: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<EventEnvelope> {
  // Listening begins before the history is read: what happens meanwhile waits here.
  const queue = new LiveQueue(sources.feed, query, signal);
  try {
    const told = new Set<string>();
    for await (const envelope of storedEvents(sources, query, signal)) {
      told.add(envelope.id);
      yield envelope;
    }
    if (!query.follow) return;
    for await (const envelope of queue) if (!told.delete(envelope.id)) yield envelope;
  } finally {
    queue.close();
  }
}

async function* storedEvents(
  sources: EventSources,
  query: EventQuery,
  signal: AbortSignal,
): AsyncGenerator<EventEnvelope> {
  const told = new Set<string>();
  const silence = new AbortController();
  const watch = (): NodeJS.Timeout => setTimeout(() => silence.abort(), limits.historySilenceMs);
  let watchdog = watch();
  try {
    for await (const envelope of sources.history(query, AbortSignal.any([signal, silence.signal]))) {
      // A reader that takes its time is not a bus that is silent.
      clearTimeout(watchdog);
      told.add(envelope.id);
      yield envelope;
      watchdog = watch();
    }
    if (!silence.signal.aborted) return;
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    clearTimeout(watchdog);
  }
  // The bus is away, perhaps since the middle of the answer: memory knows the last events of this run.
  for (const envelope of selectStored(query, sources.feed.recent())) if (!told.has(envelope.id)) yield envelope;
}

/** Live events that wait for their reader. */
class LiveQueue implements AsyncIterable<EventEnvelope> {
  readonly #waiting: EventEnvelope[] = [];
  readonly #listening: { close(): void };
  readonly #signal: AbortSignal;
  #wake: () => void = () => undefined;

  constructor(feed: EventFeed, query: EventQuery, signal: AbortSignal) {
    this.#signal = signal;
    this.#listening = feed.listen((envelope) => {
      if (!query.follow || !matchesQuery(query, envelope) || this.#waiting.length > limits.waitingMax) return;
      this.#waiting.push(envelope);
      this.#wake();
    });
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  close(): void {
    this.#listening.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<EventEnvelope> {
    while (!this.#signal.aborted) {
      if (this.#waiting.length > limits.waitingMax) throw new SlowReaderError();
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else await this.#nextWake();
    }
  }

  #nextWake(): Promise<void> {
    if (this.#signal.aborted) return Promise.resolve();
    return new Promise((wake) => {
      this.#wake = wake;
    });
  }
}

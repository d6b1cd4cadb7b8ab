// A durable consumer with explicit acks: the position lives in the server under a name, events come in stream order,
// and one that was not acknowledged comes again. Batches, so that a reader far away is not bound by its round trip.
//
// Order survives a crash: the server gives what expired unacknowledged before anything new, so a reader that finds
// unacknowledged events waits until they have expired, which is at most `ackWaitMs`.
import { setTimeout as delay } from "node:timers/promises";
import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg, nanos } from "nats";
import type { DurableOptions, StoredEvent } from "./bus.ts";
import type { NatsBus } from "./nats-bus.ts";

const durableLimits = { batchMax: 100, retryPauseMs: 500, ackWaitMs: 2_000, fetchExpiresMs: 5_000 } as const;

interface Reader {
  readonly bus: NatsBus;
  readonly options: DurableOptions;
  readonly signal: AbortSignal;
  /** The last sequence that was handled: what comes again after a lost connection is only acknowledged. */
  handled: number;
  /** Which consumer that was: a stream that was made anew counts from 1 again. */
  created: string;
}

export function runDurable(bus: NatsBus, options: DurableOptions): { close(): Promise<void> } {
  const stop = new AbortController();
  const signal = AbortSignal.any([bus.stopped, stop.signal]);
  const reader: Reader = { bus, options, signal, handled: 0, created: "" };
  const done = consumeForEver(reader);
  return {
    close: async () => {
      stop.abort();
      await done;
    },
  };
}

async function consumeForEver(reader: Reader): Promise<void> {
  const { bus, options, signal } = reader;
  while (!signal.aborted) {
    try {
      const consumer = await openConsumer(reader);
      const connection = bus.connection;
      while (!signal.aborted && bus.connection === connection) await consumeBatch(reader, consumer);
    } catch (error) {
      if (signal.aborted) return;
      options.onError?.(error);
      await pause(durableLimits.retryPauseMs, signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);

async function openConsumer(reader: Reader): Promise<Consumer> {
  const { bus, options, signal } = reader;
  const connection = await bus.whenConnected(signal);
  const manager = await connection.jetstreamManager({ checkAPI: false });
  // Adding a consumer that exists with the same configuration changes nothing.
  const info = await manager.consumers.add(bus.stream, {
    durable_name: options.name,
    ack_policy: AckPolicy.Explicit,
    deliver_policy: options.start === "first" ? DeliverPolicy.All : DeliverPolicy.New,
    filter_subject: options.filter,
    ack_wait: nanos(durableLimits.ackWaitMs),
    max_ack_pending: options.batchMax ?? durableLimits.batchMax,
  });
  const created = String(info.created);
  if (created !== reader.created) [reader.created, reader.handled] = [created, 0];
  if (info.num_ack_pending > 0) await pause(durableLimits.ackWaitMs + 500, signal);
  return connection.jetstream().consumers.get(bus.stream, options.name);
}

async function consumeBatch(reader: Reader, consumer: Consumer): Promise<void> {
  const { bus, signal } = reader;
  const messages = await fetchBatch(reader, consumer);
  // Below ack_wait, so that nothing comes a second time while its handler still runs.
  const alive = setInterval(() => {
    for (const message of messages) message.working();
  }, durableLimits.ackWaitMs / 4);
  try {
    const batch: StoredEvent[] = [];
    for (const message of messages) {
      const envelope = bus.decode(message);
      if (envelope !== undefined && message.seq > reader.handled) batch.push({ sequence: message.seq, envelope });
    }
    const last = messages.at(-1);
    if (last === undefined) return;
    if (batch.length > 0 && !(await handle(reader, batch))) return;
    reader.handled = Math.max(reader.handled, last.seq);
    for (const message of messages) message.ack();
  } finally {
    clearInterval(alive);
    if (signal.aborted) for (const message of messages) message.nak();
  }
}

/** The same batch until its handler succeeds: going on would break the order. False when closed before. */
async function handle({ options, signal }: Reader, batch: readonly StoredEvent[]): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await options.handle(batch);
      return true;
    } catch (error) {
      options.onError?.(error);
      await pause(durableLimits.retryPauseMs, signal);
    }
  }
  return false;
}

async function fetchBatch({ options, signal }: Reader, consumer: Consumer): Promise<JsMsg[]> {
  // The first event wakes us at once; what waits behind it comes with the second fetch.
  const next = consumer.next({ expires: durableLimits.fetchExpiresMs });
  const first = await unlessAborted(next, signal);
  if (first === undefined) {
    // Closed: what this request still brings is given back at once, for the next reader.
    void next.then(
      (message) => message?.nak(),
      () => undefined,
    );
  }
  if (first === null || first === undefined) return [];
  const messages = [first];
  const more = Math.min(first.info.pending, (options.batchMax ?? durableLimits.batchMax) - 1);
  if (more > 0) {
    for await (const message of await consumer.fetch({ max_messages: more, expires: 1_000 })) messages.push(message);
  }
  return messages.sort((a, b) => a.seq - b.seq);
}

/** Undefined when aborted first. The listener goes with the wait: there is one wait per batch, for as long as we live. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const over = new AbortController();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    over.abort();
  }
}

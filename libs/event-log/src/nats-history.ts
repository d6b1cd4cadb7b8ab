// Stored events in stream order, by a consumer made for this one read; with `follow`, on and on, across lost
// connections: the reader remembers the last sequence and starts a new consumer behind it.
import { setTimeout as delay } from "node:timers/promises";
import { AckPolicy, type ConsumerConfig, type ConsumerMessages, DeliverPolicy, type NatsConnection, nanos } from "nats";
import type { HistoryQuery, StoredEvent } from "./bus.ts";
import type { NatsBus } from "./nats-bus.ts";

const batchMax = 500;

export async function* readHistory(bus: NatsBus, query: HistoryQuery): AsyncGenerator<StoredEvent> {
  const signal = query.signal === undefined ? bus.stopped : AbortSignal.any([bus.stopped, query.signal]);
  const sinceMs = query.sinceId === undefined ? undefined : uuidTimeMs(query.sinceId);
  const connection = await bus.whenConnected(signal);
  const { state } = await (await connection.jetstreamManager()).streams.info(bus.stream);
  const end = state.last_seq;
  let next = query.limit === undefined ? state.first_seq : await startOfLast(bus, query, query.limit, state);
  if (next <= end) {
    const from = sinceMs === undefined || query.limit !== undefined ? { sequence: next } : { time: sinceMs };
    for await (const stored of readRange(bus, connection, query.filter, from, end)) {
      if (signal.aborted) return;
      if (query.sinceId !== undefined && stored.envelope.id <= query.sinceId) continue;
      yield stored;
    }
  }
  if (!query.follow) return;
  next = end + 1;
  while (!signal.aborted) {
    try {
      for await (const stored of follow(bus, query.filter, next, signal)) {
        next = stored.sequence + 1;
        yield stored;
      }
    } catch (error) {
      if (signal.aborted) return;
      // The connection or the consumer is gone; the next round makes both anew.
      await delay(200, error, { signal }).catch(() => undefined);
    }
  }
}

/** A UUIDv7 begins with 48 bits of Unix milliseconds (RFC 9562 section 5.7); a little earlier, as clocks are corrected. */
function uuidTimeMs(id: string): number | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7/i.exec(id);
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16) - 60_000;
}

/** The sequence from which the filter matches `limit` events, found by reading back in windows that double. */
async function startOfLast(
  bus: NatsBus,
  query: HistoryQuery,
  limit: number,
  state: { first_seq: number; last_seq: number },
): Promise<number> {
  const connection = await bus.whenConnected(query.signal);
  for (let window = Math.max(64, limit * 2); ; window *= 4) {
    const from = Math.max(state.first_seq, state.last_seq - window + 1);
    const sequences: number[] = [];
    for await (const stored of readRange(bus, connection, query.filter, { sequence: from }, state.last_seq)) {
      if (query.sinceId === undefined || stored.envelope.id > query.sinceId) sequences.push(stored.sequence);
    }
    if (sequences.length >= limit || from === state.first_seq) {
      return limit === 0 ? state.last_seq + 1 : (sequences.at(-limit) ?? sequences[0] ?? state.last_seq + 1);
    }
  }
}

type Start = { readonly sequence: number } | { readonly time: number };

async function openConsumer(connection: NatsConnection, stream: string, filter: string, start: Start) {
  const config: Partial<ConsumerConfig> = {
    ack_policy: AckPolicy.None,
    filter_subject: filter,
    mem_storage: true,
    inactive_threshold: nanos(30_000),
    ...("sequence" in start
      ? { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, start.sequence) }
      : { deliver_policy: DeliverPolicy.StartTime, opt_start_time: new Date(start.time).toISOString() }),
  };
  const manager = await connection.jetstreamManager();
  const { name, num_pending } = await manager.consumers.add(stream, config);
  const consumer = await connection.jetstream().consumers.get(stream, name);
  const remove = () => manager.consumers.delete(stream, name).catch(() => false);
  return { consumer, pending: num_pending, remove };
}

/** What matches from `start` to the sequence `end`. */
async function* readRange(
  bus: NatsBus,
  connection: NatsConnection,
  filter: string,
  start: Start,
  end: number,
): AsyncGenerator<StoredEvent> {
  const { consumer, pending, remove } = await openConsumer(connection, bus.stream, filter, start);
  try {
    let left = pending;
    while (left > 0) {
      const batch = await consumer.fetch({ max_messages: Math.min(left, batchMax), expires: 2_000 });
      let got = 0;
      for await (const message of batch) {
        got++;
        if (message.seq > end) return;
        const envelope = bus.decode(message);
        if (envelope !== undefined) yield { sequence: message.seq, envelope };
      }
      if (got === 0) throw new Error(`history ended ${left} events early`);
      left -= got;
    }
  } finally {
    await remove();
  }
}

async function* follow(bus: NatsBus, filter: string, from: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
  const connection = await bus.whenConnected(signal);
  const { consumer, remove } = await openConsumer(connection, bus.stream, filter, { sequence: from });
  const messages: ConsumerMessages = await consumer.consume({ max_messages: batchMax });
  const stop = () => void messages.close();
  signal.addEventListener("abort", stop, { once: true });
  void connection.closed().then(stop);
  try {
    for await (const message of messages) {
      const envelope = bus.decode(message);
      if (envelope !== undefined) yield { sequence: message.seq, envelope };
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await remove();
  }
}

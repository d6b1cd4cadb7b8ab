// Stored events in stream order, by a consumer made for this one read; with `follow`, on and on, across lost
// connections: the reader remembers the last sequence and starts a new consumer behind it.
import { setTimeout as delay } from "node:timers/promises";
import { AckPolicy, type ConsumerConfig, type ConsumerMessages, DeliverPolicy, type NatsConnection, nanos } from "nats";
import type { HistoryQuery, StoredEvent } from "./bus.ts";
import type { NatsBus } from "./nats-bus.ts";

const batchMax = 500;
/** No filter. */
const wholeStream = "";

interface Span {
  readonly first: number;
  readonly last: number;
}

export async function* readHistory(bus: NatsBus, query: HistoryQuery): AsyncGenerator<StoredEvent> {
  const signal = query.signal === undefined ? bus.stopped : AbortSignal.any([bus.stopped, query.signal]);
  const connection = await bus.whenConnected(signal);
  const { state } = await (await connection.jetstreamManager()).streams.info(bus.stream);
  const { sinceId, limit, filter } = query;
  const first = sinceId === undefined ? state.first_seq : await sequenceAfter(bus, connection, sinceId, state.last_seq);
  const span = { first, last: state.last_seq };
  const from = limit === undefined ? first : await startOfLast(bus, connection, filter, limit, span);
  if (from <= span.last) {
    for await (const stored of readRange(bus, connection, filter, { sequence: from }, span.last)) {
      if (signal.aborted) return;
      yield stored;
    }
  }
  if (!query.follow) return;
  let next = span.last + 1;
  while (!signal.aborted) {
    try {
      for await (const stored of follow(bus, filter, next, signal)) {
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

/** Ids are made before events are stored, by several processes: around an event's place they are not in order. */
const disorderMs = 60_000;

/**
 * The sequence behind the event with this id. When it is not there (never was, or is too old) the first event with a
 * greater id: a UUIDv7 begins with 48 bits of Unix milliseconds (RFC 9562 section 5.7).
 */
async function sequenceAfter(bus: NatsBus, connection: NatsConnection, id: string, last: number): Promise<number> {
  const idMs = uuidTimeMs(id);
  // An id may be made up: its time is held within what a date can say.
  const start = idMs === undefined ? { sequence: 1 } : { time: Math.max(0, Math.min(idMs, Date.now()) - disorderMs) };
  let above: number | undefined;
  for await (const { sequence, envelope } of readRange(bus, connection, wholeStream, start, last)) {
    if (envelope.id === id) return sequence + 1;
    if (envelope.id > id) above ??= sequence;
    if (idMs !== undefined && (uuidTimeMs(envelope.id) ?? 0) > idMs + disorderMs) break;
  }
  return above ?? last + 1;
}

function uuidTimeMs(id: string): number | undefined {
  const match = /^([0-9a-f]{8})-([0-9a-f]{4})-7/i.exec(id);
  return match === null ? undefined : Number.parseInt(`${match[1]}${match[2]}`, 16);
}

/** The sequence from which the filter matches `limit` events, found by reading back in windows that grow. */
async function startOfLast(
  bus: NatsBus,
  connection: NatsConnection,
  filter: string,
  limit: number,
  { first, last }: Span,
): Promise<number> {
  if (limit === 0) return last + 1;
  for (let window = Math.max(64, limit * 2); ; window *= 4) {
    const from = Math.max(first, last - window + 1);
    const sequences: number[] = [];
    for await (const { sequence } of readRange(bus, connection, filter, { sequence: from }, last)) {
      sequences.push(sequence);
    }
    if (sequences.length >= limit || from === first) return sequences.at(-limit) ?? first;
  }
}

type Start = { readonly sequence: number } | { readonly time: number };

async function openConsumer(connection: NatsConnection, stream: string, filter: string, start: Start) {
  const config: Partial<ConsumerConfig> = {
    ack_policy: AckPolicy.None,
    ...(filter === wholeStream ? {} : { filter_subject: filter }),
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

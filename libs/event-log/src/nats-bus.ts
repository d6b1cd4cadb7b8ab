// The node's NATS server, or the fleet's hub, as a Bus. One connection at a time, made anew after each loss by our own
// loop: nats.js's reconnect would keep requests of the lost connection waiting until they time out, and gives up after
// two refused logins. Publishing is a plain request with a message id, answered by JetStream when it holds the message.
import { setTimeout as delay } from "node:timers/promises";
import { decodeMessage, type EncodedEvent } from "@baton/contracts/codec";
import { type EventEnvelope, messageOf } from "@baton/domain";
import {
  connect,
  headers as createHeaders,
  ErrorCode,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  NatsError,
} from "nats";
import {
  type Bus,
  type BusStats,
  type DurableOptions,
  eventStream,
  type HistoryQuery,
  limits,
  PublishError,
  type StoredEvent,
} from "./bus.ts";
import { runDurable } from "./nats-durable.ts";
import { readHistory } from "./nats-history.ts";

export interface Credentials {
  readonly url: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

export interface NatsBusOptions {
  /** Asked before each attempt: a restarted supervisor makes new passwords. Undefined: not known yet. */
  credentials(): Credentials | undefined | Promise<Credentials | undefined>;
  /** Shown in the server's connection list. */
  readonly name: string;
  /** The node's own server gives each user an inbox of its own: `_INBOX_<user>`. */
  readonly inboxPrefix?: string | undefined;
  readonly stream?: string;
}

/** Pauses between attempts: a restarted server is back 20 ms after it listens; a dead one costs 1 attempt a second. */
const pausesMs = [20, 20, 20, 50, 50, 100, 200, 500, 1_000] as const;

interface Subscriber {
  readonly filter: string;
  readonly handler: (envelope: EventEnvelope) => void;
}

export function openNatsBus(options: NatsBusOptions): NatsBus {
  return new NatsBus(options);
}

export class NatsBus implements Bus {
  readonly stream: string;
  readonly #options: NatsBusOptions;
  readonly #stop = new AbortController();
  readonly #statusHandlers = new Set<(connected: boolean, detail: string) => void>();
  readonly #subscribers = new Map<Subscriber, { unsubscribe(): void } | undefined>();
  readonly #loop: Promise<void>;
  #connection: NatsConnection | undefined;
  #malformed = 0;
  #lastProblem = "";

  constructor(options: NatsBusOptions) {
    this.#options = options;
    this.stream = options.stream ?? eventStream;
    this.#loop = this.#stayConnected();
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  get stats(): BusStats {
    return { malformed: this.#malformed };
  }

  /** The live connection, for what Bus does not offer: administration. */
  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  /** Why there was no connection, last time. */
  get lastProblem(): string {
    return this.#lastProblem;
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  onStatus(handler: (connected: boolean, detail: string) => void): { close(): void } {
    this.#statusHandlers.add(handler);
    if (this.connected) handler(true, "");
    return { close: () => void this.#statusHandlers.delete(handler) };
  }

  async publish(message: EncodedEvent): Promise<{ sequence: number; duplicate: boolean }> {
    const connection = this.#live();
    const body = Buffer.from(message.body);
    const headerBytes = [...message.headers].reduce(
      (sum, [name, value]) => sum + name.length + value.length * 3 + 4,
      16,
    );
    const bytesMax = connection.info?.max_payload ?? Number.MAX_SAFE_INTEGER;
    if (body.length + headerBytes > bytesMax) {
      throw new PublishError("refused", `event of ${body.length} bytes is larger than the server takes (${bytesMax})`);
    }
    const answer = await this.#request(connection, message.subject, body, toHeaders(message.headers));
    const ack = parseAck(answer);
    if (ack.error !== undefined) throw new PublishError("away", `JetStream did not store: ${ack.error}`);
    return { sequence: ack.sequence, duplicate: ack.duplicate };
  }

  async last(subject: string): Promise<StoredEvent | undefined> {
    const connection = this.#live();
    const request = Buffer.from(JSON.stringify({ last_by_subj: subject }));
    const answer = await this.#request(connection, `$JS.API.STREAM.MSG.GET.${this.stream}`, request, undefined);
    return readStored(answer);
  }

  subscribe(filter: string, handler: (envelope: EventEnvelope) => void): { close(): void } {
    const subscriber = { filter, handler };
    this.#subscribers.set(subscriber, undefined);
    if (this.#connection !== undefined) this.#attach(this.#connection, subscriber);
    return {
      close: () => {
        this.#subscribers.get(subscriber)?.unsubscribe();
        this.#subscribers.delete(subscriber);
      },
    };
  }

  history(query: HistoryQuery): AsyncIterable<StoredEvent> {
    return readHistory(this, query);
  }

  durable(options: DurableOptions): { close(): Promise<void> } {
    return runDurable(this, options);
  }

  /** Counts a message that is no event; the reader goes on. */
  decode(message: { subject: string; headers?: MsgHdrs | undefined; data: Uint8Array }): EventEnvelope | undefined {
    const headers = message.headers;
    const text = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength).toString("utf8");
    const envelope = decodeMessage(message.subject, (name) => headers?.get(name) ?? "", text);
    if (envelope === undefined) this.#malformed++;
    return envelope;
  }

  /** Resolves with the next connection; rejects when the bus is closed. */
  async whenConnected(signal?: AbortSignal): Promise<NatsConnection> {
    for (;;) {
      if (this.#connection !== undefined) return this.#connection;
      this.#stop.signal.throwIfAborted();
      signal?.throwIfAborted();
      await delay(20);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#connection?.close();
    await this.#loop;
  }

  #live(): NatsConnection {
    if (this.#connection === undefined) throw new PublishError("away", "not connected");
    return this.#connection;
  }

  async #request(connection: NatsConnection, subject: string, body: Uint8Array, headers: MsgHdrs | undefined) {
    try {
      return await connection.request(subject, body, {
        timeout: limits.publishTimeoutMs,
        ...(headers === undefined ? {} : { headers }),
      });
    } catch (error) {
      throw toPublishError(error, subject);
    }
  }

  #attach(connection: NatsConnection, subscriber: Subscriber): void {
    const subscription = connection.subscribe(subscriber.filter, {
      callback: (error, message) => {
        if (error !== null) return; // permission refused: the status handlers were told
        const envelope = this.decode(message);
        if (envelope !== undefined) subscriber.handler(envelope);
      },
    });
    this.#subscribers.set(subscriber, subscription);
  }

  async #stayConnected(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const detail = await this.#connectOnce(() => {
        failures = 0;
      });
      if (this.#stop.signal.aborted) return;
      if (detail !== undefined) this.#tell(false, detail);
      const pause = pausesMs[Math.min(failures++, pausesMs.length - 1)] ?? 1_000;
      await delay(pause, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  /** One connection from beginning to end; answers why it ended, undefined when it never was and that was said. */
  async #connectOnce(connected: () => void): Promise<string | undefined> {
    let connection: NatsConnection;
    try {
      const credentials = await this.#options.credentials();
      if (credentials === undefined) return "no credentials yet";
      connection = await connect({
        servers: credentials.url,
        name: this.#options.name,
        reconnect: false,
        timeout: 2_000,
        // A stopped server keeps its sockets open: found out within 15 s. Every ping wakes two processes.
        pingInterval: 5_000,
        maxPingOut: 2,
        noAsyncTraces: true,
        ...(credentials.user === undefined ? {} : { user: credentials.user }),
        ...(credentials.password === undefined ? {} : { pass: credentials.password }),
        ...(this.#options.inboxPrefix === undefined ? {} : { inboxPrefix: this.#options.inboxPrefix }),
      });
    } catch (error) {
      return messageOf(error);
    }
    if (this.#stop.signal.aborted) {
      await connection.close();
      return undefined;
    }
    connected();
    this.#connection = connection;
    for (const subscriber of this.#subscribers.keys()) this.#attach(connection, subscriber);
    this.#tell(true, "");
    const reason = await connection.closed();
    this.#connection = undefined;
    for (const subscriber of this.#subscribers.keys()) this.#subscribers.set(subscriber, undefined);
    return reason instanceof Error ? reason.message : "connection lost";
  }

  #tell(connected: boolean, detail: string): void {
    this.#lastProblem = detail;
    for (const handler of this.#statusHandlers) handler(connected, detail);
  }
}

function toHeaders(members: ReadonlyMap<string, string>): MsgHdrs {
  const headers = createHeaders();
  try {
    for (const [name, value] of members) headers.append(name, value);
  } catch (error) {
    // A line break in a header, for one: no retry will make that better.
    throw new PublishError("refused", `event with a header that NATS does not take: ${String(error)}`, {
      cause: error,
    });
  }
  return headers;
}

/** A user that may not publish there is refused for good; everything else is the bus being away. */
function toPublishError(error: unknown, subject: string): PublishError {
  const code = error instanceof NatsError ? error.code : "";
  if (code === ErrorCode.PermissionsViolation || code === ErrorCode.MaxPayloadExceeded) {
    return new PublishError("refused", `${subject}: ${code}`, { cause: error });
  }
  return new PublishError("away", `${subject}: ${messageOf(error)}`, {
    cause: error,
  });
}

type Ack = { sequence: number; duplicate: boolean; error: undefined } | { error: string };

function parseAck(message: Msg): Ack {
  const answer = parseJson(message);
  if (answer === undefined) return { error: "unreadable answer" };
  const error = answer.error as { description?: string } | undefined;
  if (error !== undefined) return { error: error.description ?? "unknown error" };
  const sequence = answer.seq;
  if (typeof sequence !== "number") return { error: "answer without a sequence" };
  return { sequence, duplicate: answer.duplicate === true, error: undefined };
}

/** The answer of STREAM.MSG.GET: the message with its headers as base64. */
function readStored(message: Msg): StoredEvent | undefined {
  const answer = parseJson(message);
  if (answer === undefined) throw new PublishError("away", "unreadable answer of JetStream");
  const error = answer.error as { code?: number; err_code?: number; description?: string } | undefined;
  if (error !== undefined) {
    if (error.err_code === 10037) return undefined; // no message found
    throw new PublishError("away", `JetStream: ${error.description ?? "unknown error"}`);
  }
  const stored = answer.message as { subject: string; seq: number; hdrs?: string; data?: string } | undefined;
  if (stored === undefined) return undefined;
  const header = parseHeaderBlock(Buffer.from(stored.hdrs ?? "", "base64").toString("utf8"));
  const body = Buffer.from(stored.data ?? "", "base64").toString("utf8");
  const envelope = decodeMessage(stored.subject, (name) => header.get(name.toLowerCase()) ?? "", body);
  return envelope === undefined ? undefined : { sequence: stored.seq, envelope };
}

/** `NATS/1.0\r\nName: value\r\n…`; names are compared without case. */
function parseHeaderBlock(block: string): Map<string, string> {
  const header = new Map<string, string>();
  for (const line of block.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) header.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return header;
}

function parseJson(message: Msg): Record<string, unknown> | undefined {
  try {
    const value: unknown = message.json();
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

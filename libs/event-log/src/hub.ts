// The fleet's hub as the uplink and the fleet service see it: the same bus, on a stream that they make themselves, and
// short messages that are told now or never.
import { decodeMessage, type EncodedEvent } from "@baton/contracts/codec";
import { type EventEnvelope, messageOf } from "@baton/domain";
import { DiscardPolicy, type NatsConnection, NatsError, nanos, StorageType, type StreamConfig } from "nats";
import { type Bus, limits, PublishError, type StoredEvent } from "./bus.ts";
import { type NatsBus, openNatsBus } from "./nats-bus.ts";

export interface HubOptions {
  readonly url: string;
  /** Each user has an inbox of its own: `_INBOX_<user>`. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Shown in the hub's connection list. */
  readonly name: string;
  /** The hub's stream of all nodes' events. */
  readonly stream?: string;
}

export interface HubStreamOptions {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
}

export const hubStream = "FLEET";

export interface Hub extends Bus {
  /** Makes the stream of all nodes (subjects baton.>) when it is not there. Rejects with PublishError `away`. */
  ensureStream(options?: HubStreamOptions): Promise<void>;
  publish(message: EncodedEvent): Promise<{ readonly sequence: number; readonly duplicate: boolean }>;
  last(subject: string): Promise<StoredEvent | undefined>;
  /**
   * The last stored event on one subject, without wildcards. Unlike `last` it names the subject in the request's own
   * subject, so that a node can be permitted to ask for its own events and no others. Rejects with PublishError `away`.
   */
  lastOn(subject: string): Promise<EventEnvelope | undefined>;
  /** Core NATS, for what is repeated anyway, such as heartbeats. False when it is dropped: no connection, or too large. */
  sendSignal(subject: string, text: string): boolean;
  /** Goes on with each new connection. */
  onSignal(filter: string, handler: (subject: string, text: string) => void): { close(): void };
  /** Resolves when the hub has got everything that was sent; at once without a connection. */
  flush(): Promise<void>;
}

export function openHub(options: HubOptions): Hub {
  const { url, user, password, name, stream = hubStream } = options;
  const bus = openNatsBus({
    credentials: () => ({ url, user, password }),
    name,
    stream,
    inboxPrefix: user === undefined ? undefined : hubInboxPrefix(user),
  });
  const live = (): NatsConnection => {
    const { connection } = bus;
    if (connection === undefined) throw new PublishError("away", `no connection to the hub at ${url}`);
    return connection;
  };
  return Object.assign(bus, {
    ensureStream: (wanted: HubStreamOptions = {}) => ensureStream(live, stream, wanted),
    lastOn: (subject: string) => lastOn(live, stream, subject),
    sendSignal: (subject: string, text: string) => {
      const { connection } = bus;
      if (connection === undefined || connection.isClosed()) return false;
      const bytes = Buffer.from(text);
      if (bytes.length > (connection.info?.max_payload ?? Number.MAX_SAFE_INTEGER)) return false;
      connection.publish(subject, bytes);
      return true;
    },
    onSignal: (filter: string, handler: (subject: string, text: string) => void) => onSignal(bus, filter, handler),
    flush: async () => {
      if (bus.connection?.isClosed() === false) await bus.connection.flush();
    },
  });
}

/** `witness.<node>`: in no stream, so that nothing of it is ever replayed (SAFETY S13). */
export const witnessPrefix = "witness";

export const hubInboxPrefix = (user: string): string => `_INBOX_${user}`;

async function ensureStream(live: () => NatsConnection, stream: string, wanted: HubStreamOptions): Promise<void> {
  const config = streamConfig(stream, wanted);
  const manager = await live().jetstreamManager();
  try {
    const { config: found } = await manager.streams.info(stream);
    if (!found.allow_direct) await manager.streams.update(stream, { ...found, allow_direct: true });
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.err_code !== 10059) throw error;
    await manager.streams.add(config);
  }
}

const streamConfig = (
  name: string,
  { maxBytes, maxAgeMs }: HubStreamOptions,
): Partial<StreamConfig> & { name: string } => ({
  name,
  subjects: ["baton.>"],
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_bytes: maxBytes ?? 4 * 1024 * 1024 * 1024,
  max_age: nanos(maxAgeMs ?? 90 * 24 * 3_600_000),
  duplicate_window: nanos(limits.duplicateWindowMs),
  // The last message of a subject can be asked for by a request whose own subject says which: see lastOn.
  allow_direct: true,
});

async function lastOn(live: () => NatsConnection, stream: string, subject: string): Promise<EventEnvelope | undefined> {
  const request = `$JS.API.DIRECT.GET.${stream}.${subject}`;
  const answer = await live()
    .request(request, undefined, { timeout: limits.publishTimeoutMs })
    .catch((cause: unknown) => {
      throw new PublishError("away", `${request}: ${messageOf(cause)}`, {
        cause,
      });
    });
  const { headers } = answer;
  if (headers?.code === 404) return undefined;
  if (headers === undefined || (headers.code !== 0 && headers.code !== 200)) {
    throw new PublishError("away", `${request}: status ${headers?.code ?? "unknown"} ${headers?.description ?? ""}`);
  }
  const text = Buffer.from(answer.data).toString("utf8");
  return decodeMessage(headers.get("Nats-Subject"), (name) => headers.get(name), text);
}

function onSignal(
  bus: Pick<NatsBus, "connection" | "onStatus">,
  filter: string,
  handler: (subject: string, text: string) => void,
): { close(): void } {
  let subscription: { unsubscribe(): void } | undefined;
  const status = bus.onStatus((connected) => {
    subscription = connected
      ? bus.connection?.subscribe(filter, {
          callback: (error, message) => {
            if (error === null) handler(message.subject, Buffer.from(message.data).toString("utf8"));
          },
        })
      : undefined;
  });
  return {
    close: () => {
      status.close();
      subscription?.unsubscribe();
    },
  };
}

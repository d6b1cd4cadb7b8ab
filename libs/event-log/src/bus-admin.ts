// Makes the node's stream, or brings an existing one up to date, after its nats-server started.
import { subjectToken } from "@baton/contracts/codec";
import { DiscardPolicy, NatsError, nanos, RetentionPolicy, StorageType, type StreamConfig } from "nats";
import { eventStream, limits } from "./bus.ts";
import { type Credentials, openNatsBus } from "./nats-bus.ts";
import { inboxPrefix } from "./server-config.ts";

export const streamLimits = {
  /** A failover is about ten events of half a kilobyte: half a GiB is a million of them. */
  maxBytes: 512 * 1024 * 1024,
  maxAgeMs: 30 * 24 * 3_600_000,
} as const;

export interface PrepareBusOptions {
  readonly node: string;
  /** User `admin` of natsServerConfig, or whatever an external server gives. */
  readonly admin: Credentials;
  /** How long to wait for a server that is just starting. */
  readonly timeoutMs?: number;
}

export async function prepareBus(options: PrepareBusOptions): Promise<void> {
  const bus = openNatsBus({
    credentials: () => options.admin,
    name: `${options.node}/admin`,
    inboxPrefix: inboxPrefix("admin"),
  });
  try {
    const timeoutMs = options.timeoutMs ?? 10_000;
    const connection = await bus.whenConnected(AbortSignal.timeout(timeoutMs)).catch((error: unknown) => {
      const why = bus.lastProblem === "" ? "" : `: ${bus.lastProblem}`;
      throw new Error(`no connection to ${options.admin.url} within ${timeoutMs} ms${why}`, { cause: error });
    });
    const manager = await connection.jetstreamManager();
    const config = streamConfig(options.node);
    const exists = await manager.streams.info(eventStream).then(
      () => true,
      (error: unknown) => {
        if (error instanceof NatsError && error.api_error?.err_code === 10059) return false; // stream not found
        throw error;
      },
    );
    if (exists) await manager.streams.update(eventStream, config);
    else await manager.streams.add(config);
  } finally {
    await bus.close();
  }
}

const streamConfig = (node: string): Partial<StreamConfig> & { name: string } => ({
  name: eventStream,
  subjects: [`baton.${subjectToken(node)}.>`],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_bytes: streamLimits.maxBytes,
  max_age: nanos(streamLimits.maxAgeMs),
  duplicate_window: nanos(limits.duplicateWindowMs),
  num_replicas: 1,
});

// The fleet's hub as the uplink and the fleet service see it: the same bus, on a stream that they make themselves.
import type { EncodedEvent } from "@baton/contracts";
import { DiscardPolicy, NatsError, nanos, StorageType } from "nats";
import { type Bus, limits, PublishError, type StoredEvent } from "./bus.ts";
import { openNatsBus } from "./nats-bus.ts";

export interface HubOptions {
  readonly url: string;
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
}

export function openHub(options: HubOptions): Hub {
  const stream = options.stream ?? hubStream;
  const { url, user, password } = options;
  const bus = openNatsBus({ credentials: () => ({ url, user, password }), name: options.name, stream });
  const ensureStream = async ({ maxBytes, maxAgeMs }: HubStreamOptions = {}): Promise<void> => {
    const connection = bus.connection;
    if (connection === undefined) throw new PublishError("away", `no connection to the hub at ${url}`);
    const manager = await connection.jetstreamManager();
    try {
      await manager.streams.info(stream);
    } catch (error) {
      if (!(error instanceof NatsError) || error.api_error?.err_code !== 10059) throw error;
      await manager.streams.add({
        name: stream,
        subjects: ["baton.>"],
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        max_bytes: maxBytes ?? 4 * 1024 * 1024 * 1024,
        max_age: nanos(maxAgeMs ?? 90 * 24 * 3_600_000),
        duplicate_window: nanos(limits.duplicateWindowMs),
      });
    }
  };
  return Object.assign(bus, { ensureStream });
}

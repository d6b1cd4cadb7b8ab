// Stamps events: who, when, which version, and why. One writer per aggregate (DESIGN rule 4), so counting is enough.
import type { Aggregate, BatonEvent, CauseRef, EventEnvelope, ServiceName } from "@baton/domain";
import { aggregateKey } from "@baton/event-log";
import type { EventWriter } from "./api.ts";
import { type Clock, wallFormatter } from "./clock.ts";

export interface WriterOptions {
  readonly service: ServiceName;
  readonly node: string;
  readonly epoch: number;
  /** Last versions of an earlier life. */
  readonly versions: ReadonlyMap<string, number>;
  readonly clock: Clock;
  readonly uuid: (wallMicros: number) => string;
  /** Gets each event in order; must not block. */
  readonly hand: (envelope: EventEnvelope) => void;
}

export interface VersionedWriter extends EventWriter {
  readonly epoch: number;
  /** Every aggregate this service has ever written to, with its last version. */
  versions(): readonly { readonly kind: string; readonly id: string; readonly version: number }[];
}

export function createWriter(options: WriterOptions): VersionedWriter {
  const { service, node, epoch, clock, uuid, hand } = options;
  const versions = new Map(options.versions);
  const formatWall = wallFormatter();
  return {
    epoch,
    append(aggregate, event: BatonEvent, cause?: CauseRef, traceparent?: string) {
      const key = aggregateKey(aggregate);
      const version = (versions.get(key) ?? 0) + 1;
      const wall = clock.wall();
      const id = uuid(wall);
      const envelope: EventEnvelope = {
        id,
        time: formatWall(wall),
        at: clock.now(),
        node,
        service,
        aggregate: { kind: aggregate.kind, id: aggregate.id },
        epoch,
        version,
        // An event without a cause is the first of its story.
        correlationId: cause?.correlationId ?? id,
        causationId: cause?.id ?? id,
        traceparent: traceparent ?? cause?.traceparent,
        event,
      };
      versions.set(key, version);
      hand(envelope);
      return envelope;
    },
    version: (aggregate: Aggregate) => versions.get(aggregateKey(aggregate)) ?? 0,
    versions: () =>
      [...versions].map(([key, version]) => {
        const slash = key.indexOf("/");
        return { kind: key.slice(0, slash), id: key.slice(slash + 1), version };
      }),
  };
}

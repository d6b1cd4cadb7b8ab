// Events for tests of the log itself.
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";

export interface EventSourceOptions {
  readonly node: string;
  readonly service?: ServiceName;
  readonly epoch?: number;
}

/** Makes events as a writer would: versions rise per aggregate, ids are UUIDv7 of the time given. */
export function eventSource({ node, service = "election", epoch = 1 }: EventSourceOptions) {
  const versions = new Map<string, number>();
  let count = 0;
  return (id: string, kind: Aggregate["kind"] = "vrrp"): EventEnvelope => {
    const key = `${kind}/${id}`;
    const version = (versions.get(key) ?? 0) + 1;
    versions.set(key, version);
    count++;
    const now = Date.now();
    const uuid = `${now.toString(16).padStart(12, "0")}7${(count >> 16).toString(16).padStart(3, "0")}8${epoch.toString(16).padStart(7, "0").slice(-7)}${count.toString(16).padStart(8, "0")}`;
    const eventId = uuid.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
    return {
      id: eventId,
      time: new Date(now).toISOString(),
      at: count,
      node,
      service,
      aggregate: { kind, id },
      epoch,
      version,
      correlationId: eventId,
      causationId: eventId,
      traceparent: undefined,
      event: {
        type: "priority-changed",
        data: { instance: id, vrid: 51, from: 100, to: 99, base: 100, tracker: "", reason: `change ${version}` },
      },
    };
  };
}

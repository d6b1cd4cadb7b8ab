// A tracker that changed by itself begins a story: a span, the event in it, and what later events name as their cause.
import { type BatonEvent, type CauseRef, type TrackerKind, trackerAggregate } from "@baton/domain";
import type { Host } from "@baton/host";
import { attribute, spanName } from "@baton/telemetry";

export function announceChange(
  host: Pick<Host, "events" | "tracer" | "log">,
  kind: TrackerKind,
  name: string,
  event: BatonEvent,
): CauseRef {
  const span = host.tracer.span(spanName.trackerChange, {
    attributes: { [attribute.tracker]: name, [attribute.kind]: kind },
  });
  const { id, correlationId } = host.events.append(trackerAggregate(kind, name), event, undefined, span.traceparent);
  span.end({ attributes: { [attribute.eventId]: id } });
  host.log.info(`${kind} ${name} changed`, { event: event.type, eventId: id });
  return { id, correlationId, traceparent: span.traceparent };
}

// What a caller of StreamEvents wants to see.
import { isEventType, type StreamEventsRequest, subjectFilter } from "@baton/contracts";
import type { AggregateKind, BatonEventType, EventEnvelope } from "@baton/domain";

export interface EventQuery {
  readonly follow: boolean;
  /** Of what is stored, only the last so many; undefined: all of it. */
  readonly limit: number | undefined;
  readonly sinceId: string | undefined;
  readonly type: BatonEventType | undefined;
  readonly kind: AggregateKind | undefined;
  readonly id: string | undefined;
}

const kinds: readonly string[] = [
  "vrrp",
  "group",
  "tracker",
  "checker",
  "virtual-server",
  "balancer",
  "address",
  "notification",
  "config",
  "service",
] satisfies readonly AggregateKind[];
const isKind = (text: string): text is AggregateKind => kinds.includes(text);

/** Answers what is wrong with the request, as one sentence, where something is. */
export function readQuery(request: StreamEventsRequest): EventQuery | { readonly error: string } {
  const { follow, limit, sinceId, type, aggregateKind, aggregateId } = request;
  if (type !== "" && !isEventType(type)) return { error: `no event has the type ${type}` };
  if (aggregateKind !== "" && !isKind(aggregateKind))
    return { error: `no aggregate has the kind ${aggregateKind}: one of ${kinds.join(", ")}` };
  if (sinceId !== "" && !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(sinceId))
    return { error: `${sinceId} is not the id of an event (a UUIDv7)` };
  return {
    follow,
    limit: limit === 0 ? undefined : limit,
    sinceId: sinceId === "" ? undefined : sinceId.toLowerCase(),
    type: type === "" ? undefined : type,
    kind: aggregateKind === "" ? undefined : aggregateKind,
    id: aggregateId === "" ? undefined : aggregateId,
  };
}

export const queryFilter = (node: string, { kind, id, type }: EventQuery): string =>
  subjectFilter({
    node,
    ...(kind === undefined ? {} : { kind }),
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
  });

export const matchesQuery = (query: EventQuery, { aggregate, event }: EventEnvelope): boolean =>
  (query.type === undefined || event.type === query.type) &&
  (query.kind === undefined || aggregate.kind === query.kind) &&
  (query.id === undefined || aggregate.id === query.id);

/** The stored part of the answer out of memory: ids are UUIDv7, so that their order is that of their making. */
export function selectStored(query: EventQuery, events: readonly EventEnvelope[]): readonly EventEnvelope[] {
  const { sinceId } = query;
  const position = sinceId === undefined ? -1 : events.findIndex((each) => each.id === sinceId);
  const later =
    position >= 0 ? events.slice(position + 1) : events.filter((each) => sinceId === undefined || each.id > sinceId);
  const matching = later.filter((each) => matchesQuery(query, each));
  return query.limit === undefined ? matching : matching.slice(-query.limit);
}

// An event on NATS: subject baton.<node>.<aggregate kind>.<aggregate id>.<event type>, CloudEvents 1.0 attributes as
// ce-* headers (NATS protocol binding, binary mode), the payload's proto JSON as body.
import type { Aggregate, BatonEventType, EventEnvelope, ServiceName } from "@baton/domain";
import { decodeData, encodeData } from "./events.ts";

export interface EncodedEvent {
  readonly subject: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const typePrefix = "dev.baton.";

/** Any text as one NATS subject token: bytes outside [A-Za-z0-9_-] become %XX, so no dot, wildcard or blank is left. */
export const subjectToken = (text: string): string =>
  text === ""
    ? "%"
    : encodeURIComponent(text).replace(/[.!~*'()]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const untoken = (token: string): string => (token === "%" ? "" : decodeURIComponent(token));

export const subjectOf = (node: string, aggregate: Aggregate, type: BatonEventType): string =>
  `baton.${subjectToken(node)}.${aggregate.kind}.${subjectToken(aggregate.id)}.${type}`;

/** A subscription filter; what is left out matches everything. */
export const subjectFilter = (part: {
  node?: string;
  kind?: Aggregate["kind"];
  id?: string;
  type?: BatonEventType;
}): string =>
  `baton.${part.node === undefined ? "*" : subjectToken(part.node)}.${part.kind ?? "*"}.${part.id === undefined ? "*" : subjectToken(part.id)}.${part.type ?? "*"}`;

export function encodeMessage(envelope: EventEnvelope): EncodedEvent {
  const { node, aggregate, event } = envelope;
  const headers = new Map<string, string>([
    // JetStream drops a second message with this id within its duplicate window.
    ["Nats-Msg-Id", envelope.id],
    ["ce-specversion", "1.0"],
    ["ce-id", envelope.id],
    ["ce-source", `/baton/${subjectToken(node)}/${envelope.service}`],
    ["ce-type", typePrefix + event.type],
    ["ce-subject", `${aggregate.kind}/${subjectToken(aggregate.id)}`],
    ["ce-time", envelope.time],
    ["ce-datacontenttype", "application/json"],
    ["ce-correlationid", envelope.correlationId],
    ["ce-causationid", envelope.causationId],
    // CloudEvents compares sequences as text: zero-padded.
    ["ce-sequence", String(envelope.version).padStart(16, "0")],
    ["ce-epoch", String(envelope.epoch)],
    ["ce-boottime", String(envelope.at)],
  ]);
  if (envelope.traceparent !== undefined) {
    headers.set("ce-traceparent", envelope.traceparent);
    headers.set("traceparent", envelope.traceparent);
  }
  return { subject: subjectOf(node, aggregate, event.type), headers, body: encodeData(event) };
}

/** Undefined when the message is not a well-formed Baton event: whoever may publish may publish nonsense. */
export function decodeMessage(
  subject: string,
  header: (name: string) => string,
  body: string,
): EventEnvelope | undefined {
  try {
    const [, node, kind, id, type] = subject.split(".");
    if (node === undefined || kind === undefined || id === undefined || type === undefined) return undefined;
    const event = decodeData(type, body);
    const version = Number(header("ce-sequence"));
    const epoch = Number(header("ce-epoch"));
    const at = Number(header("ce-boottime"));
    if (event === undefined || header("ce-type") !== typePrefix + type) return undefined;
    if (![version, epoch, at].every(Number.isSafeInteger) || header("ce-id") === "") return undefined;
    return {
      id: header("ce-id"),
      time: header("ce-time"),
      at,
      node: untoken(node),
      service: header("ce-source").split("/").at(-1) as ServiceName,
      aggregate: { kind: kind as Aggregate["kind"], id: untoken(id) },
      epoch,
      version,
      correlationId: header("ce-correlationid"),
      causationId: header("ce-causationid"),
      traceparent: header("ce-traceparent") === "" ? undefined : header("ce-traceparent"),
      event,
    };
  } catch {
    return undefined;
  }
}

// The OpenTelemetry SDK's side: official OTLP exporters, and our plain spans in the shape that they read. Loaded only
// when an endpoint is configured.
import { type Attributes, type SpanContext, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { SpanKindName, SpanRecord } from "./span.ts";
import type { OtlpEndpoint } from "./span-exporter.ts";
import { parseTraceparent } from "./traceparent.ts";

export async function createExporter(
  { endpoint, protocol }: OtlpEndpoint,
  attributes: Readonly<Record<string, string | number>>,
  timeoutMillis: number,
): Promise<{ exporter: SpanExporter; convert: (span: SpanRecord) => ReadableSpan }> {
  const resource = resourceFromAttributes(attributes);
  const exporter =
    protocol === "grpc"
      ? await openGrpc(endpoint, timeoutMillis)
      : await openHttp(withTracesPath(endpoint), timeoutMillis);
  return { exporter, convert: (span) => toReadableSpan(span, resource) };
}

async function openGrpc(url: string, timeoutMillis: number): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-grpc");
  return new OTLPTraceExporter({ url, timeoutMillis });
}

async function openHttp(url: string, timeoutMillis: number): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import("@opentelemetry/exporter-trace-otlp-proto");
  return new OTLPTraceExporter({ url, timeoutMillis, concurrencyLimit: 1 });
}

/** The base endpoint gets the signal's path (OTLP exporter specification, "Endpoint URLs for OTLP/HTTP"). */
function withTracesPath(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === "/" || url.pathname === "") url.pathname = "/v1/traces";
  return url.href;
}

const kinds: Record<SpanKindName, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

const scope = { name: "baton" };

/** HrTime: seconds and nanoseconds. */
const toHrTime = (micros: number): [number, number] => {
  const seconds = Math.floor(micros / 1_000_000);
  return [seconds, (micros - seconds * 1_000_000) * 1_000];
};

export function toReadableSpan(span: SpanRecord, resource: Resource): ReadableSpan {
  const context = toSpanContext(span.traceparent) ?? { traceId: "", spanId: "", traceFlags: TraceFlags.NONE };
  const parent = span.parent === undefined ? undefined : toSpanContext(span.parent);
  return {
    name: span.name,
    kind: kinds[span.kind],
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: { ...parent, isRemote: true } }),
    startTime: toHrTime(span.startMicros),
    endTime: toHrTime(span.endMicros),
    duration: toHrTime(Math.max(0, span.endMicros - span.startMicros)),
    ended: true,
    status:
      span.error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: span.error },
    attributes: span.attributes as Attributes,
    links: span.links.flatMap((link) => {
      const linked = toSpanContext(link.traceparent);
      return linked === undefined ? [] : [{ context: linked, attributes: link.attributes }];
    }),
    events: [],
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function toSpanContext(traceparent: string): SpanContext | undefined {
  const context = parseTraceparent(traceparent);
  if (context === undefined) return undefined;
  const { traceId, spanId, sampled } = context;
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

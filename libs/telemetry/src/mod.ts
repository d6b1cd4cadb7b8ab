// Names, trace context and span export. Main threads use the pure part; only the backstage thread opens an exporter.
export { attribute, type MetricName, metric, prometheusName, resourceAttribute, spanName } from "./names.ts";
export type { AttributeValue, SpanKindName, SpanRecord } from "./span.ts";
export {
  type OtlpEndpoint,
  openSpanExporter,
  type SpanExporterHandle,
  type SpanExporterOptions,
  spanExporterLimits,
} from "./span-exporter.ts";
export {
  advertContext,
  childContext,
  formatTraceparent,
  parseTraceparent,
  randomBytesNeeded,
  rootContext,
  type TraceContext,
} from "./traceparent.ts";

// A finished span as plain data: made on the main thread without an SDK object, handed to the backstage thread by
// structured clone, exported there.

export type AttributeValue = string | number | boolean | readonly string[];
export type SpanKindName = "internal" | "producer" | "consumer" | "client" | "server";

export interface SpanRecord {
  readonly name: string;
  readonly kind: SpanKindName;
  /** The span's own context. */
  readonly traceparent: string;
  /** Traceparent of the parent; undefined for the root of a trace. */
  readonly parent: string | undefined;
  /** Wall clock in microseconds since 1970. */
  readonly startMicros: number;
  readonly endMicros: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly links: readonly {
    readonly traceparent: string;
    readonly attributes: Readonly<Record<string, string | number>>;
  }[];
  /** Undefined when the span succeeded. */
  readonly error: string | undefined;
}

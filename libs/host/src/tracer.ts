// Spans as plain data. Ids are real even when nothing is exported: a trace context is also how a story is told in logs.
import {
  childContext,
  formatTraceparent,
  parseTraceparent,
  randomBytesNeeded,
  rootContext,
  type SpanRecord,
} from "@baton/telemetry";
import type { Span, SpanOptions, Tracer } from "./api.ts";
import type { Clock } from "./clock.ts";

export interface TracerOptions {
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  /** Undefined while nothing is exported. */
  readonly sink: () => ((span: SpanRecord) => void) | undefined;
}

export function createTracer({ clock, random, sink }: TracerOptions): Tracer {
  return {
    span(name, options = {}) {
      const parent = options.parent === undefined ? undefined : parseTraceparent(options.parent);
      const context =
        parent === undefined
          ? rootContext(random(randomBytesNeeded.root))
          : childContext(parent, random(randomBytesNeeded.child));
      const traceparent = formatTraceparent(context);
      const startedAt = options.startedAt ?? clock.now();
      let ended = false;
      const end: Span["end"] = (outcome = {}) => {
        const deliver = sink();
        if (ended || deliver === undefined) return;
        ended = true;
        const now = clock.now();
        // Spans are timed by the clock that decides and shown by the wall clock of their end.
        const offset = clock.wall() - now;
        deliver({
          name,
          kind: options.kind ?? "internal",
          traceparent,
          parent: parent === undefined ? undefined : options.parent,
          startMicros: startedAt + offset,
          endMicros: (outcome.at ?? now) + offset,
          attributes: { ...options.attributes, ...outcome.attributes },
          links: linksOf(options),
          error: outcome.error,
        });
      };
      return { traceparent, end };
    },
  };
}

const linksOf = (options: SpanOptions): SpanRecord["links"] =>
  (options.links ?? []).map(({ traceparent, attributes }) => ({ traceparent, attributes: attributes ?? {} }));

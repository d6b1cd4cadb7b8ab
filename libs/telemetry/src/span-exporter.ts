// Spans to an OTLP collector, in batches, off the main thread. Without an endpoint nothing of the SDK is even loaded.
// A collector that cannot be reached costs one bounded queue: what does not fit is dropped and counted.
import { messageOf } from "@baton/domain";
import type { SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { SpanRecord } from "./span.ts";

export interface OtlpEndpoint {
  /** Base URL; `/v1/traces` is added for HTTP when it names no path. */
  readonly endpoint: string;
  readonly protocol: "http/protobuf" | "grpc";
}

export interface SpanExporterOptions {
  /** Resource attributes, the same for every span. */
  readonly resource: Readonly<Record<string, string | number>>;
  /** Said once for each change between working and not. */
  onProblem(message: string): void;
  readonly limits?: Partial<SpanExporterLimits>;
}

export const spanExporterLimits = {
  queuedMax: 2_048,
  batchMax: 512,
  /** A failover's spans are all there within a second. */
  everyMs: 500,
  timeoutMs: 5_000,
} as const;

export type SpanExporterLimits = { readonly [K in keyof typeof spanExporterLimits]: number };

export interface SpanExporterHandle {
  /** Spans that were not delivered: queue full, export failed, or no endpoint after all. */
  readonly dropped: number;
  /** Until the first call spans wait in the queue; undefined turns export off. */
  configure(endpoint: OtlpEndpoint | undefined): void;
  add(span: SpanRecord): void;
  /** Resolves true when everything added so far was delivered. */
  flush(boundMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export function openSpanExporter(options: SpanExporterOptions): SpanExporterHandle {
  return new QueuedSpanExporter(options);
}

class QueuedSpanExporter implements SpanExporterHandle {
  readonly #options: SpanExporterOptions;
  readonly #limits: SpanExporterLimits;
  #state: "unknown" | "off" | "on" = "unknown";
  #endpoint: OtlpEndpoint | undefined;
  #exporter: Promise<(batch: readonly SpanRecord[]) => Promise<string | undefined>> | undefined;
  #shutdown: (() => Promise<void>) | undefined;
  #queue: SpanRecord[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failing = false;

  constructor(options: SpanExporterOptions) {
    this.#options = options;
    this.#limits = { ...spanExporterLimits, ...options.limits };
  }

  get dropped(): number {
    return this.#dropped;
  }

  configure(endpoint: OtlpEndpoint | undefined): void {
    if (this.#state === "on" && sameEndpoint(endpoint, this.#endpoint)) return;
    const before = this.#shutdown;
    this.#exporter = undefined;
    this.#shutdown = undefined;
    if (before !== undefined) void before().catch(() => undefined);
    this.#endpoint = endpoint;
    this.#state = endpoint === undefined ? "off" : "on";
    if (endpoint === undefined) this.#queue = [];
    else this.#schedule();
  }

  add(span: SpanRecord): void {
    if (this.#state === "off") return;
    if (this.#queue.length >= this.#limits.queuedMax) {
      this.#dropped++;
      return;
    }
    this.#queue.push(span);
    this.#schedule();
  }

  async flush(boundMs: number): Promise<boolean> {
    if (this.#state !== "on") return true;
    const droppedBefore = this.#dropped;
    let timer: NodeJS.Timeout | undefined;
    const bound = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, boundMs);
    });
    await Promise.race([this.#exportAll(), bound]);
    clearTimeout(timer);
    return this.#queue.length === 0 && this.#running === undefined && this.#dropped === droppedBefore;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#state = "off";
    this.#queue = [];
    await this.#shutdown?.().catch(() => undefined);
  }

  #schedule(): void {
    if (this.#state !== "on" || this.#timer !== undefined || this.#running !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#exportAll();
    }, this.#limits.everyMs);
  }

  async #exportAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#running !== undefined) await this.#running;
    while (this.#state === "on" && this.#queue.length > 0) {
      this.#running = this.#exportBatch(this.#queue.splice(0, this.#limits.batchMax));
      await this.#running;
      this.#running = undefined;
    }
    if (this.#queue.length > 0) this.#schedule();
  }

  async #exportBatch(batch: readonly SpanRecord[]): Promise<void> {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) return;
    let problem: string | undefined;
    try {
      this.#exporter ??= this.#open(endpoint);
      const exporter = await this.#exporter;
      problem = await exporter(batch);
    } catch (error) {
      problem = messageOf(error);
    }
    if (problem !== undefined) this.#dropped += batch.length;
    if (this.#shutdown === undefined) this.#exporter = undefined; // it could not even be opened: try anew next time
    if ((problem !== undefined) !== this.#failing) {
      this.#failing = problem !== undefined;
      if (problem !== undefined)
        this.#options.onProblem(`traces are not delivered to ${endpoint.endpoint}: ${problem}`);
    }
  }

  async #open(endpoint: OtlpEndpoint): Promise<(batch: readonly SpanRecord[]) => Promise<string | undefined>> {
    const { createExporter } = await import("./otlp.ts");
    const { exporter, convert } = await createExporter(endpoint, this.#options.resource, this.#limits.timeoutMs);
    this.#shutdown = () => exporter.shutdown();
    return (batch) => exportOnce(exporter, batch.map(convert));
  }
}

type ReadableSpans = Parameters<SpanExporter["export"]>[0];

/** Undefined when delivered, else why not. */
function exportOnce(exporter: SpanExporter, spans: ReadableSpans): Promise<string | undefined> {
  return new Promise((resolve) => {
    exporter.export(spans, (result) => {
      // ExportResultCode.SUCCESS is 0.
      resolve(result.code === 0 ? undefined : (result.error?.message ?? "export failed"));
    });
  });
}

const sameEndpoint = (a: OtlpEndpoint | undefined, b: OtlpEndpoint | undefined): boolean =>
  a?.endpoint === b?.endpoint && a?.protocol === b?.protocol;

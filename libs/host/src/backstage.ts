// The backstage thread: outbox file and fsync, NATS connection, span export, log lines. Everything that may be slow,
// so that the main thread never is (SAFETY S7). Entry file of the worker; main talks to it through backstage-link.ts.
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { isDeepStrictEqual } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "@baton/domain";
import { type Bus, type Outbox, openNatsBus, openOutbox } from "@baton/event-log";
import { openSpanExporter, resourceAttribute, type SpanExporterHandle } from "@baton/telemetry";
import type { BackstageData, BackstageStanding, Batch, FromBackstage, ToBackstage } from "./backstage-messages.ts";
import { atCommonTimes } from "./common-times.ts";
import { readCredentials } from "./credentials.ts";
import { paths } from "./env.ts";
import { type LineSink, openLineSink } from "./line-sink.ts";

const sideFlushMs = 500;
const standingEveryMs = 3_000;
/** Main need not be woken for every batch: it keeps a few until it hears that they were taken. */
const takenDelayMs = 20;
const takenBatchesMax = 16;
const stderr = 2;

interface Port {
  postMessage(message: FromBackstage): void;
  on(event: "message", listener: (message: ToBackstage) => void): unknown;
  close(): void;
}

class Backstage {
  readonly #data: BackstageData;
  readonly #port: Port;
  readonly #lines: LineSink = openLineSink(stderr);
  readonly #bus: Bus;
  readonly #outbox: Outbox;
  readonly #spans: SpanExporterHandle;
  readonly #subscriptions = new Map<number, { close(): void }>();
  readonly #standingTimer: { close(): void };
  #connected: boolean | undefined;
  /** What main was last told. */
  #told: BackstageStanding | undefined;
  #taken = 0;
  #takenTold = 0;
  #takenTimer: NodeJS.Timeout | undefined;

  constructor(data: BackstageData, port: Port) {
    this.#data = data;
    this.#port = port;
    this.#bus = openNatsBus({
      name: `${data.node}/${data.service}`,
      inboxPrefix: `_INBOX_${data.service}`,
      credentials: async () => {
        const credentials = await readCredentials(data.runDir);
        const user = credentials?.nats.users[data.service];
        return credentials === undefined || user === undefined ? undefined : { url: credentials.nats.url, ...user };
      },
    });
    this.#bus.onStatus((connected, detail) => this.#onStatus(connected, detail));
    this.#outbox = openOutbox({
      directory: paths.outbox(data.stateDir, data.service),
      bus: this.#bus,
      node: data.node,
      boot: readBootId(),
      now: () => performance.now(),
      onLost: (count, reason) => port.postMessage({ type: "lost", count, reason }),
      onProblem: (message, error) => this.#log("warn", message, error),
    });
    this.#tellGap();
    this.#spans = openSpanExporter({
      resource: {
        [resourceAttribute.serviceNamespace]: "baton",
        [resourceAttribute.serviceName]: `baton-${data.service}`,
        [resourceAttribute.serviceVersion]: data.version,
        [resourceAttribute.serviceInstanceId]: `${data.node}/${data.service}/${data.epoch}`,
        [resourceAttribute.hostName]: data.node,
        [resourceAttribute.processPid]: process.pid,
      },
      onProblem: (message) => this.#log("warn", message),
    });
    this.#standingTimer = atCommonTimes(standingEveryMs, () => this.#tellStanding());
    port.on("message", (message) => this.#take(message));
  }

  /** What an unclean end may have cost is said, never passed over (SAFETY S7). */
  #tellGap(): void {
    const { damagedLines, end } = this.#outbox.recovered;
    if (this.#data.replaced) return;
    if (damagedLines > 0) {
      this.#port.postMessage({ type: "lost", count: damagedLines, reason: "damaged lines in the outbox" });
    }
    if (end === "power-cut") {
      const reason = "the machine went down without a stop: events of its last 100 ms may be missing";
      this.#port.postMessage({ type: "lost", count: 0, reason });
    }
    if (end === "killed") this.#log("info", "the last run ended without a stop; its outbox is whole");
  }

  #take(message: ToBackstage): void {
    switch (message.type) {
      case "batch":
        return this.#takeBatch(message);
      case "subscribe":
        return this.#subscribe(message.id, message.filter);
      case "unsubscribe":
        this.#subscriptions.get(message.id)?.close();
        this.#subscriptions.delete(message.id);
        return;
      case "telemetry":
        return this.#spans.configure(message.otlp ?? undefined);
      case "flush":
        this.#flush(message.boundMs).then(
          (complete) => this.#port.postMessage({ type: "flushed", id: message.id, complete }),
          () => this.#port.postMessage({ type: "flushed", id: message.id, complete: false }),
        );
        return;
      case "last-words":
        this.#lines.writeNow(message.lines);
        Atomics.store(new Int32Array(message.done), 0, 1);
        Atomics.notify(new Int32Array(message.done), 0);
        return;
      case "close":
        void this.#close();
        return;
    }
  }

  #takeBatch(batch: Batch): void {
    this.#outbox.append(batch.events);
    for (const span of batch.spans) this.#spans.add(span);
    for (const line of batch.lines) this.#lines.write(line);
    this.#taken = batch.sequence;
    if (this.#taken - this.#takenTold >= takenBatchesMax) this.#tellTaken();
    else this.#takenTimer ??= setTimeout(() => this.#tellTaken(), takenDelayMs);
  }

  #tellTaken(): void {
    clearTimeout(this.#takenTimer);
    this.#takenTimer = undefined;
    this.#takenTold = this.#taken;
    this.#told = this.#standing();
    this.#port.postMessage({ type: "taken", sequence: this.#taken, standing: this.#told });
  }

  #subscribe(id: number, filter: string): void {
    const subscription = this.#bus.subscribe(filter, (envelope) =>
      this.#port.postMessage({ type: "event", id, envelope }),
    );
    this.#subscriptions.set(id, subscription);
  }

  async #flush(boundMs: number): Promise<boolean> {
    const [complete] = await Promise.all([
      this.#outbox.flush(boundMs),
      // A collector or a reader of stderr that hangs is no reason to end late.
      this.#spans.flush(Math.min(boundMs, sideFlushMs)),
      this.#lines.drain(Math.min(boundMs, sideFlushMs)),
    ]);
    return complete;
  }

  async #close(): Promise<void> {
    this.#standingTimer.close();
    clearTimeout(this.#takenTimer);
    await this.#outbox.close();
    await this.#spans.close();
    await this.#bus.close();
    await this.#lines.drain(200);
    this.#port.postMessage({ type: "closed" });
    this.#port.close();
  }

  #onStatus(connected: boolean, detail: string): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#log("info", connected ? "bus connected" : `bus away: ${detail}`);
    this.#tellStanding();
  }

  /** Nobody is woken by what main knows already. */
  #tellStanding(): void {
    const standing = this.#standing();
    if (isDeepStrictEqual(standing, this.#told)) return;
    this.#told = standing;
    this.#port.postMessage({ type: "standing", standing });
  }

  #standing(): BackstageStanding {
    return {
      ...this.#outbox.stats(),
      malformed: this.#bus.stats.malformed,
      spansDropped: this.#spans.dropped,
      linesDropped: this.#lines.dropped,
    };
  }

  #log(level: "info" | "warn", message: string, error?: unknown): void {
    const { node, service } = this.#data;
    const time = new Date().toISOString();
    const cause = error instanceof Error ? { error: error.message } : {};
    this.#lines.write(JSON.stringify({ time, level, node, service, message, ...cause }));
  }
}

function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

assert(parentPort !== null, "backstage.ts is the entry file of a worker");
new Backstage(workerData as BackstageData, parentPort as unknown as Port);

// The level behind the events: WatchService of this process. A consumer gets a snapshot, then each event as it happens,
// and pulses with the versions, so that a lost last event is no silent gap (SAFETY S8). The first pulse of a stream has all
// of them, the next ones those that have changed: a thousand instances that do nothing cost nothing.
import {
  type AggregateState,
  type Counter,
  toWire,
  type WatchRequest,
  WatchServiceService,
  type WatchUpdate,
} from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import { aggregateKey } from "@baton/event-log";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import type { GrpcService, WatchSource } from "./api.ts";
import type { VersionedWriter } from "./writer.ts";

export const watchLimits = {
  pulseEveryMs: 1_000,
  /** Without anything to say, only every so many pulses one is sent: it says that we are there. */
  quietPulses: 3,
  /** So many are told with every pulse; of more that may wait, all are told less often, but never less than each fifth pulse. */
  countersPerPulse: 1_000,
  countersEveryMax: 5,
  /** More of one turn are told in several updates: a message has a size that nobody refuses. */
  eventsPerUpdate: 200,
  /**
   * Events and pulses that a consumer has not read; beyond it the consumer is cut off and starts again with a snapshot.
   * Of a takeover of thousands it may have read none before the last has happened.
   */
  unreadMax: 10_000,
} as const;

/** Every consumer gets the same updates: each is encoded once, not once per consumer. */
function encodeOnce(): GrpcService["definition"] {
  const { watch } = WatchServiceService;
  const encoded = new WeakMap<WatchUpdate, Buffer>();
  const responseSerialize = (update: WatchUpdate): Buffer => {
    const bytes = encoded.get(update) ?? watch.responseSerialize(update);
    encoded.set(update, bytes);
    return bytes;
  };
  return { watch: { ...watch, responseSerialize } };
}

type Call = ServerWritableStream<WatchRequest, WatchUpdate>;

export interface WatchServer {
  readonly grpc: GrpcService;
  /** Hands an event to the consumers, after the step that is running. */
  publish(envelope: EventEnvelope): void;
  close(): void;
}

export interface WatchServerOptions {
  readonly service: ServiceName;
  readonly writer: Pick<VersionedWriter, "epoch" | "version" | "versions">;
  readonly source: WatchSource;
  /** Counters that the host itself adds to those of the service. */
  readonly hostCounters: () => Counter[];
}

export function createWatchServer(options: WatchServerOptions): WatchServer {
  return new Broadcast(options);
}

interface Consumer {
  /** Events and pulses that it has not read. */
  unread: number;
  readonly counters: boolean;
}

class Broadcast implements WatchServer {
  readonly grpc: GrpcService;
  readonly #options: WatchServerOptions;
  readonly #consumers = new Map<Call, Consumer>();
  readonly #timer: NodeJS.Timeout;
  /** What has had an event since the last pulse. */
  readonly #changed = new Map<string, Aggregate>();
  #quietFor = 0;
  /** Pulses until the counters are told again. */
  #countersIn = 1;
  #waiting: EventEnvelope[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(options: WatchServerOptions) {
    this.#options = options;
    this.grpc = {
      definition: encodeOnce(),
      implementation: { watch: (call: Call) => this.#accept(call) },
    };
    this.#timer = setInterval(() => this.#pulse(), watchLimits.pulseEveryMs);
    this.#timer.unref();
  }

  publish(envelope: EventEnvelope): void {
    if (this.#consumers.size === 0) return;
    this.#changed.set(aggregateKey(envelope.aggregate), envelope.aggregate);
    this.#waiting.push(envelope);
    // Encoding and writing wait until the inputs of this turn are through (SAFETY S7).
    this.#scheduled ??= setImmediate(() => this.#flush());
  }

  close(): void {
    this.#flush();
    clearInterval(this.#timer);
    for (const call of this.#consumers.keys()) call.end();
    this.#consumers.clear();
  }

  #accept(call: Call): void {
    // What waits is older than the snapshot: it goes to the others first.
    this.#flush();
    const { service, writer, source } = this.#options;
    this.#consumers.set(call, { unread: 0, counters: call.request.counters });
    call.on("cancelled", () => this.#consumers.delete(call));
    call.on("close", () => this.#consumers.delete(call));
    call.on("error", () => this.#consumers.delete(call));
    call.on("drain", () => {
      const standing = this.#consumers.get(call);
      if (standing !== undefined) standing.unread = 0;
    });
    const aggregates = source.states().map((state): AggregateState => {
      const kind = state.kind as EventEnvelope["aggregate"]["kind"];
      return { ...state, version: writer.version({ kind, id: state.id }) };
    });
    this.#write(call, { update: { $case: "snapshot", value: { service, epoch: writer.epoch, aggregates } } });
    // The versions of what the snapshot does not list: a consumer has its base line for every aggregate.
    const { epoch } = writer;
    const first = { epoch, versions: [...writer.versions()], counters: this.#counters() };
    this.#write(call, { update: { $case: "pulse", value: first } });
  }

  #counters(): Counter[] {
    const { source, hostCounters } = this.#options;
    return [...(source.counters?.() ?? []), ...hostCounters()];
  }

  /** Thousands of counters each second would cost both ends more than what is counted. */
  #countersDue(): Counter[] {
    const isAsked = [...this.#consumers.values()].some(({ counters }) => counters);
    if (!isAsked || --this.#countersIn > 0) return [];
    const counters = this.#counters();
    if (this.#options.source.countersMayWait !== true) return counters;
    const { countersPerPulse, countersEveryMax } = watchLimits;
    this.#countersIn = Math.min(Math.max(1, Math.ceil(counters.length / countersPerPulse)), countersEveryMax);
    return counters;
  }

  #pulse(): void {
    if (this.#consumers.size === 0) return;
    this.#flush();
    const { writer } = this.#options;
    const { epoch } = writer;
    const versions = [...this.#changed.values()].map(({ kind, id }) => ({
      kind,
      id,
      version: writer.version({ kind, id }),
    }));
    this.#changed.clear();
    this.#quietFor = versions.length > 0 ? 0 : (this.#quietFor + 1) % watchLimits.quietPulses;
    const counters = this.#countersDue();
    const pulse = (some: Counter[]): WatchUpdate => ({
      update: { $case: "pulse", value: { epoch, versions, counters: some } },
    });
    // Two updates at most, whoever gets them: each is encoded once.
    const quiet = this.#quietFor === 0 ? pulse([]) : undefined;
    const counting = counters.length > 0 ? pulse(counters) : quiet;
    for (const [call, consumer] of this.#consumers) {
      const update = consumer.counters ? counting : quiet;
      if (update !== undefined) this.#write(call, update);
    }
  }

  #flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const envelopes = this.#waiting.splice(0).map(toWire);
    for (let start = 0; start < envelopes.length; start += watchLimits.eventsPerUpdate) {
      const some = envelopes.slice(start, start + watchLimits.eventsPerUpdate);
      this.#broadcast({ update: { $case: "events", value: { envelopes: some } } });
    }
  }

  #broadcast(update: WatchUpdate): void {
    for (const call of this.#consumers.keys()) this.#write(call, update);
  }

  #write(call: Call, update: WatchUpdate): void {
    const standing = this.#consumers.get(call);
    if (standing === undefined) return;
    if (call.write(update)) return;
    standing.unread += update.update?.$case === "events" ? update.update.value.envelopes.length : 1;
    if (standing.unread <= watchLimits.unreadMax) return;
    this.#consumers.delete(call);
    call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: "the consumer does not read" });
  }
}

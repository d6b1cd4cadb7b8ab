// The level behind the events: WatchService of this process. A consumer gets a snapshot, then each event as it happens,
// and pulses with the versions, so that a lost last event is no silent gap (SAFETY S8). The first pulse of a stream has all
// of them, the next ones those that have changed: a thousand instances that do nothing cost nothing. Pulses come at points
// in time that all services share, so that whoever follows several of them wakes up for all of them once.
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
import { untilCommon } from "./common-times.ts";
import type { VersionedWriter } from "./writer.ts";

export const watchLimits = {
  /** After an event, and where somebody decides by counters. */
  pulseEveryMs: 1_000,
  /** Without anything to say: it says that we are there, and what was counted. */
  quietEveryMs: 3_000,
  /** More counters are told with every second quiet pulse only: they would cost both ends more than what is counted. */
  countersPerPulse: 3_000,
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

/** Sets of kinds that are remembered: more than Baton's own services ask for. */
const viewsMax = 32;

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

/** Consumers that ask for the same kinds of aggregates get the same updates. */
interface View {
  /** Undefined: all. */
  readonly kinds: ReadonlySet<string> | undefined;
}

/** Whoever elects and follows a few trackers has no time for the checks of ten thousand servers (SAFETY S7). */
const shows = ({ kinds }: View, { kind }: { readonly kind: string }): boolean => kinds?.has(kind) !== false;

interface Consumer {
  readonly view: View;
  /** Events and pulses that it has not read. */
  unread: number;
  readonly counters: boolean;
}

class Broadcast implements WatchServer {
  readonly grpc: GrpcService;
  readonly #options: WatchServerOptions;
  readonly #consumers = new Map<Call, Consumer>();
  /** By the names of their kinds; there are as many as services, and no more. */
  readonly #views = new Map<string, View>();
  #timer: NodeJS.Timeout | undefined;
  /** What has had an event since the last pulse. */
  readonly #changed = new Map<string, Aggregate>();
  /** The last quiet pulse that was due told no counters: there are too many to tell each time. */
  #skipped = false;
  #waiting: EventEnvelope[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(options: WatchServerOptions) {
    this.#options = options;
    this.grpc = {
      definition: encodeOnce(),
      implementation: { watch: (call: Call) => this.#accept(call) },
    };
  }

  publish(envelope: EventEnvelope): void {
    if (this.#consumers.size === 0) return;
    if (this.#changed.size === 0) this.#schedule(true);
    this.#changed.set(aggregateKey(envelope.aggregate), envelope.aggregate);
    this.#waiting.push(envelope);
    // Encoding and writing wait until the inputs of this turn are through (SAFETY S7).
    this.#scheduled ??= setImmediate(() => this.#flush());
  }

  close(): void {
    this.#flush();
    clearTimeout(this.#timer);
    for (const call of this.#consumers.keys()) call.end();
    this.#consumers.clear();
  }

  #accept(call: Call): void {
    // What waits is older than the snapshot: it goes to the others first.
    this.#flush();
    const { service, writer, source } = this.#options;
    const view = this.#viewOf(call.request.kinds);
    this.#consumers.set(call, { unread: 0, counters: call.request.counters, view });
    this.#schedule(false);
    call.on("cancelled", () => this.#consumers.delete(call));
    call.on("close", () => this.#consumers.delete(call));
    call.on("error", () => this.#consumers.delete(call));
    call.on("drain", () => {
      const standing = this.#consumers.get(call);
      if (standing !== undefined) standing.unread = 0;
    });
    const shown = source.states().filter((state) => shows(view, state));
    const aggregates = shown.map((state): AggregateState => {
      const kind = state.kind as EventEnvelope["aggregate"]["kind"];
      return { ...state, version: writer.version({ kind, id: state.id }) };
    });
    this.#write(call, { update: { $case: "snapshot", value: { service, epoch: writer.epoch, aggregates } } });
    // The versions of what the snapshot does not list: a consumer has its base line for every aggregate.
    const { epoch } = writer;
    const versions = [...writer.versions()].filter((each) => shows(view, each));
    const first = { epoch, versions, counters: this.#counters() };
    this.#write(call, { update: { $case: "pulse", value: first } });
  }

  #viewOf(kinds: readonly string[]): View {
    const key = [...new Set(kinds)].sort().join("\n");
    const view = this.#views.get(key) ?? { kinds: kinds.length === 0 ? undefined : new Set(kinds) };
    // Whoever invents kinds is told what it asks for, and not remembered.
    if (this.#views.size < viewsMax) this.#views.set(key, view);
    return view;
  }

  #counters(): Counter[] {
    const { source, hostCounters } = this.#options;
    return [...(source.counters?.() ?? []), ...hostCounters()];
  }

  /** `isNews`: an event waits for the pulse that says that it has happened. */
  #schedule(isNews: boolean): void {
    const isUrgent = isNews || this.#isDecided();
    const wait = untilCommon(isUrgent ? watchLimits.pulseEveryMs : watchLimits.quietEveryMs);
    const isQuiet = untilCommon(watchLimits.quietEveryMs) <= wait;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pulse(isQuiet), wait);
    this.#timer.unref();
  }

  #isAsked(): boolean {
    return [...this.#consumers.values()].some(({ counters }) => counters);
  }

  /** Somebody asks for counters, and decides by them. */
  #isDecided(): boolean {
    return this.#options.source.isDecidedByCounters?.() === true && this.#isAsked();
  }

  #countersDue(isQuiet: boolean): Counter[] {
    if (this.#isDecided()) return this.#counters();
    if (!isQuiet || !this.#isAsked()) return [];
    const counters = this.#counters();
    this.#skipped = counters.length > watchLimits.countersPerPulse && !this.#skipped;
    return this.#skipped ? [] : counters;
  }

  #pulse(isQuiet: boolean): void {
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
    this.#schedule(false);
    const counters = this.#countersDue(isQuiet);
    for (const [view, consumers] of this.#byView()) {
      const shown = versions.filter((each) => shows(view, each));
      const pulse = (some: Counter[]): WatchUpdate => ({
        update: { $case: "pulse", value: { epoch, versions: shown, counters: some } },
      });
      // Two updates at most, whoever gets them: each is encoded once.
      const plain = isQuiet || shown.length > 0 ? pulse([]) : undefined;
      const counting = counters.length > 0 ? pulse(counters) : plain;
      for (const [call, consumer] of consumers) {
        const update = consumer.counters ? counting : plain;
        if (update !== undefined) this.#write(call, update);
      }
    }
  }

  #byView(): ReadonlyMap<View, readonly (readonly [Call, Consumer])[]> {
    const views = new Map<View, (readonly [Call, Consumer])[]>();
    for (const entry of this.#consumers) {
      const alike = views.get(entry[1].view);
      if (alike === undefined) views.set(entry[1].view, [entry]);
      else alike.push(entry);
    }
    return views;
  }

  #flush(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    const wire = new Map(waiting.map((envelope) => [envelope, toWire(envelope)]));
    for (const [view, consumers] of this.#byView()) {
      const envelopes = waiting.flatMap((envelope) => {
        const encoded = shows(view, envelope.aggregate) ? wire.get(envelope) : undefined;
        return encoded === undefined ? [] : [encoded];
      });
      for (let start = 0; start < envelopes.length; start += watchLimits.eventsPerUpdate) {
        const some = envelopes.slice(start, start + watchLimits.eventsPerUpdate);
        const update: WatchUpdate = { update: { $case: "events", value: { envelopes: some } } };
        for (const [call] of consumers) this.#write(call, update);
      }
    }
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

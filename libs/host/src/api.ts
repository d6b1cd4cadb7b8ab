// What a Baton process gets from its host. `startHost` (host.ts) makes the real one; testing/ has a twin.

import type { AggregateState, Counter } from "@baton/contracts";
import type { Aggregate, BatonEvent, CauseRef, EventEnvelope, Instant, ServiceName } from "@baton/domain";
import type { AttributeValue } from "@baton/telemetry";
import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { ConfigSnapshot } from "./snapshot.ts";
import type { DumpKind, ServiceReport } from "./supervisor-link.ts";

export interface HostEnv {
  readonly node: string;
  /** Sockets, credentials, pid files; mode 0700. */
  readonly runDir: string;
  /** Config snapshot, outbox, JetStream and Redis data. */
  readonly stateDir: string;
  readonly version: string;
  /** How often the supervisor has restarted this service. */
  readonly restarts: number;
}

export interface Host {
  readonly service: ServiceName;
  readonly env: HostEnv;
  /** CLOCK_BOOTTIME in microseconds. */
  now(): Instant;
  readonly events: EventWriter & EventReader;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly config: ConfigSource;
  /**
   * Serves WatchService, and what `extra` names, on <runDir>/<service>.sock. `states` is asked for each snapshot (their
   * versions are filled in by the host); events appended through `events` follow as deltas; counters go out with each
   * snapshot, and each second to those who follow them. A state and the event that tells of it belong into one synchronous
   * step: snapshots are taken between steps.
   */
  serveWatch(source: WatchSource): Promise<void>;
  /**
   * The supervisor's stop, over the process's IPC channel; a lost channel is no command. Handlers run one after the
   * other, in the order of registration; then what is owned is closed and the outbox flushed.
   */
  onStop(handler: (reason: string) => Promise<void>): void;
  /** The supervisor's reload (control only). */
  onReload(handler: () => void): void;
  /** The supervisor asks for one of keepalived's files (control only). */
  onDump(handler: (what: DumpKind) => void): void;
  /** Tells the supervisor; `ready` once, when the service does its work. */
  ready(): void;
  /** Tells the supervisor something else: `config`, `config-failed` (control only). */
  report(report: ServiceReport): void;
  /** Does what the supervisor's stop does and resolves when it is done; the process is not ended. */
  stop(reason: string): Promise<void>;
  /** How this process stands with the bus, as the backstage thread last said. */
  bus(): BusStanding;
  /** Registers something to be closed at the end, in reverse order. */
  own<T extends { close(): unknown }>(resource: T): T;
}

export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

export interface WatchSource {
  states(): AggregateState[];
  counters?(): Counter[];
  /** Somebody decides by its counters, so that they are told each second; otherwise every third. */
  isDecidedByCounters?(): boolean;
  /** Served on the same socket, beside WatchService: dataplane's LeaseService, for one. */
  readonly extra?: readonly GrpcService[];
}

export interface BusStanding {
  readonly connected: boolean;
  /** Events that the stream does not hold yet. */
  readonly backlog: number;
  /** Age of the oldest of them; 0 when there is none. */
  readonly oldestMicros: number;
}

export interface EventWriter {
  /**
   * Stamps the event (id, version, time, epoch), hands it to the backstage thread and to the Watch consumers, and
   * returns at once: never waits for disk, bus or tracing (SAFETY S7). Without a cause a story starts here, and its
   * correlation id is the event's own id. `traceparent`: the span in which the event is appended; the cause's when absent.
   */
  append(aggregate: Aggregate, event: BatonEvent, cause?: CauseRef, traceparent?: string): EventEnvelope;
  /** The version of an aggregate's last event; 0 when there was none. */
  version(aggregate: Aggregate): number;
}

export interface EventReader {
  /**
   * Follows the aggregates of another service of this node: the Watch stream's snapshot first, then each event once,
   * whichever of NATS and Watch brings it first ((epoch, version) seen before is dropped), a fresh snapshot after a gap.
   */
  follow(
    service: ServiceName,
    kinds: readonly Aggregate["kind"][],
    handler: {
      snapshot(states: readonly AggregateState[]): void;
      event(envelope: EventEnvelope): void;
      /** With the snapshot and then each second; who leaves it out is not sent them. */
      counters?(counters: readonly Counter[]): void;
      disconnected?(): void;
    },
  ): { close(): void };
  /** Live events from NATS only, of any service of this node; each once. */
  subscribe(
    filter: { kind?: Aggregate["kind"]; id?: string },
    handler: (envelope: EventEnvelope) => void,
  ): { close(): void };
}

export interface SpanOptions {
  readonly parent?: string | undefined;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly links?: readonly SpanLink[];
  /** Defaults to now. */
  readonly startedAt?: Instant;
  readonly kind?: "internal" | "producer" | "consumer" | "client" | "server";
}
export interface SpanLink {
  readonly traceparent: string;
  readonly attributes?: Readonly<Record<string, string | number>>;
}
export interface Span {
  /** To hand on as a cause; a valid W3C traceparent even when nothing is exported. */
  readonly traceparent: string;
  end(options?: { attributes?: SpanOptions["attributes"]; error?: string; at?: Instant }): void;
}
/** Spans are plain data handed to the backstage thread; nothing here blocks or allocates an SDK object. */
export interface Tracer {
  span(name: string, options?: SpanOptions): Span;
}

export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export interface ConfigSource {
  /** The last applied snapshot: waits for the first one of this run. */
  current(): Promise<ConfigSnapshot>;
  /**
   * Called for every later generation, in rising order. Two that were applied faster than they were read are one call,
   * with the later one.
   */
  onChange(handler: (snapshot: ConfigSnapshot) => void): void;
}

// A Host in memory for the tests of services: what it appends, traces, logs and reports is recorded, other services are
// played by hand or are test hosts on the same bus, and the clock moves when told to. Passes host-contract.ts, as the
// real one does.
import type { AggregateState, Counter } from "@baton/contracts";
import {
  type Aggregate,
  assert,
  type BatonEvent,
  type CauseRef,
  type EventEnvelope,
  type ServiceName,
} from "@baton/domain";
import { aggregateKey } from "@baton/event-log";
import type { SpanRecord } from "@baton/telemetry";
import type { BusStanding, ConfigSource, Host, HostEnv, Log, WatchSource } from "../api.ts";
import type { Clock } from "../clock.ts";
import { randomPool, uuidSource } from "../ids.ts";
import type { ConfigSnapshot } from "../snapshot.ts";
import type { DumpKind, ServiceReport } from "../supervisor-link.ts";
import { createTracer } from "../tracer.ts";
import { createWriter, type VersionedWriter } from "../writer.ts";
import { TestBus, type TestOwner } from "./test-bus.ts";
import { createTestClock, type TestClock } from "./test-clock.ts";

export interface TestHostOptions {
  readonly service: ServiceName;
  /** Several hosts on one bus follow each other; by default a host is alone, and the others are played. */
  readonly bus?: TestBus;
  readonly clock?: TestClock;
  readonly env?: Partial<HostEnv>;
  /** The configuration that `config.current()` answers with; without it the first `applyConfig` does. */
  readonly config?: ConfigSnapshot;
  /** What an earlier process of the service has told, as its outbox holds it: versions go on from there. */
  readonly told?: readonly EventEnvelope[];
}

export interface LoggedLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** Another service of the node, played by the test. */
export interface PlayedService {
  /** What its Watch stream says from now on; sends a fresh snapshot to every follower. */
  states(states: readonly AggregateState[]): void;
  /** Appends an event as that service would: stamped, versioned, delivered to followers and subscribers. */
  append(aggregate: Aggregate, event: BatonEvent, cause?: CauseRef, traceparent?: string): EventEnvelope;
  counters(counters: readonly Counter[]): void;
  disconnect(): void;
}

export interface TestHost extends Host {
  readonly clock: TestClock;
  /** Everything that the service appended, oldest first; without the host's own `service-started`. */
  readonly appended: readonly EventEnvelope[];
  readonly spans: readonly SpanRecord[];
  readonly lines: readonly LoggedLine[];
  readonly reports: readonly ServiceReport[];
  /** What was given to serveWatch. */
  readonly watch: WatchSource | undefined;
  /** The snapshot that a consumer would get now. */
  states(): readonly AggregateState[];
  play(service: ServiceName): PlayedService;
  applyConfig(snapshot: ConfigSnapshot): void;
  /** As if the supervisor had sent it. */
  reload(): void;
  dump(what: DumpKind): void;
  setBus(standing: BusStanding): void;
}

const defaultEnv: HostEnv = {
  node: "test-node",
  runDir: "/nonexistent/run",
  stateDir: "/nonexistent/state",
  version: "0.0.0-test",
  restarts: 0,
};

export function createTestHost(options: TestHostOptions): TestHost {
  return new MemoryHost(options);
}

class MemoryHost implements TestHost {
  readonly service: ServiceName;
  readonly env: HostEnv;
  readonly clock: TestClock;
  readonly events: Host["events"];
  readonly tracer: Host["tracer"];
  readonly log: Log;
  readonly config: ConfigSource;
  readonly appended: EventEnvelope[] = [];
  readonly spans: SpanRecord[] = [];
  readonly lines: LoggedLine[] = [];
  readonly reports: ServiceReport[] = [];
  readonly #bus: TestBus;
  readonly #uuid: (wallMicros: number) => string;
  readonly #owner: TestOwner;
  readonly #memoryConfig: MemoryConfig;
  readonly #owned: { close(): unknown }[] = [];
  readonly #stopHandlers: ((reason: string) => Promise<void>)[] = [];
  readonly #reloadHandlers: (() => void)[] = [];
  readonly #dumpHandlers: ((what: DumpKind) => void)[] = [];
  #standing: BusStanding = { connected: true, backlog: 0, oldestMicros: 0 };
  #stopping: Promise<void> | undefined;

  constructor(options: TestHostOptions) {
    this.service = options.service;
    this.env = { ...defaultEnv, ...options.env };
    this.clock = options.clock ?? createTestClock();
    this.#bus = options.bus ?? new TestBus();
    const random = randomPool();
    this.#uuid = uuidSource(random);
    const writer = this.#createWriter(
      options.service,
      (envelope) => {
        this.appended.push(envelope);
        this.#bus.publish(envelope);
      },
      options.told,
    );
    this.#owner = this.#bus.owner(options.service, () => ({ writer, source: undefined }));
    assert(this.#owner.writer === writer, `${options.service} is on this bus already`);
    this.events = {
      append: writer.append,
      version: writer.version,
      follow: (service, kinds, handler) => this.#bus.follow(service, kinds, handler),
      subscribe: (filter, handler) => this.#bus.subscribe(filter, handler),
    };
    this.tracer = createTracer({ clock: this.clock, random, sink: () => (span) => this.spans.push(span) });
    const at =
      (level: LoggedLine["level"]) =>
      (message: string, fields: Record<string, unknown> = {}) => {
        this.lines.push({ level, message, fields });
      };
    this.log = { info: at("info"), warn: at("warn"), error: at("error") };
    this.#memoryConfig = new MemoryConfig(options.config);
    this.config = this.#memoryConfig;
    const { version, restarts } = this.env;
    const { service } = this;
    writer.append(
      { kind: "service", id: service },
      { type: "service-started", data: { service, pid: process.pid, version, restarts } },
    );
    this.appended.length = 0;
  }

  get watch(): WatchSource | undefined {
    return this.#owner.source;
  }

  now = (): ReturnType<Clock["now"]> => this.clock.now();

  async serveWatch(source: WatchSource): Promise<void> {
    this.#owner.source = source;
    this.#bus.serve(this.service);
  }

  states(): readonly AggregateState[] {
    return this.#owner.source?.states() ?? [];
  }

  onStop(handler: (reason: string) => Promise<void>): void {
    this.#stopHandlers.push(handler);
  }

  onReload(handler: () => void): void {
    this.#reloadHandlers.push(handler);
  }

  onDump(handler: (what: DumpKind) => void): void {
    this.#dumpHandlers.push(handler);
  }

  ready(): void {
    this.report({ type: "ready" });
  }

  report(report: ServiceReport): void {
    this.reports.push(report);
  }

  own<T extends { close(): unknown }>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  bus(): BusStanding {
    return this.#standing;
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  play(service: ServiceName): PlayedService {
    const owner = this.#bus.owner(service, () => ({
      writer: this.#createWriter(service, (envelope) => this.#bus.publish(envelope)),
      source: undefined,
    }));
    return {
      states: (states) => {
        owner.source = { states: () => [...states] };
        this.#bus.serve(service);
      },
      append: (aggregate, event, cause, traceparent) => owner.writer.append(aggregate, event, cause, traceparent),
      counters: (counters) => this.#bus.counters(service, counters),
      disconnect: () => this.#bus.disconnect(service),
    };
  }

  applyConfig(snapshot: ConfigSnapshot): void {
    this.#memoryConfig.apply(snapshot);
  }

  reload(): void {
    for (const handler of this.#reloadHandlers) handler();
  }

  dump(what: DumpKind): void {
    for (const handler of this.#dumpHandlers) handler(what);
  }

  setBus(standing: BusStanding): void {
    this.#standing = standing;
  }

  #createWriter(
    service: ServiceName,
    hand: (envelope: EventEnvelope) => void,
    told: readonly EventEnvelope[] = [],
  ): VersionedWriter {
    const versions = new Map(told.map(({ aggregate, version }) => [aggregateKey(aggregate), version]));
    const { node } = this.env;
    const epoch = this.clock.wall();
    return createWriter({ service, node, epoch, versions, clock: this.clock, uuid: this.#uuid, hand });
  }

  async #stop(reason: string): Promise<void> {
    for (const handler of this.#stopHandlers) await handler(reason);
    const { service } = this;
    this.events.append({ kind: "service", id: service }, { type: "service-stopped", data: { service, reason } });
    for (const resource of this.#owned.splice(0).reverse()) await resource.close();
    this.report({ type: "stopped" });
  }
}

class MemoryConfig implements ConfigSource {
  readonly #handlers: ((snapshot: ConfigSnapshot) => void)[] = [];
  readonly #waiting: ((snapshot: ConfigSnapshot) => void)[] = [];
  #current: ConfigSnapshot | undefined;

  constructor(current: ConfigSnapshot | undefined) {
    this.#current = current;
  }

  current(): Promise<ConfigSnapshot> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  onChange(handler: (snapshot: ConfigSnapshot) => void): void {
    this.#handlers.push(handler);
  }

  apply(snapshot: ConfigSnapshot): void {
    const before = this.#current;
    if (before !== undefined && snapshot.generation <= before.generation) return;
    this.#current = snapshot;
    for (const resolve of this.#waiting.splice(0)) resolve(snapshot);
    if (before !== undefined) for (const handler of this.#handlers) handler(snapshot);
  }
}

// startHost: the life of a Baton process. Main thread: the service's work. Backstage thread: outbox, bus, traces, log.
// Nothing here waits for the bus: with NATS away or the backstage thread dead the service works, and its events wait.

import type { Counter } from "@baton/contracts";
import { subjectFilter } from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import { aggregateKey, isAfter, type Recovered, recoverVersions } from "@baton/event-log";
import { metric } from "@baton/telemetry";
import { setLogger } from "@grpc/grpc-js";
import type { BusStanding, EventReader, Host, HostEnv, Log, WatchSource } from "./api.ts";
import { type BackstageLink, openBackstageLink, spawnBackstage } from "./backstage-link.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type OwnedConfigSource, openConfigSource } from "./config-source.ts";
import { paths, readEnv } from "./env.ts";
import { openFollower } from "./follower.ts";
import { serveGrpc } from "./grpc.ts";
import { randomPool, uuidSource } from "./ids.ts";
import { writeWithoutWaiting } from "./line-sink.ts";
import { createLog, formatLine } from "./log.ts";
import {
  type DumpKind,
  type IpcProcess,
  openSupervisorLink,
  type ServiceReport,
  type SupervisorLink,
} from "./supervisor-link.ts";
import { createTracer } from "./tracer.ts";
import { createWatchServer, type WatchServer } from "./watch-server.ts";
import { createWriter, type VersionedWriter } from "./writer.ts";

export interface HostOptions {
  readonly service: ServiceName;
  /** Defaults to process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /**
   * `ignore` (default): TERM, INT and HUP do nothing, only the supervisor's stop ends this process (SAFETY S6), and a
   * bug does, with exit code 70. `leave`: signals, the IPC channel and uncaught exceptions are the caller's business
   * (the supervisor itself, tests).
   */
  readonly signals?: "ignore" | "leave";
}

export const hostLimits = { flushMs: 2_000 } as const;
const stderr = 2;
/** EX_SOFTWARE of sysexits.h: a bug ended this process; the supervisor starts another one. */
const exitSoftware = 70;

export async function startHost(options: HostOptions): Promise<Host> {
  const own = options.signals !== "leave";
  if (own && process.env.BATON_STANDBY !== undefined) await myTurn();
  const ipc = own ? process : noIpc;
  const host = new ProcessHost(options.service, readEnv(options.env ?? process.env), systemClock, ipc);
  if (own) host.ownProcess();
  host.begin();
  return host;
}

/**
 * A successor waits here, its program loaded, until the one that it replaces has been ended (SAFETY S19). Without a
 * supervisor nobody would ever tell it.
 */
function myTurn(): Promise<void> {
  return new Promise((resolve) => {
    const orphaned = (): void => process.exit(0);
    process.once("disconnect", orphaned);
    process.on("message", function hear(message: unknown) {
      if (typeof message !== "object" || message === null || !("type" in message) || message.type !== "begin") return;
      process.off("message", hear);
      process.off("disconnect", orphaned);
      resolve();
    });
    process.send?.({ type: "standing-by" });
  });
}

/**
 * An event whose answer was lost is published again: the stream drops it by its id, but whoever listens hears it twice.
 */
function onceOnly(handler: (envelope: EventEnvelope) => void): (envelope: EventEnvelope) => void {
  const last = new Map<string, EventEnvelope>();
  return (envelope) => {
    const key = aggregateKey(envelope.aggregate);
    if (!isAfter(envelope, last.get(key))) return;
    last.set(key, envelope);
    handler(envelope);
  };
}

/** A service without its old outbox is better than none: the epoch is higher, so its events are newer all the same. */
function tryRecover(directory: string): { recovered: Pick<Recovered, "epoch" | "versions">; problem?: unknown } {
  try {
    return { recovered: recoverVersions(directory) };
  } catch (problem) {
    return { recovered: { epoch: 0, versions: new Map() }, problem };
  }
}

const noIpc: IpcProcess = { connected: false, on: () => undefined };

class ProcessHost implements Host {
  readonly service: ServiceName;
  readonly env: HostEnv;
  readonly events: Host["events"];
  readonly tracer: Host["tracer"];
  readonly log: Log;
  readonly config: OwnedConfigSource;
  readonly #clock: Clock;
  readonly #link: BackstageLink;
  readonly #writer: VersionedWriter;
  readonly #supervisor: SupervisorLink;
  readonly #owned: { close(): unknown }[] = [];
  readonly #followers = new Set<{ close(): void }>();
  readonly #stopHandlers: ((reason: string) => Promise<void>)[] = [];
  readonly #reloadHandlers: (() => void)[] = [];
  readonly #dumpHandlers: ((what: DumpKind) => void)[] = [];
  #watch: WatchServer | undefined;
  #otlp: "unknown" | "on" | "off" = "unknown";
  #appended = 0;
  #lost = 0;
  #stopping: Promise<void> | undefined;

  constructor(service: ServiceName, env: HostEnv, clock: Clock, ipc: IpcProcess) {
    this.service = service;
    this.env = env;
    this.#clock = clock;
    const { recovered, problem } = tryRecover(paths.outbox(env.stateDir, service));
    // Above every earlier epoch, also after a reboot or when the clock was set back.
    const epoch = Math.max(clock.wall(), recovered.epoch + 1);
    const { node, runDir, stateDir, version } = env;
    this.#link = openBackstageLink({
      spawn: (replaced) =>
        spawnBackstage({ service, node, runDir, stateDir, version, epoch, replaced }, (text) =>
          this.log.warn("backstage printed", { text }),
        ),
      onLost: (count, reason) => this.#onLost(count, reason),
      onDeath: (message) => this.log.error("backstage thread ended, starting another", { reason: message }),
    });
    const random = randomPool();
    const hand = (envelope: EventEnvelope): void => {
      this.#appended++;
      this.#link.append(envelope);
      this.#watch?.publish(envelope);
    };
    const uuid = uuidSource(random);
    this.#writer = createWriter({ service, node, epoch, versions: recovered.versions, clock, uuid, hand });
    this.events = {
      append: this.#writer.append,
      version: this.#writer.version,
      follow: (owner, kinds, handler) => this.#follow(owner, kinds, handler),
      subscribe: (filter, handler) => this.#link.subscribe(subjectFilter({ node, ...filter }), onceOnly(handler)),
    };
    this.log = createLog({ service, node, clock, write: (line) => this.#link.line(line) });
    const sink = this.#link.span.bind(this.#link);
    this.tracer = createTracer({ clock, random, sink: () => (this.#otlp === "off" ? undefined : sink) });
    if (problem !== undefined) this.log.error("outbox cannot be read; versions begin again", { cause: problem });
    this.config = this.#openConfig();
    this.#supervisor = openSupervisorLink(ipc, (command) => {
      if (command.type === "reload") for (const handler of this.#reloadHandlers) handler();
      else if (command.type === "dump") for (const handler of this.#dumpHandlers) handler(command.what);
      else void this.#stopAndExit(command.reason);
    });
  }

  ownProcess(): void {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
    process.on("uncaughtException", (error) => this.#crash(error));
    // Node and gRPC would print these on this thread, and stderr may block (SAFETY S7).
    process.removeAllListeners("warning");
    process.on("warning", (warning) => this.log.warn("warning of Node", { cause: warning }));
    const print = (...message: unknown[]) => this.log.warn("warning of gRPC", { text: message.join(" ") });
    setLogger({ error: print, info: print, debug: print });
  }

  begin(): void {
    const { pid } = process;
    const { version, restarts } = this.env;
    const { service } = this;
    this.events.append(this.#self(), { type: "service-started", data: { service, pid, version, restarts } });
  }

  now = (): ReturnType<Clock["now"]> => this.#clock.now();

  async serveWatch(source: WatchSource): Promise<void> {
    const { service } = this;
    const watch = createWatchServer({ service, writer: this.#writer, source, hostCounters: () => this.#counters() });
    this.#watch = watch;
    const server = await serveGrpc(paths.socket(this.env.runDir, service), [watch.grpc, ...(source.extra ?? [])]);
    // Closed last: what the others say while they close still reaches the consumers.
    this.#owned.unshift(watch);
    this.#owned.unshift(server);
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
    this.#supervisor.report({ type: "ready" });
  }

  report(report: ServiceReport): void {
    this.#supervisor.report(report);
  }

  own<T extends { close(): unknown }>(resource: T): T {
    this.#owned.push(resource);
    return resource;
  }

  bus(): BusStanding {
    const { connected, backlog, oldestAt } = this.#link.standing();
    const oldestMicros = backlog > 0 && oldestAt !== undefined ? Math.max(0, this.#clock.now() - oldestAt) : 0;
    return { connected, backlog, oldestMicros };
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    for (const handler of this.#stopHandlers) await this.#attempt("stop handler", () => handler(reason));
    this.events.append(this.#self(), { type: "service-stopped", data: { service: this.service, reason } });
    // The watch server and its socket are at the front of the list, so they close last.
    for (const resource of this.#owned.splice(0).reverse()) await this.#attempt("close", () => resource.close());
    this.config.close();
    for (const follower of this.#followers) follower.close();
    const complete = await this.#link.flush(hostLimits.flushMs);
    if (!complete) this.log.warn("events are not all in the stream; they wait in the outbox");
    await this.#link.close(500);
    this.#supervisor.close();
  }

  async #stopAndExit(reason: string): Promise<void> {
    if (this.#stopping !== undefined) return;
    await this.stop(reason);
    await this.#supervisor.reportAndWait({ type: "stopped" });
    // 0, unless a handler has said by `process.exitCode` that something was left undone.
    process.exit();
  }

  async #attempt(what: string, action: () => unknown): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.log.error(`${what} failed`, { cause: error });
    }
  }

  /** The state may be half changed: nothing else may run. One line, then out. */
  #crash(error: unknown): void {
    const about = { service: this.service, node: this.env.node, clock: this.#clock };
    const line = formatLine(about, "error", "uncaught exception", { cause: error });
    // A crash right after the start, before the other thread runs, is the one that most needs to be told.
    if (!this.#link.lastWords(line)) writeWithoutWaiting(stderr, line);
    process.exit(exitSoftware);
  }

  #self(): Aggregate {
    return { kind: "service", id: this.service };
  }

  #onLost(count: number, reason: string): void {
    this.#lost += count;
    this.log.error("events lost", { count, reason });
    // Not from within append: this event must not be the reason for the next one.
    setImmediate(() => {
      this.events.append(this.#self(), { type: "events-lost", data: { service: this.service, count, reason } });
    });
  }

  #follow(
    service: ServiceName,
    kinds: readonly Aggregate["kind"][],
    handler: Parameters<EventReader["follow"]>[2],
  ): { close(): void } {
    const socket = paths.socket(this.env.runDir, service);
    const subscribe = (kind: Aggregate["kind"], deliver: (envelope: EventEnvelope) => void) =>
      this.events.subscribe({ kind }, deliver);
    const follower = openFollower({ consumer: this.service, service, kinds, socket, handler, subscribe });
    this.#followers.add(follower);
    return {
      close: () => {
        this.#followers.delete(follower);
        follower.close();
      },
    };
  }

  #openConfig(): OwnedConfigSource {
    const followControl = (changed: () => void) =>
      this.#follow("control", ["config"], { snapshot: changed, event: changed });
    const config = openConfigSource({
      stateDir: this.env.stateDir,
      followControl: this.service === "control" ? undefined : followControl,
      onProblem: (message, error) => this.log.warn(message, { cause: error }),
    });
    config.onSnapshot(({ settings }) => {
      this.#otlp = settings.otlp === undefined ? "off" : "on";
      this.#link.telemetry(settings.otlp);
    });
    return config;
  }

  #counters(): Counter[] {
    const { backlog, oldestMicros } = this.bus();
    const { malformed, spansDropped, linesDropped } = this.#link.standing();
    const labels = { service: this.service };
    return [
      { name: metric.eventsAppended.name, labels, value: this.#appended },
      { name: metric.eventsLost.name, labels, value: this.#lost },
      { name: metric.outboxBacklog.name, labels, value: backlog },
      { name: metric.outboxAge.name, labels, value: oldestMicros / 1_000_000 },
      { name: metric.messagesMalformed.name, labels, value: malformed },
      { name: metric.spansDropped.name, labels, value: spansDropped },
      { name: metric.logsDropped.name, labels, value: linesDropped },
    ];
  }
}

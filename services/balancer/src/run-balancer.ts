// The loop of the balancer: what others say in, the core, questions to the kernel out, a few milliseconds at a time. What
// happens in one turn is taken in together and reaches the kernel in the same turn.
import { isDeepStrictEqual } from "node:util";
import type { AggregateState, Counter, VirtualServerState } from "@baton/contracts";
import { type CauseRef, type EventEnvelope, type Instant, messageOf, microsSince } from "@baton/domain";
import { atCommonTimes, type ConfigSnapshot, type Host, type LoadBalancer, notNeeded } from "@baton/host";
import type { StopMode } from "@baton/ipvs";
import type { Config } from "@baton/keepalived-conf";
import { attribute, spanName } from "@baton/telemetry";
import { chooseEngine, type OpenEngine } from "./choose-engine.ts";
import { Core } from "./core.ts";
import { ApplyTimes, countersOf } from "./counters.ts";
import { forwardingErrors } from "./forwarding.ts";
import { IpvsKeeper } from "./ipvs/ipvs-keeper.ts";
import type { EngineName } from "./keeper.ts";
import type { EngineKernel } from "./kernel.ts";
import { NftablesKeeper } from "./nftables/nftables-keeper.ts";
import type { OwnFile } from "./own-file.ts";
import { insideOf, type NamespaceFile, namespaceOf } from "./place.ts";
import type { Effect, Input, OwnRecord, PoolChange } from "./types.ts";

export interface BalancerOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log" | "config" | "env">;
  readonly open: OpenEngine;
  readonly file: OwnFile;
  /** `-I`: what is in the kernel stays at the end. */
  readonly keepsAtStop: boolean;
  /** How often the kernel may be looked at, and drained servers are asked about, in milliseconds. */
  readonly lookEveryMs?: number;
  readonly drainEveryMs?: number;
}

export interface Balancer {
  states(): AggregateState[];
  counters(): Counter[];
  /** False: something of ours may be left in the kernel; the record of it is left, too, for the next process. */
  stop(reason: string): Promise<boolean>;
}

/** All services wake up at these points in time: this one is not woken for it. */
const lookEvery = 3_000;
const drainEvery = 1_000;
/** A kernel without an engine is asked again: somebody may install what is missing. */
const retryEngineMs = 30_000;
/** Of a turn. */
const turnMicros = 5_000;
/** The supervisor's patience, less what the outbox takes. */
const stopMicros = 6_000_000;

export async function runBalancer(options: BalancerOptions): Promise<Balancer> {
  return new RunningBalancer(options, await options.host.config.current());
}

class RunningBalancer implements Balancer {
  readonly #options: BalancerOptions;
  #snapshot: ConfigSnapshot;
  #session: Session | undefined;
  #lack: { readonly error: string; readonly isFresh: boolean } | undefined;
  /** What could not be opened is tried again. */
  #retry: NodeJS.Timeout | undefined;
  /** While the session lets go of the kernel; false: of part of it only. */
  #ending: Promise<boolean> | undefined;
  #isStopped = false;

  constructor(options: BalancerOptions, snapshot: ConfigSnapshot) {
    this.#options = options;
    this.#snapshot = snapshot;
    this.#begin(options.host.env.restarts === 0);
    options.host.config.onChange((next) => void this.#configure(next));
  }

  states(): AggregateState[] {
    return [this.#session?.state() ?? noEngine(this.#lack?.error ?? "")];
  }

  counters(): Counter[] {
    return this.#session?.counters() ?? [];
  }

  /** The kernel keeps what is there for the next start of the node, not when the configuration has no more of it. */
  stop(reason: string): Promise<boolean> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    const keeps = this.#options.keepsAtStop && reason !== notNeeded;
    return this.#end(keeps ? "keep" : this.#snapshot.config.global.lvs.flushOnStop);
  }

  /** `isFresh`: nobody of this node has been here before, so that `lvs_flush` counts. */
  #begin(isFresh: boolean): void {
    const { host, open, file } = this.#options;
    const place = placeOf(this.#snapshot);
    const chosen = chooseEngine(place.setting, place.namespace, open);
    if (chosen.engine === "none") return this.#lackOf(chosen.error, isFresh);
    this.#lack = undefined;
    const before = file.read();
    const own = before?.engine === chosen.engine ? before : nothingOwn;
    host.log.info("balancing", { engine: chosen.engine });
    const flush = isFresh && this.#snapshot.config.global.lvs.flushOnStart;
    // What carried the services before lets go of them when another engine does.
    if (before !== undefined && before.engine !== chosen.engine) this.#clearUp(before.engine, before);
    this.#session = new Session(this.#options, this.#snapshot, { ...chosen, place, own, flush });
  }

  #lackOf(error: string, isFresh: boolean): void {
    const { host } = this.#options;
    if (this.#lack?.error !== error) {
      host.log.error("nothing can carry the virtual servers", { error });
      const data = { engine: "none", changes: [], total: 0, error };
      host.events.append({ kind: "balancer", id: "none" }, { type: "balancer-failed", data });
    }
    this.#lack = { error, isFresh };
    this.#tryAgain(() => this.#begin(isFresh));
  }

  #tryAgain(action: () => unknown): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(action, retryEngineMs);
    this.#retry.unref();
  }

  async #configure(next: ConfigSnapshot): Promise<void> {
    if (this.#isStopped) return;
    this.#snapshot = next;
    // Who is just letting go begins with what is the newest then.
    if (this.#ending !== undefined) return;
    clearTimeout(this.#retry);
    if (this.#lack !== undefined) return this.#begin(this.#lack.isFresh);
    await this.#move();
  }

  /** To the engine and the namespace that are configured. Where nothing can be opened there, all stays where it is. */
  async #move(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const place = placeOf(this.#snapshot);
    if (isDeepStrictEqual(place, session.place)) return session.configure(this.#snapshot, undefined);
    const chosen = chooseEngine(place.setting, place.namespace, this.#options.open);
    if (chosen.engine === "none") {
      session.configure(this.#snapshot, `stays with ${session.engine} as it was: ${chosen.error}`);
      return this.#tryAgain(() => this.#move());
    }
    chosen.kernel.close();
    // Asked for in other words, it is the same.
    if (chosen.engine === session.engine && place.namespace === session.place.namespace) {
      session.place = place;
      return session.configure(this.#snapshot, undefined);
    }
    // Not as at the end of Baton: what others have there is theirs.
    await this.#end("services");
    if (!this.#isStopped) this.#begin(false);
  }

  #end(mode: StopMode): Promise<boolean> {
    this.#ending ??= this.#finish(mode).finally(() => {
      this.#ending = undefined;
    });
    return this.#ending;
  }

  async #finish(mode: StopMode): Promise<boolean> {
    const isDone = (await this.#session?.finish(mode)) ?? true;
    const hadSession = this.#session !== undefined;
    this.#session = undefined;
    if (!isDone) this.#options.host.log.error("something of ours may be left in the kernel");
    else if (hadSession && mode !== "keep") this.#options.file.remove();
    return isDone;
  }

  /** Of an engine that carries nothing any more. */
  #clearUp(engine: EngineName, own: OwnRecord): void {
    const { host, open } = this.#options;
    try {
      const { config } = this.#snapshot;
      const kernel = open(engine, namespaceOf(config));
      const empty = { ...config, virtualServers: [], virtualServerGroups: [] };
      const core = new Core({ config: empty, own, makeKeeper: makerOf(engine, false) }, host.now());
      core.step({ type: "stopped", mode: "services" }, host.now());
      for (let ask = core.next(); ask !== undefined; ask = core.next()) {
        core.step({ type: "answered", ask, answer: kernel.carryOut(ask), elapsedMicros: 0 }, host.now());
      }
      core.step({ type: "idle" }, host.now());
      kernel.close();
      if (core.hasEnded) return;
      host.log.warn("what another engine carried before is not all removed", { engine });
    } catch (error) {
      host.log.warn("what another engine carried before cannot be removed", { engine, error: messageOf(error) });
    }
    const again = (): void => {
      if (!this.#isStopped && this.#session?.engine !== engine) this.#clearUp(engine, own);
    };
    setTimeout(again, retryEngineMs).unref();
  }
}

/** Where the services are to be, as the user says it. */
interface SessionPlace {
  readonly setting: LoadBalancer;
  readonly namespace: NamespaceFile;
}

const placeOf = ({ settings, config }: ConfigSnapshot): SessionPlace => ({
  setting: settings.loadBalancer ?? "auto",
  namespace: namespaceOf(config),
});

function problemsOf(config: Config): string[] {
  try {
    return insideOf(namespaceOf(config), () => forwardingErrors(config));
  } catch (error) {
    return [`net_namespace_ipvs: ${messageOf(error)}`];
  }
}

const nothingOwn: OwnRecord = { services: [], daemons: false, timeouts: undefined };

const makerOf =
  (engine: EngineName, flush: boolean): ConstructorParameters<typeof Core>[0]["makeKeeper"] =>
  (wanted, own) =>
    engine === "ipvs" ? new IpvsKeeper({ wanted, own, flush }) : new NftablesKeeper(wanted);

/** One engine at work. */
class Session {
  place: SessionPlace;
  readonly #options: BalancerOptions;
  readonly #kernel: EngineKernel;
  readonly #core: Core;
  readonly #times = new ApplyTimes();
  readonly #ticking: { close(): void };
  readonly #following: { close(): void };
  readonly #changes: PoolChange[] = [];
  #followingElection: { close(): void } | undefined;
  #followedInstance: string | undefined;
  #noticed: readonly string[] = [];
  #complaint: string | undefined;
  #draining: { close(): void } | undefined;
  #turn: NodeJS.Immediate | undefined;
  #snapshot: ConfigSnapshot;
  #lastEvent: EventEnvelope | undefined;
  #idle: (() => void) | undefined;

  constructor(
    options: BalancerOptions,
    snapshot: ConfigSnapshot,
    given: {
      readonly engine: EngineName;
      readonly kernel: EngineKernel;
      readonly place: SessionPlace;
      readonly own: OwnRecord;
      readonly flush: boolean;
    },
  ) {
    const { host } = options;
    this.place = given.place;
    this.#options = options;
    this.#snapshot = snapshot;
    this.#kernel = given.kernel;
    const makeKeeper = makerOf(given.engine, given.flush);
    this.#core = new Core({ config: snapshot.config, own: given.own, makeKeeper }, host.now());
    this.#remember({ ...given.own });
    this.#following = host.events.follow("health", ["virtual-server"], {
      snapshot: (states) => this.#feed({ type: "pools-told", states: states.flatMap(virtualServerOf) }),
      event: (envelope) => this.#hear(envelope),
    });
    this.#followElection();
    this.#ticking = atCommonTimes(options.lookEveryMs ?? lookEvery, () => this.#tick());
    this.#notice();
  }

  state(): AggregateState {
    const { engine, keeper, repairs, programmedAt } = this.#core;
    const { id = "", correlationId = "", traceparent = "" } = this.#lastEvent ?? {};
    return {
      ...this.#aggregate,
      version: this.#options.host.events.version(this.#aggregate),
      state: {
        $case: "balancer",
        value: {
          engine,
          ...keeper.counts(),
          repairs,
          programmedAt: programmedAt ?? 0,
          errors: [...this.#core.errors()],
          lastEventId: id,
          correlationId,
          traceparent,
        },
      },
    };
  }

  counters(): Counter[] {
    return countersOf(this.#core, this.#times);
  }

  get engine(): EngineName {
    return this.#core.engine;
  }

  /** `complaint`: why it is not what the configuration asks for. */
  configure(snapshot: ConfigSnapshot, complaint: string | undefined): void {
    this.#snapshot = snapshot;
    this.#complaint = complaint;
    this.#feed({ type: "configured", config: snapshot.config });
    this.#followElection();
    this.#notice();
  }

  /** Resolves when the kernel is as it is to be left, or cannot be brought there, or time is up. */
  async finish(mode: StopMode): Promise<boolean> {
    this.#following.close();
    this.#followingElection?.close();
    this.#ticking.close();
    this.#draining?.close();
    const done = new Promise<void>((resolve) => {
      this.#idle = resolve;
      setTimeout(resolve, stopMicros / 1_000).unref();
    });
    this.#feed({ type: "stopped", mode });
    await done;
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#kernel.close();
    return this.#core.hasEnded;
  }

  get #aggregate() {
    return { kind: "balancer", id: this.#core.engine } as const;
  }

  #hear(envelope: EventEnvelope): void {
    const change = poolChangeOf(envelope);
    if (change === undefined) return;
    this.#changes.push(change);
    this.#wake();
  }

  #tick(): void {
    this.#notice();
    this.#feed({ type: "tick" });
  }

  /** Servers that are reached by NAT need a kernel that forwards. */
  #notice(): void {
    const errors = [...problemsOf(this.#snapshot.config), ...(this.#complaint === undefined ? [] : [this.#complaint])];
    if (isDeepStrictEqual(errors, this.#noticed)) return;
    this.#noticed = errors;
    for (const error of errors) this.#options.host.log.warn(error);
    this.#feed({ type: "noticed", errors });
  }

  #followElection(): void {
    const instance = this.#core.followedInstance;
    if (instance === this.#followedInstance) return;
    this.#followedInstance = instance;
    this.#followingElection?.close();
    this.#followingElection = undefined;
    if (instance === undefined) return;
    const tell = (isMaster: boolean, cause: CauseRef | undefined): void =>
      this.#feed({ type: "master-told", isMaster, cause });
    this.#followingElection = this.#options.host.events.follow("election", ["vrrp"], {
      snapshot: (states) => {
        for (const { id, state } of states) {
          if (id === instance && state?.$case === "instance") tell(state.value.state === "master", undefined);
        }
      },
      event: (envelope) => {
        const isMaster = envelope.aggregate.id === instance ? isMasterBy[envelope.event.type] : undefined;
        if (isMaster !== undefined) tell(isMaster, causeOf(envelope));
      },
    });
  }

  #feed(input: Input): void {
    // What was heard before it comes first.
    this.#takeChanges();
    this.#step(input);
    this.#wake();
  }

  #takeChanges(): void {
    if (this.#changes.length > 0) this.#step({ type: "pools-changed", changes: this.#changes.splice(0) });
  }

  #step(input: Input): void {
    const now = this.#options.host.now();
    for (const effect of this.#core.step(input, now)) this.#carryOut(effect, now);
    this.#watchDrains();
  }

  #watchDrains(): void {
    if (!this.#core.isDraining) {
      this.#draining?.close();
      this.#draining = undefined;
      return;
    }
    const every = this.#options.drainEveryMs ?? drainEvery;
    this.#draining ??= atCommonTimes(every, () => this.#feed({ type: "drain-tick" }));
  }

  #wake(): void {
    this.#turn ??= setImmediate(() => this.#work());
  }

  #work(): void {
    this.#turn = undefined;
    const { host } = this.#options;
    const began = host.now();
    this.#takeChanges();
    for (let ask = this.#core.next(); ask !== undefined; ask = this.#core.next()) {
      const asked = host.now();
      const answer = this.#kernel.carryOut(ask);
      this.#step({ type: "answered", ask, answer, elapsedMicros: microsSince(host.now(), asked) });
      if (microsSince(host.now(), began) > turnMicros) return this.#wake();
    }
    // What was settled without a question.
    this.#step({ type: "idle" });
    this.#idle?.();
  }

  #carryOut(effect: Effect, now: Instant): void {
    if (effect.type === "remember") return this.#remember(effect.own);
    const { host } = this.#options;
    const { event, cause, startedAt, error } = effect;
    const engine = this.#core.engine;
    const span = host.tracer.span(engine === "ipvs" ? spanName.ipvsApply : spanName.nftablesApply, {
      parent: cause?.traceparent,
      startedAt,
      attributes: { [attribute.engine]: engine, [attribute.eventType]: event.type },
    });
    this.#lastEvent = host.events.append(this.#aggregate, event, cause, span.traceparent);
    span.end(error === undefined ? { at: now } : { at: now, error });
    if (event.type === "balancer-programmed" || event.type === "balancer-repaired") {
      this.#times.observe(event.data.elapsedMicros / 1_000_000);
    }
    if (event.type === "balancer-failed") host.log.error("the kernel is not as it is to be", { error });
    if (event.type === "balancer-repaired") {
      const { total, changes } = event.data;
      host.log.warn("somebody else had changed virtual servers of ours", { total, changes: changes.slice(0, 10) });
    }
  }

  #remember(own: OwnRecord): void {
    const { file, host } = this.#options;
    try {
      file.write(this.#core.engine, own);
    } catch (error) {
      host.log.error("what is ours in the kernel cannot be written down", { cause: error });
    }
  }
}

const virtualServerOf = ({ state }: AggregateState): VirtualServerState[] =>
  state?.$case === "virtualServer" ? [state.value] : [];

const causeOf = ({ id, correlationId, traceparent }: EventEnvelope): CauseRef => ({ id, correlationId, traceparent });

function poolChangeOf(envelope: EventEnvelope): PoolChange | undefined {
  const { event } = envelope;
  const cause = causeOf(envelope);
  const virtualServer = envelope.aggregate.id;
  switch (event.type) {
    case "destinations-changed":
      return { kind: "destinations", virtualServer, change: event.data, cause };
    case "drain-started":
      return { kind: "drain", virtualServer, server: event.data.server, drain: "started", cause };
    case "drain-finished":
    case "drain-undone":
      return { kind: "drain", virtualServer, server: event.data.server, drain: "ended", cause };
    default:
      return undefined;
  }
}

/** Other events say nothing of it. */
const isMasterBy: Partial<Record<EventEnvelope["event"]["type"], boolean>> = {
  "became-master": true,
  "became-backup": false,
  "entered-fault": false,
  "instance-stopped": false,
};

const noEngine = (error: string): AggregateState => ({
  kind: "balancer",
  id: "none",
  version: 0,
  state: {
    $case: "balancer",
    value: {
      engine: "none",
      services: 0,
      destinations: 0,
      repairs: 0,
      programmedAt: 0,
      errors: error === "" ? [] : [error],
      lastEventId: "",
      correlationId: "",
      traceparent: "",
    },
  },
});

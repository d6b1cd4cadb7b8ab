// One engine at work: what others say in, the core, questions to the kernel out, a few milliseconds at a time. What happens
// in one turn is taken in together and reaches the kernel in the same turn.
import { isDeepStrictEqual } from "node:util";
import type { AggregateState, Counter, VirtualServerState } from "@baton/contracts";
import { type CauseRef, type EventEnvelope, type Instant, messageOf, microsSince } from "@baton/domain";
import { atCommonTimes, type ConfigSnapshot, type Host } from "@baton/host";
import type { StopMode } from "@baton/ipvs";
import type { Config } from "@baton/keepalived-conf";
import { attribute, spanName } from "@baton/telemetry";
import type { SessionPlace } from "./choose-engine.ts";
import { Core } from "./core.ts";
import { ApplyTimes, countersOf } from "./counters.ts";
import { forwardingErrors } from "./forwarding.ts";
import { IpvsKeeper } from "./ipvs/ipvs-keeper.ts";
import type { Answer, Ask, EngineName } from "./keeper.ts";
import type { EngineKernel } from "./kernel.ts";
import { NftablesKeeper } from "./nftables/nftables-keeper.ts";
import type { OwnFile } from "./own-file.ts";
import { insideOf, namespaceOf } from "./place.ts";
import type { Effect, Input, OwnRecord, PoolChange } from "./types.ts";

export interface SessionOptions {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log" | "config" | "env">;
  readonly file: Pick<OwnFile, "write">;
  /** How often the kernel may be looked at, and drained servers are asked about, in milliseconds. */
  readonly lookEveryMs?: number;
  readonly drainEveryMs?: number;
}

export interface SessionStart {
  readonly engine: EngineName;
  readonly kernel: EngineKernel;
  readonly place: SessionPlace;
  readonly own: OwnRecord;
  readonly flush: boolean;
}

/** All services wake up at these points in time: this one is not woken for it. */
const lookEvery = 3_000;
const drainEvery = 1_000;
/** Of a turn. */
const turnMicros = 5_000;
/** The supervisor's patience, less what the outbox takes. */
export const stopMs = 6_000;
/** What is wanted elsewhere is not put off for ever by a kernel that refuses it. */
const programmingMs = 30_000;

export class Session {
  place: SessionPlace;
  readonly #options: SessionOptions;
  readonly #kernel: EngineKernel;
  readonly #core: Core;
  readonly #times = new ApplyTimes();
  readonly #ticking: { close(): void };
  #following: { close(): void };
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
  /** A question that is answered later. */
  #isAsking = false;
  #isOver = false;
  /** Health has spoken. */
  #isFilled = false;
  readonly #programmed = deferred();
  #patience: NodeJS.Timeout | "over" | undefined;

  constructor(options: SessionOptions, snapshot: ConfigSnapshot, given: SessionStart) {
    const { host } = options;
    this.place = given.place;
    this.#options = options;
    this.#snapshot = snapshot;
    this.#kernel = given.kernel;
    const makeKeeper = makerOf(given.engine, given.flush);
    this.#core = new Core({ config: snapshot.config, own: given.own, makeKeeper }, host.now());
    this.#remember({ ...given.own });
    this.#following = this.#followHealth();
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

  /** Resolves once the kernel carries services as health says, or does not for long, or all is over. */
  get programmed(): Promise<void> {
    return this.#programmed.promise;
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
      setTimeout(resolve, stopMs).unref();
    });
    this.#feed({ type: "stopped", mode });
    // What is being made is not wanted any more.
    if (mode !== "keep") this.#kernel.cancel();
    await done;
    this.#isOver = true;
    this.#resolveProgrammed();
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#kernel.close();
    return this.#core.hasEnded;
  }

  get #aggregate() {
    return { kind: "balancer", id: this.#core.engine } as const;
  }

  /** Begins with all that it has to say. */
  #followHealth(): { close(): void } {
    return this.#options.host.events.follow("health", ["virtual-server"], {
      snapshot: (states) => {
        this.#isFilled = true;
        this.#feed({ type: "pools-told", states: states.flatMap(virtualServerOf) });
      },
      event: (envelope) => this.#hear(envelope),
    });
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
    const tell = (isMaster: boolean | undefined, cause: CauseRef | undefined): void =>
      this.#feed({ type: "master-told", isMaster, cause });
    this.#followingElection = this.#options.host.events.follow("election", ["vrrp"], {
      snapshot: (states) => {
        for (const { id, state } of states) {
          if (id === instance && state?.$case === "instance") tell(isMasterIn(state.value.state), undefined);
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
    if (this.#isAsking) return;
    const { host } = this.#options;
    const began = host.now();
    this.#takeChanges();
    for (let ask = this.#core.next(); ask !== undefined; ask = this.#core.next()) {
      const asked = host.now();
      const answer = this.#kernel.carryOut(ask);
      if (answer instanceof Promise) return this.#await(ask, answer, asked);
      this.#step({ type: "answered", ask, answer, elapsedMicros: microsSince(host.now(), asked) });
      if (microsSince(host.now(), began) > turnMicros) return this.#wake();
    }
    // What was settled without a question.
    this.#step({ type: "idle" });
    this.#idle?.();
    this.#noticeProgrammed();
  }

  #noticeProgrammed(): void {
    if (!this.#isFilled || this.#patience === "over") return;
    if (this.#core.isCarrying) return this.#resolveProgrammed();
    this.#patience ??= setTimeout(() => this.#resolveProgrammed(), programmingMs).unref();
  }

  #resolveProgrammed(): void {
    if (this.#patience !== "over") clearTimeout(this.#patience);
    this.#patience = "over";
    this.#programmed.resolve();
  }

  /** Others are heard meanwhile; nothing else is asked. */
  #await(ask: Ask, coming: Promise<Answer>, asked: Instant): void {
    this.#isAsking = true;
    void coming.then((answer) => {
      this.#isAsking = false;
      if (this.#isOver) return;
      this.#step({ type: "answered", ask, answer, elapsedMicros: microsSince(this.#options.host.now(), asked) });
      this.#wake();
    });
  }

  #carryOut(effect: Effect, now: Instant): void {
    if (effect.type === "remember") return this.#remember(effect.own);
    if (effect.type === "ask-health") {
      this.#following.close();
      this.#following = this.#followHealth();
      return;
    }
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
      file.write({ ...own, engine: this.#core.engine, namespace: this.place.namespace });
    } catch (error) {
      host.log.error("what is ours in the kernel cannot be written down", { cause: error });
    }
  }
}

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
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

/** Undefined: it has not decided yet, which an event will tell. One that listens before it speaks is still what it was. */
function isMasterIn(state: string): boolean | undefined {
  if (state === "initialize") return undefined;
  return state === "master" || state === "listening";
}

/** Other events say nothing of it. */
const isMasterBy: Partial<Record<EventEnvelope["event"]["type"], boolean>> = {
  "became-master": true,
  "became-backup": false,
  "entered-fault": false,
  "instance-stopped": false,
};

function problemsOf(config: Config): string[] {
  try {
    return insideOf(namespaceOf(config), () => forwardingErrors(config));
  } catch (error) {
    return [`net_namespace_ipvs: ${messageOf(error)}`];
  }
}

export const makerOf =
  (engine: EngineName, flush: boolean): ConstructorParameters<typeof Core>[0]["makeKeeper"] =>
  (wanted, own) =>
    engine === "ipvs" ? new IpvsKeeper({ wanted, own, flush }) : new NftablesKeeper(wanted);

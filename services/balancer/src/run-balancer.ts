// Which engine is at work, and where: chosen at the start, left for another one when the configuration says so. What carried
// the services before goes on until the new one is programmed; connections that it carries end with it.
import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { AggregateState, Counter } from "@baton/contracts";
import { messageOf } from "@baton/domain";
import { balancingProblems, type ConfigSnapshot, notNeeded } from "@baton/host";
import type { StopMode } from "@baton/ipvs";
import { chooseEngine, type OpenEngine, type SessionPlace } from "./choose-engine.ts";
import { Core } from "./core.ts";
import type { EngineKernel } from "./kernel.ts";
import { type EnginePlace, isSamePlace, type OwnFile, type PlacedRecord } from "./own-file.ts";
import { namespaceOf } from "./place.ts";
import { makerOf, Session, type SessionOptions, type SessionStart, stopMs } from "./session.ts";
import type { OwnRecord } from "./types.ts";

export interface BalancerOptions extends Omit<SessionOptions, "file"> {
  readonly open: OpenEngine;
  readonly file: OwnFile;
  /** `-I`: what is in the kernel stays at the end. */
  readonly keepsAtStop: boolean;
}

export interface Balancer {
  states(): AggregateState[];
  counters(): Counter[];
  /** False: something of ours may be left in the kernel; the record of it is left, too, for the next process. */
  stop(reason: string): Promise<boolean>;
}

/** Lets go of what carried the services before; false: of part of it only. */
type Former = (mode: StopMode) => Promise<boolean>;

/** A kernel without an engine is asked again: somebody may install what is missing. */
const retryEngineMs = 30_000;

export async function runBalancer(options: BalancerOptions): Promise<Balancer> {
  return new RunningBalancer(options, await options.host.config.current());
}

class RunningBalancer implements Balancer {
  readonly #options: BalancerOptions;
  #snapshot: ConfigSnapshot;
  #session: Session | undefined;
  /** Until the session has been programmed. */
  #former: Former | undefined;
  /** What clears up just now. */
  readonly #clearing = new Set<EngineKernel>();
  #lack: { readonly error: string; readonly isFresh: boolean } | undefined;
  /** What could not be opened is tried again. */
  #retry: NodeJS.Timeout | undefined;
  #ending: Promise<boolean> | undefined;
  #isStopped = false;

  constructor(options: BalancerOptions, snapshot: ConfigSnapshot) {
    this.#options = options;
    this.#snapshot = snapshot;
    this.#begin(options.host.env.restarts === 0);
    options.host.config.onChange((next) => this.#configure(next));
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
    this.#ending ??= this.#finish(keeps ? "keep" : this.#snapshot.config.global.lvs.flushOnStop);
    return this.#ending;
  }

  /** `isFresh`: nobody of this node has been here before, so that `lvs_flush` counts. */
  #begin(isFresh: boolean): void {
    const { open, file } = this.#options;
    const place = placeOf(this.#snapshot);
    const records = file.read();
    const chosen = chooseEngine(place, open, records[0]?.engine);
    if (chosen.engine === "none") return this.#lackOf(chosen.error, isFresh);
    this.#lack = undefined;
    const flush = isFresh && this.#snapshot.config.global.lvs.flushOnStart;
    const here = { engine: chosen.engine, namespace: place.namespace };
    const formers = records.filter((each) => !isSamePlace(each, here));
    const given = { ...chosen, place, own: ownOf(records, here), flush };
    if (formers.length === 0) this.#start(given);
    else this.#start(given, async (mode) => mode === "keep" || (await this.#clearUpAll(formers)));
  }

  #start(given: SessionStart, former?: Former): void {
    this.#options.host.log.info("balancing", { engine: given.engine });
    this.#session = new Session(this.#options, this.#snapshot, given);
    if (former === undefined) return;
    const leave = once(former);
    this.#former = leave;
    void this.#session.programmed.then(async () => {
      if (this.#isStopped) return;
      await leave("services");
      if (this.#isStopped) return;
      this.#former = undefined;
      // What was configured meanwhile may ask for yet another.
      this.#move();
    });
  }

  /** Where services are again, something is ours again. */
  #forget(place: EnginePlace): void {
    if (this.#isAt(place)) return;
    try {
      this.#options.file.forget(place);
    } catch (error) {
      this.#options.host.log.error("what is ours in the kernel cannot be written down", { cause: error });
    }
  }

  #isAt(place: EnginePlace): boolean {
    return this.#session !== undefined && isSamePlace(placeAt(this.#session), place);
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

  #configure(next: ConfigSnapshot): void {
    if (this.#isStopped) return;
    this.#snapshot = next;
    clearTimeout(this.#retry);
    if (this.#lack !== undefined) return this.#begin(this.#lack.isFresh);
    if (this.#former !== undefined) return this.#session?.configure(next, undefined);
    this.#move();
  }

  /** To the engine and the namespace that are configured. Where nothing can be opened there, all stays where it is. */
  #move(): void {
    const session = this.#session;
    if (session === undefined) return;
    const place = placeOf(this.#snapshot);
    const isAsked = isDeepStrictEqual(place, session.place);
    if (isAsked && !this.#isTooMuchFor(session)) return session.configure(this.#snapshot, undefined);
    const chosen = chooseEngine(place, this.#options.open);
    if (chosen.engine === "none") {
      session.configure(this.#snapshot, `stays with ${session.engine} as it was: ${chosen.error}`);
      return this.#tryAgain(() => this.#move());
    }
    // Asked for in other words, it is the same.
    if (chosen.engine === session.engine && place.namespace === session.place.namespace) {
      chosen.kernel.close();
      session.place = place;
      return session.configure(this.#snapshot, undefined);
    }
    const here = { engine: chosen.engine, namespace: place.namespace };
    const own = ownOf(this.#options.file.read(), here);
    this.#start({ ...chosen, place, own, flush: false }, (mode) => this.#leave(session, mode));
  }

  /** Not as at the end of Baton: what others have there is theirs. */
  async #leave(session: Session, mode: StopMode): Promise<boolean> {
    const { file, host } = this.#options;
    const there = placeAt(session);
    if (await session.finish(mode)) {
      if (mode !== "keep") this.#forget(there);
      return true;
    }
    host.log.error("something of ours may be left in the kernel", { engine: session.engine });
    return !this.#isStopped && (await this.#clearUpAll(file.read().filter((each) => isSamePlace(each, there))));
  }

  /** `auto` has taken nftables, where there was no ip_vs or as one that was killed had: of what it refuses ip_vs may carry all. */
  #isTooMuchFor({ engine, place }: Session): boolean {
    if (place.setting !== "auto" || engine !== "nftables") return false;
    return balancingProblems(this.#snapshot.config, { loadBalancer: "nftables" }, this.#snapshot.file).length > 0;
  }

  async #finish(mode: StopMode): Promise<boolean> {
    const session = this.#session;
    const giveUp = setTimeout(() => {
      for (const kernel of this.#clearing) kernel.cancel();
    }, stopMs);
    const done = await Promise.all([session?.finish(mode), this.#former?.(mode)]);
    clearTimeout(giveUp);
    const isDone = !done.includes(false);
    this.#session = undefined;
    if (!isDone) this.#options.host.log.error("something of ours may be left in the kernel");
    else if (session !== undefined && mode !== "keep") this.#options.file.remove();
    return isDone;
  }

  /** Places where nothing is carried any more. False: not all of it; while this process runs it is tried again. */
  async #clearUpAll(records: readonly PlacedRecord[]): Promise<boolean> {
    const done = await Promise.all(records.map((each) => this.#clearUp(each)));
    for (const [at, each] of records.entries()) if (done[at]) this.#forget(each);
    return !done.includes(false);
  }

  async #clearUp(before: PlacedRecord): Promise<boolean> {
    const { host, open } = this.#options;
    const { engine, namespace } = before;
    let kernel: EngineKernel | undefined;
    // With a namespace goes what was in it.
    if (namespace !== undefined && !existsSync(namespace)) return true;
    try {
      const empty = { ...this.#snapshot.config, virtualServers: [], virtualServerGroups: [] };
      kernel = open(engine, namespace);
      this.#clearing.add(kernel);
      const core = new Core({ config: empty, own: before, makeKeeper: makerOf(engine, false) }, host.now());
      core.step({ type: "stopped", mode: "services" }, host.now());
      for (let ask = core.next(); ask !== undefined; ask = core.next()) {
        core.step({ type: "answered", ask, answer: await kernel.carryOut(ask), elapsedMicros: 0 }, host.now());
      }
      core.step({ type: "idle" }, host.now());
      if (core.hasEnded) return true;
      host.log.warn("what carried services before is not all removed", { engine });
    } catch (error) {
      host.log.warn("what carried services before cannot be removed", { engine, error: messageOf(error) });
    } finally {
      if (kernel !== undefined) this.#clearing.delete(kernel);
      kernel?.close();
    }
    const again = (): void => {
      if (!this.#isStopped && !this.#isAt(before)) void this.#clearUpAll([before]);
    };
    setTimeout(again, retryEngineMs).unref();
    return false;
  }
}

const placeOf = ({ settings, config }: ConfigSnapshot): SessionPlace => ({
  setting: settings.loadBalancer ?? "auto",
  namespace: namespaceOf(config),
});

const placeAt = ({ engine, place: { namespace } }: Session): EnginePlace => ({ engine, namespace });

const ownOf = (records: readonly PlacedRecord[], here: EnginePlace): OwnRecord =>
  records.find((each) => isSamePlace(each, here)) ?? nothingOwn;

function once(former: Former): Former {
  let done: Promise<boolean> | undefined;
  return (mode) => {
    done ??= former(mode);
    return done;
  };
}

const nothingOwn: OwnRecord = { services: [], daemons: undefined, timeouts: undefined };

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

// Which engine is at work, and where: chosen at the start, left for another one when the configuration says so.
import { isDeepStrictEqual } from "node:util";
import type { AggregateState, Counter } from "@baton/contracts";
import { messageOf } from "@baton/domain";
import { type ConfigSnapshot, notNeeded } from "@baton/host";
import type { StopMode } from "@baton/ipvs";
import { chooseEngine } from "./choose-engine.ts";
import { Core } from "./core.ts";
import type { EngineName } from "./keeper.ts";
import { namespaceOf } from "./place.ts";
import { type BalancerOptions, makerOf, Session, type SessionPlace } from "./session.ts";
import type { OwnRecord } from "./types.ts";

export interface Balancer {
  states(): AggregateState[];
  counters(): Counter[];
  /** False: something of ours may be left in the kernel; the record of it is left, too, for the next process. */
  stop(reason: string): Promise<boolean>;
}

/** A kernel without an engine is asked again: somebody may install what is missing. */
const retryEngineMs = 30_000;

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
    if (before !== undefined && before.engine !== chosen.engine) void this.#clearUp(before.engine, before);
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
  async #clearUp(engine: EngineName, own: OwnRecord): Promise<void> {
    const { host, open } = this.#options;
    try {
      const { config } = this.#snapshot;
      const kernel = open(engine, namespaceOf(config));
      const empty = { ...config, virtualServers: [], virtualServerGroups: [] };
      const core = new Core({ config: empty, own, makeKeeper: makerOf(engine, false) }, host.now());
      core.step({ type: "stopped", mode: "services" }, host.now());
      for (let ask = core.next(); ask !== undefined; ask = core.next()) {
        core.step({ type: "answered", ask, answer: await kernel.carryOut(ask), elapsedMicros: 0 }, host.now());
      }
      core.step({ type: "idle" }, host.now());
      kernel.close();
      if (core.hasEnded) return;
      host.log.warn("what another engine carried before is not all removed", { engine });
    } catch (error) {
      host.log.warn("what another engine carried before cannot be removed", { engine, error: messageOf(error) });
    }
    const again = (): void => {
      if (!this.#isStopped && this.#session?.engine !== engine) void this.#clearUp(engine, own);
    };
    setTimeout(again, retryEngineMs).unref();
  }
}

const placeOf = ({ settings, config }: ConfigSnapshot): SessionPlace => ({
  setting: settings.loadBalancer ?? "auto",
  namespace: namespaceOf(config),
});

const nothingOwn: OwnRecord = { services: [], daemons: false, timeouts: undefined };

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

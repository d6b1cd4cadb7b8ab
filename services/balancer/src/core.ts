// The balancer's decisions: what is wanted, what the kernel is asked and told for it, in which order, and what is told of
// it. Pure: inputs and time in, effects out; `next` is the one question to the kernel that is to be asked now.
import type { VirtualServerState } from "@baton/contracts";
import type { BatonEvent, CauseRef, Instant } from "@baton/domain";
import { microsSince, secondsToMicros } from "@baton/domain";
import type { StopMode } from "@baton/ipvs";
import type { Config } from "@baton/keepalived-conf";
import { Drains } from "./drains.ts";
import { IpvsSettings } from "./ipvs/ipvs-settings.ts";
import type { Ask, EngineName, Keeper } from "./keeper.ts";
import { Silence } from "./silence.ts";
import { type Reason, type Story, startStory } from "./story.ts";
import type { Effect, Input, OwnRecord, PoolChange } from "./types.ts";
import { Wish } from "./wish.ts";

export interface CoreOptions {
  readonly config: Config;
  /** What an earlier process wrote down. */
  readonly own: OwnRecord;
  /** Made for what is wanted; `own`: names of what may be ours. */
  makeKeeper(wish: Wish, own: ReadonlySet<string>): Keeper;
}

/** Of one turn: each is told of by an event of its own, with its cause; more are one. */
const storiesMax = 50;
/** A look takes its time from everybody else: this many times that, it is not repeated. Sooner after a change. */
const restAfterLook = { idle: 100, changed: 20 } as const;
const restMax = secondsToMicros(60);

interface Place {
  next(): Ask | undefined;
}

export class Core {
  readonly engine: EngineName;
  readonly #wish = new Wish();
  readonly #keeper: Keeper;
  /** ip_vs alone has them. */
  readonly #settings: IpvsSettings | undefined;
  readonly #drains: Drains;
  #config: Config;
  #asked: Place | undefined;
  #isEnding = false;
  /** Of the end: what has not been done yet, or not all of it. */
  readonly #endings = new Set<Story>();
  /** Health has spoken. */
  #isFilled = false;
  readonly #silence: Silence;
  /** Services may have to be remembered, or forgotten. */
  #hasNewNames = true;
  #recorded: ReadonlySet<string>;
  #recordedSettings: string;
  #noticed: readonly string[] = [];
  /** Errors that have been told of, and that had not gone when the kernel was to be looked at. */
  #told: ReadonlySet<string> = new Set();
  #lookCost = 0;
  #lookedAt: Instant | undefined;
  #hasChanged = false;
  #programmedAt: Instant | undefined;
  #repairs = 0;

  constructor({ config, own, makeKeeper }: CoreOptions, now: Instant) {
    this.#config = config;
    this.#wish.configure(config);
    const names = new Set([...own.services, ...this.#wish.names()]);
    this.#keeper = makeKeeper(this.#wish, names);
    this.engine = this.#keeper.engine;
    this.#drains = new Drains(this.#wish);
    this.#silence = new Silence(this.#wish);
    this.#recorded = new Set(own.services);
    if (this.engine === "ipvs") {
      this.#settings = new IpvsSettings(config.global.lvs, own);
      this.#settings.look(startStory("start", now));
    }
    this.#recordedSettings = JSON.stringify(this.#settings?.own);
    this.#look("start", now);
  }

  get isDraining(): boolean {
    return !this.#drains.isEmpty;
  }

  /** Of `lvs_sync_daemon`. */
  get followedInstance(): string | undefined {
    return this.#settings?.followed;
  }

  /** All that is wanted, if anything is; and of nobody is it unknown what is wanted. */
  get isCarrying(): boolean {
    const { services, unknown } = this.#wish;
    if (unknown.size > 0 || this.#keeper.errors().length > 0) return false;
    return services.size === 0 || this.#keeper.counts().services > 0;
  }

  get programmedAt(): Instant | undefined {
    return this.#programmedAt;
  }

  /** Changes that others made and that were undone. */
  get repairs(): number {
    return this.#repairs;
  }

  /** The kernel is as it was to be left. */
  get hasEnded(): boolean {
    return this.#isEnding && this.#endings.size === 0;
  }

  get keeper(): Pick<Keeper, "counts" | "drift" | "measured"> {
    return this.#keeper;
  }

  /** What is not as it is to be, and what keeps it from serving. */
  errors(): readonly string[] {
    return [...this.#failures(), ...this.#silence.errors(), ...this.#noticed];
  }

  #failures(): readonly string[] {
    const lacking = this.engine === "nftables" && this.#config.global.lvs.syncDaemon !== undefined;
    return [
      ...this.#keeper.errors(),
      ...(this.#settings?.errors() ?? []),
      ...this.#drains.errors(),
      ...(lacking ? ["lvs_sync_daemon: nftables does not share connections with another machine"] : []),
      ...this.#wish.tooWide.map(
        ({ first, last }) => `virtual_server_group: ${first} to ${last} are too many addresses`,
      ),
    ];
  }

  step(input: Input, now: Instant): Effect[] {
    const effects: Effect[] = [];
    this.#apply(input, now, effects);
    const failed = this.#tellSettled(now, effects);
    this.#tellErrors(failed, now, effects);
    if (!this.#isEnding) this.#remember(effects);
    return effects;
  }

  /** Undefined: nothing is to be done now. Its answer is the next input. */
  next(): Ask | undefined {
    const drains = this.#isEnding ? [] : [this.#drains];
    for (const place of [this.#keeper, ...(this.#settings === undefined ? [] : [this.#settings]), ...drains]) {
      const ask = place.next();
      if (ask === undefined) continue;
      this.#asked = place;
      return ask;
    }
    return undefined;
  }

  #apply(input: Input, now: Instant, effects: Effect[]): void {
    switch (input.type) {
      case "configured":
        return this.#configure(input.config, now);
      case "pools-told":
        return this.#fillPools(input.states, now);
      case "pools-changed":
        return this.#changePools(input.changes, now);
      case "master-told":
        return this.#settings?.setMaster(input.isMaster, startStory("daemons", now, input.cause));
      case "answered":
        return this.#take(input, now, effects);
      case "noticed":
        this.#noticed = input.errors;
        return;
      case "idle":
        return;
      case "tick":
        if (this.#isFilled && this.#silence.asksAt(now)) effects.push({ type: "ask-health" });
        return this.#tick(now);
      case "drain-tick":
        return this.#drains.ask(now);
      case "stopped":
        return this.#end(input.mode, now);
    }
  }

  #end(mode: StopMode, now: Instant): void {
    this.#isEnding = true;
    const ending = (): Story => {
      const story = startStory("stop", now);
      this.#endings.add(story);
      return story;
    };
    this.#keeper.finish(mode, ending());
    if (mode !== "keep") this.#settings?.finish(ending());
  }

  #fillPools(states: readonly VirtualServerState[], now: Instant): void {
    this.#drains.replace(states.flatMap(drainedOf));
    const reason = this.#isFilled ? "pools" : "start";
    this.#isFilled = true;
    this.#silence.told(now);
    this.#hasNewNames = true;
    this.#keeper.want(this.#wish.setPools(states), startStory(reason, now), false);
  }

  #configure(config: Config, now: Instant): void {
    this.#config = config;
    this.#hasNewNames = true;
    this.#keeper.want(this.#wish.configure(config), startStory("reload", now), false);
    this.#settings?.configure(config.global.lvs, startStory("reload", now));
  }

  #changePools(changes: readonly PoolChange[], now: Instant): void {
    const touched: { readonly names: readonly string[]; readonly cause: CauseRef }[] = [];
    for (const each of changes) {
      if (each.kind === "destinations") {
        const names = this.#wish.changePool(each.virtualServer, each.change);
        this.#hasNewNames ||= names.some((name) => !this.#recorded.has(name));
        touched.push({ names, cause: each.cause });
      } else if (each.drain === "started") this.#drains.begin(each);
      else this.#drains.end(each);
    }
    const [first] = touched;
    const all = (): Set<string> => new Set(touched.flatMap(({ names }) => names));
    const told = touched.length <= storiesMax || first === undefined ? touched : [{ names: all(), cause: first.cause }];
    for (const { names, cause } of told) this.#keeper.want(names, startStory("pools", now, cause), true);
  }

  #take({ ask, answer, elapsedMicros }: Input & { readonly type: "answered" }, now: Instant, effects: Effect[]): void {
    const place = this.#asked;
    if (place === this.#settings) return this.#settings?.take(ask, answer);
    if (place !== this.#drains) {
      if (looks.has(ask.kind)) this.#lookCost += elapsedMicros;
      return this.#keeper.take(ask, answer);
    }
    for (const { virtualServer, server, cause } of this.#drains.take(answer, now, elapsedMicros)) {
      const event: BatonEvent = { type: "server-idle", data: { engine: this.engine, virtualServer, server } };
      effects.push({ type: "append", event, cause, startedAt: now, error: undefined });
    }
  }

  // --- looking --------------------------------------------------------------------------------------------------------

  #tick(now: Instant): void {
    this.#keeper.retry();
    this.#hasNewNames = true;
    const errors = new Set(this.#failures());
    this.#told = new Set([...this.#told].filter((error) => errors.has(error)));
    const isRestless = this.#hasChanged || this.#keeper.errors().length > 0;
    const rest = Math.min(restMax, this.#lookCost * restAfterLook[isRestless ? "changed" : "idle"]);
    if (this.#lookedAt !== undefined && microsSince(now, this.#lookedAt) < rest) return;
    this.#look("repair", now);
    const hasSettings = this.#settings?.errors().length === 0;
    this.#settings?.look(startStory(hasSettings ? "repair" : "daemons", now));
  }

  #look(reason: Reason, now: Instant): void {
    this.#lookedAt = now;
    this.#lookCost = 0;
    this.#hasChanged = false;
    this.#keeper.look(startStory(reason, now));
  }

  // --- telling --------------------------------------------------------------------------------------------------------

  /** Returns the first that has not ended well. */
  #tellSettled(now: Instant, effects: Effect[]): Story | undefined {
    const settled = [...this.#keeper.settled(), ...(this.#settings?.settled() ?? [])];
    for (const story of settled) if (story.failed.total === 0) this.#endings.delete(story);
    for (const { reason, changes, total, cause, startedAt } of settled) {
      if (total === 0) continue;
      this.#hasChanged = true;
      this.#programmedAt = now;
      const data = { engine: this.engine, changes, total, elapsedMicros: microsSince(now, startedAt) };
      if (reason === "repair") this.#repairs += total;
      const event: BatonEvent =
        reason === "repair"
          ? { type: "balancer-repaired", data }
          : { type: "balancer-programmed", data: { ...data, reason } };
      effects.push({ type: "append", event, cause, startedAt, error: undefined });
    }
    return settled.find(({ failed }) => failed.total > 0);
  }

  /** What goes wrong again and again is told once. */
  #tellErrors(story: Story | undefined, now: Instant, effects: Effect[]): void {
    const errors = this.#failures();
    const fresh = errors.filter((error) => !this.#told.has(error));
    this.#told = new Set([...this.#told, ...fresh]);
    const [error] = fresh;
    if (error === undefined) return;
    const { changes, total } = story?.failed ?? { changes: fresh, total: fresh.length };
    const data = { engine: this.engine, changes, total, error: story?.failed.error ?? error };
    const event: BatonEvent = { type: "balancer-failed", data };
    effects.push({ type: "append", event, cause: story?.cause, startedAt: story?.startedAt ?? now, error: data.error });
  }

  // --- remembering ----------------------------------------------------------------------------------------------------

  /** What is about to be made is written down first: whoever is killed in between leaves nothing that nobody knows of. */
  #remember(effects: Effect[]): void {
    const settings = this.#settings?.own ?? { daemons: undefined, timeouts: undefined };
    const names = (this.#hasNewNames ? this.#keeper.ownNames() : this.#recorded) ?? noNames;
    this.#hasNewNames = false;
    const settingsText = JSON.stringify(settings);
    const recorded = this.#recorded;
    const isSame =
      names === recorded || (names.size === recorded.size && [...names].every((name) => recorded.has(name)));
    if (isSame && settingsText === this.#recordedSettings) return;
    this.#recorded = names;
    this.#recordedSettings = settingsText;
    effects.push({ type: "remember", own: { ...settings, services: [...names] } });
  }
}

const noNames: ReadonlySet<string> = new Set();

/** Questions of a look. */
const looks: ReadonlySet<Ask["kind"]> = new Set<Ask["kind"]>([
  "list-services",
  "list-destinations",
  "rules-version",
  "read-rules",
]);

const drainedOf = ({ name, servers }: VirtualServerState) =>
  servers
    .filter(({ drain }) => drain === "draining")
    .map(({ server }) => ({ virtualServer: name, server, cause: undefined }));

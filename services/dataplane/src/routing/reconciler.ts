// Routes and rules follow their instance's lease as its addresses do: added after them, routes before the rules that lead
// to their tables, and taken away before them in the opposite order. Reconciled, not commanded: what is wanted is laid
// beside what the kernel has, and what was done is read back (SAFETY S9).
import { addMicros, type Instant } from "@baton/domain";
import { staticName } from "@baton/keepalived-conf";
import type { ChangeResult, RouteInfo, RoutingChange, RoutingEvent, RoutingTables, RuleSpec } from "@baton/linux";
import { type Story, storyOf } from "../chronicle.ts";
import type { DesiredInstance } from "../desired.ts";
import { DriftLimit, driftWar } from "../drift-limit.ts";
import type { Lease } from "../lease-book.ts";
import type { Parts } from "../parts.ts";
import type { Want } from "../plan.ts";
import type { Effect } from "../types.ts";
import { RoutingLevel } from "./level.ts";
import {
  type ManagedRouting,
  type Resolved,
  routeSpecOf,
  routingProtocols,
  routingTag,
  ruleSpecOf,
} from "./managed.ts";
import { RoutingView, routeIdentity } from "./view.ts";

/** What refused a change is tried again after this, if no heartbeat asks sooner. */
const retryAfter = 1_000_000;

/**
 * The kernel tells that an address or a link has gone before it drops the routes that needed it, and does not tell of
 * those: what was read at once is read again after this.
 */
const rereadAfter = 20_000;

export type WantOf = (
  instance: DesiredInstance,
  lease: Lease | undefined,
  isGone: () => boolean,
  now: Instant,
  lateSince: Instant | undefined,
) => Want;

interface Wanted {
  readonly object: ManagedRouting;
  readonly want: Want;
  readonly change: Resolved<Addition>;
  /** What the kernel has of it. */
  readonly found: RouteInfo | RuleSpec | undefined;
}

type Addition = Extract<RoutingChange, { op: "add-route" | "add-rule" }>;

interface Removal {
  readonly object: ManagedRouting | undefined;
  readonly found: RouteInfo | RuleSpec;
}

type Applying =
  | { readonly type: "withdraw"; readonly removals: readonly Removal[]; readonly startedAt: Instant }
  | { readonly type: "install"; readonly additions: readonly Wanted[]; readonly startedAt: Instant };

export class RoutingReconciler {
  readonly #parts: Parts;
  readonly #wantOf: WantOf;
  readonly #view = new RoutingView();
  readonly #held = new Map<string, ManagedRouting>();
  readonly #failures = new Map<string, string>();
  readonly #stuck = new Set<string>();
  readonly #drift = new DriftLimit();
  #levels: ReadonlyMap<string, RoutingLevel> = new Map();
  /** What was there at the start, until what no line names of it has been dealt with. */
  #leftovers: RoutingView | undefined = new RoutingView();
  #applying: Applying | undefined;
  #reloadedAt: Instant | undefined;
  #retryAt: Instant | undefined;
  #rereadAt: Instant | undefined;
  mayRetry = true;
  /** Rises with what may call for a change. */
  revision = 0;
  /** Rises with every look at how things stand. */
  levelsRevision = 0;

  constructor(parts: Parts, wantOf: WantOf, found: RoutingTables) {
    this.#parts = parts;
    this.#wantOf = wantOf;
    this.#view.read(found);
    this.#leftovers?.read(found);
  }

  get isApplying(): boolean {
    return this.#applying !== undefined;
  }

  /** Nothing is configured and nothing is held: the kernel's routes are no concern of ours. */
  get isIdle(): boolean {
    if (this.#held.size > 0) return false;
    for (const { routing } of this.#parts.configuration.instances()) if (routing.length > 0) return false;
    return true;
  }

  /** What the kernel is to be asked about. */
  protocols(): number[] {
    return routingProtocols([...this.#parts.configuration.instances(), { routing: this.#held.values() }]);
  }

  level(instance: string): RoutingLevel | undefined {
    return this.#levels.get(instance);
  }

  hasOpenEnds(): boolean {
    return this.#failures.size > 0 || this.#stuck.size > 0;
  }

  failure(key: string): string | undefined {
    return this.#failures.get(key);
  }

  isHeld(key: string): boolean {
    return this.#held.has(key);
  }

  reloaded(now: Instant): void {
    this.#reloadedAt = now;
    this.revision++;
  }

  read(tables: RoutingTables): void {
    this.#view.read(tables);
    this.revision++;
  }

  /** An address or a link has changed, and routes may have gone with it. */
  doubt(now: Instant, effects: Effect[]): void {
    if (this.isIdle) return;
    this.#rereadAt = addMicros(now, rereadAfter);
    effects.push({ type: "read-routing", protocols: this.protocols() });
  }

  tick(now: Instant, effects: Effect[]): void {
    if (this.#retryAt !== undefined && this.#retryAt <= now) {
      this.#retryAt = undefined;
      this.mayRetry = true;
    }
    if (this.#rereadAt === undefined || this.#rereadAt > now) return;
    this.#rereadAt = undefined;
    if (!this.isIdle) effects.push({ type: "read-routing", protocols: this.protocols() });
  }

  *deadlines(): Iterable<Instant> {
    if (this.#retryAt !== undefined) yield this.#retryAt;
    if (this.#rereadAt !== undefined) yield this.#rereadAt;
  }

  /** Whether an event calls for a look: what we have put there ourselves is there as we left it. */
  isSuspicious(event: RoutingEvent): boolean {
    switch (event.type) {
      case "rule-set":
        return false;
      case "rule-removed":
        return this.#view.rule(event.rule) !== undefined;
      case "route-removed":
        return this.#view.has(event.route);
      case "route-set":
        // It may have taken the place of ours, whosever it is.
        return event.replaced && !this.isIdle && this.#hasDestination(event.route);
    }
  }

  #hasDestination({ family, destination, table }: RouteInfo): boolean {
    for (const route of this.#view.routes()) {
      if (route.family !== family || route.table !== table || route.destination.length !== destination.length) continue;
      if (route.destination.address === destination.address) return true;
    }
    return false;
  }

  /** Before the addresses change: what is not wanted goes. False while a change is under way. */
  withdraw(now: Instant, lateSince: Instant | undefined, isSettled: boolean, effects: Effect[]): boolean {
    if (this.isIdle && this.#leftovers === undefined) return true;
    const removals = this.#removals(this.#wanted(now, lateSince), isSettled);
    if (removals.length === 0) return true;
    this.#applying = { type: "withdraw", removals, startedAt: now };
    // Rules before the routes to whose tables they lead.
    const [rules, routes] = [
      removals.filter(({ found }) => isRule(found)),
      removals.filter(({ found }) => !isRule(found)),
    ];
    const changes = [...rules, ...routes].map(({ found }) => removalOf(found));
    effects.push({ type: "change-routing", changes, protocols: this.protocols() });
    return false;
  }

  #removals(wanted: ReadonlyMap<string, Wanted>, isSettled: boolean): Removal[] {
    const kept = new Set([...wanted.values()].flatMap(({ want, found }) => (want === "absent" ? [] : (found ?? []))));
    const removals = new Map<RouteInfo | RuleSpec, Removal>();
    for (const { want, found, object } of wanted.values()) {
      if (want === "absent" && found !== undefined && !kept.has(found)) removals.set(found, { object, found });
    }
    if (this.#leftovers !== undefined && isSettled) {
      for (const found of [...this.#view.routes(), ...this.#view.rules()]) {
        if (found.protocol !== routingTag || kept.has(found) || removals.has(found)) continue;
        if (this.#leftovers.has(found)) removals.set(found, { object: undefined, found });
      }
      this.#leftovers = undefined;
    }
    return [...removals.values()].filter(
      ({ object }) => this.mayRetry || object === undefined || !this.#stuck.has(object.key),
    );
  }

  /** After the addresses: what is wanted and missing comes. False while a change is under way. */
  install(now: Instant, lateSince: Instant | undefined, effects: Effect[]): boolean {
    if (this.isIdle) {
      if (this.#levels.size > 0) this.levelsRevision++;
      this.#levels = new Map();
      return true;
    }
    const wanted = this.#wanted(now, lateSince);
    for (const key of [...this.#failures.keys()]) {
      if (wanted.get(key)?.want !== "present") this.#failures.delete(key);
    }
    const additions = [...wanted.values()].filter((each) => this.#isToBeAdded(each, now));
    if (this.hasOpenEnds()) this.#retryBy(addMicros(now, retryAfter));
    if (additions.length > 0) {
      this.#applying = { type: "install", additions, startedAt: now };
      const changes = additions.flatMap(({ change }) => (change.ok ? [change.spec] : []));
      effects.push({ type: "change-routing", changes, protocols: this.protocols() });
      return false;
    }
    this.mayRetry = false;
    this.#observe(wanted, now);
    return true;
  }

  #isToBeAdded({ want, found, change, object }: Wanted, now: Instant): boolean {
    if (want !== "present" || found !== undefined) return false;
    if (!change.ok) {
      this.#fail(object, change.error, now);
      return false;
    }
    const held = this.#held.has(object.key);
    const repairs = this.#parts.configuration.settings.repairsMax;
    if (held && this.#drift.isExceeded(object.key, now, repairs)) {
      this.#fail(object, driftWar(repairs), now);
      return false;
    }
    const waitsUntil = held ? this.#drift.waitsUntil(object.key, now) : undefined;
    if (waitsUntil !== undefined) this.#retryBy(waitsUntil);
    return waitsUntil === undefined && (this.mayRetry || !this.#failures.has(object.key));
  }

  /** The read-back of a change. */
  applied(results: readonly ChangeResult[], tables: RoutingTables, now: Instant, effects: Effect[]): void {
    const applying = this.#applying;
    if (applying === undefined) return;
    this.#applying = undefined;
    this.mayRetry = false;
    this.read(tables);
    if (applying.type === "withdraw") {
      for (const removal of applying.removals) this.#accountRemoval(removal, applying.startedAt, now, effects);
      return;
    }
    for (const [index, wanted] of applying.additions.entries()) {
      this.#accountAddition(wanted, results[index], applying.startedAt, now);
    }
  }

  #accountRemoval({ object, found }: Removal, since: Instant, now: Instant, effects: Effect[]): void {
    if (this.#view.has(found)) {
      if (object !== undefined) this.#stuck.add(object.key);
      this.#retryBy(addMicros(now, retryAfter));
      effects.push(log("error", "a route or rule stays", { object: object?.text ?? textOf(found) }));
      return;
    }
    if (object === undefined) {
      effects.push(log("info", "removed a route or rule of an earlier run", { object: textOf(found) }));
      return;
    }
    this.#stuck.delete(object.key);
    this.#held.delete(object.key);
    this.#tellRemoval(object, since, now);
  }

  #accountAddition({ object, change }: Wanted, result: ChangeResult | undefined, since: Instant, now: Instant): void {
    const found = change.ok ? this.#find(change.spec) : undefined;
    const isElsewhere = result !== undefined && !result.ok && result.code === "EEXIST";
    if (found === undefined) {
      const error =
        result === undefined || result.ok ? "not there after it was added" : `${result.code}: ${result.message}`;
      this.#fail(object, isElsewhere ? "EEXIST: somebody else's is in its place" : error, since);
      return;
    }
    this.#failures.delete(object.key);
    const wasHeld = this.#held.has(object.key);
    this.#held.set(object.key, object);
    const { book, chronicle, counters } = this.#parts;
    const lease = book.of(object.instance);
    if (wasHeld) {
      this.#drift.count(object.key, now);
      counters.add("drift", object.instance);
      chronicle.routingRepaired(object, storyOf(lease, since));
      return;
    }
    const isReload = this.#reloadedAt !== undefined && lease !== undefined && lease.receivedAt < this.#reloadedAt;
    const story: Story =
      isReload && lease !== undefined
        ? { term: lease.term, cause: undefined, since: this.#reloadedAt ?? since }
        : storyOf(lease, lease?.receivedAt ?? since);
    chronicle.routingAdded(object, story, now);
  }

  #fail(object: ManagedRouting, error: string, since: Instant): void {
    const before = this.#failures.get(object.key);
    this.#failures.set(object.key, error);
    if (before?.split(":")[0] === error.split(":")[0]) return;
    const { book, chronicle, counters } = this.#parts;
    counters.add("addressErrors", object.instance);
    chronicle.routingFailed(object, storyOf(book.of(object.instance), since), error);
  }

  #tellRemoval(object: ManagedRouting, since: Instant, now: Instant): void {
    const { book, configuration, chronicle } = this.#parts;
    const lease = book.of(object.instance);
    const isConfigured =
      configuration.instance(object.instance)?.routing.some(({ key }) => key === object.key) === true;
    const tell = (reason: string, explained: boolean, cause = lease?.cause): void =>
      chronicle.routingRemoved(object, { ...storyOf(lease, since), cause, reason, explained }, now);
    if (!isConfigured)
      return chronicle.routingRemoved(
        object,
        { ...storyOf(lease, since), cause: undefined, reason: "not-configured", explained: true },
        now,
      );
    if (lease === undefined) return tell(object.instance === staticName ? "stopped" : "leftover", true);
    if (lease.phase === "suspended") return tell("dataplane-late", true);
    if (lease.phase !== "ended")
      return tell(lease.claim.state === "leaving" ? "successor" : "removed-elsewhere", lease.claim.state !== "leaving");
    const untold = lease.endReason === "released" || lease.endReason === "not-claimed";
    return tell(lease.endReason ?? "released", lease.endCause !== undefined || !untold, lease.endCause ?? lease.cause);
  }

  #retryBy(at: Instant): void {
    if (this.#retryAt === undefined || at < this.#retryAt) this.#retryAt = at;
  }

  #find(change: Addition): RouteInfo | RuleSpec | undefined {
    return change.op === "add-route" ? this.#view.route(change.route) : this.#view.rule(change.rule);
  }

  /** The strongest want of equal objects wins; what is held and configured no more is wanted by nobody. */
  #wanted(now: Instant, lateSince: Instant | undefined): Map<string, Wanted> {
    const { configuration, book, view } = this.#parts;
    const wanted = new Map<string, Wanted>();
    const add = (object: ManagedRouting, want: Want): void => {
      const before = wanted.get(object.key);
      if (before !== undefined && (before.want === "present" || want === "absent")) return;
      const change = additionOf(object, (name) => view.link(name));
      wanted.set(object.key, { object, want, change, found: change.ok ? this.#find(change.spec) : undefined });
    };
    for (const instance of configuration.instances()) {
      if (instance.routing.length === 0) continue;
      const lease = book.of(instance.name);
      const want = this.#wantOf(instance, lease, () => this.#isLastAddressGone(instance, now), now, lateSince);
      const isEarly = want === "present" && instance.addresses.some((address) => view.find(address)?.flags.tentative);
      for (const object of instance.routing) add(object, isEarly ? "keep" : want);
    }
    for (const object of this.#held.values()) if (!wanted.has(object.key)) add(object, "absent");
    return wanted;
  }

  /** LEAVING: packets still come as long as one address answers (SAFETY S6). */
  #isLastAddressGone(instance: DesiredInstance, now: Instant): boolean {
    const { letting, view } = this.#parts;
    return instance.addresses.every((address) => letting.isGone(address.key, now) || view.find(address) === undefined);
  }

  /** Nothing is left to do: takes over what is there, and notes what has gone by itself. */
  #observe(wanted: ReadonlyMap<string, Wanted>, now: Instant): void {
    const levels = new Map<string, RoutingLevel>();
    for (const { object, want, found } of wanted.values()) {
      if (found !== undefined) {
        if (want !== "absent") this.#held.set(object.key, object);
      } else if (want !== "present" && this.#held.delete(object.key)) this.#tellRemoval(object, now, now);
      const level = levels.get(object.instance) ?? new RoutingLevel();
      levels.set(object.instance, level);
      level.count(object, found !== undefined, this.#failures.get(object.key));
    }
    this.#levels = levels;
    this.levelsRevision++;
  }
}

function additionOf(object: ManagedRouting, link: Parameters<typeof routeSpecOf>[1]): Resolved<Addition> {
  if (object.kind === "rule") return { ok: true, spec: { op: "add-rule", rule: ruleSpecOf(object.config) } };
  const route = routeSpecOf(object.config, link);
  return route.ok ? { ok: true, spec: { op: "add-route", route: route.spec } } : route;
}

const isRule = (found: RouteInfo | RuleSpec): found is RuleSpec => "action" in found;

const removalOf = (found: RouteInfo | RuleSpec): RoutingChange =>
  isRule(found) ? { op: "delete-rule", rule: found } : { op: "delete-route", route: found };

const textOf = (found: RouteInfo | RuleSpec): string =>
  isRule(found) ? `rule of preference ${found.preference}` : `route ${routeIdentity(found)}`;

const log = (level: "info" | "error", message: string, fields: Readonly<Record<string, unknown>>): Effect => ({
  type: "log",
  level,
  message,
  fields,
});

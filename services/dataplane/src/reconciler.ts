// From claims, configuration and kernel to one change at a time: what is wanted, what differs, what came of it. The
// kernel is reconciled, not commanded: whatever brought the difference about, the plan is the same.
import { addMicros, type Instant } from "@baton/domain";
import { staticName } from "@baton/keepalived-conf";
import { type AddressChange, type AddressEvent, addressTag } from "@baton/linux";
import { storyOf } from "./chronicle.ts";
import { addressKey, type DesiredInstance, type ManagedAddress } from "./desired.ts";
import { heraldsOf } from "./heralds.ts";
import type { Outcome } from "./holdings.ts";
import { isAsConfigured, specOf } from "./kernel-view.ts";
import { isTrusted, type Lease } from "./lease-book.ts";
import { isOurs, type Parts } from "./parts.ts";
import { mergeWants, type Plan, planAddresses, type Want, type Wanted } from "./plan.ts";
import { type InstanceLevel, isSameLevel, levelOf } from "./standings.ts";
import type { Effect, Herald, Input } from "./types.ts";

/** What refused a change is tried again after this, if no heartbeat asks sooner. */
const retryAfter = 1_000_000;

export class Reconciler {
  readonly #parts: Parts;
  #applying: { readonly plan: Plan; readonly heralds: readonly Herald[]; readonly startedAt: Instant } | undefined;
  #wants: ReadonlyMap<string, Wanted> = new Map();
  #levels = new Map<string, InstanceLevel>();
  /** Addresses that a reload brought: announced and told differently from those of a takeover. */
  #reloaded: { readonly keys: Set<string>; readonly at: Instant } | undefined;
  /** Instances found clean while nobody holds them: what appears later was put there by somebody else. */
  readonly #clean = new Set<string>();
  #stopping = false;
  mayRetry = true;
  /** Rises whenever the levels are taken anew. */
  revision = 0;
  retryAt: Instant | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get isApplying(): boolean {
    return this.#applying !== undefined;
  }

  level(instance: string): InstanceLevel | undefined {
    return this.#levels.get(instance);
  }

  stop(): void {
    this.#stopping = true;
  }

  reloaded(keys: ReadonlySet<string>, now: Instant): void {
    this.#reloaded = { keys: new Set(keys), at: now };
  }

  /** Nobody has said yet whose the addresses are: a restarted dataplane keeps what it finds, for at most a lease. */
  isInGrace(instance: DesiredInstance, now: Instant): boolean {
    if (this.#stopping || this.#parts.book.framesSeen > 0) return false;
    return now < addMicros(this.#parts.startedAt, instance.leaseLength);
  }

  /** It is known of every instance whose its addresses are. */
  isSettled(now: Instant): boolean {
    return ![...this.#parts.configuration.instances()].some((instance) => this.isInGrace(instance, now));
  }

  *deadlines(now: Instant): Iterable<Instant> {
    if (this.retryAt !== undefined) yield this.retryAt;
    for (const instance of this.#parts.configuration.instances()) {
      if (this.isInGrace(instance, now)) yield addMicros(this.#parts.startedAt, instance.leaseLength);
    }
  }

  /** True when the kernel is as it should be, or cannot be made so now; false while a change is under way. */
  reconcile(now: Instant, ranUntil: Instant | undefined, effects: Effect[]): boolean {
    const { view, holdings, configuration } = this.#parts;
    const wants = mergeWants(this.#wanted(now, ranUntil));
    this.#wants = wants;
    holdings.forgetFailures((key) => wants.get(key)?.want === "present");
    const strays = this.isSettled(now) ? configuration.interfaces() : new Set<string>();
    const admitted = holdings.admit(
      planAddresses(wants, view, (info, address) => isOurs(info, address, this.#parts), strays),
      { mayRetry: this.mayRetry, repairs: configuration.settings.repairsMax },
      now,
    );
    for (const outcome of admitted.outcomes) this.#take(outcome, now, now, effects);
    for (const at of admitted.waits) this.#retryBy(at);
    if (holdings.hasOpenEnds()) this.#retryBy(addMicros(now, retryAfter));
    const { removes, adds } = admitted.plan;
    if (removes.length + adds.length > 0) {
      const heralds = heraldsOf(admitted.plan, (instance) => this.#heraldUntil(instance), view);
      this.#applying = { plan: admitted.plan, heralds, startedAt: now };
      this.#promote(admitted.plan, effects);
      effects.push({ type: "change-addresses", changes: changesOf(admitted.plan), heralds });
      return false;
    }
    this.mayRetry = false;
    this.#observe(now);
    return true;
  }

  /** The read-back of the change. */
  applied(
    { results, addresses, heralded }: Extract<Input, { type: "addresses-applied" }>,
    now: Instant,
    effects: Effect[],
  ): void {
    const { view, holdings, announcing, counters } = this.#parts;
    const applying = this.#applying;
    if (applying === undefined) return;
    this.#applying = undefined;
    this.mayRetry = false;
    view.setAddresses(addresses);
    for (const [index, herald] of applying.heralds.entries()) {
      const sent = heralded[index] ?? 0;
      counters.add("garpSent", herald.instance, sent);
      announcing.heralded(herald, sent);
    }
    for (const { wanted } of applying.plan.adds) view.added(wanted.address, now);
    for (const outcome of holdings.account(applying.plan, results, view, now)) {
      this.#take(outcome, applying.startedAt, now, effects);
    }
  }

  /** Whether an event says anything that may call for a change. It only says so: a read decides. */
  isSuspicious({ type, address }: AddressEvent): boolean {
    const name = this.#parts.view.nameOf(address.ifindex);
    if (name === undefined) return false;
    const wanted = this.#wants.get(addressKey(name, address.address, address.prefixLength));
    if (wanted === undefined) return type === "set" && address.protocol === addressTag;
    if (type === "removed") return wanted.want !== "absent";
    if (wanted.want === "absent") return true;
    return wanted.address.family === 6 || (wanted.want === "present" && !isAsConfigured(address, wanted.address));
  }

  /** Undefined: its addresses are announced when all of them are there. */
  #heraldUntil(name: string): Instant | undefined {
    const { configuration, book, announcing } = this.#parts;
    const [instance, lease] = [configuration.instance(name), book.of(name)];
    if (instance === undefined || lease === undefined) return undefined;
    return announcing.mayHerald(instance, lease, configuration.settings.pauses) ? lease.expiresAt : undefined;
  }

  #retryBy(at: Instant): void {
    if (this.retryAt === undefined || at < this.retryAt) this.retryAt = at;
  }

  *#wanted(now: Instant, ranUntil: Instant | undefined): Iterable<Wanted> {
    const { configuration, book, holdings } = this.#parts;
    const keys = new Set<string>();
    for (const instance of configuration.instances()) {
      const lease = book.of(instance.name);
      for (const address of instance.addresses) {
        keys.add(address.key);
        const lifetime = lease === undefined ? undefined : configuration.lifetimeOf(address);
        const isGone = (): boolean => this.#parts.letting.isGone(address.key, now);
        yield { address, want: this.want(instance, lease, isGone, now, ranUntil), lifetime };
      }
    }
    // No configuration knows it any more, so nobody can want it.
    for (const address of holdings.held()) {
      if (!keys.has(address.key)) yield { address, want: "absent", lifetime: undefined };
    }
  }

  /** `isGone`: a successor has taken it over. */
  want(
    instance: DesiredInstance,
    lease: Lease | undefined,
    isGone: () => boolean,
    now: Instant,
    ranUntil: Instant | undefined,
  ): Want {
    if (instance.isStatic) return this.#stopping ? "absent" : "present";
    if (lease === undefined) return this.isInGrace(instance, now) ? "keep" : "absent";
    if (lease.phase === "ended" || lease.phase === "suspended") return "absent";
    if (lease.phase === "waiting") return "keep";
    switch (lease.claim.state) {
      case "hold":
        return lease.parting === undefined && isTrusted(lease, ranUntil, now) ? "present" : "keep";
      case "silent":
        return "keep";
      case "leaving":
        return isGone() ? "absent" : "keep";
      case "release":
        return "absent";
    }
  }

  /** Removing the primary of a subnet must not take anybody else's address with it (SAFETY S16). */
  #promote({ removes }: Plan, effects: Effect[]): void {
    const leaves = new Set(removes.map(({ info }) => info));
    const interfaces = new Set<string>();
    for (const { info, interface: name } of removes) {
      if (this.#parts.view.carriesSecondaries(info, leaves)) interfaces.add(name);
    }
    for (const name of interfaces) effects.push({ type: "promote-secondaries", interface: name });
  }

  #take(outcome: Outcome, since: Instant, now: Instant, effects: Effect[]): void {
    const { book, chronicle, counters, announcing } = this.#parts;
    switch (outcome.type) {
      case "added":
        return this.#added(outcome.address, now);
      case "repaired": {
        const { address, kind } = outcome;
        counters.add("drift", address.instance);
        chronicle.repaired(address, storyOf(book.of(address.instance), since), kind);
        announcing.came(address, "drift-repaired");
        return;
      }
      case "drift-war": {
        const { address, repairs } = outcome;
        counters.add("driftWars", address.instance);
        chronicle.driftWar(address, storyOf(book.of(address.instance), since), repairs);
        return;
      }
      case "failed": {
        const { address, error } = outcome;
        counters.add("addressErrors", address.instance);
        chronicle.failed(address, storyOf(book.of(address.instance), since), error);
        return;
      }
      case "removed": {
        const { address, key } = outcome.removal;
        if (address === undefined) effects.push(log("info", "removed an address of an earlier run", { address: key }));
        else if (outcome.wasHeld || !this.#clean.has(address.instance)) this.#tellRemoval(address, since, now);
        else {
          counters.add("drift", address.instance);
          chronicle.repaired(address, storyOf(book.of(address.instance), since), "extra");
        }
        return;
      }
      case "stayed":
        effects.push(log("error", "an address stays", { address: outcome.removal.key, error: outcome.error }));
        return;
    }
  }

  #added(address: ManagedAddress, now: Instant): void {
    const { book, chronicle, announcing } = this.#parts;
    const lease = book.of(address.instance);
    const isReloaded = this.#reloaded?.keys.delete(address.key) === true && lease !== undefined;
    const reloadedAt = this.#reloaded?.at ?? now;
    if (isReloaded && lease.receivedAt < reloadedAt) {
      // The story of the reload, not of the takeover long ago.
      chronicle.added(address, { term: lease.term, cause: undefined, since: reloadedAt }, now);
      announcing.came(address, "reload");
      return;
    }
    chronicle.added(address, storyOf(lease, lease?.receivedAt ?? now), now);
    announcing.came(address, "late");
  }

  #tellRemoval(address: ManagedAddress, since: Instant, now: Instant): void {
    const { book, letting, configuration, chronicle } = this.#parts;
    const lease = book.of(address.instance);
    const story = storyOf(lease, since);
    const tell = (reason: string, explained: boolean, cause = story.cause): void =>
      chronicle.removed(address, { ...story, cause, reason, explained }, now);
    if (configuration.instance(address.instance)?.addresses.some(({ key }) => key === address.key) !== true) {
      return chronicle.removed(address, { ...story, cause: undefined, reason: "not-configured", explained: true }, now);
    }
    if (lease === undefined) return tell(address.instance === staticName ? "stopped" : "leftover", true);
    if (letting.isGone(address.key, now)) return tell("successor", false);
    if (lease.phase === "suspended") return tell("dataplane-late", true);
    if (lease.phase !== "ended") return tell("removed-elsewhere", true);
    const untold = lease.endReason === "released" || lease.endReason === "not-claimed";
    return tell(lease.endReason ?? "released", lease.endCause !== undefined || !untold, lease.endCause ?? story.cause);
  }

  /** Nothing is left to do: takes over what is there, and notes what has gone by itself. */
  #observe(now: Instant): void {
    this.revision++;
    const { configuration, view, holdings, book } = this.#parts;
    for (const address of [...holdings.held()]) {
      if (view.find(address) !== undefined) continue;
      // Wanted and failing: still ours to bring back, and drift when it comes back.
      if (this.#wants.get(address.key)?.want === "present") continue;
      holdings.drop(address.key);
      this.#tellRemoval(address, now, now);
    }
    for (const instance of configuration.instances()) {
      const lease = book.of(instance.name);
      const isLive = instance.isStatic || (lease !== undefined && lease.phase !== "ended");
      for (const address of instance.addresses) {
        const info = isLive && lease?.phase !== "suspended" ? view.find(address) : undefined;
        if (info === undefined || !isOurs(info, address, this.#parts)) continue;
        if (!holdings.has(address.key) || isAsConfigured(info, address)) holdings.hold(address);
      }
      const level = levelOf(instance, this.#parts);
      if (!isSameLevel(this.#levels.get(instance.name), level)) this.#levels.set(instance.name, level);
      if (isLive || this.isInGrace(instance, now)) this.#clean.delete(instance.name);
      else if (level.removable === 0) this.#clean.add(instance.name);
    }
    for (const name of [...this.#levels.keys()]) {
      if (configuration.instance(name) === undefined) this.#levels.delete(name);
    }
  }
}

function changesOf({ removes, adds }: Plan): AddressChange[] {
  const deletes = removes.map(({ info }): AddressChange => {
    const { ifindex, address, prefixLength, peer, label } = info;
    return { op: "delete", spec: { ifindex, address, prefixLength, peer, label } };
  });
  const creations = adds.map(({ wanted, ifindex }): AddressChange => {
    return { op: "add", spec: specOf(wanted.address, ifindex, wanted.lifetime) };
  });
  return [...deletes, ...creations];
}

const log = (level: "info" | "warn" | "error", message: string, fields: Readonly<Record<string, unknown>>): Effect => ({
  type: "log",
  level,
  message,
  fields,
});

// The dataplane's decisions: what is claimed (lease book) against what the configuration wants and the kernel has, and
// from that what to do next. Pure in style: no I/O, `now` is an argument, the state is inside; the same inputs give the
// same effects. Order of effects is the contract: silence, addresses, then the announcement, then the answer to election,
// and history last.
import type { AddressesState, Counter } from "@baton/contracts";
import { addMicros, assert, assertNever, type Instant, type IpAddress, micros, millisToMicros } from "@baton/domain";
import { heartbeatOf } from "@baton/vrrp";
import { Announcing } from "./announcing.ts";
import { Answering } from "./answering.ts";
import { Chronicle } from "./chronicle.ts";
import { Configuration } from "./configuration.ts";
import { Counters } from "./counters.ts";
import { Holdings } from "./holdings.ts";
import { KernelView } from "./kernel-view.ts";
import { isTrusted, LeaseBook } from "./lease-book.ts";
import { LettingGo, spokenName } from "./letting-go.ts";
import { groundworkOf } from "./links/groundwork.ts";
import type { Parts } from "./parts.ts";
import { Reconciler } from "./reconciler.ts";
import { Renewals, renewalsDue } from "./renewals.ts";
import { RoutingReconciler } from "./routing/reconciler.ts";
import { addressesOf, hush, leavingAddresses, unhush } from "./silence.ts";
import { type InstanceLevel, withRouting } from "./standings.ts";
import type { Claim, Effect, Frame, Heard, Input, Start } from "./types.ts";
import { addressesStateOf } from "./watch-state.ts";

/** Less than this changes nothing for any lease, and every timer is late by a little. */
const noticeableLateness = 50_000;

/**
 * A stall of half a lease is to be noticed, by a deadline that was missed. Each frame of election puts it off, a little
 * longer than the next frame takes to come: while election speaks, nothing wakes us but its frames.
 */
const metronomeGrace = millisToMicros(50);

export class Core {
  readonly #parts: Parts;
  readonly #reconciler: Reconciler;
  readonly #routing: RoutingReconciler;
  readonly #renewals = new Renewals();
  /** What nft silences now; at first what an earlier process left (SAFETY S6: a crash must not give the answer back). */
  #silenced: ReadonlySet<IpAddress>;
  readonly #inherited: ReadonlySet<IpAddress>;
  #listening = "";
  /** Instances that leave and have heard their successor: nothing of a virtual MAC address goes out any more (SAFETY S6). */
  readonly #quiet = new Set<string>();
  #groundwork = "";
  #isGroundworkDue = true;
  readonly #answering: Answering;
  /** What the announcements were last brought in line with. */
  #announcedOf = "";
  #armed: Instant | undefined;
  /** The deadline that we missed, and when we ran before it; until it has been acted on, with all that waits (SAFETY S2). */
  #missed: { readonly deadline: Instant; readonly ranUntil: Instant } | undefined;
  #ranAt: Instant;
  #metronomeAt: Instant | undefined;
  /** When the reconciler has something to do although nothing has changed. */
  #reconcileAt: Instant | undefined;
  #seen = "";

  constructor(start: Start, now: Instant) {
    this.#ranAt = now;
    this.#parts = {
      startedAt: now,
      configuration: new Configuration(start.desired),
      view: new KernelView(),
      book: new LeaseBook(),
      letting: new LettingGo(),
      holdings: new Holdings(),
      announcing: new Announcing(),
      chronicle: new Chronicle(),
      counters: new Counters(),
    };
    this.#parts.view.setLinks(start.links);
    this.#parts.view.setAddresses(start.addresses);
    this.#inherited = new Set(start.silenced);
    this.#silenced = this.#inherited;
    const reconciler = new Reconciler(this.#parts);
    this.#reconciler = reconciler;
    this.#routing = new RoutingReconciler(this.#parts, (...about) => reconciler.want(...about), start.routing);
    this.#answering = new Answering(this.#parts, {
      revision: () => `${this.#reconciler.revision} ${this.#routing.levelsRevision}`,
      of: (name) => this.#level(name),
      basisOf: (name) => [this.#reconciler.level(name), this.#routing.level(name)],
    });
  }

  step(input: Input, now: Instant): Effect[] {
    const isChanging = { addresses: this.#reconciler.isApplying, routing: this.#routing.isApplying };
    assert(!isChanging.addresses || input.type === "addresses-applied", `${input.type} while a change is under way`);
    assert(!isChanging.routing || input.type === "routing-applied", `${input.type} while a change is under way`);
    if (this.#armed !== undefined && now > this.#armed) {
      this.#missed ??= { deadline: this.#armed, ranUntil: this.#ranAt };
    }
    this.#ranAt = now;
    const effects: Effect[] = [];
    // A thousand times in a takeover of as many instances: it costs what it says, and not a look at everybody.
    if (this.#isHistory(input, now) || this.#isEcho(input)) return this.#parts.chronicle.take(now);
    this.#take(input, now, effects);
    // A read is under way: what it brings decides.
    if (!effects.some(({ type }) => type === "read-addresses" || type === "read-routing")) this.#settle(now, effects);
    this.#armed = this.#nextDeadline();
    effects.push({ type: "arm", at: this.#armed });
    return effects;
  }

  states(): AddressesState[] {
    const { configuration, book, view, holdings } = this.#parts;
    return [...configuration.instances()].map((instance) =>
      addressesStateOf(instance, book.of(instance.name), view, {
        failure: (key) => holdings.failure(key) ?? this.#routing.failure(key),
        hasRouting: (key) => this.#routing.level(instance.name)?.has(key) ?? false,
      }),
    );
  }

  counters(): Counter[] {
    return this.#parts.counters.samples();
  }

  /** True when nothing but history follows. */
  #isHistory(input: Input, now: Instant): boolean {
    const { book, chronicle, configuration } = this.#parts;
    if (input.type === "announced") {
      this.#announced(input);
      return true;
    }
    if (input.type !== "transitions-seen") return false;
    let isNews = false;
    for (const transition of input.transitions) {
      if (book.see(transition, now, this.#parts.startedAt)) isNews = true;
      if (configuration.instance(transition.instance) !== undefined) chronicle.seen(transition);
    }
    return !isNews;
  }

  /** The kernel tells of what we have asked for ourselves, too: nothing follows from what is as wanted, or no concern of ours. */
  #isEcho(input: Input): boolean {
    const { view } = this.#parts;
    if (input.type !== "addresses-changed" || view.isAwaiting) return false;
    if (input.events.some((event) => event.type === "removed" || this.#reconciler.isSuspicious(event))) return false;
    view.apply(input.events);
    return true;
  }

  #take(input: Input, now: Instant, effects: Effect[]): void {
    const { book, view, configuration } = this.#parts;
    switch (input.type) {
      case "configured":
        configuration.offer(input.desired);
        // Nobody holds anything: there is nothing to wait for.
        if (!book.hasLive()) this.#adopt(Number.MAX_SAFE_INTEGER, now);
        return;
      case "stream-opened":
        return this.#openStream(input.stream, effects);
      case "stream-closed":
        return book.closeStream(input.stream);
      case "frame-received":
        return this.#receive(input.stream, input.frame, now);
      case "links-changed":
        view.setLinks(input.links);
        this.#mayRetry();
        this.#routing.doubt(now, effects);
        // Whatever has changed may be ours to mend, or what ours is to stand on.
        this.#groundwork = "";
        this.#isGroundworkDue = true;
        // A link of the same name may be another one, on which nobody listens yet.
        this.#listening = "";
        return;
      case "addresses-changed":
        view.apply(input.events);
        if (input.events.some((event) => this.#reconciler.isSuspicious(event)))
          effects.push({ type: "read-addresses" });
        if (input.events.some(({ type }) => type === "removed")) this.#routing.doubt(now, effects);
        return;
      case "routing-changed":
        if (input.events.some((event) => this.#routing.isSuspicious(event)))
          effects.push({ type: "read-routing", protocols: this.#routing.protocols() });
        return;
      case "routing-lost":
        effects.push({ type: "read-routing", protocols: this.#routing.protocols() });
        return;
      case "routing-read":
        return this.#routing.read(input.tables);
      case "routing-applied":
        return this.#routing.applied(input.results, input.tables, now, effects);
      case "addresses-read":
        return view.setAddresses(input.addresses);
      case "addresses-applied":
        return this.#reconciler.applied(input, now, effects);
      case "transitions-seen":
      case "announced":
        return; // history, and what it says has been taken already
      case "neighbours-heard":
        return this.#hear(input.heard, now);
      case "tick":
        return this.#tick(now, effects);
      case "stopped":
        this.#reconciler.stop();
        // What stands without a lease goes too.
        this.#seen = "";
        return book.endAll("stopped");
      default:
        return assertNever(input);
    }
  }

  #openStream(stream: number, effects: Effect[]): void {
    const { older, leases } = this.#parts.book.openStream(stream);
    if (older !== undefined) {
      effects.push({ type: "end-stream", stream: older, reason: "a newer election has connected" });
    }
    effects.push({ type: "greet", stream, leases });
    // Another election listens on its links, whatever the one before was leaving.
    this.#quiet.clear();
    this.#isGroundworkDue = true;
    this.#answering.begin();
  }

  #receive(stream: number, frame: Frame, now: Instant): void {
    const { book, configuration } = this.#parts;
    if (stream === book.stream) this.#adopt(frame.configGeneration, now);
    const objection = (claim: Claim): string | undefined => {
      if (claim.term < 1 || claim.instances.length === 0) return "the claim has no term or covers nothing";
      const unknown = claim.instances.find((name) => configuration.instance(name) === undefined);
      if (unknown === undefined || frame.configGeneration > configuration.generation) return undefined;
      return `${unknown} is not in configuration generation ${configuration.generation}`;
    };
    if (!book.receive(stream, frame, now, objection)) return;
    if (this.#missed === undefined) this.#metronomeAt = undefined;
    this.#answering.received(frame);
    // Partial frames with claims come many a second.
    if (!frame.partial || frame.claims.length === 0) this.#mayRetry();
  }

  #adopt(generation: number, now: Instant): void {
    const { configuration, book } = this.#parts;
    const adoption = configuration.adopt(generation, (name) => isLive(book.of(name)?.phase));
    if (adoption === undefined) return;
    this.#reconciler.reloaded(adoption.added, now);
    this.#routing.reloaded(now);
    this.#isGroundworkDue = true;
    this.#seen = "";
  }

  #announced(announced: Extract<Input, { type: "announced" }>): void {
    const { burst, sent, error } = announced;
    const { counters, chronicle } = this.#parts;
    counters.add("garpSent", burst.instance, sent);
    if (error !== undefined) counters.add("garpErrors", burst.instance);
    chronicle.announced(announced);
  }

  #hear(heard: readonly Heard[], now: Instant): void {
    const { view, letting } = this.#parts;
    const leaving = new Map(leavingAddresses(this.#parts).map((address) => [spokenName(address), address]));
    for (const packet of heard) {
      const address = leaving.get(spokenName(packet));
      if (address === undefined || packet.mac === view.link(packet.interface)?.mac) continue;
      letting.announcementHeard(address, now);
    }
  }

  #tick(now: Instant, effects: Effect[]): void {
    const { book, counters } = this.#parts;
    book.tick(now);
    if (this.#missed !== undefined) {
      const { deadline, ranUntil } = this.#missed;
      counters.late(now - deadline);
      for (const lease of book.suspendUnconfirmed(ranUntil, now)) {
        const fields = { lease: lease.id, term: lease.term, lateMs: (now - deadline) / 1_000 };
        effects.push({
          type: "log",
          level: "error",
          message: "not scheduled for half a lease: addresses go until election confirms",
          fields,
        });
      }
      this.#missed = undefined;
    }
    if (this.#reconciler.retryAt !== undefined && this.#reconciler.retryAt <= now) {
      this.#reconciler.retryAt = undefined;
      this.#reconciler.mayRetry = true;
    }
    this.#routing.tick(now, effects);
    this.#setMetronome(now);
  }

  /** What failed may be tried again. */
  #mayRetry(): void {
    this.#reconciler.mayRetry = true;
    this.#routing.mayRetry = true;
  }

  #setMetronome(now: Instant): void {
    let shortest = Number.POSITIVE_INFINITY;
    for (const lease of this.#parts.book.leases()) {
      if (lease.phase !== "ended") shortest = Math.min(shortest, lease.claim.length);
    }
    if (!Number.isFinite(shortest)) {
      this.#metronomeAt = undefined;
      return;
    }
    if (this.#metronomeAt !== undefined && this.#metronomeAt > now) return;
    this.#metronomeAt = addMicros(now, heartbeatOf(micros(shortest)) + metronomeGrace);
  }

  /** Everything that follows from what is known now. */
  #settle(now: Instant, effects: Effect[]): void {
    this.#noteEnded(now, effects);
    this.#letGo();
    this.#keepGroundwork(effects);
    if (this.#isStale(now)) {
      const signature = this.#signature();
      this.#silenced = hush(this.#parts, this.#silenced, this.#inherited, effects);
      if (!this.#reconcile(now, effects)) {
        this.#seen = "";
        return;
      }
      this.#finishLeaving();
      this.#silenced = unhush(this.#parts, this.#silenced, this.#inherited, effects);
      this.#noteReconciled(now, signature, effects);
    }
    this.#keepGroundwork(effects);
    // Neighbours wait for the announcement; election has a second before it needs the answer (SAFETY S3).
    this.#announce(now, effects);
    this.#answering.answer(effects);
    effects.push(...renewalsDue(this.#renewals, this.#parts, this.#missed?.ranUntil, now));
    effects.push(...this.#parts.chronicle.take(now));
    if (this.#metronomeAt === undefined) this.#setMetronome(now);
  }

  /** What needs an address goes before it and comes after it. False while a change is under way. */
  #reconcile(now: Instant, effects: Effect[]): boolean {
    return (
      this.#routing.withdraw(now, this.#missed?.ranUntil, this.#reconciler.isSettled(now), effects) &&
      this.#reconciler.reconcile(now, this.#missed?.ranUntil, effects) &&
      this.#routing.install(now, this.#missed?.ranUntil, effects)
    );
  }

  #level(instance: string): InstanceLevel | undefined {
    const level = this.#reconciler.level(instance);
    return level && withRouting(level, this.#routing.level(instance));
  }

  /** An ended lease is told once; its removals follow in the same story. */
  #noteEnded(now: Instant, effects: Effect[]): void {
    const { book, chronicle, counters, configuration } = this.#parts;
    for (const lease of book.takeEnded()) {
      if (lease.endReason !== "lease-expired") continue;
      const fields = { lease: lease.id, term: lease.term, silentMs: (now - lease.sentAt) / 1_000 };
      effects.push({ type: "log", level: "error", message: "a lease has expired: election is silent", fields });
      const story = { term: lease.term, cause: lease.cause, since: lease.expiresAt };
      for (const instance of lease.claim.instances) {
        counters.add("leaseExpired", instance);
        if (configuration.instance(instance) === undefined) continue;
        chronicle.expired(instance, story, (now - lease.sentAt) / 1_000, now);
      }
    }
    for (const refusal of book.takeRefusals()) {
      const { lease, term, reason } = refusal;
      effects.push({ type: "log", level: "warn", message: "a claim is refused", fields: { lease, term, reason } });
      for (const instance of refusal.instances) {
        // Whoever may publish may name anything: only instances that exist get an event.
        const isKnown = configuration.instance(instance) !== undefined;
        counters.add("claimsRefused", isKnown ? instance : "");
        if (isKnown) chronicle.refused(instance, refusal);
      }
    }
  }

  #letGo(): void {
    const { book, letting, configuration } = this.#parts;
    for (const lease of book.leases()) {
      if (lease.phase !== "active" || lease.claim.state !== "leaving" || lease.successorHeardAt === undefined) continue;
      const addresses = [...addressesOf(lease, this.#parts)];
      const links = lease.claim.instances.flatMap((name) => configuration.instance(name)?.links ?? []);
      const own = new Set(links.map(({ name }) => name));
      if (!letting.successorHeard(addresses, lease.successorHeardAt, own)) continue;
      for (const name of lease.claim.instances) this.#quiet.add(name);
      this.#isGroundworkDue = true;
    }
  }

  /** Links go down before their addresses go, and are there before theirs come. */
  #keepGroundwork(effects: Effect[]): void {
    if (!this.#isGroundworkDue) return;
    this.#isGroundworkDue = false;
    const { configuration } = this.#parts;
    const groundwork = groundworkOf(configuration.instances(), this.#quiet, configuration.settings);
    const said = JSON.stringify(groundwork);
    const isIdle = groundwork.links.length + groundwork.refused.length === 0 && groundwork.localIgmp;
    if (said === this.#groundwork || (isIdle && this.#groundwork === "")) return;
    this.#groundwork = said;
    effects.push({ type: "keep-groundwork", groundwork });
  }

  /** A lease that leaves is over when the last address has gone (SAFETY S6). */
  #finishLeaving(): void {
    const { book, letting, configuration } = this.#parts;
    for (const lease of book.leases()) {
      if (lease.phase === "active" && lease.claim.state === "leaving") {
        const left = lease.claim.instances.filter((name) => (this.#level(name)?.removable ?? 0) > 0);
        if (left.length > 0) continue;
        book.end(lease, "let-go");
      }
      if (letting.isIdle) continue;
      for (const address of addressesOf(lease, this.#parts)) {
        if (book.of(address.instance) === lease) letting.forget(address.key);
      }
    }
    // Nothing is left to be silent about, and whoever only gave way listens on its link from now on.
    for (const name of this.#quiet) {
      const lease = book.of(name);
      if (lease?.phase === "active" && lease.claim.state === "leaving") continue;
      this.#quiet.delete(name);
      this.#isGroundworkDue = true;
    }
    if (configuration.forgetRetired((name) => isLive(book.of(name)?.phase))) this.#isGroundworkDue = true;
  }

  #signature(): string {
    const { book, view, letting } = this.#parts;
    return `${book.revision} ${view.revision} ${letting.revision} ${this.#routing.revision}`;
  }

  /** Heartbeats come four times a lease, each renewal is told by the kernel: most steps leave nothing to reconcile. */
  #isStale(now: Instant): boolean {
    if (this.#signature() !== this.#seen) return true;
    if (this.#missed !== undefined && now - this.#missed.deadline > noticeableLateness) return true;
    if (this.#reconcileAt !== undefined && this.#reconcileAt <= now) return true;
    if (this.#routing.mayRetry && this.#routing.hasOpenEnds()) return true;
    return this.#reconciler.mayRetry && this.#parts.holdings.hasOpenEnds();
  }

  #noteReconciled(now: Instant, signature: string, effects: Effect[]): void {
    this.#seen = signature;
    this.#reconcileAt = earliest([
      this.#reconciler.deadlines(now),
      this.#routing.deadlines(),
      this.#parts.letting.deadlines(now),
    ]);
    const interfaces = [...new Set(leavingAddresses(this.#parts).map((address) => address.interface))];
    if (interfaces.join(" ") === this.#listening) return;
    this.#listening = interfaces.join(" ");
    effects.push({ type: "listen", interfaces });
  }

  #announce(now: Instant, effects: Effect[]): void {
    const { configuration, book, announcing, view } = this.#parts;
    const world = `${book.revision} ${this.#reconciler.revision} ${view.readiness(now)}`;
    if (world !== this.#announcedOf) {
      this.#announcedOf = world;
      for (const instance of configuration.instances()) {
        const isReady = instance.addresses.every((address) => view.isReady(address, now));
        announcing.update(instance, book.of(instance.name), isReady, now);
      }
    }
    const bursts = announcing.take(
      now,
      (name) => configuration.instance(name),
      (name) => book.of(name),
      (name) => this.#mayAnnounce(name, now),
      view,
      configuration.settings.pauses,
    );
    for (const burst of bursts) effects.push({ type: "announce", burst });
  }

  #mayAnnounce(instance: string, now: Instant): boolean {
    const lease = this.#parts.book.of(instance);
    return lease !== undefined && isTrusted(lease, this.#missed?.ranUntil, now);
  }

  #nextDeadline(): Instant | undefined {
    const { book, announcing, chronicle, view } = this.#parts;
    return earliest([
      [this.#metronomeAt, this.#reconcileAt, this.#reconciler.retryAt, book.nextDeadline()],
      announcing.deadlines(),
      view.deadlines(),
      this.#routing.deadlines(),
      chronicle.deadlines(),
      this.#renewals.deadlines(),
    ]);
  }
}

const isLive = (phase: string | undefined): boolean => phase !== undefined && phase !== "ended";

function earliest(sources: Iterable<Iterable<Instant | undefined>>): Instant | undefined {
  let first: Instant | undefined;
  for (const times of sources) {
    for (const at of times) if (at !== undefined && (first === undefined || at < first)) first = at;
  }
  return first;
}

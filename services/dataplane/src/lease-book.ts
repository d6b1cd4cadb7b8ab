// The lease book: who claims what, under which term, until when (SAFETY S1, S3 to S5, S10). An event starts the work,
// a claim allows it; only frames keep it alive. Pure in style: `now` is an argument, nothing here does I/O.
import { addMicros, type CauseRef, type Instant, instant, type Micros, micros, type Term, term } from "@baton/domain";
import { leaseLengthMax } from "./desired.ts";
import type { Claim, ClaimMemory, Frame, KnownLease, Transition } from "./types.ts";

export type EndReason =
  | "released"
  | "not-claimed"
  | "lease-expired"
  | "became-backup"
  | "entered-fault"
  | "let-go"
  | "stopped";

/**
 * waiting: claimed, its event has not come yet. active: the work is allowed. suspended: we were not scheduled for too
 * long, so nothing is believed until election says it again. ended: this term is over for good.
 */
export type Phase = "waiting" | "active" | "suspended" | "ended";

export interface Lease {
  readonly id: string;
  term: Term;
  phase: Phase;
  claim: Claim;
  /** When the claim of this term came (or came back): elapsed times count from here. */
  receivedAt: Instant;
  /** When its last frame was sent. */
  sentAt: Instant;
  /** When the last believed frame was sent. */
  freshAt: Instant;
  expiresAt: Instant;
  startDueAt: Instant | undefined;
  /** False after a frame that was more than half a lease old when it was read: nothing is added on its word (SAFETY S10). */
  believed: boolean;
  /** The stream that claimed this term. */
  readonly stream: number | undefined;
  /** Instances taken over from a live term that already answered, of this lease or another: nobody has to be told again (SAFETY S5). */
  answered: ReadonlySet<string>;
  /** The event of this claim, or the event itself when it came. */
  cause: CauseRef | undefined;
  successorHeardAt: Instant | undefined;
  /** It became backup: nothing answers any more, and its claim says how the addresses go; this is how long it is waited for. */
  parting: Parting | undefined;
  endReason: EndReason | undefined;
  endCause: CauseRef | undefined;
}

export interface Refusal {
  readonly lease: string;
  readonly term: Term;
  readonly instances: readonly string[];
  readonly reason: string;
  readonly cause: CauseRef | undefined;
}

interface Parting {
  readonly cause: CauseRef | undefined;
  readonly until: Instant;
}

/** An event that waits for its claim. */
interface Edge {
  readonly transition: Transition;
  readonly refuseAt: Instant;
}

/** A claim that names no event starts the work when its event has not come within this (SAFETY S1). */
export const eventWait = micros(2_000);
/** An event without a claim after this is refused: a claim crosses a unix socket in under a millisecond. */
const claimWait = micros(1_000_000);
const leasesMax = 4_096;
const edgesMax = 1_024;

export class LeaseBook {
  readonly #leases = new Map<string, Lease>();
  readonly #edges = new Map<string, Edge>();
  /** Last refused term and reason of each lease, so that a refusal is told once and not with each heartbeat. */
  readonly #told = new Map<string, string>();
  #stream: number | undefined;
  #refused = new Map<string, Refusal>();
  /** What the present stream claims: the last full frame, and what partial ones have said since. */
  #claimed = new Map<string, Claim>();
  /** Which leases have covered an instance. */
  readonly #covering = new Map<string, Set<string>>();
  /** What `of` has found, until something of that lease changes. */
  readonly #speaking = new Map<string, Lease>();
  /** Instances that a lease has stopped covering in this frame: another one may go on with them. */
  readonly #handedOn = new Map<string, Lease>();
  readonly #refusals: Refusal[] = [];
  readonly #ended: Lease[] = [];
  #framesSeen = 0;
  revision = 0;

  get stream(): number | undefined {
    return this.#stream;
  }

  /** Since start: until the first frame nobody has said whose the addresses are. */
  get framesSeen(): number {
    return this.#framesSeen;
  }

  leases(): IterableIterator<Lease> {
    return this.#leases.values();
  }

  lease(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  /** What the present stream claims, for the answer. */
  claimed(): IterableIterator<Claim> {
    return this.#claimed.values();
  }

  refusal(lease: string): Refusal | undefined {
    return this.#refused.get(lease);
  }

  /** Refusals that have not been told yet; told by being taken. */
  takeRefusals(): Refusal[] {
    return this.#refusals.splice(0);
  }

  /** Leases that have ended and have not been asked for yet. */
  takeEnded(): Lease[] {
    return this.#ended.splice(0);
  }

  hasLive(): boolean {
    for (const lease of this.#leases.values()) if (lease.phase !== "ended") return true;
    return false;
  }

  /** The lease that speaks for an instance: the one that lives, else the last that did. */
  of(instance: string): Lease | undefined {
    const known = this.#speaking.get(instance);
    if (known !== undefined) return known;
    let found: Lease | undefined;
    for (const id of this.#covering.get(instance) ?? []) {
      const lease = this.#leases.get(id);
      if (lease?.claim.instances.includes(instance) !== true) continue;
      const [lives, before] = [lease.phase !== "ended", found !== undefined && found.phase !== "ended"];
      if (found === undefined || (lives === before ? lease.receivedAt >= found.receivedAt : lives)) found = lease;
    }
    if (found !== undefined) this.#speaking.set(instance, found);
    return found;
  }

  /** One stream at a time; the newer one wins, because its election is the one that was started last (SAFETY S5). */
  openStream(stream: number): { readonly older: number | undefined; readonly leases: readonly KnownLease[] } {
    const older = this.#stream;
    this.#stream = stream;
    this.#claimed = new Map();
    this.#refused = new Map();
    return { older, leases: [...this.#leases.values()].map(knownLease) };
  }

  /** The leases live on until they expire: a crashed election comes back within that, or the addresses go. */
  closeStream(stream: number): void {
    if (stream === this.#stream) this.#stream = undefined;
  }

  /** False when the frame is not of the present stream: its sender has been replaced. */
  receive(stream: number, frame: Frame, now: Instant, objection: (claim: Claim) => string | undefined): boolean {
    if (stream !== this.#stream) return false;
    // The first frame says whose the addresses are, even if it claims nothing.
    if (this.#framesSeen++ === 0) this.revision++;
    const refusedBefore = this.#refused;
    this.#refused = new Map();
    this.#handedOn.clear();
    if (!frame.partial) this.#claimed = new Map();
    for (const lease of frame.forgotten) this.#claimed.delete(lease);
    for (const claim of frame.claims) this.#claimed.set(claim.lease, claim);
    for (const { lease, memory } of frame.adverts) this.#remember(lease, memory);
    const sentAt = instant(Math.min(frame.sentAt, now));
    for (const claim of this.#claimed.values()) this.#receiveClaim(claim, sentAt, now, objection);
    if (!areSameRefusals(refusedBefore, this.#refused)) this.revision++;
    for (const lease of frame.partial ? frame.forgotten.flatMap((id) => this.#leases.get(id) ?? []) : this.leases()) {
      // What a former election left is not ended by the silence of the new one, which may not have looked at it yet: it
      // is claimed anew, released, or it expires.
      if (!this.#claimed.has(lease.id) && lease.stream === stream) this.#end(lease, "not-claimed");
    }
    return true;
  }

  /** A claim that stands, with newer times: nothing else of it changes, and nothing is decided anew. */
  #remember(id: string, memory: ClaimMemory): void {
    const claim = this.#claimed.get(id);
    if (claim === undefined) return;
    const newer = { ...claim, memory };
    this.#claimed.set(id, newer);
    const lease = this.#leases.get(id);
    if (lease?.claim === claim) lease.claim = newer;
  }

  #receiveClaim(claim: Claim, sentAt: Instant, now: Instant, objection: (claim: Claim) => string | undefined): void {
    const lease = this.#leases.get(claim.lease);
    // Not named by a partial frame, like most of a thousand.
    if (
      lease?.claim === claim &&
      lease.phase === "active" &&
      lease.stream === this.#stream &&
      sentAt <= lease.expiresAt
    )
      return this.#extend(lease, sentAt, now);
    // Every new stream takes a new term (SAFETY S4): the same term on another stream is another election.
    if (lease !== undefined && claim.term === lease.term && lease.stream === this.#stream) {
      this.#renew(lease, claim, sentAt, now);
    } else if (lease !== undefined && claim.term <= lease.term) {
      this.#refuse(claim, `term ${claim.term} is not above ${lease.term}`);
    } else if (lease === undefined && this.#leases.size >= leasesMax) {
      this.#refuse(claim, `more than ${leasesMax} leases`);
    } else if (claim.state !== "release" && sentAt + lengthOf(claim) <= now) {
      // Ended before it was read: the next claim is a new term.
      this.#refuse(claim, "the claim came after its lease had ended");
    } else {
      const reason = objection(claim);
      if (reason === undefined) this.#grant(lease, claim, sentAt, now);
      else this.#refuse(claim, reason);
    }
  }

  #renew(lease: Lease, claim: Claim, sentAt: Instant, now: Instant): void {
    // Sent after its own end: the sender had let a whole lease pass, whenever we come to notice.
    if (sentAt > lease.expiresAt) this.#end(lease, "lease-expired");
    if (lease.phase === "ended") {
      this.#replaceClaim(lease, claim);
      // A term does not come back. Frames that were under way when an event ended it are no news to anybody.
      const underWay = lease.endReason === "became-backup" || lease.endReason === "entered-fault";
      if (claim.state === "hold" || claim.state === "silent") {
        this.#refuse(claim, `term ${claim.term} is over: ${lease.endReason}`, !underWay);
      }
      return;
    }
    const changed = lease.claim.state !== claim.state || lease.claim.announce !== claim.announce;
    if (changed || lease.claim.successorHeard !== claim.successorHeard) this.revision++;
    this.#replaceClaim(lease, claim);
    this.#extend(lease, sentAt, now);
    if (claim.state === "leaving") lease.parting = undefined;
    if (claim.state === "release") {
      this.#end(lease, "released", claim.cause?.id === lease.cause?.id ? undefined : claim.cause);
      return;
    }
    if (lease.phase === "suspended" && lease.believed) {
      lease.phase = "active";
      lease.receivedAt = now;
      this.#unspeak(lease);
      lease.answered = new Set();
      this.revision++;
    }
    if (claim.successorHeard && lease.successorHeardAt === undefined) lease.successorHeardAt = now;
  }

  #extend(lease: Lease, sentAt: Instant, now: Instant): void {
    if (sentAt > lease.sentAt) lease.sentAt = sentAt;
    lease.expiresAt = addMicros(lease.sentAt, lengthOf(lease.claim));
    // Half a lease old when read: its sender may have let go since.
    const believed = now - sentAt <= lengthOf(lease.claim) / 2;
    if (believed !== lease.believed) this.revision++;
    lease.believed = believed;
    if (believed) lease.freshAt = sentAt;
  }

  #grant(before: Lease | undefined, claim: Claim, sentAt: Instant, now: Instant): void {
    // Over before this was sent, though we had not noticed: there is nothing to resume.
    if (before !== undefined && sentAt > before.expiresAt) this.#end(before, "lease-expired");
    const edge = this.#edgeFor(claim);
    const speaking = claim.instances.map((instance) => this.#handedOn.get(instance) ?? this.of(instance));
    const resumed = isUnderWay(before) || speaking.every(isUnderWay);
    const answered = claim.instances.filter((_, index) => isAnswering(speaking[index]));
    const granted: Lease = {
      id: claim.lease,
      term: claim.term,
      phase: "waiting",
      claim,
      receivedAt: now,
      sentAt,
      freshAt: instant(0),
      expiresAt: addMicros(sentAt, lengthOf(claim)),
      startDueAt: addMicros(now, eventWait),
      believed: false,
      stream: this.#stream,
      answered: new Set(answered),
      cause: claim.cause ?? edge?.transition.cause,
      successorHeardAt: claim.successorHeard ? now : undefined,
      parting: undefined,
      endReason: undefined,
      endCause: undefined,
    };
    this.#extend(granted, sentAt, now);
    this.#leases.set(claim.lease, granted);
    this.#cover(granted);
    this.revision++;
    if (claim.state === "release") this.#end(granted, "released", claim.cause);
    // Nothing but hold adds addresses, and what was live needs no event to stay: there is nothing to wait for.
    // A claim that names its event came from whoever appended it: the event itself, on its way, adds nothing to know.
    else if (edge !== undefined || resumed || claim.state !== "hold" || claim.cause !== undefined) this.#start(granted);
  }

  #replaceClaim(lease: Lease, claim: Claim): void {
    const isSameCover = lease.claim.instances.join("\0") === claim.instances.join("\0");
    if (!isSameCover) this.#unspeak(lease);
    for (const instance of isSameCover ? [] : lease.claim.instances) this.#handedOn.set(instance, lease);
    lease.claim = claim;
    if (isSameCover) return;
    this.revision++;
    this.#cover(lease);
  }

  #unspeak({ claim }: Lease): void {
    for (const instance of claim.instances) this.#speaking.delete(instance);
  }

  #cover(lease: Lease): void {
    this.#unspeak(lease);
    const { id, claim } = lease;
    for (const instance of claim.instances) {
      const covering = this.#covering.get(instance);
      if (covering === undefined) this.#covering.set(instance, new Set([id]));
      else covering.add(id);
    }
  }

  #edgeFor(claim: Claim): Edge | undefined {
    let found: Edge | undefined;
    for (const instance of claim.instances) {
      const edge = this.#edges.get(instance);
      if (edge === undefined || edge.transition.term > claim.term) continue;
      if (edge.transition.term === claim.term) found ??= edge;
      this.#edges.delete(instance);
    }
    return found;
  }

  #start(lease: Lease): void {
    lease.phase = "active";
    lease.startDueAt = undefined;
    this.revision++;
  }

  #end(lease: Lease, reason: EndReason, cause?: CauseRef): void {
    if (lease.phase === "ended") return;
    lease.phase = "ended";
    this.#unspeak(lease);
    lease.endReason = reason;
    lease.endCause = cause;
    lease.startDueAt = undefined;
    this.#ended.push(lease);
    this.revision++;
  }

  #refuse(claim: Claim, reason: string, news = true): void {
    const refusal: Refusal = {
      lease: claim.lease,
      term: claim.term,
      instances: claim.instances,
      reason,
      cause: claim.cause,
    };
    this.#refused.set(claim.lease, refusal);
    const text = `${claim.term} ${reason}`;
    if (!news || this.#told.get(claim.lease) === text) return;
    if (this.#told.size < leasesMax || this.#told.has(claim.lease)) this.#told.set(claim.lease, text);
    this.#refusals.push(refusal);
  }

  /** The edge. `knownSince`: what was written before is history, whoever brings it late. True when it is news. */
  see(transition: Transition, now: Instant, knownSince: Instant): boolean {
    const before = this.revision;
    const lease = this.of(transition.instance);
    if (transition.type === "became-master") {
      if (lease !== undefined && transition.term <= lease.term) {
        if (transition.term === lease.term) lease.cause ??= transition.cause;
        if (transition.term === lease.term && lease.phase === "waiting") this.#start(lease);
        return this.revision !== before;
      }
      if (transition.at < knownSince || this.#edges.size >= edgesMax) return false;
      this.#edges.set(transition.instance, { transition, refuseAt: addMicros(now, claimWait) });
      return true;
    }
    if (lease === undefined || lease.term !== transition.term || lease.phase === "ended") return false;
    // LEAVING goes by what is heard on the wire, not by the event that announces it (SAFETY S6).
    if (lease.claim.state === "leaving" || transition.type === "instance-stopped") return false;
    // Of fifty that give way at once most are told by their events first, and many without a successor yet (SAFETY S12).
    if (transition.type === "became-backup" && lease.phase === "active" && lease.stream === this.#stream) {
      if (lease.parting !== undefined) return false;
      lease.parting = { cause: transition.cause, until: addMicros(now, claimWait) };
      this.revision++;
      return true;
    }
    this.#end(lease, transition.type, transition.cause);
    return true;
  }

  /** Every input that waited has been read. Ends and starts what is due, and refuses what nobody claimed. */
  tick(now: Instant): void {
    for (const lease of this.#leases.values()) {
      if (lease.phase === "ended") continue;
      if (lease.expiresAt <= now) this.#end(lease, "lease-expired");
      else if (lease.parting !== undefined && lease.parting.until <= now)
        this.#end(lease, "became-backup", lease.parting.cause);
      else if (lease.startDueAt !== undefined && lease.startDueAt <= now) this.#start(lease);
    }
    for (const [instance, { transition, refuseAt }] of this.#edges) {
      if (refuseAt > now) continue;
      this.#edges.delete(instance);
      this.#refusals.push({
        lease: instance,
        term: transition.term,
        instances: [instance],
        reason: "became-master without a claim",
        cause: transition.cause,
      });
    }
  }

  /**
   * This process was not scheduled from `since` on for longer than half a lease: such a lease is as good as ended until
   * election says it again (SAFETY S10). What it said in the meantime, and is young, counts.
   */
  suspendUnconfirmed(since: Instant, now: Instant): Lease[] {
    const suspended: Lease[] = [];
    for (const lease of this.#leases.values()) {
      if ((lease.phase !== "active" && lease.phase !== "waiting") || !isDoubtful(lease, since, now)) continue;
      lease.phase = "suspended";
      lease.startDueAt = undefined;
      this.revision++;
      suspended.push(lease);
    }
    return suspended;
  }

  end(lease: Lease, reason: EndReason): void {
    this.#end(lease, reason);
  }

  endAll(reason: EndReason): void {
    for (const lease of this.#leases.values()) this.#end(lease, reason);
  }

  /** When `tick` has something to do. */
  nextDeadline(): Instant | undefined {
    let first = Number.POSITIVE_INFINITY;
    for (const { phase, expiresAt, parting, startDueAt } of this.#leases.values()) {
      if (phase === "ended") continue;
      first = Math.min(first, expiresAt, parting?.until ?? first, startDueAt ?? first);
    }
    for (const { refuseAt } of this.#edges.values()) first = Math.min(first, refuseAt);
    return Number.isFinite(first) ? instant(first) : undefined;
  }
}

const isUnderWay = (lease: Lease | undefined): boolean => lease?.phase === "active" || lease?.phase === "waiting";

/** Its addresses are there and answer; a lease that parts answers nobody any more. */
export const isAnswering = (lease: Lease | undefined): boolean =>
  lease?.phase === "active" && lease.claim.state === "hold" && lease.parting === undefined;

function areSameRefusals(a: ReadonlyMap<string, Refusal>, b: ReadonlyMap<string, Refusal>): boolean {
  if (a.size !== b.size) return false;
  for (const [lease, { term: of, reason }] of a) {
    const other = b.get(lease);
    if (other?.term !== of || other.reason !== reason) return false;
  }
  return true;
}

const lengthOf = (claim: Claim): Micros => micros(Math.min(claim.length, leaseLengthMax));

/**
 * Whether anything may be added, renewed or announced on the word of this lease right now. A lease that is over or in
 * doubt and has not been acted on yet takes nothing away, but gives nothing either.
 */
export const isTrusted = (lease: Lease, ranUntil: Instant | undefined, now: Instant): boolean =>
  lease.phase === "active" &&
  lease.believed &&
  now < lease.expiresAt &&
  (ranUntil === undefined || !isDoubtful(lease, ranUntil, now));

/** Nothing believable has come since `since`, and that is longer ago than half a lease. */
const isDoubtful = (lease: Lease, since: Instant, now: Instant): boolean =>
  now - since > lengthOf(lease.claim) / 2 && lease.freshAt <= since;

const knownLease = (lease: Lease): KnownLease => ({
  lease: lease.id,
  highestTerm: term(lease.term),
  live: lease.phase !== "ended",
  expiresAt: lease.expiresAt,
  lastClaim: lease.claim,
});

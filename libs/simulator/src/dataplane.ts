// The dataplane of a router and its kernel, as far as the election can tell them apart from the real ones: leases that
// end (SAFETY S3), addresses that the kernel drops by itself (S10), ARP that falls silent (S6), answers that take time.
import { addMicros, type Instant, instant, type Term, term } from "@baton/domain";
import { type ElectionConfig, type GroupClaim, kernelLeaseSeconds, leaseLength, type ResumeRecord } from "@baton/vrrp";
import type { Random } from "./random.ts";

const second = 1_000_000;
/** From a frame to its answer: a unix socket and one round of netlink. */
const work = { min: 300, max: 3_000 } as const;
/** An address outlives its successor's announcement by this, and waits for none longer than that (SAFETY S6). */
const afterAnnouncement = 20_000;
const announcementLimit = 2 * second;
/** The kernel is up to this late in dropping what has expired (SAFETY S10). */
const kernelLateness = 630_000;

export interface Frame {
  readonly sentAt: Instant;
  readonly claim: GroupClaim;
  readonly memory: Omit<ResumeRecord, "term" | "expiresAt">;
}

export type Answer = {
  readonly type: "held" | "applying" | "released" | "refused";
  readonly term: Term;
  readonly sentAt: Instant;
};

export interface DataplaneWorld {
  now(): Instant;
  /** Runs on this router's clock; not while it is paused. */
  at(when: Instant, run: () => void): void;
  answer(answer: Answer): void;
  announce(): void;
  /** The addresses came or went, or ARP is answered now or not. */
  onChange(): void;
}

interface Lease {
  term: Term;
  expiresAt: Instant;
  memory: Frame["memory"];
  announced: number;
  /** LEAVING with a successor: when the addresses go at the latest. */
  goesAt: Instant | undefined;
}

export class Dataplane {
  readonly #world: DataplaneWorld;
  readonly #random: Random;
  readonly #config: ElectionConfig;
  #running = true;
  #hung = false;
  #waiting: Frame[] = [];
  #life = 0;
  #lease: Lease | undefined;
  #highestTerm = 0;
  #endedTerm = 0;
  #present = false;
  #silent = false;
  #kernelUntil: Instant = instant(0);
  #renewedFor: Instant = instant(0);

  constructor(world: DataplaneWorld, random: Random, config: ElectionConfig) {
    this.#world = world;
    this.#random = random;
    this.#config = config;
  }

  get isRunning(): boolean {
    return this.#running;
  }

  get holds(): boolean {
    return this.#present;
  }

  get answers(): boolean {
    return this.#present && !this.#silent;
  }

  get highestTerm(): Term {
    return term(this.#highestTerm);
  }

  resumeRecord(): ResumeRecord | undefined {
    const lease = this.#lease;
    if (lease === undefined || lease.goesAt !== undefined || lease.expiresAt <= this.#world.now()) return undefined;
    return { ...lease.memory, term: lease.term, expiresAt: lease.expiresAt };
  }

  receive(frame: Frame): void {
    if (!this.#running) return;
    const life = this.#life;
    this.#world.at(addMicros(this.#world.now(), this.#random.integer(work.min, work.max)), () => {
      if (life !== this.#life) return;
      if (this.#hung) this.#waiting.push(frame);
      else this.#judge(frame);
    });
  }

  /** Another router announces the addresses. */
  hearAnnouncement(): void {
    const lease = this.#lease;
    if (!this.#running || this.#hung || lease?.goesAt === undefined) return;
    this.#letGoBy(lease, addMicros(this.#world.now(), afterAnnouncement));
  }

  hang(): void {
    this.#hung = true;
  }

  /** Reads what waited before it looks at its leases (SAFETY S2). */
  wake(): void {
    this.#hung = false;
    for (const frame of this.#waiting.splice(0)) this.#judge(frame);
    this.#expire();
  }

  crash(): void {
    this.#running = false;
    this.#hung = false;
    this.#life++;
    this.#waiting = [];
    this.#lease = undefined;
    this.#highestTerm = 0;
    this.#endedTerm = 0;
  }

  /** Keeps what it finds until an election has had a lease's time to claim it (SAFETY S5). */
  restart(): void {
    this.#running = true;
    const life = this.#life;
    this.#world.at(addMicros(this.#world.now(), leaseLength(this.#config)), () => {
      if (life === this.#life && this.#lease === undefined) this.#set(false, false);
    });
  }

  #judge(frame: Frame): void {
    const { claim, sentAt, memory } = frame;
    this.#expire();
    this.#highestTerm = Math.max(this.#highestTerm, claim.term);
    const now = this.#world.now();
    const expiresAt = addMicros(sentAt, leaseLength(this.#config));
    const known = this.#lease;
    if (claim.term <= this.#endedTerm || (known !== undefined && claim.term < known.term) || expiresAt <= now) {
      this.#world.answer({ type: "released", term: claim.term, sentAt });
      return;
    }
    if (claim.state === "release") return this.#end(claim.term, sentAt);
    const isNew = known === undefined || known.term !== claim.term;
    const lease: Lease = isNew ? { term: claim.term, expiresAt, memory, announced: -1, goesAt: undefined } : known;
    lease.expiresAt = instant(Math.max(lease.expiresAt, expiresAt));
    lease.memory = memory;
    this.#lease = lease;
    this.#obey(lease, claim, now);
    this.#world.at(lease.expiresAt, () => this.#expire());
    this.#world.answer({
      type: this.#present || claim.state === "silent" ? "held" : "applying",
      term: claim.term,
      sentAt,
    });
  }

  #obey(lease: Lease, claim: GroupClaim, now: Instant): void {
    if (claim.state === "hold") {
      const isAnnounced = lease.announced >= claim.announce && this.#present;
      this.#set(true, false);
      if (!isAnnounced) this.#world.announce();
      lease.announced = claim.announce;
    } else if (claim.state === "silent") this.#set(this.#present, true);
    else if (claim.successorHeard && lease.goesAt === undefined) {
      this.#set(this.#present, true);
      this.#letGoBy(lease, addMicros(now, announcementLimit));
    }
    // Renewed with each advert that election has sent (SAFETY S10).
    if (this.#present && lease.memory.lastAdvertAt > this.#renewedFor) this.#renew(lease.memory.lastAdvertAt, now);
  }

  #renew(advertAt: Instant, now: Instant): void {
    this.#renewedFor = advertAt;
    const length = kernelLeaseSeconds(this.#config) * second + this.#random.integer(50_000, kernelLateness);
    this.#kernelUntil = addMicros(now, length);
    const until = this.#kernelUntil;
    this.#world.at(until, () => {
      if (this.#kernelUntil === until) this.#set(false, false);
    });
  }

  #letGoBy(lease: Lease, at: Instant): void {
    if (lease.goesAt !== undefined && lease.goesAt <= at) return;
    lease.goesAt = at;
    const life = this.#life;
    this.#world.at(at, () => {
      if (life === this.#life && this.#lease === lease && !this.#hung) this.#end(lease.term, this.#world.now());
    });
  }

  #expire(): void {
    const lease = this.#lease;
    if (!this.#running || this.#hung || lease === undefined || lease.expiresAt > this.#world.now()) return;
    this.#endedTerm = Math.max(this.#endedTerm, lease.term);
    this.#lease = undefined;
    this.#set(false, false);
  }

  #end(of: Term, sentAt: Instant): void {
    this.#endedTerm = Math.max(this.#endedTerm, of);
    this.#lease = undefined;
    this.#set(false, false);
    this.#world.answer({ type: "released", term: of, sentAt });
  }

  #set(present: boolean, silent: boolean): void {
    // Added: the kernel's lease begins with the address.
    const isAdded = present && !this.#present;
    const isChanged = present !== this.#present || (present && silent) !== this.#silent;
    this.#present = present;
    this.#silent = present && silent;
    if (isAdded)
      this.#renew(instant(Math.max(this.#renewedFor, this.#lease?.memory.lastAdvertAt ?? 0)), this.#world.now());
    if (isChanged) this.#world.onChange();
  }
}

// The dataplane of a router and its kernel, as far as the election can tell them apart from the real ones: leases that
// end (SAFETY S3), streams that replace each other (S5), addresses that the kernel drops by itself (S10), ARP that falls
// silent (S6), answers that take time.
import { addMicros, type Instant, instant, type Micros, type Term, term } from "@baton/domain";
import { type ElectionConfig, type GroupClaim, kernelLeaseSeconds, leaseLength, type ResumeRecord } from "@baton/vrrp";
import { Alarm, type LocalTime } from "./local-time.ts";
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
  /** Of the lease that it asks for. */
  readonly length: Micros;
  readonly memory: Omit<ResumeRecord, "term" | "expiresAt">;
}

export type Answer = {
  readonly type: "held" | "applying" | "failed" | "released" | "refused";
  readonly term: Term;
  readonly sentAt: Instant;
};

/** An election's end of the stream. */
export interface LeaseClient {
  answer(answer: Answer): void;
  /** A newer stream has taken its place (SAFETY S5). */
  replaced(): void;
}

export interface DataplaneWorld extends LocalTime {
  announce(): void;
  /** The addresses came or went, or ARP is answered now or not. */
  onChange(): void;
}

interface Lease {
  readonly term: Term;
  readonly stream: number;
  sentAt: Instant;
  expiresAt: Instant;
  memory: Frame["memory"];
  announced: number;
  /** False after a frame that was half a lease old when it was read: nothing is added on its word (SAFETY S10). */
  believed: boolean;
  ended: boolean;
  /** LEAVING with a successor: when the addresses go at the latest. */
  goesAt: Instant | undefined;
}

export class Dataplane {
  /** It cannot program what is claimed (SAFETY S9). */
  isFailing = false;
  /** How much longer than usual its work takes, in microseconds: it has just started, or has a thousand addresses to add. */
  slowness = 0;
  readonly #world: DataplaneWorld;
  readonly #random: Random;
  #config: ElectionConfig;
  #running = true;
  #hungAt: Instant | undefined;
  #waiting: { readonly stream: number; readonly frame: Frame }[] = [];
  #life = 0;
  #streams = 0;
  #workDone: Instant = instant(0);
  #client: LeaseClient | undefined;
  #lease: Lease | undefined;
  #highestTerm = 0;
  #present = false;
  #silent = false;
  /** Until then what a restart found stays, for an election to claim it. */
  #foundUntil: Instant = instant(0);
  #kernelUntil: Instant = instant(0);
  #renewedFor: Instant = instant(0);
  readonly #expiry: Alarm;
  readonly #kernelExpiry: Alarm;

  constructor(world: DataplaneWorld, random: Random, config: ElectionConfig) {
    this.#world = world;
    this.#random = random;
    this.#config = config;
    this.#expiry = new Alarm(world, () => this.#expire());
    this.#kernelExpiry = new Alarm(world, () => {
      if (this.#kernelUntil <= world.now()) this.#set(false, false);
    });
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

  /** Whether an address may be there now: a live term, or nobody who could remove it and the kernel's own lease runs. */
  get isEntitled(): boolean {
    const now = this.#world.now();
    if (!this.#running || this.#hungAt !== undefined || this.#foundUntil >= now) return this.#kernelUntil >= now;
    return this.#lease?.ended === false && this.#lease.expiresAt >= now;
  }

  /** The last advert after which the kernel's lease was renewed (SAFETY S10). */
  get renewedFor(): Instant {
    return this.#renewedFor;
  }

  configure(config: ElectionConfig): void {
    this.#config = config;
  }

  resumeRecord(): ResumeRecord | undefined {
    const lease = this.#lease;
    if (lease === undefined || lease.ended || lease.goesAt !== undefined || lease.expiresAt <= this.#world.now())
      return undefined;
    return { ...lease.memory, term: lease.term, expiresAt: lease.expiresAt };
  }

  /** One stream at a time: the newer one wins (SAFETY S5). */
  open(client: LeaseClient): number {
    const older = this.#client;
    this.#client = client;
    this.#streams++;
    older?.replaced();
    return this.#streams;
  }

  receive(stream: number, frame: Frame): void {
    if (!this.#running) return;
    const life = this.#life;
    // One stream: no frame overtakes another.
    const done = addMicros(this.#world.now(), this.slowness + this.#random.integer(work.min, work.max));
    this.#workDone = instant(Math.max(done, this.#workDone));
    this.#world.at(this.#workDone, () => {
      if (life !== this.#life) return;
      if (this.#hungAt !== undefined) this.#waiting.push({ stream, frame });
      else this.#judge(stream, frame);
    });
  }

  /** Another router announces the addresses. */
  hearAnnouncement(): void {
    const lease = this.#lease;
    if (!this.#running || this.#hungAt !== undefined || lease?.goesAt === undefined) return;
    this.#letGoBy(lease, addMicros(this.#world.now(), afterAnnouncement));
  }

  hang(): void {
    if (this.#running) this.#hungAt ??= this.#world.now();
  }

  /** Reads what waited before it looks at its leases (SAFETY S2); what nobody young has confirmed, it removes (S10). */
  wake(): void {
    const since = this.#hungAt;
    if (since === undefined) return;
    this.#hungAt = undefined;
    for (const { stream, frame } of this.#waiting.splice(0)) this.#judge(stream, frame);
    this.#expire();
    const lease = this.#lease;
    const late = this.#world.now() - since > leaseLength(this.#config) / 2;
    if (!late || lease === undefined || lease.ended || (lease.believed && lease.sentAt > since)) return;
    lease.believed = false;
    this.#set(false, false);
  }

  crash(): void {
    this.#running = false;
    this.#hungAt = undefined;
    this.#life++;
    this.#waiting = [];
    this.#lease = undefined;
    this.#client = undefined;
    this.#highestTerm = 0;
  }

  /** The machine went down with it: no kernel, no addresses. */
  powerOff(): void {
    this.crash();
    this.#kernelUntil = instant(0);
    this.#renewedFor = instant(0);
    this.#foundUntil = instant(0);
    this.#set(false, false);
  }

  /** Keeps what it finds until an election has had a lease's time to claim it (SAFETY S5). */
  restart(): void {
    this.#running = true;
    const life = this.#life;
    this.#foundUntil = addMicros(this.#world.now(), leaseLength(this.#config));
    this.#world.at(this.#foundUntil, () => {
      if (life === this.#life && this.#lease === undefined) this.#set(false, false);
    });
  }

  #judge(stream: number, frame: Frame): void {
    if (stream !== this.#streams) return;
    const { claim, sentAt } = frame;
    this.#expire();
    this.#highestTerm = Math.max(this.#highestTerm, claim.term);
    const lease = this.#lease;
    const now = this.#world.now();
    if (lease !== undefined && claim.term === lease.term && lease.stream === stream) this.#renew(lease, frame, now);
    else if (lease !== undefined && claim.term <= lease.term) this.#refuse(claim.term, sentAt);
    // Over before it was read: the next claim is a new term.
    else if (claim.state !== "release" && sentAt + frame.length <= now) this.#refuse(claim.term, sentAt);
    else this.#grant(stream, frame, now);
  }

  #refuse(of: Term, sentAt: Instant): void {
    this.#client?.answer({ type: "refused", term: of, sentAt });
  }

  #grant(stream: number, frame: Frame, now: Instant): void {
    const { claim, sentAt, memory } = frame;
    const lease: Lease = {
      term: claim.term,
      stream,
      sentAt,
      expiresAt: sentAt,
      memory,
      announced: -1,
      believed: false,
      ended: false,
      goesAt: undefined,
    };
    this.#lease = lease;
    this.#foundUntil = instant(0);
    this.#renew(lease, frame, now);
  }

  #renew(lease: Lease, { claim, sentAt, length, memory }: Frame, now: Instant): void {
    // Sent after its own end: the sender had let a whole lease pass, whenever we come to notice.
    if (sentAt > lease.expiresAt) this.#finish(lease);
    if (lease.ended) {
      if (claim.state === "hold" || claim.state === "silent") return this.#refuse(claim.term, sentAt);
      this.#client?.answer({ type: "released", term: claim.term, sentAt });
      return;
    }
    lease.sentAt = instant(Math.max(lease.sentAt, sentAt));
    lease.expiresAt = addMicros(lease.sentAt, length);
    lease.memory = memory;
    lease.believed = now - sentAt <= length / 2;
    if (claim.state === "release") return this.#finish(lease);
    this.#obey(lease, claim, now);
    if (this.#lease !== lease || lease.ended) return;
    this.#expiry.set(lease.expiresAt);
    this.#client?.answer({ type: this.#standing(claim), term: claim.term, sentAt });
  }

  #standing({ state }: GroupClaim): "held" | "applying" | "failed" {
    if (this.#present || state === "silent") return "held";
    return this.isFailing && state === "hold" ? "failed" : "applying";
  }

  #obey(lease: Lease, claim: GroupClaim, now: Instant): void {
    if (claim.state === "hold") this.#hold(lease, claim);
    else if (claim.state === "silent") this.#set(this.#present, true);
    else if (claim.successorHeard && lease.goesAt === undefined) {
      this.#set(this.#present, true);
      this.#letGoBy(lease, addMicros(now, announcementLimit));
    }
    // Renewed with each advert that election has sent (SAFETY S10).
    if (this.#present && lease.believed && lease.memory.lastAdvertAt > this.#renewedFor)
      this.#renewInKernel(lease.memory.lastAdvertAt, now);
  }

  #hold(lease: Lease, claim: GroupClaim): void {
    if (!lease.believed) return;
    const isAnnounced = lease.announced >= claim.announce && this.#present;
    if (this.#present || !this.isFailing) this.#set(true, false);
    if (!isAnnounced && this.#present) this.#world.announce();
    if (this.#present) lease.announced = claim.announce;
  }

  #renewInKernel(advertAt: Instant, now: Instant): void {
    this.#renewedFor = advertAt;
    const length = kernelLeaseSeconds(this.#config) * second + this.#random.integer(50_000, kernelLateness);
    this.#kernelUntil = addMicros(now, length);
    this.#kernelExpiry.set(this.#kernelUntil);
  }

  #letGoBy(lease: Lease, at: Instant): void {
    if (lease.goesAt !== undefined && lease.goesAt <= at) return;
    lease.goesAt = at;
    const life = this.#life;
    this.#world.at(at, () => {
      if (life === this.#life && this.#lease === lease && !lease.ended && this.#hungAt === undefined)
        this.#finish(lease);
    });
  }

  #expire(): void {
    const lease = this.#lease;
    if (!this.#running || this.#hungAt !== undefined || lease === undefined || lease.ended) return;
    if (lease.expiresAt <= this.#world.now()) this.#finish(lease);
    else this.#expiry.set(lease.expiresAt);
  }

  /** It tells whoever is there to hear it, without being asked. */
  #finish(lease: Lease): void {
    lease.ended = true;
    this.#set(false, false);
    if (lease.stream === this.#streams)
      this.#client?.answer({ type: "released", term: lease.term, sentAt: lease.sentAt });
  }

  #set(present: boolean, silent: boolean): void {
    // Added: the kernel's lease begins with the address.
    const isAdded = present && !this.#present;
    const isChanged = present !== this.#present || (present && silent) !== this.#silent;
    this.#present = present;
    this.#silent = present && silent;
    if (isAdded)
      this.#renewInKernel(
        instant(Math.max(this.#renewedFor, this.#lease?.memory.lastAdvertAt ?? 0)),
        this.#world.now(),
      );
    if (isChanged) this.#world.onChange();
  }
}

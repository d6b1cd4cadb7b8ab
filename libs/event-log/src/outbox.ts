// Events on their way to the stream: journal first, then publish, in order per aggregate, each once (SAFETY S7, S8).
//
// Three modes. Away: events go to the journal only. Resync, after every connect: read the journal from its oldest held
// segment, ask the stream once per aggregate for its last version, skip what is there, publish the rest. Live: publish
// as events come. At most one publish per aggregate is on its way, so the stream's last version says all; publishes of
// different aggregates overlap. When anything is doubtful (no answer, a refusal that may pass) the mode goes back to
// resync, and what was on its way is asked for again: JetStream drops it by its message id if it did arrive.
import { type EncodedEvent, encodeMessage, subjectFilter } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";
import { type Bus, limits, PublishError } from "./bus.ts";
import { isAfter } from "./envelope.ts";
import { aggregateKey, type Journal, journalLimits, openJournal, type Position, type Recovered } from "./journal.ts";

export const outboxLimits = {
  /** Events kept in memory while the file system refuses them. */
  ringMax: 10_000,
  /** Live events on their way or waiting behind one of their aggregate; beyond it: resync, that is from the disk. */
  queuedMax: 4_096,
  rotateAfterMs: 60_000,
  tidyEveryMs: 30_000,
  retryDiskMs: 1_000,
  resyncPausesMs: [50, 100, 200, 500, 1_000],
} as const;

export interface OutboxOptions {
  readonly directory: string;
  readonly bus: Bus;
  readonly node: string;
  /** The machine's boot id: tells a power cut from a killed process. */
  readonly boot?: string;
  /** Monotonic milliseconds. */
  now(): number;
  /** Events that no file, memory or stream holds any more. */
  onLost(count: number, reason: string): void;
  onProblem(message: string, error?: unknown): void;
  /** Beyond this the oldest segments go, published or not, and that is told. */
  readonly bytesMax?: number;
}

export interface OutboxStats {
  readonly connected: boolean;
  /** Connected, and everything before was compared with what the stream holds. */
  readonly live: boolean;
  /** Events that the stream is not known to hold. */
  readonly backlog: number;
  /** `at` of the oldest of them. */
  readonly oldestAt: number | undefined;
}

export interface Outbox {
  readonly recovered: Recovered;
  append(envelopes: readonly EventEnvelope[]): void;
  stats(): OutboxStats;
  /** How many segments the journal holds. */
  held(): number;
  /** What its timer does: rotates, and removes what need not be held any longer. */
  tidy(): void;
  /** Waits until the journal is on the disk and, while the bus is there, the stream holds everything. */
  flush(boundMs: number): Promise<boolean>;
  close(): Promise<void>;
}

interface Item {
  readonly envelope: EventEnvelope;
  /** Undefined while the event is in no segment. */
  readonly ordinal: number | undefined;
}

interface SegmentStanding {
  /** Found in this segment and not known to be stored. */
  open: Set<string>;
  /** When the stream was known to hold all of it, in `now()` time. */
  settledAt: number | undefined;
}

type LastStored = Pick<EventEnvelope, "epoch" | "version"> | undefined;

export function openOutbox(options: OutboxOptions): Outbox {
  const onError = (error: Error) => options.onProblem("outbox: fsync failed", error);
  const { directory, boot = "" } = options;
  return openOutboxOn(openJournal({ directory, boot, onError }), options);
}

export const openOutboxOn = (journal: Journal, options: Omit<OutboxOptions, "directory">): Outbox =>
  new JournaledOutbox(options, journal);

class JournaledOutbox implements Outbox {
  readonly recovered: Recovered;
  readonly #options: Omit<OutboxOptions, "directory">;
  readonly #journal: Journal;
  readonly #queues = new Map<string, Item[]>();
  readonly #standings = new Map<number, SegmentStanding>();
  readonly #tidyTimer: NodeJS.Timeout;
  readonly #status: { close(): void };
  #mode: "away" | "resync" | "live" = "away";
  /** Rises with every resync and loss of the bus: answers to publishes of an older run count for nothing. */
  #run = 0;
  #failures = 0;
  #queued = 0;
  /** Waiters for room in the queues, or for the backlog to become empty. */
  readonly #waiters = new Set<() => void>();
  #unjournaled: EventEnvelope[] = [];
  #diskTimer: NodeJS.Timeout | undefined;
  #diskProblem = false;
  #resyncTimer: NodeJS.Timeout | undefined;
  /** Where resync stands in the journal. */
  #cursor: Position = { ordinal: 0, byte: 0 };
  /** Events in the journal that are neither queued nor known to be stored. */
  #unread = 0;
  #oldestUnread: number | undefined;
  #rotatedAt: number;
  #closed = false;

  constructor(options: Omit<OutboxOptions, "directory">, journal: Journal) {
    this.#options = options;
    this.#journal = journal;
    this.recovered = journal.recovered;
    this.#rotatedAt = options.now();
    this.#unread = journal.segments().reduce((sum, segment) => sum + segment.count, 0);
    this.#status = options.bus.onStatus((connected) => (connected ? this.#startResync() : this.#goAway()));
    this.#tidyTimer = setInterval(() => this.tidy(), outboxLimits.tidyEveryMs);
    this.#tidyTimer.unref();
  }

  append(envelopes: readonly EventEnvelope[]): void {
    if (envelopes.length === 0) return;
    const ordinal = this.#unjournaled.length > 0 ? undefined : this.#tryJournal(envelopes);
    if (ordinal === undefined) this.#keepInMemory(envelopes);
    if (this.#mode === "live") {
      for (const envelope of envelopes) this.#enqueue({ envelope, ordinal });
      if (this.#queued > outboxLimits.queuedMax) this.#startResync();
    } else if (ordinal !== undefined) {
      this.#unread += envelopes.length;
      this.#oldestUnread ??= envelopes[0]?.at;
    }
  }

  stats(): OutboxStats {
    let oldest = this.#unread > 0 ? this.#oldestUnread : undefined;
    for (const queue of this.#queues.values()) {
      const at = queue[0]?.envelope.at;
      if (at !== undefined && (oldest === undefined || at < oldest)) oldest = at;
    }
    const inMemory = this.#mode === "live" ? 0 : this.#unjournaled.length;
    return {
      connected: this.#options.bus.connected,
      live: this.#mode === "live",
      backlog: this.#queued + this.#unread + inMemory,
      oldestAt: oldest ?? (inMemory > 0 ? this.#unjournaled[0]?.at : undefined),
    };
  }

  async flush(boundMs: number): Promise<boolean> {
    const synced = this.#journal.sync();
    const deadline = this.#options.now() + boundMs;
    while (this.#options.bus.connected && !this.#settled()) {
      const left = deadline - this.#options.now();
      if (left <= 0) break;
      await this.#progress(left);
    }
    await synced;
    return this.stats().backlog === 0;
  }

  #settled(): boolean {
    const { live, backlog } = this.stats();
    return live && backlog === 0;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#goAway();
    this.#status.close();
    clearInterval(this.#tidyTimer);
    clearTimeout(this.#diskTimer);
    await this.#journal.close();
  }

  // --- journal ---

  #tryJournal(envelopes: readonly EventEnvelope[]): number | undefined {
    try {
      const { ordinal } = this.#journal.append(envelopes);
      this.#standing(ordinal).settledAt = undefined;
      this.#diskProblem = false;
      return ordinal;
    } catch (error) {
      if (!this.#diskProblem) this.#options.onProblem("outbox: cannot write, events wait in memory", error);
      this.#diskProblem = true;
      return undefined;
    }
  }

  /** The ring: when it is full the oldest events go, and that is said. */
  #keepInMemory(envelopes: readonly EventEnvelope[]): void {
    this.#unjournaled.push(...envelopes);
    const lost = this.#unjournaled.length - outboxLimits.ringMax;
    if (lost > 0) {
      this.#unjournaled.splice(0, lost);
      if (this.#mode !== "live") this.#options.onLost(lost, "outbox not writable");
    }
    this.#diskTimer ??= setTimeout(() => this.#retryDisk(), outboxLimits.retryDiskMs);
  }

  #retryDisk(): void {
    this.#diskTimer = undefined;
    const waiting = this.#unjournaled;
    if (this.#closed || waiting.length === 0) return;
    if (this.#tryJournal(waiting) === undefined) {
      this.#diskTimer = setTimeout(() => this.#retryDisk(), outboxLimits.retryDiskMs);
      return;
    }
    this.#unjournaled = [];
    // Some of them were published while they were in memory only: the stream knows which.
    if (this.#mode === "away") this.#unread += waiting.length;
    else this.#startResync();
  }

  #standing(ordinal: number): SegmentStanding {
    let standing = this.#standings.get(ordinal);
    if (standing === undefined) {
      standing = { open: new Set(), settledAt: undefined };
      this.#standings.set(ordinal, standing);
    }
    return standing;
  }

  held(): number {
    return this.#journal.segments().length;
  }

  /** Removes segments that the stream has held for long enough, and the oldest ones when the disk limit is reached. */
  tidy(): void {
    const now = this.#options.now();
    const bytesMax = this.#options.bytesMax ?? journalLimits.bytesMax;
    try {
      const active = this.#journal.segments().at(-1);
      if (active !== undefined && active.count > 0 && now - this.#rotatedAt >= outboxLimits.rotateAfterMs) {
        this.#journal.rotate();
        this.#rotatedAt = now;
      }
      for (const segment of this.#journal.segments().slice(0, -1)) {
        const standing = this.#standing(segment.ordinal);
        if (this.#mode === "live" && standing.open.size === 0) standing.settledAt ??= now;
        const held = standing.settledAt !== undefined && now - standing.settledAt >= limits.holdMs;
        if (!(this.#mode === "live" && held) && this.#journal.bytes <= bytesMax) return;
        const removed = this.#journal.remove(segment.ordinal);
        this.#standings.delete(segment.ordinal);
        if (!held && standing.settledAt === undefined) this.#options.onLost(removed, "outbox full");
      }
    } catch (error) {
      this.#options.onProblem("outbox: cannot tidy", error);
    }
  }

  // --- bus ---

  #goAway(): void {
    this.#mode = "away";
    this.#interrupt();
    this.#wake();
  }

  /** What was on its way is unread again: the next resync asks the stream about it. */
  #interrupt(): void {
    this.#run++;
    clearTimeout(this.#resyncTimer);
    for (const queue of this.#queues.values()) {
      const at = queue[0]?.envelope.at;
      if (at !== undefined && at < (this.#oldestUnread ?? Number.POSITIVE_INFINITY)) this.#oldestUnread = at;
    }
    this.#unread += this.#queued;
    this.#queued = 0;
    this.#queues.clear();
    for (const standing of this.#standings.values()) standing.open.clear();
  }

  #startResync(): void {
    if (this.#closed) return;
    this.#interrupt();
    const run = this.#run;
    this.#mode = "resync";
    this.#cursor = { ordinal: 0, byte: 0 };
    this.#resync(run).catch((error: unknown) => this.#resyncLater(run, error));
  }

  #resyncLater(run: number, error: unknown): void {
    if (run !== this.#run || this.#closed) return;
    const pauses = outboxLimits.resyncPausesMs;
    const pause = pauses[Math.min(this.#failures++, pauses.length - 1)] ?? 1_000;
    if (this.#failures === pauses.length) this.#options.onProblem("outbox: the stream does not take events", error);
    this.#goAway();
    this.#resyncTimer = setTimeout(() => this.#startResync(), pause);
  }

  async #resync(run: number): Promise<void> {
    const last = new Map<string, LastStored>();
    for (;;) {
      const chunk = this.#journal.read(this.#cursor);
      // Nothing was appended since the read: from here on events go straight to the bus.
      if (chunk === undefined) break;
      this.#cursor = chunk.next;
      const standing = this.#standing(chunk.ordinal);
      for (const envelope of chunk.envelopes) {
        await this.#publishMissing({ envelope, ordinal: chunk.ordinal }, last, run);
        if (run !== this.#run) return;
      }
      if (standing.open.size === 0) standing.settledAt ??= this.#options.now();
    }
    for (const envelope of this.#unjournaled) this.#enqueueMissing({ envelope, ordinal: undefined }, last);
    this.#unread = 0;
    this.#oldestUnread = undefined;
    this.#mode = "live";
    this.#wake();
  }

  async #publishMissing(item: Item, last: Map<string, LastStored>, run: number): Promise<void> {
    const { aggregate } = item.envelope;
    const key = aggregateKey(aggregate);
    if (!last.has(key)) {
      const subject = subjectFilter({ node: this.#options.node, kind: aggregate.kind, id: aggregate.id });
      const stored = await this.#options.bus.last(subject);
      if (run !== this.#run) return;
      last.set(key, stored?.envelope);
    }
    this.#enqueueMissing(item, last);
    while (this.#queued >= limits.inFlightMax && run === this.#run) await this.#progress(limits.publishTimeoutMs);
  }

  #enqueueMissing(item: Item, last: Map<string, LastStored>): void {
    const key = aggregateKey(item.envelope.aggregate);
    if (!isAfter(item.envelope, last.get(key))) return;
    last.set(key, item.envelope);
    this.#unread = Math.max(0, this.#unread - 1);
    this.#enqueue(item);
  }

  #enqueue(item: Item): void {
    if (item.ordinal !== undefined) {
      const standing = this.#standing(item.ordinal);
      standing.open.add(item.envelope.id);
      standing.settledAt = undefined;
    }
    const key = aggregateKey(item.envelope.aggregate);
    const queue = this.#queues.get(key);
    this.#queued++;
    if (queue !== undefined) {
      queue.push(item);
      return;
    }
    this.#queues.set(key, [item]);
    this.#publish(item, key, this.#run);
  }

  #publish(item: Item, key: string, run: number): void {
    this.#attempt(item.envelope).then(
      () => this.#settle(item, key, run),
      (error: unknown) => {
        if (run !== this.#run) return;
        if (!(error instanceof PublishError) || error.refusal === "away") return this.#resyncLater(run, error);
        this.#options.onProblem("outbox: the bus refuses an event for good", error);
        this.#options.onLost(1, error.message);
        this.#settle(item, key, run);
      },
    );
  }

  async #attempt(envelope: EventEnvelope): Promise<unknown> {
    let message: EncodedEvent;
    try {
      message = encodeMessage(envelope);
    } catch (error) {
      throw new PublishError("refused", `event ${envelope.id} cannot be encoded: ${String(error)}`, { cause: error });
    }
    return this.#options.bus.publish(message);
  }

  #settle(item: Item, key: string, run: number): void {
    if (item.ordinal !== undefined) this.#standings.get(item.ordinal)?.open.delete(item.envelope.id);
    if (run !== this.#run) return;
    this.#failures = 0;
    this.#queued--;
    const queue = this.#queues.get(key);
    queue?.shift();
    const next = queue?.[0];
    if (next === undefined) this.#queues.delete(key);
    else this.#publish(next, key, run);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }

  /** Resolves with the next settled publish or change of mode, or when the time is over. */
  #progress(boundMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, boundMs);
      this.#waiters.add(done);
    });
  }
}

// Main's end of the backstage thread. Main never waits for it: what it hands over goes into batches, one per loop turn,
// and what backstage has not taken yet stays here, bounded, so that a thread that dies is replaced and gets it again.
import { Worker } from "node:worker_threads";
import { type EventEnvelope, messageOf } from "@baton/domain";
import type { SpanRecord } from "@baton/telemetry";
import type { BackstageData, BackstageStanding, Batch, FromBackstage, ToBackstage } from "./backstage-messages.ts";

export const linkLimits = {
  /** Batches that backstage has not taken: beyond them main holds back. */
  batchesMax: 64,
  /** Events, spans and lines held back on main. */
  eventsMax: 10_000,
  spansMax: 1_000,
  linesMax: 1_000,
  respawnPausesMs: [0, 100, 1_000, 5_000],
  lastWordsMs: 300,
  /** A thread that has not spoken yet is still loading its code. */
  firstWordsMs: 3_000,
  /** A thread that lived this long starts the pauses from the beginning. */
  settledMs: 60_000,
} as const;

export interface BackstageLink {
  append(envelope: EventEnvelope): void;
  span(span: SpanRecord): void;
  line(text: string): void;
  /** Live messages of the bus whose subject matches. */
  subscribe(filter: string, handler: (envelope: EventEnvelope) => void): { close(): void };
  /** Null: off. */
  telemetry(otlp: Extract<ToBackstage, { type: "telemetry" }>["otlp"]): void;
  standing(): BackstageStanding;
  /** Resolves when backstage has written and published what it has, or when the time is over. */
  flush(boundMs: number): Promise<boolean>;
  /**
   * Hands a line over and blocks this thread until it is written, but not for long: the process ends next. False: the
   * other thread did not say that it was.
   */
  lastWords(line: string): boolean;
  close(boundMs: number): Promise<void>;
}

/** The part of a Worker that is used; tests give their own. */
export interface BackstageThread {
  postMessage(message: ToBackstage): void;
  on(event: "message", listener: (message: FromBackstage) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  terminate(): unknown;
}

/** Sources cannot run in a worker on Node 20: a test that imports the source gets the built file. */
const entry = new URL(import.meta.url.endsWith(".ts") ? "../dist/backstage.js" : "./backstage.js", import.meta.url);

/** A leak or a bug in there ends the thread, not the service. */
const resourceLimits = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

/**
 * `onOutput` gets what libraries in the thread print: left alone, Node would have the main thread write it to stderr,
 * which blocks when that is a file or a full pipe.
 */
export function spawnBackstage(data: BackstageData, onOutput: (text: string) => void): BackstageThread {
  const thread = new Worker(entry, { workerData: data, resourceLimits, stdout: true, stderr: true });
  for (const stream of [thread.stdout, thread.stderr]) {
    stream.on("data", (chunk: Buffer) => onOutput(chunk.toString().trimEnd()));
  }
  return thread;
}

export interface LinkOptions {
  /** `replaced`: an earlier thread of this process died. */
  spawn(replaced: boolean): BackstageThread;
  onLost(count: number, reason: string): void;
  /** The thread died; `message` says why. */
  onDeath(message: string): void;
}

const away: BackstageStanding = {
  connected: false,
  backlog: 0,
  oldestAt: undefined,
  malformed: 0,
  spansDropped: 0,
  linesDropped: 0,
};

export function openBackstageLink(options: LinkOptions): BackstageLink {
  return new ThreadLink(options);
}

class ThreadLink implements BackstageLink {
  readonly #options: LinkOptions;
  #thread: BackstageThread | undefined;
  #startedAt = 0;
  #deaths = 0;
  #replaced = false;
  /** This thread has said something: it runs. */
  #spoken = false;
  #respawnTimer: NodeJS.Timeout | undefined;
  #standing = away;
  #closing = false;
  #sequence = 0;
  #inFlight: Batch[] = [];
  #events: EventEnvelope[] = [];
  #spans: SpanRecord[] = [];
  #lines: string[] = [];
  #spansDropped = 0;
  #linesDropped = 0;
  #scheduled = false;
  #otlp: Extract<ToBackstage, { type: "telemetry" }>["otlp"] | undefined;
  #nextId = 1;
  readonly #subscriptions = new Map<number, { filter: string; handler: (envelope: EventEnvelope) => void }>();
  readonly #answers = new Map<number, (complete: boolean) => void>();
  #closed: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#start();
  }

  append(envelope: EventEnvelope): void {
    this.#events.push(envelope);
    if (this.#events.length > linkLimits.eventsMax) {
      // Only a thread that hangs lets this grow; the newest events say more than the oldest.
      const lost = this.#events.splice(0, linkLimits.eventsMax / 10).length;
      this.#options.onLost(lost, "backstage thread not responding");
    }
    this.#schedule();
  }

  span(span: SpanRecord): void {
    if (this.#spans.length >= linkLimits.spansMax) this.#spansDropped++;
    else this.#spans.push(span);
    this.#schedule();
  }

  line(text: string): void {
    if (this.#lines.length >= linkLimits.linesMax) this.#linesDropped++;
    else this.#lines.push(text);
    this.#schedule();
  }

  subscribe(filter: string, handler: (envelope: EventEnvelope) => void): { close(): void } {
    const id = this.#nextId++;
    this.#subscriptions.set(id, { filter, handler });
    this.#post({ type: "subscribe", id, filter });
    return {
      close: () => {
        if (this.#subscriptions.delete(id)) this.#post({ type: "unsubscribe", id });
      },
    };
  }

  telemetry(otlp: Extract<ToBackstage, { type: "telemetry" }>["otlp"]): void {
    this.#otlp = otlp;
    this.#post({ type: "telemetry", otlp });
  }

  standing(): BackstageStanding {
    const held = this.#events.length + this.#inFlight.reduce((sum, batch) => sum + batch.events.length, 0);
    return {
      ...this.#standing,
      backlog: this.#standing.backlog + held,
      oldestAt: this.#standing.oldestAt ?? this.#inFlight[0]?.events[0]?.at ?? this.#events[0]?.at,
      spansDropped: this.#standing.spansDropped + this.#spansDropped,
      linesDropped: this.#standing.linesDropped + this.#linesDropped,
    };
  }

  flush(boundMs: number): Promise<boolean> {
    this.#send();
    if (this.#thread === undefined) return Promise.resolve(false);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const answer = (complete: boolean) => {
        clearTimeout(timer);
        this.#answers.delete(id);
        resolve(complete);
      };
      const timer = setTimeout(() => answer(false), boundMs + 100);
      this.#answers.set(id, answer);
      this.#post({ type: "flush", id, boundMs });
    });
  }

  lastWords(line: string): boolean {
    const boundMs = this.#spoken ? linkLimits.lastWordsMs : linkLimits.firstWordsMs;
    this.#send();
    if (this.#thread === undefined) return false;
    const done = new SharedArrayBuffer(4);
    this.#post({ type: "last-words", lines: [line], done });
    return Atomics.wait(new Int32Array(done), 0, 0, boundMs) !== "timed-out";
  }

  async close(boundMs: number): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#respawnTimer);
    const thread = this.#thread;
    if (thread === undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, boundMs);
      this.#closed = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#send();
      this.#post({ type: "close" });
    });
    thread.terminate();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the step that is running, so that an advert or a netlink message goes out first.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#thread === undefined || this.#inFlight.length >= linkLimits.batchesMax) return;
    if (this.#events.length === 0 && this.#spans.length === 0 && this.#lines.length === 0) return;
    const batch = { sequence: ++this.#sequence, events: this.#events, spans: this.#spans, lines: this.#lines };
    this.#events = [];
    this.#spans = [];
    this.#lines = [];
    this.#inFlight.push(batch);
    this.#post({ type: "batch", ...batch });
  }

  #post(message: ToBackstage): void {
    this.#thread?.postMessage(message);
  }

  #start(): void {
    this.#respawnTimer = undefined;
    this.#startedAt = performance.now();
    let thread: BackstageThread;
    try {
      thread = this.#options.spawn(this.#replaced);
    } catch (error) {
      return this.#died(undefined, messageOf(error));
    }
    this.#replaced = true;
    this.#spoken = false;
    this.#thread = thread;
    let reason = "";
    thread.on("message", (message) => this.#receive(message));
    thread.on("error", (error) => {
      reason = error.message;
    });
    thread.on("exit", (code) => this.#died(thread, reason === "" ? `exit code ${code}` : reason));
    if (this.#otlp !== undefined) this.#post({ type: "telemetry", otlp: this.#otlp });
    for (const [id, { filter }] of this.#subscriptions) this.#post({ type: "subscribe", id, filter });
    // What the last thread took is in the journal; what it did not take, this one gets in the same order.
    for (const batch of this.#inFlight) this.#post({ type: "batch", ...batch });
    this.#send();
  }

  #died(thread: BackstageThread | undefined, reason: string): void {
    if (thread !== this.#thread) return;
    this.#thread = undefined;
    this.#standing = { ...this.#standing, connected: false };
    for (const answer of [...this.#answers.values()]) answer(false);
    this.#closed?.();
    if (this.#closing) return;
    if (performance.now() - this.#startedAt > linkLimits.settledMs) this.#deaths = 0;
    const pauses = linkLimits.respawnPausesMs;
    const pause = pauses[Math.min(this.#deaths++, pauses.length - 1)] ?? 5_000;
    this.#respawnTimer = setTimeout(() => this.#start(), pause);
    this.#options.onDeath(reason);
  }

  #receive(message: FromBackstage): void {
    this.#spoken = true;
    switch (message.type) {
      case "taken":
        this.#standing = message.standing;
        while ((this.#inFlight[0]?.sequence ?? Number.POSITIVE_INFINITY) <= message.sequence) this.#inFlight.shift();
        return this.#send();
      case "event":
        return this.#subscriptions.get(message.id)?.handler(message.envelope);
      case "standing":
        this.#standing = message.standing;
        return;
      case "lost":
        return this.#options.onLost(message.count, message.reason);
      case "flushed":
        return this.#answers.get(message.id)?.(message.complete);
      case "closed":
        return this.#closed?.();
    }
  }
}

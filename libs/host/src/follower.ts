// Follows another service of this node: keeps a Watch stream open to its socket, mixes in what NATS brings, and hands
// each event out once (follow-merge.ts).
import { existsSync } from "node:fs";
import { fromWire, WatchServiceClient, type WatchUpdate } from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import { type ClientReadableStream, credentials } from "@grpc/grpc-js";
import type { EventReader } from "./api.ts";
import { FollowMerge, type MergeVerdict } from "./follow-merge.ts";
import { clientOptions } from "./grpc.ts";

export const followLimits = {
  pausesMs: [20, 20, 50, 100, 200, 500, 1_000],
  /** While there is no socket at all: often while the node starts, seldom when it seems to stay away. */
  absentMs: 25,
  absentOftenMax: 400,
  absentSeldomMs: 250,
  /** An owner that sends nothing for this long is gone, whatever its socket says: two quiet pulses were due. */
  silentMs: 7_000,
  /** How long the other path may take to bring what is missing. */
  gapMs: 50,
} as const;

type Handler = Parameters<EventReader["follow"]>[2];

export interface FollowerOptions {
  readonly consumer: ServiceName;
  readonly service: ServiceName;
  readonly kinds: readonly Aggregate["kind"][];
  readonly socket: string;
  readonly handler: Handler;
  readonly subscribe: (kind: Aggregate["kind"], handler: (envelope: EventEnvelope) => void) => { close(): void };
}

export function openFollower(options: FollowerOptions): { close(): void } {
  return new Follower(options);
}

class Follower {
  readonly #options: FollowerOptions;
  readonly #merge: FollowMerge;
  readonly #subscriptions: readonly { close(): void }[];
  #client: WatchServiceClient | undefined;
  #stream: ClientReadableStream<WatchUpdate> | undefined;
  #connected = false;
  #failures = 0;
  #absences = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #silenceTimer: NodeJS.Timeout | undefined;
  #gapTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#merge = new FollowMerge(options.service, options.kinds, options.handler);
    this.#subscriptions = options.kinds.map((kind) =>
      options.subscribe(kind, (envelope) => this.#heed(this.#merge.event(envelope))),
    );
    this.#open();
  }

  close(): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.close();
    this.#drop();
  }

  #open(): void {
    if (this.#closed) return;
    if (!existsSync(this.#options.socket)) {
      const often = this.#absences++ < followLimits.absentOftenMax;
      return this.#retry(often ? followLimits.absentMs : followLimits.absentSeldomMs);
    }
    this.#absences = 0;
    const client = new WatchServiceClient(`unix:${this.#options.socket}`, credentials.createInsecure(), clientOptions);
    const stream = client.watch({
      consumer: this.#options.consumer,
      kinds: [...this.#options.kinds],
      counters: this.#options.handler.counters !== undefined,
    });
    this.#client = client;
    this.#stream = stream;
    stream.on("data", (update: WatchUpdate) => {
      if (stream === this.#stream) this.#receive(update);
    });
    const ended = () => {
      if (stream === this.#stream) this.#reopen();
    };
    stream.on("error", ended);
    stream.on("end", ended);
    this.#watchSilence();
  }

  #receive({ update }: WatchUpdate): void {
    this.#watchSilence();
    switch (update?.$case) {
      case "snapshot":
        this.#failures = 0;
        this.#connected = true;
        return this.#heed(this.#merge.snapshot(update.value));
      case "events":
        for (const wire of update.value.envelopes) {
          const envelope = fromWire(wire);
          if (envelope !== undefined) this.#heed(this.#merge.event(envelope));
        }
        return;
      case "pulse":
        this.#heed(this.#merge.pulse(update.value));
        if (update.value.counters.length > 0) this.#options.handler.counters?.(update.value.counters);
        return;
      case undefined:
        return;
    }
  }

  #heed(verdict: MergeVerdict): void {
    if (verdict === "resnapshot") return this.#freshSnapshot();
    if (verdict === "fine" || this.#gapTimer !== undefined) return;
    this.#gapTimer = setTimeout(() => {
      this.#gapTimer = undefined;
      if (this.#merge.holding) this.#freshSnapshot();
    }, followLimits.gapMs);
  }

  /** A new stream begins with a snapshot. The owner is there: no word of a disconnection. */
  #freshSnapshot(): void {
    if (this.#closed || this.#stream === undefined) return;
    this.#drop();
    this.#retry(followLimits.pausesMs[0]);
  }

  #reopen(): void {
    this.#drop();
    if (this.#connected) {
      this.#connected = false;
      this.#options.handler.disconnected?.();
    }
    const pauses = followLimits.pausesMs;
    this.#retry(pauses[Math.min(this.#failures++, pauses.length - 1)] ?? 1_000);
  }

  #retry(pauseMs: number): void {
    if (this.#closed) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#open(), pauseMs);
  }

  #watchSilence(): void {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#reopen(), followLimits.silentMs);
  }

  #drop(): void {
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#gapTimer);
    this.#gapTimer = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.on("error", () => undefined);
    stream?.cancel();
    this.#client?.close();
    this.#client = undefined;
  }
}

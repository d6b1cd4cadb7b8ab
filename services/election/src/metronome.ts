// Notices that this process did not run. Node runs its timers before it reads its sockets, so this is known before any
// advert that waits there is heard; those that the socket had no room for will never be (SAFETY S2). The clock of the
// world tells what the clocks of a paused machine cannot: it has jumped when they go on (SAFETY S11).
import { type Instant, type Micros, micros, microsSince, millisToMicros } from "@baton/domain";

/** How often the loop notes that it runs, at most and at least; a quarter of the shortest interval in between. */
const periods = { min: millisToMicros(25), max: millisToMicros(500) } as const;
/** Of a period: from then on a beat may happen because the loop runs anyway. */
const early = 0.6;
/** Older jumps concern no master: it has spoken since, or been told. */
const jumpsMax = 16;
/** Less than this is a clock that is being set right, not a pause. */
const noticeableJump = millisToMicros(50);

export interface MetronomeOptions {
  now(): Instant;
  /** CLOCK_REALTIME − CLOCK_MONOTONIC, in microseconds. */
  offset(): number;
  /** Of the advert intervals that anybody waits by: it beats four times in it. */
  shortestInterval(): Micros;
  /** `stalled`: how long this process did not run before; 0: it did. */
  onBeat(now: Instant, stalled: Micros): void;
}

export class Metronome {
  readonly #options: MetronomeOptions;
  #timer: NodeJS.Timeout | undefined;
  #before: Instant;
  #period = periods.max;
  #offset: number;
  #jumps: readonly { readonly at: Instant; readonly by: number }[] = [];

  constructor(options: MetronomeOptions) {
    this.#options = options;
    this.#offset = options.offset();
    this.#before = options.now();
    this.#wait();
  }

  /** The loop runs anyway, for something else: a beat that is due soon happens now, and wakes it less often. */
  ran(): void {
    if (microsSince(this.#options.now(), this.#before) >= this.#period * early) this.#beat();
  }

  /** How far the clock of the world has jumped ahead since `since` (SAFETY S11). */
  jumpSince(since: Instant): Micros {
    this.#note();
    return micros(this.#jumps.reduce((sum, { at, by }) => (at >= since ? sum + by : sum), 0));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #note(): void {
    const offset = this.#options.offset();
    const by = Math.round(offset - this.#offset);
    this.#offset = offset;
    if (by >= noticeableJump) this.#jumps = [...this.#jumps, { at: this.#options.now(), by }].slice(-jumpsMax);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#period = micros(Math.min(Math.max(this.#options.shortestInterval() / 4, periods.min), periods.max));
    this.#timer = setTimeout(() => this.#beat(), this.#period / 1_000);
  }

  #beat(): void {
    const { now, onBeat } = this.#options;
    const at = now();
    const late = micros(Math.max(0, Math.round(microsSince(at, this.#before) - this.#period)));
    const stalled = late > this.#period ? late : micros(0);
    this.#before = at;
    this.#note();
    onBeat(at, stalled);
    this.#wait();
  }
}

/** Both in one go, as near to each other as one thread can read them. */
export const realtimeOffset = (): number => Date.now() * 1_000 - Number(process.hrtime.bigint() / 1_000n);

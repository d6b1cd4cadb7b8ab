// A router's CLOCK_BOOTTIME: it began at some time, runs a little fast or slow, and stands still while the whole machine
// is paused, of which the router learns only through its real-time clock (SAFETY S11, S20).
import { type Instant, instant } from "@baton/domain";
import type { Timeline } from "./timeline.ts";

export class Clock {
  readonly #timeline: Timeline;
  readonly #startsAt: number;
  /** Local microseconds in one of the simulation's. */
  readonly #rate: number;
  #paused = 0;
  #pausedSince: number | undefined;

  constructor(timeline: Timeline, startsAt: number, partsPerMillion: number) {
    this.#timeline = timeline;
    this.#startsAt = startsAt;
    this.#rate = 1 + partsPerMillion / 1_000_000;
  }

  now(): Instant {
    return this.#shownAt(this.#pausedSince ?? this.#timeline.now);
  }

  #shownAt(time: number): Instant {
    return instant(this.#startsAt + Math.floor((time - this.#paused) * this.#rate));
  }

  /** The first moment at which this clock will show `at`, if it is not paused until then. */
  when(at: Instant): number {
    let time = Math.ceil((at - this.#startsAt) / this.#rate + this.#paused);
    // Division and multiplication round: who wakes a microsecond too early would wait for the same moment for ever.
    while (this.#shownAt(time) < at) time++;
    return time;
  }

  pause(): void {
    this.#pausedSince ??= this.#timeline.now;
  }

  /** How long it stood still, in microseconds: the jump that the real-time clock shows. */
  resume(): number {
    if (this.#pausedSince === undefined) return 0;
    const stood = this.#timeline.now - this.#pausedSince;
    this.#paused += stood;
    this.#pausedSince = undefined;
    return stood;
  }

  /** Has the simulation passed over so much (Timeline.pass), this clock has not moved: nobody can tell. */
  passOver(duration: number): void {
    this.#paused += duration;
    if (this.#pausedSince !== undefined) this.#pausedSince += duration;
  }

  get isPaused(): boolean {
    return this.#pausedSince !== undefined;
  }
}

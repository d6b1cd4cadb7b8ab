// What runs when, by the clock of one machine.
import type { Instant } from "@baton/domain";

export interface LocalTime {
  now(): Instant;
  /** Runs on this machine's clock; not while it is paused. */
  at(when: Instant, run: () => void): void;
}

/**
 * One thing that is due at a time that keeps moving. What moves to later is not scheduled anew: the alarm goes off when
 * it was first due, and then looks again. A backup's timer moves with every advert, and is due hardly ever.
 */
export class Alarm {
  readonly #time: LocalTime;
  readonly #run: () => void;
  #due: Instant | undefined;
  #pending: Instant | undefined;

  constructor(time: LocalTime, run: () => void) {
    this.#time = time;
    this.#run = run;
  }

  /** Undefined: not at all. */
  set(due: Instant | undefined): void {
    this.#due = due;
    if (due === undefined || (this.#pending !== undefined && this.#pending <= due)) return;
    this.#pending = due;
    this.#time.at(due, () => this.#ring(due));
  }

  #ring(scheduled: Instant): void {
    if (this.#pending !== scheduled) return;
    this.#pending = undefined;
    if (this.#due === undefined) return;
    if (this.#time.now() < this.#due) return this.set(this.#due);
    this.#due = undefined;
    this.#run();
  }
}

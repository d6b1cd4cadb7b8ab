// One timer for the earliest deadline of all units; before any deadline is acted on, everything that waits in the inputs is
// taken in first (SAFETY S2).
import { type Instant, instant, type Micros, micros, microsSince, millisToMicros } from "@baton/domain";
import { type DeadlineTimer, openDeadlineTimer } from "@baton/linux";
import { metric } from "@baton/telemetry";
import { Agenda } from "./agenda.ts";
import type { Counters } from "./counters.ts";
import type { Unit } from "./unit.ts";

export interface DeadlineParts {
  now(): Instant;
  readonly counters: Counters;
  /** Takes in what waits in sockets and of links. */
  drain(): void;
  /** The loop runs, whatever for. */
  awake(): void;
  /** A takeover is near: dataplane is to be awake. */
  approaching(): void;
  /** How many answers of dataplane have come so far. */
  leaseAnswers(): number;
  /** By how much the machine's clocks have jumped since then (SAFETY S11). */
  readonly jumpSince: (since: Instant) => Micros;
}

/**
 * A takeover is seen coming: this much earlier both ends of the lease stream are woken and the loop stays awake. Paid only
 * when a master is silent; what a sleeping machine takes to wake up cost 2 of the 3.5 ms from advert to announcement.
 */
const approach = millisToMicros(4);
/** Later than this, waiting lease confirmations are let in before a deadline is judged (they come through the loop). */
const noticeableLateness = millisToMicros(20);
const latenessBuckets = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];
/** A takeover takes a tenth of a millisecond: dataplane begins with the first of thousands when these are through. */
const judgedPerTurn = 64;
/** SAFETY S2: at most so many turns of the loop are waited for. */
const drainTurnsMax = 64;

type Judged = Pick<Unit, "judge" | "takesOverAt">;

/** A takeover is approached. */
const wakeFor = ({ due, holder }: { readonly due: Instant; readonly holder: Judged }): Instant =>
  holder.takesOverAt(due) ? instant(due - approach) : due;

export class Deadlines {
  readonly #parts: DeadlineParts;
  readonly #agenda = new Agenda<Judged>();
  readonly #timer: DeadlineTimer;
  #armedFor: Instant | undefined;
  #judging = false;

  constructor(parts: DeadlineParts) {
    this.#parts = parts;
    this.#timer = openDeadlineTimer(() => void this.#judge());
  }

  /** After every step of a unit; undefined: nothing is due. */
  set(unit: Judged, due: Instant | undefined): void {
    this.#agenda.set(unit, due);
    if (!this.#judging) this.#arm();
  }

  close(): void {
    this.#timer.close();
  }

  /**
   * A deadline that has moved away is let come to nothing: with every advert that a backup hears its own moves, and to set
   * the timer each time was a sixth of what a backup costs.
   */
  #arm(): void {
    const first = this.#agenda.first();
    if (first === undefined) return;
    const wakeAt = wakeFor(first);
    if (this.#armedFor !== undefined && this.#armedFor <= wakeAt) return;
    this.#armedFor = wakeAt;
    this.#timer.arm(wakeAt);
  }

  /** Awake, and dataplane with us, until the deadline comes or is moved. */
  async #approach(due: Instant): Promise<void> {
    if (this.#parts.now() >= due) return;
    this.#parts.approaching();
    while (this.#parts.now() < due && this.#agenda.first()?.due === due) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** A deadline has come. Whatever was late may have been us: what waits is heard before anything is decided (SAFETY S2). */
  async #judge(): Promise<void> {
    this.#armedFor = undefined;
    this.#parts.awake();
    const first = this.#agenda.first();
    if (this.#judging || first === undefined || this.#parts.now() < wakeFor(first)) return this.#arm();
    this.#judging = true;
    try {
      const { due } = first;
      await this.#approach(due);
      const lateness = micros(Math.max(0, microsSince(this.#parts.now(), due)));
      this.#parts.counters.observe(metric.timerLateness, lateness / 1e6, latenessBuckets);
      this.#parts.drain();
      if (lateness > noticeableLateness) await this.#inputsAtRest();
      await this.#judgeAll(lateness);
    } finally {
      this.#judging = false;
      this.#arm();
    }
  }

  /** Many at once in parts: what the first have claimed leaves, and what comes is heard, before the last are judged. */
  async #judgeAll(lateness: Micros): Promise<void> {
    let judged = 0;
    for (const unit of this.#agenda.due(this.#parts.now())) {
      if (judged > 0 && judged % judgedPerTurn === 0) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        this.#parts.drain();
      }
      judged++;
      // What was heard meanwhile may have moved it, and a reload may have done away with it.
      if (this.#agenda.isDue(unit, this.#parts.now())) unit.judge(lateness, this.#parts.now(), this.#parts.jumpSince);
    }
  }

  /** Lets the loop turn until one whole turn brought no lease confirmation (SAFETY S2). */
  async #inputsAtRest(): Promise<void> {
    for (let turn = 0; turn < drainTurnsMax; turn++) {
      const before = this.#parts.leaseAnswers();
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#parts.drain();
      if (turn > 0 && this.#parts.leaseAnswers() === before) return;
    }
  }
}

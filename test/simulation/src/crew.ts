// Several workers that share the seeds of a night. Each says where it is before it begins a seed, so that one that never
// ends is found, named and left out; a worker takes every so many-th seed.
import { Worker } from "node:worker_threads";
import type { Weather } from "@baton/simulator";

export interface Failed {
  readonly seed: number;
  readonly weather: Weather;
  readonly message: string;
}

/** Since the last one. Microseconds of simulated time. */
export interface Report {
  readonly runs: number;
  readonly stepped: number;
  readonly quiet: number;
  readonly steps: number;
  readonly failures: readonly Failed[];
}

export interface Assignment {
  readonly from: number;
  readonly stride: number;
  /** One number: the seed that is being run. */
  readonly progress: SharedArrayBuffer;
}

/** A seed takes a second at the most; at idle priority beside a busy machine perhaps some hundred times as long. */
const stuckAfterMs = 900_000;
const lookEveryMs = 10_000;

export interface Crew {
  dismiss(): Promise<void>;
}

export function engage(size: number, from: number, hear: (report: Report) => void): Crew {
  const seats = Array.from({ length: size }, (_, index) => new Seat(from + index, size, hear));
  const watch = setInterval(() => {
    for (const seat of seats) seat.look();
  }, lookEveryMs);
  return {
    dismiss: async () => {
      clearInterval(watch);
      await Promise.all(seats.map((seat) => seat.leave()));
    },
  };
}

class Seat {
  readonly #stride: number;
  readonly #hear: (report: Report) => void;
  readonly #progress = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  #worker: Worker;
  #seen = -1;
  #seenAt = 0;

  constructor(from: number, stride: number, hear: (report: Report) => void) {
    this.#stride = stride;
    this.#hear = hear;
    this.#worker = this.#begin(from);
  }

  #begin(from: number): Worker {
    const assignment: Assignment = { from, stride: this.#stride, progress: this.#progress.buffer };
    const worker = new Worker(new URL("worker.js", import.meta.url), { workerData: assignment });
    worker.on("message", this.#hear);
    return worker;
  }

  look(): void {
    const seed = this.#progress[0] ?? 0;
    const now = performance.now();
    if (seed !== this.#seen) {
      this.#seen = seed;
      this.#seenAt = now;
    } else if (now - this.#seenAt > stuckAfterMs) this.#replace(seed);
  }

  #replace(seed: number): void {
    const message = "does not end, and its clock does not move";
    this.#hear({ runs: 1, stepped: 0, quiet: 0, steps: 0, failures: [{ seed, weather: "storm", message }] });
    void this.leave();
    this.#worker = this.#begin(seed + this.#stride);
  }

  async leave(): Promise<void> {
    await this.#worker.terminate();
  }
}

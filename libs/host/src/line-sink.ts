// Lines to a descriptor that may be a full pipe, a slow terminal or a file: one write(2) at a time on the thread pool,
// the rest in a bounded queue, so that nobody ever waits for whoever reads the log (SAFETY S7).
import { closeSync, constants, openSync, write, writeSync } from "node:fs";

export const lineSinkLimits = { queuedMax: 2_000, againMs: 20 } as const;

export interface LineSink {
  readonly dropped: number;
  write(line: string): void;
  /** Resolves when the queue is empty or the time is over. */
  drain(boundMs: number): Promise<void>;
  /** Now, on this thread: for a process that is about to end. */
  writeNow(lines: readonly string[]): void;
}

export function openLineSink(descriptor: number): LineSink {
  return new DescriptorSink(descriptor);
}

/**
 * The last resort of a thread that must not block: a descriptor of its own on the same pipe, terminal or file, which
 * refuses instead of waiting. A socket cannot be opened so; then nothing is written. Answers whether it was.
 */
export function writeWithoutWaiting(descriptor: number, line: string): boolean {
  try {
    const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
    const own = openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY);
    try {
      const text = `${line}\n`;
      return writeSync(own, text) === Buffer.byteLength(text);
    } finally {
      closeSync(own);
    }
  } catch {
    return false;
  }
}

class DescriptorSink implements LineSink {
  readonly #descriptor: number;
  #queue: string[] = [];
  #rest: Buffer | undefined;
  #writing = false;
  #dropped = 0;
  #idle: (() => void)[] = [];

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    if (this.#queue.length >= lineSinkLimits.queuedMax) {
      this.#dropped++;
      return;
    }
    this.#queue.push(line);
    if (!this.#writing) this.#next();
  }

  drain(boundMs: number): Promise<void> {
    if (!this.#writing) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, boundMs);
      this.#idle.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  writeNow(lines: readonly string[]): void {
    const waiting = [...this.#queue, ...lines];
    this.#queue = [];
    try {
      writeSync(this.#descriptor, waiting.map((line) => `${line}\n`).join(""));
    } catch {
      this.#dropped += waiting.length;
    }
  }

  #next(): void {
    let bytes = this.#rest;
    if (bytes === undefined) {
      if (this.#queue.length === 0) return this.#rested();
      bytes = Buffer.from(`${this.#queue.join("\n")}\n`);
      this.#queue = [];
    }
    this.#writing = true;
    const whole = bytes;
    write(this.#descriptor, whole, (error, written) => this.#written(whole, error, written));
  }

  #written(bytes: Buffer, error: NodeJS.ErrnoException | null, written: number): void {
    if (error === null) {
      this.#rest = written < bytes.length ? bytes.subarray(written) : undefined;
      this.#next();
    } else if (error.code === "EAGAIN") {
      // Somebody made the pipe non-blocking, and it is full.
      this.#rest = bytes;
      setTimeout(() => this.#next(), lineSinkLimits.againMs).unref();
    } else {
      // Nobody reads any more (EPIPE), or the disk is full: the lines are lost, the service goes on.
      this.#dropped += bytes.toString("utf8").split("\n").length - 1;
      this.#rest = undefined;
      this.#next();
    }
  }

  #rested(): void {
    this.#writing = false;
    for (const idle of this.#idle.splice(0)) idle();
  }
}

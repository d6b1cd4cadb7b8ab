// Worker processes that share the inputs out. One that does not answer in time is ended, and its inputs are tried one by
// one: what hangs or kills a process is then known by its number.
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { generate } from "./generate.ts";
import { readTexts } from "./texts.ts";
import type { Failure } from "./trial.ts";
import type { Batch } from "./worker.ts";

export interface PoolInput {
  readonly from: number;
  readonly runs: number;
  readonly workers: number;
  /** Folder of texts; empty: none. */
  readonly corpus: string;
  /** No more is begun after this, in milliseconds of `performance.now()`. */
  readonly until: number;
  /** After each batch: how many inputs are done, and what failed among the last. */
  readonly told: (done: number, failures: readonly Failure[]) => void;
}

const batchSize = 200;
/** One input may make a second's work, and a busy machine lets a process of low priority wait for most of the time. */
const batchMs = 1_200_000;
const inputMs = 600_000;

const program = fileURLToPath(new URL("worker.js", import.meta.url));

/** Ends when all inputs are judged, or the time is over; returns how many were. */
export async function runPool(input: PoolInput): Promise<number> {
  const state = { next: input.from, done: 0 };
  const end = input.from + input.runs;
  const work = async (): Promise<void> => {
    let child = start(input.corpus);
    while (state.next < end && performance.now() < input.until) {
      const batch = { from: state.next, to: Math.min(end, state.next + batchSize) };
      state.next = batch.to;
      let failures = await judge(child, batch, batchMs);
      if (failures === undefined) {
        child.kill("SIGKILL");
        failures = await oneByOne(batch, input.corpus);
        child = start(input.corpus);
      }
      state.done += batch.to - batch.from;
      input.told(state.done, failures);
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: input.workers }, work));
  return state.done;
}

const start = (corpus: string): ChildProcess => fork(program, [corpus]);

/** Undefined when the process hangs or dies. */
function judge(child: ChildProcess, batch: Batch, patienceMs: number): Promise<readonly Failure[] | undefined> {
  return new Promise((resolve) => {
    const finish = (failures: readonly Failure[] | undefined): void => {
      clearTimeout(timer);
      child.off("message", answered).off("exit", ended);
      resolve(failures);
    };
    const answered = (failures: unknown): void => finish(failures as readonly Failure[]);
    const ended = (): void => finish(undefined);
    const timer = setTimeout(ended, patienceMs);
    child.on("message", answered).on("exit", ended);
    child.send(batch);
  });
}

async function oneByOne({ from, to }: Batch, corpus: string): Promise<readonly Failure[]> {
  const found: Failure[] = [];
  let child = start(corpus);
  for (let seed = from; seed < to; seed++) {
    const failures = await judge(child, { from: seed, to: seed + 1 }, inputMs);
    if (failures !== undefined) {
      found.push(...failures);
      continue;
    }
    found.push({ seed, failure: "hangs, or ends the process", input: generate(seed, readTexts(corpus)) });
    child.kill("SIGKILL");
    child = start(corpus);
  }
  child.disconnect();
  return found;
}

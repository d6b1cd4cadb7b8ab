// A process that judges the inputs it is told of, some at a time. It may hang or die of one: whoever started it looks on.
import { readTexts } from "./texts.ts";
import { type Failure, trial } from "./trial.ts";

export interface Batch {
  readonly from: number;
  /** Not part of it. */
  readonly to: number;
}

const texts = readTexts(process.argv[2] ?? "");

process.on("message", ({ from, to }: Batch) => {
  const failures: Failure[] = [];
  for (let seed = from; seed < to; seed++) {
    const failure = trial(seed, texts);
    if (failure !== undefined) failures.push(failure);
  }
  // Nobody is left to be told when it fails: the process ends by itself then.
  process.send?.(failures, undefined, undefined, () => {});
});

// Who started it has gone.
process.on("disconnect", () => process.exit());

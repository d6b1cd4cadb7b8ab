// One input by its number: made, judged, and if anything is wrong, made short.
import { failureOf } from "./check.ts";
import { generate } from "./generate.ts";
import { growthOf, slownessOf } from "./growth.ts";
import type { Input } from "./input.ts";
import { shrink } from "./shrink.ts";

export interface Failure {
  readonly seed: number;
  readonly failure: string;
  readonly input: Input;
}

/** One input in so many is repeated, to see how the work grows: that takes as long as hundreds of others. */
const growthShare = 5_000;

/** `texts`: files to begin with, beside those that are made. */
export function trial(seed: number, texts: readonly string[]): Failure | undefined {
  const input = generate(seed, texts);
  const started = performance.now();
  const failure = failureOf(input);
  const once = performance.now() - started;
  if (failure !== undefined) {
    const short = shrink(input, failureOf);
    return { seed, failure: failureOf(short) ?? failure, input: short };
  }
  const slow = slownessOf(() => failureOf(input), once) ?? (seed % growthShare === 0 ? growthOf(input) : undefined);
  return slow === undefined ? undefined : { seed, failure: slow, input };
}

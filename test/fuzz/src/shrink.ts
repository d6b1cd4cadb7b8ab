// A failure made short: pieces are left out, large ones first, as long as the same is still wrong.
import type { Input } from "./input.ts";

/** What the failure is about, without its details. */
const kindOf = (failure: string): string => failure.split("\n")[0]?.replace(/\d+/g, "N").slice(0, 60) ?? "";

/** Enough for an input of a few thousand octets. */
const trialsMax = 3_000;

export function shrink(input: Input, failureOf: (input: Input) => string | undefined): Input {
  const failure = failureOf(input);
  if (failure === undefined) return input;
  let trials = 0;
  const stillFails = (candidate: Input): boolean => {
    trials++;
    const other = failureOf(candidate);
    return other !== undefined && kindOf(other) === kindOf(failure);
  };
  let best = input;
  for (const name of Object.keys(input)) {
    const { [name]: text = "", ...others } = best;
    if (Object.keys(others).length > 0 && name !== Object.keys(input)[0] && stillFails(others)) best = others;
    else
      best = {
        ...best,
        [name]: shorten(text, (shorter) => trials < trialsMax && stillFails({ ...best, [name]: shorter })),
      };
  }
  return best;
}

function shorten(text: string, stillFails: (text: string) => boolean): string {
  let best = text;
  for (let size = Math.ceil(text.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length; ) {
      const shorter = best.slice(0, at) + best.slice(at + size);
      if (stillFails(shorter)) best = shorter;
      else at += size;
    }
  }
  return best;
}

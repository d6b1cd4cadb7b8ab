// The same inputs in each run, and all that ever failed; `npm run fuzz` tries as many as one likes.
import { expect, test } from "vitest";
import { failureOf } from "./check.ts";
import { generate } from "./generate.ts";
import { regressions } from "./regressions.ts";

const runs = 500;

test(`nothing is wrong with ${runs} inputs`, () => {
  for (let seed = 1; seed <= runs; seed++) {
    const input = generate(seed, []);
    expect(failureOf(input), `seed ${seed}: ${JSON.stringify(input)}`).toBeUndefined();
  }
});

test.each(Object.entries(regressions))("never again: %s", (_name, input) => {
  expect(failureOf(input)).toBeUndefined();
});

test("a seed gives one input, and another seed another", () => {
  expect(generate(7, [])).toEqual(generate(7, []));
  expect(new Set(Array.from({ length: 100 }, (_, seed) => JSON.stringify(generate(seed, [])))).size).toBeGreaterThan(
    90,
  );
});

// Work in proportion: a text that is read eight times takes about eight times as long. Measured in time of the processor,
// with room for what is not the text's fault, and found again before it is believed.
import { formatOctets, lint } from "@baton/keepalived-conf";
import { type Input, mainFile, octetsOf, parseInput } from "./input.ts";

/** Milliseconds of this process' time; what the garbage collector does beside it counts too. */
function millisecondsOf(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** The most that an input may take, in milliseconds: a sequence may make a million lines of one. */
const inputMax = 20_000;

/** `once`: milliseconds that it took the first time, by the clock on the wall. */
export function slownessOf(action: () => unknown, once: number): string | undefined {
  if (once <= inputMax) return undefined;
  const time = Math.min(...[1, 2, 3].map(() => millisecondsOf(action)));
  return time <= inputMax ? undefined : `slow: ${time.toFixed(0)} ms`;
}

const lengthMin = 12_000;
const factor = 8;
/** Eight times the length may take so many times as long; and what is over in a moment is not judged. */
const growthMax = 32;
const momentMax = 250;

/** Undefined where the work grows with the length. `time`: the milliseconds that an input takes. */
export function growthOf(input: Input, time: (input: Input) => number = timeOf): string | undefined {
  const [once, more] = [repeated(input, 1), repeated(input, factor)];
  const measure = (times: number): [short: number, long: number] => [
    Math.min(...Array.from({ length: times }, () => time(once))),
    Math.min(...Array.from({ length: times }, () => time(more))),
  ];
  const isTooMuch = ([short, long]: readonly [number, number]): boolean =>
    long > momentMax && long > growthMax * Math.max(short, 1);
  if (!isTooMuch(measure(1))) return undefined;
  const again = measure(3);
  const [short, long] = again.map((milliseconds) => milliseconds.toFixed(0));
  return isTooMuch(again) ? `growth: ${short} ms, and ${long} ms for ${factor} times the text` : undefined;
}

const timeOf = (input: Input): number =>
  millisecondsOf(() => {
    lint({ files: [parseInput(input, "r1")] });
    formatOctets(octetsOf(input[mainFile(input)] ?? ""));
  });

/** A text of some length, and that so many times. */
function repeated(input: Input, times: number): Input {
  const main = mainFile(input);
  const text = input[main] ?? "";
  const count = Math.ceil(lengthMin / Math.max(1, text.length)) * times;
  return { ...input, [main]: `${text}\n`.repeat(count) };
}

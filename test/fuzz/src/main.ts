// npm run fuzz -- [--runs N] [--seed N] [--minutes M] [--workers N] [--corpus FOLDER]: so many inputs from the seed on, or as
// many as the time allows; a failure is told with its seed and the shortest input that still fails, and the end is 1.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Input } from "./input.ts";
import { runPool } from "./pool.ts";
import type { Failure } from "./trial.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "Infinity" },
    workers: { type: "string", default: String(availableParallelism()) },
    corpus: { type: "string", default: "" },
  },
});
const [runs, from, minutes, workers] = [values.runs, values.seed, values.minutes, values.workers].map(Number) as [
  number,
  number,
  number,
  number,
];
if (!(runs > 0) || !Number.isInteger(from) || !(minutes > 0) || !(workers > 0)) {
  process.stderr.write("usage: fuzz [--runs N] [--seed N] [--minutes M] [--workers N] [--corpus FOLDER]\n");
  process.exit(1);
}

const started = performance.now();
const reportEveryMs = 30_000;
const state = { failures: 0, reported: started };

/** So that it can be copied, octets that do not print included. */
const asciiJson = (input: Input): string =>
  JSON.stringify(input).replace(/[\x7f-\xff]/g, (octet) => `\\u00${octet.charCodeAt(0).toString(16)}`);

function tell({ seed, failure, input }: Failure): void {
  const again = `npm run fuzz -- --seed ${seed} --runs 1${values.corpus === "" ? "" : ` --corpus ${values.corpus}`}`;
  process.stdout.write(`seed ${seed}: ${failure}\n  ${asciiJson(input)}\n  again: ${again}\n`);
}

const done = await runPool({
  from,
  runs,
  workers,
  corpus: values.corpus,
  until: started + minutes * 60_000,
  told: (count, failures) => {
    state.failures += failures.length;
    failures.forEach(tell);
    if (performance.now() - state.reported < reportEveryMs) return;
    state.reported = performance.now();
    process.stderr.write(`${count} of ${runs} inputs, ${state.failures} failures\n`);
  },
});
const speed = done / ((performance.now() - started) / 1_000);
process.stdout.write(`${done} inputs, ${state.failures} failures, ${speed.toFixed(0)} inputs a second\n`);
process.exitCode = state.failures === 0 ? 0 : 1;

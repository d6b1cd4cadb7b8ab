// One worker of a crew: a storm from every seed, and from every tenth a day and a storm that regroups as well.
import { parentPort, workerData } from "node:worker_threads";
import { isFailure, simulate, type Weather } from "@baton/simulator";
import type { Assignment, Failed, Report } from "./crew.ts";

const { from, stride, progress }: Assignment = workerData;
const current = new Float64Array(progress);
const reportEveryMs = 1_000;
const othersEvery = 10;

const nothing = { runs: 0, stepped: 0, quiet: 0, steps: 0 };

function work(): never {
  let [sum, failures, told] = [nothing, [] as Failed[], performance.now()];
  const run = (seed: number, weather: Weather): void => {
    const outcome = simulate(seed, weather);
    const { duration, quiet, steps } = outcome;
    sum = {
      runs: sum.runs + 1,
      stepped: sum.stepped + duration - quiet,
      quiet: sum.quiet + quiet,
      steps: sum.steps + steps,
    };
    if (isFailure(outcome)) failures.push({ seed, weather, message: outcome.message });
  };
  for (let turn = 0; ; turn++) {
    const seed = from + turn * stride;
    current[0] = seed;
    run(seed, "storm");
    if (turn % othersEvery === 0) for (const weather of ["day", "regroup"] as const) run(seed, weather);
    if (performance.now() - told < reportEveryMs) continue;
    const report: Report = { ...sum, failures };
    parentPort?.postMessage(report);
    [sum, failures, told] = [nothing, [], performance.now()];
  }
}

work();

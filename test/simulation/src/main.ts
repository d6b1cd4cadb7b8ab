// npm run simulate -- [--hours N] [--from SEED] [--workers N] [--nightly] | --seed SEED | --day SEED | --regroup SEED:
// cluster-hours of simulated storms and days; a failure prints its seed, and the run ends with 1; --seed (a storm), --day and
// --regroup replay one step by step.
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isFailure, simulate, type TraceLine, type Weather } from "@baton/simulator";
import { engage, type Failed, type Report } from "./crew.ts";

const microsPerHour = 3_600_000_000;
const reportEveryMs = 60_000;

const usage =
  "usage: simulate [--hours N] [--from SEED] [--workers N] [--nightly] | --seed SEED | --day SEED | --regroup SEED\n";

const { values } = parseArgs({
  options: {
    /** Stepped through; what is passed over is not counted. */
    hours: { type: "string" },
    from: { type: "string" },
    workers: { type: "string" },
    nightly: { type: "boolean", default: false },
    seed: { type: "string" },
    day: { type: "string" },
    regroup: { type: "string" },
  },
});

/** Other seeds every night, and those of the same night again when it is repeated. */
const tonight = (): number => (Math.floor(Date.now() / 86_400_000) * 2_000_000) % 2 ** 32;

const hours = Number(values.hours ?? (values.nightly ? 100_000 : 100));
const from = Number(values.from ?? (values.nightly ? tonight() : 1));
const workers = Number(values.workers ?? (values.nightly ? availableParallelism() : 1));
const replayed = values.seed ?? values.day ?? values.regroup;
const whole = [from, workers, ...(replayed === undefined ? [] : [Number(replayed)])];

const replayedWeather = (): Weather => {
  if (values.seed !== undefined) return "storm";
  return values.day === undefined ? "regroup" : "day";
};

const showLine = ({ at, router, text }: TraceLine): string =>
  `${(at / 1e6).toFixed(6).padStart(14)}  ${router < 0 ? "all" : `r${router + 1}`}  ${text}\n`;

function replay(seed: number, weather: Weather): number {
  const outcome = simulate(seed, weather, (line) => process.stdout.write(showLine(line)));
  if (isFailure(outcome)) process.stdout.write(`${(outcome.at / 1e6).toFixed(6).padStart(14)}  ${outcome.message}\n`);
  return isFailure(outcome) ? 1 : 0;
}

const showFailure = ({ seed, weather, message }: Failed): string => {
  const option = weather === "storm" ? "seed" : weather;
  return `${weather} ${seed}: ${message} (replay: npm run simulate -- --${option} ${seed})\n`;
};

const inHours = (duration: number): string => (duration / microsPerHour).toFixed(1);

/** Until so many hours are stepped through, or a signal ends it; what was done until then counts. */
async function night(): Promise<number> {
  const began = performance.now();
  const sum = { runs: 0, stepped: 0, quiet: 0, steps: 0, failures: 0 };
  const seconds = (): number => (performance.now() - began) / 1_000;
  const told = (): string =>
    `${inHours(sum.stepped)} cluster-hours stepped through and ${inHours(sum.quiet)} quiet ones passed over in ` +
    `${sum.runs} runs and ${sum.steps} steps, ${sum.failures} failures; ${seconds().toFixed(0)} s with ${workers} workers, ` +
    `${(sum.stepped / microsPerHour / seconds()).toFixed(1)} cluster-hours a second\n`;
  const ticker = setInterval(() => process.stderr.write(told()), reportEveryMs);
  await new Promise<void>((resolve) => {
    const crew = engage(workers, from, ({ failures, ...done }: Report) => {
      sum.runs += done.runs;
      sum.stepped += done.stepped;
      sum.quiet += done.quiet;
      sum.steps += done.steps;
      sum.failures += failures.length;
      for (const failure of failures) process.stdout.write(showFailure(failure));
      if (sum.stepped >= hours * microsPerHour) end();
    });
    const end = (): void => void crew.dismiss().then(resolve);
    process.once("SIGINT", end).once("SIGTERM", end);
  });
  clearInterval(ticker);
  process.stdout.write(told());
  return sum.failures === 0 ? 0 : 1;
}

if (!(hours > 0) || !(workers > 0) || !whole.every(Number.isInteger)) {
  process.stderr.write(usage);
  process.exitCode = 1;
} else if (replayed !== undefined) {
  process.exitCode = replay(Number(replayed), replayedWeather());
} else {
  process.exitCode = await night();
}

// npm run simulate -- [--hours N] [--from SEED] [--seed SEED]: cluster-hours of simulated storms; a failure prints its seed
// and ends with 1; --seed replays one step by step.
import { parseArgs } from "node:util";
import { isFailure, simulate, type TraceLine } from "@baton/simulator";

const { values } = parseArgs({
  options: {
    hours: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
  },
});
const [hours, from] = [Number(values.hours), Number(values.from)];
if (!(hours > 0) || !Number.isInteger(from) || (values.seed !== undefined && !Number.isInteger(Number(values.seed)))) {
  process.stderr.write("usage: simulate [--hours N] [--from SEED] | --seed SEED\n");
  process.exit(1);
}

const microsPerHour = 3_600_000_000;
const reportEveryMs = 10_000;

const showLine = ({ at, router, text }: TraceLine): string =>
  `${(at / 1e6).toFixed(6).padStart(14)}  ${router < 0 ? "all" : `r${router + 1}`}  ${text}\n`;

function replay(seed: number): never {
  const outcome = simulate(seed, (line) => process.stdout.write(showLine(line)));
  if (isFailure(outcome)) process.stdout.write(`${(outcome.at / 1e6).toFixed(6).padStart(14)}  ${outcome.message}\n`);
  process.exit(isFailure(outcome) ? 1 : 0);
}

if (values.seed !== undefined) replay(Number(values.seed));

function storm(): boolean {
  const started = performance.now();
  let [simulated, runs, failures, reported] = [0, 0, 0, started];
  for (let seed = from; simulated < hours * microsPerHour; seed++) {
    const outcome = simulate(seed);
    simulated += outcome.duration;
    runs++;
    if (isFailure(outcome)) {
      failures++;
      process.stdout.write(`seed ${seed}: ${outcome.message} (replay: npm run simulate -- --seed ${seed})\n`);
    }
    if (performance.now() - reported > reportEveryMs) {
      reported = performance.now();
      process.stderr.write(
        `${(simulated / microsPerHour).toFixed(0)} of ${hours} cluster-hours, ${failures} failures\n`,
      );
    }
  }
  const done = simulated / microsPerHour;
  const speed = (done / (performance.now() - started)) * 1_000;
  process.stdout.write(
    `${done.toFixed(1)} cluster-hours in ${runs} runs, ${failures} failures, ${speed.toFixed(1)} cluster-hours a second\n`,
  );
  return failures === 0;
}

process.exit(storm() ? 0 : 1);

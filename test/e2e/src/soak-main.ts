// npm run soak -- [--balancing] [--seconds N] [--seed N] [--settle N]: storms of faults on two real routers, or (--balancing)
// on one that balances by nftables under traffic, and one JSON object at the end.
import { parseArgs } from "node:util";
import { createRandom } from "@baton/simulator";
import { balancingSoak } from "./balancing-soak.ts";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "600" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    balancing: { type: "boolean", default: false },
    settle: { type: "string", default: "60" },
  },
});
const [seconds, seed, settle] = [values.seconds, values.seed, values.settle].map(Number);
if (
  seconds === undefined ||
  seed === undefined ||
  settle === undefined ||
  !(seconds >= 1 && settle >= 1 && seed >= 0)
) {
  process.stderr.write("usage: soak [--balancing] [--seconds N>=1] [--seed N>=0] [--settle N>=1]\n");
  process.exit(1);
}
process.stderr.write(`seed ${seed}\n`);
const random = createRandom(seed);
const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const report = values.balancing
  ? await balancingSoak({ seconds, random, tell })
  : await soak({ seconds, random, settleMs: settle * 1_000, tell });
process.stdout.write(`${JSON.stringify({ seed, ...report }, null, 2)}\n`);
process.exit(report.failures.length === 0 ? 0 : 1);

// npm run bench -- [failover] [preemption] [idle] [--runs N] [--seconds N]: one JSON object on standard output.
import { parseArgs } from "node:util";
import { measureFailover, measurePreemption } from "./failover.ts";
import { measureIdle } from "./idle.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: "string", default: "5" }, seconds: { type: "string", default: "60" } },
});
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seconds) || seconds < 5) {
  process.stderr.write("usage: bench [failover] [preemption] [idle] [--runs N] [--seconds N>=5]\n");
  process.exit(1);
}
const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
const result = {
  ...(wanted("failover") ? { failover: await measureFailover(runs) } : {}),
  ...(wanted("preemption") ? { preemption: await measurePreemption(runs) } : {}),
  ...(wanted("idle") ? { idle: await measureIdle(seconds, runs) } : {}),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);

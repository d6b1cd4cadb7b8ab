// npm run bench -- [balancing] [checks] [directors] [failover] [preemption] [flood] [idle] [loss] [parse] [running] [scale] [--runs N] [--seconds N] [--keepalived PATH]
// [--rate N] [--large] [--only CROWD]: one JSON object on standard output.
import { parseArgs } from "node:util";
import { measureProgramming, measureRunning } from "@baton/directors";
import { measureBalancing } from "./balancing.ts";
import { measureChecks } from "./checks/measure-checks.ts";
import { measureFailover, measurePreemption } from "./failover.ts";
import { measureFlood } from "./flood.ts";
import { measureIdle } from "./idle.ts";
import { measureLoss } from "./loss.ts";
import { measureParse } from "./parse.ts";
import { measureScale } from "./scale.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    seconds: { type: "string", default: "60" },
    keepalived: { type: "string", default: "/usr/sbin/keepalived" },
    rate: { type: "string", default: "50000" },
    large: { type: "boolean", default: false },
    only: { type: "string", default: "" },
  },
});
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seconds) || seconds < 5) {
  process.stderr.write(
    "usage: bench [balancing] [checks] [directors] [failover] [preemption] [flood] [idle] [loss] [parse] [running] [scale] [--runs N] [--seconds N>=5] [--keepalived PATH] [--rate N] [--large]\n",
  );
  process.exit(1);
}
const wanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name);
const result = {
  ...(wanted("balancing") ? { balancing: await measureBalancing() } : {}),
  ...(wanted("checks")
    ? { checks: await measureChecks({ seconds, keepalived: values.keepalived, only: values.only }) }
    : {}),
  ...(wanted("directors") ? { directors: await measureProgramming([1000, 10_000]) } : {}),
  ...(wanted("failover") ? { failover: await measureFailover(runs) } : {}),
  ...(wanted("preemption") ? { preemption: await measurePreemption(runs) } : {}),
  ...(wanted("flood")
    ? { flood: await measureFlood({ seconds, rate: Number(values.rate), keepalived: values.keepalived }) }
    : {}),
  ...(wanted("idle") ? { idle: await measureIdle(seconds, runs) } : {}),
  ...(wanted("loss") ? { loss: await measureLoss(seconds, values.keepalived) } : {}),
  ...(wanted("parse") ? { parse: measureParse(runs, values.keepalived) } : {}),
  ...(wanted("running") ? { running: await measureRunning(values.only === "" ? [1000] : [Number(values.only)]) } : {}),
  ...(wanted("scale")
    ? { scale: await measureScale({ seconds, large: values.large, only: values.only, keepalived: values.keepalived }) }
    : {}),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
process.exit(0);

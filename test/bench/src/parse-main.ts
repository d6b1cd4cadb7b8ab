// parse-main KEEPALIVED FILE RUNS: runs the two commands on the file in turn, then reads it in this process; JSON on
// standard output. A process of its own, because it has to be in the network namespace that the file is for.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readConfiguration } from "@baton/host/configuration";
import { median, rounded } from "./statistics.ts";

/** Milliseconds. */
interface Spread {
  readonly median: number;
  readonly min: number;
}

/** `cpuMs`: of all threads, and of all processes of a command; other work of the machine does not count there. */
export interface Cost {
  readonly wallMs: Spread;
  readonly cpuMs: Spread;
}

export interface FileCosts {
  /** The whole command `keepalived -t`. */
  readonly keepalived: Cost;
  /** The whole command `baton check`, lint and output with it, each time in a new process. */
  readonly command: Cost;
  /** What of that any program of node costs. */
  readonly node: Cost;
  /** Reading the file into a Config and diagnostics, in a process that has done it before. */
  readonly parse: Cost;
}

const [keepalived = "", file = "", runs = ""] = process.argv.slice(2);
const baton = fileURLToPath(new URL("../bin/baton.js", import.meta.resolve("@baton/cli")));

interface Times {
  readonly wall: number;
  readonly cpu: number;
}

/** Milliseconds of processor time of this process's children that have ended. */
function childrenCpu(): number {
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) * 10; // USER_HZ is 100
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function time(cpu: () => number, work: () => void): Times {
  const [before, startedAt] = [cpu(), performance.now()];
  work();
  return { wall: performance.now() - startedAt, cpu: cpu() - before };
}

function command(program: string, args: readonly string[]): Times {
  return time(childrenCpu, () => {
    const { status, stderr } = spawnSync(program, args, { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} exited ${status}: ${stderr}`);
  });
}

const spread = (values: readonly number[]): Spread => ({
  median: rounded(median(values)),
  min: rounded(Math.min(...values)),
});

const costOf = (times: readonly Times[]): Cost => ({
  wallMs: spread(times.map(({ wall }) => wall)),
  cpuMs: spread(times.map(({ cpu }) => cpu)),
});

const commands = Array.from({ length: Number(runs) }, () => ({
  keepalived: command(keepalived, ["-t", "-f", file]),
  baton: command(process.execPath, [baton, "check", file]),
  node: command(process.execPath, ["-e", ""]),
}));

function read(): void {
  const { configuration } = readConfiguration({ file, env: process.env });
  if (configuration === undefined) throw new Error(`${file} cannot be used`);
}

/** Until the compiler of node has seen enough of it. */
const warmUps = 5;
for (let i = 0; i < warmUps; i++) read();
const reads = Array.from({ length: Number(runs) }, () => time(ownCpu, read));

const costs: FileCosts = {
  keepalived: costOf(commands.map((run) => run.keepalived)),
  command: costOf(commands.map((run) => run.baton)),
  node: costOf(commands.map((run) => run.node)),
  parse: costOf(reads),
};
process.stdout.write(JSON.stringify(costs));

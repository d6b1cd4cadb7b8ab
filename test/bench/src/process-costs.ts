// What the processes of one router cost: processor time between two looks, and memory.
import { readdirSync, readFileSync } from "node:fs";
import { rounded } from "./statistics.ts";

const ticksPerSecond = 100; // USER_HZ

/** Names and pids, as the machine knows them. */
type Processes = ReadonlyMap<string, number>;

/** A process and all its descendants: keepalived works in children of its own. */
function family(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(readFileSync(`/proc/${name}/stat`, "utf8").split(") ")[1]?.split(" ")[1]) === pid;
      } catch {
        return false;
      }
    });
  return [pid, ...children.flatMap((child) => family(Number(child)))];
}

const membersOf = (name: string, pid: number): number[] => (name === "keepalived" ? family(pid) : [pid]);

function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

export const cpuTicks = (processes: Processes): Map<string, number> =>
  new Map([...processes].map(([name, pid]) => [name, sum(membersOf(name, pid).map(ticksOf))]));

export interface ProcessCost {
  readonly name: string;
  readonly rssMiB: number;
  readonly pssMiB: number;
  readonly cpuPercent: number;
}

/** One row a process, and their sum as the last. */
export function processCosts(
  processes: Processes,
  before: ReadonlyMap<string, number>,
  seconds: number,
): ProcessCost[] {
  const rows = [...processes].map(([name, pid]) => {
    const pids = membersOf(name, pid);
    const ticks = sum(pids.map(ticksOf)) - (before.get(name) ?? 0);
    return {
      name,
      rssMiB: rounded(sum(pids.map((each) => memory(each, "Rss"))) / 1024),
      pssMiB: rounded(sum(pids.map((each) => memory(each, "Pss"))) / 1024),
      cpuPercent: rounded((100 * ticks) / ticksPerSecond / seconds),
    };
  });
  const total = {
    name: "total",
    rssMiB: rounded(sum(rows.map((row) => row.rssMiB))),
    pssMiB: rounded(sum(rows.map((row) => row.pssMiB))),
    cpuPercent: rounded(sum(rows.map((row) => row.cpuPercent))),
  };
  return [...rows, total];
}

/** kB of smaps_rollup. */
const memory = (pid: number, field: "Rss" | "Pss"): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

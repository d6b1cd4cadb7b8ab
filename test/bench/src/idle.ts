// What a master costs while nothing happens, and how regular its adverts are: idle, then with both cores busy.
import { readdirSync, readFileSync } from "node:fs";
import { createLab, virtualAddress, waitFor } from "@baton/lab";
import { readCapture } from "./capture-log.ts";
import { type MeasuredRouter, type System, startRouter } from "./routers.ts";
import { median, quantile, rounded } from "./statistics.ts";

const ticksPerSecond = 100; // USER_HZ

export async function measureIdle(seconds: number, starts: number): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const system of ["baton", "keepalived"] as const) {
    const coldStarts: number[] = [];
    for (let run = 0; run < starts; run++) coldStarts.push(await coldStart(system));
    const measured = await measureMaster(system, seconds);
    results[system] = { coldStartMs: rounded(median(coldStarts)), ...measured };
    process.stderr.write(`${system}: ${JSON.stringify(results[system])}\n`);
  }
  return results;
}

async function coldStart(system: System): Promise<number> {
  const lab = await createLab({ name: "bench-start" });
  try {
    return (await startRouter(lab, system, "r1", { state: "BACKUP", priority: 100 })).startMs;
  } finally {
    await lab.destroy();
  }
}

async function measureMaster(system: System, seconds: number): Promise<Record<string, unknown>> {
  const lab = await createLab({ name: `bench-idle-${system}` });
  try {
    const master = await startRouter(lab, system, "r1", { state: "MASTER", priority: 101 });
    await waitFor("the master", async () => (await lab.router("r1").addresses()).includes(`${virtualAddress}/16`), {
      deadlineMs: 20_000,
    });
    const record = async (): Promise<Record<string, number>> => {
      const capture = await lab.capture({ filter: "ip proto 112 and src 172.16.1.1" });
      await sleep(seconds * 1_000);
      return deviations(await capture.stop());
    };
    const before = cpuTicks(master);
    const idle = await record();
    const costs = processCosts(master, before, seconds);
    const burners = await Promise.all(
      [0, 1].map((each) => lab.client.spawn(`burn${each}`, [process.execPath, "-e", "for(;;);"])),
    );
    const busy = await record();
    await Promise.all(burners.map((each) => each.kill()));
    return { adverts: { idle, busy }, processes: costs };
  } finally {
    await lab.destroy();
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds between the adverts' distances and their interval of one second. */
function deviations(captureFile: string): Record<string, number> {
  const { adverts } = readCapture(captureFile);
  const off = adverts.slice(1).map(({ at }, index) => Math.abs(at - (adverts[index]?.at ?? at) - 1) * 1_000);
  return {
    adverts: adverts.length,
    p50: rounded(median(off)),
    p99: rounded(quantile(off, 0.99)),
    max: rounded(Math.max(...off)),
  };
}

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

const cpuTicks = (router: MeasuredRouter): Map<string, number> =>
  new Map([...router.processes()].map(([name, pid]) => [name, sum(membersOf(name, pid).map(ticksOf))]));

function processCosts(router: MeasuredRouter, before: ReadonlyMap<string, number>, seconds: number) {
  const rows = [...router.processes()].map(([name, pid]) => {
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

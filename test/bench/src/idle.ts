// What a master costs while nothing happens, and how regular its adverts are: idle, then with both cores busy.

import { createLab, virtualAddress, waitFor } from "@baton/lab";
import { readCapture } from "./capture-log.ts";
import { cpuTicks, processCosts } from "./process-costs.ts";
import { type System, startRouter } from "./routers.ts";
import { sleep } from "./sleep.ts";
import { median, quantile, rounded } from "./statistics.ts";

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
    const before = cpuTicks(master.processes());
    const idle = await record();
    const costs = processCosts(master.processes(), before, seconds);
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

// What a flood of adverts does to two routers that are none of its business: 50,000 packets a second, first of VRIDs that
// nobody has, then of their own VRID with something wrong in each. Figures of the master's own adverts, as they arrive.

import { createLab, type Lab, virtualAddress, waitFor } from "@baton/lab";
import { readCapture, type WireAdvert } from "./capture-log.ts";
import { cpuTicks, type ProcessCost, processCosts } from "./process-costs.ts";
import { type MeasuredRouter, type System, startRouterWith } from "./routers.ts";
import { sleep } from "./sleep.ts";
import { median, quantile, rounded } from "./statistics.ts";

export interface FloodBenchOptions {
  readonly seconds: number;
  /** Packets a second. */
  readonly rate: number;
  readonly keepalived: string;
}

const intervalSeconds = 0.2;

const config = (priority: number): string => `global_defs {
  vrrp_version 3
}
vrrp_instance VI_1 {
  interface eth0
  state BACKUP
  priority ${priority}
  virtual_router_id 51
  advert_int ${intervalSeconds}
  virtual_ipaddress {
    ${virtualAddress}/16 dev eth0
  }
}
`;

const kinds = ["none", "strangers", "forged"] as const;
type Kind = (typeof kinds)[number];

export async function measureFlood(options: FloodBenchOptions): Promise<Record<string, unknown>> {
  const results: Record<string, Record<string, unknown>> = {};
  for (const system of ["baton", "keepalived"] as const) {
    const lab = await createLab({ name: `bench-flood-${system}` });
    try {
      results[system] = await measureSystem(lab, system, options);
    } finally {
      await lab.destroy();
    }
  }
  return results;
}

async function measureSystem(lab: Lab, system: System, options: FloodBenchOptions): Promise<Record<string, unknown>> {
  const routers = {
    master: await startRouterWith(lab, system, "r1", config(150), options.keepalived),
    backup: await startRouterWith(lab, system, "r2", config(100), options.keepalived),
  };
  await waitFor("the master", async () => (await lab.router("r1").addresses()).includes(`${virtualAddress}/16`), {
    deadlineMs: 20_000,
  });
  const figures: Record<string, unknown> = {};
  for (const kind of kinds) {
    figures[kind] = await measureKind(lab, system, routers, kind, options);
    process.stderr.write(`${system} ${kind}: ${JSON.stringify(figures[kind])}\n`);
  }
  return figures;
}

async function measureKind(
  lab: Lab,
  system: System,
  { master, backup }: { readonly master: MeasuredRouter; readonly backup: MeasuredRouter },
  kind: Kind,
  { seconds, rate }: FloodBenchOptions,
): Promise<Record<string, unknown>> {
  await sleep(2_000);
  const memoryBefore = memoryOf(system, [master, backup]);
  const flood = kind === "none" ? undefined : await lab.client.flood({ kind, rate });
  const capture = await lab.capture({ filter: "ip proto 112 and (src 172.16.1.1 or src 172.16.1.2)" });
  const [ticks, sentBefore] = [[master, backup].map((each) => cpuTicks(each.processes())), flood?.sent() ?? 0];
  await sleep(seconds * 1_000);
  const sent = (flood?.sent() ?? 0) - sentBefore;
  const [asMaster, asBackup] = [master, backup].map((each, index) =>
    speaker(system, processCosts(each.processes(), ticks[index] ?? new Map(), seconds)),
  );
  const { adverts } = readCapture(await capture.stop());
  await flood?.stop();
  return {
    packetsPerSecond: Math.round(sent / seconds),
    ...deviations(adverts.filter(({ source }) => source === "172.16.1.1")),
    takeovers: adverts.filter(({ source, priority }) => source === "172.16.1.2" && priority > 0).length,
    cpuPercent: { master: asMaster?.cpuPercent, backup: asBackup?.cpuPercent },
    rssMiB: { before: memoryBefore, after: memoryOf(system, [master, backup]) },
  };
}

/** The process that hears adverts. */
const speaker = (system: System, costs: readonly ProcessCost[]): ProcessCost | undefined =>
  costs.find(({ name }) => name === (system === "baton" ? "election" : "keepalived"));

const memoryOf = (system: System, routers: readonly MeasuredRouter[]): (number | undefined)[] =>
  routers.map((each) => speaker(system, processCosts(each.processes(), new Map(), 1))?.rssMiB);

/** Milliseconds between the adverts' distances and their interval; `missed`: distances of two intervals and more. */
function deviations(adverts: readonly WireAdvert[]): Record<string, number> {
  const gaps = adverts.slice(1).map(({ at }, index) => at - (adverts[index]?.at ?? at));
  const off = gaps.map((gap) => Math.abs(gap - intervalSeconds) * 1_000);
  return {
    adverts: adverts.length,
    p50: rounded(median(off)),
    p99: rounded(quantile(off, 0.99)),
    max: rounded(Math.max(...off)),
    missed: gaps.filter((gap) => gap >= 2 * intervalSeconds).length,
  };
}

// Many instances, and many addresses: what they cost as master and as backup, how regular the adverts stay, and how soon
// the last address is announced after a takeover. Two routers of the same kind, with as many cables
// between them as it takes.

import { createLab, type Lab, type Router, waitFor } from "@baton/lab";
import { readCapture, type WireAdvert } from "./capture-log.ts";
import { cpuTicks, processCosts } from "./process-costs.ts";
import type { System } from "./routers.ts";
import { sleep } from "./sleep.ts";
import { median, quantile, rounded } from "./statistics.ts";

export interface Crowd {
  readonly instances: number;
  readonly interfaces: number;
  /** Addresses of each instance. */
  readonly addresses: number;
}

export interface ScaleOptions {
  readonly seconds: number;
  /** 4,000 instances as well. */
  readonly large: boolean;
  /** Of the crowds only those whose name begins so: "1 x 1000" for instances and addresses of each. */
  readonly only: string;
  readonly keepalived: string;
}

const crowds: readonly Crowd[] = [
  { instances: 255, interfaces: 1, addresses: 1 },
  { instances: 1_000, interfaces: 4, addresses: 1 },
  { instances: 1, interfaces: 1, addresses: 1_000 },
  { instances: 50, interfaces: 1, addresses: 20 },
];
const largeCrowd: Crowd = { instances: 4_000, interfaces: 16, addresses: 1 };

/** What a node costs for weeks is asked, not what it costs to have just begun: Node compiles what runs often meanwhile. */
const settlingMs = 30_000;

export async function measureScale(options: ScaleOptions): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  const named = (options.large ? [...crowds, largeCrowd] : crowds).map((crowd) => ({ crowd, name: nameOf(crowd) }));
  for (const { crowd, name } of named.filter((each) => each.name.startsWith(options.only))) {
    const bySystem: Record<string, unknown> = {};
    for (const system of ["baton", "keepalived"] as const) {
      // What one of them cannot do is a result, too.
      bySystem[system] = await measureCrowd(system, crowd, options).catch((error) => ({ failed: String(error) }));
      process.stderr.write(`${name} ${system}: ${JSON.stringify(bySystem[system])}\n`);
    }
    results[name] = bySystem;
  }
  return results;
}

const nameOf = ({ instances, addresses, interfaces }: Crowd): string => `${instances} x ${addresses} on ${interfaces}`;

async function measureCrowd(system: System, crowd: Crowd, options: ScaleOptions): Promise<Record<string, unknown>> {
  const lab = await createLab({ name: `bench-scale-${system}` });
  try {
    await lab.addCables(crowd.interfaces);
    const [first, second] = [
      await start(lab, system, "r1", crowd, options),
      await start(lab, system, "r2", crowd, options),
    ];
    const startMs = performance.now();
    await holdsAll(lab.router("r1"), crowd);
    const mastersAfterMs = rounded(performance.now() - startMs);
    await sleep(settlingMs);
    const idle = await lab.capture(wire);
    const before = [cpuTicks(first.processes()), cpuTicks(second.processes())] as const;
    await sleep(options.seconds * 1_000);
    const [asMaster, asBackup] = [
      costs(first.processes(), before[0], options.seconds),
      costs(second.processes(), before[1], options.seconds),
    ];
    const adverts = deviations(readCapture(await idle.stop(), lab.topology.routers[1]?.namespace).adverts);
    const takeover = await measureTakeover(lab, first, crowd);
    return { mastersAfterMs, adverts, asMaster, asBackup, takeover };
  } finally {
    await lab.destroy();
  }
}

// --- the routers ------------------------------------------------------------------------------------------------------

interface Started {
  terminate(): void;
  processes(): ReadonlyMap<string, number>;
}

async function start(lab: Lab, system: System, name: string, crowd: Crowd, options: ScaleOptions): Promise<Started> {
  const router = lab.router(name);
  const config = configOf(crowd, name === "r1" ? 150 : 100);
  if (system === "baton") {
    const node = await router.startBaton(config);
    await node.waitReady(180_000);
    return {
      terminate: () => node.process.signal("SIGTERM"),
      processes: () => new Map([["supervisor", node.pid], ...node.servicePids()]),
    };
  }
  const node = await router.startKeepalived(config, options.keepalived, false);
  await node.waitLog(/Entering BACKUP STATE/, 60_000);
  return { terminate: () => node.signal("SIGTERM"), processes: () => new Map([["keepalived", node.pid]]) };
}

function configOf({ instances, interfaces, addresses }: Crowd, priority: number): string {
  const perInterface = Math.ceil(instances / interfaces);
  const blocks = Array.from({ length: instances }, (_, index) => {
    const [cable, vrid] = [Math.floor(index / perInterface) + 1, (index % perInterface) + 1];
    const virtual = Array.from({ length: addresses }, (_, n) => {
      const number = (vrid - 1) * addresses + n;
      return `    10.${cable}.${Math.floor(number / 250)}.${(number % 250) + 1}/32 dev v${cable}`;
    });
    // As many as fit are in the advert; the others are kept out of it.
    const listed = virtual.slice(0, addressesPerAdvert).join("\n");
    const excluded = virtual.slice(addressesPerAdvert).join("\n");
    return `vrrp_instance I${index + 1} {
  interface v${cable}
  state BACKUP
  priority ${priority}
  virtual_router_id ${vrid}
  advert_int 1
  virtual_ipaddress {
${listed}
  }
${excluded === "" ? "" : `  virtual_ipaddress_excluded {\n${excluded}\n  }\n`}}
`;
  });
  return `global_defs {\n  vrrp_version 3\n}\n${blocks.join("")}`;
}

const addressesPerAdvert = 20;

async function holdsAll(router: Router, { instances, addresses, interfaces }: Crowd): Promise<void> {
  await waitFor(
    `${router.name} to hold every address`,
    async () => {
      const { stdout } = await router.exec("ip -4 -o address show | grep -c '/32 '");
      return Number(stdout) >= instances * addresses;
    },
    { deadlineMs: 60_000 + interfaces * 5_000, everyMs: 250 },
  );
}

// --- the figures ------------------------------------------------------------------------------------------------------

const wire = { router: "r2", interface: "any", filter: "ip proto 112 or arp" };

function costs(processes: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>, seconds: number) {
  const rows = processCosts(processes, before, seconds);
  const cpuSecondsPerMinute = (percent: number): number => rounded(percent * 0.6);
  const { pssMiB = 0, cpuPercent = 0 } = rows.at(-1) ?? {};
  const byProcess = rows.slice(0, -1).map((row) => [row.name, cpuSecondsPerMinute(row.cpuPercent)] as const);
  return { cpuSecondsPerMinute: cpuSecondsPerMinute(cpuPercent), pssMiB, byProcess: Object.fromEntries(byProcess) };
}

/** Milliseconds between the distances of a virtual router's adverts and their interval of one second. */
function deviations(adverts: readonly WireAdvert[]): Record<string, number> {
  const last = new Map<string, number>();
  const off: number[] = [];
  for (const { of, at, source } of adverts) {
    const before = last.get(`${of} ${source}`);
    last.set(`${of} ${source}`, at);
    if (before !== undefined) off.push(Math.abs(at - before - 1) * 1_000);
  }
  return {
    adverts: off.length,
    routers: last.size,
    p50: rounded(median(off)),
    p99: rounded(quantile(off, 0.99)),
    max: rounded(off.reduce((most, each) => Math.max(most, each), 0)),
  };
}

/** The master is told to end; times are milliseconds after the first advert of its successor. */
async function measureTakeover(lab: Lab, master: Started, crowd: Crowd): Promise<Record<string, number>> {
  const capture = await lab.capture(wire);
  master.terminate();
  await holdsAll(lab.router("r2"), crowd);
  await sleep(3_500);
  const { adverts, garps } = readCapture(await capture.stop(), lab.topology.routers[1]?.namespace);
  const ofSuccessor = adverts.filter(({ source, priority }) => source.endsWith(".255.2") && priority > 0);
  const start = ofSuccessor[0]?.at ?? Number.NaN;
  const announced = new Map<string, number>();
  for (const { address, at } of garps) if (at >= start && !announced.has(address)) announced.set(address, at);
  const times = [...announced.values()];
  const startOf = new Map<string, number>();
  for (const { of, at } of ofSuccessor) if (!startOf.has(of)) startOf.set(of, at);
  const gaps = new Map<string, number>();
  let widest = 0;
  for (const { of, at } of ofSuccessor) {
    widest = Math.max(widest, at - (gaps.get(of) ?? at));
    gaps.set(of, at);
  }
  return {
    routers: startOf.size,
    announced: times.length,
    firstToLastAdvertMs: rounded((Math.max(...startOf.values()) - start) * 1_000),
    firstGarpMs: rounded((Math.min(...times) - start) * 1_000),
    lastGarpMs: rounded((Math.max(...times) - start) * 1_000),
    widestAdvertGapMs: rounded(widest * 1_000),
  };
}

import {
  type Attempts,
  addedServer,
  crowdConfig,
  doorAddress,
  doorCount,
  doorPort,
  readAttempts,
  serversMain,
  serversNetwork,
  tcpdumpCommand,
} from "@baton/directors";
import { createLab, type Lab, type LabProcess, type Router, waitFor } from "@baton/lab";
import { cpuTicks, type ProcessCost, processCosts } from "../process-costs.ts";
import type { System } from "../routers.ts";
import { sleep } from "../sleep.ts";
import { quantile, rounded } from "../statistics.ts";
import { type Director, startBatonDirector, startKeepalivedDirector } from "./directors.ts";
import { type Lateness, latenessOf } from "./lateness.ts";

export interface ChecksOptions {
  readonly seconds: number;
  readonly keepalived: string;
  /** "1000" or "10000" alone; "": both. */
  readonly only: string;
}

const crowds = [1_000, 10_000] as const;
/** Warm-up of checks, and Node has compiled what runs often. */
const settlingMs = 20_000;

export async function measureChecks(options: ChecksOptions): Promise<Record<string, unknown>> {
  const results: Record<string, Record<string, unknown>> = {};
  for (const servers of crowds.filter((each) => options.only === "" || options.only === String(each))) {
    const bySystem: Record<string, unknown> = {};
    for (const system of ["baton", "keepalived"] as const) {
      // What one of them cannot do is a result, too.
      const measured = await measureSystem(system, servers, options).catch((error) => ({ failed: String(error) }));
      bySystem[system] = measured;
      process.stderr.write(
        `${servers} real servers, ${system}: ${"failed" in measured ? measured.failed : rowOf(measured)}\n`,
      );
    }
    results[`${servers} real servers`] = bySystem;
  }
  return results;
}

function rowOf({ allCheckedMs, costs, lateness, latenessAroundReload, reload: took, detection }: Measured): string {
  const lateOf = ({ p50Ms, p99Ms, maxMs }: Lateness): string => `p50 ${p50Ms}, p99 ${p99Ms}, max ${maxMs} ms`;
  const checking = costs.find(({ name }) => name === "health" || name === "keepalived");
  const { name = "", cpuPercent = 0, pssMiB = 0 } = checking ?? {};
  return [
    `all checked after ${allCheckedMs} ms`,
    `${name} ${rounded(cpuPercent * 0.6)} s of processor a minute, ${pssMiB} MiB`,
    `late ${lateOf(lateness)}`,
    `around the reload ${lateOf(latenessAroundReload)}`,
    `one server more ${took.decidedMs} ms`,
    `gone ${detection.whole.p50Ms} ms after it closed, ${detection.own.p50Ms} (p90 ${detection.own.p90Ms}) after the last attempt`,
  ].join("; ");
}

interface Phase {
  readonly from: number;
  readonly until: number;
}

interface Measured {
  /** From the start until each server has been checked once. */
  readonly allCheckedMs: number;
  readonly costs: readonly ProcessCost[];
  readonly lateness: Lateness;
  readonly latenessAroundReload: Lateness;
  readonly reload: { readonly decidedMs: number; readonly programmedMs: number | undefined };
  readonly detection: Detection;
}

async function measureSystem(system: System, servers: number, options: ChecksOptions): Promise<Measured> {
  const lab = await createLab({ name: `bench-checks-${system}`, routers: ["r1"] });
  try {
    const scene = await openScene(lab);
    const start = system === "baton" ? startBatonDirector : startKeepalivedDirector;
    const began = Date.now();
    const director = await start(
      lab.router("r1"),
      crowdConfig({ virtualServers: servers / 2, isChecked: true }),
      options.keepalived,
    );
    await waitFor("a check of every server", () => scene.seen() >= servers + doorCount, {
      deadlineMs: patienceMs,
      everyMs: 1_000,
    });
    const allCheckedMs = Date.now() - began;
    await sleep(settlingMs);
    const [calm, costs] = await calmly(director, options.seconds);
    const verdicts = await closeDoors(scene, director);
    const reloading = await reload(director, servers);
    const attempts = readAttempts(await scene.stop());
    return {
      allCheckedMs,
      costs,
      lateness: latenessOf(attempts, calm.from, calm.until),
      latenessAroundReload: latenessOf(attempts, reloading.phase.from, reloading.phase.until),
      reload: reloading.took,
      detection: detectionOf(verdicts, attempts),
    };
  } finally {
    await lab.destroy();
  }
}

// --- the servers ------------------------------------------------------------------------------------------------------

interface Scene {
  readonly servers: LabProcess;
  /** Servers that have been checked. */
  seen(): number;
  /** What tcpdump has seen. */
  stop(): Promise<string>;
}

async function openScene(lab: Lab): Promise<Scene> {
  const router: Router = lab.router("r1");
  // Ten thousand connections are forgotten at once, not in a minute.
  await router.exec(
    `ip link set lo up; ip route add local ${serversNetwork} dev lo; sysctl -qw net.ipv4.tcp_max_tw_buckets=1000 net.core.somaxconn=4096`,
  );
  const servers = await router.spawn("servers", [process.execPath, serversMain]);
  await servers.waitLog(/answering/);
  const tcpdump = await router.spawn("tcpdump", tcpdumpCommand);
  await tcpdump.waitLog(/listening on/);
  return {
    servers,
    seen: () => readAttempts(tcpdump.log()).size,
    stop: async () => {
      await tcpdump.stop();
      return tcpdump.log();
    },
  };
}

// --- phases -----------------------------------------------------------------------------------------------------------

async function calmly(director: Director, seconds: number): Promise<[Phase, ProcessCost[]]> {
  const from = Date.now();
  const before = cpuTicks(director.processes());
  await sleep(seconds * 1_000);
  const costs = processCosts(director.processes(), before, (Date.now() - from) / 1_000);
  return [{ from, until: Date.now() }, costs];
}

interface Verdict {
  readonly server: string;
  readonly closedAt: number;
  readonly decidedAt: number;
  readonly programmedAt: number | undefined;
}

const betweenDoorsMs = 300;
const patienceMs = 240_000;

async function closeDoors({ servers }: Scene, director: Director): Promise<Verdict[]> {
  const closed = (): number[] => [...servers.log().matchAll(/^closed \d+ ([\d.]+)$/gm)].map((line) => Number(line[1]));
  for (let door = 0; door < doorCount; door++) {
    // Two signals that nobody has seen are one.
    servers.signal("SIGUSR2");
    await waitFor("a door to close", () => closed().length > door, { deadlineMs: patienceMs });
    await sleep(betweenDoorsMs);
  }
  return waitFor(
    "every door to be given up",
    () => {
      const found = closed().flatMap((closedAt, at): Verdict[] => {
        const removed = director.removedAt(doorAddress(at));
        return removed === undefined ? [] : [{ server: `${doorAddress(at)}.${doorPort}`, closedAt, ...removed }];
      });
      return found.length === doorCount ? found : undefined;
    },
    { deadlineMs: patienceMs, everyMs: 200 },
  );
}

async function reload(director: Director, servers: number): Promise<{ took: Measured["reload"]; phase: Phase }> {
  const from = Date.now();
  director.reload(crowdConfig({ virtualServers: servers / 2, isChecked: true, isOneMore: true }));
  const { decidedAt, programmedAt } = await waitFor("the added server", () => director.addedAt(addedServer), {
    deadlineMs: patienceMs,
    everyMs: 100,
  });
  // Those that were late because of it are seen with the round after.
  await sleep(8_000);
  const took = { decidedMs: rounded(decidedAt - from), programmedMs: since(programmedAt, from) };
  return { took, phase: { from, until: Date.now() } };
}

const since = (at: number | undefined, from: number): number | undefined =>
  at === undefined ? undefined : rounded(at - from);

// --- figures ----------------------------------------------------------------------------------------------------------

interface Spread {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly maxMs: number;
}

interface Detection {
  readonly count: number;
  /** From the closing on. */
  readonly whole: Spread;
  /** After the last attempt that failed, which is what the software makes of it. */
  readonly own: Spread;
  readonly ownAndProgrammed?: Spread;
}

function detectionOf(verdicts: readonly Verdict[], attempts: Attempts): Detection {
  const last = ({ server, decidedAt }: Verdict): number =>
    Math.max(...(attempts.get(server) ?? []).filter((at) => at < decidedAt));
  const of = (values: readonly number[]) => ({
    p50Ms: rounded(quantile(values, 0.5)),
    p90Ms: rounded(quantile(values, 0.9)),
    maxMs: rounded(quantile(values, 1)),
  });
  const programmed = verdicts.flatMap((each) =>
    each.programmedAt === undefined ? [] : [each.programmedAt - last(each)],
  );
  return {
    count: verdicts.length,
    whole: of(verdicts.map(({ decidedAt, closedAt }) => decidedAt - closedAt)),
    own: of(verdicts.map((each) => each.decidedAt - last(each))),
    ...(programmed.length === 0 ? {} : { ownAndProgrammed: of(programmed) }),
  };
}

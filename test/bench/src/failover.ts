// How long the client waits when the master ends, and how soon its successor is there: Baton and keepalived in turn.
import { type Crowd, createLab, crowdAddress, crowdConfig, type Lab, virtualAddress, waitFor } from "@baton/lab";
import { readCapture } from "./capture-log.ts";
import { type System, startRouter, startRouterWith } from "./routers.ts";
import { median, rounded } from "./statistics.ts";

const disturbances = ["sigterm", "sigkill", "link-down"] as const;
type Disturbance = (typeof disturbances)[number];

interface Run {
  readonly lost: number;
  readonly outageMs: number;
  /** First advert of the successor against the earliest that the RFC allows, in milliseconds. */
  readonly latenessMs: number;
  readonly advertToAddressMs: number;
  readonly advertToGarpMs: number;
}

/** r2 has priority 100 (RFC 3768 section 6.1). */
const skewSeconds = (256 - 100) / 256;
const masterDownSeconds = 3 + skewSeconds;

export async function measureFailover(runs: number): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const disturbance of disturbances) {
    const bySystem: Record<string, unknown> = {};
    for (const system of ["baton", "keepalived"] as const) {
      const measured: Run[] = [];
      for (let run = 0; run < runs; run++) {
        const one = await measureOnce(system, disturbance);
        process.stderr.write(`${disturbance} ${system} ${run + 1}/${runs}: ${JSON.stringify(one)}\n`);
        measured.push(one);
      }
      bySystem[system] = summarize(measured);
    }
    results[disturbance] = bySystem;
  }
  return results;
}

function summarize(runs: readonly Run[]): Record<keyof Run, number> & { runs: number } {
  const of = (key: keyof Run): number => rounded(median(runs.map((run) => run[key])));
  return {
    runs: runs.length,
    lost: of("lost"),
    outageMs: of("outageMs"),
    latenessMs: of("latenessMs"),
    advertToAddressMs: of("advertToAddressMs"),
    advertToGarpMs: of("advertToGarpMs"),
  };
}

async function measureOnce(system: System, disturbance: Disturbance): Promise<Run> {
  const lab = await createLab({ name: `bench-${system}` });
  try {
    const first = await startRouter(lab, system, "r1", { state: "MASTER", priority: 101 });
    await startRouter(lab, system, "r2", { state: "BACKUP", priority: 100 });
    await waitFor(
      "r1 to be master",
      async () => (await lab.router("r1").addresses()).includes(`${virtualAddress}/16`),
      {
        deadlineMs: 20_000,
      },
    );
    const probing = await lab.client.probe({ address: virtualAddress });
    await probing.waitAnswered("r1");
    const capture = await lab.capture({ filter: "ip proto 112 or arp" });
    const monitor = await lab.router("r2").spawn("monitor", ["ip", "-ts", "-o", "-4", "monitor", "address"]);
    // Some adverts on record before anything happens.
    const answered = (await probing.report()).answered;
    await waitFor("2.5 s of probes", async () => (await probing.report()).answered > answered + 2_500);
    await disturb(lab, disturbance, first);
    await probing.waitAnswered("r2", 20_000);
    const later = (await probing.report()).answered;
    await waitFor("1.5 s of probes", async () => (await probing.report()).answered > later + 1_500);
    const report = await probing.stop();
    const wire = await capture.stop();
    return evaluate(report.outages, wire, monitor.log(), disturbance);
  } finally {
    await lab.destroy();
  }
}

const crowds: readonly Crowd[] = [
  { instances: 1, seconds: 1 },
  { instances: 50, seconds: 0.1 },
];
/** Of a crowd's addresses so many are probed once a millisecond each: a prober costs as much as a router. */
const probedMax = 5;

/** A router of higher priority comes back and takes over from a healthy master: probes lost, and for how long. */
export async function measurePreemption(runs: number): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const crowd of crowds) {
    const bySystem: Record<string, unknown> = {};
    const name = `${crowd.instances} at ${crowd.seconds} s`;
    for (const system of ["baton", "keepalived"] as const) {
      const measured: { lost: number; outageMs: number }[] = [];
      for (let run = 0; run < runs; run++) {
        const one = await preemptOnce(system, crowd);
        process.stderr.write(`pre-emption, ${name}, ${system} ${run + 1}/${runs}: ${JSON.stringify(one)}\n`);
        measured.push(one);
      }
      const of = (key: "lost" | "outageMs"): number => rounded(median(measured.map((one) => one[key])));
      bySystem[system] = { runs, lost: of("lost"), outageMs: of("outageMs") };
    }
    results[name] = bySystem;
  }
  return results;
}

/** Probes of all probed addresses that were lost, and the longest time without an answer from one of them. */
async function preemptOnce(system: System, crowd: Crowd): Promise<{ lost: number; outageMs: number }> {
  const lab = await createLab({ name: `bench-${system}` });
  try {
    await startRouterWith(lab, system, "r2", crowdConfig(crowd, 100));
    const step = Math.max(1, Math.floor(crowd.instances / probedMax));
    const addresses = Array.from({ length: Math.min(crowd.instances, probedMax) }, (_, index) =>
      crowdAddress(index * step),
    );
    const probes = await Promise.all(addresses.map((address) => lab.client.probe({ address })));
    for (const probe of probes) await probe.waitAnswered("r2", 20_000);
    const before = await Promise.all(probes.map(async (probe) => (await probe.report()).outages.length));
    await startRouterWith(lab, system, "r1", crowdConfig(crowd, 101));
    for (const probe of probes) await probe.waitAnswered("r1", 20_000);
    const [first] = probes;
    const later = (await first?.report())?.answered ?? 0;
    await waitFor("1.5 s of probes", async () => ((await first?.report())?.answered ?? 0) > later + 1_500);
    const outages = (await Promise.all(probes.map((probe) => probe.stop()))).map((report, index) =>
      report.outages.slice(before[index]),
    );
    const sums = outages.map((each) => each.reduce((sum, { durationMs }) => sum + durationMs, 0));
    return {
      lost: outages.flat().reduce((sum, { lost }) => sum + lost, 0),
      outageMs: rounded(Math.max(0, ...sums)),
    };
  } finally {
    await lab.destroy();
  }
}

async function disturb(lab: Lab, how: Disturbance, master: { terminate(): void }): Promise<void> {
  if (how === "sigterm") master.terminate();
  else if (how === "sigkill") await lab.router("r1").killEverything({ keepResponder: true });
  else await lab.linkDown("r1");
}

function evaluate(
  outages: readonly { lost: number; durationMs: number }[],
  captureFile: string,
  monitorLog: string,
  disturbance: Disturbance,
): Run {
  const { adverts, garps } = readCapture(captureFile);
  const firstOfSuccessor = adverts.find(({ source, priority }) => source === "172.16.1.2" && priority > 0);
  if (firstOfSuccessor === undefined) throw new Error("the successor never spoke");
  const before = adverts.filter(({ source, at }) => source === "172.16.1.1" && at < firstOfSuccessor.at);
  const last = before.at(-1);
  if (last === undefined) throw new Error("the master never spoke");
  // A leaver may repeat its 0; the skew that counts is the one after the first.
  const zero = before.find(({ priority }) => priority === 0);
  const earliest =
    disturbance === "sigterm" && zero !== undefined ? zero.at + skewSeconds : last.at + masterDownSeconds;
  const garp = garps.find(({ address, at }) => address === virtualAddress && at >= firstOfSuccessor.at - 0.001);
  const addedAt = /\[([^\]]+)\]\s*\d+: eth0\s+inet 172\.16\.100\.1\//.exec(monitorLog)?.[1];
  return {
    lost: outages.reduce((sum, each) => sum + each.lost, 0),
    outageMs: rounded(outages.reduce((sum, each) => sum + each.durationMs, 0)),
    latenessMs: rounded((firstOfSuccessor.at - earliest) * 1_000),
    advertToAddressMs:
      addedAt === undefined ? Number.NaN : rounded(microsecondsOf(addedAt) / 1_000 - firstOfSuccessor.at * 1_000),
    advertToGarpMs: garp === undefined ? Number.NaN : rounded((garp.at - firstOfSuccessor.at) * 1_000),
  };
}

/** Date.parse knows milliseconds only. */
const microsecondsOf = (stamp: string): number =>
  Date.parse(`${stamp.slice(0, 19)}Z`) * 1_000 + Number(stamp.slice(20).padEnd(6, "0").slice(0, 6));

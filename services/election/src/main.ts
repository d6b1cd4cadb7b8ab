// Composition root of the election process: protocol 112, the machines, and the lease. Nothing else runs in here.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keepProcessSettings, startHost } from "@baton/host";
import { setOomScoreAdjust, setRealtime } from "@baton/linux";
import { rehearse } from "./rehearsal.ts";
import { runElection } from "./run-election.ts";

/** SCHED_RR where nothing else is configured: late adverts are lost mastership (SAFETY S7; p99 of a loaded 100 ms timer 3.9 -> 1.2 ms). */
const realtimePriority = 40;

const host = await startHost({ service: "election" });
setRealtime(realtimePriority);
setOomScoreAdjust(-1000);

host.own(rehearse(host));
const election = await runElection({
  host,
  leaseSocketPath: join(host.env.runDir, "dataplane.sock"),
  recentResumes: countResumes(join(host.env.runDir, "election.starts"), host.now(), host.env.restarts),
});
await host.serveWatch({
  states: () => election.states(),
  counters: () => election.counters.samples(),
  extra: [election.testimonies.grpc],
});
await keepProcessSettings(host, { settings: ({ vrrp }) => vrrp, realtimePriority, below: 0 });
host.onStop((reason) => election.leave(reason));
void election.settled.then(() => host.ready());

/** Starts of this process in the last minute, kept in the run directory: three make it release instead of resume (SAFETY S5). */
function countResumes(path: string, now: number, restarts: number): number {
  if (restarts === 0) return 0;
  let earlier: number[] = [];
  try {
    earlier = readFileSync(path, "utf8").split("\n").map(Number);
  } catch {
    // The first restart of this run.
  }
  appendFileSync(path, `${now}\n`, { mode: 0o600 });
  return earlier.filter((at) => at > 0 && now - at < 60_000_000).length + 1;
}

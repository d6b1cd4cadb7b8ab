// Composition root of the dataplane process. Its main thread keeps leases and addresses and nothing else (SAFETY S3).
import { keepProcessSettings, startHost } from "@baton/host";
import type { ProcessesConfig } from "@baton/keepalived-conf";
import { setOomScoreAdjust, setRealtime } from "@baton/linux";
import { runDataplane } from "./run-dataplane.ts";

/** SCHED_RR priority, just below election's: a late advert loses mastership, a late address a few probes. */
const realtimePriority = 39;

const host = await startHost({ service: "dataplane" });
const isRealtime = setRealtime(realtimePriority);
const isSpared = setOomScoreAdjust(-1000);
if (!isRealtime || !isSpared) host.log.warn("not permitted to protect this process", { isRealtime, isSpared });

const dataplane = await runDataplane(host);
await host.serveWatch({
  states: () => dataplane.states(),
  counters: () => dataplane.counters(),
  extra: [dataplane.leaseService],
});
// The name is election's: whoever looks for it finds one process.
const settings = {
  settings: ({ vrrp }: ProcessesConfig) => ({ ...vrrp, name: undefined }),
  realtimePriority,
  below: 1,
};
await keepProcessSettings(host, settings);
host.onStop(async (reason) => dataplane.release(reason));
host.ready();

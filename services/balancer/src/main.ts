// Composition root of the balancer: a process of its own, because programming ten thousand services takes a second, for
// which no lease must wait (SAFETY S3).
import { keepProcessSettings, paths, startHost } from "@baton/host";
import { openEngine } from "./choose-engine.ts";
import { openOwnFile } from "./own-file.ts";
import { runBalancer } from "./run-balancer.ts";

const host = await startHost({ service: "balancer" });
const balancer = await runBalancer({
  host,
  open: openEngine,
  file: openOwnFile(paths.balancerRecord(host.env.runDir)),
  keepsAtStop: process.env.BATON_KEEP_SERVICES === "1",
});
// Those of keepalived's checker process that are no script's: the balancer runs none.
await keepProcessSettings(host, { settings: ({ checker }) => checker, realtimePriority: undefined, below: 1 });
host.onStop(async (reason) => {
  // Who is started in its place when something is left tries again.
  if (!(await balancer.stop(reason))) process.exitCode = 1;
});
await host.serveWatch(balancer);
host.ready();

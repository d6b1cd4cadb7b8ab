// Composition root of the balancer: a process of its own, because programming ten thousand services takes a second, for
// which no lease must wait (SAFETY S3).
import { join } from "node:path";
import { startHost } from "@baton/host";
import { openEngine } from "./choose-engine.ts";
import { openOwnFile } from "./own-file.ts";
import { runBalancer } from "./run-balancer.ts";

const host = await startHost({ service: "balancer" });
const balancer = await runBalancer({
  host,
  open: openEngine,
  file: openOwnFile(join(host.env.runDir, "balancer.own")),
  keepsAtStop: process.env.BATON_KEEP_IPVS === "1",
});
host.onStop(() => balancer.stop());
await host.serveWatch(balancer);
host.ready();

// Composition root of the health process: the scripts of the configuration, and nothing that could delay them.
import { join } from "node:path";
import { keepProcessSettings, startHost } from "@baton/host";
import { resolveUser } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import { runHealth } from "./run-health.ts";
import { openRunRecord } from "./run-record.ts";

const host = await startHost({ service: "health" });

const record = openRunRecord(join(host.env.runDir, "health.running"));
for (const group of record.ended)
  host.log.warn("ended a script that an earlier health process left running", { group });
host.own(record);

const health = await runHealth({
  host,
  record,
  environment: scriptEnvironment(process.env),
  lookup: resolveUser,
  own: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
});
// Niceness and processors would be those of the scripts, too, of which nobody has spoken.
await keepProcessSettings(host, {
  settings: ({ bfd: { realtimePriority } }) => ({ realtimePriority }),
  realtimePriority: undefined,
  below: 0,
});
host.onStop(() => health.stop());
await host.serveWatch(health);
host.ready();

// Composition root of the health process: the scripts of the configuration, the checks of real servers, and nothing that
// could delay them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keepProcessSettings, startHost } from "@baton/host";
import { resolveUser, wallMicros } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import { openKeptFile } from "./checking/kept-file.ts";
import { openKnownLog } from "./checking/known-log.ts";
import { runHealth } from "./run-health.ts";
import { openRunRecord } from "./run-record.ts";

const host = await startHost({ service: "health" });

const record = openRunRecord(join(host.env.runDir, "health.running"));
for (const group of record.ended)
  host.log.warn("ended a script that an earlier health process left running", { group });
host.own(record);
const problemAt = (path: string) => ({
  path,
  onProblem: (reason: string) => host.log.error(`what a restart has to know cannot be written: ${reason}`, { path }),
});

const health = await runHealth({
  host,
  record,
  environment: scriptEnvironment(process.env),
  lookup: resolveUser,
  own: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  kept: {
    // Servers live on while nobody looks: what is older than any restart takes is worth nothing.
    known: openKnownLog({ ...problemAt(join(host.env.runDir, "health.known")), freshMillis: 120_000 }),
    // An operator's will: until it is undone.
    drained: openKeptFile(problemAt(join(host.env.stateDir, "drains.json"))),
  },
  boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  wall: () => wallMicros() / 1_000,
});
// Niceness and processors would be those of the scripts, too, of which nobody has spoken.
await keepProcessSettings(host, {
  settings: ({ bfd: { realtimePriority } }) => ({ realtimePriority }),
  realtimePriority: undefined,
  below: 0,
});
host.onStop(() => health.stop());
await host.serveWatch({ ...health, extra: [health.drainService] });
host.ready();

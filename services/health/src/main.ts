// Composition root of the health process: the scripts of the configuration, the checks of real servers, and nothing that
// could delay them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { keepProcessSettings, startHost } from "@baton/host";
import { resolveUser, wallMicros } from "@baton/linux";
import { scriptEnvironment } from "@baton/script";
import { openKeptFile } from "./checking/kept-file.ts";
import { runHealth } from "./run-health.ts";
import { openRunRecord } from "./run-record.ts";

const host = await startHost({ service: "health" });

const record = openRunRecord(join(host.env.runDir, "health.running"));
for (const group of record.ended)
  host.log.warn("ended a script that an earlier health process left running", { group });
host.own(record);
const kept = (path: string, durable: boolean) =>
  openKeptFile({
    path,
    durable,
    onProblem: (reason) => host.log.error(`what a restart has to know cannot be written: ${reason}`, { path }),
  });

const health = await runHealth({
  host,
  record,
  environment: scriptEnvironment(process.env),
  lookup: resolveUser,
  own: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
  kept: {
    // Of this start of the machine, written with every change.
    known: kept(join(host.env.runDir, "health.known"), false),
    // An operator's will: until it is undone.
    drained: kept(join(host.env.stateDir, "drains.json"), true),
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

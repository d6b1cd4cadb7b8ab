// Composition root of the control process.
import { startHost } from "@baton/host";
import { runControl } from "./run-control.ts";

const host = await startHost({ service: "control" });
const file = process.env.BATON_CONFIG;
if (file === undefined) throw new Error("BATON_CONFIG is not set: services are started by `baton up`");

const started = await runControl({ host, file, settingsFile: process.env.BATON_SETTINGS, env: process.env });
if (started) host.ready();
else {
  await host.stop("configuration refused");
  process.exit(1);
}

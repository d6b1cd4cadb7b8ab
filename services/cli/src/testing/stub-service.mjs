// Stands for a service in the supervisor's tests: speaks the same messages, does no work, and writes down what it was
// told. Its name is its file's argument; it ignores signals as the real ones do.
import { appendFileSync } from "node:fs";
import { join } from "node:path";

const name = new URL(import.meta.url).searchParams.get("name") ?? process.env.STUB_NAME ?? "";
const { BATON_RUN_DIR = "", BATON_RESTARTS = "" } = process.env;
const note = (text) => appendFileSync(join(BATON_RUN_DIR, "story"), `${text}\n`);
const say = (message) => process.connected && process.send(message, () => undefined);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => note(`${name} got ${signal}`));
setInterval(() => say({ type: "alive" }), 200);
note(`${name} started ${BATON_RESTARTS}`);
process.on("message", (message) => {
  note([name, message.type, message.reason ?? message.what].filter((word) => word !== undefined).join(" "));
  if (message.type !== "stop") return;
  say({ type: "stopped" });
  setTimeout(() => process.exit(0), 20);
});
if (name === "control") say({ type: "config", generation: 1 });
say({ type: "ready" });

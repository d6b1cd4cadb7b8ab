// Stands for a service in the supervisor's tests: speaks the same messages, does no work, and writes down what it was
// told. Its name is its file's argument; it ignores signals as the real ones do.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";

const name = new URL(import.meta.url).searchParams.get("name") ?? process.env.STUB_NAME ?? "";
const { BATON_RUN_DIR = "", BATON_RESTARTS = "" } = process.env;
const note = (text) => appendFileSync(join(BATON_RUN_DIR, "story"), `${text}\n`);
const say = (message) => process.connected && process.send(message, () => undefined);

if (process.env.BATON_STANDBY !== undefined) {
  const begun = new Promise((resolve) => process.once("message", resolve));
  process.once("disconnect", () => process.exit(0));
  const { pid } = JSON.parse(readFileSync(join(BATON_RUN_DIR, "services.json"), "utf8")).services[name];
  process.kill(pid, 0); // whom it replaces is alive, or this throws
  note(`${name} stands by`);
  say({ type: "standing-by" });
  await begun;
  process.removeAllListeners("disconnect");
}
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

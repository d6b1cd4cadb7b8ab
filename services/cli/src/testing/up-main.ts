// `baton up` with stub services, for the supervisor's tests: the brokers, the lock and the processes are real.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { onRealTimeSignal } from "@baton/linux";
import { parseArguments } from "../arguments/parse-arguments.ts";
import { up } from "../commands/up.ts";

const stub = fileURLToPath(new URL("../../src/testing/stub-service.mjs", import.meta.url));
const [stubs = "", ...words] = process.argv.slice(2);
const parsed = parseArguments(words);
const given = parsed.ok ? parsed.command : undefined;
const command = given?.type === "keepalived" ? given.up : given;
if (command?.type !== "up") throw new Error("up-main takes the words of baton up, and of baton keepalived");

const exitCode = await up(command, {
  console: { out: (text) => process.stdout.write(text), error: (line) => process.stderr.write(`${line}\n`) },
  env: process.env,
  hostName: "test",
  userId: process.getuid?.() ?? -1,
  pid: process.pid,
  mainOf(service) {
    const main = resolve(join(stubs, `${service}.mjs`));
    writeFileSync(main, `process.env.STUB_NAME = "${service}";\nawait import("${stub}");\n`);
    return main;
  },
  onSignal(signal, handler) {
    if (typeof signal === "number") return onRealTimeSignal(signal, handler) !== undefined;
    process.on(signal, handler);
    return true;
  },
});
process.exit(exitCode);

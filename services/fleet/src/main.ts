// Composition root of the hub: `baton-fleet`.
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "@baton/domain";
import { lockFile } from "@baton/linux";
import { ensureAdmin, ensureNode, listNodes } from "./hub-credentials.ts";
import { createLineLog } from "./line-log.ts";
import { type FleetOptions, type ParsedOptions, parseOptions, usage } from "./options.ts";
import { runHub, writeReadyFile } from "./run-hub.ts";

const log = createLineLog(process.stderr, () => new Date().toISOString());
process.exitCode = await main(parseOptions(process.argv.slice(2)));

async function main(parsed: ParsedOptions): Promise<number> {
  switch (parsed.kind) {
    case "help":
      process.stdout.write(usage);
      return 0;
    case "error":
      process.stderr.write(`baton-fleet: ${parsed.message}\n\n${usage}`);
      return 2;
    case "add-node":
      return addNode(parsed.stateDir, parsed.node, parsed.url);
    case "run":
      try {
        return await run(parsed.options);
      } catch (error) {
        process.stderr.write(`baton-fleet: ${messageOf(error)}\n`);
        return 1;
      }
  }
}

/** The address of the hub is the one that the other nodes have, unless it is given. */
function addNode(stateDir: string, node: string, url: string | undefined): number {
  ensureAdmin(stateDir);
  const known = listNodes(stateDir, (problem) => log.warn(problem))[0]?.url;
  const login = ensureNode(stateDir, node, url ?? known ?? "nats://127.0.0.1:4222");
  process.stdout.write(`${JSON.stringify(login)}\n`);
  return 0;
}

async function run(options: FleetOptions): Promise<number> {
  const admin = ensureAdmin(options.stateDir);
  const lock = lockFile(join(options.stateDir, "hub.lock"));
  if (lock === undefined) throw new Error(`another baton-fleet runs on ${options.stateDir}`);
  const webRoot = join(import.meta.dirname, "web");
  const hub = await runHub({ options, log, external: readExternal(options), webRoot });
  log.info("the fleet page is served", { page: hub.page, nats: hub.natsUrl, user: admin.user });
  const stopped = new Promise<string>((stop) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => stop(signal));
  });
  const { readyFile } = options;
  if (readyFile !== undefined) {
    hub.ready
      .then(() => writeReadyFile(readyFile, hub))
      .catch((error: unknown) => log.error("the ready file cannot be written", { cause: error }));
  }
  log.info("stopping", { signal: await stopped });
  if (readyFile !== undefined) await rm(readyFile, { force: true });
  await hub.close();
  lock.close();
  return 0;
}

function readExternal({ bus }: FleetOptions): { user?: string; password?: string } {
  if (bus.kind !== "external" || bus.credentials === undefined) return {};
  const value: unknown = JSON.parse(readFileSync(bus.credentials, "utf8"));
  if (typeof value === "object" && value !== null && "user" in value && "password" in value)
    return { user: String(value.user), password: String(value.password) };
  throw new Error(`${bus.credentials} holds no user and password`);
}

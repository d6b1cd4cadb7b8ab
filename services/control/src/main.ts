// Composition root of control: configuration, status, event history, metrics.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DrainRequest, subjectFilter } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { inboxPrefix, openNatsBus } from "@baton/event-log";
import { askSnapshot, paths, readConfiguration, readCredentials, startHost } from "@baton/host";
import { formatDiagnostic } from "@baton/keepalived-conf";
import { processStartTime } from "@baton/linux";
import { balances } from "./balances.ts";
import { ConfigKeeper, type Loaded } from "./config-keeper.ts";
import { askHealth } from "./drain.ts";
import { temporaryDirectory } from "./dumps/dump-files.ts";
import { EventFeed } from "./event-feed.ts";
import { type EventQuery, queryFilter } from "./event-query.ts";
import { ringMax } from "./event-ring.ts";
import { Control, type ControlDependencies } from "./run-control.ts";

const host = await startHost({ service: "control" });
const { node, runDir } = host.env;
const file = required("BATON_CONFIG");
const settingsFile = process.env.BATON_SETTINGS || undefined;
const configId = process.env.BATON_CONFIG_ID || undefined;
const netNamespace = process.env.BATON_NET_NAMESPACE || undefined;

const feed = new EventFeed();
const keeper = new ConfigKeeper({
  host,
  onEvent: (envelope) => feed.add(envelope),
  file,
  load: async (name) => load(name),
  format: formatDiagnostic,
  wallTime: () => new Date().toISOString(),
});
const bus = host.own(
  openNatsBus({
    credentials: async () => {
      const known = await readCredentials(runDir);
      const login = known?.nats.users.control;
      return known === undefined || login === undefined ? undefined : { url: known.nats.url, ...login };
    },
    name: `${node}/control history`,
    inboxPrefix: inboxPrefix("control"),
  }),
);
const ask: ControlDependencies["ask"] = (service, timeoutMs, kinds) =>
  askSnapshot({ socket: paths.socket(runDir, service), consumer: "control-status", timeoutMs, kinds });
const dumpDirectory = temporaryDirectory(process.env);
const drain = (request: DrainRequest) => askHealth(paths.socket(runDir, "health"), request);
const control = new Control({ host, keeper, feed, history, ask, drain, dumpDirectory });

const resumed = appliedInThisRun() ? await keeper.resume() : undefined;
const snapshot = resumed ?? (await control.applyFirst())?.snapshot;
if (snapshot === undefined) {
  await host.stop("the configuration was rejected");
  process.exit(1);
}
markApplied();
await control.serve();
const seeded = { begun: false };
bus.onStatus((connected) => {
  if (!connected || seeded.begun) return;
  seeded.begun = true;
  seedFeed().catch((error: unknown) => host.log.warn("the stored events cannot be read", { cause: error }));
});
// What a killed balancer left behind is cleared up, whoever is configured now.
const leftover = existsSync(paths.balancerRecord(runDir));
host.report({ type: "config", generation: snapshot.generation, balances: leftover || balances(snapshot.config) });
host.ready();

function load(name: string): Loaded {
  const files = { file: name, settingsFile, configId, netNamespace, isInside: true, env: process.env };
  const { configuration, diagnostics, exitCode } = readConfiguration(files);
  return configuration === undefined
    ? { ok: false, exitCode, diagnostics }
    : { ok: true, ...configuration, diagnostics };
}

async function* history(query: EventQuery, signal: AbortSignal): AsyncGenerator<EventEnvelope> {
  // Asked at once rather than waited for: the caller has events of its own meanwhile.
  if (!bus.connected) throw new Error("the bus is away");
  const { sinceId, limit } = query;
  for await (const { envelope } of bus.history({ filter: queryFilter(node, query), sinceId, limit, signal }))
    yield envelope;
}

/** Once the bus is there, memory learns what was before it listened, for the time when the bus is gone again. */
async function seedFeed(): Promise<void> {
  const older: EventEnvelope[] = [];
  for await (const { envelope } of bus.history({ filter: subjectFilter({ node }), limit: ringMax }))
    older.push(envelope);
  feed.seed(older);
}

/**
 * A control that died comes back with what is applied, and does not read files that somebody may be editing: only a
 * start of the node and a reload do. The mark says which supervisor it was applied under.
 */
function appliedInThisRun(): boolean {
  try {
    return host.env.restarts > 0 && readFileSync(markPath(), "utf8") === markText();
  } catch {
    return false;
  }
}

function markApplied(): void {
  writeFileSync(markPath(), markText(), { mode: 0o600 });
}

function markPath(): string {
  return join(runDir, "control.applied");
}

function markText(): string {
  return `${process.ppid} ${processStartTime(process.ppid) ?? ""}\n`;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: services are started by \`baton up\``);
  return value;
}

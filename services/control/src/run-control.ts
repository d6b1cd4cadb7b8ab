// The control process: the configuration, the read model and what people ask of the node. Off the failover path: when
// it is gone, everything else goes on with the last applied snapshot (SAFETY S15).
import { join } from "node:path";
import { type AggregateState, type NodeStatus, type ReloadResult, subjectFilter } from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import { inboxPrefix, type NatsBus, openNatsBus } from "@baton/event-log";
import { type ConfigSnapshot, type Host, paths, readConfiguration, readCredentials, serveGrpc } from "@baton/host";
import { diffConfig, formatDiagnostic } from "@baton/keepalived-conf";
import { type Applied, ConfigKeeper, configAggregate, type Loaded } from "./config-keeper.ts";
import { EventFeed } from "./event-feed.ts";
import type { EventQuery } from "./event-query.ts";
import { openMetricsServer } from "./metrics-server.ts";
import { encodeMetrics } from "./metrics-text.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { NodeModel } from "./node-model.ts";
import { createNodeService } from "./node-service.ts";
import { askSnapshot } from "./watch-snapshot.ts";

export interface ControlOptions {
  readonly host: Host;
  /** keepalived.conf. */
  readonly file: string;
  /** baton.yaml. */
  readonly settingsFile: string | undefined;
  /** For `${_ENV NAME}` and PATH in the configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Who is followed, and what each owns. */
const owners: readonly (readonly [ServiceName, readonly Aggregate["kind"][]])[] = [
  ["election", ["vrrp", "service"]],
  ["health", ["tracker", "service"]],
  ["dataplane", ["address", "service"]],
  ["notifier", ["notification", "service"]],
  ["control", ["config", "service"]],
  ["supervisor", ["service"]],
];
/** Services whose state has parts without events. A status does not wait longer for one that hangs. */
const refreshed: readonly ServiceName[] = ["election", "health", "dataplane"];
const refreshPatienceMs = 250;

/** False when the node cannot start with this configuration; the supervisor has been told. */
export async function runControl(options: ControlOptions): Promise<boolean> {
  const { host } = options;
  const keeper = createKeeper(options);
  if (!(await begin(host, keeper))) return false;
  const startedAt = host.now();
  const model = new NodeModel();
  const feed = new EventFeed();
  await host.serveWatch({ states: () => configStates(keeper.snapshot, host) });
  for (const [service, kinds] of owners) host.own(followOwner(host, service, kinds, model, feed));
  const bus = host.own(openHistory(host));

  const currentStatus = async (): Promise<NodeStatus> => {
    await Promise.all(refreshed.map((service) => refresh(host, model, service)));
    const { node, version } = host.env;
    return model.status({ node, version, now: host.now(), startedAt, bus: host.bus() });
  };
  const history = (query: EventQuery, signal: AbortSignal): AsyncIterable<EventEnvelope> =>
    readStored(bus, query, signal);
  const reload = async (): Promise<ReloadResult> => reloadResult(await keeper.apply(), keeper.snapshot);
  const nodeService = createNodeService({ sources: { feed, history }, currentStatus, reload });
  host.own(await serveGrpc(join(host.env.runDir, "node.sock"), [nodeService]));
  host.onReload(() => void keeper.apply().catch((error: unknown) => host.log.error("reload failed", { cause: error })));
  await serveMetrics(host, keeper.snapshot, async () =>
    encodeMetrics(
      nodeMetrics({ status: await currentStatus(), samples: model.samples(), connections: model.connections() }),
    ),
  );
  return true;
}

function createKeeper({ host, file, settingsFile, env }: ControlOptions): ConfigKeeper {
  return new ConfigKeeper({
    host,
    file,
    load: async (): Promise<Loaded> => {
      const { configuration, diagnostics, exitCode } = readConfiguration({ file, settingsFile, env });
      return configuration === undefined
        ? { ok: false, exitCode, diagnostics }
        : { ok: true, ...configuration, diagnostics };
    },
    diff: (before, after) => diffConfig(before, after).changes,
    format: formatDiagnostic,
    wallTime: () => new Date().toISOString(),
  });
}

/** A restarted control goes on with what is applied: a file that was edited meanwhile waits for its reload. */
async function begin(host: Host, keeper: ConfigKeeper): Promise<boolean> {
  const resumed = host.env.restarts > 0 ? await keeper.resume() : undefined;
  if (resumed !== undefined) {
    host.report({ type: "config", generation: resumed.generation });
    return true;
  }
  const applied = await keeper.apply();
  if (!applied.ok) {
    host.report({ type: "config-failed", exitCode: applied.exitCode, diagnostics: applied.diagnostics });
    return false;
  }
  host.report({ type: "config", generation: applied.snapshot.generation });
  return true;
}

function configStates(snapshot: ConfigSnapshot | undefined, host: Host): AggregateState[] {
  if (snapshot === undefined) return [];
  const { generation, hash, file } = snapshot;
  const value = { generation, hash, file, snapshotPath: paths.snapshot(host.env.stateDir) };
  return [{ ...configAggregate, version: host.events.version(configAggregate), state: { $case: "config", value } }];
}

function followOwner(
  host: Host,
  service: ServiceName,
  kinds: readonly Aggregate["kind"][],
  model: NodeModel,
  feed: EventFeed,
): { close(): void } {
  return host.events.follow(service, kinds, {
    snapshot: (states) => model.snapshot(service, states),
    event: (envelope) => {
      model.event(service, envelope);
      feed.add(envelope);
    },
    counters: (counters) => model.counters(service, counters),
    disconnected: () => model.disconnected(service),
  });
}

async function refresh(host: Host, model: NodeModel, service: ServiceName): Promise<void> {
  const states = await askSnapshot(join(host.env.runDir, `${service}.sock`), refreshPatienceMs);
  if (states !== undefined) model.refresh(service, states);
}

/** A connection of its own for reading history: the backstage thread's is for publishing. */
function openHistory(host: Host): NatsBus {
  return openNatsBus({
    name: `${host.env.node} history`,
    inboxPrefix: inboxPrefix("control"),
    credentials: async () => {
      const credentials = await readCredentials(host.env.runDir);
      const user = credentials?.nats.users.control;
      return credentials === undefined || user === undefined ? undefined : { url: credentials.nats.url, ...user };
    },
  });
}

async function* readStored(bus: NatsBus, query: EventQuery, signal: AbortSignal): AsyncGenerator<EventEnvelope> {
  if (!bus.connected) throw new Error("the bus is away");
  const { kind, id, type, sinceId, limit } = query;
  const filter = subjectFilter({
    ...(kind === undefined ? {} : { kind }),
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
  });
  for await (const { envelope } of bus.history({ filter, sinceId, limit, signal })) yield envelope;
}

function reloadResult(applied: Applied, snapshot: ConfigSnapshot | undefined): ReloadResult {
  const diagnostics = applied.diagnostics.map(formatDiagnostic);
  const generation = snapshot?.generation ?? 0;
  return { applied: applied.ok, generation, diagnostics, changes: applied.ok ? [...applied.changes] : [] };
}

async function serveMetrics(
  host: Host,
  snapshot: ConfigSnapshot | undefined,
  scrape: () => Promise<string>,
): Promise<void> {
  const address = snapshot?.settings.metrics;
  if (address === undefined) return;
  try {
    const server = await openMetricsServer({ address, runDir: host.env.runDir, scrape });
    host.own(server);
    host.log.info("metrics are served", { host: address.host, port: server.port });
  } catch (error) {
    // Metrics are worth a warning, never the node.
    host.log.warn("metrics cannot be served", { ...address, cause: error });
  }
}

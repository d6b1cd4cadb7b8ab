// Control at work: the configuration is applied, the other services are followed, and people and tools are answered.
// Nothing of it is on the failover path; all of it may be gone without harm (SAFETY S15).
import type {
  AggregateState,
  Counter,
  DrainRequest,
  DrainResult,
  NodeStatus,
  PlanResult,
  ReloadResult,
} from "@baton/contracts";
import { type AggregateKind, messageOf, type ServiceName } from "@baton/domain";
import {
  batonVersion,
  changeToWire,
  diagnosticToWire,
  type GrpcServer,
  type Host,
  paths,
  type Settings,
  serveGrpc,
} from "@baton/host";
import { formatDiagnostic } from "@baton/keepalived-conf";
import { attribute, metric } from "@baton/telemetry";
import { balances } from "./balances.ts";
import { type Applied, type ConfigKeeper, configAggregate } from "./config-keeper.ts";
import { drainServers } from "./drain.ts";
import { Dumps } from "./dumps/write-dumps.ts";
import type { EventFeed } from "./event-feed.ts";
import { type MetricsServer, openMetricsServer } from "./metrics-server.ts";
import { encodeMetrics } from "./metrics-text.ts";
import { nodeMetrics } from "./node-metrics.ts";
import { NodeModel } from "./node-model.ts";
import { createNodeService } from "./node-service.ts";
import { asked, NodeStatusSource, type StatusDependencies } from "./node-status.ts";
import { marked, reloadMarkPath } from "./reloading/reload-mark.ts";
import { openScheduledReload, type ScheduledReload } from "./reloading/scheduled-reload.ts";
import type { EventSources } from "./stream-events.ts";

type Following = ReturnType<Host["events"]["follow"]>;

export interface ControlDependencies {
  readonly host: Host;
  readonly keeper: ConfigKeeper;
  readonly feed: EventFeed;
  /** Stored events; see EventSources. */
  readonly history: EventSources["history"];
  readonly ask: StatusDependencies["ask"];
  /** Asks health. */
  drain(request: DrainRequest): Promise<DrainResult>;
  /** Where keepalived's files go that the configuration gives no other place. */
  readonly dumpDirectory: string;
}

/** Whose Watch streams make the read model; each service also owns the aggregate of itself. */
const followed: Readonly<Record<Exclude<ServiceName, "uplink" | "balancer">, readonly AggregateKind[]>> = {
  supervisor: ["service"],
  control: ["config", "service"],
  election: ["vrrp", "group", "service"],
  health: ["tracker", "checker", "virtual-server", "service"],
  dataplane: ["address", "service"],
  notifier: ["notification", "service"],
};

const metricsBindRetryMillis = 10_000;
const scrapePatienceMillis = 2_000;
/** Tools send two signals at once, and read the files 10 to 100 ms later. */
const dumpMaxAgeMicros = 50_000;

export class Control {
  readonly #dependencies: ControlDependencies;
  readonly #model = new NodeModel();
  readonly #status: NodeStatusSource;
  readonly #startedAt: number;
  readonly #reloads = { applied: 0, unchanged: 0, rejected: 0, failed: 0 };
  #diagnostics: Applied["diagnostics"] = [];
  #metrics: MetricsServer | undefined;
  #metricsAt: string | undefined;
  #metricsRetry: NodeJS.Timeout | undefined;
  readonly #scheduled: ScheduledReload;
  readonly #following = new Map<ServiceName, Following>();
  #closed = false;

  constructor(dependencies: ControlDependencies) {
    const { host, ask, dumpDirectory } = dependencies;
    this.#dependencies = dependencies;
    this.#startedAt = host.now();
    const facts = () => ({
      node: host.env.node,
      version: batonVersion,
      now: host.now(),
      startedAt: this.#startedAt,
      bus: host.bus(),
    });
    this.#status = new NodeStatusSource({ model: this.#model, facts, ask });
    // From the beginning: a reload that comes while the first configuration is applied waits for it.
    host.onReload(() => void this.reload());
    const dumps = new Dumps({
      log: host.log,
      directory: dumpDirectory,
      config: () => this.#dependencies.keeper.snapshot?.config,
      status: () => this.#status.current({ maxAge: dumpMaxAgeMicros }),
      counters: () =>
        this.#model.samples().flatMap(({ service, counter }) => (service === "election" ? [counter] : [])),
      now: () => ({ boot: host.now(), wall: Date.now() * 1_000 }),
    });
    host.onDump((what) => void dumps.write(what));
    this.#scheduled = openScheduledReload({ log: host.log, reload: () => void this.reload(), wall: Date.now });
    host.own(this.#scheduled);
  }

  /** The configuration at the start. Undefined: it was rejected, and the supervisor was told why. */
  async applyFirst(): Promise<(Applied & { ok: true }) | undefined> {
    const { host, keeper } = this.#dependencies;
    const applied = await keeper.apply();
    this.#diagnostics = applied.diagnostics;
    if (applied.ok) return applied;
    host.report({ type: "config-failed", exitCode: applied.exitCode, diagnostics: applied.diagnostics });
    return undefined;
  }

  /** Needs an applied configuration. */
  async serve(): Promise<void> {
    const { host, keeper, feed, history } = this.#dependencies;
    await host.serveWatch({ states: () => this.#states(), counters: () => this.#counters() });
    this.#follow();
    const sources: EventSources = { feed, history };
    const service = createNodeService({
      sources,
      currentStatus: (summary) => this.currentStatus(summary),
      reload: () => this.reload(),
      plan: (file) => this.plan(file),
      drain: async (request) => {
        const { virtualServers } = await this.#status.current();
        return drainServers(request, (each) => this.#dependencies.drain(each), virtualServers);
      },
    });
    host.own<GrpcServer>(await serveGrpc(paths.nodeSocket(host.env.runDir), [service]));
    host.own({
      close: () => {
        this.#closed = true;
        for (const following of this.#following.values()) following.close();
        return this.#closeMetrics();
      },
    });
    await this.#placeMetrics(keeper.snapshot?.settings.metrics);
    this.#schedule();
  }

  /** `reload_time_file` */
  #schedule(): void {
    const { snapshot } = this.#dependencies.keeper;
    if (snapshot !== undefined) this.#scheduled.configure(snapshot.config.global.reload);
  }

  async currentStatus(summary: boolean): Promise<NodeStatus> {
    const status = await this.#status.current({ whole: !summary });
    return summary ? { ...status, virtualServers: [], checkers: [] } : status;
  }

  /** Never rejects: whoever asked is told what went wrong. */
  async reload(): Promise<ReloadResult> {
    const { host, keeper } = this.#dependencies;
    const before = keeper.snapshot?.generation ?? 0;
    try {
      const mark = keeper.snapshot && reloadMarkPath(keeper.snapshot.config.global);
      const applied = await marked(mark, host.log, () => keeper.apply());
      this.#diagnostics = applied.diagnostics;
      const diagnostics = applied.diagnostics.map(formatDiagnostic);
      if (!applied.ok) {
        this.#reloads.rejected++;
        host.log.error("the configuration was rejected; the last one stays", { generation: before });
        return { applied: false, generation: before, diagnostics, changes: [] };
      }
      const { generation, settings } = applied.snapshot;
      this.#reloads[generation === before ? "unchanged" : "applied"]++;
      host.log.info("configuration applied", { generation, changes: applied.changes });
      host.report({ type: "config", generation, balances: balances(applied.snapshot.config) });
      await this.#placeMetrics(settings.metrics);
      this.#schedule();
      this.#follow();
      return { applied: true, generation, diagnostics, changes: [...applied.changes] };
    } catch (error) {
      this.#reloads.failed++;
      host.log.error("the configuration could not be applied; the last one stays", { cause: error });
      const message = messageOf(error);
      return { applied: false, generation: before, diagnostics: [message], changes: [] };
    }
  }

  /** What a reload with `file` would do; nothing is changed. */
  async plan(file: string): Promise<PlanResult> {
    const { keeper } = this.#dependencies;
    const planned = await keeper.plan(file);
    return {
      usable: planned.ok,
      generation: keeper.snapshot?.generation ?? 0,
      runningFile: keeper.snapshot?.file ?? "",
      diagnostics: planned.diagnostics.map(diagnosticToWire),
      changes: planned.ok ? planned.changes.map(changeToWire) : [],
    };
  }

  async scrape(): Promise<string> {
    // Counters are nowhere else: a scraper waits longer than people do.
    const status = await this.#status.current({ patience: scrapePatienceMillis });
    const [samples, connections] = [this.#model.samples(), this.#model.connections()];
    return encodeMetrics(nodeMetrics({ status, samples, connections }));
  }

  #states(): AggregateState[] {
    const { snapshot } = this.#dependencies.keeper;
    if (snapshot === undefined) return [];
    const { generation, hash, file } = snapshot;
    const snapshotPath = paths.snapshot(this.#dependencies.host.env.stateDir);
    return [
      {
        ...configAggregate,
        version: 0,
        state: { $case: "config", value: { generation, hash, file, snapshotPath } },
      },
    ];
  }

  #counters(): Counter[] {
    const reloads = Object.entries(this.#reloads).map(([outcome, value]) => ({
      name: metric.configReloads.name,
      labels: { [attribute.outcome]: outcome },
      value,
    }));
    const diagnostics = (["error", "warning", "info"] as const).map((severity) => ({
      name: metric.configDiagnostics.name,
      labels: { [attribute.severity]: severity },
      value: this.#diagnostics.filter((each) => each.severity === severity).length,
    }));
    return [...reloads, ...diagnostics];
  }

  /** Those that the configuration needs; one that it does not need any more is forgotten with all that it said. */
  #follow(): void {
    const { snapshot } = this.#dependencies.keeper;
    const wanted = new Map<ServiceName, readonly AggregateKind[]>([
      ...(Object.entries(followed) as [ServiceName, readonly AggregateKind[]][]),
      ...(snapshot?.settings.hub === undefined ? [] : [["uplink", ["service"]] as const]),
      ...(snapshot === undefined || !balances(snapshot.config) ? [] : [["balancer", ["balancer", "service"]] as const]),
    ]);
    for (const [service, following] of this.#following) {
      if (wanted.has(service)) continue;
      this.#following.delete(service);
      following.close();
      this.#model.forget(service);
    }
    for (const [service, kinds] of wanted) {
      if (!this.#following.has(service)) this.#following.set(service, this.#followOne(service, kinds));
    }
  }

  #followOne(service: ServiceName, kinds: readonly AggregateKind[]): Following {
    const { host, feed } = this.#dependencies;
    this.#model.expect(service);
    return host.events.follow(service, kinds, {
      snapshot: (states) => this.#model.snapshot(service, states),
      event: (envelope) => {
        this.#model.event(service, envelope);
        feed.add(envelope);
      },
      // The others are asked for theirs whenever somebody wants to know, and need not tell them each second.
      ...(asked.includes(service) ? {} : { counters: (counters) => this.#model.counters(service, counters) }),
      disconnected: () => this.#model.disconnected(service),
    });
  }

  /** Opens, moves or closes the metrics server; a port that is taken is tried again, and never fatal. */
  async #placeMetrics(address: Settings["metrics"]): Promise<void> {
    const { host } = this.#dependencies;
    const wanted = address === undefined ? undefined : `${address.host} ${address.port}`;
    const isNew = wanted !== this.#metricsAt;
    if (!isNew && (this.#metrics !== undefined || wanted === undefined)) return;
    await this.#closeMetrics();
    this.#metricsAt = wanted;
    if (address === undefined || this.#closed) return;
    try {
      this.#metrics = await openMetricsServer({ address, runDir: host.env.runDir, scrape: () => this.scrape() });
      host.log.info("metrics are served", { host: address.host, port: this.#metrics.port });
    } catch (error) {
      const { host: at, port } = address;
      if (isNew) host.log.warn("metrics cannot be served; trying again every 10 s", { host: at, port, cause: error });
      this.#metricsRetry = setTimeout(() => void this.#placeMetrics(address), metricsBindRetryMillis);
    }
  }

  async #closeMetrics(): Promise<void> {
    clearTimeout(this.#metricsRetry);
    const metrics = this.#metrics;
    this.#metrics = undefined;
    await metrics?.close();
  }
}

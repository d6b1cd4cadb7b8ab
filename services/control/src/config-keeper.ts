// The applied configuration: load, compare, write the snapshot, say so. One at a time; what does not parse changes
// nothing (DESIGN rule 7), what changes nothing keeps its generation.
import type { BatonEvent, CauseRef, EventEnvelope } from "@baton/domain";
import { type ConfigSnapshot, type Host, readSnapshot, type Settings, snapshotHash, writeSnapshot } from "@baton/host";
import type { Config, Diagnostic } from "@baton/keepalived-conf";
import { attribute, spanName } from "@baton/telemetry";

export type Loaded =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly settings: Settings;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly exitCode: number; readonly diagnostics: readonly Diagnostic[] };

export type Applied =
  | {
      readonly ok: true;
      readonly snapshot: ConfigSnapshot;
      readonly changes: readonly string[];
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly exitCode: number; readonly diagnostics: readonly Diagnostic[] };

export interface KeeperDependencies {
  readonly host: Pick<Host, "events" | "tracer" | "log" | "env" | "now">;
  readonly file: string;
  load(): Promise<Loaded>;
  /** Human sentences, one per change. */
  diff(before: Config, after: Config): readonly string[];
  format(diagnostic: Diagnostic): string;
  /** Told of every event that the keeper appends. */
  onEvent(envelope: EventEnvelope): void;
  /** RFC 3339, for display. */
  wallTime(): string;
}

/** A node has one configuration. */
export const configAggregate = { kind: "config", id: "node" } as const;

/** A configuration with thousands of mistakes is rejected with the first of them. */
const errorsMax = 50;

export class ConfigKeeper {
  readonly #dependencies: KeeperDependencies;
  #snapshot: ConfigSnapshot | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(dependencies: KeeperDependencies) {
    this.#dependencies = dependencies;
  }

  get snapshot(): ConfigSnapshot | undefined {
    return this.#snapshot;
  }

  /** What the last run applied: a control that was restarted takes up where it was, and reads no file. */
  async resume(): Promise<ConfigSnapshot | undefined> {
    this.#snapshot = await this.#stored();
    return this.#snapshot;
  }

  /** Loads and applies. Calls that overlap wait for each other. */
  apply(cause?: CauseRef): Promise<Applied> {
    const run = this.#running.then(() => this.#apply(cause));
    this.#running = run.catch(() => undefined);
    return run;
  }

  async #apply(cause: CauseRef | undefined): Promise<Applied> {
    const { host, file, load, format, wallTime } = this.#dependencies;
    const span = host.tracer.span(spanName.configApply, {
      parent: cause?.traceparent,
      attributes: { [attribute.configFile]: file },
    });
    try {
      const loaded = await load();
      this.#logDiagnostics(loaded.diagnostics);
      if (!loaded.ok) {
        const errors = loaded.diagnostics.filter(({ severity }) => severity === "error").map(format);
        const data = { file, errors: errors.slice(0, errorsMax) };
        this.#append({ type: "config-rejected", data }, cause, span.traceparent);
        span.end({ error: "rejected" });
        return loaded;
      }
      const before = this.#snapshot ?? (await this.#stored());
      const snapshot = this.#next(before, loaded, wallTime());
      if (snapshot !== before) await writeSnapshot(host.env.stateDir, snapshot);
      this.#snapshot = snapshot;
      const changes = snapshot === before ? [] : this.#changes(before, snapshot);
      const warnings = loaded.diagnostics.filter(({ severity }) => severity === "warning").length;
      const data = { generation: snapshot.generation, hash: snapshot.hash, file, changes, warnings };
      this.#append({ type: "config-applied", data }, cause, span.traceparent);
      span.end({ attributes: { [attribute.generation]: snapshot.generation } });
      return { ok: true, snapshot, changes, diagnostics: loaded.diagnostics };
    } catch (error) {
      span.end({ error: error instanceof Error ? error.message : String(error) });
      throw error;
    }
  }

  #append(event: BatonEvent, cause: CauseRef | undefined, traceparent: string): void {
    const { host, onEvent } = this.#dependencies;
    onEvent(host.events.append(configAggregate, event, cause, traceparent));
  }

  /** The same snapshot when nothing changed. */
  #next(before: ConfigSnapshot | undefined, loaded: Loaded & { ok: true }, appliedAt: string): ConfigSnapshot {
    const { config, settings } = loaded;
    const hash = snapshotHash(config, settings);
    if (before?.hash === hash) return before;
    // Each generation had its event: where the last one is not known, the number of events is above it.
    const generation = (before?.generation ?? this.#dependencies.host.events.version(configAggregate)) + 1;
    return { generation, hash, file: this.#dependencies.file, appliedAt, config, settings };
  }

  #changes(before: ConfigSnapshot | undefined, after: ConfigSnapshot): string[] {
    if (before === undefined) return after.config.instances.map(({ name }) => `instance ${name} added`);
    return [
      ...this.#dependencies.diff(before.config, after.config),
      ...settingsChanges(before.settings, after.settings),
    ];
  }

  async #stored(): Promise<ConfigSnapshot | undefined> {
    const { host } = this.#dependencies;
    try {
      return await readSnapshot(host.env.stateDir);
    } catch (error) {
      host.log.warn("the stored configuration snapshot cannot be read and will be replaced", { cause: error });
      return undefined;
    }
  }

  #logDiagnostics(diagnostics: readonly Diagnostic[]): void {
    const { host, format } = this.#dependencies;
    const level = { error: "error", warning: "warn", info: "info" } as const;
    for (const diagnostic of diagnostics)
      host.log[level[diagnostic.severity]](format(diagnostic), { code: diagnostic.code });
  }
}

/** What `baton up` gives to its processes once, when it starts them. */
const startOnly: readonly (keyof Settings)[] = ["nats", "redis", "hub"];

export function settingsChanges(before: Settings, after: Settings): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Settings)[];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map(
      (name) => `baton.yaml: ${name} changed${startOnly.includes(name) ? "; takes effect at the next baton up" : ""}`,
    );
}

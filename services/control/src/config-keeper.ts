// The applied configuration: load, compare, write the snapshot, say so. One at a time; what does not parse changes
// nothing (DESIGN rule 7), what changes nothing keeps its generation.
import { type BatonEvent, type CauseRef, type EventEnvelope, messageOf } from "@baton/domain";
import {
  type ConfigSnapshot,
  type Configuration,
  type Host,
  readSnapshot,
  type Settings,
  snapshotHash,
  writeSnapshot,
} from "@baton/host";
import {
  type Change,
  type Config,
  changeSentences,
  configuresNothing,
  type Diagnostic,
  diffConfig,
} from "@baton/keepalived-conf";
import { attribute, spanName } from "@baton/telemetry";

export type Loaded =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly settings: Settings;
      readonly diagnostics: readonly Diagnostic[];
    }
  | { readonly ok: false; readonly exitCode: number; readonly diagnostics: readonly Diagnostic[] };

/** What a reload with a file would do. */
export type Planned =
  | { readonly ok: true; readonly changes: readonly Change[]; readonly diagnostics: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

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
  /** `file` in the place of the node's own, and everything else as it is. */
  load(file: string): Promise<Loaded>;
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

  /** Reads `file` as a reload would, and changes nothing. Needs an applied configuration. */
  async plan(file: string): Promise<Planned> {
    const loaded = await this.#load(file);
    const { diagnostics } = loaded;
    if (!loaded.ok) return { ok: false, diagnostics };
    const before = this.#snapshot;
    return { ok: true, changes: before === undefined ? [] : changesOf(before, loaded), diagnostics };
  }

  /** A file that was emptied by accident must not take every address away: whoever means it stops the node. */
  async #load(file: string): Promise<Loaded> {
    const loaded = await this.#dependencies.load(file);
    const running = this.#snapshot?.config;
    if (!loaded.ok || running === undefined || configuresNothing(running) || !configuresNothing(loaded.config))
      return loaded;
    return {
      ok: false,
      exitCode: emptiedExitCode,
      diagnostics: [...loaded.diagnostics.filter(isOther), emptied(file)],
    };
  }

  async #apply(cause: CauseRef | undefined): Promise<Applied> {
    const { host, file, format, wallTime } = this.#dependencies;
    const span = host.tracer.span(spanName.configApply, {
      parent: cause?.traceparent,
      attributes: { [attribute.configFile]: file },
    });
    try {
      const loaded = await this.#load(file);
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
      const changes = snapshot === before ? [] : this.#sentences(before, snapshot);
      const warnings = loaded.diagnostics.filter(({ severity }) => severity === "warning").length;
      const data = { generation: snapshot.generation, hash: snapshot.hash, file, changes, warnings };
      this.#append({ type: "config-applied", data }, cause, span.traceparent);
      span.end({ attributes: { [attribute.generation]: snapshot.generation } });
      return { ok: true, snapshot, changes, diagnostics: loaded.diagnostics };
    } catch (error) {
      span.end({ error: messageOf(error) });
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

  #sentences(before: ConfigSnapshot | undefined, after: ConfigSnapshot): string[] {
    return before === undefined
      ? after.config.instances.map(({ name }) => `instance ${name} added`)
      : changeSentences(changesOf(before, after));
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

const changesOf = (before: Configuration, after: Configuration): Change[] => [
  ...diffConfig(before.config, after.config),
  ...settingsChanges(before.settings, after.settings),
];

/** keepalived's code for a configuration that it cannot run with. */
const emptiedExitCode = 4;

/** The advice of the parser says the same, less urgently. */
const isOther = ({ code }: Diagnostic): boolean => code !== "nothing-configured";

const emptied = (file: string): Diagnostic => ({
  file,
  line: 0,
  column: 0,
  severity: "error",
  code: "nothing-configured",
  errorClass: "ok",
  message: "the file configures nothing, and this node runs something: was it emptied by accident?",
  text: undefined,
  used: undefined,
  hint: "to let go of everything, stop the node",
});

/** What `baton up` gives to its processes once, when it starts them. */
const startOnly: readonly (keyof Settings)[] = ["nats", "redis", "hub"];

/** As it stands in the file. */
const writtenAs = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** That a setting changes, never its value: there are passwords and addresses with passwords among them. */
export function settingsChanges(before: Settings, after: Settings): Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Settings)[];
  const shown = (settings: Settings, name: keyof Settings) => (settings[name] === undefined ? undefined : "***");
  const fields = names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({
      path: name,
      label: writtenAs(name),
      before: shown(before, name),
      after: shown(after, name),
      secret: true,
      effect: startOnly.includes(name) ? ("start" as const) : ("reload" as const),
    }));
  const change = { kind: "baton.yaml", name: "", action: "changed", identity: "", why: undefined, parts: [] } as const;
  return fields.length === 0 ? [] : [{ ...change, fields }];
}

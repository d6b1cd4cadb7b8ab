// The applied configuration as the services see it: one JSON file in the state directory, replaced atomically by control.
// It outlives control and the node: a service starts from the last applied snapshot, whoever is gone (SAFETY S15).
import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { messageOf } from "@baton/domain";
import { type Config, canonicalJson, type VirtualServerConfig } from "@baton/keepalived-conf";
import { paths } from "./env.ts";
import type { Settings } from "./settings.ts";

export interface ConfigSnapshot {
  /** Rises by one with every applied configuration, also across restarts. */
  readonly generation: number;
  /** SHA-256 of the canonical JSON of `config` and `settings`. */
  readonly hash: string;
  readonly file: string;
  readonly appliedAt: string;
  readonly config: Config;
  readonly settings: Settings;
}

/**
 * Equal configurations have equal hashes. Virtual servers, of which there may be ten thousand, are plain data that the same
 * code has made: their members come in the same order; those of everything else may have been built in any.
 */
export function snapshotHash({ virtualServers, ...config }: Config, settings: Settings): string {
  const hash = createHash("sha256").update(canonicalJson({ config, settings }));
  for (const server of virtualServers) hash.update(JSON.stringify(server));
  return hash.digest("hex");
}

/** Readers see the old file or the new one, also after a power cut: write aside, fsync, rename, fsync the directory. */
export async function writeSnapshot(stateDir: string, snapshot: ConfigSnapshot): Promise<void> {
  const path = paths.snapshot(stateDir);
  const aside = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(aside, "w", 0o600);
    try {
      await file.writeFile(snapshotText(snapshot));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw new Error(`cannot write ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const directory = await open(stateDir, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** JSON, with each virtual server on a line of its own: see `SnapshotReader`. */
function snapshotText(snapshot: ConfigSnapshot): string {
  const { virtualServers } = snapshot.config;
  const text = JSON.stringify({ ...snapshot, config: { ...snapshot.config, virtualServers: [] } });
  if (virtualServers.length === 0) return text;
  const lines = virtualServers.map((server) => JSON.stringify(server)).join(",\n");
  // No value can look like this member: quotes inside of one are escaped.
  return text.replace('"virtualServers":[]', () => `"virtualServers":[\n${lines}\n]`);
}

/** Undefined when no configuration was ever applied; throws when the file is there and is no snapshot. */
export const readSnapshot = (stateDir: string): Promise<ConfigSnapshot | undefined> =>
  new SnapshotReader().read(stateDir);

export const parseSnapshot = (text: string, path: string): ConfigSnapshot => new SnapshotReader().parse(text, path);

/**
 * Reads one snapshot after the other. A virtual server that is as it was is the same object as before: nobody has to read
 * ten thousand of them again because one is another, nor to look for the one.
 */
export class SnapshotReader {
  #known: ReadonlyMap<string, VirtualServerConfig> = new Map();

  /** As `readSnapshot`. */
  async read(stateDir: string): Promise<ConfigSnapshot | undefined> {
    const path = paths.snapshot(stateDir);
    let text: string;
    try {
      text = await readFile(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return this.parse(text, path);
  }

  parse(text: string, path: string): ConfigSnapshot {
    const [first = "", ...lines] = text.split("\n");
    const last = lines.pop() ?? "";
    const snapshot = validSnapshot(parsed(first + last, path), path);
    if (lines.length === 0) return snapshot;
    const found = new Map<string, VirtualServerConfig>();
    const virtualServers = lines.map((line, at) => {
      const own = at === lines.length - 1 ? line : line.slice(0, -1);
      // Of two that are equal each is one of its own.
      const before = found.has(own) ? undefined : this.#known.get(own);
      const server = before ?? (parsed(own, path) as VirtualServerConfig);
      found.set(own, server);
      return server;
    });
    this.#known = found;
    return { ...snapshot, config: { ...snapshot.config, virtualServers } };
  }
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: not JSON`, { cause: error });
  }
}

function validSnapshot(value: unknown, path: string): ConfigSnapshot {
  const fields: Partial<ConfigSnapshot> = typeof value === "object" && value !== null ? value : {};
  const { generation, hash, file, appliedAt, config, settings } = fields;
  const whole =
    Number.isSafeInteger(generation) &&
    [hash, file, appliedAt].every((member) => typeof member === "string") &&
    [config, settings].every((member) => typeof member === "object" && member !== null) &&
    Array.isArray(config?.instances) &&
    Array.isArray(config?.scripts);
  if (!whole) throw new Error(`${path}: not a configuration snapshot`);
  return value as ConfigSnapshot;
}

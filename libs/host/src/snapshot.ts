// The applied configuration as the services see it: one JSON file in the state directory, replaced atomically by control.
// It outlives control and the node: a service starts from the last applied snapshot, whoever is gone (SAFETY S15).
import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { messageOf } from "@baton/domain";
import { type Config, canonicalJson } from "@baton/keepalived-conf";
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

/** Equal configurations have equal hashes, in whatever order their members were built. */
export const snapshotHash = (config: Config, settings: Settings): string =>
  createHash("sha256").update(canonicalJson({ config, settings })).digest("hex");

/** Readers see the old file or the new one, also after a power cut: write aside, fsync, rename, fsync the directory. */
export async function writeSnapshot(stateDir: string, snapshot: ConfigSnapshot): Promise<void> {
  const path = paths.snapshot(stateDir);
  const aside = `${path}.${process.pid}.tmp`;
  try {
    const file = await open(aside, "w", 0o600);
    try {
      await file.writeFile(JSON.stringify(snapshot));
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

/** Undefined when no configuration was ever applied; throws when the file is there and is no snapshot. */
export async function readSnapshot(stateDir: string): Promise<ConfigSnapshot | undefined> {
  const path = paths.snapshot(stateDir);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseSnapshot(text, path);
}

export function parseSnapshot(text: string, path: string): ConfigSnapshot {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path}: not JSON`, { cause: error });
  }
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

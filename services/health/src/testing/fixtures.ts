// A health service on a test host with the machine's own clock, since its scripts are real processes.
import { micros } from "@baton/domain";
import { type ConfigSnapshot, defaultSettings, type Settings } from "@baton/host";
import { createTestHost, type TestClock, type TestHost } from "@baton/host/testing";
import type { Command, Config, TrackScriptConfig } from "@baton/keepalived-conf";
import { command, config as configWith, instanceConfig, trackScript } from "@baton/keepalived-conf/testing";
import { bootNow, wallMicros } from "@baton/linux";
import type { KeptFile } from "../checking/kept-file.ts";
import type { KnownLog } from "../checking/known-log.ts";
import type { RunRecord } from "../run-record.ts";

export const realClock: TestClock = { now: bootNow, wall: wallMicros, set: () => undefined, advance: () => undefined };

export const shell = (text: string): Command => command(text, { run: "shell" });

/** Runs twenty times a second. */
export const script = (name: string, over: Partial<TrackScriptConfig> = {}): TrackScriptConfig =>
  trackScript(name, {
    command: command("true"),
    interval: micros(50_000),
    timeout: micros(1_000_000),
    weight: 2,
    ...over,
  });

export const snapshotOf = (config: Config, generation: number, settings: Partial<Settings> = {}): ConfigSnapshot => ({
  generation,
  hash: "",
  file: "keepalived.conf",
  appliedAt: "",
  config,
  settings: { ...defaultSettings, ...settings },
});

export const snapshot = (
  scripts: readonly TrackScriptConfig[],
  generation = 1,
  tracked = scripts.map(({ name }) => name),
): ConfigSnapshot =>
  snapshotOf(
    configWith({
      scripts,
      instances: [instanceConfig({ trackScripts: tracked.map((name) => ({ name, weight: 2, reverse: false })) })],
    }),
    generation,
  );

/** Nobody reads it. */
export const memoryRecord = (): RunRecord => ({
  slot: () => ({ hold: () => undefined, clear: () => undefined, release: () => undefined }),
  close: () => undefined,
});

/** In place of a file: `text` is what was written last. */
export interface MemoryFile extends KeptFile {
  text: string | undefined;
}

export function memoryFile(found?: string): MemoryFile {
  const file: MemoryFile = {
    found,
    text: found,
    changed: (make) => {
      file.text = make();
    },
    save: async (make) => {
      file.text = make();
      return true;
    },
  };
  return file;
}

export interface MemoryLog extends KnownLog {
  text: string | undefined;
}

export function memoryLog(found?: string): MemoryLog {
  const log: MemoryLog = {
    found,
    text: found,
    append: (lines) => {
      log.text += lines.map((line) => `${line}\n`).join("");
    },
    replace: (lines) => {
      log.text = `${lines.join("\n")}\n`;
    },
    isWorn: () => false,
    forget: () => {
      log.text = undefined;
    },
  };
  return log;
}

export const healthHost = (config: ConfigSnapshot, restarts = 0): TestHost =>
  createTestHost({ service: "health", clock: realClock, config, env: { restarts } });

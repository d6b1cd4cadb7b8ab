// What the supervisor keeps in the run directory. Every file is replaced whole, and readable by root alone.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ChildName } from "./types.ts";

export interface RecordedProcess {
  readonly pid: number;
  /** With the pid it names one process for ever. */
  readonly startTime: number;
}

export interface RecordedChild extends RecordedProcess {
  readonly restarts: number;
}

/** services.json: who runs for this run directory, so that a new supervisor can end whom a killed one left behind. */
export interface ServicesFile {
  readonly supervisor: RecordedProcess;
  readonly services: Readonly<Partial<Record<ChildName, RecordedChild>>>;
}

export const runFiles = {
  lock: (runDir: string): string => join(runDir, "baton.lock"),
  services: (runDir: string): string => join(runDir, "services.json"),
  natsConfig: (runDir: string): string => join(runDir, "nats-server.conf"),
  redisConfig: (runDir: string): string => join(runDir, "redis.conf"),
} as const;

/** Also narrows the mode of a directory that was there: it holds credentials and sockets. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
}

export function writePrivateFile(path: string, text: string): void {
  const fresh = `${path}.${randomBytes(4).toString("hex")}`;
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, path);
}

export function writeServices(runDir: string, file: ServicesFile): void {
  writePrivateFile(runFiles.services(runDir), `${JSON.stringify(file, undefined, 2)}\n`);
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const isProcess = (value: unknown): value is RecordedProcess =>
  isRecord(value) && Number.isSafeInteger(value.pid) && Number.isSafeInteger(value.startTime);

/** What an earlier supervisor recorded; empty when there is nothing, or nothing that can be read. */
export function readServices(runDir: string): Partial<Record<ChildName, RecordedChild>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(runFiles.services(runDir), "utf8"));
  } catch {
    return {}; // replaced whole, so it is either there or not
  }
  if (!isRecord(value) || !isRecord(value.services)) return {};
  const recorded = Object.entries(value.services).flatMap(([name, child]) => {
    if (!isProcess(child)) return [];
    const { pid, startTime } = child;
    const restarts = isRecord(child) && Number.isSafeInteger(child.restarts) ? Number(child.restarts) : 0;
    return [[name, { pid, startTime, restarts }]];
  });
  return Object.fromEntries(recorded) as Partial<Record<ChildName, RecordedChild>>;
}

export const removeFile = (path: string): void => rmSync(path, { force: true });

// Supervisors with real brokers and stub services, each in a directory of its test's own: who runs, what they were told. What is
// left of them goes after each test of a file that imports this.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach } from "vitest";

const main = fileURLToPath(new URL("../../dist/testing/up-main.js", import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  stderr(): string;
}

export const held = { directory: "", running: [] as Running[], servers: [] as Server[] };
export const inDirectory = (name: string): string => join(held.directory, name);
export const runDir = (): string => inDirectory("run");

beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-up-"));
  mkdirSync(inDirectory("stubs"));
  writeFileSync(inDirectory("keepalived.conf"), "global_defs {\n  router_id x\n}\n");
});
afterEach(async () => {
  for (const { child, exited } of held.running.splice(0)) {
    child.kill("SIGKILL");
    await exited;
  }
  // Whoever runs for this test's directory, recorded or not.
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    if (readQuietly(`/proc/${entry}/cmdline`).includes(held.directory)) killQuietly(Number(entry));
  }
  for (const server of held.servers.splice(0)) server.close();
  rmSync(held.directory, { recursive: true, force: true, maxRetries: 3 });
});

export const readQuietly = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

export const killQuietly = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
};

export interface Start {
  readonly words?: string[];
  readonly env?: Record<string, string>;
  /** How a node is told which file to use. */
  readonly command?: readonly string[];
}

export function start(options: Start = {}): Running {
  const words = [
    ...(options.command ?? ["up", "--config"]),
    inDirectory("keepalived.conf"),
    "--run-dir",
    runDir(),
    "--state-dir",
    inDirectory("state"),
  ];
  const child = spawn(process.execPath, [main, inDirectory("stubs"), ...words, ...(options.words ?? [])], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...options.env },
  });
  const said = { text: "" };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.text += text;
  });
  const exited = new Promise<number | string>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal ?? code ?? "")),
  );
  const running = { child, exited, stderr: () => said.text };
  held.running.push(running);
  return running;
}

export type Services = Record<string, { pid: number; startTime: number; restarts: number }>;
export function services(): Services {
  try {
    return (JSON.parse(readFileSync(join(runDir(), "services.json"), "utf8")) as { services: Services }).services;
  } catch {
    return {};
  }
}
export const story = (): string[] => {
  const path = join(runDir(), "story");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
};
/** A zombie has ended; whether it is reaped is the business of whoever is process 1 here. */
export const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};
export const pidOf = (service: string): number => services()[service]?.pid ?? 0;

export async function until(what: string, condition: () => boolean, deadlineMs = 15_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!condition()) {
    if (Date.now() > deadline)
      throw new Error(`in vain: ${what}\n${held.running.map((each) => each.stderr()).join("\n")}`);
    await delay(10);
  }
}

export const ready = (): string => inDirectory("ready");
export const startReady = async (options: Start = {}): Promise<Running> => {
  const running = start({ ...options, words: ["--ready-file", ready(), ...(options.words ?? [])] });
  await until("ready", () => existsSync(ready()) && Object.keys(services()).length >= 7);
  return running;
};

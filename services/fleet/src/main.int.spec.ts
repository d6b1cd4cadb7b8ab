// The hub as its own process: what only main.ts does.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeMessage } from "@baton/contracts";
import { openHub } from "@baton/event-log";
import { until } from "@baton/event-log/testing";
import { afterEach, expect, test } from "vitest";
import { becameMaster } from "./testing/fleet-events.ts";

const main = join(import.meta.dirname, "../dist/main.js");
const directories: string[] = [];
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const directory of directories.splice(0)) {
    const pid = natsPid(directory);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, "SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  }
});

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "baton-fleet-"));
  directories.push(directory);
  return directory;
}
function natsPid(stateDir: string): number | undefined {
  const path = join(stateDir, "nats-hub.json");
  return existsSync(path) ? Number(JSON.parse(readFileSync(path, "utf8")).pid) : undefined;
}
/** A process that has ended may wait for somebody to take note of it. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

interface Run {
  readonly child: ChildProcess;
  readonly output: { text: string };
  readonly exit: Promise<number | string | null>;
}
function run(args: readonly string[]): Run {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output.text += chunk.toString();
    });
  return {
    child,
    output,
    exit: new Promise((resolve) => child.once("close", (code, signal) => resolve(signal ?? code))),
  };
}

async function start(stateDir: string): Promise<Run & { readonly ready: { page: string; nats: string; pid: number } }> {
  const readyFile = join(stateDir, "ready");
  rmSync(readyFile, { force: true });
  const listen = ["--listen", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0"];
  const started = run([...listen, "--state-dir", stateDir, "--nodes", "r1", "--ready-file", readyFile]);
  await until(
    `ready: ${started.output.text}`,
    () => existsSync(readyFile) && readFileSync(readyFile, "utf8").endsWith("\n"),
  );
  return { ...started, ready: JSON.parse(readFileSync(readyFile, "utf8")) };
}

test("a hub that was killed leaves its nats-server behind; the next one ends that and holds every event", async () => {
  const stateDir = makeDirectory();
  const first = await start(stateDir);
  expect(first.ready.pid).toBe(first.child.pid);
  const login = JSON.parse(readFileSync(join(stateDir, "nodes/r1.json"), "utf8"));
  const bus = openHub({ ...login, name: "r1" });
  try {
    await until("r1 can tell", () =>
      bus.publish(encodeMessage(becameMaster("r1", { at: Date.now(), version: 1 }))).then(
        () => true,
        () => false,
      ),
    );
  } finally {
    await bus.close();
  }
  const orphan = natsPid(stateDir) ?? 0;
  first.child.kill("SIGKILL");
  await first.exit;
  expect(isAlive(orphan)).toBe(true);
  const second = await start(stateDir);
  expect(isAlive(orphan)).toBe(false);
  expect(second.ready.nats).toBe(first.ready.nats);
  const events = async () => (await (await fetch(`${second.ready.page}/api/events`)).json()) as { events: unknown[] };
  await until("the event is known again", async () => (await events()).events.length === 1);
  const nats = natsPid(stateDir) ?? 0;
  second.child.kill("SIGTERM");
  expect(await second.exit).toBe(0);
  expect(isAlive(nats)).toBe(false);
  expect(existsSync(join(stateDir, "ready"))).toBe(false);
});

test("one hub per state directory", async () => {
  const stateDir = makeDirectory();
  await start(stateDir);
  const second = run(["--listen", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0", "--state-dir", stateDir]);
  expect(await second.exit).toBe(1);
  expect(second.output.text).toContain(`another baton-fleet runs on ${stateDir}`);
});

test("a login is made on the command line; a wrong one is a sentence", async () => {
  const stateDir = makeDirectory();
  const added = run(["--state-dir", stateDir, "--add-node", "r7", "--nats-advertise", "nats://hub.example:4222"]);
  expect(await added.exit).toBe(0);
  expect(JSON.parse(added.output.text)).toMatchObject({ node: "r7", url: "nats://hub.example:4222", user: "node-r7" });
  const wrong = run(["--listen", "nowhere"]);
  expect(await wrong.exit).toBe(2);
  expect(wrong.output.text).toMatch(/^baton-fleet: --listen takes HOST:PORT or unix:PATH\n/);
});

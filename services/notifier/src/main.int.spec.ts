// The notifier as a process of its own, as `baton up` starts it: with a real election process's Watch socket beside it,
// a real Redis and SMTP server, and no NATS at all. Runs the built main.js.
import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Host, startHost, writeSnapshot } from "@baton/host";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { command, global, instance, noScripts, snapshot, vrrpEvent } from "./testing/fixtures.ts";
import { createTestRedis, type TestRedis } from "./testing/redis.ts";
import { startTestSmtp, type TestSmtp } from "./testing/smtp.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const closing: (() => unknown)[] = [];
const world = { folder: "", runDir: "", stateDir: "", messages: [] as string[], state: "", since: 0 };
let redis: TestRedis;
let smtp: TestSmtp;
let election: Host;

beforeEach(async () => {
  world.folder = mkdtempSync(join(tmpdir(), "baton-notifier-"));
  world.runDir = join(world.folder, "run");
  world.stateDir = join(world.folder, "state");
  world.messages = [];
  for (const directory of [world.runDir, world.stateDir]) mkdirSync(directory, { mode: 0o700 });
  closing.push(() => rmSync(world.folder, { recursive: true }));
  redis = await createTestRedis();
  closing.push(() => redis.close());
  smtp = await startTestSmtp();
  closing.push(() => smtp.close());
  writeFileSync(join(world.folder, "note"), '#!/bin/bash\necho "$*" >> "$(dirname "$0")/record"\n', { mode: 0o755 });
  await configure();
  election = await startHost({ service: "election", env: environment(0), signals: "leave" });
  closing.push(() => election.stop("test over"));
  world.state = "backup";
  await election.serveWatch({ states: () => [instanceState()] });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const environment = (restarts: number) => ({
  PATH: process.env.PATH,
  BATON_NODE: "r1",
  BATON_RUN_DIR: world.runDir,
  BATON_STATE_DIR: world.stateDir,
  BATON_RESTARTS: String(restarts),
});

async function configure(): Promise<void> {
  const note = (word: string) => command(`${join(world.folder, "note")} ${word}`);
  const notify = {
    ...noScripts,
    master: note("master"),
    backup: note("backup"),
    fault: note("fault"),
    stop: note("stop"),
  };
  const smtpServer = { host: "127.0.0.1", port: smtp.port };
  await writeSnapshot(
    world.stateDir,
    snapshot([instance({ smtpAlert: true, notify })], { global: global({ smtpServer }) }),
  );
  // No NATS: nobody listens on this port.
  const credentials = { nats: { url: "nats://127.0.0.1:1", users: {} }, redis: { url: redis.url } };
  writeFileSync(join(world.runDir, "credentials.json"), JSON.stringify(credentials), { mode: 0o600 });
}

async function startNotifier(restarts = 0): Promise<ChildProcess> {
  const child = fork(main, { env: environment(restarts), stdio: ["ignore", "ignore", "ignore", "ipc"] });
  closing.push(() => child.kill("SIGKILL"));
  const ready = new Promise((resolve) => {
    child.on("message", (message: { type: string }) => {
      world.messages.push(message.type);
      if (message.type === "ready") resolve(undefined);
    });
  });
  await ready;
  return child;
}
const gone = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
const say = (state: string, event: ReturnType<typeof vrrpEvent.master>) => {
  world.state = state;
  world.since = election.now();
  election.events.append({ kind: "vrrp", id: "VI_1" }, event);
};
const calls = () =>
  existsSync(join(world.folder, "record")) ? readFileSync(join(world.folder, "record"), "utf8").trim().split("\n") : [];
const subjects = () => smtp.mails.map(({ subject }) => subject.replace(/.* - /, ""));
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

test("scripts and mails without a bus; SIGKILL of it and of Redis; STOP before it ends", async () => {
  await redis.start();
  const first = await startNotifier();
  // The state that it finds, then an event over the Watch stream.
  await eventually(() => expect(calls()).toEqual(["backup"]));
  say("master", vrrpEvent.master());
  await eventually(() => expect(subjects()).toEqual(["Entering BACKUP state", "Entering MASTER state"]));
  expect(calls()).toEqual(["backup", "master"]);

  // Dead while the state changes, with Redis dead too.
  first.kill("SIGKILL");
  await gone(first);
  await redis.kill();
  say("fault", vrrpEvent.fault());
  const second = await startNotifier(1);
  await eventually(() => expect(calls()).toEqual(["backup", "master", "fault"]));
  expect(subjects().length, "its mail waits for Redis").toBe(2);
  await redis.start();
  await eventually(() => expect(subjects().length).toBe(3));

  say("stopped", vrrpEvent.stop());
  const ended = gone(second);
  second.send({ type: "stop", reason: "SIGTERM" });
  expect(await ended).toBe(0);
  expect(calls()).toEqual(["backup", "master", "fault", "stop"]);
  expect(world.messages.at(-1)).toBe("stopped");
  // The mail of STOP went out at once, or goes out at the next start; it is not lost.
  await startNotifier();
  await eventually(() => expect(subjects().at(-1)).toBe("Stopping"));
  expect(subjects()).toEqual(["Entering BACKUP state", "Entering MASTER state", "Entering FAULT state", "Stopping"]);
});

const instanceState = () => ({
  kind: "vrrp",
  id: "VI_1",
  version: 0,
  state: {
    $case: "instance" as const,
    value: {
      name: "VI_1",
      state: world.state,
      vrid: 51,
      interface: "eth0",
      basePriority: 100,
      effectivePriority: 100,
      term: 3,
      master: "",
      masterPriority: 0,
      since: world.since,
      reason: "chk",
      addresses: [],
      faultCauses: ["chk"],
      primaryAddress: "",
      lastEventId: `0190-${world.state}`,
      correlationId: "0190-story",
      traceparent: "",
      leaseConfirmed: false,
      masterAdvertMicros: 0,
      degraded: false,
      preemptHeldUntil: 0,
      staleTrackers: [],
    },
  },
});

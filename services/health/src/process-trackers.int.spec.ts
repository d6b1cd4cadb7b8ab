// Real processes, told by the kernel or counted in /proc. Needs root in the first PID namespace.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "@baton/domain";
import type { Config, TrackProcessConfig } from "@baton/keepalived-conf";
import { config as configWith, instanceConfig } from "@baton/keepalived-conf/testing";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { createProcessTrackers, type ProcessTrackers } from "./process-trackers.ts";
import { healthHost, snapshot } from "./testing/fixtures.ts";

// A program of a name that nothing else on the machine has.
const folder = mkdtempSync(join(tmpdir(), "baton-processes-"));
const name = `bt${process.pid}p`;
const program = join(folder, name);
copyFileSync("/bin/sleep", program);
chmodSync(program, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

const opened: ProcessTrackers[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const trackers of opened.splice(0)) trackers.close();
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
});

function run(...words: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: "ignore" });
  children.push(child);
  return child;
}

const tracked = (over: Partial<TrackProcessConfig> = {}): TrackProcessConfig => ({
  name: "web",
  path: name,
  parameters: [],
  match: "none",
  fullCommand: false,
  weight: 0,
  reverse: false,
  quorum: 1,
  quorumMax: undefined,
  terminateDelay: micros(0),
  forkDelay: micros(0),
  ...over,
});
const config = (...processes: readonly TrackProcessConfig[]): Config =>
  configWith({
    trackProcesses: processes,
    instances: [
      instanceConfig({ trackProcesses: processes.map((each) => ({ name: each.name, weight: 0, reverse: false })) }),
    ],
  });

const refuse = () => {
  throw new Error("not here");
};

describe.each([
  ["told by the kernel", undefined],
  ["counted in /proc", refuse],
])("%s", (_how, openMonitor) => {
  function start(...processes: readonly TrackProcessConfig[]) {
    const host = healthHost(snapshot([]));
    const trackers = createProcessTrackers({ host, ...(openMonitor === undefined ? {} : { openMonitor }) });
    opened.push(trackers);
    trackers.apply(config(...processes));
    const told = () =>
      host.appended.map(({ event }) =>
        event.type === "process-quorum-gained" || event.type === "process-quorum-lost"
          ? `${event.type === "process-quorum-gained" ? "+" : "-"}${event.data.running}`
          : event.type,
      );
    const eventually = (expected: readonly string[]) =>
      vi.waitFor(() => expect(told()).toEqual(expected), { timeout: 10_000, interval: 5 });
    return { host, trackers, told, eventually };
  }

  test("none at the start, one is started, it is killed", async () => {
    const { told, eventually, trackers } = start(tracked());
    expect(told()).toEqual(["-0"]);
    const child = run("1000");
    await eventually(["-0", "+1"]);
    expect(trackers.states()).toMatchObject([
      { id: "process:web", state: { value: { kind: "process", status: "up", value: 1 } } },
    ]);
    child.kill("SIGKILL");
    await eventually(["-0", "+1", "-0"]);
  });

  test("quorum and quorum_max count them", async () => {
    run("1000");
    const { eventually } = start(tracked({ quorum: 2, quorumMax: 2 }));
    run("1000");
    await eventually(["-1", "+2"]);
    run("1000");
    await eventually(["-1", "+2", "-3"]);
  });

  test("with full_command the arguments have to be the same", async () => {
    const { eventually } = start(
      tracked({ path: program, fullCommand: true, match: "exact", parameters: ["1000", "1"] }),
    );
    run("1000");
    run("1000", "1");
    await eventually(["-0", "+1"]);
  });

  test("terminate_delay: a restart within it is no loss", async () => {
    const first = run("1000");
    const { eventually, trackers, told } = start(tracked({ terminateDelay: micros(60_000_000) }));
    await eventually(["+1"]);
    const pending = () => trackers.states().map(({ state }) => (state?.$case === "tracker" ? state.value.value : -1));
    first.kill("SIGKILL");
    await vi.waitFor(() => expect(pending()).toEqual([0]), { timeout: 10_000, interval: 5 });
    run("1000");
    await vi.waitFor(() => expect(pending()).toEqual([1]), { timeout: 10_000, interval: 5 });
    expect(told()).toEqual(["+1"]);
  });
});

test("a process that forks without another program: its children count, after fork_delay", async () => {
  const host = healthHost(snapshot([]));
  const trackers = createProcessTrackers({ host });
  opened.push(trackers);
  const shell = join(folder, `${name}s`);
  copyFileSync("/bin/sh", shell);
  chmodSync(shell, 0o755);
  trackers.apply(config(tracked({ path: `${name}s`, quorum: 2, forkDelay: micros(1) })));
  // The subshell is a fork; the read keeps both.
  children.push(spawn(shell, ["-c", "(read x; echo $x); echo"], { stdio: ["pipe", "ignore", "ignore"] }));
  await vi.waitFor(
    () =>
      expect(host.appended.map(({ event }) => event.type)).toEqual(["process-quorum-lost", "process-quorum-gained"]),
    { timeout: 10_000, interval: 5 },
  );
});

test("without anything to track nothing is opened", () => {
  const trackers = createProcessTrackers({ host: healthHost(snapshot([])), openMonitor: refuse });
  trackers.apply(configWith({}));
  expect(trackers.states()).toEqual([]);
});

// Needs root in the first PID namespace and CONFIG_PROC_EVENTS.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { afterEach, expect, test, vi } from "vitest";
import type { Closable } from "./api.ts";
import { listProcesses, openProcessMonitor, type ProcessEvent, readProcess } from "./process-monitor.ts";
import { makeNamespace } from "./testing/mod.ts";

const open: Closable[] = [];
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});

function monitor(): ProcessEvent[] {
  const seen: ProcessEvent[] = [];
  open.push(openProcessMonitor({ onEvents: (events) => seen.push(...events), onGap: () => undefined }));
  return seen;
}
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 5 });

test("a program: forked by us, executed, renamed, ended", async () => {
  const seen = monitor();
  const child = spawn("sh", ["-c", "printf btnamed > /proc/$$/comm"]);
  await once(child, "exit");
  const of = () => seen.filter(({ pid }) => pid === child.pid);
  await eventually(() => expect(of().map(({ type }) => type)).toContain("ended"));
  const [first] = of();
  expect(first?.type).toBe("forked");
  expect(of().map(({ type }) => type)).toEqual(expect.arrayContaining(["forked", "executed", "renamed", "ended"]));
  expect(of()).toContainEqual({ type: "renamed", pid: child.pid, name: "btnamed" });
});

test("threads are none of its business", async () => {
  const seen = monitor();
  const worker = new Worker("", { eval: true });
  await once(worker, "exit");
  const child = spawn("true");
  await once(child, "exit");
  await eventually(() => expect(seen.some(({ type, pid }) => type === "ended" && pid === child.pid)).toBe(true));
  const ours = seen.filter((each) => each.type === "forked" && each.parent === process.pid);
  expect(ours).toEqual([{ type: "forked", parent: process.pid, pid: child.pid }]);
});

test("in another network namespace too, and the caller stays where it was", async () => {
  const namespace = makeNamespace("procmon");
  try {
    const seen: ProcessEvent[] = [];
    namespace.inside(() => {
      open.push(openProcessMonitor({ onEvents: (events) => seen.push(...events), onGap: () => undefined }));
    });
    const child = spawn("true");
    await once(child, "exit");
    await eventually(() => expect(seen.some(({ type, pid }) => type === "ended" && pid === child.pid)).toBe(true));
  } finally {
    namespace.remove();
  }
});

test("/proc: name and command line; what has ended is not there", async () => {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  try {
    const pid = child.pid ?? 0;
    await eventually(() => expect(readProcess(pid, true)?.name).toBe("sleep"));
    expect(readProcess(pid, true)).toEqual({ pid, name: "sleep", commandLine: ["sleep", "1000"] });
    expect(readProcess(pid, false)).toEqual({ pid, name: "sleep", commandLine: [] });
    expect(listProcesses(true)).toContainEqual({ pid, name: "sleep", commandLine: ["sleep", "1000"] });
    // A kernel thread has no command line.
    expect(readProcess(2, true)?.commandLine).toEqual([]);
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  expect(readProcess(child.pid ?? 0, false)).toBeUndefined();
});

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import { killExact, processStartTime, watchExit } from "./exact-process.ts";
import { openDescriptors } from "./testing/namespace.ts";

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function start(...command: [string, ...string[]]): Promise<{ child: ChildProcess; pid: number; time: number }> {
  const child = spawn(command[0], command.slice(1), { stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  const time = processStartTime(child.pid ?? 0);
  if (child.pid === undefined || time === undefined) throw new Error("not started");
  return { child, pid: child.pid, time };
}

test("the start time is field 22, also where the command's name tries to hide it", async () => {
  const own = processStartTime(process.pid);
  expect(own).toBeGreaterThan(0);
  expect(
    readFileSync("/proc/self/stat", "utf8")
      .replace(/\(.*\)/, "x")
      .split(" ")[21],
  ).toBe(String(own));
  const { pid, time } = await start("bash", "-c", "printf 'a) S 1 2 (b' > /proc/$$/comm; read < <(:); sleep 60 & wait");
  await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/comm`, "utf8")).toBe("a) S 1 2 (b\n"));
  expect(processStartTime(pid)).toBe(time);
  expect(processStartTime(0x3fffff)).toBeUndefined();
});

test("that process is ended, and another one with its pid would not be", async () => {
  const { child, pid, time } = await start("sleep", "60");
  expect(killExact(pid, time - 1, "SIGKILL")).toBe("gone");
  const ended = once(child, "exit");
  expect(killExact(pid, time, "SIGTERM")).toBe("signalled");
  expect(await ended).toEqual([null, "SIGTERM"]);
  expect(killExact(pid, time, "SIGTERM")).toBe("gone");
});

test("the end is told once, at once for one that is gone, and never after close", async () => {
  const before = openDescriptors();
  const { pid, time } = await start("sleep", "60");
  let ends = 0;
  const watches = [watchExit(pid, time, () => ends++), watchExit(pid, time, () => ends++)];
  const closed = watchExit(pid, time, () => ends++);
  closed.close();
  killExact(pid, time, "SIGKILL");
  await vi.waitFor(() => expect(ends).toBe(2));
  watchExit(pid, time, () => ends++);
  watchExit(pid, time, () => ends++).close();
  await vi.waitFor(() => expect(ends).toBe(3));
  for (const watch of watches) watch.close();
  await vi.waitFor(() => expect(openDescriptors()).toEqual(before));
  expect(ends).toBe(3);
});

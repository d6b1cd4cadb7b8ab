// The runner's own promises: its last line, its exit code, and that what a run leaves behind is found.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { findLeaks, listNamespaces } from "./leaks.mjs";

const runner = fileURLToPath(new URL("../run.mjs", import.meta.url));
const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe("npm test", () => {
  const run = (...words: string[]): { code: number | null; last: string } => {
    const { status, stdout } = spawnSync(process.execPath, [runner, ...words], { encoding: "utf8" });
    return { code: status, last: stdout.trimEnd().split("\n").at(-1) ?? "" };
  };

  test("ends with one plain line", () => {
    expect(run("unit", "libs/domain/src/ip.unit")).toEqual({
      code: 0,
      last: expect.stringMatching(/^\d+ passed, 0 failed$/),
    });
  });

  test("a word that matches no test is a failure", () => {
    expect(run("unit", "there-is-no-such-test")).toEqual({ code: 1, last: "0 passed, 1 failed" });
  });
});

describe("a leak", () => {
  const mark = `test-${process.pid}`;
  const start = (env: Record<string, string>): number => {
    const child = spawn("sleep", ["100"], { env: { ...process.env, ...env }, detached: true });
    closers.push(() => child.kill("SIGKILL"));
    return child.pid ?? 0;
  };
  const leaks = (): Promise<string[]> => findLeaks({ mark, namespacesBefore: new Set(listNamespaces()), waitMs: 0 });

  test("a process that carries the run's mark is found, others are not", async () => {
    const ours = start({ BATON_TEST_RUN: mark });
    start({ BATON_TEST_RUN: `${mark}-of-another-run` });
    expect(await leaks()).toEqual([`process ${ours}: sleep 100`]);
  });

  test("a namespace whose owner is gone is found, one whose owner lives is not", async () => {
    const { pid: dead = 0 } = spawnSync("true");
    const names = [`bt${dead}z-r1`, `bt${process.pid}z-r1`];
    for (const name of names) {
      expect(spawnSync("ip", ["netns", "add", name]).status).toBe(0);
      closers.push(() => spawnSync("ip", ["netns", "del", name]));
    }
    const namespacesBefore = new Set(listNamespaces().filter((name) => !names.includes(name)));
    expect(await findLeaks({ mark, namespacesBefore, waitMs: 0 })).toEqual([`network namespace ${names[0]}`]);
  });

  test("what ends in time is none", async () => {
    const pid = start({ BATON_TEST_RUN: mark });
    setTimeout(() => process.kill(pid, "SIGKILL"), 300);
    expect(await findLeaks({ mark, namespacesBefore: new Set(listNamespaces()), waitMs: 10_000 })).toEqual([]);
  });
});

// MISC_CHECK with real programs.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { micros } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";
import type { MiscCheckerConfig } from "@baton/keepalived-conf";
import { command } from "@baton/keepalived-conf/testing";
import { afterAll, describe, expect, test, vi } from "vitest";
import { probeMisc } from "./program.ts";
import { times } from "./testing/probe-world.ts";

const directory = mkdtempSync(join(tmpdir(), "baton-misc-"));
afterAll(() => rmSync(directory, { recursive: true }));
const never = new AbortController().signal;
const program = { identity: { ok: true, ids: undefined }, environment: { PATH: process.env.PATH } } as const;
const run = (text: string, over: Partial<MiscCheckerConfig> = {}, signal = never): Promise<ProbeOutcome> => {
  const config: MiscCheckerConfig = {
    ...times,
    type: "MISC_CHECK",
    command: command(text, { run: "shell" }),
    timeout: micros(20_000_000),
    dynamic: false,
    ...over,
  };
  return probeMisc(config, program, signal);
};
const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));

describe("exit status", () => {
  test.each<[status: number, dynamic: boolean, expected: object]>([
    [0, false, { ok: true }],
    [1, false, { ok: false, reason: "exit-status", status: 1 }],
    [2, false, { ok: false, reason: "exit-status", status: 2 }],
    [0, true, { ok: true }],
    [1, true, { ok: false, reason: "exit-status", status: 1 }],
    [2, true, { ok: true, weight: 0 }],
    [255, true, { ok: true, weight: 253 }],
  ])("%i, misc_dynamic %s", async (status, dynamic, expected) => {
    const outcome = await run(`exit ${status}`, { dynamic });
    expect(outcome).toMatchObject(expected);
    if (status === 0) expect(outcome).not.toHaveProperty("weight");
  });
  test("what it printed is told, on one line", async () => {
    expect(await run("echo 'no  route'; printf 'to\\007 host' >&2; exit 3")).toMatchObject({
      ok: false,
      status: 3,
      excerpt: "no route to host",
    });
  });
});

test("a signal fails, with misc_dynamic too", async () => {
  for (const dynamic of [false, true]) {
    expect(await run("kill -SEGV $$", { dynamic })).toMatchObject({ ok: false, reason: "signal", detail: "SIGSEGV" });
  }
});

test("what cannot be started, or not as whom it should, is no verdict", async () => {
  expect(await run("", { command: command("/nowhere/check") })).toMatchObject({ ok: undefined, reason: "spawn" });
  const unknown = { ...program, identity: { ok: false, reason: "there is no user nobody2" } } as const;
  const config = {
    ...times,
    type: "MISC_CHECK",
    command: command("true"),
    timeout: micros(1),
    dynamic: false,
  } as const;
  expect(await probeMisc(config, unknown, never)).toMatchObject({
    ok: undefined,
    reason: "spawn",
    detail: "there is no user nobody2",
  });
});

/** A program with a child, both of which say who they are, and the second of which hears no SIGTERM. */
async function family(how: (file: string) => Promise<ProbeOutcome>): Promise<ProbeOutcome> {
  const file = join(directory, `${process.hrtime.bigint()}`);
  const outcome = await how(file);
  const pids = readFileSync(file, "utf8").trim().split("\n").map(Number);
  expect(pids).toHaveLength(2);
  await vi.waitFor(() => expect(pids.map(isAlive)).toEqual([false, false]), { timeout: 5_000 });
  return outcome;
}
const parent = (file: string, trap = ""): string =>
  `${trap}(trap '' TERM; echo $BASHPID >> ${file}; while :; do sleep 0.05; done) & echo $$ >> ${file}; echo waiting; wait; sleep 60`;

test("at the timeout the whole process group goes, and the outcome comes after it", async () => {
  const outcome = await family((file) => run(parent(file), { timeout: micros(700_000) }));
  expect(outcome).toMatchObject({ ok: false, reason: "timeout", excerpt: "waiting" });
  expect(outcome.ok === false && outcome.durationMicros).toBeLessThan(5_000_000);
});

test("what hears no SIGTERM gets SIGKILL", async () => {
  const outcome = await family((file) => run(parent(file, "trap '' TERM; "), { timeout: micros(700_000) }));
  expect(outcome).toMatchObject({ ok: false, reason: "timeout" });
});

test("an abort ends it too, without a verdict", async () => {
  const outcome = await family(async (file) => {
    const controller = new AbortController();
    const running = run(parent(file), {}, controller.signal);
    await vi.waitFor(() => expect(readFileSync(file, "utf8").split("\n")).toHaveLength(3), { timeout: 10_000 });
    controller.abort();
    return running;
  });
  expect(outcome).toMatchObject({ ok: undefined, reason: "aborted" });
});

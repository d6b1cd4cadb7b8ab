// Real programs before and after a node.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Micros, millisToMicros } from "@baton/domain";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runNodeScript } from "./node-script.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "node-script-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

async function run(shell: string, timeout: Micros = millisToMicros(20_000), user?: string): Promise<string[]> {
  const lines: string[] = [];
  const note = (message: string, fields?: object): void => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const argv = ["/bin/sh", "-c", shell];
  const script = {
    command: {
      text: shell,
      argv,
      run: "exec",
      user: user ? { user, group: undefined, supplementaryGroups: false } : undefined,
    },
  } as const;
  await runNodeScript(
    "startup_script",
    { ...script, timeout },
    {
      scriptUser: undefined,
      lookup: () => undefined,
      own: { uid: 0, gid: 0 },
      environment: { PATH: "/usr/bin:/bin" },
      log: { info: note, warn: note },
      graceMillis: 50,
    },
  );
  return lines;
}

test("it is waited for", async () => {
  const file = join(directory, "ran");
  expect((await run(`sleep 0.1; echo yes > ${file}`)).at(-1)).toMatch(/^startup_script has ended/);
  expect(readFileSync(file, "utf8")).toBe("yes\n");
});

test("its failure is told, with what it said, and keeps nobody from starting", async () => {
  expect((await run("echo no such disk; exit 3")).at(-1)).toBe(
    'startup_script failed {"exit":"exit 3","output":"no such disk"}',
  );
});

test("one that takes too long is ended, also where it does not listen, with what it has started", async () => {
  const file = join(directory, "child");
  const lines = await run(`trap '' TERM; sleep 100 & echo $! > ${file}; wait; sleep 100`, millisToMicros(500));
  expect(lines.at(-1)).toContain("timed out: signal SIGKILL");
  const child = readFileSync(file, "utf8").trim();
  await expect.poll(() => isAlive(child), { timeout: 10_000 }).toBe(false);
});

test("a user that there is not: told, and not run as somebody else", async () => {
  expect(await run("exit 0", millisToMicros(20_000), "nobody-at-all")).toEqual([
    expect.stringMatching(/^startup_script cannot run .*there is no user nobody-at-all/),
  ]);
});

test("none is configured: nothing is told", async () => {
  const log = { info: () => expect.unreachable(), warn: () => expect.unreachable() };
  const parts = { scriptUser: undefined, lookup: () => undefined, own: { uid: 0, gid: 0 }, environment: {} };
  await runNodeScript("shutdown_script", undefined, { ...parts, log, graceMillis: 50 });
});

/** A zombie is none. */
function isAlive(pid: string): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

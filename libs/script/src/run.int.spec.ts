// Real processes, as root: identity, process groups, output, and every way in which a start goes wrong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { scriptEnvironment } from "./command.ts";
import { type RunningScript, type ScriptEnd, type ScriptRequest, startScript } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-script-"));
afterAll(() => rmSync(folder, { recursive: true }));

function start(
  argv: readonly string[],
  over: Partial<ScriptRequest> = {},
): { run: RunningScript; end: Promise<ScriptEnd> } {
  let onExit: (end: ScriptEnd) => void = () => undefined;
  const end = new Promise<ScriptEnd>((resolve) => {
    onExit = resolve;
  });
  const environment = scriptEnvironment({ PATH: process.env.PATH, LD_PRELOAD: "/nowhere.so" });
  const run = startScript({ argv, ids: undefined, environment, outputBytesMax: 1024, onExit, ...over });
  return { run, end };
}
const bash = (text: string, over: Partial<ScriptRequest> = {}) => start(["bash", "-c", text], over);
const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};
const pidIn = async (file: string): Promise<number> => {
  await vi.waitFor(() => expect(readFileSync(join(folder, file), "utf8")).toMatch(/^\d+\n$/), { timeout: 5000 });
  return Number(readFileSync(join(folder, file), "utf8"));
};

test.each([
  ["true", { success: true, exit: "exit 0", output: "" }],
  ["echo no haproxy >&2; exit 3", { success: false, exit: "exit 3", output: "no haproxy" }],
  ["kill -SEGV $$", { success: false, exit: "signal SIGSEGV", output: "" }],
  [
    "echo one; echo two > /dev/stderr; echo three > /dev/stdout",
    { success: true, exit: "exit 0", output: "one\ntwo\nthree" },
  ],
  ["readlink /proc/self/fd/0; pwd", { success: true, exit: "exit 0", output: "/dev/null\n/" }],
])("%s", async (text, end) => {
  expect(await bash(text).end).toEqual(end);
});

test("a bare command is found in PATH", async () => {
  writeFileSync(join(folder, "chk"), "#!/bin/sh\nexit 7\n", { mode: 0o755 });
  expect((await start(["chk"], { environment: { PATH: `${folder}:/bin` } }).end).exit).toBe("exit 7");
});

test("a script without an interpreter line runs under the shell, as with keepalived", async () => {
  writeFileSync(join(folder, "plain"), "echo plain; exit 4\n", { mode: 0o755 });
  expect(await start([join(folder, "plain")]).end).toEqual({ success: false, exit: "exit 4", output: "plain" });
});

test.each([
  ["not there", ["/no/such/script"], "spawn ENOENT"],
  ["not executable", ["/etc/passwd"], "spawn EACCES"],
  ["empty", [], "spawn the command is empty"],
  ["a word with NUL", ["echo", "a\0b"], "spawn ERR_INVALID_ARG_VALUE"],
])("a command that cannot be started is a failed end: %s", async (_name, argv, exit) => {
  const { run, end } = start(argv);
  expect(run.pid).toBeUndefined();
  run.signal("SIGKILL");
  expect(await end).toMatchObject({ success: false, exit });
});

test("signals are at their defaults", async () => {
  const { output } = await start(["grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"]).end;
  expect(output).toMatch(/^SigBlk:\t0+\nSigIgn:\t0+$/);
});

test("nothing of ours is open in the script", async () => {
  const { output } = await start(["ls", "/proc/self/fd"]).end;
  // 3 is the folder that ls reads; the shell that started the tests may have left a high one open.
  const open = output.split("\n").map(Number);
  expect(open.filter((descriptor) => descriptor < 200)).toEqual([0, 1, 2, 3]);
});

test.runIf(process.getuid?.() === 0)("another user means its ids and no supplementary group", async () => {
  const { end } = bash("id -u; id -g; id -G", { ids: { uid: 65534, gid: 65534 } });
  expect((await end).output).toBe("65534\n65534\n65534");
});

test("the output is cut, and a talkative script is not held up", async () => {
  const { end } = bash("head -c 3000000 /dev/zero | tr '\\0' x; exit 5", { outputBytesMax: 1024 });
  const { exit, output } = await end;
  expect({ exit, length: output.length }).toEqual({ exit: "exit 5", length: 1024 });
});

test("what a script says last is never lost: the output is there when the end is told", async () => {
  const ends = await Promise.all(
    Array.from({ length: 40 }, (_, index) => bash(`echo last words ${index}; exit 1`).end),
  );
  expect(ends.map((end) => end.output)).toEqual(ends.map((_, index) => `last words ${index}`));
});

test("a signal reaches the children of a script too, also after it has gone itself", async () => {
  const { run, end } = bash(`sleep 600 & echo $! > ${folder}/child; wait`);
  const child = await pidIn("child");
  run.signal("SIGTERM");
  expect((await end).exit).toBe("signal SIGTERM");
  await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 5000 });

  const left = bash(`sleep 600 & echo $! > ${folder}/left`);
  const orphan = await pidIn("left");
  expect((await left.end).exit).toBe("exit 0");
  expect(isAlive(orphan)).toBe(true);
  left.run.signal("SIGKILL");
  await vi.waitFor(() => expect(isAlive(orphan)).toBe(false), { timeout: 5000 });
});

test("a process left behind can go on printing", async () => {
  const { run, end } = bash(
    `(trap 'echo pipe > ${folder}/broken' PIPE; for i in $(seq 200); do head -c 4096 /dev/zero; done; echo $BASHPID > ${folder}/done) & exit 0`,
  );
  expect((await end).exit).toBe("exit 0");
  await pidIn("done");
  run.signal("SIGKILL");
});

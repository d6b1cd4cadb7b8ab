// `startup_script` and `shutdown_script` of a whole supervisor: what runs before and after them, and a stop while one runs.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readConfiguration, writeSnapshot } from "@baton/host";
import { expect, test } from "vitest";
import { inDirectory, isAlive, runDir, services, start, startReady, story, until } from "./testing/up-node.ts";

function configureScripts(scripts: { readonly startup: string; readonly shutdown: string }): void {
  const lines = Object.entries(scripts).map(([name, text]) => {
    writeFileSync(inDirectory(name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return `  ${name}_script ${inDirectory(name)}\n`;
  });
  writeFileSync(inDirectory("keepalived.conf"), `global_defs {\n  script_user root\n${lines.join("")}}\n`);
}

test("startup_script ends before a service starts, shutdown_script runs when all have ended", async () => {
  const told = join(runDir(), "story");
  configureScripts({
    startup: `ls ${told} > ${inDirectory("at-start")} 2>&1; sleep 0.3; ls ${told} && exit 1; exit 0`,
    shutdown: `cp ${told} ${inDirectory("at-stop")}`,
  });
  const { child, exited, stderr } = await startReady();
  expect(readFileSync(inDirectory("at-start"), "utf8")).toContain("No such file");
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(stderr()).toMatch(/startup_script has ended/);
  expect(readFileSync(inDirectory("at-stop"), "utf8").trim().split("\n")).toEqual(story());
  expect(story().at(-1)).toBe("control stop SIGTERM");
});

test("a stop while startup_script runs ends it and what it has started; no service starts, shutdown_script runs", async () => {
  const pids = inDirectory("pids");
  configureScripts({
    startup: `sleep 1000 &\necho "$$ $!" > ${pids}.new; mv ${pids}.new ${pids}; wait`,
    shutdown: `echo yes > ${inDirectory("at-stop")}`,
  });
  const { child, exited, stderr } = start();
  await until("the script", () => existsSync(pids));
  // Nothing to reload yet; its default would end the node.
  for (const signal of ["SIGHUP", "SIGTERM"] as const) child.kill(signal);
  expect(await exited).toBe(0);
  for (const pid of readFileSync(pids, "utf8").trim().split(" ")) expect(isAlive(Number(pid))).toBe(false);
  expect(stderr()).toMatch(/startup_script failed.*no longer waited for: signal SIGTERM/);
  expect([story(), services()]).toEqual([[], {}]);
  expect(readFileSync(inDirectory("at-stop"), "utf8")).toBe("yes\n");
});

test("shutdown_script is the one that was applied last, not the one of the start", async () => {
  const file = inDirectory("keepalived.conf");
  const makes = (name: string): void =>
    writeFileSync(file, `global_defs {\n shutdown_script "/bin/touch ${inDirectory(name)}"\n}\n`);
  makes("first");
  const { child, exited } = await startReady();
  makes("second");
  const { configuration } = readConfiguration({ file, env: process.env });
  if (configuration === undefined) throw new Error("it is not usable");
  // As control does at a reload.
  await writeSnapshot(inDirectory("state"), { generation: 2, hash: "", file, appliedAt: "", ...configuration });
  makes("never-applied");
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
  expect(["first", "second", "never-applied"].map((name) => existsSync(inDirectory(name)))).toEqual([
    false,
    true,
    false,
  ]);
});

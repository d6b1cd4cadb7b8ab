// The command under keepalived's name, by a link: what tools ask it, and starts that come to nothing.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const held = { directory: "" };
const at = (name: string): string => join(held.directory, name);
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-keepalived-"));
  symlinkSync(fileURLToPath(new URL("../bin/baton.js", import.meta.url)), at("keepalived"));
  writeFileSync(at("good.conf"), "global_defs {\n  router_id x\n}\n");
  writeFileSync(at("bad.conf"), "vrrp_instance V {\n  interface lo\n  virtual_router_id\n}\n");
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

function run(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(at("keepalived"), words, { encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

test("the numbers of signals are all that is said of them", () => {
  const numbers = ["STOP", "RELOAD", "DATA", "STATS", "STATS_CLEAR", "JSON"].map((name) => run(`--signum=${name}`));
  expect(numbers.map(({ stdout, stderr }) => stdout + stderr)).toEqual(["15\n", "1\n", "10\n", "12\n", "63\n", "36\n"]);
  expect(run("--signum", "NONE").status).toBe(1);
});

test("the version is said on standard error, as exporters read it", () => {
  const { status, stderr } = run("-v");
  expect(status).toBe(0);
  expect(stderr).toMatch(/^Keepalived v\d+\.\d+\.\d+ [^\n]*\n/);
});

test("a trial of the configuration: its exit code, and where the diagnostics go", () => {
  expect(run("-t", "-f", at("good.conf")).status).toBe(0);
  const bad = run("-t", "-f", at("bad.conf"));
  expect([bad.status, bad.stdout]).toEqual([2, ""]);
  expect(bad.stderr).toContain("bad.conf:3:3: error:");
  const logged = run(`-t${at("log")}`, "-f", at("bad.conf"));
  expect([logged.status, logged.stderr]).toEqual([2, ""]);
  expect(readFileSync(at("log"), "utf8")).toContain("bad.conf:3:3: error:");
});

test("a start that fails has its exit code in the background, too, and says where to look", () => {
  const words = [
    "-f",
    at("bad.conf"),
    "--run-dir",
    at("run"),
    "--state-dir",
    at("state"),
    "-p",
    at("p"),
    "-r",
    at("r"),
  ];
  const foreground = run("-n", ...words);
  expect([foreground.status, foreground.stderr]).toEqual([2, expect.stringContaining("bad.conf:3:3: error:")]);
  const background = run(...words, `-g${at("log")}`);
  expect([background.status, background.stderr]).toEqual([2, expect.stringContaining(at("log"))]);
  expect(readFileSync(at("log"), "utf8")).toContain("bad.conf:3:3: error:");
  expect(statSync(at("log")).mode & 0o777).toBe(0o600);
});

test("a second start under the pid files of a live process is none, and no fault", () => {
  writeFileSync(at("p"), `${process.pid}\n`);
  const second = run("-n", "-f", at("good.conf"), "--run-dir", at("run"), "-p", at("p"), "-r", at("r"));
  expect([second.status, second.stderr]).toEqual([0, expect.stringContaining(`with pid ${process.pid}`)]);
  expect(readFileSync(at("p"), "utf8")).toBe(`${process.pid}\n`);
});

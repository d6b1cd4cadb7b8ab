import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { lockFile } from "./lock-file.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-lock-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

test("one holder at a time; the file tells who, to its owner only", () => {
  const path = join(directory, "one");
  writeFileSync(path, "12345678 of an earlier, longer life\n", { mode: 0o600 });
  const held = lockFile(path);
  expect(held).toBeDefined();
  expect(lockFile(path)).toBeUndefined();
  expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  held?.close();
  held?.close();
  const next = lockFile(path);
  expect(next).toBeDefined();
  next?.close();
  expect(() => lockFile(join(directory, "none", "lock"))).toThrow("ENOENT");
});

test("another process's lock counts, and ends when it is killed", async () => {
  const path = join(directory, "two");
  const child: ChildProcess = spawn("flock", ["--no-fork", path, "sleep", "60"], { stdio: "ignore" });
  const tryLock = () => {
    const held = lockFile(path);
    held?.close();
    return held !== undefined;
  };
  await vi.waitFor(() => expect(tryLock()).toBe(false));
  child.kill("SIGKILL");
  await vi.waitFor(() => expect(tryLock()).toBe(true));
});

test("a child that outlives us does not keep the lock", async () => {
  const path = join(directory, "three");
  const held = lockFile(path);
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  await vi.waitFor(() => expect(child.pid).toBeDefined());
  held?.close();
  const next = lockFile(path);
  child.kill("SIGKILL");
  expect(next).toBeDefined();
  next?.close();
});

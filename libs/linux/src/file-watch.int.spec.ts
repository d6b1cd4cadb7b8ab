import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type FileWatch, openFileWatch } from "./file-watch.ts";

let folder = "";
let watch: FileWatch;
const seen: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "baton-watch-"));
  seen.length = 0;
  watch = openFileWatch({
    onChange: (path, name) => seen.push(join(path, name)),
    onFolderGone: (path) => seen.push(`gone ${path}`),
    onGap: () => seen.push("gap"),
  });
});
afterEach(() => {
  watch.close();
  rmSync(folder, { recursive: true, force: true });
});
const eventually = (expected: readonly string[]) =>
  vi.waitFor(() => expect(seen.splice(0)).toEqual(expected), { timeout: 5_000, interval: 5 });

test("written, moved in, moved out, removed: each is told once", async () => {
  watch.add(folder);
  writeFileSync(join(folder, "a"), "1");
  await eventually([join(folder, "a")]);
  renameSync(join(folder, "a"), join(folder, "b"));
  await eventually([join(folder, "a"), join(folder, "b")]);
  rmSync(join(folder, "b"));
  await eventually([join(folder, "b")]);
});

test("a file that is being written is told when it is closed, and not before", async () => {
  watch.add(folder);
  const file = openSync(join(folder, "slow"), "w");
  writeSync(file, "1");
  writeFileSync(join(folder, "other"), "");
  await eventually([join(folder, "other")]);
  closeSync(file);
  await eventually([join(folder, "slow")]);
  appendFileSync(join(folder, "slow"), "2");
  await eventually([join(folder, "slow")]);
});

test("a folder that goes is told, and can be watched again when it is back", async () => {
  const inner = join(folder, "inner");
  mkdirSync(inner);
  watch.add(inner);
  rmSync(inner, { recursive: true });
  await eventually([`gone ${inner}`]);
  mkdirSync(inner);
  watch.add(inner);
  renameSync(inner, join(folder, "elsewhere"));
  await eventually([`gone ${inner}`]);
});

test("what is not there, and what is no folder, is said with its name", () => {
  expect(() => watch.add(join(folder, "nothing"))).toThrow(/ENOENT.*nothing/);
  writeFileSync(join(folder, "file"), "");
  expect(() => watch.add(join(folder, "file"))).toThrow(/ENOTDIR/);
});

test("after remove and after close nothing is told", async () => {
  const other = join(folder, "other");
  mkdirSync(other);
  watch.add(folder);
  watch.add(other);
  watch.remove(folder);
  writeFileSync(join(folder, "a"), "");
  writeFileSync(join(other, "b"), "");
  await eventually([join(other, "b")]);
  watch.close();
  watch.close();
  expect(() => watch.add(folder)).toThrow(/EBADF/);
});

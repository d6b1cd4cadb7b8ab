// With real files, inotify and timers; the wall clock is the test's.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { globalConfig } from "@baton/keepalived-conf/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { marked, reloadMarkPath } from "./reload-mark.ts";
import { openScheduledReload, type ScheduledReload } from "./scheduled-reload.ts";

const noon = Date.UTC(2026, 5, 1, 12);
const held = { folder: "", now: noon, reloads: 0, lines: [] as string[] };
let scheduled: ScheduledReload;
const log = {
  info: (text: string) => void held.lines.push(text),
  warn: (text: string) => void held.lines.push(text),
  error: (text: string) => void held.lines.push(text),
};
const at = (name: string): string => join(held.folder, name);
const until = (condition: () => void) => vi.waitFor(condition, { timeout: 8_000, interval: 10 });
const planned = (time: string) => until(() => expect(held.lines.at(-1)).toBe(`a reload is planned for ${time}`));
const unplanned = () => until(() => expect(held.lines.at(-1)).toMatch(/^no reload is planned/));

beforeEach(() => {
  Object.assign(held, { folder: mkdtempSync(join(tmpdir(), "baton-reload-")), now: noon, reloads: 0, lines: [] });
  scheduled = openScheduledReload({ log, reload: () => void held.reloads++, wall: () => held.now });
});
afterEach(() => {
  scheduled.close();
  rmSync(held.folder, { recursive: true, force: true });
});

test("a time that was there, is moved, taken away and comes: one reload, and the file is gone", async () => {
  writeFileSync(at("time"), "13:00:00Z");
  scheduled.configure({ timeFile: at("time"), repeat: false });
  await planned("2026-06-01T13:00:00.000Z");
  writeFileSync(at("time"), "2026-07-01 00:00:00Z\n");
  await planned("2026-07-01T00:00:00.000Z");
  rmSync(at("time"));
  await unplanned();
  writeFileSync(at("new"), "12:00:01Z");
  renameSync(at("new"), at("time"));
  await planned("2026-06-01T12:00:01.000Z");
  expect(held.reloads).toBe(0);
  held.now += 1_000;
  await until(() => expect(held.reloads).toBe(1));
  expect(readdirSync(held.folder)).toEqual([]);
});

test("with reload_repeat the file stays, and means tomorrow; with a day it goes nevertheless", async () => {
  writeFileSync(at("time"), "12:00:01Z");
  scheduled.configure({ timeFile: at("time"), repeat: true });
  held.now += 1_000;
  await until(() => expect(held.reloads).toBe(1));
  expect(existsSync(at("time"))).toBe(true);
  expect(held.lines).toContain("a reload is planned for 2026-06-02T12:00:01.000Z");
  writeFileSync(at("time"), "26-06-01 12:00:02Z");
  await planned("2026-06-01T12:00:02.000Z");
  held.now += 1_000;
  await until(() => expect(held.reloads).toBe(2));
  expect(existsSync(at("time"))).toBe(false);
});

test("nonsense, a folder and a file that is configured no more plan nothing", async () => {
  writeFileSync(at("time"), "soon");
  scheduled.configure({ timeFile: at("time"), repeat: false });
  await unplanned();
  rmSync(at("time"));
  mkdirSync(at("time"));
  await unplanned();
  rmSync(at("time"), { recursive: true });
  writeFileSync(at("time"), "12:00:01Z");
  await planned("2026-06-01T12:00:01.000Z");
  scheduled.configure({ timeFile: undefined, repeat: false });
  held.now += 5_000;
  writeFileSync(at("other"), "12:00:06Z");
  scheduled.configure({ timeFile: at("other"), repeat: false });
  await planned("2026-06-01T12:00:06.000Z");
  expect([held.reloads, existsSync(at("time"))]).toEqual([0, true]);
});

test("the mark of a reload is there while it is read, also when that fails; where it cannot be, nothing is kept up", async () => {
  const read = async () => existsSync(at("mark"));
  expect(await marked(at("mark"), log, read)).toBe(true);
  const failing = marked(at("mark"), log, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(existsSync(at("mark"))).toBe(false);
  expect(await marked(at("none/mark"), log, read)).toBe(false);
  expect(held.lines).toEqual(["the reload file cannot be made"]);
  expect(await marked(undefined, log, read)).toBe(false);
});

test("where the mark is", () => {
  const path = (file: { path: string | undefined } | undefined, node = {}) => {
    const global = globalConfig({});
    return reloadMarkPath({ ...global, reload: { ...global.reload, file }, node: { ...global.node, ...node } });
  };
  expect(path(undefined)).toBeUndefined();
  expect(path({ path: "/x/y" })).toBe("/x/y");
  expect(path({ path: undefined })).toBe("/run/keepalived.reload");
  const apart = { instance: "one", usePidDirectory: true };
  expect(path({ path: undefined }, apart)).toBe("/run/keepalived/keepalived_one.reload");
});

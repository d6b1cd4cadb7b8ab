// Real files and inotify: what is written, moved, removed and linked becomes a number and an event.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config, TrackFileConfig } from "@baton/keepalived-conf";
import { config as configWith, instanceConfig } from "@baton/keepalived-conf/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createFileTrackers, type FileTrackers } from "./file-trackers.ts";
import { healthHost, snapshot } from "./testing/fixtures.ts";

let folder = "";
let trackers: FileTrackers;
let host: ReturnType<typeof healthHost>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "baton-files-"));
  host = healthHost(snapshot([]));
  trackers = createFileTrackers(host);
});
afterEach(() => {
  trackers.close();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const file = (over: Partial<TrackFileConfig> = {}): TrackFileConfig => ({
  name: "load",
  path: path("load"),
  weight: 1,
  reverse: false,
  initial: undefined,
  ...over,
});
const config = (...files: readonly TrackFileConfig[]): Config =>
  configWith({
    trackFiles: files,
    instances: [instanceConfig({ trackFiles: files.map(({ name }) => ({ name, weight: 1, reverse: false })) })],
  });
const values = () => host.appended.map(({ event }) => (event.type === "file-changed" ? event.data.value : event.type));
const eventually = (expected: readonly number[]) =>
  vi.waitFor(() => expect(values()).toEqual(expected), { timeout: 10_000, interval: 5 });

test("what the file says at the start, and each other number that is written", async () => {
  writeFileSync(path("load"), "3\n");
  trackers.apply(config(file()), "fresh");
  expect(values()).toEqual([3]);
  writeFileSync(path("load"), "-7 and more");
  await eventually([3, -7]);
  writeFileSync(path("other"), "9");
  writeFileSync(path("new"), "5");
  renameSync(path("new"), path("load"));
  await eventually([3, -7, 5]);
  rmSync(path("load"));
  await eventually([3, -7, 5, 0]);
  expect(trackers.states()).toMatchObject([
    { kind: "tracker", id: "file:load", state: { value: { kind: "file", name: "load", status: "read", value: 0 } } },
  ]);
});

test("a number that does not fit changes nothing and is complained of", async () => {
  const warn = vi.spyOn(host.log, "warn");
  writeFileSync(path("load"), "3");
  trackers.apply(config(file()), "fresh");
  writeFileSync(path("load"), "99999999999");
  await vi.waitFor(() => expect(warn.mock.calls.join()).toContain("no number of 32 bits"), { timeout: 10_000 });
  writeFileSync(path("load"), "4");
  await eventually([3, 4]);
});

test("a folder that is not there yet, goes, and comes back", async () => {
  trackers.apply(config(file({ path: path("run/load") })), "fresh");
  expect(values()).toEqual([0]);
  mkdirSync(path("run"));
  writeFileSync(path("run/load"), "1");
  await eventually([0, 1]);
  rmSync(path("run"), { recursive: true });
  await eventually([0, 1, 0]);
  mkdirSync(path("run"));
  writeFileSync(path("run/load"), "2");
  await eventually([0, 1, 0, 2]);
});

test("a symbolic link: its target is written, and it is led elsewhere", async () => {
  mkdirSync(path("data"));
  writeFileSync(path("data/a"), "1");
  writeFileSync(path("data/b"), "2");
  symlinkSync(path("data/a"), path("load"));
  trackers.apply(config(file()), "fresh");
  writeFileSync(path("data/a"), "11");
  await eventually([1, 11]);
  symlinkSync(path("data/b"), path("next"));
  renameSync(path("next"), path("load"));
  await eventually([1, 11, 2]);
  writeFileSync(path("data/b"), "22");
  await eventually([1, 11, 2, 22]);
});

describe("init_file", () => {
  const content = () => readFileSync(path("load"), "utf8");

  test("makes the file at the start, and leaves one that is there", () => {
    trackers.apply(config(file({ initial: { value: 4, overwrite: false } })), "fresh");
    expect([content(), values()]).toEqual(["4\n", [4]]);
    trackers.close();
    writeFileSync(path("load"), "6");
    createFileTrackers(host).apply(config(file({ initial: { value: 4, overwrite: false } })), "fresh");
    expect(content()).toBe("6");
  });

  test("overwrite is for a start: a restarted service leaves what is there", () => {
    writeFileSync(path("load"), "6");
    trackers.apply(config(file({ initial: { value: 4, overwrite: true } })), "resumed");
    expect(content()).toBe("6");
    trackers.apply(config(file({ initial: { value: 4, overwrite: true } })), "fresh");
    expect(content()).toBe("6");
    trackers.apply(config(), "fresh");
    trackers.apply(config(file({ initial: { value: 4, overwrite: true } })), "fresh");
    expect(content()).toBe("4\n");
  });
});

test("a reload: the same file tells nothing anew, another path counts at once, an unused one is let go", async () => {
  writeFileSync(path("load"), "3");
  writeFileSync(path("moved"), "8");
  trackers.apply(config(file()), "fresh");
  trackers.apply(config(file({ weight: 5 })), "fresh");
  expect(values()).toEqual([3]);
  trackers.apply(config(file({ path: path("moved") })), "fresh");
  expect(values()).toEqual([3, 8]);
  writeFileSync(path("load"), "1");
  writeFileSync(path("moved"), "9");
  await eventually([3, 8, 9]);
  trackers.apply({ ...config(file()), instances: [] }, "fresh");
  expect(trackers.states()).toEqual([]);
});

test("a pipe that nobody writes to holds nothing up, and a folder is no number", async () => {
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [path("load")]);
  mkdirSync(path("dir"));
  trackers.apply(config(file(), file({ name: "dir", path: path("dir") })), "fresh");
  expect(values()).toEqual([0, 0]);
});

// Files in a folder that anybody may write.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { globalConfig } from "@baton/keepalived-conf/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dumpPath, temporaryDirectory, writeDump } from "./dump-files.ts";

const held = { directory: "" };
const at = (name: string): string => join(held.directory, name);
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-dump-"));
});
afterEach(() => rmSync(held.directory, { recursive: true, force: true }));

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test("root alone can read it, unless umask says otherwise; nothing else is left behind", async () => {
  await writeDump(at("keepalived.data"), "one", 0o177);
  expect([readFileSync(at("keepalived.data"), "utf8"), mode(at("keepalived.data"))]).toEqual(["one", "600"]);
  await writeDump(at("keepalived.data"), "two", 0o022);
  expect([readFileSync(at("keepalived.data"), "utf8"), mode(at("keepalived.data"))]).toEqual(["two", "644"]);
  expect(readdirSync(held.directory)).toEqual(["keepalived.data"]);
});

test("a link is replaced, not followed", async () => {
  writeFileSync(at("shadow"), "precious");
  symlinkSync(at("shadow"), at("keepalived.json"));
  await writeDump(at("keepalived.json"), "{}", 0o177);
  expect(readFileSync(at("shadow"), "utf8")).toBe("precious");
  expect(readFileSync(at("keepalived.json"), "utf8")).toBe("{}");
});

test("where nothing can be written, nothing is left", async () => {
  await expect(writeDump(at("nowhere/x"), "text", 0o177)).rejects.toThrow("ENOENT");
  writeFileSync(at("file"), "");
  await expect(writeDump(at("file/x"), "text", 0o177)).rejects.toThrow("ENOTDIR");
  expect(readdirSync(held.directory)).toEqual(["file"]);
});

test("TMPDIR counts when it is a folder", () => {
  expect(temporaryDirectory({ TMPDIR: held.directory })).toBe(held.directory);
  for (const TMPDIR of [undefined, "", "relative", at("missing")]) expect(temporaryDirectory({ TMPDIR })).toBe("/tmp");
});

const files = globalConfig().files;
const node = globalConfig().node;
const path = (
  over: Partial<typeof files>,
  names: Partial<typeof node> = {},
  file: "data" | "stats" | "json" = "data",
) => dumpPath(file, globalConfig({ files: { ...files, ...over }, node: { ...node, ...names } }), "/t");

test("where a file goes: keepalived's names, the configuration's path, folder or name", () => {
  expect(path({})).toBe("/t/keepalived.data");
  expect([path({}, {}, "stats"), path({}, {}, "json")]).toEqual(["/t/keepalived.stats", "/t/keepalived.json"]);
  expect(path({ state: "/var/x.out" })).toBe("/var/x.out");
  expect(path({ state: "/var/dump/" })).toBe("/var/dump/keepalived.data");
  expect(path({ state: "mine.txt" })).toBe("/t/mine.txt");
  expect(path({ json: "/var/j" }, {}, "json")).toBe("/var/j");
});

test("the names of namespace and instance stand before the ending", () => {
  const names = { netNamespace: "blue", instance: "one" };
  expect(path({ useInstance: true }, names)).toBe("/t/keepalived.blue_one.data");
  expect(path({ useInstance: true, state: "plain" }, { instance: "one" })).toBe("/t/plain.one");
  expect(path({ useInstance: true })).toBe("/t/keepalived.data");
  expect(path({ useInstance: true }, names, "stats")).toBe("/t/keepalived.stats");
});

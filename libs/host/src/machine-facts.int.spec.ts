import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readConfigFile } from "./config-file.ts";
import { machineFacts } from "./machine-facts.ts";
import { readConfiguration } from "./read-configuration.ts";

const root = mkdtempSync(join(tmpdir(), "baton-facts-"));
afterAll(() => rmSync(root, { recursive: true }));
const put = (name: string, text = "", mode = 0o644): string => {
  const path = join(root, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

test("files are told apart by what is wrong with them", () => {
  expect(readConfigFile(put("f/ok.conf", "text"))).toEqual({ octets: Buffer.from("text") });
  expect(readConfigFile(put("f/run.conf", "text", 0o755))).toMatchObject({ kind: "executable" });
  expect(readConfigFile(join(root, "f"))).toMatchObject({ kind: "directory" });
  expect(readConfigFile(join(root, "f/none"))).toMatchObject({ kind: "missing" });
  expect(readConfigFile("/dev/null")).toMatchObject({ kind: "unreadable" });
});

test("programs, interfaces, users and groups are looked up on this machine", () => {
  const facts = machineFacts({ PATH: `${root}/nowhere:/usr/bin:/bin` });
  expect(facts.executable?.("sh")).toBe(true);
  expect(facts.executable?.("/bin/sh")).toBe(true);
  expect(facts.executable?.("[[")).toBe(false);
  expect(facts.executable?.(put("plain"))).toBe(false);
  expect(facts.executable?.("/bin")).toBe(false);
  expect(facts.interfaceExists?.("lo")).toBe(true);
  expect(facts.interfaceExists?.("nosuch0")).toBe(false);
  expect(facts.userExists?.("root")).toBe(true);
  expect(facts.userExists?.("no-such-user-here")).toBe(false);
  expect(facts.groupExists?.("root")).toBe(true);
  expect(facts.groupExists?.("no-such-group-here")).toBe(false);
});

test("names of numbers and kinds of interfaces are this machine's", () => {
  const facts = machineFacts({});
  expect(facts.numberOfName?.("protocols", "udp")).toBe(17);
  expect(facts.numberOfName?.("rt_tables", "no-such-table-here")).toBeUndefined();
  expect(facts.linkKind?.("lo")).toBe("");
  expect(facts.linkKind?.("nosuch0")).toBeUndefined();
});

test("a script that somebody else can write is insecure when it runs as root", () => {
  const weakness = (path: string, user?: string) => machineFacts({}).scriptWeakness?.(path, user);
  expect(weakness(put("s/good", "", 0o755))).toBeUndefined();
  const open = put("s/open", "", 0o777);
  expect(weakness(open)).toEqual({ path: open, reason: "everybody" });
  expect(weakness(open, "nobody")).toBeUndefined();
  const theirs = put("s/theirs", "", 0o755);
  chownSync(theirs, 65_534, 65_534);
  expect(weakness(theirs)).toEqual({ path: theirs, reason: "owner" });
  const groups = put("s/groups", "", 0o775);
  expect(weakness(groups)).toBeUndefined();
  chownSync(groups, 0, 65_534);
  expect(weakness(groups)).toEqual({ path: groups, reason: "group" });
});

test("the part of the path that makes it insecure is named, behind links too", () => {
  const inOpen = put("o/bin/script", "", 0o755);
  const weakness = (path: string, user?: string) => machineFacts({}).scriptWeakness?.(path, user);
  chmodSync(join(root, "o"), 0o777);
  const expected = { path: join(root, "o"), reason: "everybody" };
  expect(weakness(inOpen, undefined)).toEqual(expected);
  const link = put("s/link");
  rmSync(link);
  symlinkSync(inOpen, link);
  expect(weakness(link, "root")).toEqual(expected);
  chmodSync(join(root, "o"), 0o1777);
  expect(weakness(link, "root")).toBeUndefined();
});

test("a directory of the path that is a link", () => {
  const facts = machineFacts({});
  put("d/bin/script", "", 0o755);
  const link = join(root, "d/sbin");
  symlinkSync(join(root, "d/bin"), link);
  expect(facts.scriptWeakness?.(join(link, "script"), undefined)).toEqual({ path: link, reason: "link" });
  expect(facts.scriptWeakness?.(join(root, "d/bin/script"), undefined)).toBeUndefined();
});

test("an answer stays what it was for the rest of the configuration", () => {
  const facts = machineFacts({});
  const path = put("r/once");
  expect([facts.fileKind?.(path), facts.executable?.(path)]).toEqual(["file", false]);
  rmSync(path);
  expect([facts.fileKind?.(path), facts.executable?.(path)]).toEqual(["file", false]);
  expect(machineFacts({}).fileKind?.(path)).toBeUndefined();
});

test("what a path leads to", () => {
  const { fileKind } = machineFacts({});
  const file = put("k/file");
  symlinkSync(file, join(root, "k/link"));
  expect(["k", "k/file", "k/link", "k/none", "k/file/none"].map((name) => fileKind?.(join(root, name)))).toEqual([
    "directory",
    "file",
    "file",
    undefined,
    undefined,
  ]);
  expect(fileKind?.("/dev/null")).toBe("other");
});

test("both files are read; what is wrong with either is told with its place", () => {
  const file = put(
    "c/k.conf",
    "global_defs {\n  dynamic_interfaces\n}\nvrrp_instance VI_1 {\n  interface wan7\n  virtual_router_id 51\n  priority 100\n  virtual_ipaddress {\n    192.0.2.1/24\n  }\n}\n",
  );
  const good = readConfiguration({ file, settingsFile: put("c/baton.yaml", "metrics: { port: 0 }\n"), env: {} });
  expect(good.configuration?.config.instances.map(({ name }) => name)).toEqual(["VI_1"]);
  expect(good.configuration?.settings.metrics).toEqual({ host: "127.0.0.1", port: 0 });
  const bad = readConfiguration({ file, settingsFile: put("c/bad.yaml", "metrics: { port: -1 }\n"), env: {} });
  expect(bad).toMatchObject({ configuration: undefined, exitCode: 4, diagnostics: [{ line: 1, severity: "error" }] });
  const absent = readConfiguration({ file, settingsFile: join(root, "c/none.yaml"), env: {} });
  expect(absent).toMatchObject({ configuration: undefined, diagnostics: [{ code: "settings-unreadable" }] });
  expect(readConfiguration({ file: join(root, "c/none.conf"), env: {} })).toMatchObject({
    configuration: undefined,
    exitCode: 6,
  });
});

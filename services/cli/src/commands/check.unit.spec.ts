import type { ConfigurationResult } from "@baton/host/configuration";
import { exitCodeOf, type FileContent, isFatal, parseConfig } from "@baton/keepalived-conf";
import { expect, test } from "vitest";
import { pipe, type Screen } from "../rendering/screen.ts";
import { check } from "./check.ts";

const instance = (lines: string): string =>
  `vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  ${lines}\n  virtual_ipaddress {\n    192.0.2.1/24\n  }\n}\n`;

type Files = Readonly<Record<string, string>>;
type Options = Partial<Parameters<typeof check>[0]>;

function readFrom(files: Files, configId?: string): (file: string) => ConfigurationResult {
  const readFile = (path: string): FileContent => {
    const text = files[path];
    return text === undefined ? { error: "no such file", kind: "missing" } : { text };
  };
  return (file) => {
    const parsed = parseConfig({ file, readFile, configId, hostName: "r1", executable: () => true });
    const { config, diagnostics } = parsed;
    const settings = {} as NonNullable<ConfigurationResult["configuration"]>["settings"];
    const configuration = config === undefined || isFatal(diagnostics) ? undefined : { config, settings };
    return { configuration, diagnostics, exitCode: exitCodeOf(diagnostics), parsed };
  };
}

function run(files: Files, more: Options = {}, screen: Screen = pipe) {
  const said = { out: "", error: "" };
  const console = {
    out: (text: string) => {
      said.out += text;
    },
    error: (line: string) => {
      said.error += `${line}\n`;
    },
  };
  const options = { files: ["k.conf"], peers: [], peerIds: [], strict: false, lint: true, json: false, ...more };
  const read = readFrom(files);
  const readPeer = (file: string, id: string | undefined) => readFrom(files, id)(file).parsed;
  const code = check(options, { console, screen, read, readPeer, machineIn: () => ({}) });
  expect(said.error).toBe("");
  return { code, out: said.out };
}

test("a good file", () => {
  expect(run({ "k.conf": instance("priority 90") })).toEqual({ code: 0, out: "k.conf: good (1 VRRP instance)\n" });
});

test("one with a warning can be used, and its exit code is keepalived's", () => {
  const { code, out } = run({ "k.conf": instance("prioritee 90") });
  expect(code).toBe(5);
  expect(out).toMatch(
    /^k\.conf:4:3: warning: .*prioritee.*\n {2}hint: did you mean priority\?\nk\.conf: usable, with 1 warning \(1 VRRP instance\); exit code 5, as keepalived -t\n$/,
  );
});

test("one that cannot be used, and one that is not there", () => {
  const { code, out } = run({ "k.conf": instance("").replace("virtual_router_id", "#") });
  expect(code).toBe(5);
  expect(out).toMatch(/: error: .*\[vrid-missing\]\n.*\nk\.conf: cannot be used: 1 error, 1 warning; exit code 5\n$/);
  expect(run({})).toMatchObject({
    code: 6,
    out: expect.stringMatching(/^k\.conf: error: .*\nk\.conf: cannot be used: 1 error; exit code 6\n$/),
  });
});

test("one that asks for nothing is not called good or usable", () => {
  const { code, out } = run({ "k.conf": "global_defs {\n  router_id r1\n}\n" });
  expect(code).toBe(0);
  expect(out).toMatch(/\nk\.conf: configures nothing, with 1 warning\n$/);
});

test("--strict fails for what lint warns of; without it, it is told", () => {
  const files = { "k.conf": instance("priority 100"), "peer.conf": instance("priority 100") };
  const warned = run(files, { peers: ["peer.conf"] });
  expect(warned).toMatchObject({ code: 0, out: expect.stringContaining("[lint/equal-priorities]") as unknown });
  expect(run(files, { peers: ["peer.conf"], strict: true })).toMatchObject({
    code: 5,
    out: expect.stringContaining("; warnings fail (--strict); exit code 5\n") as unknown,
  });
  expect(run(files, { peers: ["peer.conf"], strict: true, lint: false }).code).toBe(0);
  expect(run(files, { strict: true }).code).toBe(0);
});

test("another node of the set may have the same file", () => {
  const files = { "k.conf": instance("@r1 priority 100\n@r2 priority 100") };
  const { code, out } = run(files, { peerIds: ["r2"] });
  expect(code).toBe(0);
  expect(out).toContain("VI_1 has priority 100, and so has VI_1 of k.conf as node r2");
  expect(run(files, { peerIds: ["r3"] }).out).toContain("VI_1 of k.conf as node r3");
  expect(run({ "k.conf": instance("@r1 priority 100\n@r2 priority 90") }, { peerIds: ["r2"] }).out).not.toContain(
    "lint/",
  );
});

test("several files are one set; the highest exit code counts", () => {
  const files = { "a.conf": instance("priority 100"), "b.conf": instance("priority 100\n  bogus"), "c.conf": "" };
  const { code, out } = run(files, { files: ["a.conf", "b.conf"] });
  expect(code).toBe(5);
  expect(out).toMatch(
    /^a\.conf:4:3: warning: .*b\.conf.*\na\.conf: usable.*b\.conf:4:3: warning: .*a\.conf.*\nb\.conf: usable/s,
  );
  expect(run(files, { files: ["a.conf", "./a.conf"], peers: ["a.conf"] }).code).toBe(0);
});

test("as JSON: one object for each file, every member there, nothing beside it", () => {
  const files = { "a.conf": instance("prioritee 90"), "b.conf": "vrrp_instance X {\n}\n" };
  const { code, out } = run(files, { files: ["a.conf", "b.conf"], json: true });
  const reports = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { diagnostics: object[] });
  expect(code).toBe(5);
  expect(reports).toMatchObject([
    { file: "a.conf", usable: true, exitCode: 5 },
    { file: "b.conf", usable: false, exitCode: 5 },
  ]);
  expect(reports[0]?.diagnostics[0]).toEqual({
    file: "a.conf",
    line: 4,
    column: 3,
    severity: "warning",
    code: "unknown-keyword",
    errorClass: "unknown-keyword",
    message: expect.stringContaining("prioritee") as unknown,
    text: "prioritee",
    used: null,
    hint: "did you mean priority?",
  });
});

test("on a terminal: the line, a mark under what is meant, and the same complaint once", () => {
  const screen = { ...pipe, columns: 80 };
  const { out } = run({ "k.conf": instance("prioritee 90\n  prioritee 91") }, {}, screen);
  expect(out).toMatch(
    / {2}4 \| {3}prioritee 90\n {4}\| {3}\^{9}\n {2}hint: did you mean priority\?\n {2}also: line 5\n\nk\.conf: usable/,
  );
});

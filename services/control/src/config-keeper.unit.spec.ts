import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSettings, readSnapshot, type Settings } from "@baton/host";
import { createTestHost, type TestHost } from "@baton/host/testing";
import { type Config, changeSentences, type Diagnostic } from "@baton/keepalived-conf";
import { config as exampleConfig, diagnostic as exampleDiagnostic, globalConfig } from "@baton/keepalived-conf/testing";
import { afterEach, expect, test } from "vitest";
import { ConfigKeeper, type Loaded, settingsChanges } from "./config-keeper.ts";

const config = (routerId: string): Config => exampleConfig({ global: globalConfig({ routerId }) });
const settings: Settings = { ...defaultSettings, metrics: undefined };
const diagnostic = (severity: Diagnostic["severity"], message: string): Diagnostic =>
  exampleDiagnostic({ severity, message });
const good = (routerId: string, diagnostics: readonly Diagnostic[] = []): Loaded => ({
  ok: true,
  config: config(routerId),
  settings,
  diagnostics,
});

const told: string[] = [];
const directories: string[] = [];
afterEach(() => {
  told.length = 0;
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});
function hostOf(): TestHost {
  const directory = mkdtempSync(join(tmpdir(), "baton-control-"));
  directories.push(directory);
  return createTestHost({ service: "control", env: { runDir: directory, stateDir: directory } });
}

function keeperOf(host: TestHost, loads: Loaded[]): ConfigKeeper {
  return new ConfigKeeper({
    host,
    file: "k.conf",
    load: async () => loads.shift() ?? Promise.reject(new Error("no file")),
    format: ({ severity, message }) => `${severity}: ${message}`,
    onEvent: (envelope) => told.push(envelope.event.type),
    wallTime: () => "2026-01-01T00:00:00Z",
  });
}
const dataOf = (host: TestHost) => host.appended.map(({ event }) => event);

test("a changed configuration is a new generation on disk, an unchanged one is not", async () => {
  const host = hostOf();
  const keeper = keeperOf(host, [good("a", [diagnostic("warning", "w")]), good("a"), good("b")]);
  expect(await keeper.apply()).toMatchObject({ ok: true, snapshot: { generation: 1 } });
  const first = await readSnapshot(host.env.stateDir);
  expect(await keeper.apply()).toMatchObject({ ok: true, snapshot: { generation: 1 }, changes: [] });
  expect(await readSnapshot(host.env.stateDir)).toEqual(first);
  expect(await keeper.apply()).toMatchObject({ snapshot: { generation: 2 }, changes: ["global: router_id a → b"] });
  expect(await readSnapshot(host.env.stateDir)).toMatchObject({ generation: 2, config: { global: { routerId: "b" } } });
  expect(dataOf(host)).toMatchObject([
    { type: "config-applied", data: { generation: 1, warnings: 1, changes: [] } },
    { type: "config-applied", data: { generation: 1, warnings: 0, changes: [] } },
    { type: "config-applied", data: { generation: 2, changes: ["global: router_id a → b"] } },
  ]);
  expect(host.lines).toMatchObject([{ level: "warn", message: "warning: w" }]);
});

test("the generation goes on across restarts", async () => {
  const host = hostOf();
  await keeperOf(host, [good("a")]).apply();
  expect(await keeperOf(host, [good("a")]).apply()).toMatchObject({ snapshot: { generation: 1 } });
  expect(await keeperOf(host, [good("b")]).apply()).toMatchObject({ snapshot: { generation: 2 } });
  expect(await keeperOf(host, []).resume()).toMatchObject({ generation: 2 });
});

test("what is rejected changes nothing and is told with its errors", async () => {
  const host = hostOf();
  const bad: Loaded = { ok: false, exitCode: 2, diagnostics: [diagnostic("error", "e"), diagnostic("warning", "w")] };
  const keeper = keeperOf(host, [good("a"), bad]);
  await keeper.apply();
  const before = await readSnapshot(host.env.stateDir);
  expect(await keeper.apply()).toMatchObject({ ok: false, exitCode: 2 });
  expect(await readSnapshot(host.env.stateDir)).toEqual(before);
  expect(keeper.snapshot?.generation).toBe(1);
  expect(told).toEqual(["config-applied", "config-rejected"]);
  expect(dataOf(host)[1]).toEqual({ type: "config-rejected", data: { file: "k.conf", errors: ["error: e"] } });
});

test("a broken snapshot is replaced by a generation above all earlier ones", async () => {
  const host = hostOf();
  await keeperOf(host, [good("a")]).apply();
  await keeperOf(host, [good("b")]).apply();
  writeFileSync(join(host.env.stateDir, "snapshot.json"), "{");
  expect(await keeperOf(host, [good("b")]).apply()).toMatchObject({ snapshot: { generation: 3 } });
  expect(host.lines.at(-1)?.message).toContain("cannot be read");
});

test("overlapping reloads wait for each other, and one that throws does not stop the next", async () => {
  const host = hostOf();
  const keeper = keeperOf(host, [good("a"), good("b")]);
  const runs = await Promise.allSettled([keeper.apply(), keeper.apply(), keeper.apply()]);
  expect(runs.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  expect(keeper.snapshot?.generation).toBe(2);
});

test("changes of baton.yaml are told, with when they take effect", () => {
  expect(settingsChanges(settings, settings)).toEqual([]);
  const metrics = { host: "127.0.0.1", port: 1 };
  const hub = { url: "nats://hub", user: "r1", password: "sesame" };
  const changes = settingsChanges(settings, { ...settings, metrics, hub, trackVirtualServers: [] });
  expect(changeSentences(changes)).toEqual([
    "baton.yaml: hub added; takes effect at the next start of the node",
    "baton.yaml: metrics added",
    "baton.yaml: track_virtual_servers added",
  ]);
  expect(JSON.stringify(changes)).not.toMatch(/sesame|nats:/);
});

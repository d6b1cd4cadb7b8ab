import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@baton/event-log/testing";
import type { Config } from "@baton/keepalived-conf";
import { configOf } from "@baton/keepalived-conf/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type OwnedConfigSource, openConfigSource } from "./config-source.ts";
import { paths } from "./env.ts";
import { readSnapshot, SnapshotReader, snapshotHash, writeSnapshot } from "./snapshot.ts";
import { exampleSnapshot } from "./testing/example-snapshot.ts";

let directory = "";
const problems: string[] = [];
const opened: OwnedConfigSource[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-config-"));
  problems.length = 0;
});
afterEach(() => {
  for (const source of opened.splice(0)) source.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(stateDir = directory, followControl?: (changed: () => void) => { close(): void }): OwnedConfigSource {
  const onProblem = (_message: string, error: unknown) => problems.push(String(error));
  const source = openConfigSource({ stateDir, onProblem, followControl });
  opened.push(source);
  return source;
}

test("the first configuration is waited for, also in a directory that comes later", async () => {
  const later = join(directory, "later");
  const waiting = open(later).current();
  const { mkdirSync } = await import("node:fs");
  mkdirSync(later);
  await writeSnapshot(later, exampleSnapshot(1));
  expect(await waiting).toEqual(exampleSnapshot(1));
});

test("a damaged file is told once; the last configuration stays, and the next good one comes", async () => {
  await writeSnapshot(directory, exampleSnapshot(1));
  const source = open();
  await source.current();
  const generations: number[] = [];
  source.onChange(({ generation }) => generations.push(generation));
  for (const text of ["{", "{", '{"generation":7}']) {
    const before = problems.length;
    // As an atomic replacement: a file is never seen half written.
    writeFileSync(join(directory, "aside"), text);
    renameSync(join(directory, "aside"), paths.snapshot(directory));
    if (before === 0 || text !== "{") await until("the problem", () => problems.length > before);
  }
  expect(problems).toHaveLength(2);
  expect((await source.current()).generation).toBe(1);
  await writeSnapshot(directory, exampleSnapshot(2));
  await until("generation 2", () => generations.length === 1);
});

test("control's word is enough, without any news from the directory", async () => {
  // A directory that does not exist yet cannot be watched: nothing but control's word and the slow poll is left.
  const later = join(directory, "later");
  let changed = (): void => undefined;
  const source = open(later, (tell) => {
    changed = tell;
    return { close: () => undefined };
  });
  const { mkdirSync } = await import("node:fs");
  mkdirSync(later);
  await writeSnapshot(later, exampleSnapshot(1));
  changed();
  await source.current();
  await writeSnapshot(later, exampleSnapshot(2));
  changed();
  // Sooner than the next poll.
  await until("generation 2", async () => (await source.current()).generation === 2, 1_500);
});

test("a snapshot that cannot be written leaves the old one, and no rubbish", async () => {
  await writeSnapshot(directory, exampleSnapshot(1));
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const broken = { ...exampleSnapshot(2), settings: circular } as unknown as ReturnType<typeof exampleSnapshot>;
  await expect(writeSnapshot(directory, broken)).rejects.toThrow(/cannot write/);
  expect(await readSnapshot(directory)).toEqual(exampleSnapshot(1));
  expect(readdirSync(directory)).toEqual(["snapshot.json"]);
  await expect(writeSnapshot(join(directory, "none"), exampleSnapshot(2))).rejects.toThrow(/cannot write/);
  expect(existsSync(join(directory, "none"))).toBe(false);
});

test("of the next snapshot what is as before is the same object; to everybody else the file is JSON", async () => {
  const text = (weight: number): string =>
    [1, 2, 3]
      .map(
        (host) =>
          `virtual_server 192.0.2.${host} 80 {\nprotocol TCP\nvirtualhost "\\"virtualServers\\":[]"\nreal_server 10.0.0.1 80 {\nweight ${host === 2 ? weight : 1}\n}\n}\n`,
      )
      .join("");
  const reader = new SnapshotReader();
  const written = async (generation: number, config: Config): Promise<Config | undefined> => {
    const snapshot = { ...exampleSnapshot(generation), config };
    await writeSnapshot(directory, snapshot);
    const plain: unknown = JSON.parse(readFileSync(paths.snapshot(directory), "utf8"));
    const read = await reader.read(directory);
    expect(read).toEqual(plain);
    expect(plain).toEqual(JSON.parse(JSON.stringify(snapshot)));
    return read?.config;
  };
  const before = await written(1, configOf(text(1)));
  const after = await written(2, configOf(text(7)));
  const same = after?.virtualServers.map((each, at) => each === before?.virtualServers[at]);
  expect(same).toEqual([true, false, true]);
  expect(await written(3, configOf("global_defs {\nrouter_id r1\n}\n"))).toMatchObject({ virtualServers: [] });
});

test("equal configurations have equal hashes, whatever the order of their members", () => {
  const { config, settings, hash } = exampleSnapshot(1);
  const turned = Object.fromEntries(Object.entries(config).reverse()) as unknown as typeof config;
  expect(snapshotHash(turned, settings)).toBe(hash);
  expect(exampleSnapshot(2).hash).not.toBe(hash);
});

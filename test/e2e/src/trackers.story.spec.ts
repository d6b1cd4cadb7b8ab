// A file and a process decide who is master, and the events say so from the cause on.
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LabProcess } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isType, labFor, masterConf, type Pair, startPair, stopPair } from "./pair.ts";

const lab = labFor("track", { beforeAll, afterAll });
const folder = mkdtempSync(join(tmpdir(), "baton-trackers-"));
const held: { pair?: Pair; program?: LabProcess } = {};
afterEach(async () => {
  await stopPair(held.pair);
  await held.program?.kill();
  delete held.pair;
  delete held.program;
});
afterAll(() => rmSync(folder, { recursive: true }));

test("track_file: a number takes the priority away, and gives it back", async () => {
  const file = join(folder, "drain");
  const before = `track_file drain {\n  file ${file}\n  weight 1\n  init_file 0\n}`;
  const pair = await startPair(lab.get(), { r1: masterConf({ before, instance: "track_file {\n drain\n }" }) });
  held.pair = pair;
  const probing = await pair.probe();

  writeFileSync(file, "-50\n");
  await pair.r2.waitState("master");
  await pair.r1.waitState("backup");
  const changed = await pair.event(pair.r1, ({ event }) => event.type === "file-changed", "file-changed");
  const lowered = await pair.event(pair.r1, isType("priority-changed"), "priority-changed");
  expect(lowered.causationId).toBe(changed.id);
  expect(lowered.event.data).toMatchObject({ from: 101, to: 51, tracker: "drain" });
  const backup = await pair.event(pair.r1, isType("became-backup"), "became-backup");
  expect(backup.correlationId).toBe(changed.correlationId);
  expect((await pair.r1.status()).trackers).toMatchObject([
    { kind: "file", name: "drain", status: "read", value: -50 },
  ]);

  rmSync(file);
  await pair.r1.waitState("master");
  await probing.waitAnswered("r1");
  expect((await probing.stop()).lost).toBe(0);
});

test("vrrp_track_process: the master whose process dies is in fault at once", async () => {
  const name = `bt${process.pid}t`;
  const program = join(folder, name);
  copyFileSync("/bin/sleep", program);
  chmodSync(program, 0o755);
  const start = () => lab.get().router("r1").spawn("web", [program, "1000"]);
  const first = await start();
  held.program = first;
  const before = `vrrp_track_process web {\n  process ${name}\n}`;
  const pair = await startPair(lab.get(), { r1: masterConf({ before, instance: "track_process {\n web\n }" }) });
  held.pair = pair;

  await first.kill();
  await pair.r2.waitState("master");
  await pair.r1.waitState("fault");
  const lost = await pair.event(pair.r1, ({ event }) => event.type === "process-quorum-lost", "process-quorum-lost");
  const fault = await pair.event(pair.r1, isType("entered-fault"), "entered-fault");
  expect(fault.event.data).toMatchObject({ causes: ["tracker-down:web"] });
  expect(fault.correlationId).toBe(lost.correlationId);

  held.program = await start();
  await pair.r1.waitState("master");
});

test("a health service that hangs: what it said stands and is called stale, and nothing moves", async () => {
  const file = join(folder, "steady");
  const before = `track_file steady {\n  file ${file}\n  weight 1\n  init_file 0\n}`;
  const pair = await startPair(lab.get(), { r1: masterConf({ before, instance: "track_file {\n steady\n }" }) });
  held.pair = pair;
  const { r1 } = pair;
  const probing = await pair.probe();

  r1.stopService("health");
  const stale = await pair.event(r1, ({ event }) => event.type === "tracker-stale", "tracker-stale");
  expect(stale.event.data).toEqual({ instance: "VI_1", vrid: 51, kind: "file", tracker: "steady" });
  expect((await r1.status()).instances).toMatchObject([{ state: "master", staleTrackers: ["file:steady"] }]);
  r1.continueService("health");
  await pair.event(r1, ({ event }) => event.type === "tracker-fresh", "tracker-fresh");
  expect((await r1.status()).instances).toMatchObject([{ state: "master", staleTrackers: [] }]);
  const report = await probing.stop();
  expect(report.reigns.map(({ by }) => by)).toEqual(["r1"]);
});

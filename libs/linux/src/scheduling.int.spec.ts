import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { setAffinity, setNiceness, setOomScoreAdjust, setRealtime } from "./scheduling.ts";

const door = new URL("../dist/mod.js", import.meta.url).href;
// policy and rt_priority are fields 41 and 40 of /proc/<pid>/stat.
const policyOf = (stat: string) =>
  stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(37, 39)
    .map(Number);

test("real-time is for this thread alone: neither workers nor children have it", async () => {
  // In a worker, so that the test process itself stays as it was.
  const source = `
    import { parentPort } from "node:worker_threads";
    import { readFileSync } from "node:fs";
    import { execFileSync } from "node:child_process";
    import { setRealtime } from ${JSON.stringify(door)};
    const permitted = setRealtime(10);
    parentPort.postMessage({
      permitted,
      own: readFileSync("/proc/thread-self/stat", "utf8"),
      child: execFileSync("cat", ["/proc/self/stat"], { encoding: "utf8" }),
    });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const answer = await new Promise<{ permitted: boolean; own: string; child: string }>((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  await worker.terminate();
  expect(answer.permitted).toBe(true);
  expect(policyOf(answer.own)).toEqual([10, 2]);
  expect(policyOf(answer.child)).toEqual([0, 0]);
  expect(policyOf(readFileSync("/proc/thread-self/stat", "utf8"))).toEqual([0, 0]);
});

test("the out-of-memory killer is told, and a refusal is not taken for a success", () => {
  // In a process of its own: where lowering is not permitted, a raised score stays.
  const source = `
    import { readFileSync } from "node:fs";
    import { setOomScoreAdjust } from ${JSON.stringify(door)};
    const score = () => Number(readFileSync("/proc/self/oom_score_adj", "utf8"));
    const raised = setOomScoreAdjust(500);
    const between = score();
    console.log(JSON.stringify({ raised, between, lowered: setOomScoreAdjust(-1000), after: score() }));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8" });
  const { raised, between, lowered, after } = JSON.parse(output);
  expect([raised, between]).toEqual([true, 500]);
  expect([lowered, after]).toEqual(lowered ? [true, -1000] : [false, 500]);
});

test("without permission both say so, and nonsense is refused", () => {
  const uid = process.geteuid?.() ?? 0;
  process.seteuid?.(65_534);
  try {
    expect(setRealtime(10)).toBe(false);
    expect(setOomScoreAdjust(-1000)).toBe(false);
    expect(setNiceness(-5)).toBe(false);
  } finally {
    process.seteuid?.(uid);
  }
  expect(() => setRealtime(0)).toThrow("1 to 99");
  expect(() => setOomScoreAdjust(-2000)).toThrow("-1000 to 1000");
});

test("niceness, processors and the name are the whole process's", () => {
  // In a process of its own, with a worker: its threads are there before.
  const source = `
    import { readdirSync, readFileSync } from "node:fs";
    import { Worker } from "node:worker_threads";
    import { getPriority } from "node:os";
    import * as linux from ${JSON.stringify(door)};
    const worker = new Worker("setInterval(() => 0, 1000)", { eval: true });
    await new Promise((resolve) => worker.on("online", resolve));
    const tids = () => readdirSync("/proc/self/task").map(Number);
    const distinct = (values) => [...new Set(values)];
    const all = linux.allowedProcessors();
    const done = [linux.setNiceness(7), linux.setAffinity([all[0]]), linux.setAffinity([1000])];
    linux.setProcessName("btnamed");
    const list = (tid) => /Cpus_allowed_list:\\s*(.*)/.exec(readFileSync("/proc/self/task/" + tid + "/status", "utf8"))[1];
    console.log(JSON.stringify({
      done, threads: tids().length, niceness: distinct(tids().map((tid) => getPriority(tid))), bound: distinct(tids().map(list)),
      first: String(all[0]), name: linux.processName(), back: linux.setAffinity(all) && linux.allowedProcessors().join() === all.join(),
    }));
    process.exit(0);`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8" });
  const { threads, first, ...found } = JSON.parse(output);
  expect(threads).toBeGreaterThan(2);
  expect(found).toEqual({ done: [true, true, false], niceness: [7], bound: [first], name: "btnamed", back: true });
  expect(() => setNiceness(20)).toThrow("-20 to 19");
  expect(() => setAffinity([])).toThrow("from 0 up");
  expect(() => setAffinity([-1])).toThrow("from 0 up");
});

test("real-time ends when it is taken back", () => {
  const source = `
    import { readFileSync } from "node:fs";
    import { setOrdinary, setRealtime } from ${JSON.stringify(door)};
    const stat = () => readFileSync("/proc/self/stat", "utf8");
    setRealtime(12);
    const during = stat();
    setOrdinary();
    console.log(JSON.stringify([during, stat()]));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8" });
  expect((JSON.parse(output) as string[]).map(policyOf)).toEqual([
    [12, 2],
    [0, 0],
  ]);
});

import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@baton/event-log/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lineSinkLimits, openLineSink, writeWithoutWaiting } from "./line-sink.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-lines-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("lines arrive in a file, in order, each whole", async () => {
  const path = join(directory, "log");
  const descriptor = openSync(path, "w");
  const sink = openLineSink(descriptor);
  const lines = Array.from({ length: 1_000 }, (_, i) => JSON.stringify({ i, text: "ü".repeat(100) }));
  for (const line of lines) sink.write(line);
  await sink.drain(5_000);
  sink.writeNow(["last"]);
  closeSync(descriptor);
  expect(readFileSync(path, "utf8")).toBe(`${lines.join("\n")}\nlast\n`);
  expect(sink.dropped).toBe(0);
});

test.each([
  ["blocks", 0],
  ["says EAGAIN", constants.O_NONBLOCK],
])(
  "a pipe that nobody reads and that %s: the queue is bounded, drops are counted, nobody waits",
  async (_how, flags) => {
    const path = join(directory, "pipe");
    expect(spawnSync("mkfifo", [path]).status).toBe(0);
    // Both ends, so that neither open waits for the other.
    const readEnd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const writeEnd = openSync(path, constants.O_WRONLY | flags);
    const sink = openLineSink(writeEnd);
    const line = "x".repeat(1_000);
    for (let i = 0; i < lineSinkLimits.queuedMax * 2; i++) sink.write(line);
    await sink.drain(50);
    expect(sink.dropped).toBeGreaterThan(0);
    const before = sink.dropped;
    // Somebody reads again: lines go on, whole ones.
    const reader = spawn("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    let got = "";
    reader.stdout.on("data", (chunk: Buffer) => {
      got += chunk.toString();
    });
    await until("the lines that were kept", () => got.split("\n").length > 1_000);
    sink.write("the last one");
    await until("a new line", () => got.includes("the last one\n"));
    await sink.drain(5_000);
    expect(new Set(got.split("\n").map((each) => each.length))).toEqual(new Set([1_000, 12, 0]));
    expect(sink.dropped).toBe(before);
    reader.kill();
    closeSync(writeEnd);
    closeSync(readEnd);
  },
);

test("a pipe whose reader is gone loses lines, and that is counted", async () => {
  const path = join(directory, "pipe");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  closeSync(readEnd);
  const sink = openLineSink(writeEnd);
  for (let i = 0; i < 10; i++) sink.write("nobody hears this");
  await sink.drain(5_000);
  sink.writeNow(["nor this"]);
  expect(sink.dropped).toBe(11);
  closeSync(writeEnd);
});

test("the last resort writes to a file's end, and gives up where it would have to wait", () => {
  const file = join(directory, "log");
  const descriptor = openSync(file, "a");
  openLineSink(descriptor).writeNow(["first"]);
  expect(writeWithoutWaiting(descriptor, "second")).toBe(true);
  expect(readFileSync(file, "utf8")).toBe("first\nsecond\n");
  closeSync(descriptor);
  const path = join(directory, "pipe");
  expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const readEnd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  const line = "x".repeat(4_095);
  const written = Array.from({ length: 100 }, () => writeWithoutWaiting(writeEnd, line));
  expect(written[0]).toBe(true);
  expect(written.at(-1)).toBe(false);
  closeSync(writeEnd);
  closeSync(readEnd);
});

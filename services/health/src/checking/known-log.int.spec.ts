import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { limits, openKnownLog } from "./known-log.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-known-"));
afterAll(() => rmSync(folder, { recursive: true }));

function open(name: string, freshMillis = 60_000) {
  const problems: string[] = [];
  const path = join(folder, name);
  const log = openKnownLog({ path, freshMillis, onProblem: (reason) => problems.push(reason) });
  return { path, problems, log, read: () => readFileSync(path, "utf8") };
}

test("what is written is there at once, for the next process too; until it is written anew, or forgotten", () => {
  const { log, read } = open("a");
  expect(log.found).toBeUndefined();
  log.append(["lost: nothing has begun"]);
  log.replace(["head", "one"]);
  log.append(["two", "three"]);
  log.append([]);
  expect(read()).toBe("head\none\ntwo\nthree\n");
  const next = open("a").log;
  expect(next.found).toBe("head\none\ntwo\nthree\n");
  next.replace(["head"]);
  next.append(["four"]);
  expect(read()).toBe("head\nfour\n");
  next.forget();
  next.append(["five"]);
  expect(readdirSync(folder)).toEqual([]);
});

test("what nobody has confirmed for too long is not found", () => {
  const { path, log } = open("old");
  log.replace(["known"]);
  const then = new Date(Date.now() - 60_000);
  utimesSync(path, then, then);
  expect(open("old", 30_000).log.found).toBeUndefined();
  expect(open("old", 90_000).log.found).toBe("known\n");
  log.forget();
});

test("it is long when it has grown by more than it was, and by enough to matter", () => {
  const { log } = open("long");
  log.replace(["x"]);
  log.append(["y".repeat(limits.bytesWorthIt - 2)]);
  expect(log.isLong()).toBe(false);
  log.append(["z"]);
  expect(log.isLong()).toBe(true);
  log.replace(["x".repeat(2 * limits.bytesWorthIt)]);
  log.append(["y".repeat(limits.bytesWorthIt + 1)]);
  expect(log.isLong()).toBe(false);
  log.forget();
});

test("what cannot be written is said once, and tried again when it is written anew", () => {
  const { path, problems, log, read } = open("c");
  mkdirSync(path);
  log.replace(["one"]);
  log.replace(["two"]);
  expect(problems).toHaveLength(1);
  rmSync(path, { recursive: true });
  log.replace(["three"]);
  expect(read()).toBe("three\n");
  expect(readdirSync(folder)).toEqual(["c"]);
  log.forget();
});

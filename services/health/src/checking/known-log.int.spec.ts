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

test("it is worn when it has grown by more than it was, and by enough to matter", () => {
  const { log } = open("long");
  log.replace(["x"]);
  log.append(["y".repeat(limits.bytesWorthIt - 2)]);
  expect(log.isWorn()).toBe(false);
  log.append(["z"]);
  expect(log.isWorn()).toBe(true);
  log.replace(["x".repeat(2 * limits.bytesWorthIt)]);
  log.append(["y".repeat(limits.bytesWorthIt + 1)]);
  expect(log.isWorn()).toBe(false);
  log.forget();
});

test("what cannot be written is said once; nothing older stays in its place, and the next try makes it good", () => {
  const earlier = open("c");
  earlier.log.replace(["of an earlier process"]);
  const { path, problems, log, read } = open("c");
  mkdirSync(join(`${path}.new`, "in the way"), { recursive: true });
  log.replace(["one"]);
  log.append(["two"]);
  log.replace(["three"]);
  expect([problems.length, log.isWorn()]).toEqual([1, true]);
  expect(read).toThrow(/ENOENT/);
  rmSync(`${path}.new`, { recursive: true });
  log.replace(["four"]);
  log.append(["five"]);
  expect(log.isWorn()).toBe(false);
  expect(read()).toBe("four\nfive\n");
  expect(readdirSync(folder)).toEqual(["c"]);
  for (const each of [earlier.log, log]) each.forget();
});

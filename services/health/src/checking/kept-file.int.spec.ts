import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { openKeptFile } from "./kept-file.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-kept-"));
afterAll(() => rmSync(folder, { recursive: true }));

function open(name: string) {
  const problems: string[] = [];
  const path = join(folder, name);
  return { path, problems, file: openKeptFile({ path, onProblem: (reason) => problems.push(reason) }) };
}

test("many changes are one text, and the next process finds it", async () => {
  const { path, file } = open("a");
  expect(file.found).toBeUndefined();
  let made = 0;
  for (let change = 1; change <= 100; change++)
    file.changed(() => {
      made++;
      return `change ${change}`;
    });
  await vi.waitFor(() => expect(readFileSync(path, "utf8")).toBe("change 100"));
  expect(made).toBe(1);
  await file.save(() => "asked for");
  expect(open("a").file.found).toBe("asked for");
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("what cannot be written is said once, and tried again until it is", async () => {
  const { path, problems, file } = open("c");
  mkdirSync(path);
  expect(await file.save(() => "one")).toBe(false);
  expect(await file.save(() => "two")).toBe(false);
  expect(problems).toHaveLength(1);
  rmSync(path, { recursive: true });
  await vi.waitFor(() => expect(readFileSync(path, "utf8")).toBe("two"), { timeout: 10_000 });
  rmSync(folder, { recursive: true });
  expect(await file.save(() => "three")).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("three");
  expect(readdirSync(folder)).toEqual(["c"]);
});

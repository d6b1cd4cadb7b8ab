import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { TellingRecord } from "./ledger.ts";
import { openToldStore, type ToldStore } from "./told-store.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-told-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "notifier", "told.jsonl");
const problems: string[] = [];
beforeEach(() => {
  problems.splice(0);
  rmSync(path, { force: true });
});
const store = () => openToldStore({ path, onUnreadable: (error) => void problems.push(error.message) });
const record: TellingRecord = { state: "MASTER", epoch: 1, version: 2, at: 3, mailed: undefined };
const lines = () => readFileSync(path, "utf8").trim().split("\n");

/** As the ledger does: one change, and everything with it. */
function save(to: ToldStore, all: Map<string, TellingRecord>, key: string, told: TellingRecord | undefined): void {
  if (told === undefined) all.delete(key);
  else all.set(key, told);
  to.save(new Map([[key, told]]), all);
}

test("nothing is told yet", () => {
  expect(store().load().size).toBe(0);
  expect(problems).toEqual([]);
});

test("what was told last is found by a successor, and by nobody else on the machine", () => {
  const [first, all] = [store(), new Map<string, TellingRecord>()];
  save(first, all, "VI_1", record);
  save(first, all, "gone", record);
  save(first, all, "VI 2", { ...record, mailed: "BACKUP" });
  save(first, all, "VI_1", { ...record, state: "FAULT", version: 4 });
  save(first, all, "gone", undefined);
  expect(lines().length).toBe(5);
  expect([...store().load()]).toEqual([
    ["VI_1", { ...record, state: "FAULT", version: 4 }],
    ["VI 2", { ...record, mailed: "BACKUP" }],
  ]);
  expect(problems).toEqual([]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a file of the past starts anew", () => {
  const [first, all] = [store(), new Map<string, TellingRecord>()];
  const lengths: number[] = [];
  for (let version = 1; version <= 300; version++) {
    save(first, all, `server ${version % 3}`, { ...record, state: "UP", version });
    lengths.push(lines().length);
  }
  expect(Math.max(...lengths)).toBe(256);
  expect([...store().load().values()].map(({ version }) => version).toSorted()).toEqual([298, 299, 300]);
});

test.each(["{", "[]", "1", '{"key":1}', '{"key":"VI_1","told":{"state":"KING"}}', '{"key":"VI_1","told":null}'])(
  "a line that is no record is said so, counts for nothing, and spoils no other: %s",
  (text) => {
    save(store(), new Map(), "VI_2", record);
    appendFileSync(path, text);
    const successor = store();
    const all = successor.load();
    expect([...all.keys()]).toEqual(["VI_2"]);
    expect(problems.length).toBe(1);
    save(successor, all, "VI_1", record);
    expect([...store().load().keys()]).toEqual(["VI_2", "VI_1"]);
  },
);

test("a file that cannot be read is said so", () => {
  const unreadable = openToldStore({ path: folder, onUnreadable: (error) => void problems.push(error.message) });
  expect(unreadable.load().size).toBe(0);
  expect(problems.length).toBe(1);
});

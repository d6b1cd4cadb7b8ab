import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import type { TellingRecord } from "./ledger.ts";
import { openToldStore } from "./told-store.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-told-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "notifier", "told.json");
const problems: string[] = [];
beforeEach(() => problems.splice(0));
const store = () => openToldStore({ path, onUnreadable: (error) => void problems.push(error.message) });
const record: TellingRecord = { state: "MASTER", epoch: 1, version: 2, at: 3, mailed: undefined };

test("nothing is told yet", () => {
  expect(store().load().size).toBe(0);
  expect(problems).toEqual([]);
});

test("what was told is found by a successor, and by nobody else on the machine", () => {
  store().save(
    new Map([
      ["VI_1", record],
      ["VI 2", { ...record, mailed: "BACKUP" }],
    ]),
  );
  expect([...store().load()]).toEqual([
    ["VI_1", record],
    ["VI 2", { ...record, mailed: "BACKUP" }],
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each(["", "{", "[]", '{"told":1}', '{"told":{"VI_1":{"state":"KING"}}}'])(
  "a file that is no record is said so and counts for nothing: %s",
  (text) => {
    writeFileSync(path, text);
    expect(store().load().size).toBe(0);
    expect(problems.length).toBe(1);
    store().save(new Map([["VI_1", record]]));
    expect(JSON.parse(readFileSync(path, "utf8")).told.VI_1.state).toBe("MASTER");
  },
);

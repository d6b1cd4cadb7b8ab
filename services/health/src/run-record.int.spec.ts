import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openRunRecord } from "./run-record.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-record-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("who goes after the end is still in the record, and the next process ends whoever is left", async () => {
  const path = join(folder, "running");
  const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
  const gone = once(child, "exit");
  const record = openRunRecord(path);
  const slot = record.slot();
  slot.hold(child.pid);
  record.close();
  slot.release();
  record.slot().hold(process.pid);
  const next = openRunRecord(path);
  expect(next.ended).toEqual([child.pid]);
  expect(await gone).toEqual([null, "SIGKILL"]);
  next.close();
});

import assert from "node:assert";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventEnvelope } from "@baton/domain";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Journal, openJournal, type Position, recoverVersions } from "./journal.ts";
import { eventSource } from "./testing/events.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-journal-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const open = (): Journal =>
  openJournal({
    directory,
    onError: (error) => {
      throw error;
    },
  });

function readAll(journal: Journal): EventEnvelope[] {
  const all: EventEnvelope[] = [];
  let position: Position = { ordinal: 0, byte: 0 };
  for (let chunk = journal.read(position); chunk !== undefined; chunk = journal.read(position)) {
    all.push(...chunk.envelopes);
    position = chunk.next;
  }
  return all;
}

const newest = (): string => join(directory, readdirSync(directory).sort().at(-1) ?? "");

test("what was appended is read back, also by the next process", async () => {
  const make = eventSource({ node: "r1", epoch: 7 });
  const events = [
    make("VI_1"),
    make("VI_2"),
    { ...make("VI_1"), traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` },
  ];
  const journal = open();
  journal.append(events);
  expect(readAll(journal)).toEqual(events);
  await journal.close();
  const next = open();
  expect(readAll(next)).toEqual(events);
  expect(Object.fromEntries(next.recovered.versions)).toEqual({ "vrrp/VI_1": 2, "vrrp/VI_2": 1 });
  expect(next.recovered).toMatchObject({ epoch: 7, damagedLines: 0 });
  await next.close();
});

test("reading goes on where it stopped, while events are being appended", async () => {
  const make = eventSource({ node: "r1" });
  const journal = open();
  journal.append([make("VI_1")]);
  const first = journal.read({ ordinal: 0, byte: 0 });
  const position = first?.next ?? { ordinal: 0, byte: 0 };
  expect(journal.read(position)).toBeUndefined();
  journal.append([make("VI_1")]);
  journal.rotate();
  journal.append([make("VI_1")]);
  const second = journal.read(position);
  expect(second?.envelopes.map((event) => event.version)).toEqual([2]);
  const third = journal.read(second?.next ?? position);
  expect(third?.envelopes.map((event) => event.version)).toEqual([3]);
  await journal.close();
});

test("files are private", async () => {
  const journal = open();
  expect(statSync(newest()).mode & 0o777).toBe(0o600);
  await journal.close();
});

test("the versions of an aggregate whose segments are all gone are still known", async () => {
  const make = eventSource({ node: "r1", epoch: 3 });
  const journal = open();
  journal.append([make("old"), make("old")]);
  journal.rotate();
  journal.append([make("new")]);
  journal.rotate();
  for (const { ordinal } of [...journal.segments()]) journal.remove(ordinal);
  await journal.close();
  expect(readdirSync(directory)).toHaveLength(1);
  const { epoch, versions } = recoverVersions(directory);
  expect(epoch).toBe(3);
  expect(Object.fromEntries(versions)).toEqual({ "vrrp/old": 2, "vrrp/new": 1 });
});

test("a segment grows to its limit and no further", async () => {
  const make = eventSource({ node: "r1" });
  const journal = open();
  const batch = Array.from({ length: 500 }, () => make("VI_1"));
  for (let i = 0; i < 8; i++) journal.append(batch);
  expect(journal.segments().length).toBeGreaterThan(1);
  expect(readAll(journal)).toHaveLength(4_000);
  await journal.close();
});

test.each([
  ["in the middle of a line", 40],
  ["just before its newline", 1],
])("a last line torn %s is told, and the events before it are there", async (_where, bytes) => {
  const make = eventSource({ node: "r1" });
  const journal = open();
  journal.append([make("VI_1"), make("VI_1"), make("VI_1")]);
  await journal.close();
  truncateSync(newest(), statSync(newest()).size - bytes);
  const { versions, damagedLines } = recoverVersions(directory);
  // A line that lacks nothing but its newline is whole.
  expect(versions.get("vrrp/VI_1")).toBe(bytes === 1 ? 3 : 2);
  expect(damagedLines).toBe(bytes === 1 ? 0 : 1);
  const next = open();
  next.append([{ ...make("VI_1"), version: 9 }]);
  expect(readAll(next).at(-1)?.version).toBe(9);
  await next.close();
});

test("a crash right after the creation of a segment falls back to the one before", async () => {
  const make = eventSource({ node: "r1", epoch: 5 });
  const journal = open();
  journal.append([make("VI_1")]);
  await journal.close();
  writeFileSync(join(directory, "000000000002.jsonl"), '{"baton":"outb');
  expect(recoverVersions(directory)).toMatchObject({ epoch: 5, damagedLines: 1 });
  const next = open();
  expect(next.recovered.versions.get("vrrp/VI_1")).toBe(1);
  await next.close();
});

test("damage in the middle costs the damaged lines only", async () => {
  const make = eventSource({ node: "r1" });
  const journal = open();
  journal.append([make("VI_1"), make("VI_1"), make("VI_1")]);
  await journal.close();
  const lines = readFileSync(newest(), "utf8").split("\n");
  lines[2] = "\0".repeat(100);
  lines.splice(3, 0, '{"id":"not an event"}', '["neither"]', '{"baton":"outbox","ordinal":"x"}');
  writeFileSync(newest(), lines.join("\n"));
  const next = open();
  expect(next.recovered.damagedLines).toBe(4);
  expect(readAll(next).map((event) => event.version)).toEqual([1, 3]);
  await next.close();
});

test("foreign files in the directory are left alone", async () => {
  writeFileSync(join(directory, "notes.txt"), "mine");
  const journal = open();
  journal.append([eventSource({ node: "r1" })("VI_1")]);
  await journal.close();
  appendFileSync(join(directory, "notes.txt"), "!");
  expect(recoverVersions(directory).versions.size).toBe(1);
});

test("a directory that does not exist has no versions", () => {
  expect(recoverVersions(join(directory, "none"))).toMatchObject({ epoch: 0, damagedLines: 0, end: "none" });
});

test("a stop, a killed process and a power cut are told apart", async () => {
  const make = eventSource({ node: "r1" });
  const live = async (boot: string, ...events: EventEnvelope[]) => {
    const journal = openJournal({ directory, boot, onError: assert.fail });
    journal.append(events);
    await journal.close();
  };
  const stopped = { type: "service-stopped", data: { service: "election", reason: "" } } as const;
  await live("boot 1", make("VI_1"), { ...make("election", "service"), event: stopped });
  expect(recoverVersions(directory, "boot 1").end).toBe("clean");
  expect(recoverVersions(directory, "boot 2").end).toBe("clean");
  await live("boot 2", make("VI_1"));
  expect(recoverVersions(directory, "boot 2").end).toBe("killed");
  expect(recoverVersions(directory, "boot 3").end).toBe("power-cut");
});

test("two journals in one directory do not overwrite each other", async () => {
  const make = eventSource({ node: "r1" });
  const first = open();
  const second = open();
  first.append([make("VI_1")]);
  second.append([make("VI_2")]);
  await Promise.all([first.close(), second.close()]);
  expect(Object.fromEntries(recoverVersions(directory).versions)["vrrp/VI_2"]).toBe(1);
  const third = open();
  expect(readAll(third)).toHaveLength(2);
  await third.close();
});

import assert from "node:assert";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventEnvelope } from "@baton/domain";
import { afterEach, beforeEach, expect, test } from "vitest";
import { limits, PublishError } from "./bus.ts";
import { type Journal, openJournal, recoverVersions } from "./journal.ts";
import { type Outbox, openOutboxOn, outboxLimits } from "./outbox.ts";
import { eventSource } from "./testing/events.ts";
import { type MemoryBus, openMemoryBus } from "./testing/memory-bus.ts";
import { until } from "./testing/until.ts";

let directory = "";
let now = 0;
const lost: string[] = [];
const problems: string[] = [];
const opened: Outbox[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-outbox-"));
  now = 0;
  lost.length = 0;
  problems.length = 0;
});
afterEach(async () => {
  for (const outbox of opened.splice(0)) await outbox.close();
  rmSync(directory, { recursive: true, force: true });
});

const disk = { full: false };
beforeEach(() => {
  disk.full = false;
});

/** A real journal on a disk that a test can fill. */
function openDisk(): Journal {
  const journal = openJournal({ directory, onError: (error) => problems.push(error.message) });
  return new Proxy(journal, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (name === "append" && disk.full) return () => assert.fail("ENOSPC");
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function open(bus: MemoryBus, bytesMax?: number): Outbox {
  const outbox = openOutboxOn(openDisk(), {
    ...(bytesMax === undefined ? {} : { bytesMax }),
    bus,
    node: "r1",
    now: () => now,
    onLost: (count, reason) => lost.push(`${count} ${reason}`),
    onProblem: (message) => problems.push(message),
  });
  opened.push(outbox);
  return outbox;
}

/** A process that died: nothing is flushed, closed or said. */
function abandon(outbox: Outbox): void {
  opened.splice(opened.indexOf(outbox), 1);
}

const stored = (bus: MemoryBus): string[] =>
  bus.stored.map(({ envelope }) => `${envelope.aggregate.id}:${envelope.version}`);
const settled = (outbox: Outbox): boolean => outbox.stats().backlog === 0 && outbox.stats().live;

test("events are published as they come, in order per aggregate, one on its way at a time", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  const onTheWay = new Map<string, number>();
  let most = 0;
  bus.onPublish = async ({ subject }) => {
    const count = (onTheWay.get(subject) ?? 0) + 1;
    onTheWay.set(subject, count);
    most = Math.max(most, count);
    await new Promise((resolve) => setImmediate(resolve));
    onTheWay.set(subject, count - 1);
  };
  for (let i = 0; i < 20; i++) outbox.append([make("VI_1"), make("VI_2")]);
  await until("stored", () => settled(outbox));
  for (const id of ["VI_1", "VI_2"]) {
    const mine = stored(bus).filter((event) => event.startsWith(id));
    expect(mine).toEqual(Array.from({ length: 20 }, (_, i) => `${id}:${i + 1}`));
  }
  expect(most).toBe(1);
});

test("while the bus is away events wait on disk and are published in order when it is back", async () => {
  const bus = openMemoryBus();
  bus.disconnect();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  for (let i = 0; i < 50; i++) outbox.append([make("VI_1")]);
  expect(outbox.stats()).toEqual({ connected: false, live: false, backlog: 50, oldestAt: 1 });
  bus.connect();
  await until("stored", () => settled(outbox));
  expect(stored(bus)).toEqual(Array.from({ length: 50 }, (_, i) => `VI_1:${i + 1}`));
});

test("what arrived before the connection was lost is not published again", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  let published = 0;
  bus.onPublish = () => void published++;
  bus.onStored = () => {
    if (bus.stored.length !== 3) return;
    bus.disconnect();
    throw new PublishError("away", "the answer is lost with the connection");
  };
  for (let i = 0; i < 5; i++) outbox.append([make("VI_1")]);
  await until("disconnected", () => !bus.connected);
  expect(bus.stored).toHaveLength(3);
  bus.connect();
  await until("stored", () => settled(outbox));
  expect(stored(bus)).toEqual(["VI_1:1", "VI_1:2", "VI_1:3", "VI_1:4", "VI_1:5"]);
  expect(published).toBe(5);
});

test("a process that dies leaves its events to the next one, which publishes what is missing, once", async () => {
  const bus = openMemoryBus();
  const first = open(bus);
  const make = eventSource({ node: "r1" });
  first.append([make("VI_1"), make("VI_2")]);
  await until("stored", () => settled(first));
  bus.disconnect();
  first.append([make("VI_1"), make("VI_1"), make("VI_2")]);
  abandon(first);
  const second = open(bus);
  expect(Object.fromEntries(second.recovered.versions)).toEqual({ "vrrp/VI_1": 3, "vrrp/VI_2": 2 });
  bus.connect();
  await until("stored", () => settled(second));
  expect(stored(bus).sort()).toEqual(["VI_1:1", "VI_1:2", "VI_1:3", "VI_2:1", "VI_2:2"]);
});

test("a stream that lost its last events in a power cut gets them again", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  for (let i = 0; i < 6; i++) outbox.append([make("VI_1")]);
  await until("stored", () => settled(outbox));
  bus.disconnect();
  expect(outbox.stats().backlog).toBe(0);
  bus.stored.splice(3);
  bus.connect();
  await until("stored again", () => settled(outbox));
  expect(stored(bus)).toEqual(["VI_1:1", "VI_1:2", "VI_1:3", "VI_1:4", "VI_1:5", "VI_1:6"]);
});

test("a stream that is ahead of the journal gets nothing twice", async () => {
  const bus = openMemoryBus();
  const make = eventSource({ node: "r1", epoch: 1 });
  const first = open(bus);
  first.append([make("VI_1"), make("VI_1"), make("VI_1")]);
  await until("stored", () => settled(first));
  await first.close();
  abandon(first);
  // The power cut took the whole journal; the stream kept its events. A new life starts with a higher epoch.
  rmSync(directory, { recursive: true, force: true });
  const second = open(bus);
  const again = eventSource({ node: "r1", epoch: 2 });
  second.append([again("VI_1")]);
  await until("stored", () => settled(second));
  expect(bus.stored.map(({ envelope }) => [envelope.epoch, envelope.version])).toEqual([
    [1, 1],
    [1, 2],
    [1, 3],
    [2, 1],
  ]);
});

test("a refusal that may pass is retried, and nothing overtakes", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  let refusals = 3;
  bus.onPublish = () => {
    if (refusals-- > 0) throw new PublishError("away", "no space left on the server");
  };
  for (let i = 0; i < 4; i++) outbox.append([make("VI_1"), make("VI_2")]);
  await until("stored", () => settled(outbox));
  for (const id of ["VI_1", "VI_2"]) {
    expect(stored(bus).filter((event) => event.startsWith(id))).toEqual([1, 2, 3, 4].map((n) => `${id}:${n}`));
  }
  expect(lost).toEqual([]);
});

test("an event that the bus refuses for good is told and does not hold up the others", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  bus.onPublish = ({ headers }) => {
    if (headers.get("ce-sequence")?.endsWith("2")) throw new PublishError("refused", "too large");
  };
  for (let i = 0; i < 3; i++) outbox.append([make("VI_1")]);
  await until("stored", () => settled(outbox));
  expect(stored(bus)).toEqual(["VI_1:1", "VI_1:3"]);
  expect(lost).toEqual(["1 too large"]);
});

test("segments go when the stream has held them for five minutes, not before", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  const tidy = async (ms: number) => {
    now += ms;
    await outbox.tidy();
  };
  outbox.append([make("VI_1")]);
  await until("stored", () => settled(outbox));
  await tidy(outboxLimits.rotateAfterMs);
  await tidy(limits.holdMs - 1);
  expect(outbox.held()).toBe(2);
  await tidy(1);
  expect(outbox.held()).toBe(1);
  // Away: nothing goes, however old it is.
  bus.disconnect();
  outbox.append([make("VI_1")]);
  await tidy(outboxLimits.rotateAfterMs);
  await tidy(limits.holdMs * 10);
  expect(outbox.held()).toBe(2);
  expect(outbox.stats().backlog).toBe(1);
});

test("a segment whose last answer was lost is let go all the same", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  bus.onStored = () => {
    bus.onStored = undefined;
    bus.disconnect();
    throw new PublishError("away", "the answer is lost with the connection");
  };
  outbox.append([make("VI_1")]);
  await until("disconnected", () => !bus.connected);
  expect(outbox.stats()).toEqual({ connected: false, live: false, backlog: 1, oldestAt: 1 });
  bus.connect();
  await until("known to be stored", () => settled(outbox));
  for (const ms of [outboxLimits.rotateAfterMs, limits.holdMs, 1]) {
    now += ms;
    outbox.tidy();
  }
  expect(outbox.held()).toBe(1);
});

test("a burst larger than what may be on its way is published from the disk, in order", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  await until("live", () => settled(outbox));
  const events: EventEnvelope[] = Array.from({ length: outboxLimits.queuedMax + 500 }, (_, i) => make(`VI_${i % 7}`));
  outbox.append(events);
  await until("stored", () => settled(outbox));
  expect(bus.stored).toHaveLength(events.length);
  for (let id = 0; id < 7; id++) {
    const mine = bus.stored.filter(({ envelope }) => envelope.aggregate.id === `VI_${id}`);
    expect(mine.map(({ envelope }) => envelope.version)).toEqual(mine.map((_, i) => i + 1));
  }
  expect(lost).toEqual([]);
});

test("a full outbox lets its oldest segments go, and says what was lost", async () => {
  const bus = openMemoryBus();
  bus.disconnect();
  const outbox = open(bus, 1_000_000);
  const make = eventSource({ node: "r1" });
  const batch = () => Array.from({ length: 1_000 }, () => make("VI_1"));
  for (let i = 0; i < 8; i++) outbox.append(batch());
  outbox.tidy();
  const gone = lost.reduce((sum, text) => sum + Number.parseInt(text, 10), 0);
  expect(gone).toBeGreaterThan(1_000);
  bus.connect();
  await until("stored", () => settled(outbox));
  expect(bus.stored.map(({ envelope }) => envelope.version)).toEqual(
    Array.from({ length: 8_000 - gone }, (_, i) => gone + i + 1),
  );
});

test("while the disk refuses, events wait in memory, go to the bus, and are journaled later", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  outbox.append([make("VI_1")]);
  await until("stored", () => settled(outbox));
  disk.full = true;
  outbox.append([make("VI_1")]);
  outbox.append([make("VI_1")]);
  await until("published from memory", () => bus.stored.length === 3);
  expect(problems).toEqual(["outbox: cannot write, events wait in memory"]);
  disk.full = false;
  outbox.append([make("VI_1")]);
  await until(
    "journaled and stored",
    () => settled(outbox) && recoverVersions(directory).versions.get("vrrp/VI_1") === 4,
  );
  expect(stored(bus)).toEqual(["VI_1:1", "VI_1:2", "VI_1:3", "VI_1:4"]);
  expect(lost).toEqual([]);
});

test("a state directory that cannot be used: events go to the bus, and to the disk when it can be", async () => {
  const bus = openMemoryBus();
  rmSync(directory, { recursive: true });
  writeFileSync(directory, "a file where the directory should be");
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  outbox.append([make("VI_1"), make("VI_1")]);
  await until("published from memory", () => bus.stored.length === 2);
  expect(problems.length).toBeGreaterThan(0);
  rmSync(directory);
  outbox.append([make("VI_1")]);
  await until("journaled", () => recoverVersions(directory).versions.get("vrrp/VI_1") === 3 && settled(outbox));
  expect(stored(bus)).toEqual(["VI_1:1", "VI_1:2", "VI_1:3"]);
});

test("flush waits for the stream, and no longer than told", async () => {
  const bus = openMemoryBus();
  const outbox = open(bus);
  const make = eventSource({ node: "r1" });
  outbox.append([make("VI_1")]);
  expect(await outbox.flush(1_000)).toBe(true);
  expect(stored(bus)).toEqual(["VI_1:1"]);
  bus.disconnect();
  outbox.append([make("VI_1")]);
  expect(await outbox.flush(1_000)).toBe(false);
});

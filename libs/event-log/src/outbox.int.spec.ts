import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { subjectFilter } from "@baton/contracts/codec";
import type { EventEnvelope } from "@baton/domain";
import { expect, test } from "vitest";
import { limits } from "./bus.ts";
import { type NatsBus, openNatsBus } from "./nats-bus.ts";
import { type Outbox, openOutbox } from "./outbox.ts";
import { inboxPrefix } from "./server-config.ts";
import { eventSource } from "./testing/events.ts";
import { startNatsServer, type TestNatsServer } from "./testing/nats-server.ts";
import { until } from "./testing/until.ts";

const node = "r1";

interface Bench {
  readonly server: TestNatsServer;
  readonly bus: NatsBus;
  readonly directory: string;
  readonly lost: string[];
  open(): Outbox;
}

async function withBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "baton-outbox-"));
  const server = await startNatsServer({ node });
  const bus = openNatsBus({
    credentials: () => server.credentials("election"),
    name: "outbox",
    inboxPrefix: inboxPrefix("election"),
  });
  const lost: string[] = [];
  const opened: Outbox[] = [];
  const open = (): Outbox => {
    const outbox = openOutbox({
      directory,
      bus,
      node,
      now: () => performance.now(),
      onLost: (count, reason) => lost.push(`${count} ${reason}`),
      onProblem: () => undefined,
    });
    opened.push(outbox);
    return outbox;
  };
  try {
    await body({ server, bus, directory, lost, open });
  } finally {
    for (const outbox of opened) await outbox.close();
    await bus.close();
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function storedEvents(server: TestNatsServer): Promise<EventEnvelope[]> {
  const credentials = () => server.credentials("control");
  const reader = openNatsBus({ credentials, name: "reader", inboxPrefix: inboxPrefix("control") });
  try {
    const events: EventEnvelope[] = [];
    for await (const { envelope } of reader.history({ filter: subjectFilter({ node }) })) events.push(envelope);
    return events;
  } finally {
    await reader.close();
  }
}

function expectInOrderOnce(events: readonly EventEnvelope[], counts: Readonly<Record<string, number>>): void {
  for (const [id, count] of Object.entries(counts)) {
    const versions = events.filter((event) => event.aggregate.id === id).map((event) => event.version);
    expect(versions, id).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  }
}

const drained = (outbox: Outbox) => outbox.stats().live && outbox.stats().backlog === 0;

test("nats-server killed again and again amid appends: every event is stored, in order, once", {
  timeout: 60_000,
}, async () => {
  await withBench(async ({ server, open, lost }) => {
    const outbox = open();
    const make = eventSource({ node });
    const ids = ["VI_1", "VI_2", "VI_3"];
    const counts: Record<string, number> = { VI_1: 0, VI_2: 0, VI_3: 0 };
    const appender = setInterval(() => {
      const id = ids[Math.floor(Math.random() * ids.length)] ?? "VI_1";
      const events = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => make(id));
      counts[id] = (counts[id] ?? 0) + events.length;
      outbox.append(events);
    }, 1);
    try {
      for (let kill = 0; kill < 4; kill++) {
        const before = counts.VI_1 ?? 0;
        await until("events while connected", () => drained(outbox) && (counts.VI_1 ?? 0) > before + 20);
        await server.kill("SIGKILL");
        const during = counts.VI_1 ?? 0;
        await until("events while away", () => !outbox.stats().connected && (counts.VI_1 ?? 0) > during + 20);
        await server.start();
      }
    } finally {
      clearInterval(appender);
    }
    await until("everything stored", () => drained(outbox));
    const events = await storedEvents(server);
    expect(lost).toEqual([]);
    expect(events).toHaveLength(Object.values(counts).reduce((sum, count) => sum + count, 0));
    expectInOrderOnce(events, counts);
  });
});

test("a server that is stopped and goes on answers late: nothing is lost, doubled or out of order", {
  timeout: 60_000,
}, async () => {
  await withBench(async ({ server, bus, open, lost }) => {
    const outbox = open();
    const make = eventSource({ node });
    let count = 0;
    const append = () => {
      count++;
      outbox.append([make("VI_1")]);
    };
    const appender = setInterval(append, 5);
    try {
      for (const during of [limits.publishTimeoutMs + 500, 7_000]) {
        await until("events while it runs", () => drained(outbox) && count > 20);
        server.signal("SIGSTOP");
        // The first pause is over before the connection is given up, the second one is not.
        const over = performance.now() + during;
        await until("the pause", () => performance.now() > over);
        server.signal("SIGCONT");
        await until("events after it", () => drained(outbox));
      }
    } finally {
      server.signal("SIGCONT");
      clearInterval(appender);
    }
    await until("everything stored", () => bus.connected && drained(outbox));
    expect(lost).toEqual([]);
    const events = await storedEvents(server);
    expect(events).toHaveLength(count);
    expectInOrderOnce(events, { VI_1: count });
  });
});

test("what an ended process left in its journal is published by the next one, once", { timeout: 30_000 }, async () => {
  await withBench(async ({ server, open }) => {
    const make = eventSource({ node });
    const first = open();
    first.append(Array.from({ length: 10 }, () => make("VI_1")));
    await until("stored", () => drained(first));
    await server.kill();
    await until("away", () => !first.stats().connected);
    first.append(Array.from({ length: 10 }, () => make("VI_1")));
    await first.close();
    const second = open();
    second.append(Array.from({ length: 10 }, () => make("VI_1")));
    await server.start();
    await until("stored", () => drained(second));
    expectInOrderOnce(await storedEvents(server), { VI_1: 30 });
  });
});

test("before the stream exists nothing is lost, and nothing is refused for good", { timeout: 30_000 }, async () => {
  const { prepareBus } = await import("./bus-admin.ts");
  const directory = mkdtempSync(join(tmpdir(), "baton-outbox-"));
  const server = await startNatsServer({ node, prepare: false });
  const bus = openNatsBus({
    credentials: () => server.credentials("election"),
    name: "early",
    inboxPrefix: "_INBOX_election",
  });
  const lost: number[] = [];
  const outbox = openOutbox({
    directory,
    bus,
    node,
    now: () => performance.now(),
    onLost: (count) => lost.push(count),
    onProblem: () => undefined,
  });
  try {
    const make = eventSource({ node });
    await until("connected", () => bus.connected);
    outbox.append([make("VI_1"), make("VI_1")]);
    await prepareBus({ node, admin: server.credentials("admin") });
    outbox.append([make("VI_1")]);
    await until("stored", () => drained(outbox));
    expectInOrderOnce(await storedEvents(server), { VI_1: 3 });
    expect(lost).toEqual([]);
    // Preparing again, as every start does, keeps what is there.
    await prepareBus({ node, admin: server.credentials("admin") });
    expect(await storedEvents(server)).toHaveLength(3);
  } finally {
    await outbox.close();
    await bus.close();
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

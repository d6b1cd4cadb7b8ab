import { micros } from "@baton/domain";
import { type Pool, startPool, stepPool } from "@baton/health";
import { createTestHost } from "@baton/host/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseKnown } from "./known.ts";
import type { KnownLog } from "./known-log.ts";
import { createKnownNotes } from "./known-notes.ts";
import type { PoolMember } from "./pool-board.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const names = Array.from({ length: 500 }, (_, i) => `10.0.${i >> 8}.${i & 255}:80`);
const begun = (): Pool => {
  const config = {
    name: "vs",
    quorum: 1,
    hysteresis: 0,
    omega: false,
    servers: names.map((server) => ({ server, weight: 1, inhibitOnFailure: false })),
    sorryServer: undefined,
    startNotices: false,
    panicGuard: false,
    slowStart: micros(0),
  };
  const checks = new Map(names.map((server) => [server, [{ check: "c", up: true, weight: undefined }]]));
  return startPool(config, checks).state;
};

function world() {
  const host = createTestHost({ service: "health" });
  const written: string[][] = [];
  const state = { worn: false };
  const log: KnownLog = {
    found: undefined,
    append: (lines) => written.push([...lines]),
    replace: (lines) => {
      written.splice(0, written.length, [...lines]);
    },
    isWorn: () => state.worn,
    forget: () => undefined,
  };
  const notes = createKnownNotes({ host, log, boot: "boot" });
  const member = (pool: Pool) => ({ name: "vs", state: pool, quorumSince: host.now() }) as unknown as PoolMember;
  const aggregate = { kind: "virtual-server", id: "vs" } as const;
  const fail = (pool: Pool, server: string): Pool => {
    const report = { check: "c", up: false, weight: undefined };
    const step = stepPool(pool, { type: "check-reported", server, report, news: "changed" }, host.now());
    for (const { event } of step.effects) host.events.append(aggregate, event);
    return step.state;
  };
  return { host, notes, written, state, member, fail, aggregate };
}

test("a server of many that fails is a line or two", () => {
  const { notes, written, member, fail } = world();
  const pool = begun();
  notes.all([], [member(pool)]);
  expect(written[0]?.length).toBe(2 + names.length);
  const failed = fail(pool, "10.0.0.7:80");
  notes.pool(member(failed));
  notes.pool(member(failed));
  expect(written.slice(1).flat()).toHaveLength(1);
});

test("written anew in the moment of a change, it still has what was told before", () => {
  const { host, notes, written, state, member, fail, aggregate } = world();
  const pool = begun();
  notes.all([], [member(pool)]);
  state.worn = true;
  const failed = fail(pool, "10.0.0.7:80");
  notes.pool(member(failed));
  state.worn = false;
  vi.advanceTimersByTime(10_000);
  expect(written).toHaveLength(1);
  const text = (written[0] ?? []).join("\n");
  const aliveAt = (version: number) =>
    parseKnown(text, "boot", () => version)
      .servers.get("vs")
      ?.find(({ server }) => server === "10.0.0.7:80")?.alive;
  expect([aliveAt(host.events.version(aggregate)), aliveAt(0)]).toEqual([false, true]);
});

test("what cannot be written is tried again until it is", () => {
  const { notes, written, state, member } = world();
  state.worn = true;
  notes.all([], [member(begun())]);
  written.length = 0;
  vi.advanceTimersByTime(10_000);
  expect(written.length).toBe(1);
  state.worn = false;
  written.length = 0;
  vi.advanceTimersByTime(10_000);
  written.length = 0;
  vi.advanceTimersByTime(10_000);
  expect(written).toEqual([]);
});

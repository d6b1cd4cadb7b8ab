import { micros, secondsToMicros } from "@baton/domain";
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
const begun = (servers: readonly string[] = names): Pool => {
  const config = {
    name: "vs",
    quorum: 1,
    hysteresis: 0,
    omega: false,
    servers: servers.map((server) => ({ server, weight: 1, inhibitOnFailure: false })),
    sorryServer: undefined,
    startNotices: false,
    panicGuard: false,
    slowStart: micros(0),
  };
  const checks = new Map(servers.map((server) => [server, [{ check: "c", up: true, weight: undefined }]]));
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

test("whom a reload has taken away is known no longer, from the moment that this is told", () => {
  const { host, notes, written, state, member, aggregate } = world();
  const [kept = "", gone = ""] = names;
  const before = begun([kept, gone]);
  const after = begun([kept]);
  const known = (version: number): unknown =>
    parseKnown(written.flat().join("\n"), "boot", () => version)
      .servers.get("vs")
      ?.map(({ server }) => server);
  host.clock.advance(secondsToMicros(10));
  notes.all([], [member(before)]);
  host.events.append(aggregate, { type: "sorry-server-removed", data: { virtualServer: "vs", server: "any event" } });
  notes.all([], [member(after)]);
  const version = host.events.version(aggregate);
  expect([known(version), known(version - 1)]).toEqual([[kept], [kept, gone]]);
  notes.all([], [member(after)]);
  expect(written.at(-1)).toEqual([]);
  // Written anew while it may be untold, and when it no longer can be.
  state.worn = true;
  notes.all([], [member(after)]);
  vi.advanceTimersByTime(2_000);
  expect([known(version), known(version - 1)]).toEqual([[kept], [kept, gone]]);
  host.clock.advance(secondsToMicros(2));
  vi.advanceTimersByTime(2_000);
  expect([known(version), written.flat().length]).toEqual([[kept], 3]);
  notes.all([], [member(before)]);
  expect(known(version)).toEqual([kept, gone]);
});

// Drains against real pools, with a clock that the test moves.
import { instant, millisToMicros } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { expect, test } from "vitest";
import { createDrains, isMeant, type KeptDrain, readServer } from "./drains.ts";
import { createPoolBoard } from "./pool-board.ts";

const poolConfig = (name: string, servers: readonly string[]) => ({
  name,
  quorum: 1,
  hysteresis: 0,
  omega: false,
  servers: servers.map((server) => ({ server, weight: 1, inhibitOnFailure: false })),
  sorryServer: undefined,
  startNotices: false,
  panicGuard: false,
  slowStart: millisToMicros(0),
});

function makeDrains(kept: readonly KeptDrain[] = [], wallMs = 1_000_000) {
  const host = createTestHost({ service: "health" });
  const due: { at: number | undefined; readonly onDue: () => void }[] = [];
  const agenda = {
    entry: (onDue: () => void) => {
      const entry = { at: undefined as number | undefined, onDue };
      due.push(entry);
      return {
        set: (at: number | undefined) => {
          entry.at = at;
        },
      };
    },
    close: () => undefined,
  };
  const pools = createPoolBoard({ host, agenda, onChange: (member) => drains.meet(member) });
  const start = host.now();
  const wall = () => wallMs + (host.now() - start) / 1_000;
  const drains = createDrains({ host, wall, agenda, pools, kept, onChange: () => undefined });
  const wait = (millis: number): void => {
    host.clock.advance(millisToMicros(millis));
    for (const entry of due) {
      if (entry.at === undefined || entry.at > host.now()) continue;
      entry.at = undefined;
      entry.onDue();
    }
  };
  const begin = (name: string, servers: readonly string[]): void =>
    pools.start(poolConfig(name, servers), new Map(), (server) => drains.of(name, server).drain);
  let read = 0;
  /** Since the last call. */
  const told = (): string[] => {
    const news = host.appended.slice(read).map(({ event }) => event.type);
    read = host.appended.length;
    return news;
  };
  const weights = (name: string): unknown =>
    Object.fromEntries((pools.members.get(name)?.wanted ?? []).map(({ server, weight }) => [server, weight]));
  return { host, pools, drains, wait, start: begin, told, weights };
}
const order = (server: string, over: object = {}) => ({
  server,
  virtualServer: "",
  deadlineMs: 0,
  undo: false,
  ...over,
});

test.each([
  ["10.0.0.1:80", "10.0.0.1:80", true],
  ["10.0.0.1:80", "10.0.0.1", true],
  ["10.0.0.1:80", "10.0.0.1:81", false],
  ["10.0.0.1:80", "10.0.0.1:080", true],
  ["10.0.0.1:80", "10.0.0.11:80", false],
  ["10.0.0.1:80", "10.0.0.1:", false],
  ["[2001:db8::1]:80", "2001:db8::1", true],
  ["[2001:db8::1]:80", "[2001:db8::1]", true],
  ["[2001:db8::1]:80", "[2001:DB8:0::1]:80", true],
  ["[2001:db8::1]:80", "[2001:db8::1]:8", false],
  ["10.0.0.1:80", "", false],
  ["10.0.0.1:80", "web1", false],
])("%s is meant by %s: %s", (server, text, meant) => {
  expect(isMeant(server, readServer(text))).toBe(meant);
});

test("what is too long for an address is none", () => {
  expect(readServer(`${"[".repeat(1_000_000)}10.0.0.1]:80`)).toBeUndefined();
  expect(readServer(`10.0.0.1:${"0".repeat(100)}80`)).toBeUndefined();
});

test("everywhere, or in one virtual server", () => {
  const { drains, start, weights } = makeDrains();
  for (const name of ["one", "two"]) start(name, ["10.0.0.1:80", "10.0.0.2:80"]);
  expect(drains.order(order("10.0.0.1:80", { virtualServer: "two" }))).toEqual([
    { virtualServer: "two", server: "10.0.0.1:80", drain: "draining" },
  ]);
  expect([weights("one"), weights("two")]).toEqual([
    { "10.0.0.1:80": 1, "10.0.0.2:80": 1 },
    { "10.0.0.1:80": 0, "10.0.0.2:80": 1 },
  ]);
  expect(drains.order(order("10.0.0.1"))).toHaveLength(2);
  expect(weights("one")).toEqual({ "10.0.0.1:80": 0, "10.0.0.2:80": 1 });
});

test("the same order again is none; another deadline is one, from now on", () => {
  const { drains, start, wait, told, weights } = makeDrains();
  start("vs", ["10.0.0.1:80", "10.0.0.2:80"]);
  told();
  drains.order(order("10.0.0.1", { deadlineMs: 1_000 }));
  expect(told()).toEqual(["drain-started", "destinations-changed"]);
  wait(600);
  drains.order(order("10.0.0.1", { deadlineMs: 1_000 }));
  expect(told()).toEqual([]);
  drains.order(order("10.0.0.1", { deadlineMs: 2_000 }));
  expect(told()).toEqual(["drain-started"]);
  wait(1_900);
  expect(told()).toEqual([]);
  wait(200);
  expect(told()).toEqual(["drain-finished", "destinations-changed"]);
  expect(weights("vs")).toEqual({ "10.0.0.2:80": 1 });
  expect(drains.order(order("10.0.0.1", { deadlineMs: 5_000 }))).toMatchObject([{ drain: "removed" }]);
  drains.idle("vs", "10.0.0.1:80", undefined);
  expect(told()).toEqual([]);
});

test("undone in the middle: its time means nothing any more", () => {
  const { drains, start, wait, told, weights } = makeDrains();
  start("vs", ["10.0.0.1:80", "10.0.0.2:80"]);
  drains.order(order("10.0.0.1", { deadlineMs: 1_000 }));
  told();
  drains.order(order("10.0.0.1", { undo: true }));
  expect(told()).toEqual(["drain-undone", "destinations-changed"]);
  drains.order(order("10.0.0.1", { undo: true }));
  wait(5_000);
  drains.idle("vs", "10.0.0.1:80", undefined);
  expect(told()).toEqual([]);
  expect(weights("vs")).toEqual({ "10.0.0.1:80": 1, "10.0.0.2:80": 1 });
});

test("the last server that is drained takes the quorum with it, and both are one story", () => {
  const { host, drains, start } = makeDrains();
  start("vs", ["10.0.0.1:80"]);
  const before = host.appended.length;
  drains.order(order("10.0.0.1"));
  const story = host.appended.slice(before);
  expect(story.map(({ event }) => event.type)).toEqual(["drain-started", "quorum-lost", "destinations-changed"]);
  expect(new Set(story.map(({ correlationId }) => correlationId))).toEqual(new Set([story[0]?.id]));
});

test("who is not in the service is out at once", () => {
  const { pools, drains, told } = makeDrains();
  const down = new Map([["10.0.0.1:80", [{ check: "c", up: false, weight: undefined }]]]);
  pools.start(poolConfig("vs", ["10.0.0.1:80"]), down, () => "none");
  told();
  expect(drains.order(order("10.0.0.1"))).toMatchObject([{ drain: "removed" }]);
  expect(told()).toEqual(["drain-started", "drain-finished"]);
});

test("who fails while it is drained is out at once", () => {
  const { pools, drains, told } = makeDrains();
  const up = new Map([["10.0.0.1:80", [{ check: "c", up: true, weight: undefined }]]]);
  pools.start(poolConfig("vs", ["10.0.0.1:80"]), up, () => "none");
  drains.order(order("10.0.0.1"));
  told();
  const report = { check: "c", up: false, weight: undefined };
  pools.feed("vs", { type: "check-reported", server: "10.0.0.1:80", report, news: "changed" });
  expect(told()).toEqual(["realserver-down", "destinations-changed", "drain-finished"]);
});

const drained: KeptDrain = {
  virtualServer: "vs",
  server: "10.0.0.1:80",
  drain: "draining",
  deadlineMs: 10_000,
  untilMs: 1_004_000,
};

test.each([
  ["what was left of its time", 1_000_000, 4_000],
  ["nothing, when it was over meanwhile", 2_000_000, 0],
  ["no more than was asked for, by a clock that was set back", 0, 10_000],
])("after a restart it has %s", (_name, wallMs, leftMs) => {
  const { start, wait, told, weights, drains } = makeDrains([drained], wallMs);
  start("vs", ["10.0.0.1:80", "10.0.0.2:80"]);
  expect(weights("vs")).toEqual({ "10.0.0.1:80": 0, "10.0.0.2:80": 1 });
  expect(told()).toEqual(["realserver-up", "realserver-up", "quorum-gained", "destinations-changed"]);
  expect(drains.kept()).toEqual([{ ...drained, untilMs: wallMs + leftMs }]);
  wait(leftMs - 1);
  expect(told()).toEqual([]);
  wait(1);
  expect(told()).toEqual(["drain-finished", "destinations-changed"]);
});

test("who has left the configuration is drained no longer, and that is told", () => {
  const { host, pools, start, drains, told } = makeDrains();
  start("vs", ["10.0.0.1:80", "10.0.0.2:80"]);
  drains.order(order("10.0.0.1", { deadlineMs: 1_000 }));
  told();
  pools.feed("vs", { type: "reload", config: poolConfig("vs", ["10.0.0.2:80"]), checks: new Map() });
  expect(drains.kept()).toEqual([]);
  expect(told()).toEqual(["realserver-down", "destinations-changed", "drain-undone"]);
  expect(host.appended.at(-1)?.event.data).toEqual({ virtualServer: "vs", server: "10.0.0.1:80" });
  expect(host.lines.at(-1)).toMatchObject({ level: "warn" });
  pools.feed("vs", { type: "reload", config: poolConfig("vs", ["10.0.0.1:80", "10.0.0.2:80"]), checks: new Map() });
  expect(told()).toEqual(["realserver-up", "destinations-changed"]);
});

test("its end is told once, also where that of another drain leads to it first", () => {
  const { pools, drains, told } = makeDrains();
  const up = { check: "c", up: true, weight: undefined };
  const servers = ["10.0.0.1:80", "10.0.0.2:80"];
  pools.start(poolConfig("vs", servers), new Map(servers.map((server) => [server, [up]])), () => "none");
  for (const server of servers) drains.order(order(server));
  told();
  const checks = new Map([["10.0.0.1:80", [{ ...up, up: false }]]]);
  pools.feed("vs", { type: "reload", config: poolConfig("vs", ["10.0.0.1:80"]), checks });
  expect(told().filter((type) => type === "drain-undone")).toHaveLength(1);
  expect(drains.kept()).toMatchObject([{ server: "10.0.0.1:80", drain: "removed" }]);
});

test("an end of Baton ends no drain; an end of the virtual server does", () => {
  const { pools, start, drains, told } = makeDrains();
  start("vs", ["10.0.0.1:80", "10.0.0.2:80"]);
  drains.order(order("10.0.0.1"));
  drains.keepOnly(new Set(["vs"]));
  told();
  pools.stop(false);
  expect(told()).not.toContain("drain-finished");
  expect(drains.kept()).toMatchObject([{ drain: "draining" }]);
  told();
  drains.keepOnly(new Set());
  expect(drains.kept()).toEqual([]);
  expect(told()).toEqual(["drain-undone"]);
});

test("an order whose deadline makes no sense has the longest", () => {
  const { drains, start } = makeDrains();
  start("vs", ["10.0.0.1:80"]);
  drains.order(order("10.0.0.1", { deadlineMs: Number.MAX_SAFE_INTEGER }));
  expect(drains.of("vs", "10.0.0.1:80").until).toBeGreaterThan(instant(0));
  expect(drains.kept()).toMatchObject([{ deadlineMs: 315_360_000_000 }]);
});

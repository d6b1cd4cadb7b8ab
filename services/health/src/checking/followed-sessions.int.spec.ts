// BFD_CHECK, with a session that the test plays: what it says decides, and its event is the cause.
import type { EventEnvelope } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { configOf } from "@baton/keepalived-conf/testing";
import { afterEach, expect, test } from "vitest";
import { realServer, service, serviceName } from "../testing/checked-node.ts";
import { memoryFile, memoryLog, realClock, snapshotOf } from "../testing/fixtures.ts";
import { createRealServers, type RealServers } from "./real-servers.ts";

const running: RealServers[] = [];
afterEach(async () => {
  for (const servers of running.splice(0)) await servers.stop();
});

const config = (option = ""): string =>
  `bfd_instance one {\nneighbor_ip 10.0.0.1\n}\n${service([realServer("10.0.0.1", 80, `BFD_CHECK { name one; ${option} }`)])}`;

function start(text: string, isUp?: boolean, known?: string, told: readonly EventEnvelope[] = []) {
  const host = createTestHost({ service: "health", clock: realClock, told });
  const session = { isUp };
  const kept = memoryLog(known);
  const servers = createRealServers({
    host,
    known: kept,
    drained: memoryFile(),
    boot: "this one",
    wall: Date.now,
    programOf: () => {
      throw new Error("nothing is run here");
    },
    followed: { file: () => undefined, bfd: () => session.isUp },
  });
  running.push(servers);
  servers.apply(snapshotOf(configOf(text), 1));
  const pool = () => {
    const [found] = servers.states().flatMap(({ state }) => (state?.$case === "virtualServer" ? [state.value] : []));
    return found?.servers.map(({ alive }) => alive);
  };
  return { host, servers, kept, pool, types: () => host.appended.map(({ event }) => event.type) };
}
const cause = { id: "session", correlationId: "story", traceparent: undefined };

test("up until the session says otherwise; then down at once, and up again", () => {
  const { host, servers, pool } = start(config());
  expect(pool()).toEqual([true]);
  servers.bfdChanged("another", false, cause);
  expect(pool()).toEqual([true]);
  const before = host.appended.length;
  servers.bfdChanged("one", false, cause);
  expect(pool()).toEqual([false]);
  const story = host.appended.slice(before);
  expect(story.map(({ event }) => event.type)).toEqual([
    "check-failed",
    "realserver-down",
    "quorum-lost",
    "destinations-changed",
  ]);
  expect(story[0]).toMatchObject({
    causationId: "session",
    event: { data: { reason: "bfd", check: "BFD_CHECK one" } },
  });
  expect(story.every(({ correlationId }) => correlationId === "story")).toBe(true);
  servers.bfdChanged("one", true, cause);
  expect(pool()).toEqual([true]);
});

test("alpha: down until the session is up", () => {
  const { servers, pool, types } = start(config("alpha"));
  expect(pool()).toEqual([false]);
  servers.bfdChanged("one", true, cause);
  expect(pool()).toEqual([true]);
  expect(types().slice(-4)).toEqual(["check-succeeded", "realserver-up", "quorum-gained", "destinations-changed"]);
});

test("a session that is up already is known from the start", () => {
  expect(start(config("alpha"), true).pool()).toEqual([true]);
  expect(start(config(), false).pool()).toEqual([false]);
});

test("after a kill an alpha check is what it was, although the session is not known yet", () => {
  const first = start(config("alpha"), true);
  const second = start(config("alpha"), undefined, first.kept.text, first.host.appended);
  expect(second.pool()).toEqual([true]);
  expect(second.types()).toEqual([]);
  expect(second.servers.states().some(({ id }) => id === serviceName)).toBe(true);
});

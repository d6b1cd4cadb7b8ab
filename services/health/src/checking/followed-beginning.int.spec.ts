// Files that already say something when their servers begin: nobody has come or gone, and nobody is told that somebody had.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { makeCheckedNodes, realServer, service } from "../testing/checked-node.ts";

const nodes = makeCheckedNodes();
const folder = mkdtempSync(join(tmpdir(), "baton-beginning-"));
afterEach(() => nodes.clear());
afterAll(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const write = (name: string, number: number): void => writeFileSync(path(name), `${number}\n`);
const track = (name: string): string => `track_file ${name} {\n file ${path(name)}\n}\n`;
const followed = (name: string, counts: string, port = 80): string =>
  realServer("10.0.0.1", port, `FILE_CHECK { track_file ${name}; weight ${counts} }`, "weight 10");

test("a server whose file says that it is out begins out, and nobody has lost anything", async () => {
  write("out", 1);
  const text = track("out") + service([followed("out", "0")]);
  const node = await nodes.start(text, {}, { checks: { panicGuard: true } });
  expect(node.events("checker")).toEqual([]);
  expect(node.events("virtual-server").map(({ event }) => [event.type, "set" in event.data && event.data.set])).toEqual(
    [["destinations-changed", []]],
  );
  expect(node.pool()).toMatchObject({ quorumUp: false, held: "", destinations: [] });
  expect(node.checkers()).toMatchObject([{ status: "down" }]);
  write("out", 0);
  await vi.waitFor(() => expect(node.destinations()).toEqual({ "10.0.0.1:80": 10 }));
  const told = node
    .events("virtual-server")
    .flatMap(({ event }) =>
      event.type === "realserver-up" || event.type === "quorum-gained" ? [[event.type, event.data.told]] : [],
    );
  expect(told).toEqual([
    ["realserver-up", "everyone"],
    ["quorum-gained", "everyone"],
  ]);
});

test("a number that is added is there from the first moment", async () => {
  write("more", 3);
  const node = await nodes.start(track("more") + service([followed("more", "2")], "quorum 16"));
  expect(node.pool()).toMatchObject({ liveWeight: 16, destinations: [{ server: "10.0.0.1:80", weight: 16 }] });
  expect(node.events("virtual-server").map(({ event }) => event.type)).toEqual([
    "realserver-up",
    "quorum-gained",
    "destinations-changed",
  ]);
});

test("its sorry server serves at once", async () => {
  write("sorry", 0);
  const node = await nodes.start(
    track("sorry") + service([followed("sorry", "0 reverse")], "sorry_server 127.0.0.1 9"),
  );
  expect(node.events("virtual-server").map(({ event }) => event.type)).toEqual([
    "quorum-lost",
    "sorry-server-added",
    "destinations-changed",
  ]);
  expect(node.destinations()).toEqual({ "127.0.0.1:9": 1 });
});

test("a reload brings a service, or a server, that begins out", async () => {
  write("first", 0);
  write("other", 1);
  const first = service([followed("first", "0")]);
  const tracks = track("first") + track("other");
  const node = await nodes.start(tracks + first);
  const before = node.host.appended.length;
  const another = service([followed("other", "0")]).replace(
    "virtual_server 192.0.2.1 80",
    "virtual_server 192.0.2.1 81",
  );
  node.reload(tracks + service([followed("first", "0"), followed("other", "0", 81)]) + another);
  const told = node.host.appended.slice(before).filter(({ aggregate }) => aggregate.kind !== "tracker");
  expect(told.map(({ event }) => event)).toEqual([
    { type: "destinations-changed", data: { virtualServer: "[192.0.2.1]:tcp:81", set: [], removed: [] } },
  ]);
});

test("a server in service that a reload finds out by its file has failed, and it is said by what", async () => {
  write("late", 1);
  const node = await nodes.start(track("late") + service([realServer("10.0.0.1", 80, "", "weight 10")]));
  const before = node.host.appended.length;
  node.reload(track("late") + service([followed("late", "0")]));
  const told = node.host.appended.slice(before).filter(({ aggregate }) => aggregate.kind !== "tracker");
  expect(told.map(({ event }) => event.type)).toEqual([
    "check-failed",
    "realserver-down",
    "quorum-lost",
    "destinations-changed",
  ]);
  const [failed, down] = told;
  expect(failed?.aggregate.id).toMatch(/^FILE_CHECK/);
  expect(down?.event).toMatchObject({ data: { reason: "check", check: failed?.aggregate.id } });
});

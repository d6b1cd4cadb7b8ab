// Which destinations are told of, from the start of a virtual server to its removal, and after it.
import { millisToMicros } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { expect, test } from "vitest";
import { createPoolBoard } from "./pool-board.ts";

const name = "[192.0.2.1]:tcp:80";
const configOf = (servers: readonly string[], called = name) => ({
  name: called,
  quorum: 1,
  hysteresis: 0,
  omega: false,
  servers: servers.map((server) => ({ server, weight: 1, inhibitOnFailure: false })),
  sorryServer: undefined,
  startNotices: false,
  panicGuard: false,
  slowStart: millisToMicros(0),
});

function makeBoard() {
  const host = createTestHost({ service: "health" });
  const agenda = { entry: () => ({ set: () => undefined }), close: () => undefined };
  const board = createPoolBoard({ host, agenda, onChange: () => undefined });
  let read = 0;
  /** Since the last call. */
  const told = () => {
    const news = host.appended.slice(read);
    read = host.appended.length;
    return news.flatMap(({ event }) =>
      event.type === "destinations-changed"
        ? [{ set: event.data.set.map(({ server }) => server), removed: event.data.removed }]
        : [],
    );
  };
  return {
    board,
    told,
    start: (servers: readonly string[]) => board.start(configOf(servers), new Map(), () => "none"),
  };
}

test("a virtual server that is removed keeps its destinations, until those that carry it take it away", () => {
  const { board, told, start } = makeBoard();
  start(["10.0.0.1:80", "10.0.0.2:80"]);
  expect(told()).toEqual([{ set: ["10.0.0.1:80", "10.0.0.2:80"], removed: [] }]);
  board.remove(name, false);
  expect(told()).toEqual([]);
});

test("one of the same name that comes after it replaces what was told before", () => {
  const { board, told, start } = makeBoard();
  start(["10.0.0.1:80", "10.0.0.2:80"]);
  board.remove(name, false);
  told();
  start(["10.0.0.2:80", "10.0.0.3:80"]);
  expect(told()).toEqual([{ set: ["10.0.0.2:80", "10.0.0.3:80"], removed: ["10.0.0.1:80"] }]);
});

test.each([
  ["remembered", 9_999, ["10.0.0.1:80"]],
  ["forgotten", 10_000, []],
])("one that was removed is %s when %i others were removed after it", (_name, others, removed) => {
  const { board, told, start } = makeBoard();
  start(["10.0.0.1:80"]);
  board.remove(name, false);
  for (let other = 0; other < others; other++) {
    board.start(configOf([], `FWM ${other}`), new Map(), () => "none");
    board.remove(`FWM ${other}`, false);
  }
  told();
  start(["10.0.0.2:80"]);
  expect(told()).toEqual([{ set: ["10.0.0.2:80"], removed }]);
});

import { CheckerState, VirtualServerState } from "@baton/contracts";
import { expect, test } from "vitest";
import { summarizePools, troublesMax } from "./pools-summary.ts";

const pool = (name: string, quorumUp: boolean, servers: readonly object[]) =>
  VirtualServerState.fromPartial({ name, quorumUp, servers: servers.map((each) => ({ drain: "none", ...each })) });

test("counts, and what is wrong, the worst first", () => {
  const virtualServers = [
    pool("well", true, [
      { server: "a", alive: true },
      { server: "b", alive: true, drain: "draining" },
      { server: "c", alive: true, drain: "removed" },
    ]),
    pool("lost", false, [{ server: "d", alive: false, failing: ["TCP_CHECK d", "MISC_CHECK x"] }]),
  ];
  const checkers = [CheckerState.fromPartial({ name: "TCP_CHECK d", lastFailure: "refused" })];
  expect(summarizePools({ virtualServers, checkers })).toEqual({
    virtualServers: 2,
    withoutQuorum: 1,
    realServers: 4,
    live: 3,
    drained: 2,
    troubles: [
      { virtualServer: "lost", server: "", what: "no-quorum", why: "" },
      { virtualServer: "lost", server: "d", what: "down", why: "refused; MISC_CHECK x" },
      { virtualServer: "well", server: "b", what: "draining", why: "" },
      { virtualServer: "well", server: "c", what: "drained", why: "" },
    ],
  });
});

test("of thousands so many as a page has room for; without virtual servers nothing", () => {
  const virtualServers = Array.from({ length: 3_000 }, (_, index) =>
    pool(`vs ${index}`, false, [{ server: "a", alive: false }]),
  );
  const summary = summarizePools({ virtualServers, checkers: [] });
  expect(summary).toMatchObject({ virtualServers: 3_000, withoutQuorum: 3_000, live: 0 });
  expect(summary?.troubles).toHaveLength(troublesMax);
  expect(summarizePools({ virtualServers: [], checkers: [] })).toBeUndefined();
});

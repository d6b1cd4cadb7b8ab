// `baton status` and `baton events` against a node's socket: a real one, with a node of our making behind it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeServiceServer, NodeServiceService, NodeStatus, toWire } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { serveGrpc } from "@baton/host";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openNode } from "./node-client.ts";
import { NodeError } from "./node-error.ts";
import { showEvents, showStatus } from "./queries.ts";
import { why } from "./why.ts";

const held = { directory: "", closers: [] as (() => unknown)[] };
beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-node-"));
});
afterEach(async () => {
  for (const close of held.closers.splice(0).reverse()) await close();
  rmSync(held.directory, { recursive: true, force: true });
});

const envelope = (version: number): EventEnvelope => ({
  id: `01a2054d-7f82-7000-933a-00000000000${version}`,
  time: "2026-03-01T12:00:00.123456Z",
  at: 1_000 * version,
  node: "r1",
  service: "health",
  aggregate: { kind: "tracker", id: "chk" },
  epoch: 1,
  version,
  correlationId: "",
  causationId: "",
  traceparent: undefined,
  event: { type: "script-succeeded", data: { script: "chk", durationMs: 3, successes: version } },
});

async function serve(node: Partial<NodeServiceServer>): Promise<void> {
  const refuse = (_call: unknown, done: (error: object) => void): void => done({ code: status.UNIMPLEMENTED });
  const implementation = { getStatus: refuse, reload: refuse, drain: refuse, streamEvents: refuse, ...node };
  const server = await serveGrpc(join(held.directory, "node.sock"), [
    { definition: NodeServiceService, implementation },
  ]);
  held.closers.push(() => server.close());
}

function console() {
  const said: string[] = [];
  return {
    out: (text: string) => void said.push(text),
    error: (line: string) => void said.push(line),
    get text() {
      return said.join("");
    },
  };
}

const open = () => {
  const node = openNode(held.directory);
  held.closers.push(() => node.close());
  return node;
};
const query = {
  type: "events",
  runDir: "",
  json: false,
  follow: false,
  limit: 5,
  eventType: "script-succeeded",
} as const;

test("status, for people and for programs", async () => {
  await serve({ getStatus: (_call, done) => done(null, NodeStatus.fromPartial({ node: "r1", ready: true })) });
  const [people, programs] = [console(), console()];
  expect(await showStatus({ json: false, servers: false }, { console: people, node: open(), now: () => 0 })).toBe(0);
  expect(people.text).toMatch(/^r1: ready/);
  expect(await showStatus({ json: true, servers: false }, { console: programs, node: open(), now: () => 0 })).toBe(0);
  expect(JSON.parse(programs.text)).toMatchObject({ node: "r1", ready: true });
});

test("events: what was asked for is asked, one line each, until the end", async () => {
  const asked: object[] = [];
  await serve({
    streamEvents(call) {
      asked.push(call.request);
      for (const version of [1, 2]) call.write(toWire(envelope(version)));
      call.write({ ...toWire(envelope(3)), type: "of-a-later-version" });
      call.end();
    },
  });
  const [people, programs] = [console(), console()];
  await showEvents(query, { console: people, node: open() });
  expect(people.text).toBe("2026-03-01 12:00:00.123Z  script chk succeeds\n".repeat(2));
  expect(asked).toMatchObject([{ follow: false, limit: 5, type: "script-succeeded" }]);
  await showEvents({ ...query, json: true }, { console: programs, node: open() });
  const [first] = programs.text.split("\n");
  expect(JSON.parse(first ?? "")).toMatchObject({ node: "r1", version: 1, data: { script: "chk", successes: 1 } });
});

test("why: everything with the cause of the last event about a name", async () => {
  const events = [1, 2, 3].map((version) => ({ ...envelope(version), correlationId: version === 1 ? "a" : "b" }));
  await serve({
    streamEvents(call) {
      for (const each of events) call.write(toWire(each));
      call.end();
    },
  });
  const people = console();
  const question = { type: "why", name: "chk", limit: 9, runDir: "", json: false } as const;
  expect(await why(question, { console: people, node: open() })).toBe(0);
  expect(people.text.split("\n")).toHaveLength(3);
  await expect(why({ ...question, name: "other" }, { console: people, node: open() })).rejects.toThrow(
    /^none of the last 3 events is about other$/,
  );
});

test("a drain that matches nothing is refused with what the node says", async () => {
  await serve({ drain: (_call, done) => done({ code: status.NOT_FOUND, details: "no such server" }) });
  const request = { server: "x", virtualServer: "", deadlineMs: 0, undo: false };
  await expect(open().drain(request)).rejects.toThrow(/^no such server$/);
});

test("no node, one that is gone, and one that refuses: a sentence each", async () => {
  expect(() => openNode(held.directory)).toThrow(NodeError);
  expect(() => openNode(held.directory)).toThrow(/^no node runs on /);
  writeFileSync(join(held.directory, "node.sock"), "");
  await expect(open().status()).rejects.toThrow(/does not answer$/);
  rmSync(join(held.directory, "node.sock"));
  await serve({
    streamEvents: (call) => void call.emit("error", { code: status.INVALID_ARGUMENT, details: "no such type" }),
  });
  await expect(open().events(query, () => undefined)).rejects.toThrow(/^no such type$/);
});

import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { EventStream } from "./event-stream.ts";
import { FleetFeed, type StreamMessage } from "./fleet-feed.ts";
import { createHttpServer, isKnownHost } from "./http-server.ts";
import { becameMaster, heartbeatOf, instanceState } from "./testing/fleet-events.ts";

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

async function startServer() {
  const stream = new EventStream();
  const feed = new FleetFeed({
    now: () => 5_000,
    broadcast: (message) => stream.broadcast(message),
    schedule: (flush) => flush(),
  });
  const files = new Map([["/", { type: "text/html", body: Buffer.from("<p>page"), immutable: false }]]);
  const server = createHttpServer({ feed, stream, files, hostNames: ["fleet.example"] });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  opened.push({ close: () => server.closeAllConnections() }, { close: () => server.close() }, stream);
  const { port } = server.address() as AddressInfo;
  const ask = (path: string, options: { method?: string; host?: string } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { host: options.host ?? `127.0.0.1:${port}` };
      const call = request({ port, path, method: options.method ?? "GET", headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"] ?? "",
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      call.on("error", reject);
      call.end();
    });
  return { feed, stream, port, ask };
}

/** Messages of an open stream as they come in. */
async function openStream(port: number): Promise<{ next(): Promise<StreamMessage> }> {
  const response = await fetch(`http://127.0.0.1:${port}/api/stream`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) throw new Error("no body");
  opened.push({ close: () => reader.cancel().catch(() => undefined) });
  const pending = { text: "" };
  return {
    async next() {
      for (;;) {
        const end = pending.text.indexOf("\n\n");
        if (end < 0) {
          const { value, done } = await reader.read();
          if (done) throw new Error("the stream ended");
          pending.text += value;
          continue;
        }
        const block = pending.text.slice(0, end);
        pending.text = pending.text.slice(end + 2);
        const match = /^event: (.*)\ndata: (.*)$/.exec(block);
        if (match !== null) return { name: match[1], data: JSON.parse(match[2] ?? "") } as StreamMessage;
      }
    },
  };
}

test("the fleet, its events and the page are served", async () => {
  const { feed, ask } = await startServer();
  feed.heartbeat(heartbeatOf("r1", 4_000, [instanceState("r1", { state: "master" })]));
  feed.event(becameMaster("r1", { at: 4_500, version: 1 }));
  const fleet = JSON.parse((await ask("/api/fleet")).text);
  expect(fleet).toMatchObject({ groups: [{ verdict: "one-master", master: "r1" }], nodes: [{ node: "r1" }] });
  const events = JSON.parse((await ask("/api/events?limit=5")).text);
  expect(events.events).toMatchObject([
    { type: "became-master", sentence: expect.stringContaining("r1 became master") },
  ]);
  expect(await ask("/")).toEqual({ status: 200, type: "text/html", text: "<p>page" });
  expect(await ask("/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
});

test.each([
  ["/api/events?limit=0", 400],
  ["/api/events?limit=x", 400],
  ["/api/events?limit=999999999", 400],
  ["/api/nothing", 404],
  ["/../../etc/passwd", 404],
  ["//", 400],
])("%s is answered %i with an error as JSON", async (path, status) => {
  const { ask } = await startServer();
  const answer = await ask(path);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toHaveProperty("error");
});

test("nothing can be written", async () => {
  const { ask } = await startServer();
  expect((await ask("/api/fleet", { method: "POST" })).status).toBe(405);
  expect((await ask("/api/fleet", { method: "DELETE" })).status).toBe(405);
});

test("another site's name for this address is refused", async () => {
  const { ask } = await startServer();
  expect((await ask("/api/fleet", { host: "evil.example" })).status).toBe(403);
  expect((await ask("/api/fleet", { host: "fleet.example:80" })).status).toBe(200);
});

test.each([
  ["localhost:8080", true],
  ["[::1]:80", true],
  ["10.1.2.3", true],
  ["Fleet.Example", true],
  ["10.1.2.3.evil.example", false],
  [undefined, false],
])("host %s known: %s", (header, known) => expect(isKnownHost(header, ["fleet.example"])).toBe(known));

test("the stream begins with everything, then tells what changed and nothing else", async () => {
  const { feed, port } = await startServer();
  feed.heartbeat(heartbeatOf("r1", 4_000, [instanceState("r1")]));
  feed.heartbeat(heartbeatOf("r2", 4_000, [instanceState("r2")]));
  const stream = await openStream(port);
  expect(await stream.next()).toMatchObject({ name: "fleet", data: { nodes: [{}, {}], groups: [{ id: "51/VI_1" }] } });
  feed.heartbeat(heartbeatOf("r1", 4_200, [instanceState("r1")]));
  feed.event(becameMaster("r2", { at: 4_500, version: 1 }));
  expect(await stream.next()).toMatchObject({ name: "event", data: { type: "became-master", node: "r2" } });
  expect(await stream.next()).toMatchObject({ name: "group", data: { verdict: "one-master", master: "r2" } });
  feed.event(becameMaster("r2", { at: 4_500, version: 1 }));
  feed.heartbeat(heartbeatOf("r1", 4_600, []));
  feed.heartbeat(heartbeatOf("r2", 4_600, []));
  expect(await stream.next()).toMatchObject({ name: "group", data: { members: [{ node: "r2" }] } });
  expect(await stream.next()).toMatchObject({ name: "group-gone", data: { id: "51/VI_1" } });
});

test("a page that does not read is let go", async () => {
  const { feed, stream, port } = await startServer();
  const sleeper = request({ port, path: "/api/stream", headers: { host: `127.0.0.1:${port}` } });
  sleeper.on("error", () => undefined);
  await new Promise<void>((paused) => {
    sleeper.on("response", (response) => {
      response.pause();
      paused();
    });
    sleeper.end();
  });
  expect(stream.pages).toBe(1);
  for (let version = 1; version <= 60_000 && stream.pages > 0; version++) {
    feed.event(becameMaster("r1", { at: 4_000 + version, version }));
    if (version % 100 === 0) await new Promise((turn) => setImmediate(turn));
  }
  expect(stream.pages).toBe(0);
});

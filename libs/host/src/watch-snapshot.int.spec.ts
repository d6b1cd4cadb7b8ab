// Asking once, over a real socket.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregateState,
  type Counter,
  type WatchRequest,
  type WatchServiceServer,
  WatchServiceService,
  type WatchUpdate,
} from "@baton/contracts";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GrpcServer, serveGrpc } from "./grpc.ts";
import { askSnapshot } from "./watch-snapshot.ts";

type Call = ServerWritableStream<WatchRequest, WatchUpdate>;
const held: { directory: string; server?: GrpcServer } = { directory: "" };
const socket = (): string => join(held.directory, "dataplane.sock");
const ask = (timeoutMs = 5_000) => askSnapshot({ socket: socket(), consumer: "test", timeoutMs });

beforeEach(() => {
  held.directory = mkdtempSync(join(tmpdir(), "baton-ask-"));
});
afterEach(async () => {
  await held.server?.close();
  delete held.server;
  rmSync(held.directory, { recursive: true, force: true });
});

async function serve(watch: (call: Call) => void): Promise<void> {
  const implementation: WatchServiceServer = { watch };
  held.server = await serveGrpc(socket(), [{ definition: WatchServiceService, implementation: { ...implementation } }]);
}

const state: AggregateState = {
  kind: "address",
  id: "VI_1",
  version: 3,
  state: { $case: "addresses", value: { instance: "VI_1", term: 4, lease: "held", addresses: [], routing: [] } },
};

const counter: Counter = { name: "vrrp_adverts_total", labels: { instance: "VI_1" }, value: 7 };

test("the states of the snapshot and the counters of the pulse, and the stream is let go", async () => {
  const consumers: string[] = [];
  let cancelled = 0;
  await serve((call) => {
    consumers.push(call.request.consumer);
    call.on("cancelled", () => cancelled++);
    call.write({ update: { $case: "snapshot", value: { service: "dataplane", epoch: 1, aggregates: [state] } } });
    call.write({ update: { $case: "pulse", value: { epoch: 1, versions: [], counters: [counter] } } });
  });
  expect(await ask()).toEqual({ states: [state], counters: [counter] });
  expect(consumers).toEqual(["test"]);
  await expect.poll(() => cancelled).toBe(1);
});

test("nobody there is no answer, at once", async () => {
  const before = Date.now();
  expect(await ask(20_000)).toBeUndefined();
  expect(Date.now() - before).toBeLessThan(10_000);
});

test.each([
  ["one that says nothing", () => undefined],
  ["one that ends the stream", (call: Call) => call.end()],
  [
    "one that tells no counters",
    (call: Call) =>
      call.end({ update: { $case: "snapshot", value: { service: "dataplane", epoch: 1, aggregates: [] } } }),
  ],
  ["one that begins with something else", (call: Call) => call.write({ update: undefined })],
])("%s is no answer", async (_name, watch) => {
  await serve(watch);
  expect(await ask(300)).toBeUndefined();
});

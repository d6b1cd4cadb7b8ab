// Health with virtual servers, and real servers of every mood on loopback: what it says of them, what it knows after a
// reload and after it was killed, and what operators take out.
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type DrainResult, HealthServiceService } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import type { ConfigSnapshot, Settings } from "@baton/host";
import { createTestHost, type TestHost } from "@baton/host/testing";
import { configOf } from "@baton/keepalived-conf/testing";
import { scriptEnvironment } from "@baton/script";
import { afterEach, expect, test, vi } from "vitest";
import { type Health, runHealth } from "../run-health.ts";
import { memoryFile, memoryRecord, realClock, snapshotOf } from "../testing/fixtures.ts";

interface Node {
  readonly host: TestHost;
  readonly health: Health;
  readonly known: ReturnType<typeof memoryFile>;
  readonly drained: ReturnType<typeof memoryFile>;
}

const running: Health[] = [];
const servers: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];
afterEach(async () => {
  for (const health of running.splice(0)) await health.stop();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
});

let generation = 1;
const configured = (text: string, settings: Partial<Settings> = {}): ConfigSnapshot =>
  snapshotOf(configOf(text), generation++, settings);

async function start(snapshot: ConfigSnapshot, before: { known?: string; drained?: string } = {}): Promise<Node> {
  const host = createTestHost({ service: "health", clock: realClock, config: snapshot });
  const known = memoryFile(before.known);
  const drained = memoryFile(before.drained);
  const health = await runHealth({
    host,
    record: memoryRecord(),
    environment: scriptEnvironment({ PATH: process.env.PATH }),
    lookup: () => undefined,
    own: { uid: 0, gid: 0 },
    kept: { known, drained },
    boot: "this one",
    wall: Date.now,
  });
  await host.serveWatch(health);
  running.push(health);
  return { host, health, known, drained };
}

/** What a killed process leaves: its files as they are at this moment. */
async function kill({ health, known, drained }: Node): Promise<{ known?: string; drained?: string }> {
  const left = { ...(known.text && { known: known.text }), ...(drained.text && { drained: drained.text }) };
  await health.stop();
  running.splice(running.indexOf(health), 1);
  return left;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  servers.push({ server, sockets });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
const closed = async (): Promise<number> => {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
};

const service = (servers: readonly string[], more = ""): string => `
virtual_server 192.0.2.1 80 {
  delay_loop 0.1
  delay_before_retry 0.05
  warmup 0
  connect_timeout 0.3
  protocol TCP
  ${more}
  ${servers.join("\n")}
}
`;
const server = (port: number, checker = "TCP_CHECK { }", more = ""): string =>
  `real_server 127.0.0.1 ${port} { ${more}\n weight 1\n ${checker.replaceAll("; ", "\n")} }`
    .replaceAll("{ ", "{\n")
    .replaceAll(" }", "\n}");

const name = "[192.0.2.1]:tcp:80";
const ofPool = ({ host }: Node): EventEnvelope[] =>
  host.appended.filter(({ aggregate }) => aggregate.kind === "virtual-server");
const ofChecks = ({ host }: Node): EventEnvelope[] =>
  host.appended.filter(({ aggregate }) => aggregate.kind === "checker");
function pool({ host }: Node) {
  const state = host.states().find(({ id }) => id === name)?.state;
  if (state?.$case !== "virtualServer") throw new Error("no such virtual server");
  return state.value;
}
const destinations = (node: Node): Record<string, number> =>
  Object.fromEntries(pool(node).destinations.map(({ server: each, weight }) => [each, weight]));
function checkers({ host }: Node) {
  return host.states().flatMap(({ state }) => (state?.$case === "checker" ? [state.value] : []));
}

test("a server that goes down is a story: the check, the server, the quorum, who is in the service", async () => {
  const listener = createServer();
  const port = await listen(listener);
  const sorry = "sorry_server 127.0.0.1 9";
  const node = await start(configured(service([server(port, "TCP_CHECK { retry 2 }")], sorry)));
  expect(destinations(node)).toEqual({ [`127.0.0.1:${port}`]: 1 });
  await vi.waitFor(() => expect(checkers(node)[0]).toMatchObject({ status: "up", runs: expect.any(Number) }));
  const before = node.host.appended.length;
  for (const { sockets } of servers) for (const socket of sockets) socket.destroy();
  listener.close();
  await vi.waitFor(() => expect(destinations(node)).toEqual({ "127.0.0.1:9": 1 }));
  const story = node.host.appended.slice(before);
  expect(story.map(({ event }) => event.type)).toEqual([
    "check-failed",
    "realserver-down",
    "quorum-lost",
    "sorry-server-added",
    "destinations-changed",
  ]);
  // Two retries, and the third failure in a row decides.
  expect(story[0]?.event.data).toMatchObject({ attempt: 3, reason: "refused", errno: "ECONNREFUSED" });
  const [first, ...others] = story;
  for (const [index, each] of others.entries()) expect(each.causationId).toBe(story[index]?.id);
  for (const each of others) expect(each.correlationId).toBe(first?.id);
  expect(node.host.spans.some(({ name: span }) => span === "check.run")).toBe(true);
  listener.listen(port, "127.0.0.1");
  await vi.waitFor(() => expect(destinations(node)).toEqual({ [`127.0.0.1:${port}`]: 1 }));
  expect(pool(node)).toMatchObject({ quorumUp: true, sorry: false });
});

test("whatever is wrong with a server: what the check says, and that it is out", async () => {
  const silent = createServer(() => undefined);
  const resetting = createServer((socket) => socket.resetAndDestroy());
  const half = createServer((socket) => socket.write("HTTP/1.1 200 OK\r\nConte"));
  const wrong = createHttpServer((_request, response) => response.writeHead(503).end("overloaded"));
  const slow = createHttpServer((_request, response) => setTimeout(() => response.end("late"), 100).unref());
  const get = "HTTP_GET { url { path /; status_code 200 } }";
  const ports = {
    silent: await listen(silent),
    reset: await listen(resetting),
    half: await listen(half),
    wrong: await listen(wrong),
    slow: await listen(slow),
    refused: await closed(),
  };
  const node = await start(configured(service(Object.values(ports).map((port) => server(port, get)))));
  await vi.waitFor(() => expect(destinations(node)).toEqual({ [`127.0.0.1:${ports.slow}`]: 1 }));
  await vi.waitFor(() => expect(checkers(node).every(({ status }) => status !== "unknown")).toBe(true));
  const reasons = ofChecks(node).flatMap(({ event }) =>
    event.type === "check-failed" ? [[event.data.check, event.data.reason]] : [],
  );
  const of = (port: number) => `HTTP_GET 127.0.0.1:${port}/`;
  expect(Object.fromEntries(reasons)).toEqual({
    [of(ports.silent)]: "timeout",
    [of(ports.reset)]: "reset",
    [of(ports.half)]: "timeout",
    [of(ports.wrong)]: "wrong-status",
    [of(ports.refused)]: "refused",
  });
  const failed = ofChecks(node).find(({ event }) => event.type === "check-failed" && event.data.status === 503);
  expect(failed?.event.data).toMatchObject({ attempt: 1, excerpt: "overloaded" });
});

test("one prober for a check that several servers share", async () => {
  let connections = 0;
  const port = await listen(createServer(() => connections++));
  const virtual = (mark: number) =>
    `virtual_server fwmark ${mark} {
       delay_loop 0.1
       warmup 0
       real_server 127.0.0.1 0 { }
       real_server 127.0.0.2 0 {
         TCP_CHECK {
           connect_ip 127.0.0.1
           connect_port ${port}
         }
       }
       protocol TCP
     }`.replace("{ }", "{\n}");
  const node = await start(configured([5, 6, 7].map(virtual).join("\n")));
  await vi.waitFor(() => expect(checkers(node)).toMatchObject([{ status: "up", shared: 3 }]));
  await vi.waitFor(() => expect(checkers(node)[0]?.runs).toBeGreaterThan(3));
  expect(connections).toBeLessThanOrEqual((checkers(node)[0]?.runs ?? 0) + 1);
});

test("a reload carries over what is known, and starts and ends only what is new and gone", async () => {
  const [up, other] = [await listen(createServer()), await listen(createServer())];
  const down = await closed();
  const node = await start(configured(service([server(up), server(down)])));
  await vi.waitFor(() => expect(destinations(node)).toEqual({ [`127.0.0.1:${up}`]: 1 }));
  await vi.waitFor(() => expect(checkers(node).every(({ runs }) => runs > 2)).toBe(true));
  const runs = checkers(node).map((each) => each.runs);
  const before = node.host.appended.length;
  node.host.applyConfig(configured(service([server(up), server(down, "TCP_CHECK { retry 3 }")])));
  expect(node.host.appended.length).toBe(before);
  expect(checkers(node).every((each, index) => each.runs >= (runs[index] ?? 0))).toBe(true);
  node.host.applyConfig(configured(service([server(up), server(other)])));
  expect(node.host.appended.slice(before).map(({ event }) => event)).toEqual([
    expect.objectContaining({ type: "realserver-up", data: expect.objectContaining({ server: `127.0.0.1:${other}` }) }),
    {
      type: "destinations-changed",
      data: { virtualServer: name, set: [{ server: `127.0.0.1:${other}`, role: "real", weight: 1 }], removed: [] },
    },
  ]);
  expect(checkers(node).map((each) => each.name)).toEqual([
    `TCP_CHECK 127.0.0.1:${up}`,
    `TCP_CHECK 127.0.0.1:${other}`,
  ]);
  node.host.applyConfig(configured("vrrp_instance VI_1 {\n interface lo\n virtual_router_id 5\n}\n"));
  expect(
    ofPool(node)
      .slice(-4)
      .map(({ event }) => event.type),
  ).toEqual(["realserver-down", "realserver-down", "quorum-lost", "destinations-changed"]);
  expect(node.host.states().filter(({ kind }) => kind !== "tracker")).toEqual([]);
});

test("a killed health flaps nobody", async () => {
  const up = await listen(createServer());
  const down = await closed();
  const text = service([server(up, "TCP_CHECK { alpha }"), server(down)]);
  const first = await start(configured(text));
  await vi.waitFor(() => expect(destinations(first)).toEqual({ [`127.0.0.1:${up}`]: 1 }));
  await vi.waitFor(() => expect(checkers(first).every(({ status }) => status !== "unknown")).toBe(true));
  const left = await kill(first);
  const second = await start(configured(text), left);
  expect(destinations(second)).toEqual({ [`127.0.0.1:${up}`]: 1 });
  expect(checkers(second).map(({ status }) => status)).toEqual(["up", "down"]);
  await vi.waitFor(() => expect(checkers(second).every(({ runs }) => runs > 2)).toBe(true));
  expect([...ofPool(second), ...ofChecks(second)]).toEqual([]);
});

const order = (node: Node, request: object): Promise<DrainResult> =>
  new Promise((resolve, reject) => {
    const { definition, implementation } = node.health.drainService;
    expect(definition).toBe(HealthServiceService);
    const drain = implementation.drain as unknown as (
      call: { request: object },
      done: (error: unknown, result?: DrainResult) => void,
    ) => void;
    drain({ request: { virtualServer: "", deadlineMs: 0, undo: false, ...request } }, (error, result) =>
      result === undefined ? reject(error) : resolve(result),
    );
  });

test("an operator takes a server out: until it is idle, across a kill, and undone", async () => {
  const [a, b] = [await listen(createServer()), await listen(createServer())];
  const text = service([server(a), server(b)]);
  const first = await start(configured(text));
  const drained = { virtualServer: name, server: `127.0.0.1:${a}` };
  expect(await order(first, { server: "127.0.0.9" })).toEqual({ drained: [] });
  expect(await order(first, { server: `127.0.0.1:${a}` })).toEqual({ drained: [{ ...drained, drain: "draining" }] });
  expect(destinations(first)).toEqual({ [`127.0.0.1:${a}`]: 0, [`127.0.0.1:${b}`]: 1 });
  const told = first.host.appended.length;
  await order(first, { server: `127.0.0.1:${a}` });
  expect(first.host.appended.length).toBe(told);
  const left = await kill(first);
  const second = await start(configured(text), left);
  expect(ofPool(second)).toEqual([]);
  expect(destinations(second)).toEqual({ [`127.0.0.1:${a}`]: 0, [`127.0.0.1:${b}`]: 1 });
  const balancer = second.host.play("balancer");
  balancer.states([]);
  balancer.append(
    { kind: "balancer", id: "ipvs" },
    { type: "server-idle", data: { engine: "ipvs", virtualServer: name, server: drained.server } },
  );
  await vi.waitFor(() => expect(destinations(second)).toEqual({ [`127.0.0.1:${b}`]: 1 }));
  expect(ofPool(second).map(({ event }) => event)).toEqual([
    { type: "drain-finished", data: { ...drained, reason: "idle" } },
    { type: "destinations-changed", data: { virtualServer: name, set: [], removed: [drained.server] } },
  ]);
  // Baton as a whole is started anew: nothing is known of checks, and the server stays out.
  const { drained: kept } = await kill(second);
  const third = await start(configured(text), { ...(kept === undefined ? {} : { drained: kept }) });
  expect(destinations(third)).toEqual({ [`127.0.0.1:${b}`]: 1 });
  expect(await order(third, { server: "127.0.0.1", undo: true })).toMatchObject({
    drained: [{ drain: "none" }, { drain: "none" }],
  });
  expect(destinations(third)).toEqual({ [`127.0.0.1:${a}`]: 1, [`127.0.0.1:${b}`]: 1 });
  expect(JSON.parse(third.drained.text ?? "")).toMatchObject({ drains: [] });
});

test("a drain has an end of its own", async () => {
  const [a, b] = [await listen(createServer()), await listen(createServer())];
  const node = await start(configured(service([server(a), server(b)])));
  await order(node, { server: `127.0.0.1:${a}`, deadlineMs: 100 });
  await vi.waitFor(() => expect(destinations(node)).toEqual({ [`127.0.0.1:${b}`]: 1 }));
  expect(ofPool(node).at(-2)?.event).toEqual({
    type: "drain-finished",
    data: { virtualServer: name, server: `127.0.0.1:${a}`, reason: "deadline" },
  });
  const types = ofPool(node).slice(-4);
  expect(types.map(({ event }) => event.type)).toEqual([
    "drain-started",
    "destinations-changed",
    "drain-finished",
    "destinations-changed",
  ]);
  expect(types[2]?.causationId).toBe(types[0]?.id);
});

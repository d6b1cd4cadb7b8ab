// Health with virtual servers, and real servers of every mood on loopback: what it says of them, what it knows after a
// reload and after it was killed, and what operators take out.
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { makeCheckedNodes, serviceName as name, realServer, service } from "../testing/checked-node.ts";

const nodes = makeCheckedNodes();
const { start, listen, closedPort: closed } = nodes;
afterEach(() => nodes.clear());
const server = (port: number, checker?: string, lines?: string): string =>
  realServer("127.0.0.1", port, checker, lines);

test("a server that goes down is a story: the check, the server, the quorum, who is in the service", async () => {
  const listener = createServer();
  const port = await listen(listener);
  const sorry = "sorry_server 127.0.0.1 9";
  const node = await start(service([server(port, "TCP_CHECK { retry 2 }")], sorry));
  expect(node.destinations()).toEqual({ [`127.0.0.1:${port}`]: 1 });
  await vi.waitFor(() => expect(node.checkers()[0]).toMatchObject({ status: "up", runs: expect.any(Number) }));
  const before = node.host.appended.length;
  await new Promise((resolve) => listener.close(resolve));
  await vi.waitFor(() => expect(node.destinations()).toEqual({ "127.0.0.1:9": 1 }));
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
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [`127.0.0.1:${port}`]: 1 }));
  expect(node.pool()).toMatchObject({ quorumUp: true, sorry: false });
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
  const node = await start(service(Object.values(ports).map((port) => server(port, get))));
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [`127.0.0.1:${ports.slow}`]: 1 }));
  await vi.waitFor(() => expect(node.checkers().every(({ status }) => status !== "unknown")).toBe(true));
  const reasons = node
    .events("checker")
    .flatMap(({ event }) => (event.type === "check-failed" ? [[event.data.check, event.data.reason]] : []));
  const of = (port: number) => `HTTP_GET 127.0.0.1:${port}/`;
  expect(Object.fromEntries(reasons)).toEqual({
    [of(ports.silent)]: "timeout",
    [of(ports.reset)]: "reset",
    [of(ports.half)]: "timeout",
    [of(ports.wrong)]: "wrong-status",
    [of(ports.refused)]: "refused",
  });
  const failed = node.events("checker").find(({ event }) => event.type === "check-failed" && event.data.status === 503);
  expect(failed?.event.data).toMatchObject({ attempt: 1, excerpt: "overloaded" });
});

test("at a start the first failure decides, whatever the retries; SMTP_CHECK alone makes them", async () => {
  const port = await closed();
  const url = "url { path / }";
  const rows: readonly [string, number][] = [
    ["TCP_CHECK { retry 3 }", 1],
    [`HTTP_GET { retry 3; ${url} }`, 1],
    [`SSL_GET { retry 3; ${url} }`, 1],
    ["UDP_CHECK { retry 3 }", 1],
    ["DNS_CHECK { }", 1],
    ["MISC_CHECK { misc_path /bin/false; misc_timeout 5; retry 3 }", 1],
    ["SMTP_CHECK { retry 2 }", 3],
    // Without a number of its own it has one.
    ["SMTP_CHECK { }", 2],
  ];
  const servers = rows.map(([check], index) => realServer(`127.0.0.${index + 1}`, port, check));
  const node = await start(service(servers));
  await vi.waitFor(() => expect(node.destinations()).toEqual({}));
  const attempts = node
    .events("virtual-server")
    .flatMap(({ event, causationId }) => (event.type === "realserver-down" ? [[event.data.server, causationId]] : []))
    .map(([down, cause]) => {
      const failed = node.events("checker").find(({ id }) => id === cause)?.event;
      return [down, failed?.type === "check-failed" ? failed.data.attempt : undefined];
    });
  expect(attempts.toSorted()).toEqual(rows.map(([, attempt], index) => [`127.0.0.${index + 1}:${port}`, attempt]));
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
  const node = await start([5, 6, 7].map(virtual).join("\n"));
  await vi.waitFor(() => expect(node.checkers()).toMatchObject([{ status: "up", shared: 3 }]));
  await vi.waitFor(() => expect(node.checkers()[0]?.runs).toBeGreaterThan(3));
  expect(connections).toBeLessThanOrEqual((node.checkers()[0]?.runs ?? 0) + 1);
});

test("a reload carries over what is known, and starts and ends only what is new and gone", async () => {
  const [up, other] = [await listen(createServer()), await listen(createServer())];
  const down = await closed();
  const node = await start(service([server(up), server(down)]));
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [`127.0.0.1:${up}`]: 1 }));
  await vi.waitFor(() => expect(node.checkers().every(({ runs }) => runs > 2)).toBe(true));
  const runs = node.checkers().map((each) => each.runs);
  const before = node.host.appended.length;
  node.reload(service([server(up), server(down, "TCP_CHECK { retry 3 }")]));
  expect(node.host.appended.length).toBe(before);
  expect(node.checkers().every((each, index) => each.runs >= (runs[index] ?? 0))).toBe(true);
  node.reload(service([server(up), server(other)]));
  expect(node.host.appended.slice(before).map(({ event }) => event)).toEqual([
    expect.objectContaining({ type: "realserver-up", data: expect.objectContaining({ server: `127.0.0.1:${other}` }) }),
    {
      type: "destinations-changed",
      data: { virtualServer: name, set: [{ server: `127.0.0.1:${other}`, role: "real", weight: 1 }], removed: [] },
    },
  ]);
  expect(node.checkers().map((each) => each.name)).toEqual([
    `TCP_CHECK 127.0.0.1:${up}`,
    `TCP_CHECK 127.0.0.1:${other}`,
  ]);
  node.reload("vrrp_instance VI_1 {\n interface lo\n virtual_router_id 5\n}\n");
  expect(
    node
      .events("virtual-server")
      .slice(-3)
      .map(({ event }) => event.type),
  ).toEqual(["realserver-down", "realserver-down", "quorum-lost"]);
  expect(node.host.states().filter(({ kind }) => kind !== "tracker")).toEqual([]);
});

test("a program of a user who is not there: the server stays, and somebody says why", async () => {
  const check = "MISC_CHECK { misc_path /bin/false; user nobody-has-this-name }";
  const node = await start(service([server(9, check)]));
  const why = "cannot be tried: spawn there is no user nobody-has-this-name";
  await vi.waitFor(() => expect(node.checkers()).toMatchObject([{ status: "unknown", lastFailure: why }]));
  await vi.waitFor(() => expect(node.checkers()[0]?.runs).toBeGreaterThan(2));
  expect(node.destinations()).toEqual({ "127.0.0.1:9": 1 });
  const lines = node.host.lines.filter(({ message }) => message.includes("nobody-has-this-name"));
  expect(lines.map(({ level }) => level)).toEqual(["error"]);
});

test("a killed health flaps nobody", async () => {
  const up = await listen(createServer());
  const down = await closed();
  const text = service([server(up, "TCP_CHECK { alpha }"), server(down)]);
  const first = await start(text);
  await vi.waitFor(() => expect(first.destinations()).toEqual({ [`127.0.0.1:${up}`]: 1 }));
  await vi.waitFor(() => expect(first.checkers().every(({ status }) => status !== "unknown")).toBe(true));
  const left = await first.kill();
  const second = await start(text, left);
  expect(second.destinations()).toEqual({ [`127.0.0.1:${up}`]: 1 });
  expect(second.checkers().map(({ status }) => status)).toEqual(["up", "down"]);
  await vi.waitFor(() => expect(second.checkers().every(({ runs }) => runs > 2)).toBe(true));
  expect([...second.events("virtual-server"), ...second.events("checker")]).toEqual([]);
});

test("a killed health comes back to other times: nobody flaps", async () => {
  const up = await listen(createServer());
  const down = await closed();
  const text = service([server(up, "TCP_CHECK { alpha }"), server(down)]);
  const first = await start(text);
  await vi.waitFor(() => expect(first.destinations()).toEqual({ [`127.0.0.1:${up}`]: 1 }));
  await vi.waitFor(() => expect(first.checkers().map(({ status }) => status)).toEqual(["up", "down"]));
  const second = await start(text.replace("delay_loop 0.1", "delay_loop 5"), await first.kill());
  expect(second.destinations()).toEqual({ [`127.0.0.1:${up}`]: 1 });
  expect(second.checkers().map(({ status }) => status)).toEqual(["up", "down"]);
  expect(second.host.appended).toEqual([]);
});

test("killed after a reload that took a server away: its end is told once", async () => {
  const [steady, gone] = [await listen(createServer()), await listen(createServer())];
  const first = await start(service([server(steady), server(gone)]));
  await vi.waitFor(() => expect(first.checkers().every(({ status }) => status === "up")).toBe(true));
  const text = service([server(steady)]);
  first.reload(text);
  const second = await start(text, await first.kill());
  expect(second.destinations()).toEqual({ [`127.0.0.1:${steady}`]: 1 });
  expect(second.host.appended).toEqual([]);
});

test("killed with its last events: they happen again, and those that were told do not", async () => {
  const steady = await listen(createServer());
  const listener = createServer();
  const port = await listen(listener);
  const text = service([server(steady), server(port)], "quorum 2");
  const first = await start(text);
  await vi.waitFor(() => expect(first.checkers().every(({ status }) => status === "up")).toBe(true));
  const before = first.host.appended.length;
  await new Promise((resolve) => listener.close(resolve));
  await vi.waitFor(() => expect(first.destinations()).toEqual({ [`127.0.0.1:${steady}`]: 1 }));
  const story = first.host.appended.slice(before).map(({ event }) => event.type);
  expect(story).toEqual(["check-failed", "realserver-down", "quorum-lost", "destinations-changed"]);
  const left = await first.kill();
  const told = (left.told ?? []).filter((each) => !first.host.appended.slice(before).includes(each));
  // The log is ahead of the events, and only what has been told is known.
  const second = await start(text, { ...left, told });
  expect(second.pool()).toMatchObject({ quorumUp: true });
  await vi.waitFor(() => expect(second.destinations()).toEqual({ [`127.0.0.1:${steady}`]: 1 }));
  expect(second.host.appended.map(({ event }) => event.type)).toEqual(story);
  const third = await start(text, await second.kill());
  await vi.waitFor(() => expect(third.checkers().every(({ runs }) => runs > 2)).toBe(true));
  expect([...third.events("virtual-server"), ...third.events("checker")]).toEqual([]);
});

test("an operator takes a server out: until it is idle, across a kill, and undone", async () => {
  const [a, b] = [await listen(createServer()), await listen(createServer())];
  const text = service([server(a), server(b)]);
  const first = await start(text);
  const drained = { virtualServer: name, server: `127.0.0.1:${a}` };
  expect(await first.drain({ server: "127.0.0.9" })).toEqual({ drained: [] });
  expect(await first.drain({ server: `127.0.0.1:${a}` })).toEqual({ drained: [{ ...drained, drain: "draining" }] });
  expect(first.destinations()).toEqual({ [`127.0.0.1:${a}`]: 0, [`127.0.0.1:${b}`]: 1 });
  const told = first.host.appended.length;
  await first.drain({ server: `127.0.0.1:${a}` });
  expect(first.host.appended.length).toBe(told);
  const left = await first.kill();
  const second = await start(text, left);
  expect(second.events("virtual-server")).toEqual([]);
  expect(second.destinations()).toEqual({ [`127.0.0.1:${a}`]: 0, [`127.0.0.1:${b}`]: 1 });
  const balancer = second.host.play("balancer");
  balancer.states([]);
  balancer.append(
    { kind: "balancer", id: "ipvs" },
    { type: "server-idle", data: { engine: "ipvs", virtualServer: name, server: drained.server } },
  );
  await vi.waitFor(() => expect(second.destinations()).toEqual({ [`127.0.0.1:${b}`]: 1 }));
  expect(second.events("virtual-server").map(({ event }) => event)).toEqual([
    { type: "drain-finished", data: { ...drained, reason: "idle" } },
    { type: "destinations-changed", data: { virtualServer: name, set: [], removed: [drained.server] } },
  ]);
  // Baton as a whole is started anew: nothing is known of checks, and the server stays out.
  const { drained: kept } = await second.kill();
  const third = await start(text, { drained: kept });
  expect(third.destinations()).toEqual({ [`127.0.0.1:${b}`]: 1 });
  expect(await third.drain({ server: "127.0.0.1", undo: true })).toMatchObject({
    drained: [{ drain: "none" }, { drain: "none" }],
  });
  expect(third.destinations()).toEqual({ [`127.0.0.1:${a}`]: 1, [`127.0.0.1:${b}`]: 1 });
  expect(JSON.parse((await third.kill()).drained ?? "")).toMatchObject({ drains: [] });
});

test("a drain is forgotten by a start without its server, also where there is nothing to check", async () => {
  const port = await listen(createServer());
  const text = service([server(port)]);
  const first = await start(text);
  await first.drain({ server: `127.0.0.1:${port}` });
  const second = await start("", { drained: (await first.kill()).drained });
  expect(second.events("virtual-server").map(({ event }) => event.type)).toEqual(["drain-undone"]);
  second.reload(text);
  expect(second.destinations()).toEqual({ [`127.0.0.1:${port}`]: 1 });
  expect(JSON.parse((await second.kill()).drained ?? "")).toMatchObject({ drains: [] });
});

test("a drain has an end of its own", async () => {
  const [a, b] = [await listen(createServer()), await listen(createServer())];
  const node = await start(service([server(a), server(b)]));
  await node.drain({ server: `127.0.0.1:${a}`, deadlineMs: 100 });
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [`127.0.0.1:${b}`]: 1 }));
  expect(node.events("virtual-server").at(-2)?.event).toEqual({
    type: "drain-finished",
    data: { virtualServer: name, server: `127.0.0.1:${a}`, reason: "deadline" },
  });
  const types = node.events("virtual-server").slice(-4);
  expect(types.map(({ event }) => event.type)).toEqual([
    "drain-started",
    "destinations-changed",
    "drain-finished",
    "destinations-changed",
  ]);
  expect(types[2]?.causationId).toBe(types[0]?.id);
});

test("slow start: who comes back gets its weight in tenths, each told as what changes", async () => {
  const steady = await listen();
  const listener = createServer();
  const port = await listen(listener);
  const text = service([server(steady, "TCP_CHECK { }", "weight 10"), server(port, "TCP_CHECK { }", "weight 10")]);
  const node = await start(text, {}, { checks: { slowStartSeconds: 0.5 } });
  await vi.waitFor(() => expect(node.checkers().every(({ status }) => status === "up")).toBe(true));
  await new Promise((resolve) => listener.close(resolve));
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [`127.0.0.1:${steady}`]: 10 }));
  const before = node.host.appended.length;
  await listen(listener, port);
  await vi.waitFor(() => expect(node.destinations()[`127.0.0.1:${port}`]).toBe(10));
  const changes = node.host.appended
    .slice(before)
    .flatMap(({ event }) => (event.type === "destinations-changed" ? [event.data] : []));
  // A busy machine may step over some tenths, never back.
  const weights = changes.flatMap(({ set }) => set.map(({ weight }) => weight));
  expect(weights[0]).toBe(1);
  expect(weights).toEqual([...new Set(weights)].toSorted((a, b) => a - b));
  expect(weights.length).toBeGreaterThan(2);
  for (const { set, removed } of changes)
    expect([set.map((each) => each.server), removed]).toEqual([[`127.0.0.1:${port}`], []]);
});

test("panic guard: the last server stays when it fails, also across a kill", async () => {
  const listener = createServer();
  const port = await listen(listener);
  const node = await start(service([server(port)]), {}, { checks: { panicGuard: true } });
  await vi.waitFor(() => expect(node.checkers()[0]?.status).toBe("up"));
  await new Promise((resolve) => listener.close(resolve));
  await vi.waitFor(() => expect(node.pool()).toMatchObject({ held: `127.0.0.1:${port}`, quorumUp: false }));
  expect(node.destinations()).toEqual({ [`127.0.0.1:${port}`]: 1 });
  // A killed process has not forgotten it.
  const second = await start(service([server(port)]), await node.kill(), { checks: { panicGuard: true } });
  expect(second.pool().held).toBe(`127.0.0.1:${port}`);
  expect(second.destinations()).toEqual({ [`127.0.0.1:${port}`]: 1 });
});

// The shell with the kernel's own nftables and real connections, all on the loopback of one network namespace.

import { execFileSync } from "node:child_process";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AggregateState } from "@baton/contracts";
import { type IpAddress, parseIp } from "@baton/domain";
import { defaultSettings } from "@baton/host";
import { createTestHost } from "@baton/host/testing";
import { bootNow, listNft, openConnectionCounter, runNft, wallMicros } from "@baton/linux";
import { makeNamespace, type Namespace } from "@baton/linux/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { openEngine } from "../choose-engine.ts";
import { openOwnFile } from "../own-file.ts";
import { type Balancer, runBalancer } from "../run-balancer.ts";
import { configOf, pool, virtualServer } from "../testing/rig.ts";

const name = "[192.0.2.1]:tcp:80";
const udpName = "[192.0.2.1]:udp:80";
const parts = {} as {
  namespace: Namespace;
  leave: () => void;
  servers: readonly (Server | UdpSocket)[];
  directory: string;
};
const open: Socket[] = [];

/** Says who it is, and then nothing. */
async function serve(number: number): Promise<Server> {
  const server = createServer((socket) => {
    open.push(socket.on("error", () => undefined));
    socket.write(String(number));
  });
  server.listen(80, `10.0.0.${number}`);
  await once(server, "listening");
  return server;
}

async function serveUdp(number: number): Promise<UdpSocket> {
  const server = createSocket("udp4");
  server.on("message", (_, { port, address }) => server.send(String(number), port, address));
  server.bind(80, `10.0.0.${number}`);
  await once(server, "listening");
  return server;
}

beforeAll(async () => {
  const namespace = makeNamespace("lbn");
  for (const each of ["192.0.2.1", "192.0.2.8", "192.0.2.9", "10.0.0.1", "10.0.0.2"]) {
    namespace.ip("address", "add", `${each}/32`, "dev", "lo");
  }
  const leave = namespace.enter();
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  Object.assign(parts, {
    namespace,
    leave,
    servers: [await serve(1), await serve(2), await serveUdp(1), await serveUdp(2)],
  });
});
afterAll(() => {
  for (const server of parts.servers) server.close();
  parts.leave();
  parts.namespace.remove();
});
beforeEach(() => {
  parts.directory = mkdtempSync(join(tmpdir(), "baton-nftables-"));
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  rmSync(parts.directory, { recursive: true, force: true });
});

const told = (...given: Parameters<typeof pool>): AggregateState => ({
  kind: "virtual-server",
  id: given[0],
  version: 0,
  state: { $case: "virtualServer", value: pool(...given) },
});

async function start(restarts = 0, lines = "", keepsAtStop = false) {
  const clock = { now: bootNow, wall: wallMicros, set: () => undefined, advance: () => undefined };
  const config = {
    generation: 1,
    hash: "",
    file: "keepalived.conf",
    appliedAt: "",
    config: configOf(`${lines}\n${virtualServer("192.0.2.1 80", [1, 2])}`),
    settings: { ...defaultSettings, loadBalancer: "nftables" as const },
  };
  const host = createTestHost({ service: "balancer", clock, config, env: { restarts } });
  const health = host.play("health");
  const file = openOwnFile(join(parts.directory, "balancer.own"));
  const timing = { lookEveryMs: 50, drainEveryMs: 50 };
  const balancer: Balancer = await runBalancer({ host, open: openEngine, file, keepsAtStop, ...timing });
  await host.serveWatch(balancer);
  return { host, health, balancer, types: () => host.appended.map(({ event }) => event.type) };
}

/** Who answers; the connection stays. */
async function ask(): Promise<{ readonly server: string; readonly socket: Socket }> {
  const socket = connect({ host: "192.0.2.1", port: 80 });
  open.push(socket.on("error", () => undefined));
  const [data] = await once(socket, "data");
  return { server: String(data), socket };
}

const answersOf = async (count: number): Promise<string[]> => {
  const servers: string[] = [];
  for (let i = 0; i < count; i++) {
    const { server, socket } = await ask();
    socket.destroy();
    servers.push(server);
  }
  return servers.toSorted();
};

const rules = (): unknown => listNft(["list", "table", "ip", "baton_lb"], "look");
const rulesText = (): string => JSON.stringify(rules());

test("servers take turns; who is drained keeps its connections and gets no more, and is told of when they have ended", async () => {
  const { host, health, balancer, types } = await start();
  health.states([told(name, { 1: 1, 2: 1 })]);
  await vi.waitFor(() => expect(rules()).toBeDefined());
  expect(await answersOf(10)).toEqual([..."1111122222"]);
  const first = await ask();
  const held = first.server === "2" ? first : await ask();
  expect(held.server).toBe("2");

  health.states([told(name, { 1: 1, 2: 0 }, [2])]);
  await vi.waitFor(async () => expect(await answersOf(6)).toEqual([..."111111"]));
  const questions = vi.spyOn(host, "now");
  await vi.waitFor(() => expect(questions.mock.calls.length).toBeGreaterThan(50));
  expect(types()).not.toContain("server-idle");
  expect(held.socket.destroyed).toBe(false);

  held.socket.destroy();
  for (const socket of open.splice(0)) socket.destroy();
  await vi.waitFor(() => expect(types()).toContain("server-idle"), { timeout: 10_000 });
  expect(host.appended.findLast(({ event }) => event.type === "server-idle")?.event.data).toEqual({
    engine: "nftables",
    virtualServer: name,
    server: "10.0.0.2:80",
  });
  await balancer.stop("test");
  await expect(ask()).rejects.toThrow();
});

test("what somebody takes away is put back; a successor of a killed process touches nothing", async () => {
  const killed = await start();
  killed.health.states([told(name, { 1: 1 })]);
  await vi.waitFor(() => expect(rules()).toBeDefined());
  expect(await answersOf(2)).toEqual(["1", "1"]);
  runNft("delete table ip baton_lb\n", "meddle");
  await vi.waitFor(() => expect(killed.types()).toContain("balancer-repaired"), { timeout: 10_000 });
  expect(await answersOf(2)).toEqual(["1", "1"]);

  const { socket } = await ask();
  const before = rulesText();
  const next = await start(1);
  next.health.states([told(name, { 1: 1 })]);
  await vi.waitFor(() => expect(next.host.states()).toMatchObject([{ state: { value: { services: 1 } } }]));
  expect(rulesText()).toBe(before);
  expect(next.types()).toEqual([]);
  expect(socket.destroyed).toBe(false);
  await next.balancer.stop("test");
  await killed.balancer.stop("test");
});

/** One flow: whoever answers it, until `close`. */
function openFlow() {
  const socket = createSocket("udp4").on("error", () => undefined);
  const say = (): void => socket.send("x", 80, "192.0.2.1");
  const ask = async (): Promise<string> => {
    const answer = once(socket, "message", { signal: AbortSignal.timeout(200) });
    say();
    return String((await answer)[0]);
  };
  return { say, ask, close: () => socket.close() };
}

const udpServer = virtualServer("192.0.2.1 80", [1, 2]).replace("TCP", "UDP");

/** Somebody else translates to our servers, too. */
const foreignRules = `table ip foreign {
  chain c {
    type nat hook output priority -150
    ip daddr 192.0.2.8 dnat to 10.0.0.1
    ip daddr 192.0.2.9 dnat to 10.0.0.2
  }
}
`;

function foreignFlows(): number[] {
  const counter = openConnectionCounter();
  const end = (address: string) => ({ address: parseIp(address) as IpAddress, port: 80 });
  const flows = [1, 2].map((server) => ({ asked: end(`192.0.2.${7 + server}`), server: end(`10.0.0.${server}`) }));
  const counts = counter.count(flows.map((each) => ({ ...each, protocol: "udp" })));
  counter.close();
  return counts;
}

test("a UDP flow follows when its server goes, also while no balancer runs, and when its service comes; no other flow does", async () => {
  runNft(foreignRules, "translate");
  const strangers = [createSocket("udp4"), createSocket("udp4")];
  for (const [at, stranger] of strangers.entries()) {
    stranger.send("x", 80, `192.0.2.${8 + at}`);
    await once(stranger, "message");
  }
  const flow = openFlow();
  try {
    // Nobody translates it yet.
    await expect(flow.ask()).rejects.toThrow();
    const first = await start(0, udpServer, true);
    first.health.states([told(udpName, { 1: 1, 2: 1 })]);
    const server = Number(await vi.waitFor(() => flow.ask(), { timeout: 5_000 }));
    const other = 3 - server;

    first.health.states([told(udpName, { [server]: 0, [other]: 1 })]);
    await vi.waitFor(() => expect(rulesText()).not.toMatch(`"goto":{"target":"udp/192.0.2.1/80/to/10.0.0.${server}/`));
    expect(await flow.ask()).toBe(String(server));
    first.health.states([told(udpName, { [other]: 1 })]);
    await vi.waitFor(async () => expect(await flow.ask()).toBe(String(other)), { timeout: 5_000 });
    await first.balancer.stop("test");
    expect(await flow.ask()).toBe(String(other));

    const next = await start(1, udpServer);
    next.health.states([told(udpName, { [server]: 1 })]);
    await vi.waitFor(async () => expect(await flow.ask()).toBe(String(server)), { timeout: 5_000 });
    expect(foreignFlows()).toEqual([1, 1]);
    await next.balancer.stop("test");
  } finally {
    for (const socket of [flow, ...strangers]) socket.close();
    runNft("delete table ip foreign\n", "clear up");
  }
});

test("a UDP flow follows when its server went after the balancer was killed, with an nft that ran on", async () => {
  const flow = openFlow();
  try {
    const killed = await start(0, udpServer, true);
    killed.health.states([told(udpName, { 1: 1 })]);
    await vi.waitFor(() => expect(rulesText()).toContain("to/10.0.0.1/"));
    const later = execFileSync("nft", ["list", "table", "ip", "baton_lb"], { encoding: "utf8" });
    killed.health.states([told(udpName, { 2: 1 })]);
    await vi.waitFor(async () => expect(await flow.ask()).toBe("2"), { timeout: 5_000 });
    await killed.balancer.stop("test");
    runNft(`delete table ip baton_lb\n${later}`, "run on");
    expect(await flow.ask()).toBe("2");

    const next = await start(1, udpServer);
    await vi.waitFor(async () => expect(await flow.ask()).toBe("1"), { timeout: 5_000 });
    await next.balancer.stop("test");
  } finally {
    flow.close();
  }
});

test("net_namespace_ipvs: the services are there, and nothing else is; without it they do not come to be", async () => {
  const other = makeNamespace("lbo");
  try {
    const { health, host, balancer } = await start(0, `net_namespace_ipvs ${other.name}`);
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(other.inside(rules)).toBeDefined());
    expect(rules()).toBeUndefined();
    // A namespace of its own does not forward.
    expect(host.states()).toMatchObject([
      { state: { value: { errors: [expect.stringContaining("ip_forward is 0")] } } },
    ]);
    await balancer.stop("test");
    expect(other.inside(rules)).toBeUndefined();
  } finally {
    other.remove();
  }
  const lost = await start(0, `net_namespace_ipvs ${other.name}`);
  expect(lost.types()).toEqual(["balancer-failed"]);
  await lost.balancer.stop("test");
});

// Control with real sockets: gRPC on node.sock and metrics over HTTP; the other services are played.
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregateState,
  BalancerState,
  DrainRequest,
  type DrainResult,
  type Envelope,
  NodeServiceClient,
  type NodeStatus,
  type PlanResult,
  type ReloadResult,
  VirtualServerState,
} from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { until } from "@baton/event-log/testing";
import { clientOptions, defaultSettings, paths, type Settings, type SnapshotAnswer } from "@baton/host";
import { createTestHost, type TestHost } from "@baton/host/testing";
import type { Change } from "@baton/keepalived-conf";
import { config, diagnostic, globalConfig, instanceConfig, virtualServer } from "@baton/keepalived-conf/testing";
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import { ConfigKeeper, type Loaded } from "./config-keeper.ts";
import { askHealth } from "./drain.ts";
import { EventFeed } from "./event-feed.ts";
import { metricsPortFile } from "./metrics-server.ts";
import { Control, type ControlDependencies } from "./run-control.ts";
import { instanceState } from "./testing/node-status.ts";
import { lintFamilies, parseExposition } from "./testing/parse-exposition.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

const settingsWith = (more: Partial<Settings>): Settings => ({
  ...defaultSettings,
  metrics: { host: "127.0.0.1", port: 0 },
  ...more,
});
const good = (routerId: string, settings = settingsWith({})): Loaded => ({
  ok: true,
  config: config({ global: globalConfig({ routerId }) }),
  settings,
  diagnostics: [],
});
const bad: Loaded = {
  ok: false,
  exitCode: 4,
  diagnostics: [diagnostic({ file: "k.conf", line: 3, severity: "error", errorClass: "fatal", message: "no" })],
};

const changed: Change = {
  kind: "global",
  name: "",
  action: "changed",
  identity: "",
  why: undefined,
  fields: [{ path: "routerId", label: "router_id", before: "a", after: "b", secret: false, effect: "reload" }],
  parts: [],
};

interface Scene {
  readonly host: TestHost;
  readonly client: NodeServiceClient;
  readonly control: Control;
  readonly runDir: string;
  history: readonly EventEnvelope[] | "away";
  asked: SnapshotAnswer | undefined;
  /** Milliseconds that the last question was given. */
  patience: number;
  drain: ControlDependencies["drain"];
  /** Which kinds health was asked for; undefined: all. */
  readonly healthAsked: (readonly string[] | undefined)[];
}

async function start(loads: Loaded[]): Promise<Scene> {
  const drain: Scene["drain"] = async () => ({ drained: [] });
  const runDir = mkdtempSync(join(tmpdir(), "baton-control-"));
  opened.push({ close: () => rmSync(runDir, { recursive: true, force: true }) });
  const host = createTestHost({ service: "control", env: { node: "r1", runDir, stateDir: runDir } });
  opened.push({ close: () => host.stop("test ends") });
  const scene = {
    history: "away" as Scene["history"],
    asked: undefined as Scene["asked"],
    patience: 0,
    drain,
    healthAsked: [] as (readonly string[] | undefined)[],
  };
  const feed = new EventFeed();
  const keeper = new ConfigKeeper({
    host,
    file: "k.conf",
    load: async () => loads.shift() ?? Promise.reject(new Error("the disk is gone")),
    format: ({ message }) => message,
    wallTime: () => "2026-01-01T00:00:00Z",
    onEvent: (envelope) => feed.add(envelope),
  });
  const history = async function* (): AsyncGenerator<EventEnvelope> {
    if (scene.history === "away") throw new Error("away");
    yield* scene.history;
  };
  const control = new Control({
    host,
    keeper,
    feed,
    history,
    ask: async (service, patience, kinds) => {
      scene.patience = patience;
      if (service === "health") scene.healthAsked.push(kinds);
      return service === "election" ? scene.asked : undefined;
    },
    drain: (request) => scene.drain(request),
    dumpDirectory: runDir,
  });
  await control.applyFirst();
  await control.serve();
  const client = new NodeServiceClient(`unix:${paths.nodeSocket(runDir)}`, credentials.createInsecure(), clientOptions);
  opened.push({ close: () => client.close() });
  return Object.assign(scene, { host, client, control, runDir });
}

const getStatus = (client: NodeServiceClient): Promise<NodeStatus> =>
  new Promise((resolve, reject) =>
    client.getStatus({ summary: false }, (error, status) => (error === null ? resolve(status) : reject(error))),
  );
const reload = (client: NodeServiceClient): Promise<ReloadResult> =>
  new Promise((resolve, reject) =>
    client.reload({}, (error, result) => (error === null ? resolve(result) : reject(error))),
  );

const plan = (client: NodeServiceClient, file: string): Promise<PlanResult> =>
  new Promise((resolve, reject) =>
    client.plan({ file }, (error, result) => (error === null ? resolve(result) : reject(error))),
  );

const allEvents = { follow: false, limit: 0, sinceId: "", type: "", aggregateKind: "", aggregateId: "" };
function openEvents(client: NodeServiceClient, request: Partial<typeof allEvents>) {
  const call = client.streamEvents({ ...allEvents, ...request });
  const events: Envelope[] = [];
  const end = new Promise<ServiceError | undefined>((resolve) => {
    call.on("data", (event: Envelope) => events.push(event));
    call.on("error", (error: ServiceError) => resolve(error));
    call.on("end", () => resolve(undefined));
  });
  return { call, events, end };
}

const master: AggregateState = {
  kind: "vrrp",
  id: "VI_1",
  version: 0,
  state: { $case: "instance", value: instanceState({ state: "master", term: 2 }) },
};
const becameBackup = {
  type: "became-backup",
  data: {
    instance: "VI_1",
    vrid: 51,
    interface: "eth0",
    term: 2,
    priority: 90,
    reason: "x",
    master: "10.0.0.2",
    masterPriority: 101,
  },
} as const;

test("a dump is written where keepalived writes it, with what the services say now", async () => {
  const instances = [instanceConfig()];
  const scene = await start([{ ok: true, config: config({ instances }), settings: settingsWith({}), diagnostics: [] }]);
  const sent = { name: "vrrp_adverts_total", labels: { instance: "VI_1", direction: "sent" }, value: 12 };
  scene.asked = { states: [master], counters: [sent] };
  const file = (name: string): string => join(scene.runDir, name);
  scene.host.dump("json");
  scene.host.dump("stats-clear");
  await until("the statistics", () => existsSync(file("keepalived.stats")));
  const [dumped] = JSON.parse(readFileSync(file("keepalived.json"), "utf8"));
  expect(dumped).toMatchObject({ data: { iname: "VI_1", state: 2 }, stats: { advert_sent: 12 } });
  expect(readFileSync(file("keepalived.stats"), "utf8")).toContain("Sent: 12\n");
  // What is counted after that is counted anew.
  scene.asked = { states: [master], counters: [{ ...sent, value: 15 }] };
  scene.host.clock.advance(1_100_000);
  scene.host.dump("stats");
  await until("those since", () => readFileSync(file("keepalived.stats"), "utf8").includes("Sent: 3\n"));
  scene.host.dump("data");
  await until("the data", () => existsSync(file("keepalived.data")));
  expect(readFileSync(file("keepalived.data"), "utf8")).toContain("   State = MASTER\n");
});

test("the status is what the services said last, with what has no event asked for", async () => {
  const scene = await start([good("a")]);
  const { host, client, runDir } = scene;
  expect(statSync(paths.nodeSocket(runDir)).mode & 0o777).toBe(0o600);
  const election = host.play("election");
  election.states([master]);
  expect(await getStatus(client)).toMatchObject({
    node: "r1",
    ready: true,
    config: { generation: 1, file: "k.conf" },
    instances: [{ state: "master", leaseConfirmed: false }],
    bus: { connected: true },
  });
  const leaving: AggregateState = {
    ...master,
    version: 9,
    state: { $case: "instance", value: instanceState({ state: "leaving" }) },
  };
  scene.asked = { states: [leaving], counters: [] };
  host.clock.advance(1_100_000);
  expect((await getStatus(client)).instances).toMatchObject([{ state: "leaving" }]);
});

test("a reload is applied, unchanged, rejected or failed, and always answered", async () => {
  const { host, client } = await start([good("a"), good("a"), good("b"), bad]);
  expect(await reload(client)).toMatchObject({ applied: true, generation: 1, changes: [] });
  expect(await reload(client)).toMatchObject({ applied: true, generation: 2, changes: ["global: router_id a → b"] });
  expect(await reload(client)).toMatchObject({
    applied: false,
    generation: 2,
    diagnostics: ["k.conf:3:1: error: no [unknown-keyword]"],
  });
  expect(await reload(client)).toMatchObject({ applied: false, generation: 2, diagnostics: ["the disk is gone"] });
  expect(host.appended.map(({ event }) => event.type)).toEqual([
    "config-applied",
    "config-applied",
    "config-applied",
    "config-rejected",
  ]);
  expect((await getStatus(client)).config?.generation).toBe(2);
  expect(host.states()).toMatchObject([{ kind: "config", id: "node", state: { value: { generation: 2 } } }]);
});

test("a plan says what a reload would do, and does nothing", async () => {
  const { host, client, runDir } = await start([good("a"), good("b"), bad]);
  const before = readFileSync(paths.snapshot(runDir), "utf8");
  expect(await plan(client, "/other.conf")).toEqual({
    usable: true,
    generation: 1,
    runningFile: "k.conf",
    diagnostics: [],
    changes: [{ ...changed, fields: [{ ...changed.fields[0] }], parts: [] }],
  });
  expect(await plan(client, "/other.conf")).toMatchObject({
    usable: false,
    generation: 1,
    diagnostics: [{ file: "k.conf", line: 3, severity: "error", message: "no" }],
    changes: [],
  });
  await expect(plan(client, "/other.conf")).rejects.toMatchObject({ details: "the disk is gone" });
  await expect(plan(client, "other.conf")).rejects.toMatchObject({ details: expect.stringContaining("absolute") });
  expect(readFileSync(paths.snapshot(runDir), "utf8")).toBe(before);
  expect(host.appended.map(({ event }) => event.type)).toEqual(["config-applied"]);
});

const pool: AggregateState = {
  kind: "virtual-server",
  id: "[192.0.2.1]:tcp:80",
  version: 1,
  state: {
    $case: "virtualServer",
    value: VirtualServerState.fromPartial({
      name: "[192.0.2.1]:tcp:80",
      quorum: 1,
      quorumUp: true,
      servers: [{ server: "10.0.0.1:80", alive: true, drain: "none", configuredWeight: 1 }],
    }),
  },
};
const balancer: AggregateState = {
  kind: "balancer",
  id: "ipvs",
  version: 1,
  state: { $case: "balancer", value: BalancerState.fromPartial({ engine: "ipvs", services: 1, destinations: 1 }) },
};

const drainIt = (client: NodeServiceClient, request: Partial<DrainRequest>): Promise<DrainResult> =>
  new Promise((resolve, reject) =>
    client.drain(DrainRequest.fromPartial(request), (error, result) =>
      error === null ? resolve(result) : reject(error),
    ),
  );

test("a drain is handed on to health, and what is wrong with it is said", async () => {
  const scene = await start([good("a")]);
  await expect(drainIt(scene.client, { server: "10.0.0.1:80" })).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: "this node has no virtual servers",
  });
  scene.host.play("health").states([pool]);
  const drained = [{ virtualServer: "[192.0.2.1]:tcp:80", server: "10.0.0.1:80", drain: "draining" }];
  scene.drain = async ({ server }) => ({ drained: server === "10.0.0.1:80" ? drained : [] });
  expect(await drainIt(scene.client, { server: "10.0.0.1:80", deadlineMs: 5 })).toEqual({ drained });
  await expect(drainIt(scene.client, { server: "10.0.0.2" })).rejects.toMatchObject({
    details: expect.stringContaining("no virtual server here has a real server 10.0.0.2"),
  });
  await expect(drainIt(scene.client, { server: "10.0.0.2", virtualServer: "web" })).rejects.toMatchObject({
    details: "there is no virtual server web: baton status names them",
  });
  await expect(drainIt(scene.client, { server: "x", virtualServer: pool.id })).rejects.toMatchObject({
    details: "[192.0.2.1]:tcp:80 has no real server x, but 10.0.0.1:80",
  });
  scene.drain = (request) => askHealth(join(scene.runDir, "health.sock"), request);
  await expect(drainIt(scene.client, { server: "10.0.0.1:80" })).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: "health does not answer: nothing was drained",
  });
});

test("who asks each second gets the pools in a few lines, and health is not asked for single ones", async () => {
  const scene = await start([good("a")]);
  const { host, client, healthAsked } = scene;
  host.play("health").states([pool]);
  const summary = await new Promise<NodeStatus>((resolve, reject) =>
    client.getStatus({ summary: true }, (error, status) => (error === null ? resolve(status) : reject(error))),
  );
  expect(summary).toMatchObject({ virtualServers: [], pools: { virtualServers: 1, realServers: 1, live: 1 } });
  expect(healthAsked).toEqual([["tracker", "service"]]);
  // People see all of it, at once.
  expect((await getStatus(client)).virtualServers).toMatchObject([{ name: pool.id }]);
  expect(healthAsked).toEqual([["tracker", "service"], undefined]);
});

test("the balancer is followed while there is something to balance", async () => {
  const balancing = { ...good("a"), config: config({ virtualServers: [virtualServer()] }) };
  const plain = { ...good("b"), config: config({ instances: [instanceConfig()] }) };
  const { host, client } = await start([good("a"), balancing, plain]);
  const played = host.play("balancer");
  played.states([balancer]);
  expect((await getStatus(client)).balancers).toEqual([]);
  await reload(client);
  played.states([balancer]);
  host.clock.advance(1_100_000);
  expect((await getStatus(client)).balancers).toMatchObject([{ engine: "ipvs", services: 1 }]);
  await reload(client);
  expect((await getStatus(client)).balancers).toEqual([]);
});

test("a file that configures nothing any more is taken for an accident", async () => {
  const running: Loaded = {
    ok: true,
    config: config({ instances: [instanceConfig()] }),
    settings: settingsWith({}),
    diagnostics: [],
  };
  const { host, client, runDir } = await start([running, good("a"), good("a")]);
  const before = readFileSync(paths.snapshot(runDir), "utf8");
  expect((await plan(client, "/k.conf")).diagnostics).toMatchObject([
    { code: "nothing-configured", severity: "error" },
  ]);
  expect(await reload(client)).toMatchObject({ applied: false, generation: 1 });
  expect(readFileSync(paths.snapshot(runDir), "utf8")).toBe(before);
  expect(host.appended.at(-1)?.event).toMatchObject({
    type: "config-rejected",
    data: { errors: [expect.stringMatching(/configures nothing/)] },
  });
});

test("the supervisor's reload does the same", async () => {
  const { host } = await start([good("a"), good("b")]);
  host.reload();
  await until("generation 2", () =>
    host.appended.some(({ event }) => event.type === "config-applied" && event.data.generation === 2),
  );
});

test("a first configuration that is rejected is told to the supervisor", async () => {
  const runDir = mkdtempSync(join(tmpdir(), "baton-control-"));
  opened.push({ close: () => rmSync(runDir, { recursive: true }) });
  const host = createTestHost({ service: "control", env: { runDir, stateDir: runDir } });
  const load = async (): Promise<Loaded> => bad;
  const keeper = new ConfigKeeper({
    host,
    file: "k.conf",
    load,
    format: () => "no",
    wallTime: () => "",
    onEvent() {},
  });
  const control = new Control({
    host,
    keeper,
    feed: new EventFeed(),
    history: async function* () {},
    ask: async () => undefined,
    drain: async () => ({ drained: [] }),
    dumpDirectory: runDir,
  });
  expect(await control.applyFirst()).toBeUndefined();
  expect(host.reports).toEqual([{ type: "config-failed", exitCode: 4, diagnostics: bad.diagnostics }]);
  expect(host.appended).toMatchObject([{ event: { type: "config-rejected" } }]);
});

test("events are followed without a bus, and each is told once", async () => {
  const scene = await start([good("a")]);
  const { host, client } = scene;
  const election = host.play("election");
  election.states([]);
  const first = election.append({ kind: "vrrp", id: "VI_1" }, becameBackup);
  const { call, events } = openEvents(client, { follow: true, aggregateKind: "vrrp" });
  await until("the event of memory", () => events.length === 1);
  const second = election.append({ kind: "vrrp", id: "VI_1" }, becameBackup);
  await until("the live event", () => events.length === 2);
  expect(events.map(({ id }) => id)).toEqual([first.id, second.id]);
  call.cancel();
  scene.history = [first];
  const stored = openEvents(client, { aggregateKind: "vrrp" });
  expect(await stored.end).toBeUndefined();
  expect(stored.events.map(({ id }) => id)).toEqual([first.id]);
});

test("a question that makes no sense is answered with what is wrong", async () => {
  const { client } = await start([good("a")]);
  const { end } = openEvents(client, { type: "nonsense" });
  expect(await end).toMatchObject({ code: 3, details: "no event has the type nonsense" });
});

test("metrics are served where the settings say, also after a reload", async () => {
  const scene = await start([good("a"), good("a", settingsWith({ metrics: undefined })), good("a")]);
  const { host, client, runDir } = scene;
  const port = (): number => Number(readFileSync(metricsPortFile(runDir), "utf8"));
  const election = host.play("election");
  election.states([master]);
  scene.asked = { states: [master], counters: [{ name: "vrrp.adverts", labels: { direction: "sent" }, value: 4 }] };
  host.play("notifier").counters([{ name: "vrrp.adverts", labels: { direction: "received" }, value: 2 }]);
  const first = port();
  const response = await fetch(`http://127.0.0.1:${first}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  expect(lintFamilies(parseExposition(text).families)).toEqual([]);
  expect(text).toMatch(/^vrrp_instance_state\{.*vrrp_state="master".*\} 1$/m);
  expect(text).toMatch(/^vrrp_adverts_total\{direction="sent"\} 4$/m);
  expect(text).toMatch(/^vrrp_adverts_total\{direction="received"\} 2$/m);
  // A busy service is waited for: its counters are nowhere else.
  expect(scene.patience).toBe(2_000);
  expect((await fetch(`http://127.0.0.1:${first}/other`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${first}/metrics`, { method: "POST" })).status).toBe(405);
  await reload(client);
  await expect(fetch(`http://127.0.0.1:${first}/metrics`)).rejects.toThrow();
  await reload(client);
  expect((await fetch(`http://127.0.0.1:${port()}/metrics`)).status).toBe(200);
});

test("a metrics port that is taken is a warning", async () => {
  const taken = createServer();
  await new Promise<void>((listening) => taken.listen(0, "127.0.0.1", listening));
  opened.push({ close: () => taken.close() });
  const address = taken.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  const { host, client } = await start([
    good("a", settingsWith({ metrics: { host: "127.0.0.1", port: address.port } })),
  ]);
  expect(host.lines.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
    "metrics cannot be served; trying again every 10 s",
  ]);
  expect((await getStatus(client)).config?.generation).toBe(1);
});

// Control as its own process, as `baton up` starts it: with a real nats-server, real files and the IPC channel.
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Envelope, encodeMessage, NodeServiceClient, type NodeStatus } from "@baton/contracts";
import { inboxPrefix, openNatsBus } from "@baton/event-log";
import { eventSource, startNatsServer, type TestNatsServer, until } from "@baton/event-log/testing";
import { clientOptions, paths, readSnapshot, type ServiceReport } from "@baton/host";
import { credentials } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";

const main = join(import.meta.dirname, "../dist/main.js");
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

// Any machine will do: the interface need not be there.
const instance = (priority: number): string =>
  `global_defs {\n  dynamic_interfaces\n}\nvrrp_instance VI_1 {\n  interface vrrp0\n  virtual_router_id 51\n  priority ${priority}\n  virtual_ipaddress {\n    192.0.2.1/24\n  }\n}\n`;

interface Run {
  readonly child: ChildProcess;
  readonly reports: ServiceReport[];
  readonly exit: Promise<number | string | null>;
  readonly log: { text: string };
}

class Node {
  readonly runDir = mkdtempSync(join(tmpdir(), "baton-control-"));
  readonly config = join(this.runDir, "keepalived.conf");
  readonly settings = join(this.runDir, "baton.yaml");

  constructor() {
    mkdirSync(join(this.runDir, "state"));
    writeFileSync(this.config, instance(100));
    writeFileSync(this.settings, "metrics: { port: 0 }\n");
    opened.push({ close: () => rmSync(this.runDir, { recursive: true, force: true }) });
  }

  get stateDir(): string {
    return join(this.runDir, "state");
  }

  useNats(server: TestNatsServer): void {
    const users = Object.fromEntries(["control"].map((user) => [user, login(server, user as "control")]));
    const text = JSON.stringify({ nats: { url: server.url, users }, redis: { url: "redis://127.0.0.1:1" } });
    writeFileSync(paths.credentials(this.runDir), text, { mode: 0o600 });
  }

  start(restarts = 0): Run {
    const child = fork(main, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: {
        ...process.env,
        BATON_NODE: "r1",
        BATON_RUN_DIR: this.runDir,
        BATON_STATE_DIR: this.stateDir,
        BATON_RESTARTS: String(restarts),
        BATON_CONFIG: this.config,
        BATON_SETTINGS: this.settings,
      },
    });
    const reports: ServiceReport[] = [];
    const log = { text: "" };
    child.on("message", (report: ServiceReport) => {
      if (report.type !== "alive") reports.push(report);
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      log.text += chunk.toString();
    });
    const exit = new Promise<number | string | null>((resolve) =>
      child.once("exit", (code, signal) => resolve(signal ?? code)),
    );
    opened.push({
      close: () => {
        child.kill("SIGKILL");
        return exit;
      },
    });
    return { child, reports, exit, log };
  }

  async ready(run: Run): Promise<void> {
    await until("control is ready", () => {
      if (run.child.exitCode !== null) throw new Error(`control ended with ${run.child.exitCode}: ${run.log.text}`);
      return run.reports.some(({ type }) => type === "ready");
    });
  }

  client(): NodeServiceClient {
    const client = new NodeServiceClient(
      `unix:${paths.nodeSocket(this.runDir)}`,
      credentials.createInsecure(),
      clientOptions,
    );
    opened.push({ close: () => client.close() });
    return client;
  }
}

function login(server: TestNatsServer, user: "control" | "election") {
  const { user: name, password } = server.credentials(user);
  return { user: name, password };
}
const getStatus = (client: NodeServiceClient): Promise<NodeStatus> =>
  new Promise((resolve, reject) =>
    client.getStatus({ summary: false }, (error, status) => (error === null ? resolve(status) : reject(error))),
  );
const storedEvents = (client: NodeServiceClient, more: { type?: string; limit?: number } = {}): Promise<Envelope[]> => {
  const call = client.streamEvents({
    follow: false,
    limit: more.limit ?? 0,
    sinceId: "",
    type: more.type ?? "",
    aggregateKind: "",
    aggregateId: "",
  });
  const events: Envelope[] = [];
  return new Promise((resolve, reject) => {
    call.on("data", (event: Envelope) => events.push(event));
    call.on("error", reject);
    call.on("end", () => resolve(events));
  });
};

test("a configuration that must not be applied ends control with keepalived's exit code in the report", async () => {
  const node = new Node();
  writeFileSync(node.config, "vrrp_instance VI_1 {\n  interface lo\n}\n");
  const run = node.start();
  expect(await run.exit).toBe(1);
  expect(run.reports).toMatchObject([
    {
      type: "config-failed",
      exitCode: expect.any(Number),
      diagnostics: expect.arrayContaining([expect.objectContaining({ severity: "error" })]),
    },
  ]);
  expect(await readSnapshot(node.stateDir)).toBeUndefined();
});

test("a broken baton.yaml is as bad", async () => {
  const node = new Node();
  writeFileSync(node.settings, "metrics: { port: x }\n");
  const run = node.start();
  expect(await run.exit).toBe(1);
  expect(run.reports).toMatchObject([{ type: "config-failed", diagnostics: [{ file: node.settings, line: 1 }] }]);
});

test("a restarted control takes up what is applied and reads no file; a reload does", async () => {
  const node = new Node();
  const first = node.start();
  await node.ready(first);
  expect(first.reports).toMatchObject([{ type: "config", generation: 1 }, { type: "ready" }]);
  first.child.kill("SIGKILL");
  await first.exit;
  writeFileSync(node.config, instance(90));
  const second = node.start(1);
  await node.ready(second);
  expect(second.reports).toMatchObject([{ type: "config", generation: 1 }, { type: "ready" }]);
  expect((await readSnapshot(node.stateDir))?.config.instances[0]?.priority).toBe(100);
  second.child.send({ type: "reload" });
  await until("generation 2", async () => (await readSnapshot(node.stateDir))?.generation === 2);
  expect((await readSnapshot(node.stateDir))?.config.instances[0]?.priority).toBe(90);
  const client = node.client();
  await until("the change is told", async () =>
    (await storedEvents(client, { type: "config-applied" })).some(({ data }) => /priority/.test(data)),
  );
  writeFileSync(node.config, "vrrp_instance VI_1 {\n  interface lo\n}\n");
  second.child.send({ type: "reload" });
  await until("rejected", async () => (await storedEvents(client, { type: "config-rejected" })).length === 1);
  expect((await readSnapshot(node.stateDir))?.generation).toBe(2);
  second.child.send({ type: "stop", reason: "test ends" });
  expect(await second.exit).toBe(0);
});

test("a control that comes with a new supervisor reads the file again", async () => {
  const node = new Node();
  const first = node.start();
  await node.ready(first);
  first.child.kill("SIGKILL");
  await first.exit;
  writeFileSync(join(node.runDir, "control.applied"), "1 1\n");
  writeFileSync(node.config, instance(90));
  const second = node.start(1);
  await node.ready(second);
  expect(second.reports).toMatchObject([{ type: "config", generation: 2 }, { type: "ready" }]);
});

test("history comes from the stream, and from memory while nats-server is away", async () => {
  const server = await startNatsServer({ node: "r1" });
  opened.push(server);
  const node = new Node();
  node.useNats(server);
  const writer = openNatsBus({
    credentials: () => server.credentials("election"),
    name: "election",
    inboxPrefix: inboxPrefix("election"),
  });
  opened.push(writer);
  await until("connected", () => writer.connected);
  const make = eventSource({ node: "r1" });
  for (let n = 0; n < 5; n++) await writer.publish(encodeMessage(make("VI_1")));
  const run = node.start();
  await node.ready(run);
  const client = node.client();
  await until("the bus is there", async () => (await getStatus(client)).bus?.connected === true);
  await until("its own events too", async () =>
    (await storedEvents(client)).some(({ type }) => type === "config-applied"),
  );
  const stored = await storedEvents(client, { type: "priority-changed", limit: 3 });
  expect(stored.map(({ version }) => version)).toEqual([3, 4, 5]);
  await server.kill();
  await until("the bus is away", async () => (await getStatus(client)).bus?.connected === false);
  const remembered = (await storedEvents(client)).map(({ type }) => type);
  expect(remembered).toContain("config-applied");
  run.child.send({ type: "reload" });
  await until(
    "the reload is remembered",
    async () => (await storedEvents(client, { type: "config-applied" })).length === 2,
  );
  await server.start();
  await until(
    "all of it is in the stream",
    async () =>
      (await storedEvents(client, { type: "config-applied" })).length === 2 &&
      (await storedEvents(client, { type: "priority-changed" })).length === 5,
    15_000,
  );
});

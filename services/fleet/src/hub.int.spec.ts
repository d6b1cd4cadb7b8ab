import { statSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeMessage, subjectOf } from "@baton/contracts";
import { type Hub, openHub } from "@baton/event-log";
import { until } from "@baton/event-log/testing";
import { afterEach, expect, test } from "vitest";
import { encodeHeartbeat, heartbeatSubject } from "./heartbeat.ts";
import { ensureNode, nodesDirectory } from "./hub-credentials.ts";
import { becameMaster, heartbeatOf, instanceState } from "./testing/fleet-events.ts";
import { startTestHub, type TestHub } from "./testing/running-hub.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
const own = <T extends { close(): unknown }>(resource: T): T => {
  opened.push(resource);
  return resource;
};
const hubOf = async (options: Parameters<typeof startTestHub>[0]): Promise<TestHub> => own(await startTestHub(options));

async function openAs(hub: TestHub, node: string): Promise<Hub> {
  const bus = own(openHub({ ...hub.login(node), name: node }));
  await until(`${node} is connected`, () => bus.connected);
  return bus;
}
const event = (node: string, version = 1) => becameMaster(node, { at: Date.now(), version });
const beat = (node: string, state = "master") =>
  encodeHeartbeat(heartbeatOf(node, Date.now(), [instanceState(node, { state, term: 4 })]));

test("a node may tell its own events and ask for its own last one, and nothing else", async () => {
  const hub = await hubOf({ nodes: ["r1", "r2"] });
  const [r1, r2] = [await openAs(hub, "r1"), await openAs(hub, "r2")];
  const mine = event("r1");
  await r1.publish(encodeMessage(mine));
  await r2.publish(encodeMessage(event("r2")));
  const subject = (node: string) => subjectOf(node, mine.aggregate, mine.event.type);
  expect((await r1.lastOn(subject("r1")))?.id).toBe(mine.id);
  expect(await r1.lastOn(subject("r1").replace("VI_1", "VI_2"))).toBeUndefined();
  await expect(r1.publish(encodeMessage(event("r2", 2)))).rejects.toMatchObject({ refusal: "refused" });
  await expect(r1.lastOn(subject("r2"))).rejects.toThrow(/PERMISSIONS/i);
  await expect(r1.last("baton.r2.>")).rejects.toMatchObject({ refusal: "refused" });
  const overheard: string[] = [];
  r1.subscribe("baton.>", ({ id }) => overheard.push(id));
  r1.onSignal("fleet.>", (_subject, text) => overheard.push(text));
  await expect(r1.ensureStream()).rejects.toThrow();
  r1.sendSignal(heartbeatSubject("r2"), beat("r2"));
  await r1.flush();
  r2.sendSignal(heartbeatSubject("r2"), beat("r2", "backup"));
  await until("r2 is heard", async () =>
    (await hub.fleet()).nodes.some(({ node, status }) => node === "r2" && status === "connected"),
  );
  expect((await hub.fleet()).groups[0]?.members.find(({ node }) => node === "r2")?.state).toBe("backup");
  expect(overheard).toEqual([]);
  expect((await hub.stored()).map(({ envelope }) => envelope.node)).toEqual(["r1", "r2"]);
});

test("nobody comes in without a login", async () => {
  const hub = await hubOf({ nodes: ["r1"] });
  const { url, user } = hub.login("r1");
  for (const login of [{}, { user, password: "wrong" }, { user: "fleet", password: "" }]) {
    const bus = own(openHub({ url, ...login, name: "stranger" }));
    const refused: string[] = [];
    bus.onStatus((connected, detail) => refused.push(connected ? "connected" : detail));
    await until("refused", () => refused.length > 0);
    expect(refused[0]).toMatch(/authorization/i);
  }
});

test("files with passwords are the hub's own", async () => {
  const hub = await hubOf({ nodes: ["r1"] });
  const mode = (path: string): number => statSync(path).mode & 0o777;
  expect(mode(join(hub.stateDir, "hub.json"))).toBe(0o600);
  expect(mode(join(hub.stateDir, "nats-hub.conf"))).toBe(0o600);
  expect(mode(join(nodesDirectory(hub.stateDir), "r1.json"))).toBe(0o600);
  expect(mode(nodesDirectory(hub.stateDir))).toBe(0o700);
});

test("a node that is added while the hub runs can come in, and those connected stay", async () => {
  const hub = await hubOf({ nodes: ["r1"] });
  const r1 = await openAs(hub, "r1");
  const changes: boolean[] = [];
  r1.onStatus((connected) => changes.push(connected));
  ensureNode(hub.stateDir, "r3 ü", hub.running().natsUrl);
  const r3 = own(openHub({ ...hub.login("r3 ü"), name: "r3" }));
  await until("r3 is connected", () => r3.connected);
  await r3.publish(encodeMessage(event("r3 ü")));
  r3.sendSignal(heartbeatSubject("r3 ü"), beat("r3 ü"));
  await until("r3 is shown", async () =>
    (await hub.fleet()).nodes.some(({ node, status }) => node === "r3 ü" && status === "connected"),
  );
  expect(changes).toEqual([true]);
});

test("a restart keeps logins, address and events, and knows the fleet again from its stream", async () => {
  const hub = await hubOf({ nodes: ["r1", "r2"] });
  const r1 = await openAs(hub, "r1");
  await r1.publish(encodeMessage(event("r1")));
  const before = { login: hub.login("r1"), url: hub.running().natsUrl };
  await hub.stop();
  await hub.start();
  expect({ login: hub.login("r1"), url: hub.running().natsUrl }).toEqual(before);
  await until("the event is known", async () => (await hub.fleet()).groups.length === 1);
  expect((await hub.fleet()).groups[0]).toMatchObject({
    verdict: "unreachable",
    members: [{ node: "r1", state: "master" }],
  });
  await until("r1 is back", () => r1.connected);
  r1.sendSignal(heartbeatSubject("r1"), beat("r1"));
  await until("one master", async () => (await hub.fleet()).groups[0]?.verdict === "one-master");
});

test("a nats-server that dies is started again, and nodes come back to it", async () => {
  const hub = await hubOf({ nodes: ["r1"] });
  const r1 = await openAs(hub, "r1");
  const killed = hub.running().natsPid();
  if (killed === undefined) throw new Error("no nats-server");
  await r1.publish(encodeMessage(event("r1")));
  process.kill(killed, "SIGKILL");
  await until("r1 can go on", () =>
    r1.publish(encodeMessage(event("r1", 2))).then(
      () => true,
      () => false,
    ),
  );
  expect(hub.running().natsPid()).not.toBe(killed);
  expect((await hub.stored()).map(({ envelope }) => envelope.version)).toEqual([1, 2]);
  await until("the hub reads on", async () => (await hub.fleet()).groups[0]?.members[0]?.state === "master");
});

test("the page is served on a unix socket for its owner only", async () => {
  const path = join(tmpdir(), `baton-hub-${process.pid}.sock`);
  const hub = await hubOf({ nodes: ["r1"], listen: { kind: "unix", path } });
  expect(hub.running().page).toBe(`unix:${path}`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: path, path: "/api/fleet", headers: { host: "localhost" } }, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    });
    call.on("error", reject).end();
  });
  expect(JSON.parse(text)).toMatchObject({ groups: [], nodes: [{ node: "r1", status: "expected" }] });
});

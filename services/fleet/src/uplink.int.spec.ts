import { encodeMessage } from "@baton/contracts";
import { inboxPrefix, type NatsBus, openHub, openNatsBus } from "@baton/event-log";
import { eventSource, startNatsServer, type TestNatsServer, until } from "@baton/event-log/testing";
import { createTestHost } from "@baton/host/testing";
import { afterEach, expect, test } from "vitest";
import { runUplink, type Uplink } from "./run-uplink.ts";
import { instanceState, statusOf } from "./testing/fleet-events.ts";
import { startTestHub, type TestHub } from "./testing/running-hub.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
const own = <T extends { close(): unknown }>(resource: T): T => {
  opened.push(resource);
  return resource;
};

interface Node {
  readonly server: TestNatsServer;
  /** Writes events of the election, as many as asked for, and waits until the node's stream has them. */
  write(count: number): Promise<string[]>;
  startUplink(): RunningUplink;
}
interface RunningUplink {
  readonly uplink: Uplink;
  /** As SIGKILL would: connections break, nothing is said. */
  kill(): Promise<void>;
  readonly lines: () => string[];
}

async function startNode(node: string, hub: TestHub): Promise<Node> {
  const server = own(await startNatsServer({ node }));
  const open = (user: "election" | "uplink"): NatsBus =>
    openNatsBus({ credentials: () => server.credentials(user), name: user, inboxPrefix: inboxPrefix(user) });
  const writer = own(open("election"));
  const make = eventSource({ node });
  return {
    server,
    async write(count) {
      const ids: string[] = [];
      for (let n = 0; n < count; n++) {
        const envelope = make(`VI_${n % 3}`);
        await until("the node's stream takes it", () =>
          writer.publish(encodeMessage(envelope)).then(
            () => true,
            () => false,
          ),
        );
        ids.push(envelope.id);
      }
      return ids;
    },
    startUplink() {
      const host = createTestHost({ service: "uplink", env: { node } });
      const local = own(open("uplink"));
      const link = own(openHub({ ...hub.login(node), name: `${node}/uplink` }));
      const status = async () => statusOf(node, [instanceState(node, { state: "master" })]);
      const uplink = runUplink({ host, local, hub: link, status, wallMillis: () => Date.now() });
      const kill = async (): Promise<void> => {
        await Promise.all([link.close(), local.close()]);
        await uplink.stop();
      };
      opened.push({ close: () => uplink.stop() });
      return { uplink, kill, lines: () => host.lines.map(({ level, message }) => `${level} ${message}`) };
    },
  };
}
const idsOf = async (hub: TestHub): Promise<string[]> => (await hub.stored()).map(({ envelope }) => envelope.id);
const arrived = (hub: TestHub, count: number): Promise<void> =>
  until(`${count} events at the hub`, async () => (await idsOf(hub).catch(() => [])).length >= count, 25_000);

test("events of before and after the uplink's start arrive in order; the node is shown", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const node = await startNode("r1", hub);
  const before = await node.write(20);
  const { uplink } = node.startUplink();
  const after = await node.write(20);
  await arrived(hub, 40);
  expect(await idsOf(hub)).toEqual([...before, ...after]);
  expect(uplink.forwarded).toBe(40);
  await until("r1 is shown", async () => (await hub.fleet()).nodes[0]?.status === "connected");
  expect((await hub.fleet()).groups).toMatchObject([{ verdict: "one-master", master: "r1" }]);
  await uplink.stop();
  await until("r1 has said that it stops", async () => (await hub.fleet()).nodes[0]?.status === "stopped");
});

test("the hub is killed again and again: nothing is lost or doubled", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const node = await startNode("r1", hub);
  const { lines } = node.startUplink();
  const ids: string[] = await node.write(10);
  for (let round = 0; round < 4; round++) {
    await until("a nats-server to kill", () => hub.running().natsPid() !== undefined);
    process.kill(hub.running().natsPid() ?? 0, "SIGKILL");
    ids.push(...(await node.write(40)));
  }
  await arrived(hub, ids.length);
  expect(await idsOf(hub)).toEqual(ids);
  expect(lines().filter((line) => line.startsWith("warn the hub is away")).length).toBeGreaterThan(0);
});

test("a hub that is not there costs the node nothing; it catches up later", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const node = await startNode("r1", hub);
  await hub.stop();
  const { uplink } = node.startUplink();
  const ids = await node.write(150);
  expect(uplink.connected).toBe(false);
  await hub.start();
  await arrived(hub, ids.length);
  expect(await idsOf(hub)).toEqual(ids);
});

test("the uplink is killed in the middle of its work: the next one goes on where it was", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const node = await startNode("r1", hub);
  const ids = await node.write(200);
  for (let round = 1; round <= 3; round++) {
    const { uplink, kill } = node.startUplink();
    await until("it has sent some", () => uplink.forwarded >= 10 * round);
    await kill();
  }
  node.startUplink();
  ids.push(...(await node.write(20)));
  await arrived(hub, ids.length);
  expect(await idsOf(hub)).toEqual(ids);
});

test("the node's own bus is killed: the hub gets each event once, in order", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const node = await startNode("r1", hub);
  const ids = await node.write(30);
  node.startUplink();
  for (let round = 0; round < 3; round++) {
    ids.push(...(await node.write(20)));
    await node.server.kill();
    await node.server.start();
  }
  ids.push(...(await node.write(10)));
  await arrived(hub, ids.length);
  expect(await idsOf(hub)).toEqual(ids);
});

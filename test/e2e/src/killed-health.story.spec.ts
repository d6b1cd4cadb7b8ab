// A node with a virtual server, as a whole: what health knows and what an operator has ordered outlive processes.
import { join } from "node:path";
import { type DrainResult, NodeServiceClient } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { type BatonNode, waitFor } from "@baton/lab";
import { credentials } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { discard, labFor, masterConf, quick } from "./pair.ts";

const lab = labFor("killed-health", { beforeAll, afterAll });

const held: { node?: BatonNode } = {};
afterEach(async () => {
  if (held.node !== undefined) await discard(held.node);
  delete held.node;
});
/** One after the other has the same directories. */
const start = async (): Promise<BatonNode> => {
  const node = await lab.get().router("r1").startBaton(config);
  held.node = node;
  await node.waitReady();
  return node;
};

const port = 8080;
const [up, spare, down] = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
const real = (address: string | undefined, at = port) => `real_server ${address} ${at} {\nTCP_CHECK {\nalpha\n}\n}`;
const config = `${masterConf(quick(0.3))}
virtual_server 192.0.2.80 80 {
  delay_loop 0.3
  warmup 0
  protocol TCP
  lb_kind NAT
  ${[real(up), real(spare), real(down, port + 1)].join("\n")}
}
`;

const virtualServer = async (node: BatonNode) => (await node.status()).virtualServers[0];
const servers = async (node: BatonNode) =>
  (await virtualServer(node))?.destinations.map(({ server }) => server).toSorted() ?? [];
const balancingEvents = async (node: BatonNode) =>
  (await node.events()).filter(({ aggregate }) => aggregate.kind === "virtual-server" || aggregate.kind === "checker");

const drain = ({ runDir }: BatonNode, server: string): Promise<DrainResult> => {
  const client = new NodeServiceClient(`unix:${join(runDir, "node.sock")}`, credentials.createInsecure());
  return new Promise<DrainResult>((resolve, reject) =>
    client.drain({ server, virtualServer: "", deadlineMs: 0, undo: false }, (error, result) =>
      error === null ? resolve(result) : reject(error),
    ),
  ).finally(() => client.close());
};

test("a killed health flaps no server, and a drain outlives every process of the node", async () => {
  const listener = `require("node:net").createServer((socket) => socket.on("error", () => {})).listen(${port})`;
  await lab.get().router("r1").spawn("server", [process.execPath, "-e", listener]);
  const first = await start();
  const both = [`${up}:${port}`, `${spare}:${port}`];
  await waitFor("both servers", async () => (await servers(first)).join() === both.join());
  await waitFor("all verdicts", async () =>
    (await first.status()).checkers.every(({ status }) => status !== "unknown"),
  );

  const before = (await balancingEvents(first)).length;
  const pid = first.servicePid("health");
  const isStart = ({ event }: EventEnvelope) => event.type === "service-started" && event.data.service === "health";
  const starts = (await first.events()).filter(isStart).length;
  first.killService("health");
  await first.waitRestarted("health", pid);
  // What control knew of the old process stands until the new one speaks.
  await waitFor("health to start again", async () => (await first.events()).filter(isStart).length > starts);
  const startedAt = (await first.events()).findLast(isStart)?.at ?? Number.POSITIVE_INFINITY;
  await waitFor("results of the new process", async () => {
    const { checkers } = await first.status();
    return checkers.length === 3 && checkers.every(({ checkedAt }) => checkedAt > startedAt);
  });
  expect((await balancingEvents(first)).slice(before)).toEqual([]);
  expect(await servers(first)).toEqual(both);

  expect((await drain(first, `${spare}:${port}`)).drained).toHaveLength(1);
  await first.kill();
  const second = await start();
  await waitFor("the drain", async () => {
    const found = (await virtualServer(second))?.servers.find(({ server }) => server === `${spare}:${port}`);
    return found !== undefined && found.drain !== "none";
  });
  await waitFor("the other server", async () =>
    ((await virtualServer(second))?.destinations ?? []).some(
      ({ server, weight }) => server === `${up}:${port}` && weight === 1,
    ),
  );
});

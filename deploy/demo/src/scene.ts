// What is shown: two routers with HAProxy and a client on one bridge, a hub beside them, Baton on both routers.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EventEnvelope } from "@baton/domain";
import {
  type BatonNode,
  createLab,
  hubAddress,
  type Lab,
  type LabProcess,
  type LiveCount,
  type Probe,
  virtualAddress,
  waitFor,
} from "@baton/lab";
import { bootNow } from "@baton/linux";
import { openPageProxy, type PageProxy } from "./page-proxy.ts";

export const routerNames = ["r1", "r2"] as const;
export type RouterName = (typeof routerNames)[number];

const examples = new URL("../../examples/haproxy-active-backup/", import.meta.url);
const fleetMain = fileURLToPath(new URL("../../../services/fleet/dist/main.js", import.meta.url));
const example = (name: string): string => readFileSync(new URL(name, examples), "utf8");

export interface SceneListener {
  /** Each new event of both nodes, as it comes. */
  event(envelope: EventEnvelope): void;
  state(node: RouterName, state: string): void;
  count(count: LiveCount): void;
  step(text: string): void;
}

export interface Scene {
  readonly lab: Lab;
  /** http://127.0.0.1:PORT */
  readonly page: string;
  /** Everything that both nodes have told. */
  readonly events: readonly EventEnvelope[];
  readonly probe: Probe;
  node(name: RouterName): BatonNode;
  haproxy(name: RouterName): LabProcess;
  startHaproxy(name: RouterName): Promise<void>;
  /** Baton and all that belongs to a router; also after it was killed. */
  startNode(name: RouterName): Promise<void>;
  close(): Promise<void>;
}

export async function openScene(listener: SceneListener): Promise<Scene> {
  listener.step("building two routers, a client and a hub in network namespaces");
  // The demonstration ends the lab itself, on Ctrl-C too.
  const lab = await createLab({ name: "demo", hub: true, signals: false });
  try {
    return await furnish(lab, listener);
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

async function furnish(lab: Lab, listener: SceneListener): Promise<Scene> {
  listener.step("starting the hub and its page");
  const { proxy, stateDir } = await startHub(lab);
  const events: EventEnvelope[] = [];
  const nodes = new Map<RouterName, BatonNode>();
  const stands = new Map<RouterName, LabProcess>();
  const found = <T>(map: Map<RouterName, T>, name: RouterName): T => {
    const value = map.get(name);
    if (value === undefined) throw new Error(`nothing runs on ${name}`);
    return value;
  };
  const startHaproxy = async (name: RouterName): Promise<void> => {
    stands.set(name, await lab.router(name).startStandIn("haproxy"));
  };
  const startNode = async (name: RouterName): Promise<void> => {
    const startedAt = bootNow();
    const router = lab.router(name);
    router.writeFile("/etc/keepalived/notify.sh", example("notify.sh"), 0o755);
    const node = await router.startBaton(example(`${name}.conf`), { settings: settingsOf(stateDir, name) });
    nodes.set(name, node);
    await node.waitReady(30_000);
    listener.state(name, (await node.status()).instances[0]?.state ?? "");
    const seen = new Set(events.map(({ id }) => id));
    node.follow((envelope) => {
      // A node that comes back tells its story from the beginning; only what is new is shown.
      if (seen.has(envelope.id)) return;
      seen.add(envelope.id);
      events.push(envelope);
      if (envelope.at >= startedAt) listener.event(envelope);
    });
  };

  for (const name of routerNames) await startHaproxy(name);
  listener.step("starting Baton on both routers");
  await Promise.all(routerNames.map(startNode));
  await found(nodes, "r1").waitState("master", undefined, 30_000);
  listener.step(`the client asks ${virtualAddress} once a millisecond`);
  const probe = await lab.client.probe({ address: virtualAddress, onLive: listener.count });
  await probe.waitAnswered("r1");
  return {
    lab,
    page: proxy.address,
    events,
    probe,
    node: (name) => found(nodes, name),
    haproxy: (name) => found(stands, name),
    startHaproxy,
    startNode,
    async close() {
      proxy.close();
      await lab.destroy();
    },
  };
}

async function startHub(lab: Lab): Promise<{ proxy: PageProxy; stateDir: string }> {
  const hub = lab.hub();
  const stateDir = join(hub.directory, "fleet");
  const socket = join(hub.directory, "page.sock");
  const readyFile = join(hub.directory, "ready");
  mkdirSync(stateDir, { recursive: true });
  const child = await hub.spawn("fleet", [
    process.execPath,
    fleetMain,
    "--listen",
    `unix:${socket}`,
    "--state-dir",
    stateDir,
    "--nodes",
    routerNames.join(","),
    "--nats-listen",
    `${hubAddress}:4222`,
    "--ready-file",
    readyFile,
  ]);
  await waitFor(
    "the hub to be ready",
    async () => {
      if (!child.running) throw new Error(`the hub has ended:\n${child.log().slice(-2000)}`);
      return (await hub.exec(["test", "-s", readyFile])).code === 0;
    },
    { deadlineMs: 30_000 },
  );
  return { proxy: await openPageProxy(socket), stateDir };
}

/** baton.yaml of a node: its login at the hub, as the hub made it. */
function settingsOf(stateDir: string, name: RouterName): string {
  const login = JSON.parse(readFileSync(join(stateDir, "nodes", `${name}.json`), "utf8")) as Record<string, string>;
  const { url, user, password } = login;
  return `hub: ${JSON.stringify({ url, user, password })}\n`;
}

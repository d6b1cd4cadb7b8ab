// `baton up` as a user meets it: ready, second start, stop, scripts at the end, and clear sentences.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BatonNode, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { discard, isType, labFor, masterConf } from "./pair.ts";

const lab = labFor("start-stop", { beforeAll, afterAll });
const baton = fileURLToPath(new URL("../../../node_modules/.bin/baton", import.meta.url));
// Each test, and each attempt at it, begins with a node that has no history.
const nodes: BatonNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await discard(node);
});
async function start(router: "r1" | "r2", config: string): Promise<BatonNode> {
  const node = await lab.get().router(router).startBaton(config);
  nodes.push(node);
  return node;
}

describe("baton up", () => {
  test("ready, a second start refused, notify_stop at the end, nothing left behind", async () => {
    const router = lab.get().router("r1");
    router.writeFile("/etc/keepalived/notify.sh", '#!/bin/bash\necho "$*" >> /run/notify.log\n', 0o755);
    const node = await start(
      "r1",
      masterConf({
        instance: 'notify_stop "/etc/keepalived/notify.sh stop"\n  notify "/etc/keepalived/notify.sh any"',
      }),
    );
    await node.waitReady();
    await node.waitState("master");
    expect((await node.status()).services.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["control", "dataplane", "election", "health", "notifier"]),
    );

    const again = await router.exec([
      process.execPath,
      baton,
      "up",
      "--config",
      "/etc/keepalived/keepalived.conf",
      "--run-dir",
      node.runDir,
      "--state-dir",
      node.stateDir,
    ]);
    expect(again.code).not.toBe(0);
    expect(again.stderr.trim().split("\n")).toHaveLength(1);
    expect(again.stderr).toMatch(/already/);

    const pids = [...node.servicePids().values()];
    expect((await node.stop()).code).toBe(0);
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(router.readFile("/run/notify.log").trim().split("\n")).toEqual([
      "any INSTANCE VI_1 BACKUP 101",
      "any INSTANCE VI_1 MASTER 101",
      "stop",
      "any INSTANCE VI_1 STOP 101",
    ]);
    expect(await router.addresses()).toEqual(["172.16.1.1/16"]);
    expect(readdirSync(node.runDir).filter((name) => name.endsWith(".sock"))).toEqual([]);
  });

  test("vrrp_startup_delay: the node is ready, its instances wait; a reload that takes the delay away starts them", async () => {
    const capture = await lab.get().capture({ filter: "ip proto 112" });
    const delayed = (seconds: number): string =>
      masterConf({ before: `global_defs {\n vrrp_startup_delay ${seconds}\n}` });
    const node = await start("r1", delayed(600));
    await node.waitReady();
    await node.waitState("initialize");
    node.reload(delayed(8));
    await node.waitState("master");
    const events = await node.events();
    const at = (match: (envelope: (typeof events)[number]) => boolean): number => events.find(match)?.at ?? Number.NaN;
    const started = at(({ event }) => event.type === "service-started" && event.data.service === "election");
    const master = at(({ event }) => event.type === "became-master");
    expect(master - started).toBeGreaterThan(8_000_000);
    await node.stop();
    // A pcap file is as old as its first packet: no advert left before the instance was master.
    const pcap = readFileSync(await capture.stop());
    const firstAdvert = pcap.readUInt32LE(24) + pcap.readUInt32LE(28) / 1e6;
    const told = events.find(({ event }) => event.type === "became-master")?.time ?? "";
    expect(firstAdvert).toBeGreaterThan(Date.parse(told) / 1_000 - 0.1);
  });

  test("the owner of an address (priority 255) speaks from it, is master at once, and keeps it at the end", async () => {
    const router = lab.get().router("r1");
    const node = await start("r1", masterConf({ priority: 255, addresses: ["172.16.1.1/16 dev eth0"] }));
    await node.waitReady();
    await node.waitState("master");
    const taken = await waitFor("its event", async () => (await node.events()).find(isType("became-master")));
    expect(taken.event.data).toMatchObject({ reason: "owner-start", priority: 255 });
    await node.stop();
    expect(await router.addresses()).toEqual(["172.16.1.1/16"]);
  });

  test("a configuration that cannot work: its diagnostics and keepalived's exit code, at once", async () => {
    const router = lab.get().router("r1");
    router.writeFile("/tmp/broken.conf", masterConf().replace("virtual_router_id 51", "virtual_router_id"));
    const dirs = ["--run-dir", `${router.directory}/broken-run`, "--state-dir", `${router.directory}/broken-state`];
    const up = await router.exec([process.execPath, baton, "up", "--config", "/tmp/broken.conf", ...dirs]);
    expect(up.code).toBe(2);
    expect(up.stderr).toMatch(/broken\.conf:\d+:\d+: error: /);
    expect(up.stderr).not.toMatch(/\n\s+at /);
  });
});

test("baton status, events and check answer as README says", async () => {
  const router = lab.get().router("r2");
  const node = await start("r2", masterConf());
  await node.waitReady();
  await node.waitState("master");
  const run = (...words: string[]) => router.exec([process.execPath, baton, ...words]);
  const status = await run("status", "--run-dir", node.runDir);
  expect(status.stdout).toMatch(/VI_1.*master/i);
  const asJson = JSON.parse((await run("status", "--json", "--run-dir", node.runDir)).stdout) as {
    instances: { state: string }[];
  };
  expect(asJson.instances[0]?.state).toBe("master");
  const events = await run("events", "--run-dir", node.runDir);
  expect(events.stdout).toMatch(/r2 became master of VI_1/);
  const check = await run("check", "/etc/keepalived/keepalived.conf");
  expect(check.code).toBe(0);
  expect(await node.stop()).toMatchObject({ code: 0 });
  const gone = await run("status", "--run-dir", node.runDir);
  expect(gone.code).not.toBe(0);
  expect(gone.stderr.trim().split("\n")).toHaveLength(1);
});

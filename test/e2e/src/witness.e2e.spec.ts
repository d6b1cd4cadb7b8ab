// The bus as witness (SAFETY S13): a master whose link goes says so over another network, and its backup need not wait for
// a whole master-down. Who lies about it moves nothing.
import { fileURLToPath } from "node:url";
import type { EventEnvelope } from "@baton/domain";
import { type BatonNode, waitFor } from "@baton/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startHub } from "./fleet-hub.ts";
import { readMetrics } from "./metrics.ts";
import { backupConf, isType, labFor, masterConf } from "./pair.ts";

const forger = fileURLToPath(new URL("../dist/forger-main.js", import.meta.url));
const lab = labFor("witness", { beforeAll, afterAll }, { hub: true });
/** Without a witness a backup takes over at the earliest this long after the link went: its last advert was an interval old. */
const withoutWitness = 2_609_375;

test("a master whose link goes has a successor within 1.1 intervals and a skew; a forged denial moves nothing", async () => {
  const { hub, r1, r2 } = await startFleet();
  await lab.get().router("r1").exec("ip link set eth0 down");
  const fault = await r1.waitEvent(isType("entered-fault"), "r1 in fault");
  // Two that start together may each have been master for a moment before.
  const isSince = (each: EventEnvelope): boolean => isType("became-master")(each) && each.at > fault.at;
  const takeover = await r2.waitEvent(isSince, "r2 master", 15_000);
  expect(takeover.event.data).toMatchObject({ reason: "witness-answered" });
  // 1.1 s at most, and what the machine takes; both count on the clock of one kernel.
  expect(takeover.at - fault.at).toBeLessThan(withoutWitness);

  await lab.get().router("r1").exec("ip link set eth0 up");
  await r1.waitState("master", "VI_1", 20_000);
  await r2.waitState("backup");
  const { url, user, password } = hub.login("forger");
  const slandered = lab.get().router("r1").address;
  const since = await takeovers(r2);
  const liar = await lab.get().hub().spawn("forger", [process.execPath, forger, url, user, password, slandered]);
  await waitFor("r2 to ask", () => liar.log().includes("asked"), { deadlineMs: 30_000 });
  const adverts = async (): Promise<number> =>
    (await readMetrics(lab.get().router("r2"))).sum("vrrp_adverts_total", { direction: "received" });
  const heard = await adverts();
  await waitFor("r2 to hear r1 again", async () => (await adverts()) > heard + 3, { deadlineMs: 15_000 });
  expect(await takeovers(r2)).toBe(since);
  await liar.kill();
});

async function startFleet() {
  const hub = await startHub(lab.get(), ["r1", "r2", "forger"]);
  const settings = (node: string): string => `${hub.settings(node)}segments:\n  eth0: lab\n`;
  const [r1, r2] = await Promise.all([
    lab
      .get()
      .router("r1")
      .startBaton(masterConf(), { settings: settings("r1") }),
    lab
      .get()
      .router("r2")
      .startBaton(backupConf(), { settings: settings("r2") }),
  ]);
  await Promise.all([r1.waitState("master", "VI_1", 40_000), r2.waitState("backup", "VI_1", 40_000)]);
  // Both are connected: what they say reaches the other.
  await waitFor("the uplinks to be connected", async () => {
    const pages = await Promise.all(["r1", "r2"].map((router) => readMetrics(lab.get().router(router))));
    return pages.every((page) => page.sum("uplink_connected") === 1);
  });
  return { hub, r1, r2 };
}

const takeovers = async (node: BatonNode): Promise<number> =>
  (await node.events()).filter(isType("became-master")).length;

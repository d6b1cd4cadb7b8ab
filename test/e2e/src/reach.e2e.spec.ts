// Two Batons that reach each other in other ways than IPv4 multicast: over IPv6, and peer to peer.
import { statSync } from "node:fs";
import { type Lab, type Probe, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backupConf, discard, isType, keepalivedConf, labFor, masterConf, startPair, stopPair } from "./pair.ts";

const lab = labFor("reach", { beforeAll, afterAll });
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined);
});

const address = "2001:db8:1::100";
const six = (state: "MASTER" | "BACKUP", priority: number): string =>
  keepalivedConf({ state, priority, password: "", addresses: [`${address}/64`], instance: "version 3" });

/** Each machine's own global address; the link-local ones are the kernel's. */
async function giveAddresses({ router, client }: Lab): Promise<void> {
  for (const [index, machine] of [router("r1"), router("r2"), client].entries())
    await machine.exec(`ip address replace 2001:db8:1::${index + 1}/64 dev eth0 nodad`);
}
const holds = async (router: "r1" | "r2"): Promise<boolean> =>
  (await lab.get().router(router).addresses()).includes(`${address}/64`);

async function probing(): Promise<Probe> {
  const probe = await lab.get().client.probe({ address });
  await probe.waitAnswered("r1");
  return probe;
}

test("IPv6: leaving loses no probe, and a killed router is taken over from; the neighbours believe its successor", async () => {
  await giveAddresses(lab.get());
  const [first, second] = await Promise.all([
    lab.get().router("r1").startBaton(six("MASTER", 101)),
    lab.get().router("r2").startBaton(six("BACKUP", 100)),
  ]);
  stops.push(
    () => discard(first),
    () => discard(second),
  );
  await Promise.all([first.waitReady(), second.waitReady()]);
  await first.waitState("master");
  await waitFor("r2 to have heard r1", async () => /^fe80:/.test((await second.status()).instances[0]?.master ?? ""));
  const leaving = await probing();
  await first.stop();
  await leaving.waitAnswered("r2");
  const left = await leaving.stop();
  expect(left.lost, JSON.stringify(left.outages)).toBe(0);
  expect(await holds("r1")).toBe(false);

  const again = await lab.get().router("r1").startBaton(six("MASTER", 101));
  stops.push(() => discard(again));
  await again.waitReady();
  await again.waitState("master");
  const killing = await probing();
  await lab.get().router("r1").killEverything({ keepResponder: true });
  await killing.waitAnswered("r2");
  await killing.stop();
  await waitFor("the kernel to drop the address", async () => !(await holds("r1")));
  expect(await holds("r2")).toBe(true);
});

test("unicast: adverts go to the peer alone; leaving loses no probe, and a peer's silence is taken over from", async () => {
  const peers = (own: string, peer: string): string =>
    `unicast_src_ip ${own}\n unicast_peer {\n ${peer} min_ttl 255\n }\n unicast_ttl 255`;
  const conf = {
    r1: masterConf({ instance: peers("172.16.1.1", "172.16.1.2") }),
    r2: backupConf({ instance: peers("172.16.1.2", "172.16.1.1") }),
  };
  const multicast = await lab.get().capture({ filter: "ip proto 112 and dst 224.0.0.18" });
  const pair = await startPair(lab.get(), conf);
  stops.push(() => stopPair(pair));
  const probe = await pair.probe();
  await pair.r1.stop();
  await probe.waitAnswered("r2");
  const report = await probe.stop();
  expect(report.lost, JSON.stringify(report.outages)).toBe(0);
  const takeover = await pair.event(pair.r2, isType("became-master"), "r2's takeover");
  expect(takeover.event.data).toMatchObject({ reason: "priority-zero-received" });
  // A pcap file without packets is its header.
  expect(statSync(await multicast.stop()).size).toBe(24);
});

// A router of higher priority comes back while a healthy one serves: nobody who asks for an address may notice. With many
// instances it takes over while its code is cold and its kernel busy: the old master has to wait for it (SAFETY S12).
import { type BatonNode, crowdAddress, crowdConfig, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { discard, labFor } from "./pair.ts";

const lab = labFor("preemption", { beforeAll, afterAll });
const nodes: BatonNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await discard(node);
});

const crowd = { instances: 50, seconds: 0.1 };
/** A prober costs as much as a router. */
const probed = [0, 24, 49];

async function start(router: "r1" | "r2", priority: number): Promise<BatonNode> {
  const node = await lab.get().router(router).startBaton(crowdConfig(crowd, priority));
  nodes.push(node);
  return node;
}

test("fifty instances at 0.1 s, taken over by a better router that starts: no probe is lost, and the old master lets go", async () => {
  await start("r2", 100);
  const probes = await Promise.all(probed.map((index) => lab.get().client.probe({ address: crowdAddress(index) })));
  for (const probe of probes) await probe.waitAnswered("r2", 30_000);
  const before = await Promise.all(probes.map(async (probe) => (await probe.report()).outages.length));
  await start("r1", 101);
  for (const probe of probes) await probe.waitAnswered("r1", 30_000);
  await waitFor("r2 to have let go", async () => (await lab.get().router("r2").addresses()).length === 1);
  for (const probe of probes) {
    const { answered } = await probe.report();
    await waitFor("half a second of answers", async () => (await probe.report()).answered > answered + 500);
  }
  const reports = await Promise.all(probes.map((probe) => probe.stop()));
  const outages = reports.flatMap((report, index) => report.outages.slice(before[index]));
  expect(outages, JSON.stringify(reports.map(({ reigns, pauses }) => ({ reigns, pauses })))).toEqual([]);
});

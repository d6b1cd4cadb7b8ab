// Confirmed mastership (SAFETY S9) on the whole system: an address that cannot be programmed, and nobody else to serve.
import { type BatonNode, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { discard, labFor, masterConf } from "./pair.ts";

const lab = labFor("degraded", { beforeAll, afterAll });
const held: { node?: BatonNode } = {};
afterEach(async () => {
  if (held.node !== undefined) await discard(held.node);
  delete held.node;
});

test("an address whose link has gone: fault, then what can be served alone, then all of it again", async () => {
  const r1 = lab.get().router("r1");
  const addLink = async (): Promise<void> => {
    await r1.exec("ip link add eth9 type veth peer name eth9p");
    for (const name of ["eth9", "eth9p"]) await r1.exec(`ip link set ${name} up`);
  };
  await addLink();
  const node = await r1.startBaton(masterConf({ addresses: ["172.16.100.1/16", "192.0.2.1/24 dev eth9 no_track"] }));
  held.node = node;
  const told = async (type: string) => (await node.events()).some(({ event }) => event.type === type);
  const holds = async (address: string, link: string) =>
    (await r1.addresses(link)).some((each) => each.startsWith(`${address}/`));
  await node.waitState("master");
  await waitFor("all to be served", async () => (await node.status()).instances[0]?.leaseConfirmed === true);

  await r1.exec("ip link del eth9");
  await waitFor("the fault to be told", () => told("entered-fault"));
  await waitFor("a part to be served", async () => (await node.status()).instances[0]?.degraded === true);
  await waitFor("the address that can be served", () => holds("172.16.100.1", "eth0"));
  expect((await node.status()).instances).toMatchObject([{ state: "master", degraded: true }]);

  await addLink();
  await waitFor("all to be told as served", () => told("mastership-restored"));
  expect((await node.status()).instances).toMatchObject([{ state: "master", degraded: false }]);
  expect([await holds("172.16.100.1", "eth0"), await holds("192.0.2.1", "eth9")]).toEqual([true, true]);
  await r1.exec("ip link del eth9");
});

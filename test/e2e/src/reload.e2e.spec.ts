// A reload is a diff: what did not change does not move.
import { virtualAddress, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { labFor, masterConf, type Pair, startPair, stopPair } from "./pair.ts";

const lab = labFor("reload", { beforeAll, afterAll });
const held: { pair?: Pair } = {};
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});

const eventsSince = async (pair: Pair, count: number) =>
  (await pair.r1.events()).slice(count).map(({ event }) => event);

test("no change: one config-applied, and nothing else", async () => {
  const pair = await startPair(lab.get());
  held.pair = pair;
  const probing = await pair.probe();
  // The takeover ends with its second burst, garp_master_delay after the first. Between them there may be another, if
  // r2 was master for a moment and r1 heard the last of it.
  await waitFor("the second burst", async () =>
    (await pair.r1.events()).some(({ event }) => event.type === "garp-sent" && event.data.reason === "second-burst"),
  );
  const before = (await pair.r1.events()).length;
  pair.r1.reload();
  await waitFor("config-applied", async () => (await eventsSince(pair, before)).length > 0);
  const answered = (await probing.report()).answered;
  await waitFor("two seconds of answers", async () => (await probing.report()).answered > answered + 2_000);
  expect((await eventsSince(pair, before)).map(({ type }) => type)).toEqual(["config-applied"]);
  expect((await probing.stop()).lost).toBe(0);
});

test("another address: it is added, and nothing moves", async () => {
  const pair = await startPair(lab.get());
  held.pair = pair;
  const probing = await pair.probe();
  const before = (await pair.r1.events()).length;
  pair.r1.reload(masterConf({ addresses: [`${virtualAddress}/16 dev eth0 label eth0:0`, "172.16.100.9/16 dev eth0"] }));
  await waitFor("the address", () => pair.holds("r1", "172.16.100.9"));
  await waitFor("its event", async () => (await eventsSince(pair, before)).some(({ type }) => type === "vip-added"));
  const answered = (await probing.report()).answered;
  await waitFor("two seconds of answers", async () => (await probing.report()).answered > answered + 2_000);
  const types = (await eventsSince(pair, before)).map(({ type }) => type).filter((type) => type !== "garp-sent");
  // Two services say so, each in its own order.
  expect(types.sort()).toEqual(["config-applied", "vip-added"]);
  const report = await probing.stop();
  expect(report.lost).toBe(0);
  expect(report.reigns.map(({ by }) => by)).toEqual(["r1"]);

  pair.r1.reload(masterConf());
  await waitFor("the address to go", async () => !(await pair.holds("r1", "172.16.100.9")));
  expect(await pair.holds("r1")).toBe(true);
});

test("a configuration that cannot work is refused, with its place; nothing moves", async () => {
  const pair = await startPair(lab.get());
  held.pair = pair;
  const probing = await pair.probe();
  const before = (await pair.r1.events()).length;
  pair.r1.reload(masterConf().replace("virtual_router_id 51", "virtual_router_id"));
  await waitFor("config-rejected", async () => (await eventsSince(pair, before)).length > 0);
  const [event] = await eventsSince(pair, before);
  expect(event?.type).toBe("config-rejected");
  expect(event?.type === "config-rejected" && event.data.errors.join("\n")).toMatch(
    /keepalived\.conf:\d+:\d+: error: /,
  );
  expect((await pair.r1.status()).instances[0]?.state).toBe("master");
  expect((await probing.stop()).lost).toBe(0);
});

test("another priority: it counts at once, by the rules of pre-emption", async () => {
  const pair = await startPair(lab.get());
  held.pair = pair;
  pair.r1.reload(masterConf({ priority: 90 }));
  await pair.r2.waitState("master");
  await pair.r1.waitState("backup");
});

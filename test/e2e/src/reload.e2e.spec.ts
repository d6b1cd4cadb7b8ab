// A reload is a diff: what did not change does not move.
import { type BatonNode, virtualAddress, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { backupConf, discard, labFor, masterConf, type Pair, quick, startPair, stopPair } from "./pair.ts";

const lab = labFor("reload", { beforeAll, afterAll });
const fast = quick(0.3);
const held: { pair?: Pair } = {};
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});

const eventsSince = async (pair: Pair, count: number) =>
  (await pair.r1.events()).slice(count).map(({ event }) => event);

test("no change: one config-applied, and nothing else", async () => {
  const pair = await startPair(lab.get(), { r1: masterConf(fast), r2: backupConf(fast) });
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
  const pair = await startPair(lab.get(), { r1: masterConf(fast), r2: backupConf(fast) });
  held.pair = pair;
  const probing = await pair.probe();
  const before = (await pair.r1.events()).length;
  pair.r1.reload(
    masterConf({ ...fast, addresses: [`${virtualAddress}/16 dev eth0 label eth0:0`, "172.16.100.9/16 dev eth0"] }),
  );
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

  pair.r1.reload(masterConf(fast));
  await waitFor("the address to go", async () => !(await pair.holds("r1", "172.16.100.9")));
  expect(await pair.holds("r1")).toBe(true);
});

test("a configuration that cannot work is refused, with its place; nothing moves", async () => {
  const pair = await startPair(lab.get(), { r1: masterConf(fast), r2: backupConf(fast) });
  held.pair = pair;
  const probing = await pair.probe();
  const before = (await pair.r1.events()).length;
  pair.r1.reload(masterConf(fast).replace("virtual_router_id 51", "virtual_router_id"));
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
  const pair = await startPair(lab.get(), { r1: masterConf(fast), r2: backupConf(fast) });
  held.pair = pair;
  pair.r1.reload(masterConf({ ...fast, priority: 90 }));
  await pair.r2.waitState("master");
  await pair.r1.waitState("backup");
});

/** One router alone, whose instance a reload puts on another device: where its address is, and which links it has made. */
describe("another device", () => {
  const conf = (lines: string, { address = "", before = "" } = {}): string => `${before}
vrrp_instance VI_1 {
  ${lines}
  version 3
  virtual_router_id 51
  priority 100
  advert_int 0.2
  virtual_ipaddress {
    ${virtualAddress}/16 ${address}
  }
}
`;
  const held: { node?: BatonNode } = {};
  beforeAll(async () => {
    await lab.get().addCables(2);
    held.node = await lab.get().router("r1").startBaton(conf("interface eth0"));
    await held.node.waitReady();
  });
  afterAll(() => (held.node === undefined ? undefined : discard(held.node)));
  const reload = async (text: string, state = "master"): Promise<void> => {
    held.node?.reload(text);
    await held.node?.waitState(state);
  };
  /** Every device that has the address, and every link that Baton has made. */
  const devices = async (): Promise<{ holders: string[]; made: string[] }> => {
    const { stdout } = await lab.get().router("r1").exec("ip -j -d address");
    const links = JSON.parse(stdout) as {
      ifname: string;
      linkinfo?: { info_kind: string };
      addr_info: { local: string }[];
    }[];
    const named = (those: typeof links): string[] => those.map(({ ifname }) => ifname).sort();
    return {
      holders: named(links.filter(({ addr_info: infos }) => infos.some(({ local }) => local === virtualAddress))),
      made: named(links.filter(({ linkinfo }) => linkinfo?.info_kind === "macvlan")),
    };
  };
  const waitDevices = async (holder: string, made: readonly string[]): Promise<void> => {
    const seen = { text: "" };
    const wanted = JSON.stringify({ holders: [holder], made });
    await waitFor(`the address on ${holder}`, async () => {
      seen.text = JSON.stringify(await devices());
      return seen.text === wanted;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${seen.text}`);
    });
  };

  test("a virtual MAC that comes, has another name and goes; another interface for the address, and for the instance", async () => {
    const steps = [
      [conf("interface eth0"), "eth0", []],
      [conf("interface eth0\n  use_vmac"), "vrrp.51", ["vrrp.51"]],
      [conf("interface eth0\n  use_vmac vip0"), "vip0", ["vip0"]],
      [conf("interface eth0"), "eth0", []],
      [conf("interface eth0", { address: "dev v1" }), "v1", []],
      [conf("interface v2"), "v2", []],
      [conf("interface v2\n  use_vmac"), "vrrp.51", ["vrrp.51"]],
      [conf("interface eth0"), "eth0", []],
    ] as const;
    for (const [text, holder, made] of steps) {
      await reload(text);
      await waitDevices(holder, made);
    }
  });

  test("a track_group that the instance comes into is its fault while the group's interface is down, and no more when it leaves", async () => {
    const address = "192.0.2.1/24 dev v2";
    const apart = conf("interface eth0", { before: `static_ipaddress {\n  ${address}\n}` });
    const grouped = conf("interface eth0", {
      before: `track_group TG {\n  group {\n    VI_1\n  }\n}\nstatic_ipaddress {\n  ${address} track_group TG\n}`,
    });
    await reload(apart);
    await lab.get().router("r1").exec("ip link set v2 down");
    await reload(grouped, "fault");
    await reload(apart);
  });
});

// `use_vmac` on the whole system: whoever is master, the network sees one MAC address for the virtual address, between
// two Batons and with keepalived on either side.
import { readFileSync } from "node:fs";
import { type Capture, virtualAddress } from "@baton/lab";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ConfigOptions, discard, keepalivedConf, labFor } from "./pair.ts";

const lab = labFor("virtual-mac", { beforeAll, afterAll });
const virtualMac = "00:00:5e:00:01:33";
const vmac: Pick<ConfigOptions, "advertInt" | "password" | "addresses" | "instance"> = {
  advertInt: 0.2,
  password: "",
  addresses: [`${virtualAddress}/16`],
  instance: "version 3\n  use_vmac",
};
const configs = {
  r1: keepalivedConf({ state: "MASTER", priority: 101, ...vmac }),
  r2: keepalivedConf({ state: "BACKUP", priority: 100, ...vmac }),
} as const;

type Kind = "baton" | "keepalived";
type Name = keyof typeof configs;
const kills = new Map<Name, () => Promise<unknown>>();

/** Returns what stops it. */
async function start(kind: Kind, name: Name): Promise<() => Promise<unknown>> {
  const router = lab.get().router(name);
  if (kind === "keepalived") {
    const node = await router.startKeepalived(configs[name]);
    kills.set(name, () => node.kill());
    return () => node.stop();
  }
  const node = await router.startBaton(configs[name]);
  kills.set(name, () => discard(node));
  await node.waitReady();
  return () => node.stop();
}

afterEach(async () => {
  for (const [name, kill] of kills) {
    await kill().catch(() => undefined);
    await lab
      .get()
      .router(name)
      .exec("kill -KILL $(cat /run/keepalived*.pid); rm -f /run/keepalived*.pid; ip link del vrrp.51");
  }
  kills.clear();
});

interface Frame {
  readonly source: string;
  readonly type: number;
  readonly payload: Buffer;
}

/** What was captured, by frames of Ethernet: 24 octets of file header, then each with a header of 16. */
async function framesOf(capture: Capture): Promise<Frame[]> {
  const pcap = readFileSync(await capture.stop());
  const frames: Frame[] = [];
  for (let at = 24; at + 16 <= pcap.length; ) {
    const length = pcap.readUInt32LE(at + 8);
    const frame = pcap.subarray(at + 16, at + 16 + length);
    const source = frame.toString("hex", 6, 12).replace(/..(?=.)/g, "$&:");
    frames.push({ source, type: frame.readUInt16BE(12), payload: frame.subarray(14) });
    at += 16 + length;
  }
  return frames;
}

/** Who is said to have the virtual address: sender of ARP, and of the frame around it. */
const claims = (frames: readonly Frame[]): Set<string> => {
  const address = Buffer.from(virtualAddress.split(".").map(Number)).toString("hex");
  const arp = frames.filter(({ type, payload }) => type === 0x0806 && payload.toString("hex", 14, 18) === address);
  return new Set(arp.map(({ source, payload }) => `${source} ${payload.toString("hex", 8, 14)}`));
};
const advertSources = (frames: readonly Frame[]): Set<string> =>
  new Set(frames.filter(({ type }) => type === 0x0800).map(({ source }) => source));

describe.each([
  ["baton", "baton"],
  ["baton", "keepalived"],
  ["keepalived", "baton"],
] as const)("%s as master, %s as backup", (master, backup) => {
  test("failover and pre-emption: one MAC address for the virtual address, and nothing left of the link", async () => {
    const { client } = lab.get();
    const capture = await lab.get().capture({ filter: "arp or ip proto 112" });
    await client.exec("ip neigh flush dev eth0");
    const stop = await start(master, "r1");
    await start(backup, "r2");
    const probing = await client.probe({ address: virtualAddress });
    await probing.waitAnswered("r1");
    await stop();
    await probing.waitAnswered("r2");
    const left = await lab.get().router("r1").exec("ip -o link show type macvlan");
    expect(left.stdout).toBe("");
    await start(master, "r1");
    await probing.waitAnswered("r1");
    const neighbour = await client.exec(`ip neigh show ${virtualAddress}`);
    expect(neighbour.stdout).toContain(virtualMac);
    const report = await probing.stop();
    const frames = await framesOf(capture);
    expect([...claims(frames)]).toEqual([`${virtualMac} ${virtualMac.replaceAll(":", "")}`]);
    expect([...advertSources(frames)]).toEqual([virtualMac]);
    const failover = report.outages.find((each) => each.answeredBefore === "r1" && each.answeredAfter === "r2");
    // Baton goes on answering until the other is heard; then the switch has a frame to learn from already.
    if (master === "baton") expect(failover?.durationMs ?? 0, JSON.stringify(report.outages)).toBeLessThan(200);
  });
});

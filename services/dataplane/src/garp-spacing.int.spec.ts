// `vrrp_garp_interval`, `vrrp_gna_interval` and `garp_group` as a wire sees them: dataplane as a process, and the kernel's own
// time stamps of what leaves its interfaces.
import { spawn } from "node:child_process";
import { micros, millisToMicros } from "@baton/domain";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { config } from "@baton/keepalived-conf/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claim } from "./testing/fake-election.ts";
import { becameMaster, Lab, snapshotOf, until } from "./testing/lab.ts";
import { instanceConfig, vip } from "./testing/rig.ts";

const held: { lab?: Lab; endCapture?: () => void } = {};
beforeEach(() => {
  held.lab = new Lab("gs");
});
afterEach(async () => {
  held.endCapture?.();
  await held.lab?.close();
});

const repeat = 2;
const garp = { ...instanceConfig("x", []).garp, delay: micros(0), repeat };
const pauses = { garp: 50, gna: 70, group: 90 } as const;

const instances: readonly InstanceConfig[] = [
  instanceConfig("VI_1", [vip("192.0.2.1"), vip("192.0.2.2")], { garp }),
  instanceConfig("VI_2", [vip("2001:db8::1"), vip("2001:db8::2")], { garp, family: 6, version: 3 }),
  instanceConfig("VI_3", [vip("198.51.100.1", { interface: "eth1" })], { garp, interface: "eth1" }),
  instanceConfig("VI_4", [vip("203.0.113.1", { interface: "eth2" })], { garp, interface: "eth2" }),
];

interface Announcement {
  readonly atMs: number;
  readonly interface: string;
  readonly address: string;
}

/** What leaves any interface of the node and announces an address, as it leaves. */
async function capture(lab: Lab): Promise<readonly Announcement[]> {
  const seen: Announcement[] = [];
  const options = ["-i", "any", "-n", "-tt", "-l", "--immediate-mode", "arp or icmp6"];
  const child = spawn("ip", ["netns", "exec", lab.node.name, "tcpdump", ...options]);
  const said = { text: "" };
  held.endCapture = () => void child.kill("SIGKILL");
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.text += text;
  });
  const rest = { text: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest.text + text).split("\n");
    rest.text = lines.pop() ?? "";
    for (const line of lines) {
      const found = /^([\d.]+) (\S+) +Out .*(?:who-has (\S+) .*tell \3,|advertisement, tgt is (\S+?),)/.exec(line);
      if (found === null) continue;
      const [, at = "", name = "", four, six] = found;
      seen.push({ atMs: Number(at) * 1_000, interface: name, address: four ?? six ?? "" });
    }
  });
  await until("the capture", () => said.text.includes("listening on"));
  return seen;
}

test("announcements leave one by one: each kind on its interface, and a group's interfaces together", async () => {
  const { lab } = held;
  if (lab === undefined) throw new Error("there is no lab");
  for (const name of ["eth1", "eth2"]) {
    lab.node.ip("link", "add", name, "type", "veth", "peer", "name", `${name}p`);
    for (const end of [name, `${name}p`]) lab.node.ip("link", "set", end, "up");
  }
  const { global } = config({ instances: [] });
  const vrrp = { ...global.vrrp, garpInterval: millisToMicros(pauses.garp), gnaInterval: millisToMicros(pauses.gna) };
  const group = { interfaces: ["eth1", "eth2"], garpInterval: millisToMicros(pauses.group), gnaInterval: undefined };
  const whole = config({ instances, global: { ...global, vrrp }, garpGroups: [group] });
  const seen = await capture(lab);
  const dataplane = await lab.start({ ...snapshotOf(1), config: whole });
  const election = await lab.connect();
  election.beat(instances.map(({ name }) => claim({ lease: name, instances: [name] })));
  for (const { name } of instances) dataplane.send({ type: "event", instance: name, event: becameMaster(name, 1) });

  const addresses = instances.flatMap((each) => each.addresses);
  await until("every announcement", () => seen.length >= repeat * addresses.length);
  const lanes = [
    { of: ["192.0.2.1", "192.0.2.2"], pause: pauses.garp },
    { of: ["2001:db8::1", "2001:db8::2"], pause: pauses.gna },
    { of: ["198.51.100.1", "203.0.113.1"], pause: pauses.group },
  ];
  for (const { of, pause } of lanes) {
    const frames = seen.filter(({ address }) => of.includes(address));
    expect(frames.map(({ address }) => address)).toEqual([...of, ...of]);
    const gaps = frames.slice(1).map(({ atMs }, index) => atMs - (frames[index]?.atMs ?? 0));
    // The machine may stand still between a look at the clock and the wire: a gap shrinks by what the one before was late.
    for (const gap of gaps) expect(gap).toBeGreaterThan(pause / 2);
    expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(0.9 * gaps.length * pause);
  }
});

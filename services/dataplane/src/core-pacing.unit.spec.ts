// Pauses between announcements, and what is announced on other interfaces than the instance's: the core with a kernel in
// memory, frame by frame as they leave.
import { micros, secondsToMicros } from "@baton/domain";
import type { GarpGroupConfig, InstanceConfig } from "@baton/keepalived-conf";
import { config } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { desiredFrom } from "./desired.ts";
import { holdOf, instanceConfig, link, ofType, Rig, type Seen, second, vip } from "./testing/rig.ts";

const ms = 1_000;
const noDelay = { ...instanceConfig("x", []).garp, delay: micros(0), repeat: 2 };
const global = config({ instances: [] }).global;

interface Scene {
  readonly rig: Rig;
  /** Every frame so far: milliseconds after the first one, interface, address. */
  frames(): string[];
}

function scene(
  instances: readonly InstanceConfig[],
  pauses: { garp?: number; gna?: number; groups?: readonly GarpGroupConfig[] },
): Scene {
  const { garp = 0, gna = 0, groups = [] } = pauses;
  const vrrp = { ...global.vrrp, garpInterval: micros(garp), gnaInterval: micros(gna) };
  const whole = config({ instances, global: { ...global, vrrp }, garpGroups: groups });
  const rig = new Rig({ desired: desiredFrom(1, whole), links: [link("eth0", 2), link("eth1", 3)] });
  const frames: { at: number; text: string }[] = [];
  rig.onAnnounce = ({ interface: name, addresses, repeat }) => {
    for (let round = 0; round < repeat; round++)
      for (const address of addresses) frames.push({ at: rig.now, text: `${name} ${address}` });
  };
  return {
    rig,
    frames: () => frames.map(({ at, text }) => `${Math.round((at - (frames[0]?.at ?? 0)) / ms)} ${text}`),
  };
}

const claims = (...names: string[]) => names.map((name) => holdOf({ lease: name, instances: [name] }));

/** Claims, starts, and goes on in steps of a millisecond, with a heartbeat each tenth of a second. */
function run({ rig }: Scene, names: readonly string[], micros: number): Seen[] {
  rig.connect();
  const seen = rig.frame(claims(...names));
  for (const instance of names) seen.push(...rig.see("became-master", { instance }));
  for (let passed = 0; passed < micros; passed += ms) {
    if (passed % (100 * ms) === 0) seen.push(...rig.frame(claims(...names)));
    seen.push(...rig.pass(ms));
  }
  return seen;
}

const told = (seen: readonly Seen[]) =>
  ofType(seen, "report").flatMap(({ events }) =>
    events.flatMap(({ type, data }) => (type === "garp-sent" ? [{ ...data }] : [])),
  );

test("vrrp_garp_interval: one frame at a time, round by round, and told when the last has left", () => {
  const one = instanceConfig("VI_1", [vip("192.0.2.1"), vip("192.0.2.2")], { garp: noDelay });
  const it = scene([one], { garp: 10 * ms });
  const seen = run(it, ["VI_1"], 100 * ms);
  expect(it.frames()).toEqual(["0 eth0 192.0.2.1", "10 eth0 192.0.2.2", "20 eth0 192.0.2.1", "30 eth0 192.0.2.2"]);
  expect(told(seen)).toMatchObject([{ addresses: ["192.0.2.1", "192.0.2.2"], count: 4, reason: "takeover" }]);
});

test("vrrp_gna_interval spaces what is IPv6; each kind waits for its own", () => {
  const one = instanceConfig("VI_1", [vip("192.0.2.1"), vip("2001:db8::1"), vip("2001:db8::2")], {
    garp: { ...noDelay, repeat: 1 },
  });
  const it = scene([one], { gna: 20 * ms });
  run(it, ["VI_1"], 100 * ms);
  const frames = it.frames();
  expect(frames[0]).toBe("0 eth0 192.0.2.1");
  const sixth = frames.slice(1).map((frame) => Number(frame.split(" ", 1)[0]));
  expect(sixth).toHaveLength(2);
  expect((sixth[1] ?? 0) - (sixth[0] ?? 0)).toBe(20);
});

test("instances of one interface share its pause, others do not", () => {
  const [one, two, three] = [
    instanceConfig("VI_1", [vip("192.0.2.1")], { garp: { ...noDelay, repeat: 1 } }),
    instanceConfig("VI_2", [vip("192.0.2.2")], { garp: { ...noDelay, repeat: 1 } }),
    instanceConfig("VI_3", [vip("192.0.2.3", { interface: "eth1" })], { garp: { ...noDelay, repeat: 1 } }),
  ];
  const it = scene([one, two, three], { garp: 10 * ms });
  run(it, ["VI_1", "VI_2", "VI_3"], 50 * ms);
  expect(it.frames().sort()).toEqual(["0 eth0 192.0.2.1", "0 eth1 192.0.2.3", "10 eth0 192.0.2.2"]);
});

test("garp_group: its interfaces wait for each other, with its own pause; 0 is none", () => {
  const pair = [
    instanceConfig("VI_1", [vip("192.0.2.1")], { garp: { ...noDelay, repeat: 1 } }),
    instanceConfig("VI_2", [vip("192.0.2.2", { interface: "eth1" })], { garp: { ...noDelay, repeat: 1 } }),
  ];
  const group = { interfaces: ["eth0", "eth1"], garpInterval: micros(30 * ms), gnaInterval: undefined };
  const it = scene(pair, { garp: 10 * ms, groups: [group] });
  run(it, ["VI_1", "VI_2"], 50 * ms);
  expect(it.frames()).toEqual(["0 eth0 192.0.2.1", "30 eth1 192.0.2.2"]);
  const free = scene(pair, { garp: 10 * ms, groups: [{ ...group, garpInterval: micros(0) }] });
  run(free, ["VI_1", "VI_2"], 50 * ms);
  expect(free.frames()).toEqual(["0 eth0 192.0.2.1", "0 eth1 192.0.2.2"]);
});

test("what waits is over with the mastership, and the lease is answered for meanwhile", () => {
  const addresses = Array.from({ length: 50 }, (_, index) => vip(`192.0.2.${index + 1}`));
  const it = scene([instanceConfig("VI_1", addresses, { garp: noDelay })], { garp: 10 * ms });
  const seen = run(it, ["VI_1"], 100 * ms);
  expect(it.frames().length).toBeLessThanOrEqual(11);
  expect(ofType(seen, "answer").at(-1)?.leases).toMatchObject([{ standing: "held" }]);
  const sent = it.frames().length;
  it.rig.frame([holdOf({ state: "release" })]);
  it.rig.pass(second);
  expect(it.frames()).toHaveLength(sent);
});

test("an address that goes while it waits is not announced, and nobody waits for it", () => {
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].map((address) => vip(address));
  const it = scene([instanceConfig("VI_1", addresses, { garp: { ...noDelay, repeat: 1 } })], { garp: 50 * ms });
  run(it, ["VI_1"], 10 * ms);
  const left = instanceConfig(
    "VI_1",
    [addresses[0], addresses[2]].flatMap((each) => each ?? []),
    {
      garp: { ...noDelay, repeat: 1 },
    },
  );
  const vrrp = { ...global.vrrp, garpInterval: micros(50 * ms) };
  const next = desiredFrom(2, config({ instances: [left], global: { ...global, vrrp } }));
  it.rig.feed({ type: "configured", desired: next });
  it.rig.frame(claims("VI_1"), { configGeneration: 2 });
  it.rig.pass(200 * ms);
  expect(it.frames()).toEqual(["0 eth0 192.0.2.1", "50 eth0 192.0.2.3"]);
});

test("garp_extra_if all: one address of each other interface, again and again; without all only made interfaces", () => {
  const addresses = [
    vip("192.0.2.1"),
    vip("192.0.2.2", { interface: "eth1" }),
    vip("192.0.2.3", { interface: "eth1" }),
  ];
  const extra = (all: boolean): InstanceConfig =>
    instanceConfig("VI_1", addresses, {
      garp: { ...noDelay, repeat: 1 },
      garpExtra: { interval: secondsToMicros(1), all },
    });
  const it = scene([extra(true)], {});
  run(it, ["VI_1"], 2_500 * ms);
  expect(it.frames().slice(3)).toEqual(["1000 eth1 192.0.2.2", "2000 eth1 192.0.2.2"]);
  const none = scene([extra(false)], {});
  run(none, ["VI_1"], 2_500 * ms);
  expect(none.frames()).toHaveLength(3);
});

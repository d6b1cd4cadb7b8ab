// A takeover of more addresses than one send adds: what is announced while they are added, and what is left to announce.
import { micros } from "@baton/domain";
import { config } from "@baton/keepalived-conf/testing";
import { limits } from "@baton/linux";
import { expect, test } from "vitest";
import { desiredFrom } from "./desired.ts";
import {
  causeOf,
  desired,
  eventsOf,
  holdOf,
  instanceConfig,
  ip,
  link,
  ofType,
  Rig,
  type Seen,
  second,
  vip,
} from "./testing/rig.ts";

const perSend = limits.changesPerSend;
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `10.50.${(from + i) >> 8}.${(from + i) & 255}`);
const instanceOf = (addresses: readonly string[], more = {}) =>
  instanceConfig(
    "VI_1",
    addresses.map((each) => vip(each)),
    more,
  );
const rigWith = (addresses: readonly string[], more = {}): Rig =>
  new Rig({ desired: desired(1, instanceOf(addresses, more)) });

const takeover = (rig: Rig, more = {}): Seen[] => {
  rig.connect();
  return rig.frame([holdOf({ cause: causeOf("became-master-1"), ...more })]);
};
const heralds = (seen: readonly Seen[]) => ofType(seen, "change-addresses").flatMap((change) => change.heralds);
const bursts = (seen: readonly Seen[]) => ofType(seen, "announce").map(({ burst }) => burst);
const garpsSent = (seen: readonly Seen[]) =>
  eventsOf(seen).flatMap(({ type, data }) => (type === "garp-sent" ? [data] : []));
const counted = (rig: Rig) => rig.core.counters().find(({ name }) => name === "garp.sent")?.value;

test("each part is announced once as soon as it is there, and the other rounds follow the read-back", () => {
  const addresses = many(2 * perSend + 50);
  const rig = rigWith(addresses);
  const seen = takeover(rig);
  expect(ofType(seen, "change-addresses")).toHaveLength(1);
  const place = { instance: "VI_1", interface: "eth0", ifindex: 2, mac: "02:00:00:00:00:01" };
  expect(heralds(seen)).toEqual(
    [
      { after: perSend, addresses: addresses.slice(0, perSend) },
      { after: 2 * perSend, addresses: addresses.slice(perSend, 2 * perSend) },
      { after: addresses.length, addresses: addresses.slice(2 * perSend) },
    ].map((part) => ({ ...place, ...part, until: rig.now + 2 * second })),
  );
  expect(bursts(seen)).toMatchObject([{ addresses, repeat: 4, reason: "takeover", told: true }]);
  expect(garpsSent(seen)).toMatchObject([{ addresses, count: 5 * addresses.length, reason: "takeover" }]);
  expect(counted(rig)).toBe(5 * addresses.length);
  // Later ones are whole.
  expect(bursts(rig.heartbeats([holdOf()], 6 * second))).toMatchObject([{ addresses, repeat: 5 }]);
});

test("garp_master_repeat 1: the one round is told, and nothing is left to send", () => {
  const addresses = many(perSend + 1);
  const rig = rigWith(addresses, { garp: { ...instanceConfig("x", []).garp, repeat: 1, delay: micros(0) } });
  const seen = takeover(rig);
  expect(bursts(seen)).toMatchObject([{ addresses, repeat: 0 }]);
  expect(garpsSent(seen)).toMatchObject([{ addresses, count: addresses.length, reason: "takeover" }]);
  expect(counted(rig)).toBe(addresses.length);
});

test("a part of which an address was refused is announced with what is there, as often as ever", () => {
  const addresses = many(2 * perSend);
  const rig = rigWith(addresses);
  const refused = ip(addresses[perSend + 7] ?? "");
  rig.kernel.failWith(refused, "EPERM");
  const seen = takeover(rig);
  const there = addresses.filter((each) => each !== refused);
  expect(bursts(seen)).toMatchObject([{ addresses: there, repeat: 5 }]);
  expect(garpsSent(seen)).toMatchObject([{ addresses: there, count: 5 * there.length + perSend }]);
});

test("what one send adds is announced when it has been read back", () => {
  const seen = takeover(rigWith(many(perSend)));
  expect(heralds(seen)).toEqual([]);
  expect(bursts(seen)).toMatchObject([{ repeat: 5 }]);
});

test("many instances at once: each for itself", () => {
  const instances = Array.from({ length: 6 }, (_, i) =>
    instanceConfig(
      `VI_${i}`,
      many(20, 20 * i).map((each) => vip(each)),
    ),
  );
  const rig = new Rig({ desired: desired(1, ...instances) });
  rig.connect();
  const cause = causeOf("became-master-1");
  const seen = rig.frame(instances.map(({ name }) => holdOf({ lease: name, instances: [name], cause })));
  expect(heralds(seen).map(({ instance, after }) => `${instance} ${after}`)).toEqual(
    instances.map(({ name }, i) => `${name} ${20 * (i + 1)}`),
  );
  expect(bursts(seen).map(({ instance, repeat }) => `${instance} ${repeat}`)).toEqual(
    instances.map(({ name }) => `${name} 4`),
  );
});

test("an address that has to be made anew is not announced before it has been read back", () => {
  const addresses = many(perSend + 10);
  const changed = { ifindex: 2, address: ip(addresses[3] ?? ""), prefixLength: 32, scope: 253, protocol: 0xba };
  const rig = new Rig({ desired: desired(1, instanceOf(addresses)), found: [changed] });
  rig.see("became-backup");
  const seen = takeover(rig);
  const early = heralds(seen).flatMap((herald) => herald.addresses);
  expect(early).not.toContain(changed.address);
  expect(bursts(seen).at(-1)).toMatchObject({ addresses, repeat: 5 });
});

test.each<[string, () => Rig]>([
  ["IPv6: the kernel tells when packets arrive", () => rigWith([...many(perSend), "2001:db8::1"])],
  [
    "pauses between announcements",
    () => {
      const { global } = config({ instances: [] });
      const vrrp = { ...global.vrrp, garpInterval: micros(1_000) };
      const whole = config({ instances: [instanceOf(many(perSend + 1))], global: { ...global, vrrp } });
      return new Rig({ desired: desiredFrom(1, whole) });
    },
  ],
  [
    "no announcement at all",
    () => rigWith(many(perSend + 1), { garp: { ...instanceConfig("x", []).garp, repeat: 0 } }),
  ],
  [
    "neighbours that cannot be told",
    () => new Rig({ desired: desired(1, instanceOf(many(perSend + 1))), links: [link("eth0", 2, { mac: undefined })] }),
  ],
])("not before the read-back: %s", (_, make) => {
  const rig = make();
  const seen = takeover(rig);
  expect(ofType(seen, "change-addresses")).toHaveLength(1);
  expect(heralds(seen)).toEqual([]);
});

test("what a reload brings is no takeover", () => {
  const rig = rigWith(many(1));
  takeover(rig);
  rig.pass(second);
  rig.feed({ type: "configured", desired: desired(2, instanceOf(many(perSend + 2))) });
  const seen = rig.frame([holdOf({ cause: causeOf("became-master-1") })], { configGeneration: 2 });
  expect(ofType(seen, "change-addresses")).toHaveLength(1);
  expect(heralds(seen)).toEqual([]);
  expect(bursts(seen)).toMatchObject([{ reason: "reload", repeat: 5 }]);
});

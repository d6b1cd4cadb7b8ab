// A virtual MAC's interface and the one below it hear each other's adverts.
import { vrid } from "@baton/domain";
import { virtualLinks } from "@baton/keepalived-conf";
import { config, instanceConfig } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { Wires } from "./wires.ts";

const vmac = {
  name: "vrrp.51",
  mac: undefined,
  transmitBase: false,
  addresses: false,
  netlinkNotify: false,
  group: undefined,
} as const;

function wiresOf(...instances: Parameters<typeof instanceConfig>[0][]): Wires {
  const all = config({ instances: instances.map((each) => instanceConfig(each)) });
  const links = virtualLinks(all);
  return new Wires(all.instances.map((instance) => ({ instance, links: links.get(instance.name) })));
}

const packet = (number: number, family: 4 | 6 = 4) => ({ vrid: vrid(number), family });

test("what the interface of a virtual MAC hears is expected on the one below it, and the other way round", () => {
  const wires = wiresOf(
    { name: "own", interface: "eth0", vrid: vrid(51), vmac },
    { name: "plain", interface: "eth0", vrid: vrid(61) },
  );
  expect(wires.isExpectedBeside("vrrp.51", packet(61))).toBe(true);
  expect(wires.isExpectedBeside("eth0", packet(51))).toBe(true);
  // Its own socket has it: what is wrong with it there is no business of another.
  expect(wires.isExpectedBeside("eth0", packet(61))).toBe(false);
  expect(wires.isExpectedBeside("vrrp.51", packet(51))).toBe(false);
});

test("neither another VRID nor family nor wire is expected", () => {
  const wires = wiresOf(
    { name: "own", interface: "eth0", vrid: vrid(51), vmac },
    { name: "plain", interface: "eth0", vrid: vrid(61) },
    { name: "elsewhere", interface: "eth1", vrid: vrid(71) },
  );
  expect(wires.isExpectedBeside("vrrp.51", packet(99))).toBe(false);
  expect(wires.isExpectedBeside("vrrp.51", packet(61, 6))).toBe(false);
  expect(wires.isExpectedBeside("vrrp.51", packet(71))).toBe(false);
  expect(wires.isExpectedBeside("eth2", packet(61))).toBe(false);
});

// Links of `use_vmac` in the core: there before their addresses, down with the successor's advert (SAFETY S6), made anew.
import { expect, test } from "vitest";
import {
  desired,
  holdOf,
  instanceConfig,
  link,
  ofType,
  Rig,
  type Seen,
  second,
  theVip,
  typesOf,
  vip,
} from "./testing/rig.ts";

const vmac = {
  name: undefined,
  mac: undefined,
  transmitBase: false,
  addresses: false,
  netlinkNotify: false,
  group: undefined,
};
const withVmac = (generation = 1) =>
  desired(generation, instanceConfig("VI_1", [vip(theVip, { vmac: "instance" })], { vmac }));
const links = [link("eth0", 2), link("vrrp.51", 3, { mac: "00:00:5e:00:01:33", kind: "macvlan" })];
const rigWithVmac = (): Rig => new Rig({ desired: withVmac(), links });

/** Each as `name up` or `name down`. */
const kept = (effects: readonly Seen[]): string[][] =>
  ofType(effects, "keep-groundwork").map(({ groundwork }) =>
    groundwork.links.map(({ link: { name }, up }) => `${name} ${up ? "up" : "down"}`),
  );

test("links are asked for at the start, and again whenever a link has changed", () => {
  const rig = rigWithVmac();
  expect(kept(rig.effects)).toEqual([["vrrp.51 up"]]);
  expect(kept(rig.feed({ type: "links-changed", links: [link("eth0", 2)] }))).toEqual([["vrrp.51 up"]]);
  expect(kept(rig.pass(5 * second))).toEqual([]);
});

test("without any there is nothing to ask for", () => {
  const rig = new Rig();
  rig.feed({ type: "links-changed", links });
  rig.master();
  expect(kept(rig.effects)).toEqual([]);
});

test("addresses stand on the link, and are announced with its MAC address", () => {
  const rig = rigWithVmac();
  rig.master();
  expect(rig.infoOf(theVip)).toMatchObject({ ifindex: 3 });
  expect(ofType(rig.effects, "announce")).toMatchObject([
    { burst: { interface: "vrrp.51", ifindex: 3, mac: "00:00:5e:00:01:33" } },
  ]);
});

test("whoever had the virtual MAC may speak a moment after us: two more frames from it, one address each", () => {
  const addresses = ["172.16.100.1", "172.16.100.2"].map((address) => vip(address, { vmac: "instance" }));
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", addresses, { vmac })), links });
  rig.master();
  const later = ofType(rig.heartbeats([holdOf()], 400_000), "announce");
  expect(later).toMatchObject([
    { burst: { interface: "vrrp.51", addresses: ["172.16.100.1"], repeat: 1, told: false } },
    { burst: { interface: "vrrp.51", addresses: ["172.16.100.1"], repeat: 1, told: false } },
  ]);
});

test("an address on an interface of everybody's is not told twice", () => {
  const rig = new Rig({ links });
  rig.master();
  expect(ofType(rig.heartbeats([holdOf()], 400_000), "announce")).toEqual([]);
});

test("leaving: the link goes down with the successor's advert, and the address with it; then a backup listens on it", () => {
  const rig = rigWithVmac();
  rig.master();
  rig.frame([holdOf({ state: "leaving" })]);
  rig.heartbeats([holdOf({ state: "leaving" })], 1 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  const heard = rig.frame([holdOf({ state: "leaving", successorHeard: true })]);
  expect(kept(heard)).toEqual([["vrrp.51 down"], ["vrrp.51 up"]]);
  const order = typesOf(heard);
  expect(order.indexOf("keep-groundwork")).toBeLessThan(order.indexOf("change-addresses"));
  expect(order.indexOf("change-addresses")).toBeLessThan(order.lastIndexOf("keep-groundwork"));
  expect(rig.addresses()).toEqual([]);
});

test("an instance that the configuration has no more keeps its link until it has left", () => {
  const rig = rigWithVmac();
  rig.master();
  rig.feed({ type: "configured", desired: desired(2) });
  const left = rig.frame([holdOf({ state: "leaving" })], { configGeneration: 2 });
  expect(kept(left)).toEqual([]);
  const heard = rig.frame([holdOf({ state: "leaving", successorHeard: true })], { configGeneration: 2 });
  expect(kept(heard)).toEqual([["vrrp.51 down"], []]);
  expect(rig.addresses()).toEqual([]);
});

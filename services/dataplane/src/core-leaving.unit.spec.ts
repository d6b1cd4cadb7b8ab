// LEAVING in the core: make before break (SAFETY S6).
import { expect, test } from "vitest";
import {
  desired,
  eventsOf,
  holdOf,
  instanceConfig,
  ip,
  lastStanding,
  ofType,
  ownMac,
  peerMac,
  Rig,
  second,
  theVip,
  typesOf,
  vip,
} from "./testing/rig.ts";

const leaving = holdOf({ state: "leaving" });
const heard = holdOf({ state: "leaving", successorHeard: true });
const said = (address: string, mac = peerMac, on = "eth0") =>
  ({ type: "neighbours-heard", heard: [{ interface: on, mac, address: ip(address) }] }) as const;

test("keeps answering, is silent when the successor adverts, lets go after its announcement", () => {
  const rig = new Rig();
  rig.master();
  const left = rig.frame([leaving]);
  expect(typesOf(left)).toEqual(["listen", "answer"]);
  expect(ofType(left, "listen")).toEqual([{ type: "listen", interfaces: ["eth0"] }]);
  rig.heartbeats([leaving], 1 * second);
  expect(rig.silenced.size).toBe(0);

  const silent = rig.frame([heard]);
  expect(typesOf(silent)).toEqual(["silence", "answer"]);
  expect([...rig.silenced]).toEqual([theVip]);
  rig.pass(3_000);
  rig.feed(said(theVip));
  rig.pass(19_999);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  const gone = rig.pass(1);
  expect(rig.addresses()).toEqual([]);
  // The answer may come back only once the address has gone.
  expect(typesOf(gone)).toEqual(["change-addresses", "unsilence", "listen", "answer"]);
  expect(lastStanding(gone)).toMatchObject({ standing: "released", present: [] });
  expect(rig.silenced.size).toBe(0);
  expect(eventsOf(rig.see("instance-stopped"))).toMatchObject([{ type: "vip-removed", data: { reason: "successor" } }]);
});

test("a successor that never announces: two seconds after its advert", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([heard]);
  rig.heartbeats([heard], 2 * second - 1);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
  rig.pass(1);
  expect(rig.addresses()).toEqual([]);
});

test("each address goes when its own announcement is heard", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [vip("192.0.2.1"), vip("192.0.2.2")])) });
  rig.master();
  rig.frame([heard]);
  rig.feed(said("192.0.2.2"));
  const first = rig.pass(20_000);
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
  expect([...rig.silenced]).toEqual(["192.0.2.1"]);
  expect(lastStanding(first)).toMatchObject({ standing: "applying", present: ["192.0.2.1"] });
  rig.feed(said("192.0.2.1"));
  expect(lastStanding(rig.pass(20_000))).toMatchObject({ standing: "released" });
});

test("an announcement before the advert is heard counts as well", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([leaving]);
  expect(typesOf(rig.feed(said(theVip)))).toEqual(["silence"]);
  rig.pass(20_000);
  expect(rig.addresses()).toEqual([]);
});

test("our own packets, other addresses and other interfaces are nobody's announcement", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([heard]);
  rig.feed(said(theVip, ownMac));
  rig.feed(said("192.0.2.99"));
  rig.feed(said(theVip, peerMac, "eth1"));
  rig.pass(1 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("ARP of others means nothing while we hold", () => {
  const rig = new Rig();
  rig.master();
  expect(rig.feed(said(theVip))).toEqual([]);
  rig.pass(1 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("released while a successor is waited for: gone at once", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([heard]);
  const released = rig.frame([holdOf({ state: "release" })]);
  expect(rig.addresses()).toEqual([]);
  expect(rig.silenced.size).toBe(0);
  expect(lastStanding(released)).toMatchObject({ standing: "released" });
});

test("the event that announces leaving removes nothing", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([leaving]);
  rig.see("became-backup");
  rig.see("instance-stopped");
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

test("an election that dies while leaving: the lease ends, the addresses go, nothing stays silent", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([heard]);
  rig.feed({ type: "stream-closed", stream: 1 });
  rig.pass(2 * second);
  expect(rig.addresses()).toEqual([]);
  expect(rig.silenced.size).toBe(0);
});

test("leaving with nothing held is released at once; asking again says so again", () => {
  const rig = new Rig();
  rig.connect();
  expect(lastStanding(rig.frame([leaving]))).toMatchObject({ standing: "released" });
  expect(lastStanding(rig.frame([leaving]))).toMatchObject({ standing: "released" });
});

test("IPv6 addresses are silent from the successor's advert on, and go with its neighbour advertisement", () => {
  const rig = new Rig({ desired: desired(1, instanceConfig("VI_1", [vip("2001:db8::1/128"), vip("192.0.2.1")])) });
  rig.master();
  rig.frame([heard]);
  expect(rig.silenced.has(ip("2001:db8::1"))).toBe(true);
  expect(rig.addresses()).toEqual(["192.0.2.1/32", "2001:db8::1/128"]);
  rig.feed(said("2001:db8::1"));
  rig.pass(20_000);
  expect(rig.addresses()).toEqual(["192.0.2.1/32"]);
});

test("an owner's own address is neither silenced nor taken when it leaves", () => {
  const own = { ifindex: 2, address: ip(theVip), prefixLength: 24 };
  const config = instanceConfig("VI_1", [vip(`${theVip}/24`)], { priority: 255 as never });
  const rig = new Rig({ desired: desired(1, config), found: [own] });
  rig.master();
  const left = rig.frame([heard]);
  expect(rig.silenced.size).toBe(0);
  expect(rig.addresses()).toEqual([`${theVip}/24`]);
  expect(lastStanding(left)).toMatchObject({ standing: "released" });
});

test("a new term after leaving holds and answers again", () => {
  const rig = new Rig();
  rig.master();
  rig.frame([heard]);
  expect(rig.silenced.size).toBe(1);
  rig.frame([holdOf({ term: 2 as never })]);
  expect(rig.silenced.size).toBe(0);
  rig.heartbeats([holdOf({ term: 2 as never })], 4 * second);
  expect(rig.addresses()).toEqual([`${theVip}/32`]);
});

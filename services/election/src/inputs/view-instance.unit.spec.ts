// What an instance stands on: its interface, and with use_vmac the link with the virtual MAC address.
import type { InstanceLinks } from "@baton/keepalived-conf";
import { instanceConfig, ip } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { type InterfaceView, viewInstance } from "./links.ts";

type Own = NonNullable<InstanceLinks["own"]>;
const monitor = { links: () => [], addresses: () => [], drain: () => undefined, close: () => undefined };
const below: InterfaceView = { ifindex: 2, up: true, primaryAddress: ip("10.0.0.9") };
const above: InterfaceView = { ifindex: 3, up: true, primaryAddress: ip("fe80::9") };
const absent: InterfaceView = { ifindex: 0, up: false, primaryAddress: undefined };

const own = (over: { speaks?: boolean; family?: 4 | 6 } = {}): Own => ({
  kind: "macvlan",
  name: "vrrp.51",
  parent: "eth0",
  family: 4,
  mac: "00:00:5e:00:01:33",
  group: undefined,
  ipv6: false,
  speaks: true,
  linkLocal: "none",
  netlinkNotify: false,
  ...over,
});
function view(links: Own | undefined, seen: { eth0?: InterfaceView; vmac?: InterfaceView; family?: 4 | 6 } = {}) {
  const { eth0 = below, vmac = above, family = 4 } = seen;
  const instance = instanceConfig({ interface: "eth0", family, sourceAddress: undefined });
  const look = (name: string): InterfaceView => (name === "eth0" ? eth0 : vmac);
  return viewInstance(monitor, instance, { own: links }, look, (_name, up) => up);
}

test("without a link of its own: the interface", () => {
  expect(view(undefined)).toEqual(below);
});

test("IPv4: from the link, with the address of the interface below", () => {
  expect(view(own())).toEqual({ ifindex: 3, up: true, primaryAddress: ip("10.0.0.9") });
});

test("IPv6: from the link, with the address that it was lent", () => {
  expect(view(own({ family: 6 }), { family: 6 })).toEqual({ ifindex: 3, up: true, primaryAddress: ip("fe80::9") });
});

test("vmac_xmit_base: from the interface below; but both have to be up, as always", () => {
  expect(view(own({ speaks: false }))).toEqual(below);
  expect(view(own({ speaks: false }), { vmac: absent })).toEqual({ ...below, up: false });
  expect(view(own(), { vmac: { ...above, up: false } }).up).toBe(false);
  expect(view(own(), { eth0: { ...below, up: false } }).up).toBe(false);
  expect(view(own(), { vmac: absent })).toEqual({ ifindex: 0, up: false, primaryAddress: ip("10.0.0.9") });
});

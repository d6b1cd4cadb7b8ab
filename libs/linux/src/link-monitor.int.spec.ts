import { writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openAddressTable } from "./address-table.ts";
import type { AddressTable, LinkMonitor } from "./api.ts";
import { openLinkMonitor } from "./link-monitor.ts";
import { addressTag } from "./rtnetlink.ts";
import { ip } from "./testing/address-table-contract.ts";
import { makeNamespace, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespace: Namespace;
let monitor: LinkMonitor;
let table: AddressTable;
let changes = 0;
let gaps = 0;

beforeEach(() => {
  namespace = makeNamespace("lm");
  namespace.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  namespace.ip("link", "set", "eth0", "up");
  [changes, gaps] = [0, 0];
  monitor = open();
  table = namespace.inside(() => openAddressTable());
});
afterEach(() => {
  monitor.close();
  table.close();
  namespace.remove();
});

const open = () => namespace.inside(() => openLinkMonitor({ onChange: () => changes++, onGap: () => gaps++ }));
const link = (name: string) => monitor.links().find((info) => info.name === name);
const ifindex = () => link("eth0")?.ifindex ?? 0;

test("it knows the links at once, and follows their state", async () => {
  expect(link("lo")).toMatchObject({ ifindex: 1, up: true, type: 772, mtu: 65_536, kind: undefined });
  expect(link("eth0")).toMatchObject({ up: false, type: 1, kind: "veth", noArp: false, mtu: 1_500 });
  expect(link("eth0")?.mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  namespace.ip("link", "set", "eth1", "up");
  await vi.waitFor(() => expect(link("eth0")?.up).toBe(true), { timeout: 5_000 });
  expect(changes).toBeGreaterThan(0);
  namespace.ip("link", "set", "eth1", "down");
  await vi.waitFor(() => expect(link("eth0")?.up).toBe(false), { timeout: 5_000 });
  namespace.ip("link", "set", "eth0", "arp", "off");
  await vi.waitFor(() => expect(link("eth0")?.noArp).toBe(true), { timeout: 5_000 });
});

test("a link that is deleted and made again has a new index, and its addresses are gone", async () => {
  const old = ifindex();
  namespace.ip("address", "add", "10.1.0.5/24", "dev", "eth0");
  await vi.waitFor(() => expect(monitor.addresses(old).map((info) => info.address)).toContain("10.1.0.5"));
  namespace.ip("link", "del", "eth0");
  await vi.waitFor(() => expect(link("eth0")).toBeUndefined());
  expect(monitor.addresses(old)).toEqual([]);
  namespace.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  await vi.waitFor(() => expect(link("eth0")).toBeDefined());
  expect(ifindex()).not.toBe(old);
});

test("a link that leaves its bridge is not a link that is deleted", async () => {
  namespace.ip("link", "add", "br0", "type", "bridge");
  namespace.ip("link", "set", "eth0", "master", "br0");
  namespace.ip("link", "set", "eth0", "nomaster");
  namespace.ip("link", "add", "marker", "type", "bridge");
  await vi.waitFor(() => expect(link("marker")).toBeDefined());
  expect(link("eth0")).toBeDefined();
});

test("drain brings it up to date without a loop turn, and tells of news only", () => {
  monitor.drain();
  const before = changes;
  const spec = { ifindex: ifindex(), address: ip("10.1.0.5"), prefixLength: 24 };
  table.change([{ op: "add", spec: { ...spec, validLifetime: 60 } }]);
  expect(monitor.addresses(spec.ifindex)).toEqual([]);
  monitor.drain();
  expect(monitor.addresses(spec.ifindex)).toMatchObject([{ address: "10.1.0.5", validLifetime: 60 }]);
  expect(changes).toBe(before + 1);
  table.change([{ op: "replace", spec: { ...spec, validLifetime: 90 } }]); // a renewal is no news
  monitor.drain();
  monitor.drain();
  expect(changes).toBe(before + 1);
  table.change([{ op: "delete", spec }]);
  monitor.drain();
  expect(changes).toBe(before + 2);
  expect(monitor.addresses(spec.ifindex)).toEqual([]);
});

test("renewals of Baton's own IPv4 addresses are not received; whatever else is told of them is", async () => {
  const own = ifindex();
  const mine = { ifindex: own, address: ip("10.1.0.6"), prefixLength: 32, protocol: addressTag };
  const another = { ...mine, address: ip("10.1.0.7"), protocol: 7 };
  const lifetimes = () => new Map(monitor.addresses(own).map((info) => [info.address, info.validLifetime]));
  for (const spec of [mine, another]) table.change([{ op: "add", spec: { ...spec, validLifetime: 60 } }]);
  // The kernel counts the changes of an address in hundredths of a second: sooner it looks like the first.
  let lifetime = 60;
  await vi.waitFor(() => {
    lifetime++;
    for (const spec of [mine, another]) table.change([{ op: "replace", spec: { ...spec, validLifetime: lifetime } }]);
    monitor.drain();
    expect(lifetimes().get(another.address)).toBe(lifetime);
    expect(lifetimes().get(mine.address)).toBeLessThan(lifetime);
  });
  table.change([{ op: "delete", spec: mine }]);
  monitor.drain();
  expect([...lifetimes().keys()]).toEqual([another.address]);
  table.change([{ op: "add", spec: { ...mine, validLifetime: 70 } }]);
  monitor.drain();
  expect(lifetimes().get(mine.address)).toBe(70);
});

test("after lost events it has read everything anew", async () => {
  const spec = { ifindex: ifindex(), address: ip("10.1.0.5"), prefixLength: 24 };
  const flapping = Array.from({ length: 100 }, (_, i) => ({ op: i % 2 === 0 ? "add" : "delete", spec }) as const);
  for (let i = 0; i < 150; i++) table.change(flapping);
  table.change([{ op: "add", spec: { ...spec, address: ip("10.2.0.9") } }]);
  await vi.waitFor(() => expect(gaps).toBe(1));
  expect(monitor.addresses(spec.ifindex).map((info) => info.address)).toEqual(["10.2.0.9"]);
  expect(changes).toBeGreaterThan(0);
  table.change([{ op: "delete", spec: { ...spec, address: ip("10.2.0.9") } }]);
  await vi.waitFor(() => expect(monitor.addresses(spec.ifindex)).toEqual([]));
});

test("whatever is added and removed, the mirror has the order of a fresh dump", async () => {
  // Without carrier the kernel does not tell of IPv6 addresses until the link comes up.
  namespace.ip("link", "set", "eth1", "up");
  await vi.waitFor(() => expect(link("eth0")?.up).toBe(true), { timeout: 5_000 });
  const change = fc.record({
    op: fc.constantFrom("add" as const, "add" as const, "delete" as const, "replace" as const),
    host: fc.integer({ min: 1, max: 4 }),
    subnet: fc.integer({ min: 1, max: 3 }),
    prefixLength: fc.constantFrom(16, 24, 32),
    scope: fc.constantFrom(0, 0, 253, 254),
    v6: fc.constantFrom(undefined, undefined, "2001:db8::", "fe80::"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 25 }), fc.boolean(), async (plan, promote) => {
      const own = ifindex();
      namespace.ip("address", "flush", "dev", "eth0");
      namespace.inside(() => writeFileSync("/proc/sys/net/ipv4/conf/eth0/promote_secondaries", promote ? "1" : "0"));
      for (const { op, host, subnet, prefixLength, scope, v6 } of plan) {
        const spec =
          v6 === undefined
            ? { ifindex: own, address: ip(`10.1.${subnet}.${host}`), prefixLength, scope }
            : { ifindex: own, address: ip(`${v6}${subnet}:${host}`), prefixLength: 64, noDad: true };
        table.change([{ op, spec }]);
      }
      const key = (info: { address: string; prefixLength: number; flags: { secondary: boolean } }) =>
        `${info.address}/${info.prefixLength} ${info.flags.secondary}`;
      const fresh = table.list().filter((info) => info.ifindex === own);
      monitor.drain();
      // IPv4 is told at once; an IPv6 address when the kernel's DAD worker has been at it.
      await vi.waitFor(() => expect(monitor.addresses(own).map(key)).toEqual(fresh.map(key)), { interval: 1 });
    }),
    { numRuns: 60 },
  );
});

test("close gives the descriptors back and ends the calls", async () => {
  monitor.close();
  monitor.close();
  const before = openDescriptors();
  const others = Array.from({ length: 10 }, open);
  expect(openDescriptors().length).toBe(before.length + 20);
  for (const other of others) other.close();
  expect(openDescriptors()).toEqual(before);
  let heard = 0;
  const witness = namespace.inside(() => openLinkMonitor({ onChange: () => heard++, onGap: () => undefined }));
  changes = 0;
  namespace.ip("address", "add", "10.1.0.5/24", "dev", "eth0");
  await vi.waitFor(() => expect(heard).toBe(1));
  expect(changes).toBe(0);
  witness.close();
});

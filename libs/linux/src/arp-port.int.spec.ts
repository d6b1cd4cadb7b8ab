import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { ArpPacket, ArpPort } from "./api.ts";
import { openArpPort } from "./arp-port.ts";
import { ip } from "./testing/address-table-contract.ts";
import { makeNamespacePair, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespaces: readonly [Namespace, Namespace];
const opened: ArpPort[] = [];
beforeAll(() => {
  namespaces = makeNamespacePair("ar");
});
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
});

const ifindexOf = (namespace: Namespace) => Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]);
const open = (namespace: Namespace) => {
  const port = namespace.inside(() => openArpPort({ ifindex: ifindexOf(namespace) }));
  opened.push(port);
  return port;
};
const mac = "02:00:5e:10:00:01";
const neighbour = (address: string) => namespaces[1].ip("neigh", "show", address);

test("a peer hears every announcement in order, and believes the last", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const heard: ArpPacket[] = [];
  namespaces[1].inside(() => b.onArp((packet) => heard.push(packet)));
  const addresses = Array.from({ length: 200 }, (_, i) => ip(`10.99.0.${i + 20}`));
  // A neighbour that has the address of somebody else in its table.
  namespaces[1].ip("neigh", "replace", "10.99.0.77", "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale");
  expect(a.sendGratuitous(addresses, mac)).toEqual({ sent: 200, error: undefined });
  await vi.waitFor(() => expect(heard.length).toBe(200));
  expect(heard.map(({ senderIp }) => senderIp)).toEqual(addresses);
  expect(heard.every((packet) => packet.senderMac === mac && packet.operation === "request")).toBe(true);
  expect(heard.every((packet) => packet.senderIp === packet.targetIp)).toBe(true);
  await vi.waitFor(() => expect(neighbour("10.99.0.77")).toContain(mac));
});

test("own announcements are not heard; listening stops when it is told to", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const [own, others]: [ArpPacket[], ArpPacket[]] = [[], []];
  namespaces[0].inside(() => a.onArp((packet) => own.push(packet)));
  namespaces[1].inside(() => b.onArp((packet) => others.push(packet)));
  a.sendGratuitous([ip("10.99.0.20")], mac);
  await vi.waitFor(() => expect(others.length).toBe(1));
  expect(own).toEqual([]);
  b.onArp(undefined);
  a.sendGratuitous([ip("10.99.0.21")], mac);
  b.sendGratuitous([ip("10.99.0.22")], mac);
  await vi.waitFor(() => expect(own.length).toBe(1));
  expect(others.length).toBe(1);
});

test("listening outlives a link that goes down and up; sending says ENETDOWN meanwhile", async () => {
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  const heard: ArpPacket[] = [];
  namespaces[1].inside(() => b.onArp((packet) => heard.push(packet)));
  namespaces[1].ip("link", "set", "eth0", "down");
  const result = b.sendGratuitous([ip("10.99.0.20"), ip("10.99.0.21")], mac);
  expect(result).toMatchObject({ sent: 0, error: { code: "ENETDOWN" } });
  namespaces[1].ip("link", "set", "eth0", "up");
  await vi.waitFor(() => {
    a.sendGratuitous([ip("10.99.0.20")], mac);
    expect(heard.length).toBeGreaterThan(0);
  });
});

test("an interface that is gone is ENXIO, a closed port EBADF", () => {
  const gone = namespaces[0].inside(() => openArpPort({ ifindex: 4711 }));
  opened.push(gone);
  expect(gone.sendGratuitous([ip("10.99.0.20")], mac)).toMatchObject({ sent: 0, error: { code: "ENXIO" } });
  gone.close();
  expect(gone.sendGratuitous([ip("10.99.0.20")], mac)).toMatchObject({ sent: 0, error: { code: "EBADF" } });
});

test("a handler may stop listening while packets wait; nothing is left open", async () => {
  const before = openDescriptors();
  const [a, b] = [open(namespaces[0]), open(namespaces[1])];
  let heard = 0;
  namespaces[1].inside(() =>
    b.onArp(() => {
      heard++;
      b.onArp(undefined);
    }),
  );
  a.sendGratuitous([ip("10.99.0.20"), ip("10.99.0.21"), ip("10.99.0.22")], mac);
  await vi.waitFor(() => expect(heard).toBe(1));
  namespaces[1].inside(() => b.onArp(() => heard++));
  for (const port of [a, b, a]) port.close();
  expect(openDescriptors()).toEqual(before);
  expect(heard).toBe(1);
});

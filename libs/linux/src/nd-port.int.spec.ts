import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { NdPort, NeighbourAdvertisement } from "./api.ts";
import { openNdPort } from "./nd-port.ts";
import { ip } from "./testing/address-table-contract.ts";
import { makeNamespacePair, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespaces: readonly [Namespace, Namespace];
const opened: NdPort[] = [];
beforeAll(() => {
  namespaces = makeNamespacePair("nd");
  for (const [index, side] of namespaces.entries())
    side.ip("address", "add", `2001:db8::${index + 1}/64`, "dev", "eth0", "nodad");
});
afterEach(() => {
  for (const port of opened.splice(0)) port.close();
});
afterAll(() => {
  for (const namespace of namespaces) namespace.remove();
});

const ifindexOf = (namespace: Namespace) => Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]);
const open = (namespace: Namespace) => {
  const port = namespace.inside(() => openNdPort({ ifindex: ifindexOf(namespace) }));
  opened.push(port);
  return port;
};
const listen = (namespace: Namespace, port: NdPort): NeighbourAdvertisement[] => {
  const heard: NeighbourAdvertisement[] = [];
  namespace.inside(() => port.onAdvertisement((advertisement) => heard.push(advertisement)));
  return heard;
};
const sender = { mac: "02:00:5e:10:00:01", router: false };

test("a peer hears every announcement in order, and believes the last", async () => {
  const [left, right] = namespaces;
  const heard = listen(right, open(right));
  const addresses = Array.from({ length: 200 }, (_, index) => ip(`2001:db8::1:${(index + 32).toString(16)}`));
  const stale = ip("2001:db8::1:40");
  right.ip("neigh", "replace", stale, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale");
  expect(open(left).sendUnsolicited(addresses, sender)).toEqual({ sent: 200, error: undefined });
  await vi.waitFor(() => expect(heard.length).toBe(200));
  expect(heard.map(({ target }) => target)).toEqual(addresses);
  expect(heard.every(({ mac }) => mac === sender.mac)).toBe(true);
  await vi.waitFor(() => expect(right.ip("neigh", "show", stale)).toContain(sender.mac));
});

test("the flag of routers reaches the neighbour, and is taken back", async () => {
  const [left, right] = namespaces;
  const address = ip("2001:db8::77");
  right.ip("neigh", "replace", address, "lladdr", "02:00:00:00:00:99", "dev", "eth0", "nud", "stale");
  const port = open(left);
  port.sendUnsolicited([address], { ...sender, router: true });
  await vi.waitFor(() => expect(right.ip("neigh", "show", address)).toContain("router"));
  port.sendUnsolicited([address], sender);
  await vi.waitFor(() => expect(right.ip("neigh", "show", address)).not.toContain("router"));
});

test("own announcements are not heard; one for an address that we have, too, is; listening stops", async () => {
  const [left, right] = namespaces;
  const [a, b] = [open(left), open(right)];
  const [own, others] = [listen(left, a), listen(right, b)];
  a.sendUnsolicited([ip("2001:db8::2")], sender);
  await vi.waitFor(() => expect(others).toEqual([{ target: ip("2001:db8::2"), mac: sender.mac }]));
  expect(own).toEqual([]);
  b.onAdvertisement(undefined);
  a.sendUnsolicited([ip("2001:db8::21")], sender);
  b.sendUnsolicited([ip("2001:db8::22")], sender);
  await vi.waitFor(() => expect(own.length).toBe(1));
  expect(others.length).toBe(1);
});

test("sending says ENETDOWN on a link that is down, ENXIO on one that is gone, EBADF when closed", () => {
  const [, right] = namespaces;
  const port = open(right);
  right.ip("link", "set", "eth0", "down");
  expect(port.sendUnsolicited([ip("2001:db8::20")], sender)).toMatchObject({ sent: 0, error: { code: "ENETDOWN" } });
  right.ip("link", "set", "eth0", "up");
  right.ip("address", "replace", "2001:db8::2/64", "dev", "eth0", "nodad");
  const gone = right.inside(() => openNdPort({ ifindex: 4711 }));
  opened.push(gone);
  expect(gone.sendUnsolicited([ip("2001:db8::20")], sender)).toMatchObject({ sent: 0, error: { code: "ENXIO" } });
  gone.close();
  expect(gone.sendUnsolicited([ip("2001:db8::20")], sender)).toMatchObject({ sent: 0, error: { code: "EBADF" } });
});

test("nothing is left open", () => {
  const before = openDescriptors();
  const [left, right] = namespaces;
  const [a, b] = [open(left), open(right)];
  listen(right, b);
  listen(left, a);
  listen(left, a);
  for (const port of [a, b, a]) port.close();
  expect(openDescriptors()).toEqual(before);
});

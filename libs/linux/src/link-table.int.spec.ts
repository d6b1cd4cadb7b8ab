// Links as `ip` sees them after the table has changed them.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LinkDetails, LinkTable } from "./api.ts";
import { openLinkTable } from "./link-table.ts";
import { makeNamespace, type Namespace, openDescriptors } from "./testing/namespace.ts";

let namespace: Namespace;
let table: LinkTable;
beforeEach(() => {
  namespace = makeNamespace("lt");
  namespace.ip("link", "add", "eth0", "group", "7", "type", "veth", "peer", "name", "eth1");
  table = namespace.inside(() => openLinkTable());
});
afterEach(() => {
  table.close();
  namespace.remove();
});

const found = (name: string): LinkDetails | undefined => table.list().find((link) => link.name === name);
const index = (name: string): number => found(name)?.ifindex ?? 0;
const macvlan = (name: string) =>
  ({
    op: "add",
    spec: { kind: "macvlan", name, parent: index("eth0"), mac: "00:00:5e:00:01:33", group: 7, master: undefined },
  }) as const;

test("a macvlan is made down and private, marked, raised, put down and deleted", () => {
  const made = table.change([macvlan("vrrp.51"), { op: "set", link: "vrrp.51", alias: "ours: 1" }]);
  expect(made).toEqual([{ ok: true }, { ok: true }]);
  expect(found("vrrp.51")).toMatchObject({
    kind: "macvlan",
    mac: "00:00:5e:00:01:33",
    parent: index("eth0"),
    group: 7,
    alias: "ours: 1",
    adminUp: false,
    isPrivate: true,
    master: undefined,
  });
  expect(namespace.ip("-d", "link", "show", "vrrp.51")).toContain("macvlan mode private");
  table.change([{ op: "set", link: index("vrrp.51"), up: true, group: 3 }]);
  expect(found("vrrp.51")).toMatchObject({ adminUp: true, group: 3, alias: "ours: 1" });
  table.change([{ op: "set", link: "vrrp.51", up: false }]);
  expect(found("vrrp.51")).toMatchObject({ adminUp: false, group: 3 });
  expect(table.change([{ op: "delete", ifindex: index("vrrp.51") }])).toEqual([{ ok: true }]);
  expect(found("vrrp.51")).toBeUndefined();
});

test("what cannot be done is a result, and does not keep the rest from being done", () => {
  const [first, second, gone, last] = table.change([
    macvlan("a"),
    macvlan("a"),
    { op: "delete", ifindex: 4_711 },
    { op: "set", link: "a", alias: "x" },
  ]);
  expect(first).toEqual({ ok: true });
  expect(second).toMatchObject({ ok: false, code: "EEXIST" });
  expect(gone).toMatchObject({ ok: false, code: "ENODEV" });
  expect(last).toEqual({ ok: true });
});

test("other links say what they are; a mistake in a change carries none out", () => {
  namespace.ip("link", "add", "br0", "type", "bridge");
  namespace.ip("link", "set", "eth0", "master", "br0");
  expect(found("eth0")).toMatchObject({ master: index("br0"), group: 7, alias: undefined, isPrivate: false });
  const long = "a-name-that-is-too-long";
  expect(() => table.change([macvlan("a"), { op: "set", link: long, up: true }])).toThrow("no name of an interface");
  expect(found("a")).toBeUndefined();
});

test("close gives the descriptor back, and may be called twice", () => {
  const before = openDescriptors().length;
  const another = namespace.inside(() => openLinkTable());
  expect(openDescriptors().length).toBe(before + 1);
  another.close();
  another.close();
  expect(openDescriptors().length).toBe(before);
});

import { afterEach, expect, test, vi } from "vitest";
import { openAddressTable } from "./address-table.ts";
import type { AddressEvent, AddressSpec } from "./api.ts";
import { addressTableContract, ip, type TableUnderTest } from "./testing/address-table-contract.ts";
import { makeNamespace, openDescriptors } from "./testing/namespace.ts";

let made = 0;
const subjects = new Set<TableUnderTest>();
// Also after a test that failed: no namespace stays behind.
afterEach(() => {
  for (const subject of subjects) subject.remove();
});

function kernelTable(): TableUnderTest {
  const namespace = makeNamespace(`at${made++}`);
  namespace.ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  namespace.ip("link", "set", "eth1", "up");
  namespace.ip("link", "set", "eth0", "up");
  const other = namespace.inside(() => openAddressTable());
  const subject: TableUnderTest = {
    ifindex: Number(namespace.ip("-o", "link", "show", "eth0").split(":")[0]),
    interfaceName: "eth0",
    // IPv6 link-local addresses of the veth pair are no events of the tests.
    open: (options) => namespace.inside(() => openAddressTable(withoutLinkLocal(options))),
    interfere: (batch) => other.change(batch),
    remove: () => {
      if (!subjects.delete(subject)) return;
      other.close();
      namespace.remove();
    },
  };
  subjects.add(subject);
  return subject;
}

function withoutLinkLocal(options: { onChange?(events: readonly AddressEvent[]): void; onGap?(): void }) {
  const { onChange } = options;
  if (onChange === undefined) return options;
  return {
    ...options,
    onChange: (events: readonly AddressEvent[]) => {
      const others = events.filter(({ address }) => !address.address.startsWith("fe80:"));
      if (others.length > 0) onChange(others);
    },
  };
}

addressTableContract("the kernel's address table", kernelTable);

test("a lifetime that ends is told, and the address is gone", async () => {
  const subject = kernelTable();
  const events: AddressEvent[] = [];
  const table = subject.open({ onChange: (told) => events.push(...told) });
  const spec: AddressSpec = { ifindex: subject.ifindex, address: ip("10.1.0.5"), prefixLength: 32, validLifetime: 1 };
  table.change([{ op: "add", spec }]);
  await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(["set", "removed"]), { timeout: 10_000 });
  expect(table.list().some((info) => info.address === "10.1.0.5")).toBe(false);
  table.close();
  subject.remove();
});

test("the kernel explains itself where it can", () => {
  const subject = kernelTable();
  const table = subject.open({});
  const spec = { ifindex: subject.ifindex, address: ip("ff02::1"), prefixLength: 64 };
  const [result] = table.change([{ op: "add", spec }]);
  expect(result).toEqual({ ok: false, code: "EADDRNOTAVAIL", message: expect.stringContaining("multicast address") });
  table.close();
  subject.remove();
});

test("lost events are told as a gap, and the watch goes on afterwards", async () => {
  const subject = kernelTable();
  let gaps = 0;
  const events: AddressEvent[] = [];
  const table = subject.open({ onChange: (told) => events.push(...told), onGap: () => gaps++ });
  // More events in one turn of the loop than the receive buffer holds.
  const spec = { ifindex: subject.ifindex, address: ip("10.1.0.5"), prefixLength: 32 };
  const flapping = Array.from({ length: 100 }, (_, i) => ({ op: i % 2 === 0 ? "add" : "delete", spec }) as const);
  for (let i = 0; i < 150; i++) expect(table.change(flapping).every((result) => result.ok)).toBe(true);
  await vi.waitFor(() => expect(gaps).toBe(1));
  expect(events.length).toBeLessThan(15_000);
  const before = events.length;
  table.change([{ op: "add", spec }]);
  await vi.waitFor(() => expect(events.length).toBe(before + 1));
  expect(gaps).toBe(1);
  table.close();
  subject.remove();
});

test("tables leave no descriptor behind", () => {
  const subject = kernelTable();
  const before = openDescriptors();
  const tables = Array.from({ length: 20 }, () => subject.open({ onGap: () => undefined }));
  expect(openDescriptors().length).toBe(before.length + 40);
  for (const table of tables) table.close();
  expect(openDescriptors()).toEqual(before);
  subject.remove();
});

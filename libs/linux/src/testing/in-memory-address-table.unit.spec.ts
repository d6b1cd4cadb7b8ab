import { instant } from "@baton/domain";
import { expect, test, vi } from "vitest";
import type { AddressEvent } from "../api.ts";
import { addressTableContract, ip } from "./address-table-contract.ts";
import { inMemoryAddressTable } from "./in-memory-address-table.ts";

const interfaces = [{ ifindex: 2, name: "eth0" }];

addressTableContract("the in-memory address table", () => {
  const memory = inMemoryAddressTable({ interfaces });
  return {
    ifindex: 2,
    interfaceName: "eth0",
    open: memory.open,
    interfere: memory.interfere,
    remove: () => undefined,
  };
});

const spec = { ifindex: 2, address: ip("10.1.0.5"), prefixLength: 32 };

test("lifetimes end when time says so, and not before", async () => {
  const events: AddressEvent[] = [];
  const memory = inMemoryAddressTable({ interfaces, now: () => instant(1_000_000) });
  const table = memory.open({ onChange: (told) => events.push(...told) });
  table.change([{ op: "add", spec: { ...spec, validLifetime: 3 } }]);
  memory.expire(instant(3_999_999));
  expect(table.list().length).toBe(1);
  memory.expire(instant(4_000_000));
  expect(table.list()).toEqual([]);
  await vi.waitFor(() => expect(events.map(({ type }) => type)).toEqual(["set", "removed"]));
});

test("it fails and forgets on demand", async () => {
  let gaps = 0;
  const events: AddressEvent[] = [];
  const memory = inMemoryAddressTable({ interfaces });
  const table = memory.open({ onChange: (told) => events.push(...told), onGap: () => gaps++ });
  memory.failWith(spec.address, "EPERM");
  expect(table.change([{ op: "add", spec }])).toMatchObject([{ ok: false, code: "EPERM" }]);
  memory.failWith(spec.address, undefined);
  expect(table.change([{ op: "add", spec }])).toEqual([{ ok: true }]);
  memory.loseEvents();
  await vi.waitFor(() => expect(gaps).toBe(1));
  expect(events).toEqual([]);
});

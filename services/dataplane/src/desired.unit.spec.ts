// From configuration to what is wanted of the kernel.
import { expect, test } from "vitest";
import { isSameAddress, kernelLeaseAddressesMax } from "./desired.ts";
import { desired, instanceConfig, vip } from "./testing/rig.ts";

test("excluded addresses come after the advertised ones; an address named twice is one", () => {
  const config = instanceConfig("VI_1", [vip("192.0.2.1"), vip("192.0.2.1")], {
    excludedAddresses: [vip("192.0.2.2"), vip("192.0.2.1", { interface: "eth1" })],
  });
  const addresses = desired(1, config).instances.get("VI_1")?.addresses ?? [];
  expect(addresses.map(({ key }) => key)).toEqual(["eth0 192.0.2.1/32", "eth0 192.0.2.2/32", "eth1 192.0.2.1/32"]);
  expect(addresses.every(({ owner }) => !owner)).toBe(true);
});

test("above a thousand addresses there are no kernel leases", () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => vip(`10.1.${i >> 8}.${i & 255}`));
  expect(desired(1, instanceConfig("VI_1", many(kernelLeaseAddressesMax))).kernelLease).toBe(true);
  expect(desired(1, instanceConfig("VI_1", many(kernelLeaseAddressesMax + 1))).kernelLease).toBe(false);
});

test("what makes an address another one", () => {
  const of = (more: Parameters<typeof vip>[1]) => {
    const managed = desired(1, instanceConfig("VI_1", [vip("192.0.2.1/24", more)])).instances.get("VI_1")?.addresses[0];
    if (managed === undefined) throw new Error("no address");
    return managed;
  };
  expect(isSameAddress(of({}), of({}))).toBe(true);
  expect(isSameAddress(undefined, of({}))).toBe(false);
  for (const more of [{ label: "eth0:1" }, { scope: 253 }, { noPrefixRoute: true }, { interface: "eth1" }]) {
    expect(isSameAddress(of({}), of(more))).toBe(false);
  }
});

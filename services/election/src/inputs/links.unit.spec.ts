// From which address a router speaks.
import { priority } from "@baton/domain";
import { instanceConfig, ip, virtualAddress } from "@baton/keepalived-conf/testing";
import type { AddressInfo, LinkMonitor } from "@baton/linux";
import { expect, test } from "vitest";
import { hasAddress, viewInterface, virtualAddresses } from "./links.ts";

const flags: AddressInfo["flags"] = {
  permanent: true,
  secondary: false,
  noPrefixRoute: false,
  noDad: false,
  tentative: false,
  dadFailed: false,
  deprecated: false,
  homeAddress: false,
  manageTemporary: false,
  autojoin: false,
};
const info = (address: string, over: Partial<AddressInfo> = {}): AddressInfo => ({
  ifindex: 2,
  address: ip(address),
  prefixLength: 24,
  peer: undefined,
  label: undefined,
  broadcast: undefined,
  scope: address.startsWith("fe80") ? 253 : 0,
  flags,
  protocol: 0,
  validLifetime: undefined,
  preferredLifetime: undefined,
  ...over,
});
const monitor = (...addresses: AddressInfo[]): LinkMonitor => ({
  links: () => [
    { ifindex: 2, name: "eth0", up: true, mac: undefined, type: 1, kind: undefined, mtu: 1_500, noArp: false },
  ],
  addresses: (ifindex) => addresses.filter((each) => each.ifindex === ifindex),
  drain: () => {},
  close: () => {},
});
const primary = (family: 4 | 6, virtual: readonly string[], ...addresses: AddressInfo[]): string | undefined =>
  viewInterface(monitor(...addresses), "eth0", family, new Set(virtual.map(ip))).primaryAddress;

test("IPv4: the first that is neither virtual nor secondary; a secondary when there is no other", () => {
  const secondary = info("10.0.0.3", { flags: { ...flags, secondary: true } });
  expect(primary(4, ["10.0.0.1"], info("10.0.0.1"), secondary, info("10.0.0.2"), info("10.0.0.4"))).toBe("10.0.0.2");
  expect(primary(4, ["10.0.0.1"], info("10.0.0.1"), secondary)).toBe("10.0.0.3");
  expect(primary(4, ["10.0.0.1"], info("10.0.0.1"))).toBeUndefined();
});

test("IPv6: the oldest link-local one that is proven; the kernel lists the newest first", () => {
  const global = info("2001:db8::1");
  const unproven = [
    info("fe80::8", { flags: { ...flags, tentative: true } }),
    info("fe80::9", { flags: { ...flags, dadFailed: true } }),
  ];
  expect(primary(6, ["fe80::100"], global, info("fe80::2"), info("fe80::1"), info("fe80::100"), ...unproven)).toBe(
    "fe80::1",
  );
  expect(primary(6, [], global, ...unproven)).toBeUndefined();
  expect(hasAddress(monitor(global, ...unproven), 2, ip("2001:db8::1"))).toBe(true);
  expect(hasAddress(monitor(global, ...unproven), 2, ip("fe80::8"))).toBe(false);
});

test("virtual addresses: advertised or not, of all instances; an owner's are its interface's own", () => {
  const backup = instanceConfig({
    addresses: [virtualAddress("10.0.0.1/24")],
    excludedAddresses: [virtualAddress("fe80::100/64")],
  });
  const owner = instanceConfig({ priority: priority(255), addresses: [virtualAddress("10.0.0.2/24")] });
  expect([...virtualAddresses([backup, owner])]).toEqual(["10.0.0.1", "fe80::100"]);
});

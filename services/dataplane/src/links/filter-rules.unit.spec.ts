import { ip } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { type FilteredLink, type FilterInput, filterRules } from "./filter-rules.ts";

const link = (over: Partial<FilteredLink>): FilteredLink => ({
  name: "vrrp.51",
  parent: "eth0",
  family: 4,
  ipv6: false,
  linkLocal: undefined,
  ...over,
});
const rules = (over: Partial<FilterInput>) =>
  filterRules({ links: [], refused: [], settings: { priority: -1, counters: false }, localIgmp: true, ...over });

test("nothing to say: no table", () => {
  expect(rules({})).toEqual({ ip: "", ip6: "" });
  expect(rules({ links: [link({})], localIgmp: false })).toEqual({ ip: "", ip6: "" });
});

test("reports of groups leave by the interface below", () => {
  const { ip: four, ip6 } = rules({ links: [link({}), link({ name: "vrrp1.51", parent: "eth1" })] });
  expect(four).toContain(
    'ip protocol igmp dup to ip daddr device oif map { "vrrp.51" : "eth0", "vrrp1.51" : "eth1" } drop',
  );
  expect(four).toContain("type filter hook output priority -1; policy accept;");
  expect(ip6).toBe("");
});

test("over IPv6 what is lent from the interface below is not spoken for, and no router is asked for", () => {
  const six = link({ name: "vrrp.52", family: 6, ipv6: true, linkLocal: ip("fe80::1") });
  const { ip: four, ip6 } = rules({ links: [six], settings: { priority: 3, counters: true } });
  expect(four).toBe("");
  const lines = ip6.split("\n").map((line) => line.trim());
  expect(lines).toEqual([
    "chain output {",
    "type filter hook output priority 3; policy accept;",
    'icmpv6 type nd-neighbor-advert ip6 saddr . oifname { fe80::1 . "vrrp.52" } counter drop',
    'icmpv6 type { mld-listener-report, mld2-listener-report } dup to ip6 daddr device oif map { "vrrp.52" : "eth0" } counter drop',
    'icmpv6 type nd-router-solicit oif { "vrrp.52" } counter drop',
    "}",
    "",
  ]);
});

test("no_accept: dropped both ways, but neighbours get their answer; link-local addresses by interface", () => {
  const refused = ["10.0.0.1", "10.0.0.1", "2001:db8::1", "fe80::9"].map((address) => ({
    address: ip(address),
    interface: "eth0",
  }));
  const { ip: four, ip6 } = rules({ refused });
  expect(four).toContain("ip saddr { 10.0.0.1 } drop");
  expect(four).toContain("ip daddr { 10.0.0.1 } drop");
  const input = ip6
    .slice(ip6.indexOf("chain input"))
    .split("\n")
    .map((line) => line.trim());
  expect(input.slice(2, 5)).toEqual([
    "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
    'ip6 daddr . iifname { fe80::9 . "eth0" } drop',
    "ip6 daddr { 2001:db8::1 } drop",
  ]);
  expect(ip6).toContain('ip6 saddr . oifname { fe80::9 . "eth0" } drop');
});

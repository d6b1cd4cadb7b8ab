import { describe, expect, test } from "vitest";
import { codes, parse } from "../testing/parse.ts";

/** The addresses of an instance on eth0, and what is said about them. */
function resolve(lines: string, before = "", input = {}) {
  const text = `vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n${before}\nvirtual_ipaddress {\n${lines}\n}\n}`;
  const result = parse(text, { interfaceExists: (name) => name.startsWith("eth"), ...input });
  const found = result.config?.instances[0];
  return {
    addresses: found?.addresses,
    excluded: found?.excludedAddresses,
    family: found?.family,
    codes: codes(result),
  };
}

const plain = {
  address: "10.0.0.1",
  prefixLength: 32,
  interface: "eth0",
  label: undefined,
  broadcast: undefined,
  peer: undefined,
  scope: 0,
  preferredLifetime: undefined,
  noPrefixRoute: false,
  homeAddress: false,
  detectDuplicates: false,
  manageTemporary: false,
  autojoin: false,
  vmac: "none",
  tracked: true,
};

test.each([
  ["10.0.0.1", {}],
  ["10.0.0.1/24", { prefixLength: 24 }],
  ["10.0.0.1/0", { prefixLength: 0 }],
  ["10.0.0.1 dev eth1", { interface: "eth1" }],
  ["10.0.0.1/16 dev eth0 label eth0:0", { prefixLength: 16, label: "eth0:0" }],
  ["10.0.0.1/24 brd 10.0.0.9", { prefixLength: 24, broadcast: "10.0.0.9" }],
  ["10.0.0.1/24 broadcast +", { prefixLength: 24, broadcast: "10.0.0.255" }],
  ["10.0.0.1/24 brd -", { prefixLength: 24, broadcast: "10.0.0.0" }],
  ["10.0.0.1/20 brd +", { prefixLength: 20, broadcast: "10.0.15.255" }],
  ["10.0.0.1/30 brd +", { prefixLength: 30, broadcast: "10.0.0.3" }],
  ["10.0.0.1/1 brd +", { prefixLength: 1, broadcast: "127.255.255.255" }],
  ["10.0.0.1/0 brd +", { prefixLength: 0, broadcast: "255.255.255.255" }],
  ["10.0.0.1/24 brd + brd 10.0.0.9", { prefixLength: 24, broadcast: "10.0.0.255" }],
  ["10.0.0.1 scope link", { scope: 253 }],
  ["10.0.0.1 scope site", { scope: 200 }],
  ["10.0.0.1 scope host", { scope: 254 }],
  ["10.0.0.1 scope 7", { scope: 7 }],
  ["10.0.0.1 noprefixroute", { noPrefixRoute: true }],
])("%s", (line, expected) => {
  expect(resolve(line)).toMatchObject({ addresses: [{ ...plain, ...expected }], codes: [] });
});

describe("adjusted", () => {
  test.each([
    ["10.0.0.1/33", { prefixLength: 32 }, "prefix-length"],
    ["10.0.0.1/x", { prefixLength: 32 }, "prefix-length"],
    ["10.0.0.1/24x", { prefixLength: 24 }, "prefix-length"],
    ["10.0.0.1/31 brd +", { prefixLength: 31, broadcast: undefined }, "broadcast"],
    ["10.0.0.1 scope nothing", { scope: 0 }, "invalid-value"],
    ["10.0.0.1 scope 256", { scope: 0 }, "invalid-value"],
    ["10.0.0.1 something dev eth1", { interface: "eth1" }, "unknown-option"],
    ["10.0.0.1 toString", {}, "unknown-option"],
    ["10.0.0.1 peer 10.0.0.2", { peer: "10.0.0.2" }, ""],
    ["10.0.0.1 peer fe80::2 peer 10.0.0.2", { peer: "10.0.0.2" }, "address-family"],
    ["10.0.0.1 peer 10.0.0.2 peer 10.0.0.3", { peer: "10.0.0.2" }, "repeated"],
    ["10.0.0.1/24 peer 10.0.0.2", { peer: "10.0.0.2" }, "prefix-length"],
    ["10.0.0.1 peer 10.0.0.2 brd +", { peer: "10.0.0.2" }, "broadcast"],
    ["10.0.0.1 preferred_lft forever label x", { label: "x" }, ""],
    ["10.0.0.1 preferred_lft x", {}, "invalid-value"],
    ["10.0.0.1 home", { homeAddress: true }, ""],
    ["10.0.0.1 -nodad", { detectDuplicates: true }, ""],
    ["10.0.0.1 mngtmpaddr", { manageTemporary: true }, ""],
    ["10.0.0.1 autojoin", { autojoin: true }, ""],
    ["10.0.0.1 no_track", { tracked: false }, ""],
    ["10.0.0.1 use_vmac", { vmac: "own" }, ""],
    ["10.0.0.1 track_group g", {}, "unknown-option,unknown-option"],
  ])("%s", (line, expected, code) => {
    const result = resolve(line);
    expect(result.addresses).toEqual([{ ...plain, ...expected }]);
    expect(result.codes.map((each) => each.replace(/ .*/, "")).join()).toBe(code);
  });
});

describe("left out", () => {
  test.each([
    ["10.0.0.256", "invalid-value 6:1"],
    ["VIP/24", "invalid-value 6:1"],
    ["010.0.0.1", "invalid-value 6:1"],
    ["10.0.0.1 dev", "missing-value 6:10"],
    ["10.0.0.1 dev eth0 dev eth1", "repeated 6:19"],
    ["10.0.0.1 dev nowhere0", "interface-missing 6:14"],
    ["10.0.0.1 label abcdefghijklmnop", "invalid-value 6:16"],
    ["10.0.0.1 brd x", "invalid-value 6:14"],
    ["10.0.0.1 brd fe80::1", "invalid-value 6:14"],
    ["10.0.0.1 label", "missing-value 6:10"],
  ])("%s", (line, code) => {
    const result = resolve(`${line}\n10.0.0.77`);
    expect(result.addresses?.map(({ address }) => address)).toEqual(["10.0.0.77"]);
    expect(result.codes).toEqual([code]);
  });
});

describe("together", () => {
  test("an address counts once; excluded, once for each interface", () => {
    const excluded = "virtual_ipaddress_excluded {\n10.0.0.1\n10.0.0.1 dev eth1\n10.0.0.1 dev eth1\n10.0.0.2\n}";
    const after = resolve(`10.0.0.1\n10.0.0.1/24\n}\n${excluded.replace("\n}", "")}`);
    expect(after.addresses).toHaveLength(1);
    const shown = after.excluded?.map(({ address, interface: name }) => `${address} ${name}`);
    expect(shown).toEqual(["10.0.0.1 eth1", "10.0.0.2 eth0"]);
    expect(after.codes).toEqual(["address-duplicate 7:1", "address-duplicate 10:1", "address-duplicate 12:1"]);
  });

  test("an address that is excluded on the same interface further up is not advertised", () => {
    const before = resolve("10.0.0.1\n10.0.0.1 dev eth0\n10.0.0.3", "virtual_ipaddress_excluded {\n10.0.0.1\n}");
    const shown = before.addresses?.map(({ address, interface: name }) => `${address} ${name}`);
    expect(shown).toEqual(["10.0.0.1 eth0", "10.0.0.3 eth0"]);
    expect(before.excluded).toHaveLength(1);
    expect(before.codes).toEqual(["address-duplicate 8:1"]);
  });

  test("the first address decides the family; others have to be excluded", () => {
    const result = resolve("10.0.0.1\nfe80::1", "virtual_ipaddress_excluded {\n2001:DB8::1/64\n}");
    expect(result.family).toBe(4);
    expect(result.addresses?.map(({ address }) => address)).toEqual(["10.0.0.1"]);
    expect(result.excluded).toMatchObject([{ address: "2001:db8::1", prefixLength: 64 }]);
    expect(result.codes).toEqual(["address-family 9:1"]);
  });

  test("IPv6: whole prefix, no label, no scope", () => {
    const result = resolve("fe80::1 label x scope link\n2001:db8::1/64");
    expect(result.family).toBe(6);
    expect(result.addresses).toMatchObject([
      { address: "fe80::1", prefixLength: 128, label: undefined, scope: 0 },
      { address: "2001:db8::1", prefixLength: 64 },
    ]);
    expect(result.codes.map((code) => code.replace(/ .*/, ""))).toEqual(["address-label", "scope"]);
  });

  test("the source address decides the family when it comes first", () => {
    expect(resolve("10.0.0.1", "mcast_src_ip 10.0.0.9")).toMatchObject({ family: 4, codes: [] });
    const foreign = resolve("10.0.0.1", "mcast_src_ip fe80::9");
    expect(foreign.family).toBe(6);
    expect(foreign.addresses).toEqual([]);
  });

  test("an advert has room for 255", () => {
    const lines = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join("\n");
    const result = resolve(lines);
    expect(result.addresses).toHaveLength(255);
    expect(result.excluded).toHaveLength(45);
    expect(result.codes).toEqual(["too-many-addresses 261:1"]);
  });
});

// Interfaces of an instance's own, and which addresses stand on them, as keepalived 2.4.3 has it.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, parse } from "../testing/parse.ts";

const machine: Partial<ParseInput> = {
  interfaceExists: (name) => /^(eth[01]|mac0|ipv0)$/.test(name),
  linkKind: (name) => ({ eth0: "", eth1: "", mac0: "macvlan", ipv0: "ipvlan" })[name],
  numberOfName: (table, name) => (`${table} ${name}` === "group uplinks" ? 7 : undefined),
};

function resolve(lines: string, addresses = "10.0.0.1", excluded = "") {
  const text = `vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\n${lines}\nvirtual_ipaddress {\n${addresses}\n}\nvirtual_ipaddress_excluded {\n${excluded}\n}\n}`;
  const result = parse(text, machine);
  const [found] = result.config?.instances ?? [];
  const told = codes(result).filter((code) => !/^(accepted|refused)/.test(code));
  return { found, told, exit: exitCodeOf(result.diagnostics) };
}

describe("use_vmac", () => {
  const plain = {
    name: undefined,
    mac: undefined,
    transmitBase: false,
    addresses: false,
    netlinkNotify: false,
    group: undefined,
  };
  test.each<[string, object]>([
    ["use_vmac", {}],
    ["use_vmac lan5", { name: "lan5" }],
    ["use_vmac name group group 0x10", { name: "group", group: 16 }],
    ["use_vmac mac0", { name: "mac0" }],
    ["use_vmac 02:11:22:33:44:55", { mac: "02:11:22:33:44:55" }],
    ["use_vmac 2:A:0:1:2", { mac: "02:0a:00:01:02:05" }],
    ["use_vmac 2:A:0:1:2:", { mac: "02:0a:00:01:02:05" }],
    ["use_vmac netlink_notify_msg group uplinks", { netlinkNotify: true, group: 7 }],
    ["use_vmac lan5\nuse_vmac 02:11:22:33:44:55", { name: "lan5", mac: "02:11:22:33:44:55" }],
    ["use_vmac\nvmac_xmit_base", { transmitBase: true }],
    ["use_vmac\nuse_vmac_addr", { addresses: true }],
  ])("%j", (lines, expected) => {
    expect(resolve(lines)).toMatchObject({ found: { vmac: { ...plain, ...expected } }, told: [] });
  });

  test.each<[string, object, string[]]>([
    ["use_vmac eth0", {}, ["vmac-name 4:1"]],
    ["use_vmac eth1", {}, ["vmac-name 4:1"]],
    ["use_vmac ipv0", {}, ["vmac-name 4:1"]],
    ["use_vmac a-name-of-16-byte", {}, ["invalid-value 4:10"]],
    ["use_vmac a/b", {}, ["invalid-value 4:10"]],
    ["use_vmac a b", { name: "a" }, ["invalid-value 4:12"]],
    ["use_vmac 03:11:22:33:44:55", {}, ["invalid-value 4:10"]],
    ["use_vmac 00:00:5e:00:01:07", {}, ["invalid-value 4:10"]],
    ["use_vmac 00:00:5e:00:02", {}, ["invalid-value 4:10"]],
    ["use_vmac 02:11:22:33", {}, ["invalid-value 4:10"]],
    ["use_vmac 02:11:22:33:44:555", {}, ["invalid-value 4:10"]],
    ["use_vmac 02:11:22:33:44:gg", {}, ["invalid-value 4:10"]],
    ["use_vmac group nowhere", {}, ["group-unknown 4:1"]],
    ["use_vmac\npromote_secondaries", {}, ["vmac 5:1"]],
    ["use_vmac\nvmac_xmit_base\nstrict_mode", {}, ["strict 5:1"]],
    ["use_vmac 02:11:22:33:44:55\nstrict_mode", {}, ["strict 4:1"]],
  ])("%j is put right", (lines, expected, told) => {
    const result = resolve(lines);
    expect(result).toMatchObject({ found: { vmac: { ...plain, ...expected } }, exit: 5 });
    expect(result.told).toEqual(expect.arrayContaining(told));
  });

  test("vmac_xmit_base alone does nothing", () => {
    expect(resolve("vmac_xmit_base")).toMatchObject({ found: { vmac: undefined }, told: ["vmac 4:1"], exit: 5 });
  });

  test("a name belongs to the first instance that takes it", () => {
    const text = [1, 2]
      .map(
        (n) =>
          `vrrp_instance V${n} {\ninterface eth0\nvirtual_router_id ${n}\nuse_vmac lan\nvirtual_ipaddress { 10.0.0.${n} }\n}`,
      )
      .join("\n");
    const { config, diagnostics } = parse(text, machine);
    expect(config?.instances.map(({ vmac }) => vmac?.name)).toEqual(["lan", undefined]);
    expect(diagnostics.filter(({ code }) => code === "vmac-name")).toMatchObject([{ line: 10 }]);
  });
});

describe("use_ipvlan", () => {
  const plain = { name: undefined, address: undefined, mode: "bridge", group: undefined };
  const address = { address: "10.0.0.9", prefixLength: 24 };
  test.each<[string, object, object]>([
    ["use_ipvlan 10.0.0.9/24", { address }, { sourceAddress: "10.0.0.9" }],
    ["use_ipvlan lan 10.0.0.9/24 private", { name: "lan", address, mode: "private" }, {}],
    ["use_ipvlan name vepa vepa 10.0.0.9/24", { name: "vepa", address, mode: "vepa" }, {}],
    ["use_ipvlan ipv0 10.0.0.9/24 group 3", { name: "ipv0", address, group: 3 }, {}],
    ["use_ipvlan 10.0.0.9/24\nmcast_src_ip 10.0.0.8", { address }, { sourceAddress: "10.0.0.8" }],
    ["mcast_src_ip 10.0.0.8\nuse_ipvlan 10.0.0.9/24", { address }, { sourceAddress: "10.0.0.8" }],
    ["native_ipv6\nuse_ipvlan", {}, { family: 6 }],
  ])("%j", (lines, ipvlan, expected) => {
    const addresses = lines.startsWith("native") ? "fe80::1" : "10.0.0.1";
    const { found, told } = resolve(lines, addresses);
    expect(found).toMatchObject({ ipvlan: { ...plain, ...ipvlan }, ...expected });
    expect(told).toEqual([]);
  });

  test.each<[string, object, string[]]>([
    ["use_ipvlan", {}, ["ipvlan-address 4:1"]],
    ["use_ipvlan 10.0.0.9/33", { name: "10.0.0.9/33" }, ["ipvlan-address 4:1"]],
    ["use_ipvlan 10.0.0.9/24 private vepa", { mode: "private" }, ["invalid-value 4:32"]],
    ["use_ipvlan 10.0.0.9 10.0.0.8", { address: { address: "10.0.0.9" } }, ["invalid-value 4:21"]],
    ["use_ipvlan mac0 10.0.0.9", { name: undefined }, ["vmac-name 4:1"]],
    ["use_ipvlan 10.0.0.9\nuse_ipvlan lan", { name: undefined }, ["repeated 5:1"]],
  ])("%j is put right, or leaves the instance in fault", (lines, expected, told) => {
    const result = resolve(lines);
    expect(result).toMatchObject({ found: { ipvlan: expected }, exit: 5 });
    expect(result.told).toEqual(expect.arrayContaining(told));
  });
});

describe("where the addresses stand", () => {
  const lines = "10.0.0.1\n10.0.0.2 use_vmac\n10.0.0.3 dev eth1\n10.0.0.4 dev eth1 use_vmac\n10.0.0.5 dev eth0";
  const others = "2001:db8::1\n2001:db8::2 use_vmac";
  test.each<[string, string[], string[], string[]]>([
    ["", ["none", "own", "none", "own", "none"], ["none", "own"], []],
    ["use_vmac", ["instance", "instance", "none", "own", "instance"], ["none", "own"], ["vmac 7:10"]],
    ["use_vmac_addr", ["none", "own", "own", "own", "none"], ["own", "own"], ["vmac 9:19", "vmac 14:13"]],
    [
      "use_vmac\nuse_vmac_addr",
      ["instance", "instance", "own", "own", "instance"],
      ["own", "own"],
      ["vmac 8:10", "vmac 10:19", "vmac 15:13"],
    ],
    ["use_ipvlan 10.0.0.9", ["none", "own", "none", "own", "none"], ["none", "own"], []],
  ])("%j", (words, addresses, excluded, told) => {
    const result = resolve(words, lines, others);
    expect(result.found?.addresses.map(({ vmac }) => vmac)).toEqual(addresses);
    expect(result.found?.excludedAddresses.map(({ vmac }) => vmac)).toEqual(excluded);
    expect(result.told).toEqual(told);
  });
});

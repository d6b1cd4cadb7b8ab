// Rules, as keepalived 2.4.3 takes them: each line was also given to it.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, parse } from "../testing/parse.ts";

const machine: Partial<ParseInput> = {
  interfaceExists: (name) => /^eth[01]$/.test(name),
  numberOfName: (table, name) => (`${table} ${name}` === "protocols rsvp" ? 46 : undefined),
};

function resolve(lines: string, input = machine) {
  const result = parse(`static_rules {\n${lines}\n}`, input);
  const told = codes(result).filter((code) => !code.startsWith("accepted"));
  return { rules: result.config?.staticRules, told, exit: exitCodeOf(result.diagnostics) };
}

const plain = {
  family: 4,
  invert: false,
  from: undefined,
  to: undefined,
  preference: 5,
  typeOfService: 0,
  mark: undefined,
  inputInterface: undefined,
  outputInterface: undefined,
  tunnelId: undefined,
  users: undefined,
  ipProtocol: undefined,
  sourcePorts: undefined,
  destinationPorts: undefined,
  action: { type: "table", table: 7 },
  realms: undefined,
  suppressPrefixLength: undefined,
  suppressGroup: undefined,
  protocol: 18,
  tracked: true,
  trackGroup: undefined,
};

const net = { address: "10.0.0.0", prefixLength: 8 };
const net6 = { address: "2001:db8::", prefixLength: 32 };
const all = (address: string) => ({ address, prefixLength: 0 });
const range = (first: number, last: number) => ({ first, last });

test("all that a rule can say", () => {
  expect(resolve("table 7 preference 5").rules).toEqual([plain]);
});

describe("selectors", () => {
  test.each<[string, object]>([
    ["from 10.0.0.0/8", { from: net }],
    ["from 10.1.0.0/16 from 10.0.0.0/8", { from: net }],
    ["to 10.0.0.0/8", { to: net }],
    ["from all to 10.0.0.0/8", { from: all("0.0.0.0"), to: net }],
    ["from any to 2001:db8::/32", { family: 6, from: all("::"), to: net6 }],
    ["to default6", { family: 6, to: all("::") }],
    ["not from 10.0.0.0/8", { invert: true, from: net }],
    ["fwmark 5", { mark: { value: 5, mask: 0xffffffff } }],
    ["fwmark 0x10/0xff", { mark: { value: 16, mask: 255 } }],
    ["fwmark 010/0", { mark: { value: 8, mask: 0 } }],
    ["tos 0x10", { typeOfService: 16 }],
    ["dsfield 255", { typeOfService: 255 }],
    ["iif eth0 oif eth1", { inputInterface: "eth0", outputInterface: "eth1" }],
    ["dev eth1", { inputInterface: "eth1" }],
    ["tunnel-id 18446744073709551615", { tunnelId: "18446744073709551615" }],
    ["uidrange 1000-2000", { users: range(1000, 2000) }],
    ["uidrange 5-4", { users: range(5, 4) }],
    ["ipproto tcp", { ipProtocol: 6 }],
    ["ipproto 127", { ipProtocol: 127 }],
    ["ipproto sctp", { ipProtocol: 132 }],
    ["ipproto rsvp", { ipProtocol: 46 }],
    ["sport 80-90 dport 80-70", { sourcePorts: range(80, 90), destinationPorts: range(80, 70) }],
    ["realms 3/4", { realms: { source: 3, destination: 4 } }],
    ["suppress_prefixlength 0", { suppressPrefixLength: 0 }],
    ["sup_pl 2147483647", { suppressPrefixLength: 2147483647 }],
    ["suppress_ifgroup 3", { suppressGroup: 3 }],
    ["sup_group 0x10", { suppressGroup: 16 }],
    ["protocol 4 no_track", { protocol: 4, tracked: false }],
    ["no_track", { protocol: undefined, tracked: false }],
    ["inet inet", {}],
    ["inet6 inet6", { family: 6 }],
  ])("%s", (words, expected) => {
    expect(resolve(`${words} table 7 preference 5`)).toMatchObject({ rules: [{ ...plain, ...expected }], told: [] });
  });

  test("a family fills what has none", () => {
    const { rules } = resolve("from all realms 3 table 7 preference 5");
    expect(rules).toMatchObject([{ family: 4, from: all("0.0.0.0") }]);
  });
});

describe("what is done", () => {
  test.each<[string, object]>([
    ["lookup 0x7", { type: "table", table: 7 }],
    ["table main", { type: "table", table: 254 }],
    ["goto 6", { type: "goto", preference: 6 }],
    ["type goto 6", { type: "goto", preference: 6 }],
    ["nop", { type: "nop" }],
    ["blackhole", { type: "blackhole" }],
    ["type unreachable", { type: "unreachable" }],
    ["8", { type: "prohibit" }],
    ["l3mdev", { type: "l3mdev" }],
  ])("%s", (words, action) => {
    expect(resolve(`preference 5 ${words}`)).toMatchObject({ rules: [{ ...plain, action }], told: [] });
  });

  test.each([
    ["preference 0x10", 16],
    ["priority 010", 8],
    ["order 4294967295", 4294967295],
    ["preference 3 order 0", 0],
    ['preference ""', 0],
  ])("at %s", (words, preference) => {
    expect(resolve(`table 7 ${words}`)).toMatchObject({ rules: [{ ...plain, preference }], told: [] });
  });
});

describe("left out", () => {
  test.each([
    ["from 10.0.0.0/8", "rule-action 2:1"],
    ["table 0", "rule-table 2:1"],
    ["table 7 nop", "rule-action 2:9"],
    ["l3mdev table 7", "rule-action 2:8"],
    ["nop blackhole", "rule-action 2:5"],
    ["goto 6", "rule-goto 2:1"],
    ["preference 6 goto 6", "rule-goto 2:14"],
    ["nop realms 4", "rule-action 2:5"],
    ["blackhole sup_pl 4", "rule-action 2:11"],
    ["prohibit suppress_ifgroup 4", "rule-action 2:10"],
    ["from 10.0.0.0/8 to 2001:db8::/32 table 7", "address-family 2:17"],
    ["from 10.0.0.0/8 to all table 7", "address-family 2:17"],
    ["from 2001:db8::/32 realms 4 table 7", "address-family 2:20"],
    ["from x table 7", "invalid-value 2:6"],
    ["table nowhere", "invalid-value 2:7"],
    ["table 7 preference 4294967296", "invalid-value 2:20"],
    ["table 7 preference -1", "invalid-value 2:20"],
    ["table 7 fwmark x", "invalid-value 2:16"],
    ["table 7 fwmark 4294967296", "invalid-value 2:16"],
    ["table 7 fwmark 5/-1", "invalid-value 2:16"],
    ["table 7 tos 256", "invalid-value 2:13"],
    ["table 7 iif nowhere", "interface-missing 2:13"],
    ["table 7 oif nowhere", "interface-missing 2:13"],
    ["table 7 tunnel-id x", "invalid-value 2:19"],
    ["table 7 uidrange 5", "invalid-value 2:18"],
    ["table 7 realms 256", "invalid-value 2:16"],
    ["table 7 sup_pl -1", "invalid-number 2:16"],
    ["table 7 sup_pl 2147483648", "invalid-number 2:16"],
    ["table 7 sup_group 2147483648", "invalid-value 2:19"],
    ["table 7 goto x", "invalid-number 2:14"],
    ["table 7 unicast", "invalid-value 2:9"],
    ["table 7 preferense 5", "invalid-value 2:9"],
    ["inet6 from 2001:db8::/32 table 7", "invalid-value 2:12"],
  ])("%s", (line, code) => {
    const { rules, told, exit } = resolve(`${line}\ntable 9 preference 1`);
    expect(rules?.map(({ preference }) => preference)).toEqual([1]);
    expect(told.filter((each) => !each.startsWith("word-skipped"))).toEqual([code]);
    expect(exit).toBe(5);
  });
});

describe("kept, without what is not understood", () => {
  test.each<[string, object, string]>([
    ["sport 80", { sourcePorts: undefined }, "invalid-value 2:28"],
    ["dport x", { destinationPorts: undefined }, "invalid-value 2:28"],
    ["ipproto 128", { ipProtocol: undefined }, "invalid-value 2:30"],
    ["ipproto nothing", { ipProtocol: undefined }, "invalid-value 2:30"],
    ["protocol static", { protocol: 18 }, "invalid-number 2:31"],
    ["protocol 256", { protocol: 18 }, "invalid-number 2:31"],
    ["protocol 4", { protocol: 18 }, "protocol 2:22"],
  ])("%s", (words, expected, code) => {
    const result = resolve(`table 7 preference 5 ${words}`);
    expect(result).toMatchObject({ rules: [{ ...plain, ...expected }], told: [code], exit: 5 });
  });

  test("ports and users that do not fit are cut, as keepalived does without a word", () => {
    const { rules, told, exit } = resolve("sport 65536-65537 uidrange 4294967296-4294967297 table 7 preference 5");
    expect(rules).toMatchObject([{ sourcePorts: range(0, 1), users: range(0, 1) }]);
    expect(told).toEqual(["number-wraps 2:7", "number-wraps 2:7", "number-wraps 2:28", "number-wraps 2:28"]);
    expect(exit).toBe(0);
  });
});

test.each(["from", "table 7 preference", "type", "table 7 sport", "goto"])("%s: a word is missing", (line) => {
  const { rules, told, exit } = resolve(`table 9 preference 1\n${line}`);
  expect(rules).toBeUndefined();
  expect(told).toEqual([expect.stringMatching(/^missing-parameter 3:/)]);
  expect(exit).toBe(2);
});

describe("rules without a preference", () => {
  test("count down from 16384, each family for itself, in the order of the file", () => {
    const instance = (name: string, vrid: number, rules: string) =>
      `vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id ${vrid}\nvirtual_ipaddress { 10.0.0.${vrid} }\nvirtual_rules {\n${rules}\n}\n}\n`;
    const text = [
      instance("A", 1, "table 1\ntable 2 preference 3"),
      "static_rules {\ntable 3\nto 2001:db8::/32 table 4\n}\n",
      instance("B", 2, "table 5\nto nowhere table 6\ntable 7"),
      "static_rules {\ntable 8\n}\n",
    ].join("");
    const { config, diagnostics } = parse(text, machine);
    const shown = (rules?: readonly { preference: number; action: object }[]) =>
      rules?.map(({ preference, action }) => [preference, "table" in action ? action.table : undefined]);
    expect(shown(config?.instances[0]?.rules)).toEqual([
      [16384, 1],
      [3, 2],
    ]);
    expect(shown(config?.instances[1]?.rules)).toEqual([
      [16382, 5],
      [16381, 7],
    ]);
    expect(shown(config?.staticRules)).toEqual([
      [16383, 3],
      [16384, 4],
      [16380, 8],
    ]);
    const told = diagnostics.filter(({ code }) => code === "rule-preference");
    expect(told.map(({ used }) => used)).toEqual(
      [16384, 16383, 16384, 16382, 16381, 16380].map((n) => `preference ${n}`),
    );
    expect(exitCodeOf(diagnostics)).toBe(5);
  });
});

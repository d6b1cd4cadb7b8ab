// What concerns interfaces apart from instances, as keepalived 2.4.3 takes it.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const machine: Partial<ParseInput> = { interfaceExists: (name) => /^eth[0-3]$/.test(name) };

function resolve(text: string, input = machine) {
  const result = parse(`${text}\n${instance()}`, input);
  const told = codes(result).filter((code) => !code.startsWith("accepted"));
  return { config: result.config, told, exit: exitCodeOf(result.diagnostics) };
}

const group = "track_group g {\ngroup { VI_1 }\n}\n";

describe("static addresses", () => {
  const addresses = (lines: string, before = "", input = machine) => {
    const { config, told, exit } = resolve(`${before}static_ipaddress {\n${lines}\n}`, input);
    const shown = config?.staticAddresses.map((each) => `${each.address}/${each.prefixLength} ${each.interface}`);
    return { shown, groups: config?.staticAddresses.map(({ trackGroup }) => trackGroup), told, exit };
  };

  test("on the interface that they name, or on the default one", () => {
    expect(addresses("10.0.0.1/24 dev eth1\n10.0.0.2\n2001:db8::1/64")).toMatchObject({
      shown: ["10.0.0.1/24 eth1", "10.0.0.2/32 eth0", "2001:db8::1/64 eth0"],
      told: [],
    });
    const other = addresses("10.0.0.2", "global_defs {\ndefault_interface eth2\n}\n");
    expect(other).toMatchObject({ shown: ["10.0.0.2/32 eth2"], told: [] });
  });

  test("without the default interface there is none", () => {
    const missing = addresses("10.0.0.2\n10.0.0.3 dev eth1", "global_defs {\ndefault_interface lan\n}\n");
    expect(missing).toEqual({
      shown: ["10.0.0.3/32 eth1"],
      groups: [undefined],
      told: ["interface-unknown 5:1"],
      exit: 4,
    });
    const later = addresses("10.0.0.2", "global_defs {\ndynamic_interfaces\ndefault_interface lan\n}\n");
    expect(later).toMatchObject({ shown: ["10.0.0.2/32 lan"], told: [] });
  });

  test("know no use_vmac", () => {
    expect(addresses("10.0.0.5 use_vmac")).toMatchObject({
      shown: ["10.0.0.5/32 eth0"],
      told: ["unknown-option 2:10"],
    });
  });

  test.each<[string, string, (string | undefined)[], string[]]>([
    ["10.0.0.1 track_group g", group, ["g"], []],
    ["10.0.0.1 track_group h", group, [undefined], ["group-unknown 5:10"]],
    ["10.0.0.1 track_group g track_group h", group, ["g"], ["repeated 5:24"]],
    ["10.0.0.1 track_group", group, [], ["missing-value 5:10"]],
  ])("%s", (line, before, groups, told) => {
    expect(addresses(line, before)).toMatchObject({ groups, told });
  });

  test("a group has to stand in front", () => {
    const { config, told } = resolve(`static_ipaddress {\n10.0.0.1 track_group g\n}\n${group}`);
    expect(config?.staticAddresses).toMatchObject([{ trackGroup: undefined }]);
    expect(told).toEqual(["group-unknown 2:10"]);
  });
});

describe("static routes and rules with a group", () => {
  const of = (name: string, line: string) => resolve(`${group}static_${name} {\n${line}\n}`);

  test("need the interface by which they are judged", () => {
    const route = of("routes", "10.0.0.0/8 dev eth0 track_group g\n10.1.0.0/16 track_group g");
    expect(route.config?.staticRoutes.map(({ trackGroup }) => trackGroup)).toEqual(["g", undefined]);
    expect(route.told).toEqual(["group-interface 6:13"]);
    const rule = of("rules", "table 5 preference 1 iif eth0 track_group g\ntable 5 preference 2 track_group g");
    expect(rule.config?.staticRules.map(({ trackGroup }) => trackGroup)).toEqual(["g", undefined]);
    expect(rule.told).toEqual(["group-interface 6:22"]);
  });

  test("a second group takes the route with it, and is ignored on a rule", () => {
    const route = of("routes", "10.0.0.0/8 dev eth0 track_group g track_group g");
    expect(route).toMatchObject({ config: { staticRoutes: [] }, told: ["repeated 5:35"] });
    const rule = of("rules", "table 5 preference 1 iif eth0 track_group g track_group g");
    expect(rule).toMatchObject({ config: { staticRules: [{ trackGroup: "g" }] }, told: ["repeated 5:45"] });
  });
});

describe("track groups", () => {
  test("name instances, as many to a line as one likes, wherever they are defined", () => {
    const { config, told } = resolve(`track_group g {\ngroup {\nVI_1 VI_2\nVI_1\n}\n}\n${instance("", "VI_2", 52)}`);
    expect(config?.trackGroups).toEqual([{ name: "g", members: ["VI_1", "VI_2"] }]);
    expect(told).toEqual([]);
  });

  test.each<[string, string, string[], number]>([
    ["without members", "track_group g {\n}", ["empty-group 1:1"], 5],
    ["with an empty list", "track_group g {\ngroup {\n}\n}", ["empty-group 1:1", "empty-block 2:1"], 5],
    [
      "with two lists",
      "track_group g {\ngroup { VI_1 }\ngroup { VI_1 }\n}",
      ["repeated 3:1", "unexpected-close-brace 4:1"],
      5,
    ],
    ["without a name", "track_group {\ngroup { VI_1 }\n}", ["name 1:1"], 5],
    ["with two names", "track_group g h {\ngroup { VI_1 }\n}", ["name 1:15"], 5],
    ["of instances that are not there", "track_group g {\ngroup { VI_9 }\n}", ["member-unknown 2:9"], 0],
  ])("%s: left out", (_what, text, told, exit) => {
    expect(resolve(text)).toMatchObject({ config: { trackGroups: [] }, told, exit });
  });

  test("the second of a name is skipped", () => {
    const { config, told } = resolve(`${group}track_group g {\ngroup { VI_9 }\n}`);
    expect(config?.trackGroups).toEqual([{ name: "g", members: ["VI_1"] }]);
    expect(told).toEqual(["duplicate-block 4:1"]);
  });

  test("nothing depends on a group of nobody", () => {
    const { config } = resolve("track_group g {\ngroup { VI_9 }\n}\nstatic_ipaddress {\n10.0.0.1 track_group g\n}");
    expect(config?.staticAddresses).toMatchObject([{ trackGroup: undefined }]);
  });
});

describe("delays of interfaces", () => {
  const delays = (lines: string, input = machine) => {
    const { config, told, exit } = resolve(`interface_up_down_delays {\n${lines}\n}`, input);
    return { delays: config?.interfaceDelays, told, exit };
  };

  test.each<[string, object]>([
    ["eth0 1 2", { interface: "eth0", down: 1_000_000, up: 2_000_000 }],
    ["eth0 1.5", { interface: "eth0", down: 1_500_000, up: 0 }],
    ["eth0 0 255", { interface: "eth0", down: 0, up: 255_000_000 }],
    ["eth0 0.000001", { interface: "eth0", down: 1, up: 0 }],
  ])("%s", (line, expected) => expect(delays(line)).toEqual({ delays: [expected], told: [], exit: 0 }));

  test("the last line of an interface counts", () => {
    expect(delays("eth0 1\neth1 2\neth0 3").delays).toMatchObject([{ down: 3_000_000 }, { down: 2_000_000 }]);
  });

  test.each<[string, number, string[], number]>([
    ["nowhere 1", 0, ["interface-unknown 2:1"], 4],
    ["eth0 256", 0, ["invalid-number 2:6"], 5],
    ["eth0 1 256", 0, ["invalid-number 2:8"], 5],
    ["eth0 x", 0, ["invalid-number 2:6"], 5],
    ["eth0 5s", 1, ["invalid-number 2:6"], 5],
    ["eth0", 0, ["interface-delay 2:1"], 0],
    ["eth0 1 2 3", 1, ["interface-delay 2:10"], 0],
  ])("%s", (line, count, told, exit) => {
    const result = delays(line);
    expect(result.delays).toHaveLength(count);
    expect(result).toMatchObject({ told, exit });
  });
});

describe("interfaces that are asked for their link", () => {
  test.each<[string, object[], string[], number]>([
    ["eth0", [{ interface: "eth0", method: undefined }], [], 0],
    ["eth0 MII", [{ interface: "eth0", method: "mii" }], [], 0],
    ["eth0 ETHTOOL\neth0 IOCTL", [{ interface: "eth0", method: "ioctl" }], [], 0],
    ["eth0 mii", [{ interface: "eth0", method: undefined }], ["invalid-value 2:6"], 5],
    ["eth0 MII x", [{ interface: "eth0", method: "mii" }], ["invalid-value 2:10"], 5],
    ["nowhere", [], ["interface-unknown 2:1"], 4],
  ])("%s", (lines, polledInterfaces, told, exit) => {
    const result = resolve(`linkbeat_interfaces {\n${lines}\n}`);
    expect(result.config?.polledInterfaces).toEqual(polledInterfaces);
    expect(result).toMatchObject({ told, exit });
  });
});

describe("groups of announcements", () => {
  test("share a pause", () => {
    const { config, told } = resolve(
      "garp_group {\ngarp_interval 0.5\ninterface eth2\ninterfaces {\neth0 eth1\n}\n}\ngarp_group {\ngna_interval 0\ninterface eth3\n}",
    );
    expect(config?.garpGroups).toEqual([
      { interfaces: ["eth2", "eth0", "eth1"], garpInterval: 500_000, gnaInterval: undefined },
      { interfaces: ["eth3"], garpInterval: undefined, gnaInterval: 0 },
    ]);
    expect(told).toEqual([]);
  });

  test.each<[string, string, object[], string[]]>([
    ["without an interval", "garp_group {\ninterface eth0\n}", [], ["garp-group 1:1"]],
    [
      "of an interface that is not there",
      "garp_group {\ngarp_interval 1\ninterface nowhere\n}",
      [{ interfaces: [] }],
      ["interface-missing 3:1"],
    ],
    [
      "with an empty list",
      "garp_group {\ngarp_interval 1\ninterfaces {\n}\n}",
      [{ interfaces: [] }],
      ["empty-block 3:1"],
    ],
    [
      "of an interface that has one",
      "garp_group {\ngarp_interval 1\ninterface eth0\n}\ngarp_group {\ngarp_interval 1\ninterfaces { eth1 eth0 }\n}",
      [{ interfaces: ["eth0"] }, { interfaces: ["eth1"] }],
      ["garp-group 7:19"],
    ],
  ])("%s", (_what, text, garpGroups, told) => {
    expect(resolve(text)).toMatchObject({ config: { garpGroups }, told });
  });

  test("an interface of a group without an interval is free", () => {
    const { config } = resolve("garp_group {\ninterface eth0\n}\ngarp_group {\ngarp_interval 1\ninterface eth0\n}");
    expect(config?.garpGroups).toMatchObject([{ interfaces: ["eth0"] }]);
  });
});

import { describe, expect, test } from "vitest";
import type { InstanceConfig } from "../config.ts";
import { isFatal } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, instance, parse } from "../testing/parse.ts";

/** The instance that `lines` make, and the codes of what is said about it. */
function resolve(
  lines: string,
  before = "",
  input: Partial<ParseInput> = {},
): [Partial<InstanceConfig> | undefined, string[]] {
  const result = parse(before + instance(lines), input);
  const places = codes(result).map((code) => code.replace(/ .*/, ""));
  return [result.config?.instances[0], places];
}

const globals = (lines: string): string => `global_defs {\n${lines}\n}\n`;

describe("priority and state", () => {
  test.each<[string, object, string[]]>([
    ["", { priority: 100, initialState: "backup" }, []],
    ["state MASTER", { priority: 255, initialState: "master" }, []],
    ["state BACKUP", { priority: 100, initialState: "backup" }, []],
    ["priority 255", { priority: 255, initialState: "master" }, []],
    ["state MASTER\npriority 101", { priority: 101, initialState: "master" }, []],
    ["priority 0", { priority: 100 }, ["invalid-number"]],
    ["priority 256", { priority: 100 }, ["invalid-number"]],
    ["priority 90x", { priority: 100 }, ["invalid-number"]],
    ["state MASTER\nstate BACKUP\npriority 1", { initialState: "master" }, ["repeated"]],
    ["state BACKUP\nstate MASTER\npriority 1", { initialState: "master" }, []],
    ["state master", { initialState: "backup" }, ["state"]],
    ["state %X%", { initialState: "backup" }, ["state"]],
    ["strict_mode\nstate MASTER\npriority 1", { initialState: "backup" }, ["strict"]],
    ["strict_mode\nstate BACKUP\npriority 255", { initialState: "master" }, ["strict"]],
  ])("%j", (lines, expected, said) => {
    const [found, places] = resolve(lines);
    expect(found).toMatchObject(expected);
    expect(places).toEqual(said);
  });
});

describe("unicast_fault_no_peer", () => {
  test.each<[string, object, string[]]>([
    ["", { lacksPeers: false }, []],
    ["unicast_fault_no_peer", { lacksPeers: true, unicast: undefined }, ["no-peers"]],
    ["unicast_fault_no_peer\nunicast_peer {\n}", { lacksPeers: true, unicast: undefined }, ["no-peers"]],
    ["unicast_fault_no_peer\nunicast_peer {\n192.0.2.9\n}", { lacksPeers: false }, []],
  ])("%j", (lines, expected, said) => {
    const [found, places] = resolve(lines);
    expect(found).toMatchObject(expected);
    expect(places).toEqual(said);
  });
});

describe("pre-emption", () => {
  test.each<[string, object, string[]]>([
    ["", { preempt: true, preemptDelay: 0 }, []],
    ["nopreempt", { preempt: false }, []],
    ["nopreempt\npreempt", { preempt: true }, []],
    ["preempt\nnopreempt", { preempt: false }, []],
    ["nopreempt\nstate MASTER\npriority 9", { preempt: true }, ["lint/nopreempt-ignored"]],
    ["nopreempt\npriority 255", { preempt: true }, ["lint/nopreempt-ignored"]],
    ["preempt_delay 2.5", { preemptDelay: 2_500_000 }, []],
    ["preempt_delay 1001", { preemptDelay: 0 }, ["invalid-number"]],
    ["preempt_delay 3\nstate MASTER\npriority 9", { preemptDelay: 0 }, ["preempt-delay"]],
    ["preempt_delay 3\nnopreempt", { preempt: false, preemptDelay: 0 }, ["preempt-delay"]],
    ["preempt_delay 3\nstrict_mode", { preemptDelay: 0 }, ["preempt-delay"]],
  ])("%j", (lines, expected, said) => {
    const [found, places] = resolve(lines);
    expect(found).toMatchObject(expected);
    expect(places).toEqual(said);
  });
});

describe("times and versions", () => {
  test.each<[string, object, string[]]>([
    ["", { version: 2, advertInterval: 1_000_000 }, []],
    ["advert_int 1.5", { advertInterval: 2_000_000 }, ["advert-interval"]],
    ["advert_int 0.2", { advertInterval: 1_000_000 }, ["advert-interval"]],
    ["advert_int 255", { advertInterval: 255_000_000 }, []],
    ["advert_int 256", { advertInterval: 1_000_000 }, ["invalid-number"]],
    ["version 3\nadvert_int 0.01", { version: 3, advertInterval: 10_000 }, []],
    ["version 3\nadvert_int 0.015", { advertInterval: 20_000 }, ["advert-interval"]],
    ["version 3\nadvert_int 50", { advertInterval: 40_950_000 }, ["advert-interval"]],
    ["version 4", { version: 2 }, ["invalid-number"]],
    ["down_timer_adverts 5", { downTimerAdverts: 5 }, []],
    ["down_timer_adverts 5\nstrict_mode", { downTimerAdverts: 3 }, ["strict"]],
  ])("%j", (lines, expected, said) => {
    const [found, places] = resolve(lines);
    expect(found).toMatchObject(expected);
    expect(places).toEqual(said);
  });

  test("what global_defs says counts where the instance says nothing, wherever it stands", () => {
    const lines =
      "vrrp_version 3\nvrrp_down_timer_adverts 4\nvrrp_lower_prio_no_advert\nvrrp_higher_prio_send_advert on\nv3_checksum_as_v2";
    const expected = {
      version: 3,
      downTimerAdverts: 4,
      lowerPriorityNoAdvert: true,
      higherPrioritySendAdvert: true,
      v3ChecksumAsV2: true,
    };
    expect(resolve("", globals(lines))[0]).toMatchObject(expected);
    expect(parse(instance() + globals(lines)).config?.instances[0]).toMatchObject(expected);
    const own =
      "version 2\ndown_timer_adverts 2\nlower_prio_no_advert off\nhigher_prio_send_advert no\nv3_checksum_as_v2 false";
    expect(resolve(own, globals(lines))[0]).toMatchObject({
      version: 2,
      downTimerAdverts: 2,
      lowerPriorityNoAdvert: false,
      higherPrioritySendAdvert: false,
      v3ChecksumAsV2: false,
    });
  });

  test("strict mode", () => {
    const [found, places] = resolve("lower_prio_no_advert off\nhigher_prio_send_advert", globals("vrrp_strict"));
    expect(found).toMatchObject({ lowerPriorityNoAdvert: true, higherPrioritySendAdvert: false });
    expect(found?.garp).toMatchObject({ lowerPriorityDelay: 0, lowerPriorityRepeat: 0 });
    expect(places).toEqual(["strict", "strict"]);
    expect(resolve("garp_lower_prio_repeat 3\ngarp_lower_prio_delay 0\nstrict_mode")[1]).toEqual(["strict"]);
    expect(resolve("strict_mode off", globals("vrrp_strict"))[0]).toMatchObject({ lowerPriorityNoAdvert: false });
  });
});

describe("the version of an IPv6 instance", () => {
  const password = "authentication {\nauth_type PASS\nauth_pass secret12\n}";
  test.each<[string, number, string[]]>([
    ["", 3, []],
    ["version 3", 3, []],
    ["native_ipv6", 3, ["accepted"]],
    ["version 2", 2, ["version"]],
    [`version 2\n${password}`, 2, ["auth-ignored", "version"]],
    ["version 2\nstrict_mode", 3, ["strict"]],
    [password, 3, ["auth-ignored"]],
  ])("%j", (lines, version, said) => {
    const before = `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n${lines}\n`;
    const result = parse(`${before}virtual_ipaddress {\nfe80::1\n}\n}\n`);
    expect(result.config?.instances[0]).toMatchObject({ family: 6, version });
    const places = codes(result).map((code) => code.replace(/ .*/, ""));
    expect(places.filter((code) => !code.startsWith("lint/")).sort()).toEqual(said);
  });

  test("VRRPv2 has no IPv6: behind the addresses version 2 does not count", () => {
    const result = parse(instance("version 2", "VI_1", 51, "fe80::1"));
    expect(result.config?.instances[0]).toMatchObject({ family: 6, version: 3 });
    expect(codes(result).map((code) => code.replace(/ .*/, ""))).toContain("version");
  });
});

describe("announcements", () => {
  test.each([
    ["", "", { delay: 5, repeat: 5, refresh: 0, refreshRepeat: 1, lowerPriorityDelay: 5, lowerPriorityRepeat: 5 }],
    ["garp_master_delay 1", "", { delay: 1, lowerPriorityDelay: 5 }],
    [
      "",
      "vrrp_garp_master_delay 2\nvrrp_garp_master_repeat 3",
      { delay: 2, repeat: 3, lowerPriorityDelay: 2, lowerPriorityRepeat: 3 },
    ],
    ["", "vrrp_garp_lower_prio_repeat 0", { repeat: 5, lowerPriorityRepeat: 0 }],
    ["garp_master_refresh 60\ngarp_master_refresh_repeat 2", "", { refresh: 60, refreshRepeat: 2 }],
    ["", "vrrp_min_garp", { delay: 0, repeat: 1, refresh: 0, refreshRepeat: 0 }],
    ["", "vrrp_min_garp\nvrrp_garp_master_repeat 4", { delay: 0, repeat: 4 }],
  ])("%j, global %j", (lines, global, expected) => {
    const garp = resolve(lines, globals(global))[0]?.garp;
    const inSeconds = Object.fromEntries(
      Object.entries(garp ?? {}).map(([key, value]) => [key, /repeat/i.test(key) ? value : value / 1_000_000]),
    );
    expect(inSeconds).toMatchObject(expected);
  });

  test("no announcement at all is one announcement", () => {
    const [found, places] = resolve("garp_master_repeat 0");
    expect(found?.garp?.repeat).toBe(1);
    expect(places).toEqual(["garp-repeat"]);
  });
});

describe("authentication", () => {
  const block = (...lines: string[]) => `authentication {\n${lines.join("\n")}\n}`;
  test.each<[string, InstanceConfig["authentication"], string[]]>([
    [block("auth_type PASS", "auth_pass secret"), { type: "pass", password: "secret" }, []],
    [block("auth_type PASS", "auth_pass 12345678"), { type: "pass", password: "12345678" }, []],
    [block("auth_type PASS", "auth_pass 123456789"), { type: "pass", password: "12345678" }, ["auth-pass-cut"]],
    [block("auth_type PASS", 'auth_pass "a b"'), { type: "pass", password: "a b" }, []],
    [block("auth_type PASS", "auth_pass 密码密码"), { type: "pass", password: "密码" }, ["auth-pass-cut"]],
    [block("auth_type PASS"), undefined, ["auth-ignored"]],
    [block("auth_pass x"), undefined, ["auth-type"]],
    [block("auth_type pass", "auth_pass x"), undefined, ["invalid-value", "auth-type"]],
    [`version 3\n${block("auth_type PASS", "auth_pass x")}`, undefined, ["auth-ignored"]],
    [`strict_mode\n${block("auth_type PASS", "auth_pass x")}`, undefined, ["auth-ignored"]],
    [block("auth_type AH", "auth_pass x"), { type: "ah", password: "x" }, []],
  ])("%j", (lines, expected, said) => {
    const [found, places] = resolve(lines);
    expect(found?.authentication).toEqual(expected);
    expect(places).toEqual(said);
  });
});

describe("what an instance cannot be without", () => {
  const complete = {
    interface: "interface eth0",
    vrid: "virtual_router_id 5",
    address: "virtual_ipaddress { 10.0.0.1 }",
  };
  const without = (key: keyof typeof complete, extra = "") =>
    parse(`vrrp_instance V {\n${Object.values({ ...complete, [key]: "" }).join("\n")}\n${extra}\n}`);

  test("VRID and interface", () => {
    for (const [key, code] of [
      ["vrid", "vrid-missing"],
      ["interface", "interface-required"],
    ] as const) {
      const result = without(key);
      expect(result.config?.instances).toEqual([]);
      expect(codes(result).map((each) => each.replace(/ .*/, ""))).toEqual([code]);
      expect(isFatal(result.diagnostics)).toBe(true);
    }
    expect(isFatal(parse(instance("", "V", 256)).diagnostics)).toBe(true);
  });

  test.each([
    ["", "no-address", false],
    ["version 3", "address-required", true],
    ["strict_mode", "address-required", true],
    ["no_virtual_ipaddress", undefined, false],
    ["no_virtual_ipaddress\nversion 3", undefined, false],
    ["no_virtual_ipaddress\nstrict_mode", "address-required strict", true],
  ])("addresses: with %j", (extra, code, fatal) => {
    const { diagnostics, config } = without("address", extra);
    expect(diagnostics.map((each) => each.code)).toEqual(code === undefined ? [] : code.split(" "));
    expect(isFatal(diagnostics)).toBe(fatal);
    expect(config?.instances).toHaveLength(1);
  });

  test("an interface that exists, if the caller knows, unless they may come later", () => {
    const interfaceExists = (name: string) => name !== "eth0";
    expect(resolve("")[1]).toEqual([]);
    expect(resolve("", "", { interfaceExists })[1]).toEqual(["interface-missing"]);
    expect(resolve("", globals("dynamic_interfaces"), { interfaceExists })[1]).toEqual([]);
    expect(isFatal(parse(instance(), { interfaceExists }).diagnostics)).toBe(true);
    // Each line is looked up, and the last one counts.
    expect(resolve("interface eth1", "", { interfaceExists })).toMatchObject([
      { interface: "eth1" },
      ["interface-missing"],
    ]);
  });

  test("a virtual router of its own", () => {
    const two = (second: string) => parse(instance("", "V", 5) + second).diagnostics;
    const other = (name: string, vrid: number, address = "10.0.0.2") =>
      `vrrp_instance W {\n interface ${name}\n virtual_router_id ${vrid}\n virtual_ipaddress { ${address} }\n}\n`;
    expect(two(other("eth0", 5)).map(({ code, line }) => [code, line])).toEqual([["vrid-duplicate", 7]]);
    expect(isFatal(two(other("eth0", 5)))).toBe(true);
    expect(two(other("eth0", 6))).toEqual([]);
    expect(two(other("eth1", 5))).toEqual([]);
  });
});

describe("notification", () => {
  test("scripts with arguments, users and groups", () => {
    const [found] = resolve(
      `notify_master "/n.sh master 'a b'" www-data adm\nnotify_backup /n.sh\nnotify_fault "/n.sh \\"x\\""\nnotify_stop "/n"\nnotify_deleted "/d"\nnotify "/any"`,
    );
    expect(found?.notify).toEqual({
      master: {
        text: "/n.sh master 'a b'",
        argv: ["/n.sh", "master", "a b"],
        run: "exec",
        user: { user: "www-data", group: "adm", supplementaryGroups: false },
      },
      backup: { text: "/n.sh", argv: ["/n.sh"], run: "exec", user: undefined },
      fault: { text: '/n.sh \\"x\\"', argv: ["/n.sh", '"x"'], run: "exec", user: undefined },
      stop: { text: "/n", argv: ["/n"], run: "exec", user: undefined },
      deleted: { text: "/d", argv: ["/d"], run: "exec", user: undefined },
      tellDeleted: true,
      lowerPriority: undefined,
      any: { text: "/any", argv: ["/any"], run: "exec", user: undefined },
    });
  });

  test("mail is off unless asked for, here or above", () => {
    expect(resolve("")[0]?.smtpAlert).toBe(false);
    expect(resolve("smtp_alert")[0]?.smtpAlert).toBe(true);
    expect(resolve("", globals("smtp_alert"))[0]?.smtpAlert).toBe(true);
    expect(resolve("", globals("smtp_alert\nsmtp_alert_vrrp off"))[0]?.smtpAlert).toBe(false);
    expect(resolve("smtp_alert no", globals("smtp_alert"))[0]?.smtpAlert).toBe(false);
  });

  test("a bare notify_deleted is said not to do anything yet", () => {
    const [found, places] = resolve("notify_deleted");
    expect(found?.notify?.deleted).toBeUndefined();
    expect(places).toEqual(["accepted"]);
  });
});

test("the name that static objects have in events is refused", () => {
  const named = (name: string) =>
    parse(`vrrp_instance ${name} {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n`);
  expect(isFatal(named("(static)").diagnostics)).toBe(true);
  expect(named("(static)").diagnostics.map(({ line, code }) => [line, code])).toContainEqual([1, "refused"]);
  expect(isFatal(named("static").diagnostics)).toBe(false);
});

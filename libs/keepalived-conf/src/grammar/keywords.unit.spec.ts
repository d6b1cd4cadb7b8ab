// Grammar sections 1 and 6: processes, keywords, repetitions. Each case was put to keepalived 2.4.3.
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../diagnostics.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const exit = (text: string) => exitCodeOf(parse(text).diagnostics);
const unknown = (text: string) => codes(parse(text)).filter((code) => code.startsWith("unknown-keyword"));
const server = (lines = "", address = "10.0.0.9") =>
  `virtual_server ${address} 80 {\n protocol TCP\n lb_algo rr\n lb_kind DR\n real_server 10.0.0.8 80 {\n TCP_CHECK {\n }\n }\n${lines}\n}\n`;

describe("1.2: each process reads its own blocks and counts the braces of the others", () => {
  test("a block that one process breaks is whole for the others", () => {
    const { config, diagnostics } = parse(`vrrp_instance V {\n foo {\n }\n}\n${server()}`);
    expect(config?.virtualServers).toHaveLength(1);
    expect(exitCodeOf(diagnostics)).toBe(5);
    const other = parse(`${server("foo {\n}\n")}${instance()}`);
    expect(other.config?.instances).toHaveLength(1);
  });

  test("what is unknown outside of blocks is said once, by whomever", () => {
    expect(unknown("foo\nbar")).toEqual(["unknown-keyword 1:1", "unknown-keyword 2:1"]);
  });
});

describe("6.1: names are exact", () => {
  test.each([
    [instance("Priority 10"), 1],
    [instance("PRIORITY 10"), 1],
    [instance("priorit 10"), 1],
    [instance('"priority" 10'), 0],
    [server().replace("TCP_CHECK", "tcp_check"), 1],
    ["Vrrp_instance V {\n}\n", 1],
  ])("%j", (text, count) => {
    const found = unknown(text);
    expect(found.length > 0).toBe(count > 0);
  });

  test.each([
    ["state MASTER", 0],
    ["state master", 5],
    ["authentication {\nauth_type pass\nauth_pass x\n}", 5],
  ])("and so are the words behind them: %j exits %i", (line, code) => expect(exit(instance(line))).toBe(code));

  test.each(["TCP", "tcp", "Tcp"])("but protocol %s", (name) => {
    expect(parse(server().replace("TCP\n", `${name}\n`)).config?.virtualServers[0]?.protocol).toBe("tcp");
  });
});

describe("6.2: an unknown keyword", () => {
  test("loses its line", () => {
    const result = parse(instance("foo 1 2\npriority 7"));
    expect(result.config?.instances[0]?.priority).toBe(7);
    expect(codes(result)).toEqual(["unknown-keyword 5:1"]);
  });

  test("that opens a block breaks the one around it", () => {
    const text = "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n foo {\n priority 8\n }\n priority 7\n}\n";
    const result = parse(text);
    expect(codes(result)).toEqual([
      "no-address 1:1",
      "unknown-keyword 4:2",
      "unexpected-open-brace 4:6",
      "unknown-keyword 7:2",
      "unexpected-close-brace 8:1",
    ]);
    expect(result.config?.instances[0]).toMatchObject({ name: "V", priority: 8 });
  });

  test("outside of blocks takes nothing with it", () => {
    const { config } = parse(`foo {\n${instance()}}\n`);
    expect(config?.instances).toHaveLength(1);
  });
});

test("6.3: more words than a keyword takes are passed over", () => {
  expect(parse(instance("priority 90 and more")).config?.instances[0]?.priority).toBe(90);
});

describe("6.4: a missing word ends keepalived", () => {
  test.each([
    [instance("interface"), 2],
    [instance("priority"), 2],
    [instance("virtual_ipaddress {\n}"), 0],
    [instance("notify_master"), 2],
    ["vrrp_script {\n}", 2],
    ["vrrp_instance {\n}", 5],
    ["virtual_server {\n}", 2],
    ["global_defs {\n router_id\n}", 5],
    // In a block that nobody reads nothing is missing.
    ["nothing\nfoo {\n interface\n}\n", 5],
  ])("%j exits %i", (text, code) => expect(exit(text)).toBe(code));

  test("so there is no Config, and the rest is checked all the same", () => {
    const result = parse("vrrp_instance V {\n interface\n priority\n foo 1\n}\n");
    expect(result.config).toBeUndefined();
    expect(codes(result)).toEqual(["missing-parameter 2:2", "missing-parameter 3:2", "unknown-keyword 4:2"]);
  });
});

describe("6.5: blocks of one name", () => {
  test.each([
    ["vrrp_instance", `${instance("", "V", 1)}${instance("foo", "V", 2)}`],
    ["vrrp_sync_group", `${instance("", "A")}vrrp_sync_group G {\ngroup { A }\n}\nvrrp_sync_group G {\nfoo\n}\n`],
    ["bfd_instance", "bfd_instance b {\nneighbor_ip 10.0.0.1\n}\nbfd_instance b {\nfoo\n}\n"],
  ])("the second %s is skipped whole", (_name, text) => {
    expect(codes(parse(text)).filter((code) => code.startsWith("duplicate-block"))).toHaveLength(1);
    expect(unknown(text)).toEqual([]);
    expect(exit(text)).toBe(5);
  });

  test("of two scripts the first counts", () => {
    const script = (path: string) => `vrrp_script s {\nscript "${path}"\n}\n`;
    const { config } = parse(`${script("/a")}${script("/b")}${instance("track_script {\ns\n}")}`, {
      executable: () => true,
    });
    expect(config?.scripts.map(({ command }) => command?.text)).toEqual(["/a"]);
  });
});

describe("6.6: keywords that are repeated", () => {
  test("the last number counts, and the first script", () => {
    const result = parse(instance('priority 10\npriority 20\nnotify_master "/a"\nnotify_master "/b"'));
    expect(result.config?.instances[0]).toMatchObject({ priority: 20, notify: { master: { text: "/a" } } });
    expect(codes(result)).toContain("repeated 8:1");
  });

  test("MASTER beats BACKUP", () => {
    const { config } = parse(instance("state BACKUP\nstate MASTER\nstate BACKUP"));
    expect(config?.instances[0]?.initialState ?? "master").toBe("master");
  });

  test("value blocks add up, and so do global_defs", () => {
    const globals = "global_defs {\n router_id a\n}\nglobal_defs {\n router_id b\n}\n";
    const { config } = parse(`${globals}${instance("virtual_ipaddress {\n10.0.0.2\n}")}`);
    expect(config?.global.routerId).toBe("b");
    expect(config?.instances[0]?.addresses.map(({ address }) => address)).toEqual(["10.0.0.1", "10.0.0.2"]);
  });
});

test("6.7: a script has to be defined above what tracks it", () => {
  const script = 'vrrp_script s {\nscript "/a"\n}\n';
  const tracking = instance("track_script {\ns\n}");
  const tracked = (text: string) => parse(text, { executable: () => true }).config?.instances[0]?.trackScripts;
  expect(tracked(script + tracking)).toHaveLength(1);
  expect(tracked(tracking + script)).toEqual([]);
  expect(codes(parse(tracking + script))).toContain("script-unknown 6:1");
});

describe("12: the exit code", () => {
  test.each([
    ["good", instance(), 0],
    ["unknown", instance("foo"), 5],
    ["a missing word beats all problems", `${instance("foo")}vrrp_script {\n}`, 2],
    ["a missing file beats that", `${instance("foo")}vrrp_script {\n}\nincludem none`, 6],
    ["no VRID", "vrrp_instance V {\n interface eth0\n}\n", 5],
  ])("%s", (_what, text, code) => expect(exit(text)).toBe(code));

  test.each([
    [instance(), 5],
    [`global_defs {\n dynamic_interfaces\n}\n${instance()}`, 0],
  ])("an interface that is not there: %j exits %i", (text, code) => {
    expect(exitCodeOf(parse(text, { interfaceExists: () => false }).diagnostics)).toBe(code);
  });
});

import { describe, expect, test } from "vitest";
import { exitCodeOf, isFatal } from "../diagnostics.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const names = (text: string) => parse(text).config?.instances.map(({ name }) => name);

describe("unknown keywords", () => {
  test.each([
    ["vrrp_instance V {\n prioriti 10\n}", 2, "did you mean priority?"],
    ["vrrp_instance V {\n virtual_routerid 10\n}", 2, "did you mean virtual_router_id?"],
    ["vrrp_instance V {\n Priority 10\n}", 2, "did you mean priority?"],
    ["global_defs {\n lvs_id x\n}", 2, "did you mean router_id?"],
    ["global_defs {\n garp_master_delay 1\n}", 2, "did you mean vrrp_garp_master_delay?"],
    ["vrrp_script s {\n weiget 2\n}", 2, "did you mean weight?"],
    ["vrrp_instance V {\n auth_pass x\n}", 2, "it belongs into authentication"],
    ["vrrp_instance V {\n something_else 1\n}", 2, undefined],
    ["x\\\n", 1, "lines go on with a backslash in definitions ($NAME=…) only"],
  ])("%j", (text, line, hint) => {
    const { diagnostics } = parse(text);
    const unknown = diagnostics.find(({ code }) => code === "unknown-keyword");
    expect(unknown).toMatchObject({ severity: "warning", line, hint, errorClass: "unknown-keyword" });
  });

  test("in a checker: the seed's tcp_port, and the retry of another checker", () => {
    const server = (line: string) =>
      `virtual_server 10.0.0.1 80 {\n real_server 10.0.0.2 80 {\n TCP_CHECK {\n ${line}\n }\n }\n}`;
    const hint = (line: string) => parse(server(line)).diagnostics.find(({ code }) => code === "unknown-keyword")?.hint;
    expect(hint("tcp_port 80")).toBe("did you mean connect_port?");
    expect(hint("nb_get_retry 3")).toBe("did you mean retry?");
  });

  test("object members are no keywords", () => {
    const result = parse("constructor 1\n__proto__ 2\nvrrp_instance V {\n toString\n}");
    expect(codes(result).filter((code) => code.startsWith("unknown"))).toHaveLength(3);
  });

  test("an unknown block breaks the block around it, as in keepalived", () => {
    const result = parse(
      `vrrp_instance V {\n interface eth0\n virtual_router_id 1\n foo {\n x 1\n }\n priority 7\n}\n`,
    );
    expect(codes(result)).toEqual([
      "no-address 1:1",
      "unknown-keyword 4:2",
      "unexpected-open-brace 4:6",
      "unknown-keyword 5:2",
      "unknown-keyword 7:2",
      "unexpected-close-brace 8:1",
    ]);
    expect(result.config?.instances[0]).toMatchObject({ name: "V", priority: 100 });
  });

  test("but not the blocks of other processes", () => {
    const server =
      "virtual_server 10.0.0.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind DR\n real_server 10.0.0.2 80 {\n }\n}\n";
    const { config } = parse(`vrrp_instance V {\n foo {\n }\n}\n${server}`);
    expect(config?.virtualServers).toHaveLength(1);
  });
});

describe("braces", () => {
  test("anywhere on the lines", () => {
    expect(
      names("vrrp_instance V\n\n# x\n{ interface eth0 } vrrp_instance W{virtual_router_id 1\ninterface eth0}"),
    ).toEqual(["W"]);
  });

  test("a block without its brace goes on all the same", () => {
    const result = parse(
      "vrrp_instance V\n interface eth0\n virtual_router_id 5\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n",
    );
    expect(result.config?.instances[0]).toMatchObject({ name: "V", vrid: 5 });
    expect(codes(result)).toContain("missing-open-brace 2:2");
    expect(exitCodeOf(result.diagnostics)).toBe(5);
  });

  test("a value block without its brace is only logged by keepalived", () => {
    const result = parse(instance("track_interface\n eth1\n }"));
    const found = result.diagnostics.map(({ code, errorClass }) => [code, errorClass]);
    expect(found).toContainEqual(["missing-open-brace", "ok"]);
    expect(found).toContainEqual(["unexpected-close-brace", "unexpected-close-brace"]);
    expect(result.config?.instances[0]?.trackInterfaces).toEqual([{ name: "eth1", weight: 0, reverse: false }]);
  });

  test("too many and too few", () => {
    expect(codes(parse(`${instance()}}\n`))).toEqual(["unexpected-close-brace 7:1"]);
    const open = parse(`${instance()}vrrp_script s {\n script "/bin/true"\n`);
    expect(codes(open)).toContain("missing-close-brace 7:15");
    expect(codes(parse(`{\n${instance()}`))).toEqual(["unexpected-open-brace 1:1", "missing-close-brace 1:1"]);
  });

  test("an unclosed block takes in what follows, for its own process", () => {
    const { config } = parse(`vrrp_instance V {\n interface eth0\n virtual_router_id 3\n${instance("", "W", 4)}`);
    expect(config?.instances.map(({ name, addresses }) => [name, addresses.length])).toEqual([["V", 1]]);
  });
});

describe("words", () => {
  test("a missing word ends keepalived: no Config, exit code 2, and the rest is checked too", () => {
    const result = parse(`vrrp_instance V {\n interface\n priority\n foo 1\n}\n`);
    expect(result.config).toBeUndefined();
    expect(codes(result)).toEqual(["missing-parameter 2:2", "missing-parameter 3:2", "unknown-keyword 4:2"]);
    expect(exitCodeOf(result.diagnostics)).toBe(2);
    expect(isFatal(result.diagnostics)).toBe(true);
  });

  test.each([
    ["vrrp_script {\n}", 2],
    ["vrrp_instance {\n}", 5],
    ["global_defs {\n router_id\n}", 5],
    ["global_defs {\n smtp_helo_name\n}", 0],
    ["virtual_server {\n}", 2],
    ["vrrp_instance A B {\n}", 5],
  ])("%j exits %i", (text, exit) => expect(exitCodeOf(parse(text).diagnostics)).toBe(exit));

  test("the script tokeniser has its own mind about words", () => {
    const open = parse(instance('notify_master "/n.sh master'));
    expect(exitCodeOf(open.diagnostics)).toBe(5);
    expect(codes(open)).toEqual(["script-syntax 5:1", "open-quote 5:15"]);
    expect(exitCodeOf(parse(instance('notify_master"/n.sh master"')).diagnostics)).toBe(2);
    expect(exitCodeOf(parse(instance("notify_master")).diagnostics)).toBe(2);
  });

  test("more words than a keyword takes are ignored", () => {
    expect(parse(instance("priority 90 and more")).config?.instances[0]?.priority).toBe(90);
  });

  test("what stands before the brace of a value block is not an entry", () => {
    const result = parse(
      "vrrp_instance V {\n interface eth0\n virtual_router_id 1\n virtual_ipaddress 10.0.0.9 {\n 10.0.0.1\n }\n}",
    );
    expect(codes(result)).toEqual(["surplus-words 4:20"]);
    expect(result.config?.instances[0]?.addresses.map(({ address }) => address)).toEqual(["10.0.0.1"]);
  });

  test("an open quote loses the rest of its line", () => {
    const result = parse(instance('authentication {\n auth_type PASS\n auth_pass "secret\n }'));
    expect(codes(result)).toEqual(["missing-parameter 7:2", "open-quote 7:12"]);
  });
});

describe("repetitions", () => {
  test("a second instance of a name is skipped", () => {
    const result = parse(`${instance("", "V", 1)}${instance("foo", "V", 2)}`);
    expect(result.config?.instances.map(({ vrid }) => vrid)).toEqual([1]);
    expect(codes(result)).toEqual(["duplicate-block 7:1"]);
  });

  test("the last number counts, and the first notify script", () => {
    const result = parse(instance('priority 10\n priority 20\n notify_master "/a"\n notify_master "/b"'));
    expect(result.config?.instances[0]).toMatchObject({ priority: 20, notify: { master: { text: "/a" } } });
    expect(codes(result)).toContain("repeated 8:2");
  });

  test("value blocks add up, and so do global_defs", () => {
    const result = parse(
      `global_defs {\n router_id a\n}\nglobal_defs {\n router_id b\n}\n${instance("virtual_ipaddress {\n10.0.0.2\n}")}`,
    );
    expect(result.config?.global.routerId).toBe("b");
    expect(result.config?.instances[0]?.addresses.map(({ address }) => address)).toEqual(["10.0.0.1", "10.0.0.2"]);
  });
});

describe("what is not carried out yet", () => {
  test.each([
    ["global_defs {\n enable_snmp_vrrp\n}", "info"],
    ["global_defs {\n vrrp_iptables\n}", "info"],
    ["instance x", "warning"],
  ])("%j is known and said once", (text, severity) => {
    const { diagnostics } = parse(text);
    const said = diagnostics.filter(({ code }) => code === "accepted");
    expect(said.length).toBeGreaterThan(0);
    expect(said[0]).toMatchObject({ severity, errorClass: "ok" });
    expect(exitCodeOf(diagnostics)).toBe(0);
  });

  test("in an instance: accepted; and refused where it would make two masters", () => {
    const logging = parse(instance("debug 1"));
    expect(isFatal(logging.diagnostics)).toBe(false);
    expect(codes(logging)).toEqual(["accepted 5:1"]);
    const nowhere =
      "vrrp_instance V {\n virtual_router_id 1\n unicast_src_ip 10.0.0.1\n unicast_peer {\n10.0.0.7\n}\n virtual_ipaddress {\n10.0.0.9 dev eth0\n}\n}\n";
    const { diagnostics } = parse(nowhere);
    expect(isFatal(diagnostics)).toBe(true);
    expect(exitCodeOf(diagnostics)).toBe(4);
  });

  test.each([
    "unicast_peer {\n10.0.0.7\n}",
    "mcast_dst_ip 224.0.0.19",
    "use_vmac",
    "no_accept",
    `auth_hmac {\n key 1 ${"k".repeat(32)}\n active_key 1\n}`,
    "authentication {\n auth_type AH\n auth_pass x\n}",
  ])("carried out: %j", (line) => {
    const { diagnostics } = parse(instance(line));
    expect(diagnostics.filter(({ code }) => code === "refused" || code === "accepted")).toEqual([]);
    expect(exitCodeOf(diagnostics)).toBe(0);
  });
});

test("include_check in global_defs makes missing files errors, up to the end of its file", () => {
  const check = (line: string) => `global_defs {\n include_check ${line}\n}\ninclude none\n`;
  const exit = (text: string) => exitCodeOf(parse(text).diagnostics);
  expect(exit("include none\n")).toBe(0);
  expect(exit(check(""))).toBe(6);
  expect(exit(check("match"))).toBe(6);
  expect(exit(check("wildcard_match"))).toBe(0);
  expect(exit(check("+match"))).toBe(6);
  expect(exit(check("foo"))).toBe(5);
  const files = { main: "include sub\ninclude none", sub: "global_defs {\n include_check\n}\n" };
  expect(exitCodeOf(parse(files).diagnostics)).toBe(0);
});

describe("what counts where a line is of no use", () => {
  const usedIn = (text: string): (string | undefined)[] =>
    parse(text).diagnostics.flatMap(({ severity, used }) => (severity === "error" ? [used] : []));

  test.each([
    ["the default, as it would be written", instance("advert_int soon"), ["advert_int 1"]],
    ["the default, in words", instance("mcast_src_ip here"), ["its default: the primary address of the interface"]],
    ["what was given above", instance("advert_int 2\nadvert_int soon"), ["the advert_int above it"]],
    ["a value near it", instance("priority 300"), ["priority 100"]],
    ["nothing", instance("track_interface {\neth9 weight x\n}"), [undefined]],
    ["another global_defs, perhaps", `global_defs {\nvrrp_version x\n}\n${instance()}`, [undefined]],
  ])("%s", (_what, text, used) => expect(usedIn(text)).toEqual(used));
});

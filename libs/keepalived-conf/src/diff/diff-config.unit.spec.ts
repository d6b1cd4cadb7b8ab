import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Micros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../canonical-json.ts";
import type { Config } from "../config.ts";
import { configOf } from "../testing/examples.ts";
import { instance } from "../testing/parse.ts";
import type { Change } from "./change.ts";
import { diffConfig } from "./diff-config.ts";
import { changeSentences } from "./sentences.ts";
import { isDuration } from "./show.ts";

const diff = (before: string, after: string): Change[] => diffConfig(configOf(before), configOf(after));
const told = (before: string, after: string): string[] => changeSentences(diff(before, after));
/** `instance A: changed`, of the subjects that stand for themselves. */
const actions = (changes: readonly Change[]): string[] =>
  changes.map(({ kind, name, action }) => `${kind} ${name}: ${action}`);

const script = (lines = "", name = "chk") => `vrrp_script ${name} {\nscript "/bin/true"\n${lines}\n}\n`;
const tracking = (lines: string) => instance(`track_script {\n${lines}\n}`);

test("nothing changes when only comments, order of keywords and layout do", () => {
  const after =
    "# new\nvrrp_instance VI_1 { virtual_ipaddress\n{\n10.0.0.1/32 dev eth0\n}\nvirtual_router_id 51\ninterface eth0 }\n";
  expect(diff(instance(), after)).toEqual([]);
});

test("a change as data", () => {
  const after = instance("priority 90\nvirtual_ipaddress {\n10.0.0.2/24\n}");
  const common = { action: "changed", why: undefined } as const;
  expect(diff(instance(), after)).toEqual([
    {
      ...common,
      kind: "instance",
      name: "VI_1",
      identity: "VRID 51 on eth0, IPv4",
      fields: [{ path: "priority", label: "priority", before: "100", after: "90", secret: false, effect: "reload" }],
      parts: [
        {
          kind: "address",
          name: "10.0.0.2/24",
          action: "added",
          identity: "",
          why: undefined,
          fields: [],
          parts: [],
        },
      ],
    },
  ]);
});

describe("instances", () => {
  test("an address more, and one less", () => {
    expect(told(instance(), instance("virtual_ipaddress {\n10.0.0.2/24\n}"))).toEqual([
      "instance VI_1: address 10.0.0.2/24 added",
    ]);
    expect(told(instance("virtual_ipaddress_excluded {\n10.0.0.2\n}"), instance())).toEqual([
      "instance VI_1: excluded address 10.0.0.2/32 removed",
    ]);
  });

  test("an address that stays, otherwise", () => {
    const before = instance("", "V", 1, "10.0.0.1/24 dev eth0");
    const after = instance("", "V", 1, "10.0.0.1/16 dev eth0 label eth0:1");
    expect(told(before, after)).toEqual([
      "instance V: address 10.0.0.1/16 starts anew: it is taken off the interface and put on again",
      "instance V: address 10.0.0.1/16: prefix length 24 → 16",
      "instance V: address 10.0.0.1/16: label none → eth0:1",
    ]);
  });

  test("adverts list the addresses in order", () => {
    const listed = (...addresses: string[]) => instance("", "V", 1, `\n${addresses.join("\n")}\n`);
    expect(told(listed("10.0.0.1", "10.0.0.2"), listed("10.0.0.2", "10.0.0.1"))).toEqual([
      "instance V: order of addresses 10.0.0.1/32, 10.0.0.2/32 → 10.0.0.2/32, 10.0.0.1/32",
    ]);
  });

  test("another name for the same virtual router: its lease goes by the name", () => {
    const changes = diff(instance("", "A"), instance("", "B"));
    expect(actions(changes)).toEqual(["instance B: restarted"]);
    expect(changeSentences(changes)).toEqual(["instance B starts anew: it was called A"]);
  });

  test("another VRID, interface or family is another virtual router", () => {
    const changes = diff(instance("", "A", 1), instance("", "A", 2));
    expect(actions(changes)).toEqual(["instance A: restarted"]);
    expect(changeSentences(changes)).toEqual([
      "instance A starts anew: it is another virtual router",
      "instance A: virtual_router_id 1 → 2",
    ]);
    const moved = diff(instance("", "A", 1), instance("", "A", 1).replace("eth0", "eth1"));
    expect(actions(moved)).toEqual(["instance A: restarted"]);
    expect(actions(diff(instance("", "A", 1), instance("", "A", 1, "fe80::1")))).toEqual(["instance A: restarted"]);
  });

  test("two that exchange their names are two renames, not two other routers", () => {
    const pair = (a: number, b: number) => instance("", "A", a, "10.0.0.1") + instance("", "B", b, "10.0.0.1");
    expect(told(pair(1, 2), pair(2, 1))).toEqual([
      "instance A starts anew: it was called B",
      "instance B starts anew: it was called A",
    ]);
  });

  test("added and removed", () => {
    const two = instance("", "A", 1) + instance("", "B", 2);
    expect(told(instance("", "A", 1), two)).toEqual(["instance B added (VRID 2 on eth0, IPv4)"]);
    expect(told(two, instance("", "B", 2))).toEqual(["instance A removed (VRID 1 on eth0, IPv4)"]);
  });

  test("settings, with their old and new values, by the words of the file", () => {
    const after = instance('priority 90\nadvert_int 2\nnopreempt\nnotify_master "/n.sh x" root\ngarp_master_delay 1');
    expect(told(instance(), after)).toEqual([
      "instance VI_1: priority 100 → 90",
      "instance VI_1: preempt on → off",
      "instance VI_1: advert_int 1 s → 2 s",
      "instance VI_1: garp_master_delay 5 s → 1 s",
      'instance VI_1: notify_master none → "/n.sh x" as root',
    ]);
  });

  test("passwords are never shown", () => {
    const secured = (password: string) => instance(`authentication {\nauth_type PASS\nauth_pass ${password}\n}`);
    expect(told(secured("old"), secured("new"))).toEqual(["instance VI_1: authentication changed"]);
    expect(told(instance(), secured("new"))).toEqual(["instance VI_1: authentication none → PASS"]);
    expect(told(secured("old"), instance())).toEqual(["instance VI_1: authentication PASS → none"]);
    expect(JSON.stringify(diff(secured("old"), secured("new")))).not.toMatch(/old|new/);
  });
});

test("unicast is another virtual router than multicast, and so is another source of it", () => {
  const peers = (lines = "") => instance(`${lines}\nunicast_peer {\n10.0.0.7\n}`);
  const change = (before: Config, after: Config) => diffConfig(before, after)[0]?.action;
  const [multicast, unicast, elsewhere] = [
    configOf(instance()),
    configOf(peers()),
    configOf(peers("unicast_src_ip 10.0.0.5")),
  ];
  expect(change(multicast, unicast)).toBe("restarted");
  expect(change(unicast, elsewhere)).toBe("restarted");
  expect(change(multicast, configOf(instance("mcast_src_ip 10.0.0.5")))).toBe("changed");
});

test("so is one that sends from another MAC address, or to another group", () => {
  const [first, second, third] = ["", "use_vmac", "mcast_dst_ip 224.0.0.19"].map((line) => configOf(instance(line)));
  for (const other of [second, third])
    expect(first && other && diffConfig(first, other)[0]).toMatchObject({ action: "restarted" });
});

describe("scripts", () => {
  test("numbers change in place", () => {
    expect(told(script() + tracking("chk"), script("interval 2\nweight 5") + tracking("chk"))).toEqual([
      "script chk: interval 1 s → 2 s",
      "script chk: timeout 1 s → 2 s",
      "script chk: weight 0 → 5",
      "instance VI_1: tracked script chk: weight 0 → 5",
    ]);
  });

  test("another command or user tells nothing about the last result", () => {
    const other = script().replace("/bin/true", "/bin/false");
    for (const after of [other, script("user nobody")]) {
      const [change] = diff(script() + tracking("chk"), after + tracking("chk"));
      expect(change).toMatchObject({ kind: "script", action: "restarted", why: expect.stringContaining("until") });
      expect(change?.fields.map(({ path }) => path)).toEqual(["command"]);
    }
  });

  test("added, removed, renamed", () => {
    const one = script() + tracking("chk");
    expect(actions(diff(instance(), one))).toEqual(["script chk: added", "instance VI_1: changed"]);
    expect(actions(diff(one, instance()))).toEqual(["script chk: removed", "instance VI_1: changed"]);
    expect(told(one, script("", "other") + tracking("other"))).toEqual([
      "script chk removed",
      "script other added",
      "instance VI_1: tracked script chk removed",
      "instance VI_1: tracked script other added",
    ]);
  });
});

describe("routes and rules", () => {
  const routes = (...lines: string[]) => instance(`virtual_routes {\n${lines.join("\n")}\n}`);

  test("a route is known by where it leads, in which table and with which metric", () => {
    const before = routes("10.1.0.0/16 via 10.0.0.9", "default via 10.0.0.8 table 7");
    const after = routes("10.1.0.0/16 via 10.0.0.10", "default via 10.0.0.8 table 8");
    expect(told(before, after)).toEqual([
      "instance VI_1: route default via 10.0.0.8 table 7 removed",
      "instance VI_1: route 10.1.0.0/16 via 10.0.0.10 starts anew: it is taken out of the kernel and put in again",
      "instance VI_1: route 10.1.0.0/16 via 10.0.0.10: gateway 10.0.0.9 → 10.0.0.10",
      "instance VI_1: route default via 10.0.0.8 table 8 added",
    ]);
  });

  test("whether its loss is a fault is nothing to the kernel", () => {
    const [change] = diff(routes("10.1.0.0/16 via 10.0.0.9"), routes("10.1.0.0/16 via 10.0.0.9 no_track"));
    expect(change?.parts[0]).toMatchObject({ kind: "route", action: "changed", fields: [{ label: "tracked" }] });
  });

  test("a rule is known by its preference", () => {
    const rules = (line: string) => instance(`virtual_rules {\n${line}\n}`);
    const [change] = diff(
      rules("from 10.0.0.0/8 lookup 7 preference 100"),
      rules("from 10.0.0.0/8 lookup 8 preference 100"),
    );
    expect(change?.parts).toMatchObject([{ kind: "rule", name: "100 from 10.0.0.0/8 to all", action: "restarted" }]);
  });

  test("what is static stands for itself", () => {
    const statics = (address: string) => `static_ipaddress {\n${address} dev eth0\n}\n${instance()}`;
    expect(told(statics("10.9.0.1/24"), statics("10.9.0.2/24"))).toEqual([
      "static address 10.9.0.1/24 removed",
      "static address 10.9.0.2/24 added",
    ]);
  });
});

test("keys of HMAC are known by their numbers, and never shown", () => {
  const [base] = configOf(instance()).instances;
  const withKeys = (...secrets: string[]): Config => ({
    ...configOf(instance()),
    instances: [base].flatMap((each) =>
      each === undefined
        ? []
        : [{ ...each, authHmac: { ...hmac, keys: secrets.map((secret, id) => keyOf(id, secret)) } }],
    ),
  });
  const hmac = { activeKey: 0, antiReplay: "time", timeWindow: 1_500_000 as Micros, mode: "enforce" } as const;
  const keyOf = (id: number, secret: string) => ({ id, value: { from: "text", secret } }) as const;
  const changes = diffConfig(withKeys("sesame", "one"), withKeys("open", "one", "two"));
  expect(changeSentences(changes)).toEqual([
    "instance VI_1: HMAC key 0: value secret changed",
    "instance VI_1: HMAC key 2 added",
  ]);
  const all = [...changes, ...diffConfig(configOf(instance()), withKeys("sesame"))];
  expect(changeSentences(all).at(-1)).toMatch(/auth_hmac none → .*time_window 1\.5 s.*keys \*\*\*/);
  expect(JSON.stringify(all)).not.toMatch(/sesame|open|one|two/);
});

test("what is a duration by its type is shown as one", () => {
  const folder = join(import.meta.dirname, "../config");
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const namesOf = (type: string) =>
    sources.flatMap((text) => [...text.matchAll(/readonly (\w+): (\w+)/g)]).filter(([, , given]) => given === type);
  const durations = namesOf("Micros").map(([, name = ""]) => name);
  // Told by where they stand: the names alone are too short to mean it.
  const short = ["down", "tcp", "tcpFin", "udp", "up"];
  expect([...new Set(durations.filter((name) => !isDuration(name)))].toSorted()).toEqual(short);
  expect(namesOf("number").filter(([, name = ""]) => isDuration(name))).toEqual([]);
  expect(durations.length).toBeGreaterThan(20);
});

describe("what nobody described", () => {
  const base = configOf(instance());
  const withMember = (member: object): Config => ({ ...base, ...member });
  const inInstance = (member: object): Config => ({
    ...base,
    instances: base.instances.map((each) => ({ ...each, ...member })),
  });
  const sentences = (before: Config, after: Config) => changeSentences(diffConfig(before, after));

  test.each([
    ["a number", { useVmac: 3 }, "instance VI_1: use_vmac none → 3"],
    ["a duration, by its name", { retryDelay: 1_500_000 }, "instance VI_1: retry_delay none → 1.5 s"],
    ["a list of values", { peers: ["10.0.0.8", "10.0.0.9"] }, "instance VI_1: peers none → 10.0.0.8, 10.0.0.9"],
    ["a list of subjects", { mirrorFiles: [{ name: "f", weight: 3 }] }, "instance VI_1: mirror file f added"],
    ["an object", { tunnel: { interface: "v1", address: undefined } }, "instance VI_1: tunnel none → interface v1"],
    ["a secret", { peerPassword: "sesame" }, "instance VI_1: peer_password added"],
    ["a secret inside", { peer: { key: "sesame", port: 1 } }, "instance VI_1: peer none → key *** port 1"],
    ["a list too long to read", { n: Array.from({ length: 99 }, (_, i) => i) }, /0, 1, 2, 3, 4, 5, 6, 7 and 91 more$/],
  ])("%s", (_name, member, sentence) => {
    expect(sentences(base, inInstance(member))).toEqual([
      typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
    ]);
    expect(sentences(inInstance(member), inInstance(member))).toEqual([]);
  });

  test("inside of what changes", () => {
    const [before, after] = [{ tunnel: { interface: "v1", xmit: true } }, { tunnel: { interface: "v1", xmit: false } }];
    expect(sentences(inInstance(before), inInstance(after))).toEqual(["instance VI_1: tunnel xmit on → off"]);
    const files = (weight: number) => inInstance({ mirrorFiles: [{ name: "f", weight }] });
    expect(sentences(files(1), files(2))).toEqual(["instance VI_1: mirror file f: weight 1 → 2"]);
  });

  test("beside the lists that are known", () => {
    const mirrors = (...names: string[]) => withMember({ trafficMirrors: names.map((via) => ({ via, table: 1 })) });
    expect(sentences(mirrors("10.0.0.8"), mirrors("10.0.0.9"))).toEqual([
      "traffic mirror via 10.0.0.8 table 1 removed",
      "traffic mirror via 10.0.0.9 table 1 added",
    ]);
    expect(sentences(base, withMember({ linkbeat: true }))).toEqual(["global: linkbeat none → on"]);
  });

  test("what an older version stored lacks members, and nothing breaks", () => {
    const bare = { instances: [{}], scripts: [null], virtualServers: [{ realServers: [{}] }] } as unknown as Config;
    expect(diffConfig(bare, base).length).toBeGreaterThan(0);
    expect(diffConfig(base, bare).length).toBeGreaterThan(0);
  });
});

test("canonical JSON: sorted keys, nothing undefined, arrays in order", () => {
  expect(canonicalJson({ b: 1, a: { d: undefined, c: [2, 1] } })).toBe('{"a":{"c":[2,1]},"b":1}');
  expect(canonicalJson(configOf(instance("priority 9\nadvert_int 1")))).toBe(
    canonicalJson(JSON.parse(JSON.stringify(configOf(instance("advert_int 1\npriority 9"))))),
  );
});

import { describe, expect, test } from "vitest";
import { canonicalJson } from "./canonical-json.ts";
import type { Config } from "./config.ts";
import { diffConfig } from "./diff.ts";
import { instance, parse } from "./testing/parse.ts";

function configOf(text: string): Config {
  const { config } = parse(text);
  if (config === undefined) throw new Error("no Config");
  return config;
}

const diff = (before: string, after: string) => diffConfig(configOf(before), configOf(after));
const nothing = { added: [], removed: [], changed: [] };
const noInstances = { ...nothing, restarted: [] };

const script = (lines = "", name = "chk") => `vrrp_script ${name} {\nscript "/bin/true"\n${lines}\n}\n`;
const tracking = (lines: string) => instance(`track_script {\n${lines}\n}`);

test("nothing changes when only comments, order of keywords and layout do", () => {
  const after =
    "# new\nvrrp_instance VI_1 { virtual_ipaddress\n{\n10.0.0.1/32 dev eth0\n}\nvirtual_router_id 51\ninterface eth0 }\n";
  expect(diff(instance(), after)).toEqual({ changes: [], instances: noInstances, scripts: nothing });
});

describe("instances", () => {
  test("an address more, and one less", () => {
    expect(diff(instance(), instance("virtual_ipaddress {\n10.0.0.2/24\n}"))).toEqual({
      changes: ["instance VI_1: address 10.0.0.2/24 added"],
      instances: { ...noInstances, changed: ["VI_1"] },
      scripts: nothing,
    });
    const { changes } = diff(instance("virtual_ipaddress_excluded {\n10.0.0.2\n}"), instance());
    expect(changes).toEqual(["instance VI_1: excluded address 10.0.0.2/32 removed"]);
  });

  test("an address that stays, changed", () => {
    const before = instance("", "V", 1, "10.0.0.1/24 dev eth0");
    const after = instance("", "V", 1, "10.0.0.1/16 dev eth0 label eth0:1");
    expect(diff(before, after).changes).toEqual([
      "instance V: address 10.0.0.1/16: prefix length 24 → 16",
      "instance V: address 10.0.0.1/16: label none → eth0:1",
    ]);
  });

  test("adverts list the addresses in order", () => {
    const listed = (...addresses: string[]) => instance("", "V", 1, `\n${addresses.join("\n")}\n`);
    expect(diff(listed("10.0.0.1", "10.0.0.2"), listed("10.0.0.2", "10.0.0.1")).changes).toEqual([
      "instance V: addresses in another order: 10.0.0.2, 10.0.0.1",
    ]);
  });

  test("another name for the same virtual router is a rename", () => {
    expect(diff(instance("", "A"), instance("", "B"))).toEqual({
      changes: ["instance B: renamed from A"],
      instances: { ...noInstances, changed: ["B"] },
      scripts: nothing,
    });
  });

  test("another VRID, interface or family is another virtual router", () => {
    const { changes, instances } = diff(instance("", "A", 1), instance("", "A", 2));
    expect(instances).toEqual({ ...noInstances, restarted: ["A"] });
    expect(changes).toEqual(["instance A: VRID 1 on eth0, IPv4 → VRID 2 on eth0, IPv4: it starts anew"]);
    const moved = diff(instance("", "A", 1), instance("", "A", 1).replace("eth0", "eth1"));
    expect(moved.instances.restarted).toEqual(["A"]);
    expect(diff(instance("", "A", 1), instance("", "A", 1, "fe80::1")).instances.restarted).toEqual(["A"]);
  });

  test("two that exchange their names keep their routers", () => {
    const pair = (a: number, b: number) => instance("", "A", a, "10.0.0.1") + instance("", "B", b, "10.0.0.1");
    expect(diff(pair(1, 2), pair(2, 1)).instances).toEqual({ ...noInstances, changed: ["A", "B"] });
  });

  test("added and removed", () => {
    const two = instance("", "A", 1) + instance("", "B", 2);
    expect(diff(instance("", "A", 1), two)).toMatchObject({
      changes: ["instance B added (VRID 2 on eth0, IPv4)"],
      instances: { ...noInstances, added: ["B"] },
    });
    expect(diff(two, instance("", "B", 2))).toMatchObject({
      changes: ["instance A removed (VRID 1 on eth0, IPv4)"],
      instances: { ...noInstances, removed: ["A"] },
    });
  });

  test("settings, with their old and new values", () => {
    const after = instance('priority 90\nadvert_int 2\nnopreempt\nnotify_master "/n.sh x" root\ngarp_master_delay 1');
    expect(diff(instance(), after).changes).toEqual([
      "instance VI_1: priority 100 → 90",
      "instance VI_1: advert interval 1 s → 2 s",
      "instance VI_1: pre-emption on → off",
      "instance VI_1: announcement delay 5 s → 1 s",
      'instance VI_1: notify_master none → "/n.sh x" as root',
    ]);
  });

  test("passwords are never shown", () => {
    const secured = (password: string) => instance(`authentication {\nauth_type PASS\nauth_pass ${password}\n}`);
    expect(diff(secured("old"), secured("new")).changes).toEqual(["instance VI_1: authentication changed"]);
    expect(diff(instance(), secured("new")).changes).toEqual(["instance VI_1: authentication added"]);
    expect(diff(secured("old"), instance()).changes).toEqual(["instance VI_1: authentication removed"]);
  });
});

describe("scripts", () => {
  test("settings, and what tracks them", () => {
    expect(diff(script() + tracking("chk"), script("interval 2\nweight 5") + tracking("chk"))).toEqual({
      changes: [
        "instance VI_1: tracked script chk: weight 0 → 5",
        "script chk: interval 1 s → 2 s",
        "script chk: timeout 1 s → 2 s",
        "script chk: weight 0 → 5",
      ],
      instances: { ...noInstances, changed: ["VI_1"] },
      scripts: { ...nothing, changed: ["chk"] },
    });
  });

  test("added, removed, renamed", () => {
    const one = script() + tracking("chk");
    expect(diff(instance(), one).scripts).toEqual({ ...nothing, added: ["chk"] });
    expect(diff(one, instance()).scripts).toEqual({ ...nothing, removed: ["chk"] });
    expect(diff(one, script("", "other") + tracking("other"))).toMatchObject({
      changes: [
        "instance VI_1: tracked script chk removed",
        "instance VI_1: tracked script other added",
        "script chk removed",
        "script other added",
      ],
    });
  });
});

describe("everything", () => {
  const rich = configOf(`
global_defs {
  router_id r
  notification_email { a@b c@d }
  notification_email_from x@y
  smtp_server mail 26
  smtp_helo_name h
  enable_script_security
  script_user u g
}
vrrp_script chk {
  script "/bin/true x"
  user a b
  weight 2 reverse
}
vrrp_instance A {
  interface eth0
  virtual_router_id 1
  authentication { 
    auth_type PASS
    auth_pass secret
  }
  mcast_src_ip 10.0.0.9
  track_interface { 
    eth1 weight 4
  }
  track_script {
    chk
  }
  virtual_ipaddress {
    10.0.0.1/24 label eth0:1 brd +
  }
  virtual_ipaddress_excluded {
    10.0.1.1
  }
  notify_master "/m"
  notify_backup "/b"
  notify_fault "/f"
  notify_stop "/s"
  notify_deleted "/d"
  notify "/n"
}
vrrp_sync_group G {
  group { A }
}
virtual_server 10.0.0.1 80 {
  protocol TCP
  lb_algo rr
  lb_kind NAT
  sorry_server 127.0.0.1 80
  real_server 10.0.0.2 80 {
    HTTP_GET {
      connect_port 81
      url {
        path /
        digest d36f8f9425c4a8000ad9c4a97185aca5
      }
    }
  }
}
`);

  /** Every number, text and truth value of the Config, by its path. */
  function leaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
    if (typeof value !== "object" || value === null) return value === undefined ? [] : [path];
    return Object.entries(value).flatMap(([key, member]) => leaves(member, [...path, key]));
  }

  const altered = (value: unknown): unknown =>
    typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${value}1`;

  function withAltered(value: unknown, [key, ...rest]: readonly string[]): unknown {
    if (key === undefined) return altered(value);
    if (Array.isArray(value)) return value.map((member, i) => (String(i) === key ? withAltered(member, rest) : member));
    const entries = Object.entries(value ?? {});
    return Object.fromEntries(
      entries.map(([name, member]) => [name, name === key ? withAltered(member, rest) : member]),
    );
  }

  /** The text of a command says all of it; a kind is not a setting. */
  const paths = leaves(rich).filter((path) => !["argv", "run", "kind"].some((name) => path.includes(name)));

  test("the sample has enough to change", () => expect(paths.length).toBeGreaterThan(80));

  test.each(paths.map((path) => [path.join("."), path] as const))("a change of %s is told", (_name, path) => {
    const after = withAltered(rich, path) as Config;
    expect(canonicalJson(after)).not.toBe(canonicalJson(rich));
    expect(diffConfig(rich, after).changes).not.toEqual([]);
    expect(diffConfig(after, rich).changes).not.toEqual([]);
  });
});

test("canonical JSON: sorted keys, nothing undefined, arrays in order", () => {
  expect(canonicalJson({ b: 1, a: { d: undefined, c: [2, 1] } })).toBe('{"a":{"c":[2,1]},"b":1}');
  expect(canonicalJson(configOf(instance("priority 9\nadvert_int 1")))).toBe(
    canonicalJson(JSON.parse(JSON.stringify(configOf(instance("advert_int 1\npriority 9"))))),
  );
});

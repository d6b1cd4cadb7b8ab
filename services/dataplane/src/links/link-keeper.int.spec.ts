// Links and settings as keepalived makes them from the same configuration; and what it does not do: after a crash, when
// somebody interferes, and at the end. Debian's keepalived, or the one that KEEPALIVED names.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, parseConfig } from "@baton/keepalived-conf";
import { openAddressTable, openLinkMonitor } from "@baton/linux";
import { makeNamespace, type Namespace } from "@baton/linux/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { desiredFrom } from "../desired.ts";
import { until } from "../testing/lab.ts";
import { groundworkOf } from "./groundwork.ts";
import { type LinkKeeper, openLinkKeeper } from "./link-keeper.ts";

const keepalived = process.env.KEEPALIVED ?? "/usr/sbin/keepalived";

/** Every kind of link that there is but ipvlan: IPv4, IPv6, single addresses, the base for adverts, a name, a MAC address. */
const configuration = `
vrrp_instance FOUR {
  interface eth0
  virtual_router_id 51
  use_vmac
  virtual_ipaddress { 10.99.0.100/24 }
}
vrrp_instance SIX {
  interface eth0
  virtual_router_id 51
  version 3
  use_vmac
  virtual_ipaddress {
    fe80::99
    2001:db8::9/64
  }
}
vrrp_instance BASE {
  interface eth1
  virtual_router_id 52
  use_vmac lan.52 02:00:5e:10:00:52
  vmac_xmit_base
  use_vmac_addr
  virtual_ipaddress { 10.98.0.100/24 }
  virtual_ipaddress_excluded {
    2001:db8:1::9/64
    10.99.0.101/24 dev eth0
  }
}
vrrp_instance PLAIN {
  interface eth1
  virtual_router_id 53
  virtual_ipaddress {
    10.98.0.110/24
    10.99.0.110/24 dev eth0 use_vmac
  }
}`;
const made = ["lan.52", "vrrp.51", "vrrp.52", "vrrp.53", "vrrp6.51"];

function configOf(text: string): Config {
  const { config, diagnostics } = parseConfig({ file: "/f", readFile: () => ({ text }), hostName: "r1" });
  if (config === undefined) throw new Error(JSON.stringify(diagnostics));
  return config;
}

/** Two interfaces, alike in each namespace. */
function makeNode(label: string): Namespace {
  const node = makeNamespace(label);
  for (const [name, digit] of [
    ["eth0", 1],
    ["eth1", 2],
  ] as const) {
    node.ip("link", "add", name, "address", `02:00:00:00:00:0${digit}`, "type", "veth", "peer", "name", `far${digit}`);
    node.ip("address", "add", `10.9${10 - digit}.0.1/24`, "dev", name);
    node.ip("link", "set", name, "up");
    node.ip("link", "set", `far${digit}`, "up");
  }
  return node;
}

interface Kept {
  readonly keeper: LinkKeeper;
  readonly troubles: string[];
  keep(text: string, quiet?: ReadonlySet<string>): void;
  /** As if the process were killed. */
  abandon(): void;
}

/** Runs in the namespace that this thread is in. */
function openKeeper(): Kept {
  const troubles: string[] = [];
  const onTrouble = (message: string, error: unknown): void => void troubles.push(`${message}: ${String(error)}`);
  let told = (): void => undefined;
  const monitor = openLinkMonitor({ onChange: () => told(), onGap: () => undefined });
  const addresses = openAddressTable();
  const keeper = openLinkKeeper({ monitor, addresses, onTrouble });
  told = () => keeper.addressesChanged();
  const abandon = (): void => {
    told = () => undefined;
    monitor.close();
    addresses.close();
  };
  return {
    keeper,
    troubles,
    keep: (text, quiet = new Set()) => {
      const desired = desiredFrom(1, configOf(text));
      keeper.keep(groundworkOf(desired.instances.values(), quiet, desired));
    },
    abandon,
  };
}

const links = (node: Namespace): Record<string, unknown>[] => JSON.parse(node.ip("-d", "-j", "link"));
const names = (node: Namespace): string[] =>
  links(node)
    .map(({ ifname }) => String(ifname))
    .filter((name) => !/^(lo|eth|far)/.test(name))
    .sort();

/** What keepalived's links have, too: indices and counters differ, and ours have a mark. */
function linksOf(node: Namespace): unknown[] {
  const chosen = ["ifname", "link", "flags", "mtu", "operstate", "group", "address", "linkinfo", "inet6_addr_gen_mode"];
  return links(node)
    .filter(({ ifname }) => made.includes(String(ifname)))
    .map((link) => Object.fromEntries(chosen.map((key) => [key, link[key]])))
    .toSorted((a, b) => String(a.ifname).localeCompare(String(b.ifname)));
}

/** Every setting of the links and what is below them; the namespace is that of this thread. */
function settings(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const family of ["ipv4", "ipv6"]) {
    for (const name of [...made, "eth0", "eth1", "all", "default"]) {
      const directory = `/proc/sys/net/${family}/conf/${name}`;
      for (const key of readdirSync(directory)) {
        // Over IPv6 keepalived sets it since 2.4 alone.
        if (key === "stable_secret" || (name === "vrrp6.51" && key === "arp_ignore")) continue;
        all[`${family} ${name} ${key}`] = readFileSync(join(directory, key), "utf8").trim();
      }
    }
  }
  return all;
}

const linkLocals = (node: Namespace): string[] =>
  JSON.parse(node.ip("-6", "-j", "address"))
    .flatMap(
      ({
        ifname,
        addr_info,
      }: {
        ifname: string;
        addr_info: { local: string; prefixlen: number; deprecated?: boolean }[];
      }) =>
        addr_info
          .filter(({ prefixlen }) => prefixlen === 64)
          .map(({ local, deprecated }) => `${ifname} ${local} ${deprecated === true}`),
    )
    .filter((line: string) => line.includes("fe80") && !line.startsWith("far"));

describe("links", () => {
  let node: Namespace;
  let leave: () => void;
  let kept: Kept | undefined;
  let count = 0;
  beforeEach(() => {
    node = makeNode(`lk${count++}x`);
    leave = node.enter();
  });
  afterEach(() => {
    kept?.abandon();
    kept = undefined;
    leave();
    node.remove();
  });
  const open = (): Kept => {
    kept = openKeeper();
    return kept;
  };
  const nft = (): string => execFileSync("nft", ["list", "ruleset"], { encoding: "utf8" });

  test("as keepalived makes them: links, settings, lent addresses; and nothing is left at the end", async () => {
    const before = settingsOfParents();
    const other = makeNode(`lk${count++}k`);
    const directory = mkdtempSync(join(tmpdir(), "baton-links-"));
    let child: ChildProcess | undefined;
    try {
      open().keep(configuration);
      expect(kept?.troubles).toEqual([]);
      expect(names(node)).toEqual(made);
      const file = join(directory, "keepalived.conf");
      writeFileSync(file, configuration);
      const pids = ["-p", join(directory, "pid"), "-r", join(directory, "vrrp"), "-c", join(directory, "check")];
      const words = ["netns", "exec", other.name, keepalived, "-P", "-n", "-l", "-f", file, ...pids];
      child = spawn("ip", words, { stdio: "ignore" });
      await until("keepalived has made its links", () => names(other).length === made.length, 20_000);
      await until(
        "they are up",
        () =>
          links(other)
            .filter(({ ifname }) => made.includes(String(ifname)))
            .every(({ operstate }) => operstate === "UP"),
        20_000,
      );
      await until(
        "its addresses are lent",
        () => linkLocals(other).filter((line) => !line.startsWith("eth")).length === 1,
        20_000,
      );
      await until("links are up", () =>
        linksOf(node).every((link) => (link as { operstate: string }).operstate === "UP"),
      );
      expect(linksOf(node)).toEqual(linksOf(other));
      expect(linkLocals(node).toSorted()).toEqual(linkLocals(other).toSorted());
      const ours = settings();
      const theirs = other.inside(settings);
      expect(ours).toEqual(theirs);
      kept?.keeper.close();
      expect(names(node)).toEqual([]);
      expect(settingsOfParents()).toEqual(before);
      expect(nft()).not.toContain("baton_vrrp");
    } finally {
      child?.kill("SIGTERM");
      if (child !== undefined)
        await until("keepalived has ended", () => child?.exitCode !== null || child?.signalCode !== null, 20_000);
      other.remove();
      rmSync(directory, { recursive: true });
    }
  }, 60_000);

  const one = configuration.slice(0, configuration.indexOf("vrrp_instance SIX"));
  const indexOf = (name: string): number => Number(links(node).find(({ ifname }) => ifname === name)?.ifindex ?? 0);

  test("after a crash: what is wanted stays as it is, the rest goes, and what was before is still known", () => {
    const before = settingsOfParents();
    open().keep(configuration);
    const known = indexOf("vrrp.51");
    kept?.abandon();
    open().keep(one);
    expect(names(node)).toEqual(["vrrp.51"]);
    expect(indexOf("vrrp.51")).toBe(known);
    kept?.abandon();
    open().keep("");
    expect(names(node)).toEqual([]);
    expect(settingsOfParents()).toEqual(before);
    expect(kept?.troubles).toEqual([]);
  });

  test("what a killed keepalived has left is made anew; somebody else's link of the name is left alone", () => {
    node.ip(
      "link",
      "add",
      "vrrp.51",
      "link",
      "eth0",
      "address",
      "00:00:5e:00:01:33",
      "type",
      "macvlan",
      "mode",
      "private",
    );
    node.ip("address", "add", "10.99.0.100/24", "dev", "vrrp.51");
    open().keep(one);
    expect(node.ip("address", "show", "vrrp.51")).not.toContain("10.99.0.100");
    expect(links(node).find(({ ifname }) => ifname === "vrrp.51")).toMatchObject({
      ifalias: "baton arp_ignore=0 arp_filter=0",
    });
    kept?.keeper.close();
    node.ip("link", "add", "vrrp.51", "type", "bridge");
    open().keep(one);
    expect(kept?.troubles.join()).toContain("vrrp.51 is somebody else's");
    kept?.keeper.close();
    expect(names(node)).toEqual(["vrrp.51"]);
  });

  test("a link that somebody deletes is there again, and one whose instance has a successor goes down", () => {
    open().keep(one);
    node.ip("link", "del", "vrrp.51");
    kept?.keep(one);
    expect(links(node).find(({ ifname }) => ifname === "vrrp.51")).toMatchObject({
      flags: expect.arrayContaining(["UP"]),
    });
    kept?.keep(one, new Set(["FOUR"]));
    expect(links(node).find(({ ifname }) => ifname === "vrrp.51")?.flags).not.toContain("UP");
    kept?.keep(one);
    expect(links(node).find(({ ifname }) => ifname === "vrrp.51")?.flags).toContain("UP");
  });

  test("an interface below that comes later, goes and comes again takes its links with it", () => {
    const later = one.replace("interface eth0", "interface eth9");
    open().keep(`global_defs {\n  dynamic_interfaces\n}\n${later}`);
    expect(names(node)).toEqual([]);
    for (let round = 0; round < 2; round++) {
      node.ip("link", "add", "eth9", "type", "bridge");
      kept?.keep(later);
      expect(names(node)).toEqual(["vrrp.51"]);
      node.ip("link", "del", "eth9");
      expect(names(node)).toEqual([]);
    }
    kept?.keep(later);
    expect(kept?.troubles).toEqual([]);
  });

  test("rules are put back when a firewall's reload flushes them; nothing of ours is in other tables", async () => {
    execFileSync("nft", ["-f", "-"], { input: "table ip keepalived { chain a { }; }" });
    open().keep(
      `global_defs {\n  nftables keepalived\n  nftables_priority 5\n  nftables_counters\n}\n${one.replace("use_vmac", "use_vmac\n  no_accept")}`,
    );
    const before = nft();
    expect(before).toContain("10.99.0.100");
    expect(before).toContain("priority filter + 5");
    expect(before).toMatch(/counter packets \d+ bytes \d+ drop/);
    execFileSync("nft", ["flush", "ruleset"]);
    await until("the rules are back", () => nft().includes("10.99.0.100"));
    kept?.keeper.close();
    expect(nft()).not.toContain("baton_vrrp");
  });

  test("reverse path filtering for all becomes one for each, and ours are without", () => {
    const path = (name: string): string => `/proc/sys/net/ipv4/conf/${name}/rp_filter`;
    const read = (name: string): string => readFileSync(path(name), "utf8").trim();
    writeFileSync(path("all"), "1");
    writeFileSync(path("eth0"), "0");
    open().keep(one);
    expect([read("all"), read("eth0"), read("vrrp.51")]).toEqual(["0", "1", "0"]);
    kept?.keeper.close();
    expect([read("all"), read("eth0")]).toEqual(["1", "0"]);
  });

  test("an ipvlan with its address, where the kernel has them; otherwise it is told", () => {
    const text = one.replace("use_vmac", "use_ipvlan vip0 10.99.0.5/24 private");
    open().keep(text);
    if (names(node).length === 0) {
      expect(kept?.troubles.join()).toMatch(/ipvlan vip0 cannot be made on eth0: .*(EOPNOTSUPP|not supported)/);
      return;
    }
    expect(links(node).find(({ ifname }) => ifname === "vip0")).toMatchObject({
      link: "eth0",
      linkinfo: { info_kind: "ipvlan", info_data: { mode: "l2" } },
      flags: expect.arrayContaining(["UP"]),
    });
    expect(node.ip("address", "show", "vip0")).toContain("10.99.0.5/24");
    expect(kept?.troubles).toEqual([]);
    kept?.keeper.close();
    expect(names(node)).toEqual([]);
  });

  function settingsOfParents(): string[] {
    return ["eth0", "eth1"].flatMap((name) =>
      ["arp_ignore", "arp_filter"].map((key) => readFileSync(`/proc/sys/net/ipv4/conf/${name}/${key}`, "utf8").trim()),
    );
  }
});

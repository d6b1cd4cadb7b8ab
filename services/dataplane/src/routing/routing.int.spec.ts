// Every option of a route and of a rule, line by line: what Baton makes of it is what `ip` makes of the same line, is
// recognised as that line, and is gone without a trace afterwards.
import { execFileSync } from "node:child_process";
import { parseConfig } from "@baton/keepalived-conf";
import { type LinkInfo, openLinkMonitor, openRoutingTable, type RoutingTable } from "@baton/linux";
import { makeNamespace, type Namespace } from "@baton/linux/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ManagedRouting, managedRouting, routeSpecOf, ruleSpecOf } from "./managed.ts";
import { RoutingView } from "./view.ts";

/** Two wires, with IPv4 and IPv6 on both, the same in each namespace. */
function makeRouter(label: string): Namespace {
  const namespace = makeNamespace(label);
  for (const [index, name] of ["eth0", "eth1"].entries()) {
    namespace.ip(
      "link",
      "add",
      name,
      "address",
      `02:00:00:00:00:0${index}`,
      "type",
      "veth",
      "peer",
      "name",
      `far${index}`,
    );
    execFileSync("ip", ["netns", "exec", namespace.name, "sysctl", "-qw", `net.ipv6.conf.${name}.addr_gen_mode=1`]);
    namespace.ip("address", "add", `10.99.${index}.1/24`, "dev", name);
    namespace.ip("address", "add", `fd99:${index}::1/64`, "dev", name, "nodad");
    namespace.ip("link", "set", `far${index}`, "up");
    namespace.ip("link", "set", name, "up");
  }
  return namespace;
}

const ids = new Set(["ifindex", "iif", "link_index"]);

/** As JSON, without what differs by the moment. */
const shown = (text: string): unknown[] => {
  const objects: unknown = JSON.parse(text === "" ? "[]" : text);
  if (!Array.isArray(objects)) throw new Error("no list");
  return objects.map((object: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(object).filter(([name]) => !ids.has(name))),
  );
};

const kernelRoutes = ({ ip }: Namespace): unknown[] =>
  ["-4", "-6"].flatMap((family) => shown(ip(family, "-j", "-d", "-N", "route", "show", "table", "all", "proto", "18")));

const kernelRules = ({ ip }: Namespace): unknown[] =>
  ["-4", "-6"].flatMap((family) => shown(ip(family, "-j", "-d", "-N", "rule", "show")));

function managed(block: string, line: string): ManagedRouting[] {
  const text = `vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 1\n virtual_${block} {\n ${line}\n }\n}\n`;
  const { config, diagnostics } = parseConfig({
    file: "keepalived.conf",
    hostName: "r1",
    readFile: () => ({ text }),
  });
  const [instance] = config?.instances ?? [];
  if (instance === undefined) throw new Error(`no instance: ${JSON.stringify(diagnostics)}`);
  return managedRouting("VI_1", instance);
}

describe("routes and rules as ip makes them", () => {
  let baton: Namespace;
  let iproute: Namespace;
  let table: RoutingTable;
  let links: ReadonlyMap<string, LinkInfo>;

  beforeAll(() => {
    baton = makeRouter("rta");
    iproute = makeRouter("rtb");
    baton.inside(() => {
      table = openRoutingTable();
      const monitor = openLinkMonitor({ onChange: () => undefined, onGap: () => undefined });
      links = new Map(monitor.links().map((link) => [link.name, link]));
      monitor.close();
    });
  });
  afterAll(() => {
    table.close();
    baton.remove();
    iproute.remove();
  });

  test.each([
    ["192.0.2.0/24 via 10.99.0.2"],
    ["192.0.2.0/24 dev eth0 scope link"],
    ["192.0.2.1 dev eth1 scope link"],
    ["default via 10.99.0.2 metric 77"],
    ["default via 10.99.1.2 dev eth1 table 100"],
    ["192.0.2.0/24 via 10.99.0.2 dev eth0 table 1000 src 10.99.0.1"],
    ["192.0.2.0/24 via 203.0.113.1 dev eth0 onlink"],
    ["192.0.2.0/24 via 10.99.0.2 tos 0x10 metric 5"],
    ["blackhole 192.0.2.0/24"],
    ["unreachable 192.0.2.0/24 metric 4000"],
    ["prohibit 192.0.2.0/24"],
    ["throw 192.0.2.0/24 table 7"],
    ["local 192.0.2.7 dev lo table 255"],
    ["192.0.2.0/24 via 10.99.0.2 realms 3/4"],
    ["192.0.2.0/24 via 10.99.0.2 mtu 1400 advmss 1300"],
    ["192.0.2.0/24 via 10.99.0.2 mtu lock 1400 hoplimit 64"],
    ["192.0.2.0/24 via 10.99.0.2 rtt 300ms rttvar 250ms rto_min 400ms"],
    ["192.0.2.0/24 via 10.99.0.2 reordering 5 window 9000 cwnd lock 12 ssthresh 30"],
    ["192.0.2.0/24 via 10.99.0.2 initcwnd 10 initrwnd 20 quickack 1"],
    ["192.0.2.0/24 via 10.99.0.2 features ecn congctl reno fastopen_no_cookie 1"],
    ["192.0.2.0/24 nexthop via 10.99.0.2 dev eth0 weight 2 nexthop via 10.99.1.2 dev eth1 weight 3"],
    ["192.0.2.0/24 nexthop via 10.99.0.2 nexthop via 203.0.113.1 dev eth1 onlink"],
    ["192.0.2.0/24 via 10.99.0.2 encap ip id 5 dst 10.99.0.9 src 10.99.0.1 ttl 9 tos 4"],
    ["2001:db8:1::/48 via fd99:0::2"],
    ["2001:db8:1::/48 dev eth0"],
    ["default via fe80::1 dev eth0 metric 2048"],
    ["2001:db8:1::/48 via fd99:0::2 pref high"],
    ["2001:db8:1::/48 via fd99:0::2 mtu 1400 hoplimit 64 table 100"],
    ["2001:db8:1::/48 via fd99:0::2 src fd99:0::1"],
    ["unreachable 2001:db8:1::/48"],
    ["blackhole 2001:db8:1::/48 metric 9"],
    ["2001:db8:1::/48 nexthop via fd99:0::2 dev eth0 weight 2 nexthop via fd99:1::2 dev eth1 weight 1"],
    ["2001:db8:1::/48 via fd99:0::2 encap ip6 id 5 dst fd99:0::9 hoplimit 9"],
  ])("route %s", (line) => {
    const before = kernelRoutes(baton);
    const family = line.includes(":") || line.startsWith("default via fe80") ? "-6" : "-4";
    const [object] = managed("routes", line);
    if (object?.kind !== "route") throw new Error("no route");
    const resolved = routeSpecOf(object.config, (name) => links.get(name));
    if (!resolved.ok) throw new Error(resolved.error);
    try {
      iproute.ip(family, "route", "prepend", "proto", "18", ...line.split(" "));
      expect(table.change([{ op: "add-route", route: resolved.spec }])).toEqual([{ ok: true }]);
      expect(kernelRoutes(baton)).toEqual(kernelRoutes(iproute));
      expect(kernelRoutes(baton).length).toBeGreaterThan(before.length);
      const view = new RoutingView();
      view.read(table.list([18]));
      const found = view.route(resolved.spec);
      if (found === undefined) throw new Error(`not recognised: ${JSON.stringify([...view.routes()])}`);
      expect(table.change([{ op: "delete-route", route: found }])).toEqual([{ ok: true }]);
      expect(kernelRoutes(baton)).toEqual(before);
    } finally {
      for (const each of [baton, iproute])
        for (const version of ["-4", "-6"]) each.ip(version, "route", "flush", "table", "all", "proto", "18");
    }
  });

  test("a route over an interface alone has keepalived's scope, not ip's", () => {
    const [object] = managed("routes", "192.0.2.0/24 dev eth0");
    if (object?.kind !== "route") throw new Error("no route");
    const resolved = routeSpecOf(object.config, (name) => links.get(name));
    if (!resolved.ok) throw new Error(resolved.error);
    expect(table.change([{ op: "add-route", route: resolved.spec }])).toEqual([{ ok: true }]);
    expect(kernelRoutes(baton)).toMatchObject([{ dst: "192.0.2.0/24", dev: "eth0", scope: "0" }]);
    baton.ip("route", "flush", "proto", "18");
  });

  test("an IPv6 route that ends by itself", () => {
    const [object] = managed("routes", "2001:db8:1::/48 via fd99:0::2 expires 1000");
    if (object?.kind !== "route") throw new Error("no route");
    const resolved = routeSpecOf(object.config, (name) => links.get(name));
    if (!resolved.ok) throw new Error(resolved.error);
    expect(table.change([{ op: "add-route", route: resolved.spec }])).toEqual([{ ok: true }]);
    const [route] = shown(baton.ip("-6", "-j", "route", "show", "proto", "18"));
    expect(route).toMatchObject({ dst: "2001:db8:1::/48", expires: expect.any(Number) });
    baton.ip("-6", "route", "flush", "table", "all", "proto", "18");
  });

  test.each([
    ["from 192.0.2.0/24 table 100 priority 1000"],
    ["to 192.0.2.0/24 lookup 1000 priority 1000"],
    ["not from 192.0.2.1 to 198.51.100.0/24 table 100 priority 1000"],
    ["from all iif eth0 oif eth1 table 100 priority 1000"],
    ["from all fwmark 7 table 100 priority 1000"],
    ["from all fwmark 0x10/0xf0 table 100 priority 1000"],
    ["from all tos 0x10 table 100 priority 1000"],
    ["from 192.0.2.0/24 table main suppress_prefixlength 0 priority 1000"],
    ["from 192.0.2.0/24 table main suppress_ifgroup 5 priority 1000"],
    ["from 192.0.2.0/24 realms 3/4 table 100 priority 1000"],
    ["from 192.0.2.0/24 blackhole priority 1000"],
    ["from 192.0.2.0/24 unreachable priority 1000"],
    ["from 192.0.2.0/24 prohibit priority 1000"],
    ["from 192.0.2.0/24 nop priority 1000"],
    ["from 192.0.2.0/24 priority 1000 goto 32766"],
    ["from all ipproto tcp sport 1000-2000 dport 80-90 table 100 priority 1000"],
    ["from all uidrange 1000-2000 table 100 priority 1000"],
    ["from 2001:db8::/32 table 100 priority 1000"],
    ["from 2001:db8::/32 to 2001:db8:1::/48 iif eth0 fwmark 1/3 ipproto udp dport 53-54 table 2000 priority 1001"],
    ["from ::/0 unreachable priority 1000"],
  ])("rule %s", (line) => {
    const before = kernelRules(baton);
    const family = line.includes(":") ? "-6" : "-4";
    iproute.ip(family, "rule", "add", ...line.split(" "), "proto", "18");
    const [object] = managed("rules", line);
    if (object?.kind !== "rule") throw new Error("no rule");
    const spec = ruleSpecOf(object.config);
    try {
      expect(table.change([{ op: "add-rule", rule: spec }])).toEqual([{ ok: true }]);
      expect(kernelRules(baton)).toEqual(kernelRules(iproute));
      expect(kernelRules(baton)).toHaveLength(before.length + 1);
      const view = new RoutingView();
      view.read(table.list([18]));
      const found = view.rule(spec);
      if (found === undefined) throw new Error("not recognised");
      expect(table.change([{ op: "delete-rule", rule: found }])).toEqual([{ ok: true }]);
      expect(kernelRules(baton)).toEqual(before);
    } finally {
      for (const version of ["-4", "-6"]) {
        iproute.ip(version, "rule", "flush", "proto", "18");
        baton.ip(version, "rule", "flush", "proto", "18");
      }
    }
  });

  test("a thousand routes come and go in batches, each with its own result", () => {
    const specs = Array.from({ length: 1_000 }, (_, index) => {
      const [object] = managed("routes", `10.${64 + (index >> 8)}.${index & 255}.0/24 via 10.99.0.2 table 5000`);
      if (object?.kind !== "route") throw new Error("no route");
      const resolved = routeSpecOf(object.config, (name) => links.get(name));
      if (!resolved.ok) throw new Error(resolved.error);
      return resolved.spec;
    });
    const added = table.change(specs.map((route) => ({ op: "add-route", route })));
    expect(added.filter(({ ok }) => ok)).toHaveLength(1_000);
    const { routes } = table.list([18]);
    expect(routes).toHaveLength(1_000);
    const again = table.change(specs.slice(0, 3).map((route) => ({ op: "add-route", route })));
    expect(again).toMatchObject([{ code: "EEXIST" }, { code: "EEXIST" }, { code: "EEXIST" }]);
    const removed = table.change(routes.map((route) => ({ op: "delete-route", route })));
    expect(removed.filter(({ ok }) => ok)).toHaveLength(1_000);
    expect(table.list([18]).routes).toEqual([]);
  });

  test("what others have put there is not read, whatever it is", () => {
    baton.ip("route", "add", "198.51.100.0/24", "via", "10.99.0.2");
    baton.ip("rule", "add", "from", "198.51.100.0/24", "table", "9", "priority", "900");
    expect(table.list([18])).toEqual({ routes: [], rules: [] });
    baton.ip("rule", "del", "priority", "900");
    baton.ip("route", "del", "198.51.100.0/24");
  });
});

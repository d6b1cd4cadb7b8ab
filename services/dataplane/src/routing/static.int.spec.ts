// Static addresses, routes and rules, and what else a line of virtual_ipaddress can say, in the kernel of a namespace.
import { readFileSync } from "node:fs";
import { ClaimState, LeaseStanding } from "@baton/contracts";
import type { ConfigSnapshot } from "@baton/host";
import { parseConfig } from "@baton/keepalived-conf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claim } from "../testing/fake-election.ts";
import { becameMaster, Lab, snapshotOf, until } from "../testing/lab.ts";

function snapshot(generation: number, text: string): ConfigSnapshot {
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  if (config === undefined) throw new Error("no configuration");
  return { ...snapshotOf(generation), config };
}

const instance = (lines: string, more = ""): string =>
  `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\npriority 101\n${more}\nvirtual_ipaddress {\n${lines}\n}\n}\n`;

const statics = (addresses: string, routes: string, rules: string): string =>
  `static_ipaddress {\n${addresses}\n}\nstatic_routes {\n${routes}\n}\nstatic_rules {\n${rules}\n}\n${instance("10.99.0.100/24")}`;

const theStatics = statics(
  "172.20.0.1/24 dev eth0\n172.20.0.2/24 dev eth0",
  "192.0.2.0/24 via 172.20.0.9\nunreachable 198.51.100.0/24",
  "from 172.20.0.0/24 table 100 priority 1000",
);

describe("static objects", () => {
  let lab: Lab;
  let count = 0;
  beforeEach(() => {
    lab = new Lab(`ds${count++}x`);
  });
  afterEach(() => lab.close());

  const state = (): string[] => [
    ...lab.addresses().map(({ local }) => local),
    ...JSON.parse(lab.node.ip("-j", "route", "show", "proto", "18")).map(({ dst }: { dst: string }) => dst),
    ...JSON.parse(lab.node.ip("-j", "rule", "show"))
      .filter(({ protocol }: { protocol: string }) => protocol === "18" || protocol === "keepalived")
      .map(({ priority }: { priority: number }) => `rule ${priority}`),
  ];
  const all = ["10.99.0.1", "172.20.0.1", "172.20.0.2", "192.0.2.0/24", "198.51.100.0/24", "rule 1000"];

  test("stand from the start, whoever is master, come back when taken away, and go at the end", async () => {
    const dataplane = await lab.start(snapshot(1, theStatics));
    await until("they stand", () => state().length === all.length);
    expect(state()).toEqual(all);
    expect(lab.address("172.20.0.1")).not.toHaveProperty("dynamic");
    const election = await lab.connect();
    election.beat([claim()]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    election.beat([claim({ state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(state()).toEqual(all);
    lab.node.ip("address", "del", "172.20.0.1/24", "dev", "eth0");
    lab.node.ip("rule", "del", "priority", "1000");
    await until("they are back", () => state().toSorted().join() === all.toSorted().join());
    await dataplane.stop();
    expect(state()).toEqual(["10.99.0.1"]);
  });

  test("a reload changes what has changed", async () => {
    const dataplane = await lab.start(snapshot(1, theStatics));
    await until("they stand", () => state().length === all.length);
    lab.kernel.length = 0;
    lab.watchRouting();
    const next = statics(
      "172.20.0.1/24 dev eth0\n172.20.0.3/24 dev eth0",
      "192.0.2.0/24 via 172.20.0.9\n203.0.113.0/24 via 172.20.0.9",
      "from 172.20.0.0/24 table 100 priority 1000",
    );
    dataplane.send({ type: "config", runDir: lab.runDir, snapshot: snapshot(2, next) });
    await until("changed", () => state().includes("203.0.113.0/24") && lab.kernel.length + lab.routing.length >= 4);
    expect(state()).toEqual(["10.99.0.1", "172.20.0.1", "172.20.0.3", "192.0.2.0/24", "203.0.113.0/24", "rule 1000"]);
    expect(lab.kernel.map(({ type, address }) => `${type} ${address.address}`).toSorted()).toEqual([
      "removed 172.20.0.2",
      "set 172.20.0.3",
    ]);
    expect(lab.routing.toSorted()).toEqual(["route-removed 198.51.100.0/24", "route-set 203.0.113.0/24"]);
  });

  test("every option of an address: as the kernel shows it, and after a renewal still", async () => {
    const six = ["2001:db8::64/64 home mngtmpaddr", "2001:db8:1::64/64 noprefixroute preferred_lft 0 no_track"];
    const four = ["10.99.0.100 peer 10.99.0.200", "172.20.5.1/24 scope link noprefixroute"];
    const text = instance(four.join("\n"), `virtual_ipaddress_excluded {\n${six.join("\n")}\n}`);
    const dataplane = await lab.start(snapshot(1, text));
    const election = await lab.connect();
    election.beat([claim()]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    const expected = [
      { local: "10.99.0.100", address: "10.99.0.200", prefixlen: 32 },
      { local: "172.20.5.1", prefixlen: 24, scope: "link", noprefixroute: true },
      { local: "2001:db8::64", prefixlen: 64, home: true, mngtmpaddr: true, nodad: true },
      { local: "2001:db8:1::64", prefixlen: 64, noprefixroute: true, preferred_life_time: 0, deprecated: true },
    ];
    for (const each of expected) expect(lab.address(each.local)).toMatchObject(each);
    const renewed = (): number =>
      lab.kernel.filter(({ type, address }) => type === "set" && address.address === "2001:db8::64").length;
    await until("a renewal", () => renewed() >= 3);
    for (const each of expected) expect(lab.address(each.local)).toMatchObject(each);
    expect(dataplane.typesTold()).not.toContain("drift-repaired");
    election.beat([claim({ state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(state()).toEqual(["10.99.0.1"]);
  });

  test("promote_secondaries is asked of the kernel from the start", async () => {
    const promotes = (): string =>
      lab.node.inside(() => readSysctl("/proc/sys/net/ipv4/conf/eth0/promote_secondaries"));
    expect(promotes()).toBe("0");
    await lab.start(snapshot(1, instance("10.99.0.100/24", "promote_secondaries")));
    expect(promotes()).toBe("1");
  });
});

function readSysctl(path: string): string {
  return readFileSync(path, "utf8").trim();
}

// Routes and rules of a dataplane process in the kernel of a namespace: they come and go with their instance's lease,
// come back when somebody takes them away, and nobody else's is touched.
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { parseConfig } from "@baton/keepalived-conf";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claim, type FakeElection } from "../testing/fake-election.ts";
import { becameMaster, Lab, type Process, snapshotOf, until } from "../testing/lab.ts";

const vip = "10.99.0.100";

function instanceOf(routes: readonly string[], rules: readonly string[], addresses: readonly string[] = [`${vip}/24`]) {
  const blocks = [
    `virtual_ipaddress {\n${addresses.join("\n")}\n}`,
    `virtual_routes {\n${routes.join("\n")}\n}`,
    `virtual_rules {\n${rules.join("\n")}\n}`,
  ];
  const text = `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\npriority 101\n${blocks.join("\n")}\n}\n`;
  const { config } = parseConfig({ file: "keepalived.conf", hostName: "r1", readFile: () => ({ text }) });
  const [instance] = config?.instances ?? [];
  if (instance === undefined) throw new Error("no instance");
  return instance;
}

const theRoutes = [
  `192.0.2.0/24 via 10.99.0.2 src ${vip}`,
  "198.51.100.0/24 via 10.99.0.2 dev eth0 table 100 mtu 1400",
  "blackhole 203.0.113.0/24",
];
const theRules = ["from 192.0.2.0/24 table 100 priority 1000", "to 198.51.100.0/24 table 100 priority 1001"];

describe("routes and rules of a dataplane", () => {
  let lab: Lab;
  let count = 0;
  beforeEach(() => {
    lab = new Lab(`dr${count++}x`);
  });
  afterEach(() => lab.close());

  const routes = (): string[] =>
    JSON.parse(lab.node.ip("-j", "route", "show", "table", "all", "proto", "18")).map(
      ({ dst }: { dst: string }) => dst,
    );
  const rules = (): number[] =>
    JSON.parse(lab.node.ip("-j", "rule", "show"))
      .filter(({ protocol }: { protocol: string }) => protocol === "18" || protocol === "keepalived")
      .map(({ priority }: { priority: number }) => priority);

  async function master(
    config = instanceOf(theRoutes, theRules),
  ): Promise<{ dataplane: Process; election: FakeElection }> {
    const dataplane = await lab.start(snapshotOf(1, config));
    const election = await lab.connect();
    election.beat([claim()]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
    return { dataplane, election };
  }

  test("they come with the lease, after the addresses, and go with it", async () => {
    const { dataplane, election } = await master();
    expect(routes().toSorted()).toEqual(["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"]);
    expect(rules()).toEqual([1000, 1001]);
    await until("told", () => dataplane.typesTold().includes("routes-added"));
    expect(dataplane.typesTold()).toEqual(["vip-added", "routes-added", "garp-sent"]);
    expect(dataplane.events[1]?.event).toMatchObject({
      type: "routes-added",
      data: {
        instance: "VI_1",
        term: 1,
        routes: [
          `192.0.2.0/24 via 10.99.0.2 src ${vip}`,
          "198.51.100.0/24 via 10.99.0.2 dev eth0 table 100",
          "blackhole 203.0.113.0/24",
        ],
        rules: ["from 192.0.2.0/24 lookup 100 priority 1000", "from all to 198.51.100.0/24 lookup 100 priority 1001"],
      },
    });
    election.beat([claim({ state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect([routes(), rules(), lab.has(vip)]).toEqual([[], [], false]);
    await until("told", () => dataplane.typesTold().includes("routes-removed"));
    expect(dataplane.typesTold().slice(-2)).toEqual(["routes-removed", "vip-removed"]);
  });

  test("what somebody takes away is back at once, also what goes silently with an address or a link", async () => {
    const { dataplane } = await master();
    const repairs = (): number => dataplane.typesTold().filter((type) => type === "routes-repaired").length;
    lab.node.ip("route", "del", "203.0.113.0/24");
    await until("the route is back", () => routes().includes("203.0.113.0/24") && repairs() === 1);
    lab.node.ip("rule", "del", "priority", "1000");
    await until("the rule is back", () => rules().includes(1000) && repairs() === 2);
    // The kernel drops the route whose source address goes, and says nothing of it.
    lab.node.ip("address", "del", `${vip}/24`, "dev", "eth0");
    await until(
      "address and route are back",
      () => lab.has(vip) && routes().includes("192.0.2.0/24") && repairs() === 3,
    );
    lab.node.ip("link", "set", "eth0", "down");
    lab.node.ip("link", "set", "eth0", "up");
    await until("all are back", () => routes().length === 3 && repairs() >= 4);
    expect(rules()).toEqual([1000, 1001]);
  });

  test("foreign routes and rules stay, whatever happens to ours", async () => {
    lab.node.ip("route", "add", "192.0.2.0/24", "via", "10.99.0.2", "metric", "9", "proto", "static");
    lab.node.ip("route", "add", "100.64.0.0/10", "via", "10.99.0.2");
    lab.node.ip("rule", "add", "from", "192.0.2.0/24", "table", "7", "priority", "1000");
    const { election } = await master();
    const foreign = (): string[] =>
      JSON.parse(lab.node.ip("-j", "route", "show"))
        .filter(({ protocol }: { protocol?: string }) => protocol !== "keepalived" && protocol !== "kernel")
        .map(({ dst, metric }: { dst: string; metric?: number }) => `${dst} ${metric ?? 0}`);
    expect(foreign()).toEqual(["100.64.0.0/10 0", "192.0.2.0/24 9"]);
    election.beat([claim({ state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(foreign()).toEqual(["100.64.0.0/10 0", "192.0.2.0/24 9"]);
    expect(lab.node.ip("rule", "show", "priority", "1000")).toContain("lookup 7");
    expect(routes()).toEqual([]);
  });

  test("what an earlier run left goes at the start, whether it is still configured or not", async () => {
    lab.node.ip("route", "add", "203.0.113.0/24", "via", "10.99.0.2", "table", "9", "proto", "18");
    lab.node.ip("route", "add", "blackhole", "203.0.113.0/24", "proto", "18");
    lab.node.ip("rule", "add", "from", "192.0.2.9", "table", "9", "priority", "77", "proto", "18");
    await lab.start(snapshotOf(1, instanceOf(theRoutes, theRules)));
    const election = await lab.connect();
    election.send([]);
    await until("gone", () => routes().length + rules().length === 0);
  });

  test("killed and started again under a living election: nothing moves", async () => {
    const { dataplane, election } = await master();
    await dataplane.kill();
    await election.until("the stream breaks", () => election.ended !== undefined);
    election.close();
    lab.watchRouting();
    const again = await lab.start(snapshotOf(1, instanceOf(theRoutes, theRules)));
    const next = await lab.connect();
    next.beat([claim({ term: 2 })]);
    await next.until("held", () => next.last()?.standing === LeaseStanding.HELD);
    expect(lab.routing).toEqual([]);
    expect(again.typesTold().filter((type) => type.startsWith("routes"))).toEqual([]);
  });

  test("a reload moves what has changed, and nothing else", async () => {
    const { dataplane, election } = await master();
    lab.watchRouting();
    const next = instanceOf(
      [
        ...theRoutes.slice(0, 1),
        "198.51.100.0/24 via 10.99.0.3 dev eth0 table 100 mtu 1400",
        "203.0.113.0/28 dev eth0",
      ],
      theRules.slice(1),
    );
    dataplane.send({ type: "config", runDir: lab.runDir, snapshot: snapshotOf(2, next) });
    election.beat([claim()], { configGeneration: 2 });
    await until("changed", () => routes().includes("203.0.113.0/28"));
    await until("four are told", () => lab.routing.length >= 5);
    expect(lab.routing.toSorted()).toEqual([
      "route-removed 198.51.100.0/24",
      "route-removed 203.0.113.0/24",
      "route-set 198.51.100.0/24",
      "route-set 203.0.113.0/28",
      "rule-removed 1000",
    ]);
    expect(lab.kernel.filter(({ type }) => type === "removed")).toEqual([]);
  });

  test("what the kernel refuses fails the lease where it is tracked, and is told where it is not", async () => {
    const refused = "192.0.2.0/24 via 172.30.0.1";
    const dataplane = await lab.start(snapshotOf(1, instanceOf([refused], [])));
    const election = await lab.connect();
    election.beat([claim()]);
    dataplane.send({ type: "event", instance: "VI_1", event: becameMaster("VI_1", 1) });
    await election.until("failed", () => election.last()?.standing === LeaseStanding.FAILED);
    expect(election.last()?.error).toContain(`${refused}: ENETUNREACH`);
    await until("told", () => dataplane.typesTold().includes("routes-failed"));
    const untracked = snapshotOf(2, instanceOf([`${refused} no_track`], []));
    dataplane.send({ type: "config", runDir: lab.runDir, snapshot: untracked });
    election.beat([claim()], { configGeneration: 2 });
    await election.until("held", () => election.last()?.standing === LeaseStanding.HELD);
  });

  test("an instance of routes alone, a thousand of them", async () => {
    const many = Array.from(
      { length: 1_000 },
      (_, index) => `10.${100 + (index >> 8)}.${index & 255}.0/24 via 10.99.0.2`,
    );
    const { dataplane, election } = await master(instanceOf(many, [], []));
    expect(routes()).toHaveLength(1_000);
    await until("told", () => dataplane.typesTold().length === 2);
    expect(dataplane.events.map(({ event }) => event)).toMatchObject([
      { type: "routes-added" },
      { type: "routes-added" },
    ]);
    election.beat([claim({ state: ClaimState.RELEASE })]);
    await election.until("released", () => election.last()?.standing === LeaseStanding.RELEASED);
    expect(routes()).toEqual([]);
  });

  test("killed with nobody to start it again: the next start takes them away", async () => {
    const { dataplane, election } = await master();
    await dataplane.kill();
    election.close();
    await until("the address has gone", () => !lab.has(vip), 6_000);
    const again = await lab.start(snapshotOf(1, instanceOf(theRoutes, theRules)));
    const next = await lab.connect();
    next.send([]);
    await until("gone", () => routes().length + rules().length === 0);
    await until("told", () => again.typesTold().includes("routes-removed"));
  }, 15_000);
});

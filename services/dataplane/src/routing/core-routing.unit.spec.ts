// Routes and rules in the core: their place among the addresses, what brings them back, and what election is told.

import { instant } from "@baton/domain";
import type { RouteConfig, RuleConfig } from "@baton/keepalived-conf";
import { parseConfig } from "@baton/keepalived-conf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  desired,
  eventsOf,
  holdOf,
  instanceConfig,
  lastStanding,
  ofType,
  Rig,
  theVip,
  told,
  typesOf,
  vip,
} from "../testing/rig.ts";

function lines(
  routes: readonly string[],
  rules: readonly string[],
): { routes: readonly RouteConfig[]; rules: readonly RuleConfig[] } {
  const blocks = `virtual_routes {\n${routes.join("\n")}\n}\nvirtual_rules {\n${rules.join("\n")}\n}\n`;
  const text = `vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 1\n${blocks}}\n`;
  const { config } = parseConfig({ file: "k", hostName: "r1", readFile: () => ({ text }) });
  const [instance] = config?.instances ?? [];
  if (instance === undefined) throw new Error("no instance");
  return instance;
}

const routes = ["10.1.0.0/16 via 192.0.2.9", "10.2.0.0/16 dev eth0 table 100"];
const rules = ["from 10.1.0.0/16 table 100 priority 1000"];
const configured = (generation: number, own: readonly string[] = routes, ownRules: readonly string[] = rules) => {
  const { routes: someRoutes, rules: someRules } = lines(own, ownRules);
  return desired(generation, instanceConfig("VI_1", [vip(theVip)], { routes: someRoutes, rules: someRules }));
};
const all = ["10.1.0.0/16", "10.2.0.0/16", "rule 1000"];

function masterRig(): Rig {
  const rig = new Rig({ desired: configured(1) });
  rig.master();
  return rig;
}

test("what is watched says of each whether it is there, and why not", () => {
  const rig = masterRig();
  const shown = () =>
    rig.core.states()[0]?.routing.map(({ kind, present, error }) => `${kind} ${present} ${error}`.trim());
  expect(rig.core.states()[0]?.routing.map(({ text }) => text)).toEqual([
    expect.stringContaining("10.1.0.0/16"),
    expect.stringContaining("10.2.0.0/16"),
    expect.stringContaining("1000"),
  ]);
  expect(shown()).toEqual(["route true", "route true", "rule true"]);
  rig.frame([holdOf({ state: "release" })]);
  expect(shown()).toEqual(["route false", "route false", "rule false"]);
});

describe("with the lease", () => {
  test("addresses, then routes, then rules, then the announcement and the answer; all back in the opposite order", () => {
    const rig = new Rig({ desired: configured(1) });
    const effects = rig.master();
    const order = typesOf(effects).filter((type) => type !== "report" && type !== "greet");
    expect(order).toEqual(["change-addresses", "change-routing", "announce", "answer"]);
    expect(rig.routing.asked.map(({ op }) => op)).toEqual(["add-route", "add-route", "add-rule"]);
    expect(rig.routing.names()).toEqual(all);
    expect(lastStanding(effects)?.standing).toBe("held");
    rig.routing.asked.length = 0;
    const released = rig.frame([holdOf({ state: "release" })]);
    expect(typesOf(released).filter((type) => type.startsWith("change"))).toEqual([
      "change-routing",
      "change-addresses",
    ]);
    expect(rig.routing.asked.map(({ op }) => op)).toEqual(["delete-rule", "delete-route", "delete-route"]);
    expect(lastStanding(released)?.standing).toBe("released");
    rig.see("became-backup");
    expect(told(rig.effects)).toEqual(["vip-added", "routes-added", "garp-sent", "routes-removed", "vip-removed"]);
  });

  test("an election that falls silent loses them with the addresses", () => {
    const rig = masterRig();
    rig.pass(2_100_000);
    expect([rig.routing.names(), rig.addresses()]).toEqual([[], []]);
    expect(told(rig.effects).slice(-3)).toEqual(["lease-expired", "routes-removed", "vip-removed"]);
  });

  test("LEAVING keeps them until the last address goes", () => {
    const rig = masterRig();
    rig.frame([holdOf({ state: "leaving" })]);
    rig.frame([holdOf({ state: "leaving", successorHeard: true })]);
    expect(rig.routing.names()).toEqual(all);
    rig.heartbeats([holdOf({ state: "leaving", successorHeard: true })], 2_400_000);
    expect([rig.routing.names(), rig.addresses()]).toEqual([[], []]);
    const [removed] = eventsOf(rig.effects).filter(({ type }) => type === "routes-removed");
    expect(removed).toMatchObject({ data: { reason: "successor" } });
  });

  test("silence keeps them, and adds none", () => {
    const rig = masterRig();
    rig.frame([holdOf({ state: "silent" })]);
    rig.takeRouting((object) => "action" in object);
    expect(rig.routing.names()).toEqual(all.slice(0, 2));
    rig.frame([holdOf()]);
    expect(rig.routing.names()).toEqual(all);
  });
});

describe("what others do", () => {
  test("one that is taken away is back, once at once, then slower, at last not any more", () => {
    const rig = masterRig();
    const take = (): void => void rig.takeRouting((object) => "action" in object);
    take();
    expect(rig.routing.names()).toEqual(all);
    expect(told(rig.effects).at(-1)).toBe("routes-repaired");
    take();
    expect(rig.routing.names()).toEqual(all.slice(0, 2));
    rig.heartbeats([holdOf()], 400_000);
    expect(rig.routing.names()).toEqual(all);
    for (let more = 0; more < 4; more++) {
      take();
      rig.heartbeats([holdOf()], 400_000);
    }
    expect(rig.routing.names()).toEqual(all.slice(0, 2));
    expect(lastStanding(rig.effects)).toMatchObject({
      standing: "failed",
      error: expect.stringContaining("drift-war"),
    });
  });

  test("what goes silently with an address is looked for, at once and once more", () => {
    const rig = masterRig();
    rig.routing.takeAway(() => true);
    const seen = rig.interfere([
      { op: "delete", spec: { ifindex: 2, address: vip(theVip).address, prefixLength: 32 } },
    ]);
    expect(ofType(seen, "read-routing")).toHaveLength(1);
    expect(rig.routing.names()).toEqual(all);
    rig.routing.takeAway((object) => !("action" in object));
    const later = rig.pass(30_000);
    expect(ofType(later, "read-routing")).toHaveLength(1);
  });

  test("our own events are no reason to look", () => {
    const rig = masterRig();
    const { routes: found, rules: alsoFound } = rig.routing.list([18]);
    const events = [
      ...found.map((route) => ({ type: "route-set" as const, route, replaced: false })),
      ...alsoFound.map((rule) => ({ type: "rule-set" as const, rule })),
    ];
    expect(ofType(rig.feed({ type: "routing-changed", events }), "read-routing")).toEqual([]);
  });

  test("one that the kernel refuses is tried again with each heartbeat, told once, and fails the lease", () => {
    const rig = new Rig({ desired: configured(1) });
    rig.routing.refuses = (change) => (change.op === "add-rule" ? "EPERM" : undefined);
    rig.master();
    rig.heartbeats([holdOf()], 1_200_000);
    expect(lastStanding(rig.effects)).toMatchObject({ standing: "failed", error: expect.stringContaining("EPERM") });
    expect(told(rig.effects).filter((type) => type === "routes-failed")).toHaveLength(1);
    rig.routing.refuses = undefined;
    rig.heartbeats([holdOf()], 400_000);
    expect(lastStanding(rig.effects)?.standing).toBe("held");
  });

  test("one that is not tracked fails nothing", () => {
    const rig = new Rig({ desired: configured(1, ["10.1.0.0/16 dev eth9 no_track"], []) });
    rig.master();
    expect(lastStanding(rig.effects)?.standing).toBe("held");
    expect(told(rig.effects)).toContain("routes-failed");
  });
});

describe("at the start", () => {
  test("what an earlier run left goes once nobody claims it, whether a line names it or not", () => {
    const earlier = masterRig().routing.asked;
    const rig = new Rig({ desired: configured(1, routes.slice(0, 1), []), foundRouting: earlier });
    rig.connect();
    expect(rig.routing.names()).toEqual(all);
    rig.frame([]);
    expect(rig.routing.names()).toEqual([]);
  });

  test("what is claimed anew stays where it is", () => {
    const earlier = masterRig().routing.asked;
    const rig = new Rig({ desired: configured(1), foundRouting: earlier });
    rig.routing.asked.length = 0;
    rig.master();
    expect(rig.routing.asked).toEqual([]);
    expect(told(rig.effects)).not.toContain("routes-added");
  });
});

describe("a reload is a diff", () => {
  const pool = [
    ...["10.1.0.0/16 via 192.0.2.9", "10.1.0.0/16 via 192.0.2.8", "10.1.0.0/16 via 192.0.2.9 metric 5"],
    ...["10.2.0.0/16 dev eth0 table 100", "blackhole 10.3.0.0/16", "10.4.0.0/16 via 192.0.2.9 mtu 1400"],
  ];
  const rulePool = [1, 2, 3].map((number) => `from 10.${number}.0.0/16 table 100 priority 100${number}`);
  const some = fc.record({ routes: fc.subarray(pool), rules: fc.subarray(rulePool) });

  test("from any configuration to any other: only the difference is asked for, and the kernel has the second", () => {
    fc.assert(
      fc.property(some, some, (before, after) => {
        const rig = new Rig({ desired: configured(1, before.routes, before.rules) });
        rig.master();
        const [had, kept] = [rig.routing.names(), rig.routing.list([18])];
        rig.routing.asked.length = 0;
        rig.feed({ type: "configured", desired: configured(2, after.routes, after.rules) });
        rig.frame([holdOf()], { configGeneration: 2 });
        const gone = before.routes.filter((line) => !after.routes.includes(line)).length;
        const come = after.routes.filter((line) => !before.routes.includes(line)).length;
        const ops = rig.routing.asked.map(({ op }) => op);
        expect(ops.filter((op) => op === "delete-route")).toHaveLength(gone);
        expect(ops.filter((op) => op === "add-route")).toHaveLength(come);
        expect(ops.filter((op) => op.endsWith("rule"))).toHaveLength(
          rulePool.filter((line) => before.rules.includes(line) !== after.rules.includes(line)).length,
        );
        expect(rig.routing.names()).toHaveLength(after.routes.length + after.rules.length);
        // And back again is the same kernel.
        rig.feed({ type: "configured", desired: configured(3, before.routes, before.rules) });
        rig.frame([holdOf()], { configGeneration: 3 });
        expect(rig.routing.names().toSorted()).toEqual(had.toSorted());
        expect(rig.routing.list([18]).routes).toHaveLength(kept.routes.length);
        expect(lastStanding(rig.effects)?.standing).toBe("held");
      }),
      { numRuns: 100 },
    );
  });

  test("no_track alone moves nothing", () => {
    const rig = masterRig();
    rig.routing.asked.length = 0;
    rig.feed({
      type: "configured",
      desired: configured(
        2,
        routes.map((line) => `${line} no_track`),
      ),
    });
    rig.frame([holdOf()], { configGeneration: 2, sentAt: instant(rig.now) });
    expect(rig.routing.asked).toEqual([]);
  });
});

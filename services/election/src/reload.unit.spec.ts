// What a reload changes about who decides with whom, and when instances start.
import { instant, micros, vrid } from "@baton/domain";
import { createTestHost } from "@baton/host/testing";
import { instanceConfig, syncGroup } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { identityOf, type UnitConfig } from "./config.ts";
import { createCounters } from "./counters.ts";
import { planReload } from "./reload.ts";
import type { Member, Party } from "./roster.ts";
import { remainingDelay } from "./starter.ts";
import { Unit } from "./unit.ts";

const named = (name: string, of = 51) => instanceConfig({ name, interface: "eth0", vrid: vrid(of) });
const [a, b, c] = [named("a", 1), named("b", 2), named("c", 3)];
const alone = (instance: typeof a): UnitConfig => ({ group: undefined, members: [instance] });
const groupOf = (name: string, ...members: (typeof a)[]): UnitConfig => ({
  group: syncGroup({ name, members: members.map((each) => each.name) }),
  members,
});

function partyOf(config: UnitConfig, started = true): Party {
  const leases = {
    claim: () => {},
    forget: () => {},
    claimed: () => undefined,
    connected: () => true,
    advertSent: () => {},
    refreshNow: () => {},
    ran: () => undefined,
    received: () => 0,
    close: () => {},
  };
  const unit = new Unit(
    {
      host: createTestHost({ service: "election" }),
      counters: createCounters(),
      leases,
      socket: () => undefined,
      testimonies: { ask: () => {}, deny: () => {} },
      onStepped: () => {},
    },
    config,
  );
  const members = config.members.map((instance): Member => {
    const link = { up: true, ifindex: 1, primaryAddress: undefined };
    return { instance, unit, runner: unit.runner(instance.name), links: undefined, link };
  });
  return { unit, members, started };
}

const keyed = (configs: readonly UnitConfig[]) => new Map(configs.map((config) => [identityOf(config), config]));
function plan(before: readonly UnitConfig[], after: readonly UnitConfig[], started = true) {
  const present = new Map(before.map((config) => [identityOf(config), partyOf(config, started)]));
  const { stays, retires, dissolves, adds, left } = planReload(present, keyed(after));
  return {
    stays: stays.map(({ party }) => party.unit.lease),
    retires: retires.map((identity) => present.get(identity)?.unit.lease),
    dissolves: dissolves.map((identity) => present.get(identity)?.unit.lease),
    adds: adds.map(({ config, veterans }) => [
      config.members.map(({ name }) => name).join("+"),
      veterans.map(({ instance }) => instance.name).join("+"),
    ]),
    left: left.map(({ instance }) => instance.name),
  };
}
const nothing = { stays: [], retires: [], dissolves: [], adds: [], left: [] };

test("the same members: the unit stays, whatever else has changed", () => {
  const otherwise = { ...a, advertInterval: micros(500_000) };
  expect(plan([alone(a), groupOf("G", b, c)], [alone(otherwise), groupOf("G", b, c)])).toEqual({
    ...nothing,
    stays: ["a", "sync-group G"],
  });
});

test("instances alone come into a group, and out of it again", () => {
  expect(plan([alone(a), alone(b)], [groupOf("G", a, b)])).toEqual({
    ...nothing,
    dissolves: ["a", "b"],
    adds: [["a+b", "a+b"]],
  });
  expect(plan([groupOf("G", a, b)], [alone(a), alone(b)])).toMatchObject({
    dissolves: ["sync-group G"],
    adds: [
      ["a", "a"],
      ["b", "b"],
    ],
  });
});

test("a newcomer joins, a member is removed: the others go on, the one that is gone leaves alone", () => {
  expect(plan([groupOf("G", a, b)], [groupOf("G", a, c)])).toEqual({
    ...nothing,
    dissolves: ["sync-group G"],
    adds: [["a+c", "a"]],
    left: ["b"],
  });
});

test("another VRID is another instance under the same name: the old one leaves, the group goes on", () => {
  expect(plan([groupOf("G", a, b)], [groupOf("G", a, named("b", 9))])).toMatchObject({
    adds: [["a+b", "a"]],
    left: ["b"],
  });
});

test("a group of which nobody is left leaves as a whole, unless its lease is somebody's from now on", () => {
  expect(plan([groupOf("G", a, b)], [alone(c)])).toMatchObject({ retires: ["sync-group G"], left: [] });
  expect(plan([groupOf("G", a, b), alone(c)], [groupOf("G", c)])).toMatchObject({
    retires: [],
    dissolves: ["sync-group G", "c"],
    adds: [["c", "c"]],
    left: ["a", "b"],
  });
});

test("what has not been started has nothing to go on with", () => {
  expect(plan([alone(a)], [groupOf("G", a)], false)).toMatchObject({ retires: ["a"], adds: [["a", ""]] });
});

test("vrrp_startup_delay counts from the start, vrrp_delay_after_boot from the boot; the later one counts", () => {
  const second = 1_000_000;
  const after = (startup: number, boot: number, startedAt: number | undefined, now: number) =>
    remainingDelay(
      { startupDelay: micros(startup * second), delayAfterBoot: micros(boot * second) },
      startedAt === undefined ? undefined : instant(startedAt * second),
      instant(now * second),
    ) / second;
  expect(after(0, 0, 20, 20)).toBe(0);
  expect(after(5, 0, 20, 20)).toBe(5);
  expect(after(5, 0, 20, 24)).toBe(1);
  expect(after(5, 30, 20, 20)).toBe(10);
  expect(after(15, 30, 20, 20)).toBe(15);
  expect(after(5, 30, 20, 40)).toBe(0);
  // The election of a node that runs came back.
  expect(after(5, 0, undefined, 20)).toBe(0);
  expect(after(5, 30, undefined, 20)).toBe(10);
});

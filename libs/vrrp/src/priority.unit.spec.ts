// Weights and faults of tracked objects, as keepalived counts them.
import fc from "fast-check";
import { expect, test } from "vitest";
import { awaitsFirstResult, faultCauses, rank, trackerKey, weighPriority } from "./priority.ts";
import {
  atPriority,
  backup,
  config,
  higherAddress,
  lowerAddress,
  own,
  owner,
  script,
  tracking,
} from "./table/world.ts";
import type { ElectionConfig, TrackerConfig, TrackerStatus } from "./types.ts";

const weigh = (trackers: readonly (readonly [TrackerConfig, TrackerStatus])[], base: ElectionConfig = config) =>
  weighPriority(
    { ...base, trackers: trackers.map(([tracker]) => tracker) },
    new Map(trackers.map(([tracker, status]) => [trackerKey(tracker), status])),
  );

test.each([
  // weight, reverse, status, effective priority of a base of 100
  [10, false, "up", 110],
  [10, false, "down", 100],
  [10, false, "unknown", 100],
  [-10, false, "up", 100],
  [-10, false, "down", 90],
  [-10, false, "unknown", 100],
  [10, true, "up", 90],
  [10, true, "down", 100],
  [-10, true, "down", 110],
  [-10, true, "up", 100],
  [0, false, "down", 100],
  [253, false, "up", 254],
  [-253, false, "down", 1],
] as const)("weight %i, reverse %s, %s: %i", (weight, reverse, status, expected) => {
  expect(weigh([[script(weight, reverse), status]])).toBe(expected);
});

test.each([
  // weight, reverse, number in the file, effective priority of a base of 100, fault
  [1, false, 20, 120, false],
  [1, false, -20, 80, false],
  [2, false, 20, 140, false],
  [1, true, 20, 80, false],
  [-3, false, 5, 85, false],
  [1, false, 0, 100, false],
  [1, false, 253, 254, false],
  [1, false, 2_147_483_647, 254, false],
  [1, false, -253, 1, false],
  [1, false, -254, 100, true],
  [254, false, -2_147_483_648, 100, true],
  [0, false, 0, 100, false],
  [0, false, -1, 100, true],
  [0, false, 7, 100, true],
  [0, true, 0, 100, true],
  [0, true, 7, 100, false],
] as const)("a file's weight %i, reverse %s, that says %i: %i, fault %s", (weight, reverse, value, expected, fault) => {
  const file: TrackerConfig = { kind: "file", name: "load", weight, reverse };
  expect(weigh([[file, value]])).toBe(expected);
  const state = backup({ config: { ...config, trackers: [file] }, trackers: new Map([["file:load", value]]) });
  expect(faultCauses(state)).toEqual(fault ? [value === 0 ? "tracker-up:load" : "tracker-down:load"] : []);
});

test("a process is up or down, as a script is", () => {
  const running: TrackerConfig = { kind: "process", name: "chk", weight: -20, reverse: false };
  expect(
    weigh([
      [running, "down"],
      [script(5), "up"],
    ]),
  ).toBe(85);
  const held = backup({ config: { ...config, trackers: [{ ...running, weight: 0 }] }, trackers: new Map() });
  expect(awaitsFirstResult(held)).toBe(true);
});

test("the sum is held within its limits, not each step on the way", () => {
  const named = (name: string, weight: number): TrackerConfig => ({ ...script(weight), name });
  expect(
    weigh([
      [named("a", 253), "up"],
      [named("b", -200), "down"],
    ]),
  ).toBe(153);
});

test("an interface and a script of one name are two trackers", () => {
  const link: TrackerConfig = { kind: "interface", name: "chk", weight: -20, reverse: false };
  expect(
    weigh([
      [link, "down"],
      [script(-3), "up"],
    ]),
  ).toBe(80);
});

test("an owner is 255 whatever is tracked", () => {
  fc.assert(
    fc.property(fc.integer({ min: -253, max: 253 }), fc.boolean(), (weight, up) => {
      expect(weigh([[script(weight), up ? "up" : "down"]], owner)).toBe(255);
    }),
  );
});

test("whatever is tracked, the effective priority is 1 to 254", () => {
  const tracked = fc.array(
    fc.tuple(
      fc.integer({ min: -253, max: 253 }),
      fc.boolean(),
      fc.constantFrom<TrackerStatus>("up", "down", "unknown"),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(tracked, fc.integer({ min: 1, max: 254 }), (list, base) => {
      const trackers = list.map(
        ([weight, reverse, status], index) => [{ ...script(weight, reverse), name: `t${index}` }, status] as const,
      );
      const effective = weigh(trackers, { ...config, priority: atPriority(base) });
      expect(effective).toBeGreaterThanOrEqual(1);
      expect(effective).toBeLessThanOrEqual(254);
    }),
  );
});

test("causes are listed in a stable order", () => {
  const state = backup({
    config: tracking(script(0), { ...script(0, true), name: "other" }),
    trackers: new Map([
      ["script:chk", "down"],
      ["script:other", "up"],
    ]),
    interfaceUp: false,
    primaryAddress: undefined,
    holds: new Map([["address-failed", undefined]]),
  });
  expect(faultCauses(state)).toEqual([
    "interface-down",
    "no-primary-address",
    "tracker-down:chk",
    "tracker-up:other",
    "address-failed",
  ]);
});

test.each([
  ["script", 0, true],
  ["script", -2, false],
  ["interface", 0, false],
] as const)("a %s of weight %i without a result holds the instance: %s", (kind, weight, held) => {
  expect(awaitsFirstResult(backup({ config: tracking({ ...script(weight), kind }) }))).toBe(held);
});

test("rank: priority first, then the address as octets", () => {
  const us = { priority: 100, address: own };
  expect(rank({ priority: 101, address: lowerAddress }, us)).toBe("higher");
  expect(rank({ priority: 99, address: higherAddress }, us)).toBe("lower");
  expect(rank({ priority: 100, address: higherAddress }, us)).toBe("higher");
  expect(rank({ priority: 100, address: lowerAddress }, us)).toBe("lower");
  expect(rank({ priority: 100, address: own }, us)).toBe("same");
});

test("a virtual server without quorum moves the priority, and is no fault whatever its weight", () => {
  const quorum = (weight: number): TrackerConfig => ({ kind: "virtual-server", name: "vs", weight, reverse: false });
  expect(weigh([[quorum(-30), "down"]])).toBe(70);
  expect(weigh([[quorum(-30), "up"]])).toBe(100);
  expect(weigh([[quorum(30), "up"]])).toBe(130);
  for (const weight of [0, -254]) {
    const tracked = { config: tracking(quorum(weight)) };
    expect(faultCauses(backup({ ...tracked, trackers: new Map([["virtual-server:vs", "down"]]) }))).toEqual([]);
    expect(awaitsFirstResult(backup(tracked))).toBe(false);
  }
});

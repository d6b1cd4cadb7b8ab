// Several routers on one segment (testing/segment.ts): whatever happened before, once it is quiet there is one master,
// and never two that answer for longer than the bounds of SAFETY S3.
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { atPriority, config } from "./table/world.ts";
import { longestOverlap, type Router, type Schedule, second, simulate, type Trial } from "./testing/segment.ts";
import { kernelLeaseSeconds, leaseLength } from "./timers.ts";
import type { ElectionConfig } from "./types.ts";

// Many runs each; how fast they are is no matter, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const everything = ["link-down", "link-up", "stall", "stop", "dataplane-hangs", "dataplane-back"] as const;

const trials = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 25, noNaN: true }),
    router: fc.nat(2),
    what: fc.constantFrom<Trial["what"]>(...everything),
    seconds: fc.double({ min: 0.001, max: 8, noNaN: true }),
  }),
  { maxLength: 6 },
);

const schedulesOf = (preempt: fc.Arbitrary<boolean>): fc.Arbitrary<Schedule> =>
  fc
    .record({
      priorities: fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 2, maxLength: 3 }),
      version: fc.constantFrom(2 as const, 3 as const),
      preempt,
      startsAt: fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
      trials,
      cut: fc.option(
        fc.record({
          at: fc.double({ min: 0, max: 20, noNaN: true }),
          seconds: fc.double({ min: 0, max: 10, noNaN: true }),
        }),
        { nil: undefined },
      ),
      delays: fc.array(fc.integer({ min: 50, max: 20_000 }), { minLength: 1, maxLength: 7 }),
    })
    .map(({ priorities, version, preempt, ...rest }) => ({
      ...rest,
      routers: priorities.map(
        (priority): ElectionConfig => ({ ...config, version, preempt, priority: atPriority(priority) }),
      ),
    }));

const pair = (priorities: readonly [number, number], over: Partial<Schedule> = {}): Schedule => ({
  routers: priorities.map((priority) => ({ ...config, priority: atPriority(priority) })),
  startsAt: [0, 0],
  trials: [],
  cut: undefined,
  delays: [1_000],
  ...over,
});

const mastersOf = (routers: readonly Router[]) => routers.filter(({ state }) => state.kind === "master");

test("undisturbed: one master, of the highest priority", () => {
  fc.assert(
    fc.property(schedulesOf(fc.constant(true)), (drawn) => {
      const routers = simulate({ ...drawn, trials: [], cut: undefined }, 30);
      const masters = mastersOf(routers).map(({ state }) => state.effectivePriority);
      expect(masters).toEqual([Math.max(...drawn.routers.map(({ priority }) => priority))]);
    }),
    { numRuns: 200 },
  );
});

test("whatever happened: after 40 quiet seconds one master among those that can, none if none can", () => {
  fc.assert(
    fc.property(schedulesOf(fc.boolean()), (schedule) => {
      const routers = simulate(schedule, 75);
      const masters = mastersOf(routers);
      expect(masters.length).toBe(routers.some(({ healthy }) => healthy) ? 1 : 0);
      for (const master of masters) expect(master.healthy).toBe(true);
    }),
    { numRuns: 400 },
  );
});

test("with pre-emption that one is of the highest priority", () => {
  fc.assert(
    fc.property(schedulesOf(fc.constant(true)), (schedule) => {
      const routers = simulate(schedule, 75);
      const able = routers.filter(({ healthy }) => healthy).map(({ state }) => state.effectivePriority);
      for (const master of mastersOf(routers)) expect(master.state.effectivePriority).toBe(Math.max(...able));
    }),
    { numRuns: 300 },
  );
});

test("while the segment is whole, no two answer for the address for longer than a lease (SAFETY S3, S10)", () => {
  // A lease for a master that stalls as it is pre-empted, the slowest packet, and the slowest answer of dataplane. A
  // dataplane that hangs lets nothing go: then it is the kernel's lease.
  const slowest = 25_000;
  fc.assert(
    fc.property(schedulesOf(fc.boolean()), (drawn) => {
      const hangs = drawn.trials.some(({ what }) => what === "dataplane-hangs");
      const bound = hangs ? kernelLeaseSeconds(config) * second : leaseLength(config);
      expect(longestOverlap(simulate({ ...drawn, cut: undefined }, 60))).toBeLessThan(bound + slowest);
    }),
    { numRuns: 300 },
  );
});

test("a stalled master alone never makes two holders: its lease ends before a peer takes over (SAFETY S3)", () => {
  const stalls = fc.record({
    at: fc.double({ min: 8, max: 12, noNaN: true }),
    router: fc.constant(0),
    what: fc.constant("stall" as const),
    seconds: fc.double({ min: 0.001, max: 12, noNaN: true }),
  });
  fc.assert(
    fc.property(stalls, fc.constantFrom(2 as const, 3 as const), (stall, version) => {
      const schedule = pair([101, 100], { trials: [stall] });
      const routers = simulate({ ...schedule, routers: schedule.routers.map((each) => ({ ...each, version })) }, 40);
      // Handing over and back by advert costs one packet and one answer.
      expect(longestOverlap(routers)).toBeLessThan(5_000);
      expect(mastersOf(routers).map(({ address }) => address)).toEqual(["10.0.0.1"]);
    }),
    { numRuns: 200 },
  );
});

test("without pre-emption a router that comes back leaves the mastership where it is", () => {
  const start = fc.double({ min: 10, max: 20, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 253 }), fc.integer({ min: 1, max: 100 }), start, (low, above, startsAt) => {
      const schedule = pair([low, Math.min(254, low + above)], { startsAt: [0, startsAt] });
      const routers = schedule.routers.map((each) => ({ ...each, preempt: false }));
      expect(mastersOf(simulate({ ...schedule, routers }, 40)).map(({ address }) => address)).toEqual(["10.0.0.1"]);
    }),
    { numRuns: 50 },
  );
});

test("a backup that did not run for a while does not take a healthy master's address (SAFETY S2)", () => {
  const when = fc.double({ min: 10, max: 12, noNaN: true });
  fc.assert(
    fc.property(when, fc.double({ min: 0.1, max: 9, noNaN: true }), (at, seconds) => {
      const stall: Trial = { at, router: 1, what: "stall", seconds };
      const [master, backup] = simulate(pair([200, 100], { trials: [stall] }), 40);
      expect([master?.state.kind, backup?.state.kind]).toEqual(["master", "backup"]);
      expect(backup?.spoke).toEqual([]);
    }),
    { numRuns: 100 },
  );
});

test("a master that did not run until its lease was over listens before it speaks (SAFETY S3, S11)", () => {
  const when = fc.double({ min: 10, max: 11, noNaN: true });
  fc.assert(
    fc.property(when, fc.double({ min: 3, max: 9, noNaN: true }), (at, seconds) => {
      const stall: Trial = { at, router: 0, what: "stall", seconds };
      const [stalled, other] = simulate(pair([101, 100], { trials: [stall] }), 40);
      const woke = (at + seconds) * second;
      const next = stalled?.spoke.find((moment) => moment >= woke);
      expect((next ?? 0) - woke).toBeGreaterThan(1.5 * second);
      expect([stalled?.state.kind, other?.state.kind]).toEqual(["master", "backup"]);
    }),
    { numRuns: 100 },
  );
});

test("a master whose dataplane hangs gives way within a lease, and says so (SAFETY S3)", () => {
  const hang: Trial = { at: 10, router: 0, what: "dataplane-hangs", seconds: 0 };
  const [hung, other] = simulate(pair([200, 100], { trials: [hang] }), 20);
  expect([hung?.state.kind, other?.state.kind]).toEqual(["fault", "master"]);
  // The other waited for its skew after the priority 0, not for master-down.
  expect(other?.spoke[0] ?? 0).toBeLessThan((10 + 2 + 0.7) * second);
});

test("a leaving master answers until its successor speaks, and not much longer (SAFETY S6)", () => {
  const stop: Trial = { at: 10, router: 0, what: "stop", seconds: 0 };
  const [leaver, successor] = simulate(pair([200, 100], { trials: [stop] }), 20);
  const [last] = leaver?.holdings.slice(-1) ?? [];
  const first = successor?.spoke[0] ?? 0;
  expect(leaver?.state.kind).toBe("stopped");
  expect(last?.until).toBeGreaterThan(first);
  expect(last?.until ?? 0).toBeLessThan(first + 5_000);
  expect(first).toBeLessThan((10 + 0.62) * second);
});

import { type Instant, instant, type Micros, micros } from "@baton/domain";
import fc from "fast-check";
import { expect, test } from "vitest";
import { excuseStayPut, type QuorumFacts, type StayPut, startStayPut, type Verdict, weighQuorum } from "./stay-put.ts";

const hold = micros(1_000);
const facts = (reported: Verdict | undefined, more: Partial<QuorumFacts> = {}): QuorumFacts => ({
  reported,
  inOffice: false,
  stale: false,
  hold,
  ...more,
});
const master = { inOffice: true };

/** What is counted after each of the steps. */
const walk = (
  from: StayPut,
  steps: readonly (readonly [at: number, facts: QuorumFacts])[],
): (Verdict | undefined)[] => {
  const counted: (Verdict | undefined)[] = [];
  steps.reduce((state, [at, now]) => {
    const next = weighQuorum(state, now, instant(at));
    counted.push(next.counted);
    return next;
  }, from);
  return counted;
};

const up: StayPut = { counted: "up", pending: undefined };
const down: StayPut = { counted: "down", pending: undefined };

test("a master is worse after the hold, better at once", () => {
  const lost = facts("down", master);
  expect(
    walk(up, [
      [0, lost],
      [999, lost],
      [1_000, lost],
    ]),
  ).toEqual(["up", "up", "down"]);
  expect(walk(down, [[0, facts("up", master)]])).toEqual(["up"]);
});

test("a backup is worse at once, better after the hold", () => {
  expect(walk(up, [[0, facts("down")]])).toEqual(["down"]);
  expect(
    walk(down, [
      [0, facts("up")],
      [999, facts("up")],
      [1_000, facts("up")],
    ]),
  ).toEqual(["down", "down", "up"]);
});

test("what goes away within the hold has not been", () => {
  const [lost, well] = [facts("down", master), facts("up", master)];
  expect(
    walk(up, [
      [0, lost],
      [900, well],
      [1_000, lost],
      [1_900, lost],
      [2_000, lost],
    ]),
  ).toEqual(["up", "up", "up", "up", "down"]);
});

test("who comes into office is better at once, who leaves it worse", () => {
  expect(
    walk(down, [
      [0, facts("up")],
      [10, facts("up", master)],
    ]),
  ).toEqual(["down", "up"]);
  expect(
    walk(up, [
      [0, facts("down", master)],
      [10, facts("down")],
    ]),
  ).toEqual(["up", "down"]);
});

test("nothing moves by what nobody confirms, and then the hold begins anew", () => {
  const [lost, unconfirmed] = [facts("down", master), facts("down", { ...master, stale: true })];
  expect(
    walk(up, [
      [0, lost],
      [500, unconfirmed],
      [5_000, unconfirmed],
      [5_999, lost],
      [6_000, lost],
    ]),
  ).toEqual(["up", "up", "up", "up", "down"]);
});

test("a process that did not run counts its hold without that time", () => {
  const waiting = weighQuorum(up, facts("down", master), instant(0));
  const excused = excuseStayPut(waiting, micros(5_000));
  expect(
    walk(excused, [
      [5_999, facts("down", master)],
      [6_000, facts("down", master)],
    ]),
  ).toEqual(["up", "down"]);
  expect(excuseStayPut(up, micros(5))).toBe(up);
});

test("who starts is worse until it has been well for a hold; who resumes is as it was; who runs loses nothing", () => {
  expect(
    walk(startStayPut("starting", -10), [
      [0, facts(undefined)],
      [0, facts("up")],
      [1_000, facts("up")],
    ]),
  ).toEqual(["down", "down", "up"]);
  expect(
    walk(startStayPut("resuming", -10), [
      [0, facts(undefined, master)],
      [0, facts("up", master)],
    ]),
  ).toEqual([undefined, "up"]);
  const lost = facts("down", master);
  expect(
    walk(startStayPut("resuming", -10), [
      [0, lost],
      [1_000, lost],
    ]),
  ).toEqual([undefined, "down"]);
  expect(startStayPut("running", -10).counted).toBe("up");
  expect(startStayPut("running", 10).counted).toBe("down");
});

test("what has not changed is the same object", () => {
  const waiting = weighQuorum(up, facts("down", master), instant(0));
  expect(weighQuorum(waiting, facts("down", master), instant(10))).toBe(waiting);
  expect(weighQuorum(up, facts("up"), instant(10))).toBe(up);
});

interface Node {
  readonly state: StayPut;
  readonly base: number;
}

const weight = 50;
const priorityOf = ({ state, base }: Node): number => (state.counted === "down" ? base - weight : base);

/** One master and its backups; all of them find out within the hold, in any order; nobody ever stands above the master. */
test("when every node finds the same within the hold, none of them comes to stand above the master", () => {
  const scenario = fc.record({
    bases: fc.array(fc.integer({ min: 60, max: 254 }), { minLength: 2, maxLength: 4 }),
    outages: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 6 }),
    finds: fc.array(fc.integer({ min: 0, max: hold - 1 }), { minLength: 48, maxLength: 48 }),
  });
  fc.assert(
    fc.property(scenario, ({ bases, outages, finds }) => {
      const [highest = 0, ...rest] = [...bases].sort((a, b) => b - a);
      let nodes: Node[] = [highest, ...rest].map((base) => ({ base, state: up }));
      // Each change of the truth lasts at least a hold and a bit: everybody has found it before the next.
      let at = 0;
      const reports: { readonly at: number; readonly node: number; readonly verdict: Verdict }[] = [];
      for (const [index, length] of outages.entries()) {
        const verdict = index % 2 === 0 ? "down" : "up";
        for (const node of nodes.keys())
          reports.push({ at: at + (finds[(index * 4 + node) % finds.length] ?? 0), node, verdict });
        at += hold + length;
      }
      reports.sort((a, b) => a.at - b.at);
      const said = nodes.map((): Verdict => "up");
      for (let now = 0; now <= at + 2 * hold; now += 50) {
        for (const report of reports) if (report.at > now - 50 && report.at <= now) said[report.node] = report.verdict;
        nodes = nodes.map((node, index) => ({
          ...node,
          state: weighQuorum(node.state, facts(said[index], { inOffice: index === 0 }), instant(now)),
        }));
        const [master, ...backups] = nodes.map(priorityOf);
        expect(Math.max(...backups)).toBeLessThanOrEqual(master ?? 0);
      }
    }),
  );
});

test("a node that is alone with its trouble stands below the others after the hold", () => {
  const lost = facts("down", master);
  const at = (now: Instant, of: Micros): number =>
    priorityOf({ base: 100, state: weighQuorum(weighQuorum(up, lost, instant(0)), { ...lost, hold: of }, now) });
  expect(at(instant(999), hold)).toBe(100);
  expect(at(instant(1_000), hold)).toBe(50);
});

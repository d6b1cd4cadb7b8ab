// Which check goes on as which, when several servers share checks and only some of them change.
import { instant, micros } from "@baton/domain";
import { type Checker, isProbed, type ServerCheck, startCheck } from "@baton/health";
import { configOf } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import type { CheckMember } from "./check-board.ts";
import { type CheckSpec, isProbedChecker, type PoolSpec, poolSpecs, probedConfig } from "./check-specs.ts";
import { planReload, supposedOf } from "./reload-checks.ts";

const moment = { now: instant(100_000_000), random: 0.5 };
const settings = { jitter: 0, slowStart: micros(0), panicGuard: false };

/** Both servers of each service are checked at the same place. */
const specsOf = (...options: readonly string[]): PoolSpec[] =>
  poolSpecs(
    configOf(
      options
        .map(
          (option, index) => `virtual_server fwmark ${index + 1} {
protocol TCP
real_server 198.51.100.1 0 {
TCP_CHECK {
connect_ip 127.0.0.1
connect_port 80
${option}
}
}
}`,
        )
        .join("\n"),
    ),
    settings,
  );

const server = "198.51.100.1:0";
const configFor = (spec: CheckSpec) => {
  if (!isProbedChecker(spec.checker)) throw new Error("followed");
  return probedConfig(spec.checker, spec.label, 0);
};
const checksOf = (specs: readonly PoolSpec[]): CheckSpec[] =>
  specs.flatMap(({ servers }) => servers.flatMap(({ checks }) => checks));

function membersOf(specs: readonly PoolSpec[], over: Partial<Checker> = {}): Map<string, CheckMember> {
  return new Map(
    checksOf(specs).map((spec) => {
      const state: ServerCheck = { ...startCheck(configFor(spec), "start", moment), hasRun: true, run: 7, ...over };
      const member: CheckMember = {
        name: spec.label,
        spec,
        state,
        users: [],
        entry: { set: () => undefined },
        isDisputed: false,
        probing: undefined,
        heardAt: undefined,
        lastEvent: undefined,
      };
      return [spec.key, member];
    }),
  );
}

const plan = (before: readonly PoolSpec[], next: readonly PoolSpec[], members = membersOf(before), alive = true) => {
  const keys = new Map(
    before.map(({ name, servers }) => [name, servers.flatMap(({ checks }) => checks.map(({ key }) => key))]),
  );
  return planReload({
    specs: next,
    settled: new Set(),
    members,
    keysOf: (pool) => keys.get(pool),
    isAlive: () => alive,
    configOf: configFor,
    moment,
  });
};
const runOf = (state: ServerCheck): number => (isProbed(state) ? state.run : -1);

test("nothing changes: the one check goes on", () => {
  const before = specsOf("", "");
  const members = membersOf(before);
  const { checks, ended } = plan(before, specsOf("", ""), members);
  expect(checks).toHaveLength(1);
  expect(checks[0]?.member).toBe([...members.values()][0]);
  expect(ended).toEqual([]);
});

test("other times for all who share it: it goes on under its new key, with the probe that is under way", () => {
  const before = specsOf("", "");
  const running = { phase: { kind: "running", dueAt: moment.now, askedAt: moment.now } } as const;
  const members = membersOf(before, running);
  const { checks, ended } = plan(before, specsOf("retry 9", "retry 9"), members);
  expect(checks).toHaveLength(1);
  expect(checks[0]?.member).toBe([...members.values()][0]);
  expect(checks[0]?.state).toMatchObject({ run: 7, ...running, config: { retry: 9 } });
  expect(ended).toEqual([]);
});

test("other times for one of two: both know what was known, and only one has the probe that is under way", () => {
  const before = specsOf("", "");
  const members = membersOf(before, { phase: { kind: "running", dueAt: moment.now, askedAt: moment.now } });
  const { checks, ended } = plan(before, specsOf("", "retry 9"), members);
  expect(checks.map(({ member }) => member === undefined)).toEqual([false, true]);
  expect(checks.map(({ state }) => runOf(state))).toEqual([7, 7]);
  expect(checks.map(({ state }) => isProbed(state) && state.phase.kind)).toEqual(["running", "waiting"]);
  expect(ended).toEqual([]);
});

test("two that become one: the first goes on, the other ends", () => {
  const before = specsOf("", "retry 9");
  const members = membersOf(before);
  const { checks, ended } = plan(before, specsOf("", ""), members);
  expect(checks).toHaveLength(1);
  expect(ended).toEqual([...members.values()].slice(1));
});

test("a server that joins a check that has run begins with what is known of it", () => {
  const before = specsOf("alpha");
  const { checks } = plan(before, specsOf("alpha", "alpha"), membersOf(before, { up: true }));
  expect(checks).toHaveLength(1);
  expect(checks[0]?.state).toMatchObject({ up: true, hasRun: true, run: 7 });
});

test("a server that is new does not trust an alpha check that has not run; one that is alive does", () => {
  const before = specsOf("connect_timeout 1");
  const next = specsOf("alpha\nfwmark 5", "alpha\nfwmark 5");
  const { checks, supposed, ended } = plan(before, next);
  const key = checksOf(next)[0]?.key ?? "";
  expect(checks).toHaveLength(1);
  expect(checks[0]?.state).toMatchObject({ up: true, hasRun: false });
  expect([supposed.get(supposedOf("FWM 1", server, key)), supposed.get(supposedOf("FWM 2", server, key))]).toEqual([
    true,
    false,
  ]);
  expect(ended).toHaveLength(1);
});

test("one that moves from a server that goes to one that comes keeps what is known", () => {
  const before = specsOf("");
  const moved = specsOf("", "").slice(1);
  const { checks, ended } = plan(before, moved);
  expect(checks[0]?.state).toMatchObject({ run: 7, hasRun: true });
  expect(ended).toEqual([]);
});

test("of what is settled nothing is asked, and it goes on as it is", () => {
  const before = specsOf("", "retry 2");
  const [first] = before;
  const [, second] = specsOf("", "retry 5");
  if (first === undefined || second === undefined) throw new Error("two services");
  const members = membersOf(before);
  const asked: string[] = [];
  const { checks, ended } = planReload({
    specs: [first, second],
    settled: new Set([first]),
    members,
    keysOf: (pool) => {
      asked.push(pool);
      return before.find(({ name }) => name === pool)?.servers.flatMap(({ checks: own }) => own.map(({ key }) => key));
    },
    isAlive: () => true,
    configOf: (spec) => {
      asked.push(second.name);
      expect(spec.key).not.toBe(checksOf([first])[0]?.key);
      return configFor(spec);
    },
    moment,
  });
  expect(new Set(asked)).toEqual(new Set([second.name]));
  expect(ended).toEqual([]);
  const [own] = checksOf([first]).flatMap(({ key }) => members.get(key) ?? []);
  expect(checks.find(({ member }) => member === own)?.state).toBe(own?.state);
  expect(checks.map(({ member }) => member)).toEqual([...members.values()]);
});

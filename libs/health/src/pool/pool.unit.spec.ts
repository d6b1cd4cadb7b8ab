// What holds for every pool whatever its checks say, its operator does and its file becomes.
import { type Instant, instant, micros } from "@baton/domain";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { CheckNews, WeightPart } from "../check/types.ts";
import { liveWeight, nextPoolDeadline, startPool, stepPool } from "./pool.ts";
import type { Drain, Pool, PoolCheck, PoolChecks, PoolConfig, PoolEffect, PoolInput } from "./types.ts";
import { wantedDestinations } from "./wanted.ts";
import { effectiveWeight, serves, weightMax } from "./weight.ts";

const names = ["a", "b", "c", "d"];
const weightPart: fc.Arbitrary<WeightPart | undefined> = fc.option(
  fc.record({ kind: fc.constantFrom("instead" as const, "added" as const), weight: fc.integer({ min: -9, max: 253 }) }),
  { nil: undefined },
);
const config: fc.Arbitrary<PoolConfig> = fc
  .record({
    quorum: fc.integer({ min: 1, max: 12 }),
    hysteresis: fc.nat(3),
    omega: fc.boolean(),
    servers: fc
      .subarray(names, { minLength: 1 })
      .chain((some) =>
        fc.tuple(
          ...some.map((server) =>
            fc.record({ server: fc.constant(server), weight: fc.nat(9), inhibitOnFailure: fc.boolean() }),
          ),
        ),
      ),
    sorryServer: fc.option(fc.record({ server: fc.constantFrom("a", "s", "t"), inhibit: fc.boolean() }), {
      nil: undefined,
    }),
    startNotices: fc.boolean(),
    panicGuard: fc.boolean(),
    slowStart: fc.constantFrom(0, 7, 10_000_000).map(micros),
  })
  .map((made) => ({ ...made, name: "vs", hysteresis: Math.min(made.hysteresis, made.quorum - 1) }));

/** Each server has a check `x` and a check `y`, up or not by a bit each. */
const checks = fc.array(fc.tuple(fc.boolean(), fc.boolean(), weightPart), { minLength: 4, maxLength: 4 });
type Bits = typeof checks extends fc.Arbitrary<infer T> ? T : never;
const checksOf = (bits: Bits): PoolChecks =>
  new Map(
    names.map((name, index): [string, readonly PoolCheck[]] => {
      const [x = true, y = true, weight] = bits[index] ?? [];
      return [
        name,
        [
          { check: "x", up: x, weight },
          { check: "y", up: y, weight: undefined },
        ],
      ];
    }),
  );

const happening = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("report" as const),
      server: fc.constantFrom(...names),
      check: fc.constantFrom("x", "y"),
      up: fc.boolean(),
      weight: weightPart,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("drain" as const),
      server: fc.constantFrom(...names),
      drain: fc.constantFrom<Drain>("none", "draining", "removed"),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deadline" as const), late: fc.nat(3_000_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reload" as const), config, bits: checks }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

function inputOf(pool: Pool, what: Happening): PoolInput {
  switch (what.kind) {
    case "report": {
      const { server, check, up, weight } = what;
      const known = pool.servers
        .find(({ config: { server: name } }) => name === server)
        ?.checks.find((c) => c.check === check);
      const news: CheckNews = known?.up === up ? "weight" : "changed";
      return { type: "check-reported", server, report: { check, up, weight }, news };
    }
    case "drain":
      return { type: "drain", server: what.server, drain: what.drain };
    case "deadline":
      return { type: "deadline-reached" };
    case "reload":
      return { type: "reload", config: what.config, checks: checksOf(what.bits) };
  }
}

interface Moment {
  readonly before: Pool | undefined;
  readonly after: Pool;
  readonly effects: readonly PoolEffect[];
  readonly what: Happening | undefined;
}

/** Calls `see` for the start and every step after it, with all effects so far. */
const during = (see: (moment: Moment, all: readonly PoolEffect[]) => void) =>
  fc.assert(
    fc.property(config, checks, fc.array(happening, { maxLength: 50 }), (made, bits, happenings) => {
      let now: Instant = instant(5_000_000);
      const first = startPool(made, checksOf(bits));
      let pool = first.state;
      const all: PoolEffect[] = [...first.effects];
      see({ before: undefined, after: pool, effects: first.effects, what: undefined }, all);
      for (const what of happenings) {
        if (what.kind === "deadline") now = instant((nextPoolDeadline(pool) ?? now) + what.late);
        const { state, effects } = stepPool(pool, inputOf(pool, what), now);
        all.push(...effects);
        see({ before: pool, after: state, effects, what }, all);
        pool = state;
      }
    }),
  );

test("alive: none of its checks has failed", () => {
  during(({ after }) => {
    for (const { alive, checks: own } of after.servers) expect(alive).toBe(own.every(({ up }) => up));
  });
});

test("events of a server say up and down in turns, and the last one what is", () => {
  during(({ after }, all) => {
    for (const { config: own, alive } of after.servers) {
      const events = all.flatMap(({ event }) =>
        (event.type === "realserver-up" || event.type === "realserver-down") && event.data.server === own.server
          ? [event]
          : [],
      );
      expect(events.at(-1)?.type ?? "realserver-down").toBe(alive ? "realserver-up" : "realserver-down");
      const changes = events.filter(({ data }) => data.reason !== "removed").map(({ type }) => type);
      const beginnings = events.some(({ data }) => data.reason === "removed" || data.reason === "reload");
      // Who was taken out behind a sorry server goes silently: turns are certain only without reloads.
      if (!beginnings) for (const [index, type] of changes.entries()) expect(type).not.toBe(changes[index - 1]);
    }
  });
});

test("the quorum is up from quorum + hysteresis on, down below quorum - hysteresis, and stays in between", () => {
  during(({ before, after }) => {
    const { quorum, hysteresis } = after.config;
    const weight = liveWeight(after);
    if (weight >= quorum + hysteresis) expect(after.quorumUp).toBe(true);
    else if (weight === 0 || weight < quorum - hysteresis) expect(after.quorumUp).toBe(false);
    else expect(after.quorumUp).toBe(before?.quorumUp ?? false);
  });
});

test("the sorry server serves exactly while the quorum is down, and events tell of each of its changes", () => {
  during(({ before, after, effects }) => {
    expect(after.sorry).toBe(after.config.sorryServer !== undefined && !after.quorumUp);
    const of = (pool: Pool | undefined) => (pool?.sorry === true ? pool.config.sorryServer?.server : undefined);
    const [gone, come] = ["sorry-server-removed", "sorry-server-added"].map((type) =>
      effects
        .flatMap(({ event }) => (event.type === type ? [event.data] : []))
        .map((data) => "server" in data && data.server),
    );
    const changed = of(before) !== of(after);
    expect(gone).toEqual(changed && of(before) !== undefined ? [of(before)] : []);
    expect(come).toEqual(changed && of(after) !== undefined ? [of(after)] : []);
  });
});

test("a quorum event is a change, except for a new sorry server's", () => {
  during(({ before, after, effects }) => {
    const events = effects.flatMap(({ event }) => (/^quorum/.test(event.type) ? [event.type] : []));
    const changed = (before?.quorumUp ?? false) !== after.quorumUp;
    if (changed) expect(events).toEqual([after.quorumUp ? "quorum-gained" : "quorum-lost"]);
    else if (!effects.some(({ event }) => event.type === "sorry-server-added")) expect(events).toEqual([]);
  });
});

test("the table holds each server once, in order, and connections go only to who is alive, unless guarded", () => {
  during(({ after }) => {
    const wanted = wantedDestinations(after);
    const order = [...after.config.servers.map(({ server }) => server), after.config.sorryServer?.server ?? ""];
    const places = wanted.map(({ server, role }) => (role === "sorry" ? order.length - 1 : order.indexOf(server)));
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    expect(new Set(wanted.map(({ server }) => server)).size).toBe(wanted.length);
    for (const { server, weight } of wanted) {
      expect(Number.isInteger(weight) && weight >= 0 && weight <= weightMax).toBe(true);
      const own = after.servers.find(({ config: { server: name } }) => name === server);
      const standsIn = after.sorry && server === after.config.sorryServer?.server;
      if (weight > 0 && !standsIn && after.held !== server) expect(own?.alive && own.drain === "none").toBe(true);
    }
  });
});

test("a pool that can serve serves, whatever has ramped, drained or come before", () => {
  during(({ after }) => {
    const serving = wantedDestinations(after).filter(({ weight }) => weight > 0);
    if (after.sorry) expect(serving.map(({ server }) => server)).toEqual([after.config.sorryServer?.server]);
    else if (after.servers.some(serves)) expect(serving.length).toBe(after.servers.filter(serves).length);
  });
});

test("panic guard: what checks say never empties a pool that served", () => {
  during(({ before, after, what }) => {
    if (before === undefined || what?.kind !== "report" || !after.config.panicGuard) return;
    const serving = (pool: Pool) => wantedDestinations(pool).some(({ weight }) => weight > 0);
    // Whom the configuration gives weight 0 his checks alone have made serve.
    const willed = before.servers.some((server) => serves(server) && server.config.weight > 0);
    if (serving(before) && (willed || before.held !== undefined)) expect(serving(after)).toBe(true);
  });
});

test("without guard, slow start and drain the table follows from what is known now, not from how it came", () => {
  fc.assert(
    fc.property(config, checks, checks, fc.shuffledSubarray(names, { minLength: 4 }), (made, from, to, order) => {
      const plain = { ...made, panicGuard: false, slowStart: micros(0), hysteresis: 0 };
      const target = checksOf(to);
      let pool = startPool(plain, checksOf(from)).state;
      for (const server of order)
        for (const report of target.get(server) ?? [])
          pool = stepPool(pool, { type: "check-reported", server, report, news: "changed" }, instant(1)).state;
      expect(wantedDestinations(pool)).toEqual(wantedDestinations(startPool(plain, target).state));
    }),
  );
});

test("a ramp rises, ends, and nobody is ramped where nobody serves whole", () => {
  during(({ before, after, what }) => {
    const ramps = after.servers.filter(({ ramp }) => ramp !== undefined);
    if (ramps.length > 0)
      expect(after.servers.some((server) => serves(server) && server.ramp === undefined)).toBe(true);
    expect(nextPoolDeadline(after) === undefined).toBe(ramps.length === 0);
    if (what?.kind !== "deadline" || before === undefined) return;
    const due = nextPoolDeadline(before);
    const next = nextPoolDeadline(after);
    if (due !== undefined && next !== undefined) expect(next).toBeGreaterThan(due);
  });
});

test("state is plain data: a pool that was written down goes on as if nothing had been", () => {
  during(({ before, after, what, effects }) => {
    if (before === undefined || what === undefined || what.kind === "deadline") return;
    const again: Pool = JSON.parse(JSON.stringify(before));
    const now = instant(5_000_000);
    const step = stepPool(again, inputOf(again, what), now);
    expect(step.effects.length).toBe(effects.length);
    expect(wantedDestinations(step.state).map(({ server }) => server)).toEqual(
      wantedDestinations(after).map(({ server }) => server),
    );
  });
});

test("the effective weight: configured, with parts in place of it and on top, within the kernel's range", () => {
  const weight = (configured: number, parts: readonly WeightPart[], tenths = 10, drain: Drain = "none") =>
    effectiveWeight({ configured, parts, tenths, drain });
  expect(weight(5, [])).toBe(5);
  expect(weight(5, [{ kind: "instead", weight: 0 }])).toBe(0);
  expect(weight(5, [{ kind: "added", weight: -7 }])).toBe(0);
  expect(weight(5, [{ kind: "added", weight: weightMax }])).toBe(weightMax);
  expect(
    weight(5, [
      { kind: "instead", weight: 9 },
      { kind: "instead", weight: 3 },
    ]),
  ).toBe(7);
  expect(
    weight(5, [
      { kind: "instead", weight: 9 },
      { kind: "added", weight: -2 },
    ]),
  ).toBe(7);
  expect(weight(5, [], 1)).toBe(1);
  expect(weight(55, [], 3)).toBe(16);
  expect(weight(0, [], 3)).toBe(0);
  expect(weight(5, [], 10, "draining")).toBe(0);
});

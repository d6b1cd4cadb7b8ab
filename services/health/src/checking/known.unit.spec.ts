import { instant, micros } from "@baton/domain";
import { type CheckConfig, type Pool, startCheck, startPool, stepPool } from "@baton/health";
import fc from "fast-check";
import { expect, test } from "vitest";
import { drainsText, parseDrains } from "./kept-drains.ts";
import {
  knownCheck,
  knownHeader,
  knownLine,
  knownPool,
  knownServer,
  type LineStamp,
  nothingKnown,
  parseKnown,
  recalled,
  recalledPool,
} from "./known.ts";

const moment = { now: instant(1_000_000), random: 0.5 };
const config: CheckConfig = {
  type: "HTTP_GET",
  name: "check",
  identity: "",
  alpha: true,
  delayLoop: micros(6_000_000),
  warmup: micros(0),
  retry: 3,
  delayBeforeRetry: micros(1_000_000),
  logAllFailures: false,
  urls: 2,
  fastRecovery: false,
  jitter: 0,
};
const poolConfig = {
  name: "vs",
  quorum: 1,
  hysteresis: 0,
  omega: false,
  servers: ["a", "b"].map((server) => ({ server, weight: 1, inhibitOnFailure: false })),
  sorryServer: { server: "s", inhibit: false },
  startNotices: false,
  panicGuard: false,
  slowStart: micros(0),
};

const at = instant(1_000_000);
const textOf = (...lines: readonly (readonly [what: object, stamp?: Partial<LineStamp>])[]): string =>
  [
    knownHeader("boot"),
    ...lines.map(([what, stamp]) => knownLine(JSON.stringify(what), { version: 1, at, ...stamp })),
  ].join("\n");
const allTold = () => 1;

test("what was known is known again: memory and failures, with a schedule of its own", () => {
  const before = { ...startCheck(config, "start", moment), up: true, hasRun: true, attempts: 2, url: 1, failures: 2 };
  const text = textOf([{ check: knownCheck({ id: "id", likeness: "like" }, "check", before) }]);
  const known = parseKnown(text, "boot", allTold).checks.get("id");
  if (known === undefined) throw new Error("forgotten");
  const after = recalled(startCheck(config, "start", moment), known, moment);
  expect(after).toMatchObject({ up: true, hasRun: true, attempts: 2, url: 1, failures: 2 });
  // It was between two attempts: the next one comes as soon, by chance.
  expect(after).toMatchObject({ phase: { kind: "waiting", dueAt: 1_500_000 } });
  const fewer = recalled(startCheck({ ...config, retry: 1, urls: 1 }, "start", moment), known, moment);
  expect(fewer).toMatchObject({ attempts: 1, url: 0 });
});

test("a pool goes on as it was, and tells nobody", () => {
  const checks = new Map([["a", [{ check: "c", up: false, weight: undefined }]]]);
  const begun = startPool(poolConfig, checks).state;
  const text = textOf(
    [{ pool: knownPool(begun, instant(7)) }],
    ...begun.servers.map((server) => [{ server: knownServer("vs", server) }] as const),
  );
  const { pools, servers } = parseKnown(text, "boot", allTold);
  const known = pools.get("vs");
  if (known === undefined) throw new Error("forgotten");
  expect(known.quorumSince).toBe(7);
  const own = servers.get("vs") ?? [];
  const parts = { config: poolConfig, checks, known, knownServers: own, drainOf: () => "none" as const };
  const resumed = stepPool(recalledPool(parts, moment.now), { type: "reload", config: poolConfig, checks }, moment.now);
  expect(resumed.effects).toEqual([]);
  expect(resumed.state).toEqual(begun);
});

test("of another start of the machine nothing is known", () => {
  const text = textOf([
    { check: knownCheck({ id: "id", likeness: "like" }, "check", startCheck(config, "start", moment)) },
  ]);
  expect(parseKnown(text, "boot", allTold).checks.size).toBe(1);
  expect(parseKnown(text, "another", allTold)).toEqual(nothingKnown);
});

test("the last line about somebody counts, and a torn one is none", () => {
  const check = knownCheck({ id: "id", likeness: "like" }, "check", startCheck(config, "start", moment));
  const lines = textOf([{ check }], [{ check: { ...check, failures: 3 } }]);
  expect(parseKnown(lines, "boot", allTold).checks.get("id")?.failures).toBe(3);
  expect(parseKnown(lines.slice(0, -2), "boot", allTold).checks.get("id")?.failures).toBe(check.failures);
});

test("what died untold is not known; what lost its event long ago is", () => {
  const check = knownCheck({ id: "id", likeness: "like" }, "check", startCheck(config, "start", moment));
  const failed = { ...check, up: !check.up };
  const text = textOf([{ check }], [{ check: failed }, { version: 2, at: instant(2_000_000) }]);
  const upAt = (versions: Record<string, number>, lines = text) =>
    parseKnown(lines, "boot", ({ kind, id }) => versions[`${kind} ${id}`] ?? 0).checks.get("id")?.up;
  expect(upAt({ "checker check": 2 })).toBe(failed.up);
  expect(upAt({ "checker check": 1 })).toBe(check.up);
  expect(upAt({})).toBeUndefined();
  const server = { pool: "vs", server: "a", alive: true, ramp: undefined };
  const later = `${text}\n${knownLine(JSON.stringify({ server }), { version: 9, at: instant(3_000_001) })}`;
  expect(upAt({}, later)).toBe(failed.up);
  expect(parseKnown(later, "boot", () => 0).servers.size).toBe(0);
});

const hostileLine = fc.oneof(
  fc.anything(),
  fc.record({
    check: fc.record(
      {
        id: fc.oneof(fc.string(), fc.anything()),
        likeness: fc.oneof(fc.string(), fc.anything()),
        name: fc.oneof(fc.string(), fc.anything()),
        up: fc.oneof(fc.boolean(), fc.anything()),
        hasRun: fc.boolean(),
        attempts: fc.oneof(fc.nat(), fc.double()),
        url: fc.oneof(fc.nat(), fc.anything()),
        failedUrl: fc.oneof(fc.nat(), fc.anything()),
        weight: fc.oneof(fc.record({ kind: fc.constant("added"), weight: fc.double() }), fc.anything()),
        failures: fc.nat(),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    pool: fc.record(
      {
        name: fc.oneof(fc.constant("vs"), fc.anything()),
        quorumUp: fc.boolean(),
        sorry: fc.boolean(),
        held: fc.oneof(fc.constantFrom("a", "x"), fc.anything()),
        sorryServer: fc.oneof(fc.constantFrom("s", "x"), fc.anything()),
        quorumSince: fc.anything(),
      },
      { requiredKeys: [] },
    ),
  }),
  fc.record({
    server: fc.record({
      pool: fc.oneof(fc.constant("vs"), fc.anything()),
      server: fc.constantFrom("a", "b", "c"),
      alive: fc.boolean(),
      ramp: fc.oneof(fc.record({ since: fc.nat(), tenths: fc.nat(12) }), fc.anything()),
    }),
  }),
);
const hostile = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .array(fc.tuple(fc.oneof(fc.nat(2), fc.anything()), fc.oneof(fc.nat(), fc.anything()), hostileLine))
    .map((lines) => `${knownHeader("boot")}\n${lines.map((line) => JSON.stringify(line)).join("\n")}`),
);

test("whatever is in the file, it is read, and what is made of it goes on", () => {
  fc.assert(
    fc.property(hostile, fc.boolean(), (text, slow) => {
      const { checks, pools, servers } = parseKnown(text, "boot", allTold);
      for (const known of checks.values()) {
        const state = recalled(startCheck(config, "start", moment), known, moment);
        expect(state).toMatchObject({ config });
      }
      for (const known of pools.values()) {
        const wanted = { ...poolConfig, slowStart: micros(slow ? 1_000_000 : 0) };
        const own = servers.get(known.name) ?? [];
        const parts = { config: wanted, checks: new Map(), known, knownServers: own, drainOf: () => "none" as const };
        const pool: Pool = recalledPool(parts, moment.now);
        const { state } = stepPool(pool, { type: "reload", config: wanted, checks: new Map() }, moment.now);
        expect(state.servers.map((each) => each.config.server)).toEqual(["a", "b"]);
        expect(state.quorumUp).toBe(true);
      }
      expect(Array.isArray(parseDrains(text))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("drains are read as they were written, and nothing else", () => {
  const drain = { virtualServer: "vs", server: "a", drain: "draining", deadlineMs: 5, untilMs: 12.5 } as const;
  expect(parseDrains(drainsText([drain]))).toEqual([drain]);
  const others = [{ ...drain, drain: "none" }, { ...drain, deadlineMs: -1 }, { ...drain, untilMs: "1" }, null, 5];
  expect(parseDrains(JSON.stringify({ format: 1, drains: others }))).toEqual([]);
  expect(parseDrains(undefined)).toEqual([]);
});

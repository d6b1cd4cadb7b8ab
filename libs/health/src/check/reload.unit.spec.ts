// Reloads of the checks of one server: by hand what keepalived does, and by chance that nothing is lost.
import { instant, micros } from "@baton/domain";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { startCheck, stepCheck } from "./checker.ts";
import { startFollowed } from "./followed.ts";
import { checkIdentity } from "./identity.ts";
import { isProbed, reloadChecks, type ServerCheck } from "./reload.ts";
import type { CheckConfig, Checker } from "./types.ts";

const second = 1_000_000;
const now = instant(100 * second);
const moment = { now, random: 0 };
const check = (identity: string, over: Partial<CheckConfig> = {}): CheckConfig => ({
  type: "TCP_CHECK",
  name: identity,
  identity,
  alpha: false,
  delayLoop: micros(6 * second),
  warmup: micros(0),
  retry: 3,
  delayBeforeRetry: micros(second),
  logAllFailures: false,
  urls: 1,
  fastRecovery: false,
  jitter: 0,
  ...over,
});
const ran = (config: CheckConfig, up: boolean, over: Partial<Checker> = {}): Checker => ({
  ...startCheck(config, "start", moment),
  up,
  hasRun: true,
  attempts: 0,
  ...over,
});
const only = (checks: readonly ServerCheck[]): ServerCheck => {
  const [first] = checks;
  if (first === undefined || checks.length !== 1) throw new Error(`${checks.length} checks`);
  return first;
};

test("the same check keeps verdict, schedule, run and weight; its numbers are the new ones", () => {
  const old = ran(check("a"), false, {
    weight: { kind: "instead", weight: 5 },
    failures: 4,
    phase: { kind: "running", dueAt: now, askedAt: now },
    run: 7,
  });
  const { checks, ended } = reloadChecks([old], [check("a", { delayLoop: micros(9 * second) })], "down", moment);
  expect(only(checks)).toEqual({ ...old, config: check("a", { delayLoop: micros(9 * second) }) });
  expect(ended).toEqual([]);
});

test("who has made as many attempts as now are allowed fails with the next one", () => {
  const old = ran(check("a"), true, { attempts: 3 });
  const { checks } = reloadChecks([old], [check("a", { retry: 1 })], "alive", moment);
  expect(only(checks)).toMatchObject({ up: true, attempts: 1 });
});

test("the next attempt is not later than a shorter delay_loop allows", () => {
  const old = ran(check("a"), true, { phase: { kind: "waiting", dueAt: instant(105 * second) } });
  const { checks } = reloadChecks([old], [check("a", { delayLoop: micros(second) })], "alive", moment);
  expect(only(checks)).toMatchObject({ phase: { dueAt: 101 * second } });
});

test("a new alpha check does not take down a server that is alive, and has its retries", () => {
  const { checks } = reloadChecks([ran(check("a"), true)], [check("a"), check("b", { alpha: true })], "alive", moment);
  expect(checks[1]).toMatchObject({ up: true, hasRun: false, attempts: 0 });
});

test("next to a failed check a new one is pessimistic, and its first failure decides", () => {
  const { checks } = reloadChecks(
    [ran(check("a"), false)],
    [check("a"), check("b", { alpha: true }), check("c")],
    "down",
    moment,
  );
  expect(checks[1]).toMatchObject({ up: false, attempts: 3 });
  expect(checks[2]).toMatchObject({ up: true, attempts: 3 });
});

test("instead of the failed check a new one: up unless alpha, and one failure is enough", () => {
  const reloaded = (alpha: boolean) => reloadChecks([ran(check("a"), false)], [check("b", { alpha })], "down", moment);
  expect(only(reloaded(false).checks)).toMatchObject({ up: true, attempts: 3 });
  expect(only(reloaded(true).checks)).toMatchObject({ up: false, attempts: 3 });
  expect(reloaded(true).ended.map(({ config }) => config.identity)).toEqual(["a"]);
});

test("a check that has not run and is alpha now is pessimistic as a new one is", () => {
  const unrun = startCheck(check("b"), "start", moment);
  const next = [check("a"), check("b", { alpha: true })];
  expect(reloadChecks([ran(check("a"), false), unrun], next, "down", moment).checks[1]).toMatchObject({ up: false });
  expect(reloadChecks([ran(check("a"), true), unrun], next, "alive", moment).checks[1]).toMatchObject({ up: true });
});

test("checks of a new server: down with alpha, and with all their retries", () => {
  const { checks } = reloadChecks([], [check("a"), check("b", { alpha: true })], "added", moment);
  expect(checks).toMatchObject([
    { up: true, attempts: 0 },
    { up: false, attempts: 0 },
  ]);
});

test("an alpha check that has not run stays down, unless it is no longer alpha", () => {
  const old = startCheck(check("a", { alpha: true }), "start", moment);
  const again = (alpha: boolean) =>
    only(reloadChecks([old, ran(check("b"), true)], [check("a", { alpha })], "down", moment).checks);
  expect(again(true)).toMatchObject({ up: false, hasRun: false });
  expect(again(false)).toMatchObject({ up: true, hasRun: false });
});

test("a check of another type is another check", () => {
  const { checks, ended } = reloadChecks(
    [ran(check("a"), false)],
    [check("a", { type: "PING_CHECK" })],
    "down",
    moment,
  );
  expect(only(checks)).toMatchObject({ hasRun: false });
  expect(ended.length).toBe(1);
});

test("files and sessions keep what they know", () => {
  const bfd = { type: "BFD_CHECK", name: "s", identity: "s", alpha: true } as const;
  const file = { type: "FILE_CHECK", name: "f", identity: "f", weight: 1, reverse: false } as const;
  const known = { ...startFollowed(bfd, "start"), up: true, hasRun: true };
  const { checks } = reloadChecks([known], [bfd, file], "alive", moment);
  expect(checks).toMatchObject([
    { up: true, hasRun: true },
    { up: true, hasRun: false },
  ]);
  const unheard = startFollowed(bfd, "start");
  expect(only(reloadChecks([unheard], [bfd], "down", moment).checks)).toMatchObject({ up: false });
});

test("identity: parameters, not times, in any order of fields", () => {
  const tcp = {
    type: "TCP_CHECK",
    connection: { address: "10.0.0.1", port: 80 },
    delayLoop: 6,
    retry: 1,
    alpha: false,
  };
  const same = { alpha: true, retry: 9, connection: { port: 80, address: "10.0.0.1" }, type: "TCP_CHECK" };
  expect(checkIdentity(same)).toBe(checkIdentity(tcp));
  expect(checkIdentity({ ...tcp, connection: { address: "10.0.0.1", port: 81 } })).not.toBe(checkIdentity(tcp));
  expect(checkIdentity({ ...tcp, type: "PING_CHECK" })).not.toBe(checkIdentity(tcp));
  expect(checkIdentity({ ...tcp, connection: { ...tcp.connection, bindPort: undefined } })).toBe(checkIdentity(tcp));
  const get = { type: "HTTP_GET", urls: [{ path: "/a" }, { path: "/b" }], httpVersion: "1.0" };
  expect(checkIdentity({ ...get, httpVersion: "1.1" })).toBe(checkIdentity(get));
  expect(checkIdentity({ ...get, urls: [{ path: "/b" }, { path: "/a" }] })).not.toBe(checkIdentity(get));
});

const anyCheck = fc.record({
  identity: fc.constantFrom("a", "b", "c"),
  type: fc.constantFrom("TCP_CHECK" as const, "SMTP_CHECK" as const, "HTTP_GET" as const),
  alpha: fc.boolean(),
  retry: fc.nat(3),
});
const anyChecks = fc.array(anyCheck, { maxLength: 5 });

test("every new check is there in its order, every old one goes on or ends, and an alive server stays so", () => {
  fc.assert(
    fc.property(anyChecks, anyChecks, (old, next) => {
      const before = old.map(({ identity, ...over }) => ran(check(identity, over), true, { run: 1 }));
      const configs = next.map(({ identity, ...over }) => check(identity, over));
      const { checks, ended } = reloadChecks(before, configs, "alive", moment);
      expect(checks.map(({ config }) => config)).toEqual(configs);
      expect(checks.filter((each) => isProbed(each) && each.run === 1).length + ended.length).toBe(before.length);
      expect(checks.every(({ up }) => up)).toBe(true);
    }),
  );
});

test("a reload to the same changes nothing, and what was under way is still taken", () => {
  fc.assert(
    fc.property(anyChecks, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), (some, ups) => {
      const before = some.map(({ identity, ...over }, index) =>
        ran(check(identity, over), ups[index] === true, {
          run: 1,
          phase: { kind: "running", dueAt: now, askedAt: now },
        }),
      );
      const server = before.every(({ up }) => up) ? "alive" : "down";
      const { checks, ended } = reloadChecks(
        before,
        before.map(({ config }) => config),
        server,
        moment,
      );
      expect(checks).toEqual(before);
      expect(ended).toEqual([]);
      for (const each of checks) {
        if (!isProbed(each)) throw new Error("all of them are probed");
        const outcome = { ok: true, durationMicros: micros(1) } as const;
        expect(stepCheck(each, { type: "probed", run: 1, outcome }, moment).state.counts.runs).toBe(1);
      }
    }),
  );
});

// What holds for every checker whatever happens to it: any type and numbers, any result, any lateness.
import { type Instant, instant, micros } from "@baton/domain";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nextCheckDeadline, startCheck, stepCheck } from "./checker.ts";
import type { ProbeOutcome } from "./outcome.ts";
import { type CheckConfig, type CheckEffect, type Checker, probedTypes } from "./types.ts";

const config: fc.Arbitrary<CheckConfig> = fc
  .record({
    type: fc.constantFrom(...probedTypes),
    name: fc.constant("chk"),
    identity: fc.constant("chk"),
    alpha: fc.boolean(),
    delayLoop: fc.integer({ min: 1_000, max: 9_000_000 }).map(micros),
    warmup: fc.integer({ min: 0, max: 9_000_000 }).map(micros),
    retry: fc.integer({ min: 0, max: 4 }),
    delayBeforeRetry: fc.integer({ min: 0, max: 9_000_000 }).map(micros),
    logAllFailures: fc.boolean(),
    urls: fc.integer({ min: 1, max: 4 }),
    fastRecovery: fc.boolean(),
    jitter: fc.constantFrom(0, 0.1, 0.9),
  })
  .map((made) => ({ ...made, urls: isGet(made.type) ? made.urls : 1 }));
const isGet = (type: string): boolean => type === "HTTP_GET" || type === "SSL_GET";

const duration = fc.integer({ min: 0, max: 3_000_000 }).map(micros);
const outcome: fc.Arbitrary<ProbeOutcome> = fc.oneof(
  fc.record({ ok: fc.constant(true as const), durationMicros: duration, weight: fc.integer({ min: 0, max: 253 }) }),
  fc.record({ ok: fc.constant(true as const), durationMicros: duration }),
  fc.record({ ok: fc.constant(false as const), durationMicros: duration, reason: fc.constant("timeout" as const) }),
  fc.record({ ok: fc.constant(undefined), reason: fc.constant("bind" as const) }),
);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("deadline" as const), late: fc.nat(5_000_000) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("probed" as const), after: fc.nat(5_000_000), outcome }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("suspend" as const, "resume" as const) }) },
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

interface Moment {
  readonly before: Checker;
  readonly after: Checker;
  readonly effects: readonly CheckEffect[];
  readonly what: Happening;
  readonly now: Instant;
}

function live(state: Checker, what: Happening, now: Instant, random: number): Moment {
  const due = nextCheckDeadline(state);
  const at =
    what.kind === "deadline"
      ? instant(Math.max(now, (due ?? now) + what.late))
      : instant(now + (what.kind === "probed" ? what.after : 0));
  const input =
    what.kind === "probed"
      ? { type: "probed" as const, run: state.run, outcome: what.outcome }
      : { type: what.kind === "deadline" ? ("deadline-reached" as const) : what.kind };
  const { state: after, effects } = stepCheck(state, input, { now: at, random });
  return { before: state, after, effects, what, now: at };
}

const random = fc.double({ min: 0, max: 0.999, noNaN: true });

/** Calls `see` for every step of every story, with all steps so far, that one last. */
const during = (
  see: (steps: readonly Moment[], last: Moment) => void,
  filter: (made: CheckConfig) => boolean = () => true,
) =>
  fc.assert(
    fc.property(
      config.filter(filter),
      fc.constantFrom("start" as const, "reload" as const),
      fc.array(fc.tuple(happening, random), { maxLength: 80 }),
      (made, origin, happenings) => {
        let now = instant(5_000_000);
        let state = startCheck(made, origin, { now, random: 0.5 });
        const steps: Moment[] = [];
        for (const [what, chance] of happenings) {
          const step = live(state, what, now, chance);
          ({ now } = step);
          state = step.after;
          steps.push(step);
          see(steps, step);
        }
      },
    ),
  );

test("never a run while one is under way, nor while suspended", () => {
  during((_, { before, effects }) => {
    const runs = effects.filter(({ type }) => type === "run-probe");
    if (before.phase.kind === "running" || before.suspended) expect(runs).toEqual([]);
    expect(runs.length).toBeLessThanOrEqual(1);
  });
});

test("a result always leads to a next attempt, not in the past and not later than the longest wait", () => {
  during((_, { before, after, what, now }) => {
    if (what.kind !== "probed" || before.phase.kind !== "running") return;
    const { phase, config: made } = after;
    if (phase.kind !== "waiting") throw new Error(`${phase.kind} after a result`);
    expect(phase.dueAt).toBeGreaterThanOrEqual(now);
    expect(phase.dueAt - now).toBeLessThanOrEqual(Math.max(made.delayLoop, made.delayBeforeRetry));
  });
});

test("a verdict is reported exactly when it changes, and an event says why", () => {
  during((_, { before, after, effects }) => {
    const changed = effects.filter((effect) => effect.type === "report" && effect.news === "changed");
    expect(changed.length).toBe(before.up === after.up ? 0 : 1);
    const events = effects.flatMap((effect) => (effect.type === "append-event" ? [effect.event.type] : []));
    if (before.up && !after.up) expect(events).toEqual(["check-failed"]);
    if (!before.up && after.up) expect(events).toEqual(["check-succeeded"]);
  });
});

test("only a failure takes it down, only a success brings it up, and no verdict changes nothing", () => {
  during((_, { before, after, what }) => {
    if (before.up === after.up) return;
    expect(what.kind === "probed" && what.outcome.ok).toBe(after.up);
  });
});

test("from a success on it takes retry + 1 failures in a row to go down, no more and no fewer", () => {
  during((_, { before, after, what }) => {
    if (what.kind !== "probed" || before.phase.kind !== "running" || what.outcome.ok !== false) return;
    if (!before.hasRun || !before.up || before.config.type === "SMTP_CHECK") return;
    // Counted since the last success; a first attempt that did not decide counts its own way.
    const isFirst = before.counts.runs - before.counts.obstacles === before.failures;
    if (!isFirst) expect(after.up).toBe(before.failures < before.config.retry);
  });
});

test("a GET is up only after all its urls have succeeded one after another", () => {
  during(
    (steps, { before, after }) => {
      if (before.up || !after.up) return;
      const results = steps.flatMap(({ before: then, what }) =>
        what.kind === "probed" && then.phase.kind === "running" && what.outcome.ok !== undefined
          ? [{ url: then.url, ok: what.outcome.ok }]
          : [],
      );
      const successes = results.filter(({ ok }) => ok).slice(-before.config.urls);
      expect(successes.map(({ url }) => url)).toEqual(successes.map((_, index) => index));
    },
    ({ type }) => isGet(type),
  );
});

test("a failed attempt is never followed at once by another while it is down", () => {
  during((_, { before, after, what, now }) => {
    if (what.kind !== "probed" || before.phase.kind !== "running" || what.outcome.ok !== false || after.up) return;
    // SMTP_CHECK's and a first run's retries are counted; MISC_CHECK counts from its start.
    if (after.attempts > 0 || after.config.type === "MISC_CHECK" || after.phase.kind !== "waiting") return;
    expect(after.phase.dueAt - now).toBeGreaterThan(0);
  });
});

test("what is counted adds up", () => {
  during((steps, { after }) => {
    const results = steps.filter(({ before, what }) => what.kind === "probed" && before.phase.kind === "running");
    expect(after.counts.runs).toBe(results.length);
    expect(after.counts.failures + after.counts.obstacles).toBeLessThanOrEqual(results.length);
    if (after.last !== undefined) expect(after.last.lateness).toBeGreaterThanOrEqual(0);
  });
});

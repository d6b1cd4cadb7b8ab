// One checker as a machine: when it tries, what follows from the result, and what others are told of it.
//
//   waiting ──due──▶ running ──probed──▶ waiting      never two runs at once: the next one is due only when one is over
//
// What counts is keepalived's (judgement.ts). A fault of this machine's own is no result: it is tried again after
// delay_loop. A suspended checker finishes what it has begun, and begins nothing.
import {
  addMicros,
  assert,
  assertNever,
  type Instant,
  type Micros,
  micros,
  microsSince,
  toMillis,
} from "@baton/domain";
import { isOpen, judge } from "./judgement.ts";
import type { ProbeOutcome } from "./outcome.ts";
import type {
  CheckConfig,
  CheckEffect,
  CheckEvent,
  Checker,
  CheckInput,
  CheckMemory,
  CheckMoment,
  CheckStep,
  LastProbe,
  WeightPart,
} from "./types.ts";

/** Nothing is tried in the first second: addresses and routes are still coming. */
const bootDelay = micros(1_000_000);

/**
 * `start`: with Baton, where the first failure decides. `reload`: added to what runs, where the server has all its
 * retries, and an alpha check is not down by itself (reloadChecks).
 */
export function startCheck(config: CheckConfig, origin: "start" | "reload", moment: CheckMoment): Checker {
  assert(config.urls >= 1, `a check has something to try: ${config.urls}`);
  assert(config.delayLoop > 0, "checks are apart from each other");
  assert(config.jitter >= 0 && config.jitter < 1, `jitter is a share: ${config.jitter}`);
  const decidesAtOnce = origin === "start" && config.type !== "SMTP_CHECK";
  return {
    config,
    up: origin === "reload" || !config.alpha,
    hasRun: false,
    attempts: decidesAtOnce ? config.retry : 0,
    url: 0,
    failedUrl: undefined,
    weight: undefined,
    phase: { kind: "waiting", dueAt: addMicros(moment.now, bootDelay + config.warmup * moment.random) },
    suspended: false,
    run: 0,
    last: undefined,
    failures: 0,
    counts: { runs: 0, failures: 0, obstacles: 0 },
  };
}

/** When the machine wants to be asked again; undefined: it waits for a result, or for nothing. */
export const nextCheckDeadline = ({ phase, suspended }: Checker): Instant | undefined =>
  phase.kind === "waiting" && !suspended ? phase.dueAt : undefined;

export function stepCheck(state: Checker, input: CheckInput, moment: CheckMoment): CheckStep {
  switch (input.type) {
    case "deadline-reached":
      return onDeadline(state, moment.now);
    case "probed":
      return onProbed(state, input.run, input.outcome, moment);
    case "suspend":
      return same({ ...state, suspended: true });
    case "resume":
      return same(resume(state, moment.now));
    case "stop":
      return onStop(state);
    default:
      return assertNever(input);
  }
}

const same = (state: Checker): CheckStep => ({ state, effects: [] });

function onDeadline(state: Checker, now: Instant): CheckStep {
  const { phase, suspended } = state;
  if (phase.kind !== "waiting" || suspended || now < phase.dueAt) return same(state);
  const run = state.run + 1;
  return {
    state: { ...state, run, phase: { kind: "running", dueAt: phase.dueAt, askedAt: now } },
    effects: [{ type: "run-probe", run, url: state.url }],
  };
}

/** keepalived's suspended checkers look every delay_loop whether they may go on: the same points in time, without looking. */
function resume(state: Checker, now: Instant): Checker {
  const { phase, config } = state;
  if (!state.suspended || phase.kind !== "waiting" || phase.dueAt >= now) return { ...state, suspended: false };
  const missed = Math.ceil(microsSince(now, phase.dueAt) / config.delayLoop);
  return {
    ...beginAnew(state),
    suspended: false,
    phase: { kind: "waiting", dueAt: addMicros(phase.dueAt, missed * config.delayLoop) },
  };
}

/** After a run that could not be made SMTP_CHECK has all its retries again; the others go on counting. */
const beginAnew = (state: Checker): Checker => (state.config.type === "SMTP_CHECK" ? { ...state, attempts: 0 } : state);

function onStop(state: Checker): CheckStep {
  const effects: CheckEffect[] = state.phase.kind === "running" ? [{ type: "cancel-probe", run: state.run }] : [];
  return { state: { ...state, phase: { kind: "stopped" } }, effects };
}

function onProbed(state: Checker, run: number, outcome: ProbeOutcome, moment: CheckMoment): CheckStep {
  const { phase, config } = state;
  if (phase.kind !== "running" || run !== state.run) return same(state);
  const last = lastProbe(phase, outcome, moment.now);
  const counted = { ...state, last, counts: count(state, outcome), failures: failuresAfter(state, outcome) };
  if (outcome.ok === undefined) return same(wait(beginAnew(counted), config.delayLoop, last, moment));
  const judged = judge(config, memoryOf(state), outcome.ok, outcome.ok ? weightOf(outcome) : undefined);
  return {
    state: wait({ ...counted, ...judged.memory }, judged.wait, last, moment),
    effects: [...eventsOf(state, outcome, judged.news), ...reportsOf(state, judged)],
  };
}

/** What the probe took is its own word; when it began follows from it, but it cannot have begun before it was asked for. */
function lastProbe(
  { dueAt, askedAt }: { readonly dueAt: Instant; readonly askedAt: Instant },
  outcome: ProbeOutcome,
  now: Instant,
): LastProbe {
  const took = outcome.ok === undefined ? 0 : Math.max(0, outcome.durationMicros);
  const began = addMicros(now, -took);
  const startedAt = began < askedAt ? askedAt : began;
  return { outcome, startedAt, endedAt: now, lateness: microsSince(startedAt, dueAt) };
}

const memoryOf = ({ up, hasRun, attempts, url, failedUrl, weight }: Checker): CheckMemory => ({
  up,
  hasRun,
  attempts,
  url,
  failedUrl,
  weight,
});

function failuresAfter({ failures }: Checker, { ok }: ProbeOutcome): number {
  if (ok === undefined) return failures;
  return ok ? 0 : failures + 1;
}

const count = ({ counts }: Checker, { ok }: ProbeOutcome): Checker["counts"] => ({
  runs: counts.runs + 1,
  failures: counts.failures + (ok === false ? 1 : 0),
  obstacles: counts.obstacles + (ok === undefined ? 1 : 0),
});

/** Counted from the end of the run; of MISC_CHECK from its beginning, so that a slow program does not run less often. */
function wait(state: Checker, pause: Micros, last: LastProbe, { now, random }: CheckMoment): Checker {
  const from = state.config.type === "MISC_CHECK" && last.outcome.ok !== undefined ? last.startedAt : now;
  const dueAt = addMicros(from, pause * (1 - state.config.jitter * random));
  return { ...state, phase: { kind: "waiting", dueAt: dueAt < now ? now : dueAt } };
}

const weightOf = ({ weight }: { readonly weight?: number }): WeightPart | undefined =>
  weight === undefined ? undefined : { kind: "instead", weight };

function reportsOf(before: Checker, { memory, news }: ReturnType<typeof judge>): readonly CheckEffect[] {
  const { up, weight } = memory;
  if (news !== undefined) return [{ type: "report", up, weight, news }];
  const isOther = before.weight?.weight !== weight?.weight;
  return isOther ? [{ type: "report", up, weight, news: "weight" }] : [];
}

function eventsOf(
  before: Checker,
  outcome: Exclude<ProbeOutcome, { ok: undefined }>,
  news: ReturnType<typeof judge>["news"],
): readonly CheckEffect[] {
  const { config } = before;
  const append = (event: CheckEvent): CheckEffect[] => [{ type: "append-event", event }];
  if (outcome.ok) {
    if (before.up && before.hasRun) return [];
    const data = { check: config.name, durationMs: toMillis(outcome.durationMicros) };
    return news === undefined ? [] : append({ type: "check-succeeded", data });
  }
  const data = failureOf(before, outcome);
  if (news !== undefined) return append({ type: "check-failed", data });
  return config.logAllFailures && isOpen(before) ? append({ type: "check-attempt-failed", data }) : [];
}

const failureOf = (before: Checker, outcome: Extract<ProbeOutcome, { ok: false }>) => ({
  check: before.config.name,
  reason: outcome.reason,
  errno: outcome.errno ?? "",
  status: outcome.status ?? 0,
  excerpt: outcome.excerpt ?? "",
  detail: outcome.detail ?? "",
  durationMs: toMillis(outcome.durationMicros),
  attempt: before.failures + 1,
  url: before.url,
});

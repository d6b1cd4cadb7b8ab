// One vrrp_script as a machine: when it runs, when it has failed, and when that changes anything.
//
// keepalived's rules (its man page, "vrrp_script"), with two differences that make it faster and steadier:
// - a run that times out has failed at its timeout, not when the killed process is finally gone;
// - runs start on a steady grid counted from the first start, so that a slow check does not shift the next one.
//
//   idle ──slot──▶ running ──exit──▶ idle            a slot that finds the last run unfinished is skipped and counted
//                     │timeout: failed, SIGTERM
//                     ▼
//                  ending ──exit: SIGKILL to what is left of the group──▶ idle
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
import type { Effect, Input, Phase, RunOutcome, ScriptTracker, ScriptTrackerConfig, Step } from "./types.ts";

/** keepalived's steps from the timeout on: SIGTERM, 2 s, SIGKILL, 2 s, SIGKILL, then one every 10 s. */
const killDelay = micros(2_000_000);
const killRepeat = micros(10_000_000);
/** A stop does not wait for a script that ignores SIGTERM: the node is leaving. */
const stopDelay = micros(500_000);

/**
 * `fresh`: as keepalived starts, `init_fail` counts. `resumed`: health was restarted or the command was changed: others
 * still hold the last value, so the first result decides whatever `init_fail` says (SAFETY S15, no flap).
 */
export function startTracker(config: ScriptTrackerConfig, now: Instant, origin: "fresh" | "resumed"): ScriptTracker {
  assert(config.rise >= 1 && config.fall >= 1, `rise and fall count from 1: ${config.rise}, ${config.fall}`);
  assert(config.interval > 0 && config.timeout > 0, "interval and timeout are above zero");
  const failed = config.initFail && origin === "fresh";
  return {
    config,
    status: failed ? "down" : "unknown",
    result: failed ? 0 : config.rise - 1,
    streak: undefined,
    phase: { kind: "idle" },
    nextRunAt: now,
    run: 0,
    lastExit: "",
    checkedAt: undefined,
    counts: { runs: 0, skipped: 0, timeouts: 0, failures: 0, finished: 0, duration: micros(0) },
  };
}

/** When the machine wants to be asked again; undefined: never. */
export function nextDeadline(state: ScriptTracker): Instant | undefined {
  const { phase } = state;
  switch (phase.kind) {
    case "idle":
      return state.nextRunAt;
    case "running":
      return earlier(state.nextRunAt, phase.timeoutAt);
    case "ending":
      return earlier(state.nextRunAt, phase.signalAt);
    case "stopping":
      return phase.signalAt;
    case "stopped":
      return undefined;
    default:
      return assertNever(phase);
  }
}

export function step(state: ScriptTracker, input: Input, now: Instant): Step {
  switch (input.type) {
    case "deadline-reached":
      return onDeadline(state, input.output, now);
    case "script-exited":
      return onExit(state, input.run, input.outcome, now);
    case "configure":
      return { state: reconfigure(state, input.config, now), effects: [] };
    case "stop":
      return onStop(state, now);
    default:
      return assertNever(input);
  }
}

const earlier = (a: Instant, b: Instant): Instant => (a < b ? a : b);

function onDeadline(state: ScriptTracker, output: string, now: Instant): Step {
  // The timeout comes before the slot: with timeout == interval both fall on the same instant, and the slot is skipped.
  const ended = endWhatIsOverdue(state, output, now);
  if (ended.state.phase.kind === "stopping" || ended.state.phase.kind === "stopped") return ended;
  if (now < ended.state.nextRunAt) return ended;
  const slotted = takeSlot(ended.state, now);
  return { state: slotted.state, effects: [...ended.effects, ...slotted.effects] };
}

function endWhatIsOverdue(state: ScriptTracker, output: string, now: Instant): Step {
  const { phase } = state;
  if (phase.kind === "running" && now >= phase.timeoutAt) {
    const exit = `timeout after ${toMillis(state.config.timeout)} ms`;
    const failed = finishRun(state, phase.startedAt, { success: false, exit, output }, now);
    const counts = { ...failed.state.counts, timeouts: failed.state.counts.timeouts + 1 };
    return {
      state: { ...failed.state, counts, phase: { kind: "ending", signals: 1, signalAt: addMicros(now, killDelay) } },
      // The event goes first: the failover that it starts does not wait for a signal to be sent.
      effects: [...failed.effects, { type: "kill-script", signal: "SIGTERM" }],
    };
  }
  if ((phase.kind === "ending" || phase.kind === "stopping") && now >= phase.signalAt) {
    const delay = phase.signals === 1 ? killDelay : killRepeat;
    const next: Phase = { kind: phase.kind, signals: phase.signals + 1, signalAt: addMicros(now, delay) };
    return { state: { ...state, phase: next }, effects: [{ type: "kill-script", signal: "SIGKILL" }] };
  }
  return { state, effects: [] };
}

/** One slot, or several when this process was late: at most one run comes of them, the others were skipped. */
function takeSlot(state: ScriptTracker, now: Instant): Step {
  const { interval, timeout } = state.config;
  const slots = Math.floor(microsSince(now, state.nextRunAt) / interval) + 1;
  const nextRunAt = addMicros(state.nextRunAt, slots * interval);
  if (state.phase.kind !== "idle") {
    return { state: { ...state, nextRunAt, counts: skip(state, slots) }, effects: [] };
  }
  const run = state.run + 1;
  const counts = { ...skip(state, slots - 1), runs: state.counts.runs + 1 };
  const phase: Phase = { kind: "running", startedAt: now, timeoutAt: addMicros(now, timeout) };
  return { state: { ...state, run, nextRunAt, counts, phase }, effects: [{ type: "run-script", run }] };
}

const skip = (state: ScriptTracker, slots: number) => ({ ...state.counts, skipped: state.counts.skipped + slots });

function onExit(state: ScriptTracker, run: number, outcome: RunOutcome, now: Instant): Step {
  if (run !== state.run) return { state, effects: [] };
  const { phase } = state;
  switch (phase.kind) {
    case "running": {
      const finished = finishRun(state, phase.startedAt, outcome, now);
      return { state: { ...finished.state, phase: { kind: "idle" } }, effects: finished.effects };
    }
    // Its outcome was decided at the timeout. The leader is gone; its children go with it.
    case "ending":
      return { state: { ...state, phase: { kind: "idle" } }, effects: [{ type: "kill-script", signal: "SIGKILL" }] };
    case "stopping":
      return { state: { ...state, phase: { kind: "stopped" } }, effects: [{ type: "kill-script", signal: "SIGKILL" }] };
    case "idle":
    case "stopped":
      return { state, effects: [] };
    default:
      return assertNever(phase);
  }
}

function onStop(state: ScriptTracker, now: Instant): Step {
  const { phase } = state;
  if (phase.kind === "stopping" || phase.kind === "stopped") return { state, effects: [] };
  if (phase.kind === "idle") return { state: { ...state, phase: { kind: "stopped" } }, effects: [] };
  const stopping: Phase = { kind: "stopping", signals: 1, signalAt: addMicros(now, stopDelay) };
  return { state: { ...state, phase: stopping }, effects: [{ type: "kill-script", signal: "SIGTERM" }] };
}

/** Books a finished run; the phase is left to the caller. */
function finishRun(state: ScriptTracker, startedAt: Instant, outcome: RunOutcome, now: Instant): Step {
  const took = microsSince(now, startedAt);
  const counted = count(state, outcome, took, now);
  const judged = outcome.success ? judgeSuccess(counted) : judgeFailure(counted);
  if (judged.status === state.status) return { state: judged, effects: [] };
  return { state: judged, effects: [transition(judged, startedAt, outcome, took)] };
}

function count(state: ScriptTracker, outcome: RunOutcome, took: Micros, now: Instant): ScriptTracker {
  const before = state.streak?.success === outcome.success ? state.streak.runs : 0;
  const { counts } = state;
  return {
    ...state,
    streak: { success: outcome.success, runs: before + 1 },
    lastExit: outcome.exit,
    checkedAt: now,
    counts: {
      ...counts,
      finished: counts.finished + 1,
      failures: counts.failures + (outcome.success ? 0 : 1),
      duration: micros(counts.duration + took),
    },
  };
}

function judgeSuccess(state: ScriptTracker): ScriptTracker {
  const { rise, fall } = state.config;
  if (state.result < rise - 1) return { ...state, result: state.result + 1 };
  return { ...state, status: "up", result: rise + fall - 1 };
}

function judgeFailure(state: ScriptTracker): ScriptTracker {
  if (state.result > state.config.rise) return { ...state, result: state.result - 1 };
  return { ...state, status: "down", result: 0 };
}

function transition(state: ScriptTracker, startedAt: Instant, outcome: RunOutcome, took: Micros): Effect {
  const { name } = state.config;
  const durationMs = toMillis(took);
  const runs = state.streak?.runs ?? 0;
  if (outcome.success) {
    const data = { script: name, durationMs, successes: runs };
    return { type: "append-event", event: { type: "script-succeeded", data }, startedAt };
  }
  const data = { script: name, exit: outcome.exit, durationMs, output: outcome.output, failures: runs };
  return { type: "append-event", event: { type: "script-failed", data }, startedAt };
}

/**
 * New numbers for a running tracker: the status stays, and the way already gone towards the other one is kept in
 * proportion, so that a reload neither flaps nor resets a count. A changed interval starts from the slot last taken.
 */
function reconfigure(state: ScriptTracker, config: ScriptTrackerConfig, now: Instant): ScriptTracker {
  const lastSlot = addMicros(state.nextRunAt, -state.config.interval);
  const moved = addMicros(lastSlot, config.interval);
  const nextRunAt = config.interval === state.config.interval ? state.nextRunAt : moved > now ? moved : now;
  const { phase } = state;
  const timed: Phase =
    phase.kind === "running" ? { ...phase, timeoutAt: addMicros(phase.startedAt, config.timeout) } : phase;
  return { ...state, config, result: scaleResult(state, config), nextRunAt, phase: timed };
}

function scaleResult(state: ScriptTracker, config: ScriptTrackerConfig): number {
  const old = state.config;
  switch (state.status) {
    case "unknown":
      return config.rise - 1;
    case "down":
      return Math.min(Math.floor((state.result * config.rise) / old.rise), config.rise - 1);
    case "up": {
      const failures = old.rise + old.fall - 1 - state.result;
      const scaled = Math.min(Math.floor((failures * config.fall) / old.fall), config.fall - 1);
      return config.rise + config.fall - 1 - scaled;
    }
    default:
      return assertNever(state.status);
  }
}

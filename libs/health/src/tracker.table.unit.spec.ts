// Every phase x every input, with the exact effects in order: the specification of a track script.
import { instant, micros } from "@baton/domain";
import { expect, test } from "vitest";
import { nextDeadline, startTracker, step } from "./tracker.ts";
import type { Effect, Input, Phase, RunOutcome, ScriptTracker, ScriptTrackerConfig } from "./types.ts";

const second = 1_000_000;
const at = (seconds: number) => instant(Math.round(100 * second + seconds * second));
const config: ScriptTrackerConfig = {
  name: "chk",
  interval: micros(second),
  timeout: micros(second),
  rise: 1,
  fall: 1,
  initFail: false,
};
const fresh = (over: Partial<ScriptTrackerConfig> = {}) => startTracker({ ...config, ...over }, at(0), "fresh");
const given = (phase: Phase, over: Partial<ScriptTracker> = {}): ScriptTracker => ({
  ...fresh(),
  run: 1,
  nextRunAt: at(1),
  phase,
  counts: { ...fresh().counts, runs: 1 },
  ...over,
});
const running: Phase = { kind: "running", startedAt: at(0), timeoutAt: at(0.5) };
const ending: Phase = { kind: "ending", signals: 1, signalAt: at(2.5) };
const stopping: Phase = { kind: "stopping", signals: 1, signalAt: at(0.5) };
const stopped: Phase = { kind: "stopped" };
const idle: Phase = { kind: "idle" };
const deadline: Input = { type: "deadline-reached", output: "half a line" };
const ok: RunOutcome = { success: true, exit: "exit 0", output: "" };
const ko: RunOutcome = { success: false, exit: "exit 1", output: "no haproxy" };
const exited = (outcome: RunOutcome, run = 1): Input => ({ type: "script-exited", run, outcome });
const failed = (exit: string, durationMs: number, output: string, failures = 1, startedAt = at(0)): Effect => ({
  type: "append-event",
  event: { type: "script-failed", data: { script: "chk", exit, durationMs, output, failures } },
  startedAt,
});
const succeeded = (durationMs: number, successes = 1): Effect => ({
  type: "append-event",
  event: { type: "script-succeeded", data: { script: "chk", durationMs, successes } },
  startedAt: at(0),
});
const term: Effect = { type: "kill-script", signal: "SIGTERM" };
const kill: Effect = { type: "kill-script", signal: "SIGKILL" };

interface Row {
  readonly name: string;
  readonly given: ScriptTracker;
  readonly when: Input;
  readonly now: number;
  readonly becomes: Partial<ScriptTracker>;
  readonly effects: readonly Effect[];
}
const unchanged = {};

const rows: Row[] = [
  {
    name: "idle/deadline/first-slot runs at once",
    given: fresh(),
    when: deadline,
    now: 0,
    becomes: { phase: { kind: "running", startedAt: at(0), timeoutAt: at(1) }, nextRunAt: at(1), run: 1 },
    effects: [{ type: "run-script", run: 1 }],
  },
  {
    name: "idle/deadline/early changes nothing",
    given: given(idle),
    when: deadline,
    now: 0.9995,
    becomes: unchanged,
    effects: [],
  },
  {
    name: "idle/deadline/late by three slots is one run and stays on the grid",
    given: given(idle),
    when: deadline,
    now: 4.2,
    becomes: {
      run: 2,
      nextRunAt: at(5),
      phase: { kind: "running", startedAt: at(4.2), timeoutAt: at(5.2) },
      counts: { ...fresh().counts, runs: 2, skipped: 3 },
    },
    effects: [{ type: "run-script", run: 2 }],
  },
  { name: "idle/exited/a stranger", given: given(idle), when: exited(ok), now: 0.1, becomes: unchanged, effects: [] },
  {
    name: "idle/stop",
    given: given(idle),
    when: { type: "stop" },
    now: 0.1,
    becomes: { phase: stopped },
    effects: [],
  },
  {
    name: "running/exited/first success decides",
    given: given(running),
    when: exited(ok),
    now: 0.02,
    becomes: { phase: idle, status: "up", result: 1, lastExit: "exit 0", checkedAt: at(0.02) },
    effects: [succeeded(20)],
  },
  {
    name: "running/exited/first failure decides",
    given: given(running),
    when: exited(ko),
    now: 0.02,
    becomes: { phase: idle, status: "down", result: 0, lastExit: "exit 1" },
    effects: [failed("exit 1", 20, "no haproxy")],
  },
  {
    name: "running/exited/same status is no event",
    given: given(running, { status: "up", result: 1, streak: { success: true, runs: 7 } }),
    when: exited(ok),
    now: 0.02,
    becomes: { phase: idle, status: "up", streak: { success: true, runs: 8 } },
    effects: [],
  },
  {
    name: "running/exited/an older run is ignored",
    given: given(running, { run: 2 }),
    when: exited(ko, 1),
    now: 0.02,
    becomes: unchanged,
    effects: [],
  },
  {
    name: "running/deadline/timeout fails at once and ends the group",
    given: given(running),
    when: deadline,
    now: 0.5,
    becomes: {
      phase: { kind: "ending", signals: 1, signalAt: at(2.5) },
      status: "down",
      lastExit: "timeout after 1000 ms",
      counts: { ...fresh().counts, runs: 1, timeouts: 1, failures: 1, finished: 1, duration: micros(second / 2) },
    },
    effects: [failed("timeout after 1000 ms", 500, "half a line"), term],
  },
  {
    name: "running/deadline/timeout on a slot: the slot is skipped",
    given: given({ kind: "running", startedAt: at(0), timeoutAt: at(1) }, { status: "down", result: 0 }),
    when: deadline,
    now: 1,
    becomes: { phase: { kind: "ending", signals: 1, signalAt: at(3) }, nextRunAt: at(2) },
    effects: [term],
  },
  {
    name: "running/deadline/slot while running is skipped and counted",
    given: given({ kind: "running", startedAt: at(0), timeoutAt: at(5) }),
    when: deadline,
    now: 1,
    becomes: { nextRunAt: at(2), counts: { ...fresh().counts, runs: 1, skipped: 1 } },
    effects: [],
  },
  {
    name: "running/stop",
    given: given(running),
    when: { type: "stop" },
    now: 0.1,
    becomes: { phase: { kind: "stopping", signals: 1, signalAt: at(0.6) } },
    effects: [term],
  },
  {
    name: "ending/deadline/SIGKILL after 2 s",
    given: given(ending, { nextRunAt: at(9) }),
    when: deadline,
    now: 2.5,
    becomes: { phase: { kind: "ending", signals: 2, signalAt: at(4.5) } },
    effects: [kill],
  },
  {
    name: "ending/deadline/again, then every 10 s",
    given: given({ kind: "ending", signals: 2, signalAt: at(4.5) }, { nextRunAt: at(9) }),
    when: deadline,
    now: 4.5,
    becomes: { phase: { kind: "ending", signals: 3, signalAt: at(14.5) } },
    effects: [kill],
  },
  {
    name: "ending/deadline/slot is skipped",
    given: given(ending),
    when: deadline,
    now: 1,
    becomes: { nextRunAt: at(2), counts: { ...fresh().counts, runs: 1, skipped: 1 } },
    effects: [],
  },
  {
    name: "ending/exited/exit 0 of a timed out run is no success, its children go",
    given: given(ending, { status: "down", result: 0 }),
    when: exited(ok),
    now: 0.6,
    becomes: { phase: idle, status: "down", result: 0 },
    effects: [kill],
  },
  {
    name: "ending/stop",
    given: given(ending),
    when: { type: "stop" },
    now: 0.7,
    becomes: { phase: { kind: "stopping", signals: 1, signalAt: at(1.2) } },
    effects: [term],
  },
  {
    name: "stopping/deadline/SIGKILL, and no slot any more",
    given: given(stopping, { nextRunAt: at(0.4) }),
    when: deadline,
    now: 0.5,
    becomes: { phase: { kind: "stopping", signals: 2, signalAt: at(2.5) }, nextRunAt: at(0.4) },
    effects: [kill],
  },
  {
    name: "stopping/exited/its outcome decides nothing",
    given: given(stopping, { status: "up", result: 1 }),
    when: exited(ko),
    now: 0.2,
    becomes: { phase: stopped, status: "up" },
    effects: [kill],
  },
  {
    name: "stopping/stop",
    given: given(stopping),
    when: { type: "stop" },
    now: 0.2,
    becomes: unchanged,
    effects: [],
  },
  { name: "stopped/deadline", given: given(stopped), when: deadline, now: 9, becomes: unchanged, effects: [] },
  { name: "stopped/exited", given: given(stopped), when: exited(ko), now: 9, becomes: unchanged, effects: [] },
  { name: "stopped/stop", given: given(stopped), when: { type: "stop" }, now: 9, becomes: unchanged, effects: [] },
];

for (const row of rows) {
  test(row.name, () => {
    const next = step(row.given, row.when, at(row.now));
    expect(next.effects).toEqual(row.effects);
    expect(next.state).toMatchObject(row.becomes);
    if (row.becomes === unchanged) expect(next.state).toEqual(row.given);
  });
}

test("each phase meets each input in the table", () => {
  const phases: Phase["kind"][] = ["idle", "running", "ending", "stopping", "stopped"];
  const inputs: Input["type"][] = ["deadline-reached", "script-exited", "stop"];
  for (const phase of phases)
    for (const input of inputs)
      expect(
        rows.some((row) => row.given.phase.kind === phase && row.when.type === input),
        `${phase}/${input}`,
      ).toBe(true);
});

// The counter, run by run: o is success, x is failure; the digits are keepalived's result after each run.
const counters: { over: Partial<ScriptTrackerConfig>; runs: string; results: number[]; status: string[] }[] = [
  { over: { rise: 1, fall: 1 }, runs: "oxo", results: [1, 0, 1], status: ["up", "down", "up"] },
  {
    over: { rise: 2, fall: 3 },
    runs: "oxxoxxxoo",
    results: [4, 3, 2, 4, 3, 2, 0, 1, 4],
    status: ["up", "up", "up", "up", "up", "up", "down", "down", "up"],
  },
  {
    over: { rise: 3, fall: 1 },
    runs: "xooxooo",
    results: [0, 1, 2, 0, 1, 2, 3],
    status: ["down", "down", "down", "down", "down", "down", "up"],
  },
  { over: { rise: 2, fall: 1, initFail: true }, runs: "oo", results: [1, 2], status: ["down", "up"] },
  { over: { rise: 2, fall: 1, initFail: true }, runs: "xoo", results: [0, 1, 2], status: ["down", "down", "up"] },
];
for (const row of counters) {
  test(`counter ${JSON.stringify(row.over)} ${row.runs}`, () => {
    let state = fresh(row.over);
    const seen: { result: number; status: string }[] = [];
    for (const letter of row.runs) {
      const now = nextDeadline(state) ?? at(0);
      state = step(state, deadline, now).state;
      state = step(state, exited(letter === "o" ? ok : ko, state.run), instant(now + 1000)).state;
      seen.push({ result: state.result, status: state.status });
    }
    expect(seen.map((one) => one.result)).toEqual(row.results);
    expect(seen.map((one) => one.status)).toEqual(row.status);
  });
}

test("failures and successes count the runs that led to the event", () => {
  let state: ScriptTracker = { ...fresh({ rise: 2, fall: 3 }), status: "up", result: 4 };
  const events: Effect[] = [];
  for (const outcome of [ko, ko, ko, ko, ok, ok]) {
    const now = nextDeadline(state) ?? at(0);
    state = step(state, deadline, now).state;
    const done = step(state, exited(outcome, state.run), instant(now + 2000));
    events.push(...done.effects);
    state = done.state;
  }
  expect(events.map((effect) => (effect.type === "append-event" ? effect.event : effect))).toMatchObject([
    { type: "script-failed", data: { failures: 3, exit: "exit 1", durationMs: 2 } },
    { type: "script-succeeded", data: { successes: 2, durationMs: 2 } },
  ]);
});

test("init_fail counts at a fresh start only: a restarted health must not flap", () => {
  expect(startTracker({ ...config, initFail: true, rise: 3 }, at(0), "fresh")).toMatchObject({
    status: "down",
    result: 0,
  });
  expect(startTracker({ ...config, initFail: true, rise: 3 }, at(0), "resumed")).toMatchObject({
    status: "unknown",
    result: 2,
  });
});

const reloads: {
  name: string;
  given: ScriptTracker;
  to: Partial<ScriptTrackerConfig>;
  becomes: Partial<ScriptTracker>;
}[] = [
  {
    name: "up with failures counted keeps the proportion",
    given: given(idle, { config: { ...config, fall: 4 }, status: "up", result: 2 }), // 2 of 4 failures gone
    to: { fall: 2 },
    becomes: { status: "up", result: 1 },
  },
  {
    name: "down with successes counted keeps the proportion",
    given: given(idle, { config: { ...config, rise: 4 }, status: "down", result: 2 }),
    to: { rise: 8 },
    becomes: { status: "down", result: 4 },
  },
  {
    name: "up stays up whatever the numbers",
    given: given(idle, { config: { ...config, fall: 3 }, status: "up", result: 1 }),
    to: { rise: 5, fall: 1 },
    becomes: { status: "up", result: 5 },
  },
  {
    name: "unknown: the first result still decides",
    given: given(idle),
    to: { rise: 4 },
    becomes: { status: "unknown", result: 3 },
  },
  {
    name: "a longer interval counts from the slot last taken",
    given: given(idle),
    to: { interval: micros(5 * second) },
    becomes: { nextRunAt: at(5) },
  },
  {
    name: "a shorter interval does not run slots of the past",
    given: given(idle, { config: { ...config, interval: micros(5 * second) }, nextRunAt: at(5) }),
    to: { interval: micros(second / 10) },
    becomes: { nextRunAt: at(0.5) },
  },
  {
    name: "a running script gets the new timeout",
    given: given(running),
    to: { timeout: micros(3 * second) },
    becomes: { phase: { kind: "running", startedAt: at(0), timeoutAt: at(3) } },
  },
];
for (const row of reloads) {
  test(`reload: ${row.name}`, () => {
    const next = step(row.given, { type: "configure", config: { ...config, ...row.to } }, at(0.5));
    expect(next.effects).toEqual([]);
    expect(next.state).toMatchObject(row.becomes);
  });
}

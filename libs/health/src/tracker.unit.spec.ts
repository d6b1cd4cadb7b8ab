// What holds for every tracker whatever happens to it: any configuration, any outcome, any lateness.
import { type Instant, instant, micros } from "@baton/domain";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nextDeadline, startTracker, step } from "./tracker.ts";
import type { Effect, RunOutcome, ScriptTracker, ScriptTrackerConfig } from "./types.ts";

const config: fc.Arbitrary<ScriptTrackerConfig> = fc.record({
  name: fc.constant("chk"),
  interval: fc.integer({ min: 1_000, max: 3_000_000 }).map(micros),
  timeout: fc.integer({ min: 1_000, max: 9_000_000 }).map(micros),
  rise: fc.integer({ min: 1, max: 5 }),
  fall: fc.integer({ min: 1, max: 5 }),
  initFail: fc.boolean(),
});

/** One thing that the world does: it lets the deadline pass (late by so much), or the script ends after so long. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant("deadline" as const), late: fc.integer({ min: 0, max: 8_000_000 }) }),
  fc.record({
    kind: fc.constant("exit" as const),
    after: fc.integer({ min: 0, max: 2_000_000 }),
    success: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("configure" as const), to: config }),
);
type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

interface Story {
  state: ScriptTracker;
  now: Instant;
  effects: Effect[];
}
const start = instant(5_000_000);
const outcome = (success: boolean): RunOutcome => ({ success, exit: success ? "exit 0" : "exit 1", output: "" });

function live(story: Story, what: Happening): void {
  const { state } = story;
  const due = nextDeadline(state);
  const take = (next: ReturnType<typeof step>) => {
    story.state = next.state;
    story.effects.push(...next.effects);
  };
  if (what.kind === "deadline" && due !== undefined) {
    story.now = instant(Math.max(story.now, due + what.late));
    take(step(state, { type: "deadline-reached", output: "" }, story.now));
  } else if (what.kind === "exit" && state.phase.kind !== "idle") {
    story.now = instant(story.now + what.after);
    take(step(state, { type: "script-exited", run: state.run, outcome: outcome(what.success) }, story.now));
  } else if (what.kind === "configure") {
    take(step(state, { type: "configure", config: what.to }, story.now));
  }
}

const during = (
  check: (story: Story, last: readonly Effect[], what: Happening) => void,
  origin?: "fresh" | "resumed",
) =>
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 60 }), (made, happenings) => {
      const story: Story = { state: startTracker(made, start, origin ?? "fresh"), now: start, effects: [] };
      for (const what of happenings) {
        const before = story.effects.length;
        live(story, what);
        check(story, story.effects.slice(before), what);
      }
    }),
  );

test("the counter stays within 0 and rise+fall-1, and tells the status", () => {
  during(({ state }) => {
    const { rise, fall } = state.config;
    expect(state.result).toBeGreaterThanOrEqual(0);
    expect(state.result).toBeLessThanOrEqual(rise + fall - 1);
    if (state.status !== "unknown") expect(state.result >= rise).toBe(state.status === "up");
    else expect(state.result).toBe(rise - 1);
  });
});

test("a run never starts before the one before it is gone", () => {
  let open = 0;
  during((story, last) => {
    for (const effect of last) if (effect.type === "run-script") open = effect.run;
    if (story.state.phase.kind !== "idle") expect(story.state.run).toBe(open);
    expect(last.filter((effect) => effect.type === "run-script").length).toBeLessThanOrEqual(1);
  });
});

test("after a deadline was dealt with, the next one lies ahead", () => {
  during(({ state, now }, _last, what) => {
    if (what.kind === "deadline") expect(nextDeadline(state)).toBeGreaterThan(now);
  });
});

test("every slot of the steady grid is a run or is counted as skipped", () => {
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 60 }), (made, happenings) => {
      const story: Story = { state: startTracker(made, start, "fresh"), now: start, effects: [] };
      for (const what of happenings) if (what.kind !== "configure") live(story, what);
      const slots = (story.state.nextRunAt - start) / made.interval;
      expect(Number.isInteger(slots)).toBe(true);
      expect(story.state.counts.runs + story.state.counts.skipped).toBe(slots);
      expect(story.effects.filter((effect) => effect.type === "run-script").length).toBe(story.state.counts.runs);
    }),
  );
});

test("events alternate: an event is a change of status and nothing else", () => {
  let last = "";
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 60 }), (made, happenings) => {
      const story: Story = { state: startTracker(made, start, "fresh"), now: start, effects: [] };
      last = made.initFail ? "script-failed" : "";
      for (const what of happenings) {
        const before = story.effects.length;
        const status = story.state.status;
        live(story, what);
        const events = story.effects.slice(before).filter((effect) => effect.type === "append-event");
        expect(events.length).toBe(story.state.status === status ? 0 : 1);
        for (const { event } of events) {
          expect(event.type).not.toBe(last);
          expect(event.type === "script-failed").toBe(story.state.status === "down");
          last = event.type;
        }
      }
    }),
  );
});

test("a reload changes no status and starts nothing", () => {
  fc.assert(
    fc.property(config, fc.array(happening, { maxLength: 40 }), config, (made, happenings, to) => {
      const story: Story = { state: startTracker(made, start, "fresh"), now: start, effects: [] };
      for (const what of happenings) live(story, what);
      const next = step(story.state, { type: "configure", config: to }, story.now);
      expect(next.effects).toEqual([]);
      expect(next.state.status).toBe(story.state.status);
      expect(next.state.counts).toEqual(story.state.counts);
      expect(step(next.state, { type: "configure", config: to }, story.now).state).toEqual(next.state);
    }),
  );
});

test("a script that ignores every signal is reminded for ever, ever less often", () => {
  let state = startTracker(
    { name: "hung", interval: micros(3_600_000_000), timeout: micros(1_000_000), rise: 1, fall: 1, initFail: false },
    start,
    "fresh",
  );
  const signals: string[] = [];
  for (let turn = 0; turn < 6; turn += 1) {
    const now = nextDeadline(state);
    if (now === undefined) throw new Error("a deadline was expected");
    const next = step(state, { type: "deadline-reached", output: "" }, now);
    state = next.state;
    for (const effect of next.effects)
      if (effect.type === "kill-script") signals.push(`${(now - start) / 1_000_000} ${effect.signal}`);
  }
  expect(signals).toEqual(["1 SIGTERM", "3 SIGKILL", "5 SIGKILL", "15 SIGKILL", "25 SIGKILL"]);
});

// Stories of one checker each, with verdict, attempt and wait after every result: the specification, by type.
import { instant, micros } from "@baton/domain";
import { describe, expect, test } from "vitest";
import { nextCheckDeadline, startCheck, stepCheck } from "./checker.ts";
import type { ProbeOutcome } from "./outcome.ts";
import { isProbed, reloadChecks } from "./reload.ts";
import type { CheckConfig, CheckEffect, Checker, CheckMoment } from "./types.ts";

const second = 1_000_000;
const at = (seconds: number) => instant(Math.round((100 + seconds) * second));
const moment = (seconds: number, random = 0): CheckMoment => ({ now: at(seconds), random });
const config: CheckConfig = {
  type: "TCP_CHECK",
  name: "TCP_CHECK 10.0.0.1:80",
  identity: "TCP_CHECK 10.0.0.1:80",
  alpha: false,
  delayLoop: micros(6 * second),
  warmup: micros(4 * second),
  retry: 1,
  delayBeforeRetry: micros(2 * second),
  logAllFailures: false,
  urls: 1,
  fastRecovery: false,
  jitter: 0,
};
const took = micros(10_000);
const ok: ProbeOutcome = { ok: true, durationMicros: took };
const ko: ProbeOutcome = { ok: false, durationMicros: took, reason: "refused", errno: "ECONNREFUSED" };
const local: ProbeOutcome = { ok: undefined, reason: "socket", errno: "EMFILE" };
const weighs = (weight: number): ProbeOutcome => ({ ok: true, durationMicros: took, weight });

const words = (effect: CheckEffect): string => {
  switch (effect.type) {
    case "report":
      return `${effect.news} ${effect.up ? "up" : "down"}${effect.weight === undefined ? "" : ` ${effect.weight.weight}`}`;
    case "append-event":
      return effect.event.type === "check-succeeded"
        ? effect.event.type
        : `${effect.event.type} ${effect.event.data.attempt}`;
    case "run-probe":
      return `run ${effect.run}`;
    case "cancel-probe":
      return `cancel ${effect.run}`;
  }
};

/** Waits for the next attempt, and lets it end 0.01 s later: `1: wait 2 | effects`. */
function attempt(state: Checker, outcome: ProbeOutcome): { state: Checker; line: string } {
  const due = nextCheckDeadline(state);
  if (due === undefined) throw new Error("nothing is due");
  const running = stepCheck(state, { type: "deadline-reached" }, { now: due, random: 0 });
  const { run } = running.state;
  expect(running.effects).toEqual([{ type: "run-probe", run, url: state.url }]);
  const ended = instant(due + took);
  const done = stepCheck(running.state, { type: "probed", run, outcome }, { now: ended, random: 0 });
  const wait = ((nextCheckDeadline(done.state) ?? ended) - ended) / second;
  const told = done.effects.map(words).join(", ");
  return { state: done.state, line: `${done.state.up ? "up" : "down"} wait ${wait}${told === "" ? "" : ` | ${told}`}` };
}

function story(
  over: Partial<CheckConfig>,
  outcomes: readonly ProbeOutcome[],
  origin: "start" | "reload" = "start",
): string[] {
  const lines: string[] = [];
  let state = startCheck({ ...config, ...over }, origin, moment(0));
  for (const outcome of outcomes) {
    const next = attempt(state, outcome);
    state = next.state;
    lines.push(next.line);
  }
  return lines;
}

describe("every type but GETs", () => {
  test.each(["TCP_CHECK", "UDP_CHECK", "PING_CHECK", "DNS_CHECK"] as const)("%s", (type) => {
    expect(story({ type }, [ok, ko, ko, ko, ok, ko, ok, ko, ko])).toEqual([
      "up wait 6",
      "up wait 2",
      "down wait 6 | check-failed 2, changed down",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
      "up wait 2",
      "up wait 6",
      "up wait 2",
      "down wait 6 | check-failed 2, changed down",
    ]);
  });

  test("the first failure of all decides at once", () => {
    expect(story({ retry: 5 }, [ko, ok, ko])).toEqual([
      "down wait 6 | check-failed 1, changed down",
      "up wait 6 | check-succeeded, changed up",
      "up wait 2",
    ]);
  });

  test("retry 0: each failure decides", () => {
    expect(story({ retry: 0 }, [ok, ko, ok])).toEqual([
      "up wait 6",
      "down wait 6 | check-failed 1, changed down",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("alpha: down until the first success; a first failure is told, once", () => {
    expect(story({ alpha: true }, [ok, ko])).toEqual(["up wait 6 | check-succeeded, changed up", "up wait 2"]);
    expect(story({ alpha: true }, [ko, ko, ok])).toEqual([
      "down wait 6 | check-failed 1, confirmed down",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("added at a reload it has all its retries", () => {
    expect(story({ retry: 2 }, [ko, ko, ko], "reload")).toEqual([
      "up wait 2",
      "up wait 2",
      "down wait 6 | check-failed 3, changed down",
    ]);
  });

  test("a fault of this machine says nothing of the server", () => {
    expect(story({ retry: 1 }, [ok, local, ko, local, ko, local, ok])).toEqual([
      "up wait 6",
      "up wait 6",
      "up wait 2",
      "up wait 6",
      "down wait 6 | check-failed 2, changed down",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("log_all_failures tells every failed attempt while the check has not failed", () => {
    expect(story({ retry: 2, logAllFailures: true }, [ok, ko, ko, ko, ko])).toEqual([
      "up wait 6",
      "up wait 2 | check-attempt-failed 1",
      "up wait 2 | check-attempt-failed 2",
      "down wait 6 | check-failed 3, changed down",
      "down wait 6",
    ]);
  });
});

test("SMTP_CHECK retries from the start on, and while it is down", () => {
  expect(story({ type: "SMTP_CHECK" }, [ko, ko, ko, ko, ok, ko, local, ko, ko])).toEqual([
    "up wait 2",
    "down wait 6 | check-failed 2, changed down",
    "down wait 2",
    "down wait 6",
    "up wait 6 | check-succeeded, changed up",
    "up wait 2",
    "up wait 6",
    "up wait 2",
    "down wait 6 | check-failed 3, changed down",
  ]);
});

test("SMTP_CHECK with alpha: its first failure is told after the retries", () => {
  expect(story({ type: "SMTP_CHECK", alpha: true }, [ko, ko, ko])).toEqual([
    "down wait 2",
    "down wait 6 | check-failed 2, confirmed down",
    "down wait 2",
  ]);
});

test("alpha on a server that a reload has added: one failure makes it known as failed; DNS_CHECK comes back sooner", () => {
  const added = (type: CheckConfig["type"]) => {
    const next = { ...config, type, alpha: true };
    const [first] = reloadChecks([], [next], "added", moment(0)).checks;
    if (first === undefined || !isProbed(first)) throw new Error("it is probed");
    const once = attempt(first, ko);
    return [once.line, attempt(once.state, ko).line];
  };
  expect(added("TCP_CHECK")).toEqual(["down wait 6", "down wait 6"]);
  expect(added("DNS_CHECK")).toEqual(["down wait 2", "down wait 6"]);
});

describe("MISC_CHECK", () => {
  test("counts its waits from the start of the program", () => {
    expect(story({ type: "MISC_CHECK" }, [ok, ko, ko])).toEqual([
      "up wait 5.99",
      "up wait 1.99",
      "down wait 5.99 | check-failed 2, changed down",
    ]);
  });

  test("a program that takes longer than delay_loop runs again at once", () => {
    const waiting = startCheck({ ...config, type: "MISC_CHECK" }, "start", moment(0));
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1));
    const outcome: ProbeOutcome = { ok: true, durationMicros: micros(9 * second) };
    const done = stepCheck(running.state, { type: "probed", run: 1, outcome }, moment(10));
    expect(nextCheckDeadline(done.state)).toBe(at(10));
    expect(done.state.last).toEqual({ outcome, startedAt: at(1), endedAt: at(10), lateness: 0 });
  });

  test("its weight is told when it changes, kept during retries, and gone with the failure", () => {
    const type = "MISC_CHECK";
    expect(story({ type }, [weighs(7), weighs(7), weighs(3), ko, weighs(3), ko, ko, weighs(3), ok])).toEqual([
      "up wait 5.99 | weight up 7",
      "up wait 5.99",
      "up wait 5.99 | weight up 3",
      "up wait 1.99",
      "up wait 5.99",
      "up wait 1.99",
      "down wait 5.99 | check-failed 2, changed down",
      "up wait 5.99 | check-succeeded, changed up 3",
      "up wait 5.99 | weight up",
    ]);
  });
});

describe.each(["HTTP_GET", "SSL_GET"] as const)("%s", (type) => {
  const three = { type, urls: 3, delayBeforeRetry: micros(8 * second) };

  test("one url each delay_loop; down after the retries of one; that one alone; then all of them", () => {
    expect(story(three, [ok, ok, ok, ok, ko, ko, ko, ok, ok, ok, ok])).toEqual([
      "up wait 6",
      "up wait 6",
      "up wait 6",
      "up wait 6",
      "up wait 8",
      "down wait 8 | check-failed 2, changed down",
      "down wait 8",
      "down wait 6",
      "down wait 6",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("which url is tried", () => {
    let state = startCheck({ ...config, ...three }, "start", moment(0));
    const urls = [ok, ko, ko, ok, ok, ok, ok, ok].map((outcome) => {
      const { url } = state;
      state = attempt(state, outcome).state;
      return url;
    });
    expect(urls).toEqual([0, 1, 1, 1, 0, 1, 2, 0]);
  });

  test("a failed url waits no shorter than delay_loop", () => {
    expect(story({ type }, [ok, ko, ko, ko])).toEqual([
      "up wait 6",
      "up wait 2",
      "down wait 6 | check-failed 2, changed down",
      "down wait 6",
    ]);
  });

  test("a failure within the first round decides at once", () => {
    expect(story(three, [ok, ok, ko])).toEqual([
      "up wait 6",
      "up wait 6",
      "down wait 8 | check-failed 1, changed down",
    ]);
  });

  test("alpha: up after the first round; a failure before tells nobody", () => {
    expect(story({ ...three, alpha: true }, [ok, ok, ok])).toEqual([
      "down wait 6",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
    ]);
    expect(story({ type, alpha: true }, [ko, ok, ok])).toEqual([
      "down wait 6",
      "down wait 6",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("fast_recovery leaves out the waits between successes on the way up, never those after a failure", () => {
    const fast = { ...three, fastRecovery: true };
    expect(story(fast, [ok, ok, ok, ok])).toEqual(["up wait 0", "up wait 0", "up wait 6", "up wait 6"]);
    expect(story(fast, [ko, ok, ok, ko, ko, ok, ok])).toEqual([
      "down wait 8 | check-failed 1, changed down",
      "down wait 0",
      "down wait 0",
      "down wait 8",
      "down wait 8",
      "down wait 0",
      "up wait 6 | check-succeeded, changed up",
    ]);
  });

  test("delay_before_retry 0 is no storm on a url that fails on the way up", () => {
    const eager = { ...three, delayBeforeRetry: micros(0), fastRecovery: true };
    expect(story(eager, [ok, ok, ok, ko, ko, ok, ko])).toEqual([
      "up wait 0",
      "up wait 0",
      "up wait 6",
      "up wait 0",
      "down wait 6 | check-failed 2, changed down",
      "down wait 0",
      "down wait 6",
    ]);
  });
});

describe("schedule", () => {
  test("the first run: a second, and the given part of warmup", () => {
    expect(nextCheckDeadline(startCheck(config, "start", moment(0, 0)))).toBe(at(1));
    expect(nextCheckDeadline(startCheck(config, "start", moment(0, 0.5)))).toBe(at(3));
  });

  test("jitter shortens a wait by its share", () => {
    const waiting = startCheck({ ...config, jitter: 0.5 }, "start", moment(0));
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1)).state;
    const done = stepCheck(running, { type: "probed", run: 1, outcome: ok }, moment(2, 0.5)).state;
    expect(nextCheckDeadline(done)).toBe(at(2 + 6 * 0.75));
  });

  test("a deadline too early, a result of another run and a deadline during a run do nothing", () => {
    const waiting = startCheck(config, "start", moment(0));
    expect(stepCheck(waiting, { type: "deadline-reached" }, moment(0.9))).toEqual({ state: waiting, effects: [] });
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1)).state;
    expect(nextCheckDeadline(running)).toBeUndefined();
    expect(stepCheck(running, { type: "deadline-reached" }, moment(99))).toEqual({ state: running, effects: [] });
    expect(stepCheck(running, { type: "probed", run: 7, outcome: ko }, moment(2))).toEqual({
      state: running,
      effects: [],
    });
  });

  test("lateness is from when it was due until the probe began, wherever it waited", () => {
    const waiting = startCheck(config, "start", moment(0));
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1.5)).state;
    const outcome: ProbeOutcome = { ok: true, durationMicros: micros(second / 2) };
    const done = stepCheck(running, { type: "probed", run: 1, outcome }, moment(4)).state;
    expect(done.last).toMatchObject({ startedAt: at(3.5), endedAt: at(4), lateness: 2.5 * second });
    expect(done.counts).toEqual({ runs: 1, failures: 0, obstacles: 0 });
  });

  test("suspended: what runs still counts, nothing new begins, and the grid of delay_loop goes on", () => {
    const waiting = startCheck(config, "start", moment(0));
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1)).state;
    const suspended = stepCheck(running, { type: "suspend" }, moment(1)).state;
    const failed = stepCheck(suspended, { type: "probed", run: 1, outcome: ko }, moment(2));
    expect(failed.state.up).toBe(false);
    expect(nextCheckDeadline(failed.state)).toBeUndefined();
    expect(stepCheck(failed.state, { type: "deadline-reached" }, moment(9)).effects).toEqual([]);
    const early = stepCheck(failed.state, { type: "resume" }, moment(5)).state;
    expect(nextCheckDeadline(early)).toBe(at(8));
    const late = stepCheck(failed.state, { type: "resume" }, moment(15)).state;
    expect(nextCheckDeadline(late)).toBe(at(20));
  });

  test("stop cancels what runs, and nothing follows", () => {
    const waiting = startCheck(config, "start", moment(0));
    expect(stepCheck(waiting, { type: "stop" }, moment(1)).effects).toEqual([]);
    const running = stepCheck(waiting, { type: "deadline-reached" }, moment(1)).state;
    const stopped = stepCheck(running, { type: "stop" }, moment(1));
    expect(stopped.effects).toEqual([{ type: "cancel-probe", run: 1 }]);
    expect(stepCheck(stopped.state, { type: "probed", run: 1, outcome: ko }, moment(2)).effects).toEqual([]);
    expect(nextCheckDeadline(stopped.state)).toBeUndefined();
  });
});

test("an event says what happened", () => {
  const outcome: ProbeOutcome = {
    ok: false,
    durationMicros: micros(12_500),
    reason: "wrong-status",
    status: 503,
    excerpt: "no backend",
  };
  const waiting = startCheck({ ...config, type: "HTTP_GET", urls: 2 }, "start", moment(0));
  const first = attempt(waiting, ok).state;
  const running = stepCheck(first, { type: "deadline-reached" }, moment(60)).state;
  expect(stepCheck(running, { type: "probed", run: 2, outcome }, moment(61)).effects[0]).toEqual({
    type: "append-event",
    event: {
      type: "check-failed",
      data: {
        check: config.name,
        reason: "wrong-status",
        errno: "",
        status: 503,
        excerpt: "no backend",
        detail: "",
        durationMs: 12.5,
        attempt: 1,
        url: 1,
      },
    },
  });
});

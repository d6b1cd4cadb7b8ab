// What must hold whatever comes, in whatever order: random inputs against one machine, with clocks that jump and
// deadlines that fire early, late and twice.
import { type BatonEventType, type Instant, instant, type Micros, micros, parseIp, term, vrid } from "@baton/domain";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { initialState, movesLeaseOnly, nextDeadline, step } from "./election.ts";
import { awaitsFirstResult, faultCauses } from "./priority.ts";
import { atPriority, config, higherAddress, lowerAddress, own, script } from "./table/world.ts";
import { announceLimit, announcementsInRow, successorWait } from "./timers.ts";
import type { Effect, ElectionConfig, ElectionState, Input, TrackerConfig } from "./types.ts";

// Many runs each; how fast they are is no matter, and the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const second = 1_000_000;

interface Move {
  /** Time that passes before; `"deadline"`: exactly until the machine's own deadline. */
  readonly wait: Micros | "deadline";
  readonly input: (state: ElectionState, now: Instant) => Input;
}

const always =
  (input: Input): Move["input"] =>
  () =>
    input;

const configs: fc.Arbitrary<ElectionConfig> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    priority: fc.oneof(fc.integer({ min: 1, max: 254 }), fc.constant(255)),
    centiseconds: fc.constantFrom(1, 10, 100, 500),
    downTimerAdverts: fc.integer({ min: 1, max: 5 }),
    preempt: fc.boolean(),
    preemptDelay: fc.constantFrom(0, second, 10 * second),
    trackers: fc.subarray<TrackerConfig>([
      script(-2),
      { ...script(0), name: "fatal" },
      { ...script(50), name: "bonus" },
    ]),
    trackPrimary: fc.boolean(),
    lowerPriorityNoAdvert: fc.boolean(),
  })
  .map(({ priority, centiseconds, preemptDelay, ...rest }) => ({
    ...config,
    ...rest,
    priority: atPriority(priority),
    advertInterval: micros(rest.version === 2 ? Math.max(1, centiseconds / 100) * second : centiseconds * 10_000),
    preemptDelay: micros(preemptDelay),
  }));

const addresses = [own, lowerAddress, higherAddress];

const adverts = fc
  .record({
    priority: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 255 })),
    centiseconds: fc.constantFrom(1, 100, 300),
    source: fc.constantFrom(...addresses),
  })
  .map(({ priority, centiseconds, source }): Move["input"] =>
    always({
      type: "advertisement-received",
      advert: {
        version: 2,
        vrid: vrid(51),
        priority,
        advertInterval: micros(centiseconds * 10_000),
        addresses: [],
      },
      source,
      wireId: 1,
    }),
  );

/** Mostly about the term that is held, sometimes about an older one; sent up to 3 s ago. */
const answers = fc
  .record({
    type: fc.constantFrom(
      ...(["lease-confirmed", "lease-applying", "addresses-failed", "lease-lost", "addresses-released"] as const),
    ),
    reason: fc.constantFrom("refused" as const, "released" as const),
    behind: fc.constantFrom(0, 0, 0, 1),
    age: fc.integer({ min: 0, max: 3 * second }),
  })
  .map(({ type, reason, behind, age }): Move["input"] => (state, now): Input => {
    const about = term(Math.max(0, state.highestTerm - behind));
    const sentAt = instant(Math.max(0, now - age));
    switch (type) {
      case "lease-confirmed":
        return { type: "lease-confirmed", term: about, sentAt };
      case "lease-applying":
        return { type: "lease-applying", term: about, sentAt };
      case "addresses-failed":
        return { type, term: about, sentAt, detail: "as tested" };
      case "lease-lost":
        return { type: "lease-lost", term: about, reason, detail: "" };
      default:
        return { type: "addresses-released", term: about };
    }
  });

const others: fc.Arbitrary<Move["input"]> = fc.oneof(
  fc
    .record({
      name: fc.constantFrom("chk", "fatal", "bonus", "foreign"),
      status: fc.constantFrom("up", "down", "unknown"),
    })
    .map(({ name, status }) =>
      always({ type: "tracker-changed", kind: "script", name, status, cause: undefined } as Input),
    ),
  fc.boolean().map((stale) => always({ type: "tracker-stale", kind: "script", name: "chk", stale })),
  fc.boolean().map((up) => always({ type: "interface-changed", up })),
  fc
    .constantFrom("10.0.0.5", "10.0.0.6", undefined)
    .map((text) =>
      always({ type: "primary-address-changed", address: text === undefined ? undefined : parseIp(text) }),
    ),
  fc.integer({ min: 0, max: 50 }).map((highest) => always({ type: "dataplane-connected", highestTerm: term(highest) })),
  fc.constant(always({ type: "dataplane-disconnected" })),
  fc
    .record({ priority: fc.constantFrom(1, 100, 254, 255), centiseconds: fc.constantFrom(100, 300) })
    .map(({ priority, centiseconds }): Move["input"] => (state) => ({
      type: "configure",
      config: {
        ...state.config,
        priority: atPriority(priority),
        advertInterval: micros(centiseconds * 10_000),
      },
    })),
);

const starts = fc
  .record({
    up: fc.boolean(),
    address: fc.boolean(),
    dataplane: fc.boolean(),
    highest: fc.integer({ min: 0, max: 20 }),
    resume: fc.option(
      fc.record({
        term: fc.integer({ min: 0, max: 30 }),
        left: fc.integer({ min: -second, max: second }),
        silent: fc.integer({ min: 0, max: 4 * second }),
        priority: fc.integer({ min: 0, max: 300 }),
      }),
      { nil: undefined },
    ),
    recentResumes: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ up, address, dataplane, highest, resume, recentResumes }): Move["input"] => (_, now) => ({
    type: "startup",
    dataplaneConnected: dataplane,
    interfaceUp: up,
    primaryAddress: address ? own : undefined,
    resume:
      resume === undefined
        ? undefined
        : {
            term: term(resume.term),
            expiresAt: instant(now + resume.left),
            lastAdvertAt: instant(now - resume.silent),
            priority: resume.priority,
            peerHeardAt: instant(0),
          },
    highestTerm: term(highest),
    recentResumes,
  }));

const waits = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: second }).map((each) => micros(each)) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * second }).map((each) => micros(each)) },
  { weight: 6, arbitrary: fc.constant("deadline" as const) },
);

const moves = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        wait: waits,
        input: fc
          .constantFrom(0, 0, 0, 10_000, second)
          .map((lateness) => always({ type: "deadline-reached", lateness: micros(lateness) })),
      }),
    },
    { weight: 4, arbitrary: fc.record({ wait: waits, input: answers }) },
    { weight: 3, arbitrary: fc.record({ wait: waits, input: adverts }) },
    { weight: 2, arbitrary: fc.record({ wait: waits, input: others }) },
    {
      weight: 1,
      arbitrary: fc.record({
        wait: waits,
        input: fc.oneof({ weight: 1, arbitrary: starts }, { weight: 1, arbitrary: adverts }),
      }),
    },
  ),
  { maxLength: 60 },
);

/** Most runs begin healthy, so that they reach the states that matter. */
const runs = fc.record({
  config: configs,
  start: fc.oneof(
    { weight: 1, arbitrary: starts },
    {
      weight: 3,
      arbitrary: fc.constant(
        always({
          type: "startup",
          dataplaneConnected: true,
          interfaceUp: true,
          primaryAddress: own,
          resume: undefined,
          highestTerm: term(0),
          recentResumes: 0,
        }),
      ),
    },
  ),
  moves,
  end: fc.array(fc.record({ wait: waits, input: fc.oneof(adverts, answers, fc.constant(timer())) }), { maxLength: 8 }),
});

function timer(): Move["input"] {
  return always({ type: "deadline-reached", lateness: micros(0) });
}

interface Seen {
  readonly before: ElectionState;
  readonly input: Input;
  readonly now: Instant;
  readonly after: ElectionState;
  readonly effects: readonly Effect[];
}

/** Plays a run, ending in a shutdown and what comes after it. */
function play({ config, start, moves, end }: typeof runs extends fc.Arbitrary<infer Run> ? Run : never): Seen[] {
  const seen: Seen[] = [];
  let state: ElectionState = initialState(config);
  let now = instant(1_000 * second);
  const stop: Move = { wait: micros(0), input: always({ type: "shutdown", reason: "stop" }) };
  for (const move of [{ wait: micros(0), input: start }, ...moves, stop, ...end]) {
    const deadline = nextDeadline(state);
    if (move.wait !== "deadline") now = instant(now + move.wait);
    else if (deadline !== undefined && deadline > now) now = deadline;
    const input = move.input(state, now);
    const { state: after, effects } = step(state, input, now);
    seen.push({ before: state, input, now, after, effects });
    state = after;
  }
  return seen;
}

const whatever = (check: (seen: readonly Seen[]) => void, numRuns = 300): void =>
  fc.assert(
    fc.property(runs, (run) => check(play(run))),
    { numRuns },
  );

const claimsOf = (effects: readonly Effect[]) => effects.filter((each) => each.type === "claim");
const sendsOf = (effects: readonly Effect[]) => effects.filter((each) => each.type === "send-advertisement");
const eventsOf = (effects: readonly Effect[]): BatonEventType[] =>
  effects.flatMap((each) => (each.type === "append-event" ? [each.event.type] : []));

test("the runs reach every state", () => {
  const reached = new Map<string, number>();
  fc.assert(
    fc.property(runs, (run) => {
      for (const { after } of play(run)) reached.set(after.kind, (reached.get(after.kind) ?? 0) + 1);
    }),
    { numRuns: 300, seed: 2 },
  );
  for (const kind of ["initialize", "backup", "master", "listening", "leaving", "fault", "stopped"]) {
    expect(reached.get(kind) ?? 0, kind).toBeGreaterThan(20);
  }
});

test("terms only rise, and every mastership that is told has a new one (SAFETY S4)", () =>
  whatever((seen) => {
    let told = 0;
    let claimed = 0;
    for (const { before, after, effects } of seen) {
      expect(after.highestTerm).toBeGreaterThanOrEqual(before.highestTerm);
      for (const claim of claimsOf(effects)) {
        expect(claim.term).toBeGreaterThanOrEqual(claimed);
        claimed = claim.term;
      }
      for (const effect of effects) {
        if (effect.type !== "append-event" || effect.event.type !== "became-master") continue;
        expect(effect.event.data.term).toBeGreaterThan(told);
        told = effect.event.data.term;
      }
    }
  }));

test("a confirmation that is said to move the end of the lease only may be taken in later, also several as one (SAFETY S3)", () => {
  let compared = 0;
  whatever((seen) => {
    for (const { after, now } of seen) {
      const confirm = (before: ElectionState, age: number): ReturnType<typeof step> =>
        step(before, { type: "lease-confirmed", term: before.highestTerm, sentAt: instant(now - age) }, now);
      const { state } = confirm(after, 3_000);
      if (!movesLeaseOnly(state, state.highestTerm)) continue;
      compared++;
      const [first, second] = [confirm(state, 2_000), confirm(confirm(state, 2_000).state, 1_000)];
      expect([...first.effects, ...second.effects]).toEqual([]);
      expect(confirm(state, 1_000).state).toEqual(second.state);
      expect({ ...second.state, leaseUntil: 0 }).toEqual({ ...state, leaseUntil: 0 });
    }
  });
  expect(compared).toBeGreaterThan(100);
});

/** A master that gave way says one word, when its addresses are gone or nobody announces them (SAFETY S12). */
const saysFarewell = (before: ElectionState, after: ElectionState): boolean =>
  before.kind === "backup" &&
  before.yielding?.farewellAt !== undefined &&
  after.kind === "backup" &&
  after.yielding?.farewellAt === undefined;

test("no advert above 0 but from a master with a lease; no priority 0 but from one that lets go (SAFETY S3, S6)", () =>
  whatever((seen) => {
    for (const { before, after, input, now, effects } of seen) {
      for (const { priority } of sendsOf(effects)) {
        if (priority > 0 && saysFarewell(before, after)) expect(priority).toBe(after.effectivePriority);
        else if (priority > 0) {
          expect(after.kind).toBe("master");
          if (after.kind === "master") expect(after.leaseUntil).toBeGreaterThan(now);
          expect(after.primaryAddress).toBeDefined();
          expect(priority).toBe(after.degraded ? 1 : after.effectivePriority);
        } else {
          const allowed = before.kind === "master" || before.kind === "leaving" || input.type === "startup";
          expect(allowed).toBe(true);
          expect(after.kind).not.toBe("master");
        }
      }
      expect(sendsOf(effects).length).toBeLessThanOrEqual(1);
    }
  }));

const isAbout = (input: Input, of: number): boolean =>
  (input.type === "addresses-released" || input.type === "lease-lost") && input.term === of;

test("what dataplane was last told is what the state says (SAFETY S1)", () =>
  whatever((seen) => {
    let last: Extract<Effect, { type: "claim" }> | undefined;
    for (const { before, after, input, effects } of seen) {
      // It has answered that what was given way to is gone: nothing is claimed any more.
      if (before.kind === "backup" && before.yielding !== undefined && isAbout(input, before.yielding.term)) {
        last = undefined;
      }
      last = claimsOf(effects).at(-1) ?? last;
      switch (after.kind) {
        case "master":
          expect(last).toMatchObject({ state: "hold", term: after.term, announce: after.announce });
          break;
        case "listening":
          expect(last).toMatchObject({ state: "silent", term: after.term });
          break;
        case "leaving":
          expect(last).toMatchObject({ state: "leaving", term: after.term, successorHeard: after.successorHeard });
          break;
        case "stopped":
          // After LEAVING dataplane has said that it let go, or it is told to.
          if (before.kind !== "leaving" && before.kind !== "stopped") expect(last?.state ?? "release").toBe("release");
          break;
        case "backup":
          // After giving way dataplane has said that it let go, or it is told to.
          if (after.yielding !== undefined) expect(last).toMatchObject({ state: "leaving", term: after.yielding.term });
          else expect(last?.state ?? "release").toBe("release");
          break;
        default:
          expect(last?.state ?? "release").toBe("release");
      }
    }
  }));

test("a deadline that was acted on lies in the future, one that is not due changes nothing (SAFETY S2)", () =>
  whatever((seen) => {
    for (const { before, after, input, now, effects } of seen) {
      if (input.type !== "deadline-reached") continue;
      const was = nextDeadline(before);
      if (was === undefined || was > now) {
        expect(after).toBe(before);
        expect(effects).toEqual([]);
      } else expect(nextDeadline(after) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
    }
  }));

test("in fault exactly while there is a cause; priorities within their limits", () =>
  whatever((seen) => {
    for (const { after } of seen) {
      const causes = faultCauses(after);
      if (after.kind === "fault") expect(causes.length > 0 || awaitsFirstResult(after)).toBe(true);
      if (after.kind === "backup" || after.kind === "master" || after.kind === "listening") expect(causes).toEqual([]);
      if (after.kind === "stopped" || after.kind === "leaving") continue;
      expect(after.effectivePriority === 255).toBe(after.config.priority === 255 && !after.ownerYields);
      expect(after.story.length).toBeLessThanOrEqual(8);
    }
  }));

/** Other events tell of something else: a priority, a tracker, what is served. */
const transitions: readonly BatonEventType[] = ["became-master", "became-backup", "entered-fault", "instance-stopped"];

test("each transition is told once, and only transitions are (DESIGN rule 5)", () =>
  whatever((seen) => {
    const told: Partial<Record<ElectionState["kind"], BatonEventType>> = {
      backup: "became-backup",
      master: "became-master",
      fault: "entered-fault",
      stopped: "instance-stopped",
    };
    for (const { before, after, effects } of seen) {
      const events = eventsOf(effects).filter((type) => transitions.includes(type));
      const expected = before.kind === after.kind ? undefined : told[after.kind];
      // A stall that nobody noticed is not told: LISTENING and back.
      const quiet = before.kind === "listening" && before.origin === "late" && after.kind === "master";
      expect(events).toEqual(expected === undefined || quiet ? [] : [expected]);
      const changed = before.kind !== "initialize" && before.effectivePriority !== after.effectivePriority;
      expect(eventsOf(effects).filter((type) => type === "priority-changed").length).toBe(changed ? 1 : 0);
    }
  }));

test("a takeover: advert, claim, event, in this order (SAFETY S1, S7)", () =>
  whatever((seen) => {
    for (const { effects } of seen) {
      if (!eventsOf(effects).includes("became-master")) continue;
      const order = effects.filter(({ type }) => type !== "count");
      const told = order.findIndex((effect) => effect.type === "append-event" && effect.event.type === "became-master");
      expect(order.slice(told - 2, told).map(({ type }) => type)).toEqual(["send-advertisement", "claim"]);
    }
  }));

test("leaving: at most two zeroes, never sooner than the wait, never another priority (SAFETY S6)", () =>
  whatever((seen) => {
    const last = seen.findIndex(({ input }) => input.type === "shutdown");
    const ends = seen
      .slice(last)
      .flatMap(({ effects, now }) => sendsOf(effects).map(({ priority }) => ({ priority, now })));
    expect(ends.length).toBeLessThanOrEqual(2);
    expect(ends.every(({ priority }) => priority === 0)).toBe(true);
    const [first, again] = ends;
    const leaver = seen.at(-1)?.after.config;
    if (first !== undefined && again !== undefined && leaver !== undefined) {
      expect(again.now - first.now).toBeGreaterThanOrEqual(successorWait(leaver));
    }
  }));

test("at most one announcement of a conflict per 5 s, but for the first six (SAFETY S12)", () =>
  whatever((seen) => {
    let announced: Instant[] = [];
    for (const { before, after, now } of seen) {
      if (after.kind !== "master") continue;
      if (before.kind !== "master") announced = [];
      else if (after.announce > before.announce) {
        expect(after.announce).toBe(before.announce + 1);
        announced.push(now);
        const [first = now] = announced;
        expect(announced.length).toBeLessThanOrEqual(announcementsInRow + (now - first) / announceLimit);
      }
    }
  }));

test("stepping twice from one state gives one answer: nothing is kept outside the state", () =>
  whatever((seen) => {
    for (const { before, input, now, after, effects } of seen) {
      expect(step(before, input, now)).toEqual({ state: after, effects });
    }
  }, 100));

// Sync groups: several elections, one decision (keepalived's vrrp_sync_group; SAFETY S3: one lease, one term).
import { type CauseRef, type Instant, instant, micros, term, vrid } from "@baton/domain";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { initialState, nextDeadline } from "./election.ts";
import { type GroupState, type GroupStep, initialGroup, nextGroupDeadline, stepGroup } from "./sync-group.ts";
import {
  advert,
  atPriority,
  cause,
  config,
  failed,
  higherAddress,
  ip,
  link,
  lost,
  released,
  script,
  shutdown,
  startup,
} from "./table/world.ts";
import type { ElectionConfig, ElectionState, Input } from "./types.ts";

vi.setConfig({ testTimeout: 60_000 });

const second = 1_000_000;
const begin = instant(100 * second);
const names = ["inside", "outside"] as const;

const memberConfig = (name: string, over: Partial<ElectionConfig> = {}): ElectionConfig => ({
  ...config,
  name,
  interface: name === "inside" ? "eth1" : "eth0",
  syncGroup: "G",
  vrid: vrid(name === "inside" ? 52 : 51),
  addresses: [ip(name === "inside" ? "10.1.0.100" : "10.0.0.100")],
  ...over,
});

/** A group and its clock; what it did so far. */
class Stage {
  now: Instant = begin;
  group: GroupState;
  last: GroupStep | undefined;
  readonly steps: GroupStep[] = [];

  constructor(over: Partial<Record<string, Partial<ElectionConfig>>> = {}) {
    this.group = initialGroup("G", new Map(names.map((name) => [name, initialState(memberConfig(name, over[name]))])));
  }

  start(): this {
    this.all(startup());
    return this;
  }

  all(input: Input): GroupStep {
    return this.step(new Map(names.map((name) => [name, input])));
  }

  one(name: string, input: Input): GroupStep {
    return this.step(new Map([[name, input]]));
  }

  step(inputs: ReadonlyMap<string, Input>): GroupStep {
    const done = stepGroup(this.group, inputs, this.now);
    this.group = done.state;
    this.last = done;
    this.steps.push(done);
    return done;
  }

  /** To the next deadline of any member, and through it. */
  deadline(): GroupStep {
    const at = nextGroupDeadline(this.group);
    if (at === undefined) throw new Error("nothing is armed");
    this.now = instant(Math.max(at, this.now));
    const due = [...this.group.members].filter(([, state]) => (nextDeadline(state) ?? Number.MAX_VALUE) <= this.now);
    return this.step(new Map(due.map(([name]) => [name, { type: "deadline-reached", lateness: micros(0) }])));
  }

  kinds(): string[] {
    return [...this.group.members.values()].map(({ kind }) => kind);
  }

  state(name: string): ElectionState {
    const state = this.group.members.get(name);
    if (state === undefined) throw new Error(`no member ${name}`);
    return state;
  }

  /** Both have become master: nobody else was heard. */
  mastered(): this {
    this.start();
    this.deadline();
    expect(this.kinds()).toEqual(["master", "master"]);
    return this;
  }
}

const told = ({ effects }: GroupStep): string[] =>
  effects
    .map(({ member, effect }) => {
      if (effect.type === "send-advertisement") return `${member} sends ${effect.priority}`;
      return effect.type === "append-event" ? `${member} ${effect.event.type}` : "";
    })
    .filter((text) => text !== "");

describe("taking over", () => {
  test("nobody is heard: both are master in one step, under one term, adverts first and one claim", () => {
    const stage = new Stage().start();
    expect(stage.kinds()).toEqual(["backup", "backup"]);
    const done = stage.deadline();
    expect(told(done)).toEqual([
      "inside sends 100",
      "outside sends 100",
      "inside became-master",
      "outside became-master",
    ]);
    expect(done.claim).toMatchObject({ state: "hold", term: 1 });
    expect(names.map((name) => stage.state(name))).toMatchObject([{ term: 1 }, { term: 1 }]);
  });

  test("the other's master is heard: the one that is alone waits another master-down, again and again", () => {
    const stage = new Stage().start();
    for (let round = 0; round < 20; round++) {
      stage.now = instant(stage.now + second);
      stage.one("inside", advert(200));
      const due = nextDeadline(stage.state("outside")) ?? begin;
      if (due <= stage.now) expect(told(stage.deadline())).toEqual([]);
      expect(stage.kinds()).toEqual(["backup", "backup"]);
    }
    expect(stage.group.waiting).toEqual(new Set(["outside"]));
  });

  test("the one that waits needs no new master-down once the other wants too", () => {
    const stage = new Stage().start();
    stage.now = instant(stage.now + 3 * second);
    stage.one("inside", advert(200));
    expect(told(stage.deadline())).toEqual([]);
    const insideDue = nextDeadline(stage.state("inside"));
    // The master of `inside` falls silent: when its timer ends, both take over.
    while (stage.now < (insideDue ?? 0)) stage.deadline();
    expect(stage.kinds()).toEqual(["master", "master"]);
    expect(stage.now).toBe(insideDue);
  });

  test("the one that waited hears its master again: it does not want any more", () => {
    const stage = new Stage().start();
    stage.now = instant(stage.now + 3 * second);
    stage.one("inside", advert(200));
    stage.deadline();
    stage.one("outside", advert(200));
    expect(stage.group.waiting.size).toBe(0);
  });

  test("terms that differ come together at the higher one", () => {
    const stage = new Stage();
    stage.step(
      new Map([
        ["inside", startup({ highestTerm: term(7) })],
        ["outside", startup({ highestTerm: term(3) })],
      ]),
    );
    expect(stage.deadline().claim).toMatchObject({ term: 8 });
    expect(names.map((name) => stage.state(name))).toMatchObject([{ term: 8 }, { term: 8 }]);
  });

  test("owners take over together, an owner alone does not (behaviour §7)", () => {
    const owner = { priority: atPriority(255) };
    const both = new Stage({ inside: owner, outside: owner }).start();
    both.deadline();
    expect(both.kinds()).toEqual(["master", "master"]);
    const mixed = new Stage({ inside: owner }).start();
    mixed.deadline();
    expect(mixed.kinds()).toEqual(["backup", "backup"]);
  });
});

describe("giving way", () => {
  test("one hears a higher master: both let go in the same step, without a priority 0", () => {
    const stage = new Stage().mastered();
    const done = stage.one("outside", advert(200));
    expect(stage.kinds()).toEqual(["backup", "backup"]);
    expect(told(done)).toEqual(["outside became-backup", "inside became-backup"]);
    expect(done.claim).toMatchObject({ state: "leaving", successorHeard: true, term: 1 });
  });

  test("when the addresses are gone each says its farewell, once", () => {
    const stage = new Stage().mastered();
    stage.one("outside", advert(200));
    expect(told(stage.all(released(1)))).toEqual(["inside sends 100", "outside sends 100"]);
  });

  test("the lease of all is lost: each says 0, and none says farewell to a master that there is not", () => {
    const stage = new Stage().mastered();
    const done = stage.all(lost(1, "released"));
    expect(stage.kinds()).toEqual(["backup", "backup"]);
    expect(told(done)).toEqual(["inside sends 0", "outside sends 0", "inside became-backup", "outside became-backup"]);
    expect(done.claim).toMatchObject({ state: "release", term: 1 });
    expect(told(stage.all(released(1)))).toEqual([]);
  });

  test("a stop is everybody's: one priority 0 each, and one claim", () => {
    const stage = new Stage().mastered();
    const done = stage.all(shutdown);
    expect(told(done)).toEqual(["inside sends 0", "outside sends 0"]);
    expect(done.claim).toMatchObject({ state: "leaving", successorHeard: false });
    expect(stage.one("inside", advert(90, higherAddress)).claim).toMatchObject({ successorHeard: true });
  });
});

describe("faults", () => {
  test("the fault of one is everybody's, with its name and its cause", () => {
    const stage = new Stage().mastered();
    const done = stage.one("inside", link(false));
    expect(stage.kinds()).toEqual(["fault", "fault"]);
    expect(told(done)).toEqual(["inside sends 0", "outside sends 0", "inside entered-fault", "outside entered-fault"]);
    expect(done.claim).toMatchObject({ state: "release", term: 1 });
    expect(stage.state("outside").reason).toBe("sync-group:inside");
  });

  test("it ends when the last one is over", () => {
    const stage = new Stage().mastered();
    stage.one("inside", link(false));
    stage.one("outside", link(false));
    stage.one("inside", link(true));
    expect(stage.kinds()).toEqual(["fault", "fault"]);
    expect(stage.state("inside").reason).toBe("sync-group:outside");
    stage.one("outside", link(true));
    expect(stage.kinds()).toEqual(["backup", "backup"]);
  });

  test("a member that waits for the first result of a script keeps nobody in fault, but nobody becomes master", () => {
    const stage = new Stage({ outside: { trackers: [script(0)] } }).start();
    expect(stage.kinds()).toEqual(["backup", "initialize"]);
    stage.deadline();
    expect(stage.kinds()).toEqual(["backup", "initialize"]);
    stage.one("outside", { type: "tracker-changed", kind: "script", name: "chk", status: "up", cause });
    while (stage.kinds().includes("backup") && stage.now < begin + 20 * second) stage.deadline();
    expect(stage.kinds()).toEqual(["master", "master"]);
  });
});

describe("addresses that could not be programmed (SAFETY S9)", () => {
  const termOf = (stage: Stage): number => stage.state("inside").highestTerm;
  /** dataplane says that something is missing, in answer to a frame that has just been sent. */
  const fail = (stage: Stage): GroupStep => stage.all(failed(termOf(stage), stage.now));

  test("all let go; where nobody else is heard all come back and serve what they can", () => {
    const stage = new Stage().mastered();
    const failedAt = stage.now;
    fail(stage);
    expect(stage.kinds()).toEqual(["fault", "fault"]);
    expect(stage.last?.claim).toMatchObject({ state: "release" });
    while (stage.kinds().some((kind) => kind !== "master")) stage.deadline();
    // Three intervals, the skew of priority 254, and our own.
    expect(stage.now - failedAt).toBe(3_617_187);
    fail(stage);
    expect(stage.kinds()).toEqual(["master", "master"]);
    expect(names.map((name) => stage.state(name).degraded)).toEqual([true, true]);
    expect(told(stage.deadline())).toEqual(["inside sends 1", "outside sends 1"]);
    stage.all({ type: "lease-confirmed", term: term(termOf(stage)), sentAt: stage.now });
    expect(names.map((name) => stage.state(name).degraded)).toEqual([false, false]);
  });

  test("in FAULT for longer, it becomes master from there", () => {
    const stage = new Stage().mastered();
    // The third failure in a row: its hold of 8 s outlasts what it listens.
    for (const name of names) {
      const state = stage.state(name);
      stage.group = {
        ...stage.group,
        members: new Map(stage.group.members).set(name, { ...state, addressFailures: 2 }),
      };
    }
    const failedAt = stage.now;
    fail(stage);
    while (stage.kinds().includes("fault")) stage.deadline();
    expect(stage.kinds()).toEqual(["master", "master"]);
    expect(stage.now - failedAt).toBe(3_617_187);
    expect(names.map((name) => stage.state(name).degraded)).toEqual([true, true]);
    expect(stage.last?.claim).toMatchObject({ state: "hold", term: termOf(stage) });
  });

  test("one member hears its master: the group stays away, and does not try without end", () => {
    const stage = new Stage().mastered();
    fail(stage);
    let deadlines = 0;
    for (let round = 0; round < 60; round++) {
      stage.now = instant(stage.now + second / 2);
      stage.one("inside", advert(200));
      for (let due = nextGroupDeadline(stage.group); due !== undefined && due <= stage.now; deadlines++) {
        stage.deadline();
        due = nextGroupDeadline(stage.group);
      }
      expect(stage.kinds()).not.toContain("master");
    }
    expect(deadlines).toBeLessThan(30);
  });
});

describe("whatever comes", () => {
  const because: CauseRef | undefined = undefined;
  const inputs = fc.oneof(
    { weight: 6, arbitrary: fc.constant("deadline" as const) },
    {
      weight: 4,
      arbitrary: fc.record({ member: fc.constantFrom(...names), priority: fc.constantFrom(0, 50, 100, 200) }),
    },
    { weight: 2, arbitrary: fc.record({ member: fc.constantFrom(...names), up: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ confirm: fc.constantFrom("held", "released", "failed", "applying") }) },
    { weight: 1, arbitrary: fc.record({ member: fc.constantFrom(...names), chk: fc.constantFrom("up", "down") }) },
  );
  type Drawn = typeof inputs extends fc.Arbitrary<infer T> ? T : never;

  function apply(stage: Stage, drawn: Drawn): void {
    if (drawn === "deadline") {
      if (nextGroupDeadline(stage.group) !== undefined) stage.deadline();
      return;
    }
    stage.now = instant(stage.now + second / 20);
    if ("priority" in drawn) stage.one(drawn.member, advert(drawn.priority));
    else if ("up" in drawn) stage.one(drawn.member, link(drawn.up));
    else if ("chk" in drawn)
      stage.one(drawn.member, {
        type: "tracker-changed",
        kind: "script",
        name: "chk",
        status: drawn.chk === "up" ? "up" : "down",
        cause: because,
      });
    else stage.all(answer(stage, drawn.confirm));
  }

  function answer(stage: Stage, what: string): Input {
    const of = term(Math.max(...[...stage.group.members.values()].map(({ highestTerm }) => highestTerm)));
    if (what === "held") return { type: "lease-confirmed", term: of, sentAt: stage.now };
    if (what === "applying") return { type: "lease-applying", term: of, sentAt: stage.now };
    if (what === "released") return { type: "addresses-released", term: of };
    return { type: "addresses-failed", term: of, sentAt: stage.now, detail: "" };
  }

  test("a group is never split: all hold, or none; under one term; and the claim says what they are", () =>
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 60 }), (moves) => {
        const stage = new Stage({ inside: { trackers: [script(-2)] }, outside: { preempt: false } }).start();
        let claimed = stage.last?.claim;
        for (const move of moves) {
          apply(stage, move);
          claimed = stage.last?.claim ?? claimed;
          const states = [...stage.group.members.values()];
          const holding = states.filter(({ kind }) => kind === "master" || kind === "listening");
          expect([0, states.length]).toContain(holding.length);
          expect(new Set(holding.map((state) => ("term" in state ? state.term : 0))).size).toBeLessThanOrEqual(1);
          expect(new Set(states.map(({ kind }) => kind === "fault")).size).toBe(1);
          if (holding.every(({ kind }) => kind === "master") && holding.length > 0) expect(claimed?.state).toBe("hold");
          if (holding.length === 0) expect(claimed?.state).not.toBe("hold");
        }
      }),
      { numRuns: 600 },
    ));
});

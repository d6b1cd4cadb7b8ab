// A reload puts members together that decided apart: nothing that is served moves, unless one of them has another master.
import { type Instant, instant, micros, type Term, term, vrid } from "@baton/domain";
import { expect, test } from "vitest";
import { initialState, nextDeadline, step } from "./election.ts";
import { claimants, type GroupStep, initialGroup, nextGroupDeadline, regroup, stepGroup } from "./sync-group.ts";
import { advert, config, higherAddress, link, startup } from "./table/world.ts";
import type { ElectionState, Input } from "./types.ts";

const second = 1_000_000;
const begin = instant(100 * second);

/** An instance that was alone until now; `until`: the deadlines that it has gone through. */
function alone(name: string, vridOf: number, terms: number, master: boolean): ElectionState {
  const own = { ...config, name, interface: `eth${vridOf}`, vrid: vrid(vridOf) };
  const started = step(initialState(own), startup({ highestTerm: term(terms) }), begin).state;
  if (!master) return started;
  const due = nextDeadline(started) ?? begin;
  return step(started, { type: "deadline-reached", lateness: micros(0) }, due).state;
}

function join(members: readonly ElectionState[], highest: Term | undefined) {
  let now: Instant = instant(begin + 4 * second);
  let group = initialGroup("G", new Map(members.map((state) => [state.config.name, state])));
  const feed = (inputs: ReadonlyMap<string, Input>): GroupStep => {
    const done = stepGroup(group, inputs, now);
    group = done.state;
    return done;
  };
  const first = feed(regroup(group.members, highest));
  return {
    first,
    one: (name: string, input: Input) => feed(new Map([[name, input]])),
    deadline: () => {
      now = instant(Math.max(nextGroupDeadline(group) ?? now, now));
      const due = [...group.members].filter(([, state]) => (nextDeadline(state) ?? Number.MAX_VALUE) <= now);
      return feed(new Map(due.map(([name]) => [name, { type: "deadline-reached", lateness: micros(0) }])));
    },
    until(condition: () => boolean) {
      for (let turn = 0; turn < 100 && !condition(); turn++) this.deadline();
      expect(condition()).toBe(true);
    },
    kinds: () => [...group.members.values()].map(({ kind }) => kind),
    terms: () => [...group.members.values()].map((state) => (state.kind === "master" ? state.term : 0)),
    claimants: () => claimants(group),
  };
}

const told = ({ effects }: GroupStep): string[] =>
  effects.flatMap(({ member, effect }) => {
    if (effect.type === "send-advertisement") return [`${member} sends ${effect.priority}`];
    return effect.type === "append-event" ? [`${member} ${effect.event.type}`] : [];
  });

test("masters that come together stay masters, under one term that neither of them nor the lease has seen", () => {
  const { first, kinds, terms, claimants: covered } = join([alone("a", 1, 6, true), alone("b", 2, 2, true)], term(8));
  expect(kinds()).toEqual(["master", "master"]);
  expect(terms()).toEqual([9, 9]);
  expect(told(first)).toEqual(["a became-master", "b became-master"]);
  expect(first.claim).toMatchObject({ state: "hold", term: 9 });
  expect(covered()).toEqual(["a", "b"]);
});

test("one that leaves a group of masters changes nothing for those that stay", () => {
  const { first, terms } = join([alone("a", 1, 6, true)], undefined);
  expect([told(first), first.claim, terms()]).toEqual([[], undefined, [7]]);
});

test("a newcomer among masters listens; hearing nobody, it comes along under their term", () => {
  const group = join([alone("a", 1, 6, true), alone("b", 2, 0, false)], undefined);
  expect(group.first.claim).toBeUndefined();
  expect(group.kinds()).toEqual(["master", "backup"]);
  expect(group.claimants()).toEqual(["a"]);
  group.until(() => group.kinds()[1] === "master");
  expect(group.terms()).toEqual([7, 7]);
  expect(group.claimants()).toEqual(["a", "b"]);
});

test("a newcomer that has seen higher terms takes all of them to a new one", () => {
  const group = join([alone("a", 1, 6, true), alone("b", 2, 20, false)], undefined);
  group.until(() => group.kinds()[1] === "master");
  expect(new Set(group.terms()).size).toBe(1);
  expect(group.terms()[0]).toBeGreaterThan(20);
});

test("a newcomer that hears its own master makes the others give way, and they say so", () => {
  const group = join([alone("a", 1, 6, true), alone("b", 2, 0, false)], undefined);
  const done = group.one("b", advert(200, higherAddress));
  expect(group.kinds()).toEqual(["backup", "backup"]);
  expect(told(done)).toEqual(["a sends 0", "a became-backup"]);
  expect(done.claim).toMatchObject({ state: "leaving", term: 7 });
});

test("a newcomer that already has its own master: the group gives way in the step that joins them", () => {
  const heard = step(alone("b", 2, 0, false), advert(200, higherAddress), instant(begin + 3 * second)).state;
  const { first, kinds } = join([alone("a", 1, 6, true), heard], undefined);
  expect(kinds()).toEqual(["backup", "backup"]);
  expect(told(first)).toEqual(["a sends 0", "a became-backup"]);
});

test("a master that joins backups which hear nobody waits for them, and keeps its addresses meanwhile", () => {
  const group = join([alone("a", 1, 0, false), alone("b", 2, 0, false), alone("c", 3, 4, true)], term(0));
  expect(group.kinds()).toEqual(["backup", "backup", "master"]);
  group.until(() => group.kinds().every((kind) => kind === "master"));
  expect(new Set(group.terms())).toEqual(new Set([6]));
});

test("the fault of a newcomer is everybody's", () => {
  const group = join([alone("a", 1, 6, true), alone("b", 2, 0, false)], undefined);
  const done = group.one("b", link(false));
  expect(group.kinds()).toEqual(["fault", "fault"]);
  expect(told(done)).toEqual(["a sends 0", "b entered-fault", "a entered-fault"]);
});

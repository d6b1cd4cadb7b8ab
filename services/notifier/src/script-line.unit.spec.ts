// The line of one instance's scripts: order, one at a time, and what happens to one that hangs.
import { type Instant, instant, micros } from "@baton/domain";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  emptyLine,
  type Line,
  type LineEffect,
  type LineInput,
  lineDeadline,
  stepLine,
  waitingMax,
} from "./script-line.ts";

interface Job {
  readonly change: { readonly state: string };
  readonly script: "own" | "any";
}
const changeTo = (state: string): [Job, Job] => {
  const change = { state };
  return [
    { change, script: "own" },
    { change, script: "any" },
  ];
};
const say = (effect: LineEffect<Job>): string => {
  switch (effect.type) {
    case "start-script":
      return `start ${effect.job.change.state}/${effect.job.script}`;
    case "kill-script":
      return effect.signal;
    case "drop":
      return `drop ${effect.job.change.state}/${effect.job.script}: ${effect.reason}`;
  }
};

/** A line in a world where time passes only when told, and whose scripts end only when told. */
function stand() {
  const world = {
    line: emptyLine<Job>(micros(60_000_000)) as Line<Job>,
    now: instant(0) as Instant,
    said: [] as string[],
  };
  const feed = (input: LineInput<Job>): string[] => {
    const next = stepLine(world.line, input, world.now);
    world.line = next.line;
    const said = next.effects.map(say);
    world.said.push(...said);
    return said;
  };
  return {
    world,
    offer: (...states: string[]) => states.flatMap((state) => feed({ type: "offered", jobs: changeTo(state) })),
    exit: (turn = world.line.turns) => feed({ type: "script-exited", turn }),
    wait: (seconds: number) => {
      world.now = instant(world.now + seconds * 1_000_000);
      return feed({ type: "deadline-reached" });
    },
    leave: () => feed({ type: "leave" }),
  };
}

test("scripts of a burst of changes run one by one, in order, none left out", () => {
  const { world, offer, exit } = stand();
  offer("MASTER", "BACKUP", "MASTER");
  for (let turn = 0; turn < 6; turn += 1) exit();
  const order = ["MASTER", "BACKUP", "MASTER"].flatMap((state) => [`start ${state}/own`, `start ${state}/any`]);
  expect(world.said).toEqual(order);
});

describe("a script that hangs", () => {
  test("may take as long as it likes while its state is the newest", () => {
    const { world, offer, wait } = stand();
    offer("MASTER");
    expect(wait(86_400)).toEqual([]);
    expect(lineDeadline(world.line)).toBeUndefined();
  });
  test("has the grace from the moment on when a later state waits; then SIGTERM, SIGKILL, SIGKILL", () => {
    const { offer, wait } = stand();
    offer("MASTER");
    wait(100);
    offer("BACKUP");
    expect(wait(59.9)).toEqual([]);
    expect(wait(0.1)).toEqual(["SIGTERM"]);
    expect(wait(1.9)).toEqual([]);
    expect(wait(0.1)).toEqual(["SIGKILL"]);
    expect(wait(2)).toEqual(["SIGKILL"]);
  });
  test("a still later state does not prolong it", () => {
    const { offer, wait } = stand();
    offer("MASTER", "BACKUP");
    wait(40);
    offer("FAULT");
    expect(wait(20)).toEqual(["SIGTERM"]);
  });
  test("once it has gone, the next of the line runs, its own second script included", () => {
    const { offer, wait, exit } = stand();
    offer("MASTER", "BACKUP");
    wait(60);
    expect(exit()).toEqual(["start MASTER/any"]);
    expect(exit()).toEqual(["start BACKUP/own"]);
  });
  test("a successor that was waiting behind it is itself pressed by what waits behind that", () => {
    const { world, offer, exit } = stand();
    offer("MASTER", "BACKUP", "FAULT");
    exit();
    exit();
    expect(world.line.running?.job.change.state).toBe("BACKUP");
    expect(lineDeadline(world.line)).toBe(60_000_000);
  });
});

describe("when the node stops", () => {
  test("only the newest change is still told", () => {
    const { offer, leave, exit } = stand();
    offer("MASTER", "BACKUP", "STOP");
    expect(leave()).toEqual([
      "drop MASTER/any: the node stops",
      "drop BACKUP/own: the node stops",
      "drop BACKUP/any: the node stops",
    ]);
    expect(exit()).toEqual(["start STOP/own"]);
    expect(exit()).toEqual(["start STOP/any"]);
  });
  test("STOP that comes later pushes aside what waits", () => {
    const { offer, leave } = stand();
    offer("MASTER", "BACKUP");
    leave();
    expect(offer("STOP")).toEqual(["drop BACKUP/own: the node stops", "drop BACKUP/any: the node stops"]);
  });
  test("STOP does not wait for a script that hangs: it starts beside it", () => {
    const { offer, leave, wait, exit } = stand();
    offer("MASTER", "STOP");
    leave();
    expect(wait(0.3)).toEqual(["start STOP/own"]);
    expect(exit(1), "the one left behind").toEqual([]);
    expect(exit(2)).toEqual(["start STOP/any"]);
  });
  test("a script with nothing behind it is left alone", () => {
    const { offer, leave, wait, exit } = stand();
    offer("STOP");
    exit();
    leave();
    expect(wait(10)).toEqual([]);
  });
});

test("more waiting scripts than the limit: the oldest are dropped, and said so", () => {
  const { world, offer } = stand();
  offer(...Array.from({ length: 40 }, (_, index) => `S${index}`));
  expect(world.line.waiting.length).toBe(waitingMax);
  const dropped = world.said.filter((line) => line.startsWith("drop"));
  expect(dropped.length).toBe(80 - 1 - waitingMax);
  expect(dropped[0]).toBe("drop S0/any: too many later states");
});

test("whatever happens, every script is started or dropped once, and started in order", () => {
  const happening = fc.constantFrom("offer", "exit", "deadline", "leave");
  fc.assert(
    fc.property(fc.array(fc.tuple(happening, fc.nat(70)), { maxLength: 80 }), (story) => {
      const { world, offer, exit, wait, leave } = stand();
      let offered = 0;
      for (const [what, seconds] of story) {
        if (what === "offer") offer(String(offered++));
        else if (what === "exit" && world.line.running !== undefined) exit();
        else if (what === "deadline") wait(seconds);
        else if (what === "leave") leave();
      }
      const fates = world.said.filter((line) => /^(start|drop)/.test(line)).map((line) => line.split(/[ :]/)[1]);
      expect(new Set(fates).size, "one fate each").toBe(fates.length);
      expect(fates.length + world.line.waiting.length).toBe(offered * 2);
      const started = world.said
        .filter((line) => line.startsWith("start"))
        .map((line) => Number(/\d+/.exec(line)?.[0]));
      expect(started).toEqual([...started].sort((a, b) => a - b));
    }),
  );
});

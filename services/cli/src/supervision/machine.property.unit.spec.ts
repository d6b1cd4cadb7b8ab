import { addMicros, millisToMicros, secondsToMicros } from "@baton/domain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { config, everybody, Scene, told } from "../testing/machine-scene.ts";
import { initialState } from "./machine.ts";
import type { ChildName, Input } from "./types.ts";

describe("whatever happens", () => {
  const child = fc.constantFrom(...everybody);
  const input: fc.Arbitrary<Input> = fc.oneof(
    fc.constant({ type: "woke" as const }),
    fc.record({ type: fc.constant("exited" as const), child, exit: fc.constant("code 1") }),
    fc.record({ type: fc.constant("start-failed" as const), child, error: fc.constant("EAGAIN") }),
    fc.record({ type: fc.constant("reported" as const), child, report: fc.constant({ type: "alive" as const }) }),
    fc.boolean().map(told),
    fc.constant({ type: "stop" as const, reason: "x", exitCode: 0 }),
  );
  const story = fc.array(fc.tuple(input, fc.integer({ min: 0, max: 20_000 })), { maxLength: 200 });

  const adopted = fc.subarray([...everybody]);
  const begin = (names: readonly ChildName[]): Scene => {
    const pid = (name: ChildName): number | undefined => (names.includes(name) ? 7 : undefined);
    return new Scene(initialState(new Map(everybody.map((name) => [name, { restarts: 0, adopted: pid(name) }]))));
  };

  test("two of one service never run", () => {
    fc.assert(
      fc.property(adopted, story, (names, inputs) => {
        const scene = begin(names);
        const running = new Set<ChildName>(names);
        for (const [each, millis] of [[{ type: "begin" }, 0] as const, ...inputs]) {
          scene.now = addMicros(scene.now, millisToMicros(millis));
          const ends = each.type === "exited" || each.type === "start-failed";
          // Only what runs can end.
          if (ends && !running.has(each.child)) continue;
          if (ends) running.delete(each.child);
          scene.feed(each);
          for (const effect of scene.effects) {
            if (effect.type !== "start") continue;
            expect(running.has(effect.child)).toBe(false);
            running.add(effect.child);
          }
          scene.effects = [];
        }
      }),
    );
  });

  test("a stop always comes to its end", () => {
    fc.assert(
      fc.property(adopted, story, (names, inputs) => {
        const scene = begin(names).feed({ type: "begin" });
        for (const [each, millis] of inputs) {
          scene.now = addMicros(scene.now, millisToMicros(millis));
          scene.feed(each);
        }
        scene.feed({ type: "stop", reason: "SIGTERM", exitCode: 0 });
        // Nobody obeys: everybody has to be killed, and dies of it.
        for (let round = 0; round < 2 * everybody.length && scene.state.phase !== "ended"; round++) {
          scene.effects = [];
          scene.now = addMicros(scene.now, secondsToMicros(10));
          scene.feed({ type: "woke" });
          for (const [name, { kind }] of scene.state.children) {
            if (kind === "killed" || kind === "replaced") scene.die(name);
          }
        }
        expect(scene.state.phase).toBe("ended");
      }),
    );
  });

  test("without a stop everybody who was adopted is replaced in the end", () => {
    fc.assert(
      fc.property(adopted, story, (names, inputs) => {
        const scene = begin(names).feed({ type: "begin" });
        for (const [each, millis] of inputs) {
          scene.now = addMicros(scene.now, millisToMicros(millis));
          if (each.type !== "stop") scene.feed(each);
        }
        scene.feed({ type: "reported", child: "control", report: config(1) });
        for (let round = 0; round < 2 * everybody.length; round++) {
          scene.pass(6_000);
          for (const [name, { kind }] of scene.state.children) if (kind === "replaced") scene.die(name);
        }
        const ended = scene.state.phase !== "running"; // control that dies too often ends it
        const kinds = [...scene.state.children.values()].map(({ kind }) => kind);
        expect(ended || !kinds.includes("adopted")).toBe(true);
      }),
    );
  });
});

import { type Instant, instant } from "@baton/domain";
import { expect, test } from "vitest";
import { createServiceStates } from "./service-states.ts";

test("a child that runs, dies and is started again is told with its pid, its start and its restarts", () => {
  const clock = { now: instant(100) as Instant };
  const states = createServiceStates(["election", "health"], () => clock.now);
  const shown = () => states.states().map(({ state }) => state?.value);
  expect(shown()).toMatchObject([
    { name: "election", status: "down" },
    { name: "health", status: "down" },
  ]);
  states.update(new Map([["election", { pid: 7, restarts: 0 }]]));
  clock.now = instant(200);
  states.update(new Map([["election", { pid: 7, restarts: 0 }]]));
  expect(shown()[0]).toEqual({ name: "election", pid: 7, status: "running", restarts: 0, startedAt: 100 });
  states.update(new Map());
  expect(shown()[0]).toMatchObject({ status: "down", pid: 0 });
  states.update(new Map([["election", { pid: 9, restarts: 1 }]]));
  expect(shown()[0]).toEqual({ name: "election", pid: 9, status: "running", restarts: 1, startedAt: 200 });
});

test("who is not needed is not told of, unless it runs all the same", () => {
  const states = createServiceStates(["health", "balancer"], () => instant(100));
  const shown = () => states.states().map(({ id }) => id);
  const spared = new Set(["balancer"] as const);
  states.update(new Map(), spared);
  expect(shown()).toEqual(["health"]);
  states.update(new Map([["balancer", { pid: 7, restarts: 0 }]]), spared);
  expect(shown()).toEqual(["health", "balancer"]);
  states.update(new Map());
  expect(shown()).toEqual(["health", "balancer"]);
});

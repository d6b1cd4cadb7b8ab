import { type AggregateState, type Counter, VirtualServerState } from "@baton/contracts";
import type { AggregateKind, ServiceName } from "@baton/domain";
import { metric } from "@baton/telemetry";
import { expect, test } from "vitest";
import { NodeModel } from "./node-model.ts";
import { NodeStatusSource } from "./node-status.ts";

const pool = (id: string): AggregateState => ({
  kind: "virtual-server",
  id,
  version: 1,
  state: { $case: "virtualServer", value: VirtualServerState.fromPartial({ name: id }) },
});
const checkedBy = (value: number): Counter => ({ name: metric.checkGeneration.name, labels: {}, value });

/** Health with virtual servers, by the configuration of a generation. Questions come every two seconds. */
function scene() {
  const model = new NodeModel();
  model.snapshot("health", [pool("A"), pool("B")]);
  const health = { generation: 1, pools: ["A", "B"], answers: true };
  const asked: string[] = [];
  let now = 0;
  const source = new NodeStatusSource({
    model,
    facts: () => ({
      node: "r1",
      version: "0",
      now,
      startedAt: 0,
      bus: { connected: true, backlog: 0, oldestMicros: 0 },
    }),
    ask: async (_: ServiceName, __: number, kinds: readonly AggregateKind[] | undefined) => {
      asked.push(kinds === undefined ? "whole" : "brief");
      if (!health.answers && kinds === undefined) return undefined;
      return { states: kinds === undefined ? health.pools.map(pool) : [], counters: [checkedBy(health.generation)] };
    },
  });
  const names = async (): Promise<string[]> => {
    now += 2_000_000;
    return (await source.current()).virtualServers.map(({ name }) => name);
  };
  /** Whole ones among so many questions. */
  const wholeOf = async (questions: number): Promise<number> => {
    asked.splice(0);
    for (let at = 0; at < questions; at++) await names();
    return asked.filter((each) => each === "whole").length;
  };
  return { health, names, wholeOf };
}

test("health is asked for everything when it checks by another configuration, and once more: events come later", async () => {
  const { health, names, wholeOf } = scene();
  expect(await wholeOf(1)).toBe(1);
  expect(await wholeOf(20)).toBe(1);
  expect(await wholeOf(20)).toBe(0);
  // A reload that removes what had no quorum has no event.
  Object.assign(health, { generation: 2, pools: ["A"] });
  await names();
  expect(await names()).toEqual(["A"]);
  health.pools = ["A", "C"];
  expect(await wholeOf(20)).toBe(1);
  expect(await names()).toEqual(["A", "C"]);
  expect(await wholeOf(20)).toBe(0);
});

test("nobody waits for it, and one that has no time for it is asked ever more seldom", async () => {
  const { health, names, wholeOf } = scene();
  Object.assign(health, { answers: false, pools: [] });
  expect(await wholeOf(50)).toBe(5);
  expect(await names()).toEqual(["A", "B"]);
  health.answers = true;
  await wholeOf(60);
  expect(await names()).toEqual([]);
});

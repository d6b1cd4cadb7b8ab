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

/** Health with virtual servers, by the configuration of a generation. */
function scene() {
  const model = new NodeModel();
  model.snapshot("health", [pool("A"), pool("B")]);
  const health = { generation: 1, pools: ["A", "B"], answers: true };
  const asked: string[] = [];
  let now = 0;
  const source = new NodeStatusSource({
    model,
    facts: () => {
      now += 2_000_000;
      return { node: "r1", version: "0.1.0", now, startedAt: 0, bus: { connected: true, backlog: 0, oldestMicros: 0 } };
    },
    ask: async (_: ServiceName, __: number, kinds: readonly AggregateKind[] | undefined) => {
      asked.push(kinds === undefined ? "whole" : "brief");
      if (!health.answers && kinds === undefined) return undefined;
      return { states: kinds === undefined ? health.pools.map(pool) : [], counters: [checkedBy(health.generation)] };
    },
  });
  const names = async (whole = false): Promise<string[]> =>
    (await source.current({ whole })).virtualServers.map(({ name }) => name);
  return { health, names, told: () => asked.splice(0) };
}

test("health is asked for everything once for each configuration that it checks by", async () => {
  const { health, names, told } = scene();
  expect(await names()).toEqual(["A", "B"]);
  expect(told()).toEqual(["brief", "whole"]);
  expect(await names()).toEqual(["A", "B"]);
  expect(told()).toEqual(["brief"]);
  // A reload that removes what had no quorum has no event.
  Object.assign(health, { generation: 2, pools: ["A"] });
  expect(await names()).toEqual(["A"]);
  expect(told()).toEqual(["brief", "whole"]);
  Object.assign(health, { generation: 3, pools: ["A", "C"] });
  expect(await names(true)).toEqual(["A", "C"]);
  expect(told()).toEqual(["whole"]);
  await names();
  expect(told()).toEqual(["brief"]);
});

test("one that has no time for it is asked again", async () => {
  const { health, names, told } = scene();
  Object.assign(health, { answers: false, pools: [] });
  expect(await names()).toEqual(["A", "B"]);
  health.answers = true;
  expect(await names()).toEqual([]);
  expect(told()).toEqual(["brief", "whole", "brief", "whole"]);
});

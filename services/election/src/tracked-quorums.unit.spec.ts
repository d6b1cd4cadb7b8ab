import type { TrackedVirtualServer } from "@baton/host";
import { virtualServerName } from "@baton/keepalived-conf";
import { config, instanceConfig, syncGroup, virtualServer } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { toElectionConfig } from "./config.ts";
import { withTrackedQuorums } from "./tracked-quorums.ts";

const server = virtualServer();
const name = virtualServerName(server);
const routers = config({
  instances: ["VI_1", "VI_2", "VI_3"].map((each) => instanceConfig({ name: each })),
  virtualServers: [server],
});
const tracked: TrackedVirtualServer = { name, weight: -50, instances: undefined, holdSeconds: 2.5 };
const quorum = { name, weight: -50, hold: 2_500_000 };

const quorumsOf = (of: typeof routers, ...entries: TrackedVirtualServer[]) =>
  withTrackedQuorums(of, { trackVirtualServers: entries }).instances.map(({ quorums }) => quorums);

test("every instance, or those that are named", () => {
  expect(quorumsOf(routers, tracked)).toEqual([[quorum], [quorum], [quorum]]);
  expect(quorumsOf(routers, { ...tracked, instances: ["VI_2"] })).toEqual([undefined, [quorum], undefined]);
  expect(withTrackedQuorums(routers, {})).toBe(routers);
});

test("what one member of a sync group tracks all of them do, and the first weight counts", () => {
  const grouped = { ...routers, syncGroups: [syncGroup({ name: "G", members: ["VI_1", "VI_2"] })] };
  const [one, two] = [
    { ...tracked, instances: ["VI_1"] },
    { ...tracked, instances: ["VI_2"], weight: -9 },
  ];
  expect(quorumsOf(grouped, one, two)).toEqual([[quorum], [quorum], undefined]);
});

test("without a hold of its own it is what the checks need; one that is not there is not tracked", () => {
  const [quorums] = quorumsOf(routers, { ...tracked, holdSeconds: undefined });
  expect(quorums?.[0]?.hold).toBeGreaterThanOrEqual(1_000_000);
  expect(quorumsOf(routers, { ...tracked, name: "gone" })).toEqual([undefined, undefined, undefined]);
});

test("it is a tracker of the election", () => {
  const [instance] = withTrackedQuorums(routers, { trackVirtualServers: [tracked] }).instances;
  if (instance === undefined) throw new Error("no instance");
  expect(toElectionConfig(instance, undefined).trackers).toEqual([
    { kind: "virtual-server", name, weight: -50, reverse: false },
  ]);
});

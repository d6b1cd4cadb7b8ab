import type { InstanceState } from "@baton/contracts";
import { expect, test } from "vitest";
import { FleetModel } from "./fleet-model.ts";
import { silentAfterMillis } from "./heartbeat.ts";
import { becameBackup, becameMaster, heartbeatOf, instanceState, vipAdded } from "./testing/fleet-events.ts";
import { confirmMarginMillis, movingMillis } from "./verdict.ts";
import type { GroupView } from "./view.ts";

const backup = (node: string, more: Partial<InstanceState> = {}): InstanceState =>
  instanceState(node, { state: "backup", ...more });
const master = (node: string, more: Partial<InstanceState> = {}): InstanceState =>
  instanceState(node, { state: "master", term: 1, ...more });

const groupAt = (model: FleetModel, now: number): GroupView => {
  const [group] = model.view(now).groups;
  if (group === undefined) throw new Error("no group");
  return group;
};

test("the master of a group is the one member that says so", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1")]), 0);
  model.applyHeartbeat(heartbeatOf("r2", 0, [backup("r2")]), 0);
  expect(groupAt(model, 10)).toMatchObject({ id: "51/VI_1", vrid: 51, verdict: "one-master", master: "r1" });
  expect(groupAt(model, 10).members.map((member) => member.node)).toEqual(["r1", "r2"]);
});

test("an event moves the picture at once, and a heartbeat taken before it does not move it back", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 1_000, [backup("r1")]), 1_000);
  expect(model.applyEvent(becameMaster("r1", { at: 1_500, version: 2, term: 4 }), 1_501)).toBe(true);
  expect(groupAt(model, 1_502)).toMatchObject({ verdict: "one-master", master: "r1", members: [{ term: 4 }] });
});

test("events of the past, sent by an uplink that catches up, are history only", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 60_000, [backup("r1")]), 60_000);
  expect(model.applyEvent(becameMaster("r1", { at: 5_000, version: 1 }), 60_100)).toBe(true);
  expect(groupAt(model, 60_200).members[0]?.state).toBe("backup");
});

test("after a reboot CLOCK_BOOTTIME starts anew and events still count", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 900_000, [backup("r1")]), 900_000);
  const rebooted = heartbeatOf("r1", 910_000, [backup("r1")], { bootedAt: 905_000 });
  model.applyHeartbeat(rebooted, 910_000);
  model.applyEvent(becameMaster("r1", { at: 911_000, bootedAt: 905_000, epoch: 1, version: 2 }), 911_000);
  expect(groupAt(model, 911_001).master).toBe("r1");
});

test("an event told twice counts once", () => {
  const model = new FleetModel();
  const event = becameMaster("r1", { at: 1_000, version: 7 });
  expect(model.applyEvent(event, 1_000)).toBe(true);
  expect(model.applyEvent(event, 1_001)).toBe(false);
  expect(model.applyEvent(becameBackup("r1", { at: 900, version: 6 }), 1_002)).toBe(false);
  expect(groupAt(model, 1_003).members[0]?.state).toBe("master");
});

test("a node that is not heard is not believed to be master any more", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1")]), 0);
  model.applyHeartbeat(heartbeatOf("r2", 0, [backup("r2", { master: "10.0.0.1" })]), 0);
  const later = silentAfterMillis + 100;
  model.applyHeartbeat(heartbeatOf("r2", later, [backup("r2", { master: "10.0.0.1" })]), later);
  expect(groupAt(model, later)).toMatchObject({ verdict: "moving", master: "" });
  expect(groupAt(model, later).members[0]).toMatchObject({ node: "r1", reachable: false, state: "master" });
  expect(groupAt(model, later + movingMillis).verdict).toBe("no-master");
  model.applyEvent(becameMaster("r2", { at: later + 1_100, version: 1, term: 1 }), later + 1_100);
  expect(groupAt(model, later + 1_101)).toMatchObject({ verdict: "one-master", master: "r2" });
  expect(groupAt(model, later + 20_000).verdict).toBe("unreachable");
});

test("two masters are an alarm only when both say so after the last of them became it", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1")]), 0);
  model.applyHeartbeat(heartbeatOf("r2", 0, [backup("r2")]), 0);
  model.applyEvent(becameMaster("r2", { at: 400, version: 1 }), 400);
  expect(groupAt(model, 401).verdict).toBe("moving");
  model.applyHeartbeat(heartbeatOf("r2", 1_000, [master("r2")]), 1_000);
  expect(groupAt(model, 1_001).verdict).toBe("moving");
  model.applyHeartbeat(heartbeatOf("r1", 1_000, [master("r1")]), 400 + confirmMarginMillis + 400);
  expect(groupAt(model, 1_100).verdict).toBe("two-masters");
  model.applyEvent(becameBackup("r1", { at: 1_200, version: 1 }), 1_200);
  expect(groupAt(model, 1_201)).toMatchObject({ verdict: "one-master", master: "r2" });
});

test("a group whose backups follow a router outside the fleet has a master", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [backup("r1", { master: "10.0.0.99" })]), 0);
  expect(groupAt(model, 1)).toMatchObject({ verdict: "one-master", master: "10.0.0.99" });
});

test("a node that names the instance differently still is its master", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1", { name: "OTHER" })]), 0);
  model.applyHeartbeat(heartbeatOf("r2", 0, [backup("r2", { master: "10.0.0.1" })]), 0);
  const verdicts = model.view(1).groups.map((group) => [group.instance, group.verdict, group.master]);
  expect(verdicts).toEqual([
    ["OTHER", "one-master", "r1"],
    ["VI_1", "one-master", "r1"],
  ]);
});

test("an instance that a reload removed is gone with the next heartbeat", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [backup("r1")]), 0);
  model.applyHeartbeat(heartbeatOf("r1", 1_000, []), 1_000);
  expect(model.view(1_001).groups).toEqual([]);
});

test("nodes are expected, connected, silent or stopped", () => {
  const model = new FleetModel();
  model.expect("r3");
  model.applyHeartbeat(heartbeatOf("r1", 0, []), 0);
  model.applyHeartbeat({ ...heartbeatOf("r2", 0, []), status: undefined, stopping: true }, 0);
  const status = (now: number): unknown => model.view(now).nodes.map((node) => [node.node, node.status]);
  expect(status(1)).toEqual([
    ["r1", "connected"],
    ["r2", "stopped"],
    ["r3", "expected"],
  ]);
  expect(status(silentAfterMillis)).toEqual([
    ["r1", "silent"],
    ["r2", "stopped"],
    ["r3", "expected"],
  ]);
});

test("a node whose control does not answer keeps its last status and is connected", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1")]), 0);
  model.applyHeartbeat({ ...heartbeatOf("r1", 5_000, []), status: undefined }, 5_000);
  expect(groupAt(model, 5_001)).toMatchObject({ verdict: "one-master", master: "r1" });
});

test("the view of a healthy node does not change from heartbeat to heartbeat", () => {
  const model = new FleetModel();
  const at = (now: number, jitter: number): void =>
    model.applyHeartbeat(heartbeatOf("r1", now, [master("r1", { since: 123_456 })], { wallJitter: jitter }), now);
  at(0, 0);
  const before = JSON.stringify(model.view(1));
  at(1_000, 7);
  expect(JSON.stringify(model.view(1_001))).toBe(before);
});

test("addresses are those that the kernel has, before that those configured", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [backup("r1", { addresses: ["192.0.2.10"] })]), 0);
  expect(groupAt(model, 1).members[0]?.addresses).toEqual([{ address: "192.0.2.10", present: false, error: "" }]);
  model.applyEvent(vipAdded("r1", "192.0.2.10/24", { at: 500, version: 1 }), 500);
  expect(groupAt(model, 501).members[0]?.addresses).toEqual([{ address: "192.0.2.10/24", present: true, error: "" }]);
});

test("whom a router followed is known by name", () => {
  const model = new FleetModel();
  model.applyHeartbeat(heartbeatOf("r1", 0, [master("r1")]), 0);
  model.applyHeartbeat(heartbeatOf("r2", 0, [backup("r2", { master: "10.0.0.1" })]), 0);
  expect(model.masterHeardBy("r2", "VI_1")).toBe("r1");
  expect(model.masterHeardBy("r1", "VI_1")).toBeUndefined();
  expect(model.masterHeardBy("r9", "VI_1")).toBeUndefined();
});

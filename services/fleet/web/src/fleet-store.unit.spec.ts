import { expect, test } from "vitest";
import type { EventView, GroupView, NodeView } from "../../src/view.ts";
import { eventsMax, type FleetState, initialState, matchesFilter, reduceFleet } from "./fleet-store.ts";
import { agoText } from "./time-text.ts";

const group = (more: Partial<GroupView> = {}): GroupView => ({
  id: "51/VI_1",
  vrid: 51,
  instance: "VI_1",
  verdict: "one-master",
  master: "r1",
  members: [],
  ...more,
});
const node: NodeView = {
  node: "r1",
  status: "connected",
  lastHeard: "",
  version: "",
  ready: true,
  generation: 1,
  services: [],
  backlog: 0,
};
const event = (id: number): EventView => ({
  id: String(id),
  time: new Date(id * 1_000).toISOString(),
  node: "r2",
  service: "election",
  kind: "vrrp",
  aggregate: "VI_1",
  type: "became-master",
  sentence: "r2 became master of VI_1",
  tone: "good",
  correlationId: "story-1",
});
const opening = (state: FleetState = initialState): FleetState =>
  reduceFleet(state, {
    type: "fleet",
    data: { groups: [group()], nodes: [node], events: [event(1), event(2)], hub: { connected: true } },
  });

test("the first message replaces everything; events are shown newest first", () => {
  const state = opening();
  expect(state.link).toBe("open");
  expect(state.events.map((each) => each.id)).toEqual(["2", "1"]);
  const again = opening(reduceFleet(state, { type: "event", data: event(3) }));
  expect(again.events.map((each) => each.id)).toEqual(["2", "1"]);
});

test("an event that comes late takes its place in the story", () => {
  const told = [5, 3, 4].reduce<FleetState>(
    (state, id) => reduceFleet(state, { type: "event", data: event(id) }),
    initialState,
  );
  expect(told.events.map((each) => each.id)).toEqual(["5", "4", "3"]);
});

test("groups, nodes and events change one by one", () => {
  const grown = reduceFleet(opening(), { type: "group", data: group({ id: "7/VI_0", vrid: 7, instance: "VI_0" }) });
  expect(grown.groups.map((each) => each.id)).toEqual(["7/VI_0", "51/VI_1"]);
  const shrunk = reduceFleet(grown, { type: "group-gone", data: { id: "51/VI_1" } });
  expect(shrunk.groups.map((each) => each.id)).toEqual(["7/VI_0"]);
  expect(reduceFleet(shrunk, { type: "node", data: { ...node, status: "silent" } }).nodes).toMatchObject([
    { node: "r1", status: "silent" },
  ]);
  expect(reduceFleet(shrunk, { type: "event", data: event(3) }).events[0]?.id).toBe("3");
  expect(reduceFleet(shrunk, { type: "link", link: "lost" }).groups).toHaveLength(1);
});

test("a new master is announced once; a takeover under way is not", () => {
  const moving = reduceFleet(opening(), { type: "group", data: group({ verdict: "moving", master: "" }) });
  expect(moving.announcement).toBe("");
  const moved = reduceFleet(moving, { type: "group", data: group({ master: "r2" }) });
  expect(moved.announcement).toBe("VI_1: held by r2, outside this group");
  expect(reduceFleet(moved, { type: "group", data: group({ master: "r2" }) }).announcement).toBe(moved.announcement);
});

test("the page keeps a bounded number of events", () => {
  const full = Array.from({ length: eventsMax + 10 }, (_, id) => event(id)).reduce<FleetState>(
    (state, data) => reduceFleet(state, { type: "event", data }),
    initialState,
  );
  expect(full.events).toHaveLength(eventsMax);
});

test.each([
  ["", true],
  ["MASTER r2", true],
  ["story-1", true],
  ["master r1", false],
])("filter %j matches: %s", (filter, matches) => expect(matchesFilter(event(1), filter)).toBe(matches));

test.each([
  [0, "0 s"],
  [-5, "0 s"],
  [59, "59 s"],
  [60, "1 min"],
  [3_600 * 5 + 120, "5 h 2 min"],
  [86_400 * 3, "3 days"],
])("%i seconds ago is %s", (seconds, text) => {
  const now = Date.parse("2026-01-10T00:00:00Z");
  expect(agoText(new Date(now - seconds * 1_000).toISOString(), now)).toBe(text);
});

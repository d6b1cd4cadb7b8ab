import { config, instanceConfig, syncGroup } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { firstByName, trackedOf } from "./tracked.ts";

const ref = (name: string) => ({ name, weight: 0, reverse: false });
const object = (name: string, place: number) => ({ name, place });

test("what an instance or a group tracks, and nothing else", () => {
  const tracking = config({
    instances: [instanceConfig({ trackScripts: [ref("a")], trackFiles: [ref("c")] })],
    syncGroups: [syncGroup({ trackScripts: [ref("b")] })],
  });
  const objects = ["a", "b", "c"].map(object);
  expect([...trackedOf(objects, tracking, "trackScripts").keys()]).toEqual(["a", "b"]);
  expect([...trackedOf(objects, tracking, "trackFiles").keys()]).toEqual(["c"]);
  expect([...trackedOf(objects, tracking, "trackProcesses").keys()]).toEqual([]);
});

test("of two with one name the first", () => {
  expect(firstByName([object("a", 1), object("a", 2)]).get("a")).toEqual(object("a", 1));
});

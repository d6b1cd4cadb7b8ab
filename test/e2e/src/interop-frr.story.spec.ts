// Baton and FRRouting's vrrpd as each other's peers: the dialects that FRR speaks, in both roles at once on one segment
// (see interop.e2e.spec.ts). FRR has no trackers: its priority is changed by hand.
import { afterAll, beforeAll, expect, test } from "vitest";
import { planWire } from "./wire-dialects.ts";
import { killAndReturn, sceneFor, stopAndReturn, weighDown } from "./wire-scenarios.ts";

const settled = sceneFor(
  { beforeAll, afterAll },
  {
    name: "frr",
    wire: planWire(false, ["v2", "v3", "v3-IPv6"]),
    kinds: { r1: "baton", r2: "frr", r3: "baton" },
  },
);

test("another priority moves the mastership, on either side, and back", async () => weighDown(await settled()));

test("Baton leaves: FRR follows within the skew time; Baton takes over again", async () =>
  stopAndReturn(await settled(), "r1"));

test("FRR leaves: Baton follows within the skew time; FRR takes over again", async () =>
  stopAndReturn(await settled(), "r2"));

test("each is killed, and comes back: the other follows within its master-down time", async () => {
  const scene = await settled();
  await killAndReturn(scene, "r1");
  await killAndReturn(scene, "r2");
  expect(scene.routers.r3.running).toBe(false);
});

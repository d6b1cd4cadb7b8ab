// Baton and FRRouting's vrrpd as each other's peers: the dialects that FRR speaks, in both roles at once on one segment
// (see interop.e2e.spec.ts). FRR has no trackers: its priority is changed by hand.
import { afterAll, beforeAll, expect, test } from "vitest";
import { planWire, priorities } from "./wire-dialects.ts";
import { atHome, raiseScene, type Scene } from "./wire-scene.ts";

const wire = planWire(false, ["v2", "v3", "v3-IPv6"]);
const held: { scene?: Scene } = {};
beforeAll(async () => {
  held.scene = await raiseScene({ name: "frr", wire, kinds: { r1: "baton", r2: "frr", r3: "baton" } });
});
afterAll(async () => {
  await held.scene?.lab.destroy();
});
async function settled(): Promise<Scene> {
  if (held.scene === undefined) throw new Error("there is no wire");
  await held.scene.settle();
  return held.scene;
}

test("another priority moves the mastership, on either side, and back", async () => {
  const { routers, holders, expectPassed } = await settled();
  const { r1, r2 } = routers;
  const since = Date.now();
  await r1.weigh("a", priorities.next - priorities.preferred - 1);
  await r2.weigh("b", priorities.next - priorities.preferred - 1);
  await holders(({ half }) => (half === "a" ? "r2" : "r1"));
  expectPassed("r1", "r2", since);
  await r1.weigh("a", 0);
  await r2.weigh("b", 0);
  await holders(atHome);
});

test("Baton leaves: FRR follows within the skew time; Baton takes over again", async () => {
  const { routers, holders, half, expectFarewell } = await settled();
  const since = Date.now();
  await routers.r1.stop();
  await holders(() => "r2");
  expectFarewell(half("a"), "r1", "r2", since);
  await routers.r1.start();
  await holders(atHome);
});

test("FRR leaves: Baton follows within the skew time; FRR takes over again", async () => {
  const { routers, holders, half, expectFarewell } = await settled();
  const since = Date.now();
  await routers.r2.stop();
  await holders(() => "r1");
  expectFarewell(half("b"), "r2", "r1", since);
  await routers.r2.start();
  await holders(atHome);
});

test("each is killed, and comes back: the other follows within its master-down time", async () => {
  const { routers, holders, half, expectTimedOut } = await settled();
  const batonKilled = Date.now();
  await routers.r1.kill();
  await holders(() => "r2");
  expectTimedOut(half("a"), "r1", "r2", batonKilled);
  await routers.r1.start();
  await holders(atHome);
  const frrKilled = Date.now();
  await routers.r2.kill();
  await holders(() => "r1");
  expectTimedOut(half("b"), "r2", "r1", frrKilled);
  await routers.r2.start();
  await holders(atHome);
  expect(routers.r3.running).toBe(false);
});

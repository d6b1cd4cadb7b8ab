// Routes and rules move with the mastership: on whoever is master and on nobody else, back at once when somebody takes
// them away, gone when the node stops; static ones stand on both all the time.
import { waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backupConf, isType, labFor, masterConf, type Pair, startPair, stopPair } from "./pair.ts";

const lab = labFor("routes", { beforeAll, afterAll });
const held: { pair?: Pair } = {};
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});

const instance = `virtual_routes {
    192.0.2.0/24 via 172.16.0.9 src 172.16.100.1
    198.51.100.0/24 dev eth0 table 100
  }
  virtual_rules {
    from 192.0.2.0/24 table 100 priority 1000
  }`;
const before = "static_routes {\n  blackhole 203.0.113.0/24\n}";

test("failover takes routes and rules along; one that is taken away is back; static ones stay", async () => {
  const settings = { instance, before };
  const pair = await startPair(lab.get(), { r1: masterConf(settings), r2: backupConf(settings) });
  held.pair = pair;
  const found = async (name: "r1" | "r2"): Promise<string> => {
    const router = lab.get().router(name);
    const command = "ip route show table all proto 18; ip rule show | grep -E 'proto (18|keepalived)'; true";
    const { stdout } = await router.exec(command);
    return ["192.0.2.0/24", "198.51.100.0/24", "1000:", "blackhole 203.0.113.0/24"]
      .filter((each) => stdout.split("\n").some((line) => line.startsWith(each)))
      .join();
  };
  const all = "192.0.2.0/24,198.51.100.0/24,1000:,blackhole 203.0.113.0/24";
  const still = "blackhole 203.0.113.0/24";
  await waitFor("r1 to have all", async () => (await found("r1")) === all);
  await waitFor("r2 to have the static ones alone", async () => (await found("r2")) === still);

  await lab.get().router("r1").exec("ip rule del priority 1000; ip route del 192.0.2.0/24");
  await waitFor("all to be back", async () => (await found("r1")) === all);
  await pair.event(pair.r1, isType("routes-repaired"), "the repair to be told");

  expect(await pair.r1.stop()).toMatchObject({ code: 0 });
  expect(await found("r1")).toBe("");
  await waitFor("r2 to have all", async () => (await found("r2")) === all);
  await pair.event(pair.r2, isType("routes-added"), "the routes to be told");
});

import { instant } from "@baton/domain";
import { expect, test } from "vitest";
import { Drains } from "./drains.ts";
import type { Connected } from "./keeper.ts";
import { configOf, virtualServer } from "./testing/rig.ts";
import { Wish } from "./wish.ts";

const name = "[192.0.2.1]:tcp:80";
const drained = { virtualServer: name, server: "10.0.0.1:80", cause: undefined };

/** What is told after each answer, a second apart. */
function told(answers: readonly (Connected | undefined)[]): number[] {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 80", [1, 2])));
  const drains = new Drains(wish);
  drains.begin(drained);
  return answers.map((connected, second) => {
    drains.ask(instant(second * 1_000_000));
    expect(drains.next()).toMatchObject({
      kind: "count-connections",
      places: [{ service: { address: "192.0.2.1", port: 80 }, destination: { address: "10.0.0.1", port: 80 } }],
    });
    return drains.take({ kind: "connections", connected: [connected] }, instant(second * 1_000_000), 100).length;
  });
}

test("whose weight is told is idle at the first look that finds it without weight and connections", () => {
  const weighing = (weight: number, active: number): Connected => ({ weight, active });
  expect(told([weighing(1, 0), weighing(0, 3), weighing(0, 0), weighing(0, 0)])).toEqual([0, 0, 1, 0]);
});

test("whose weight is not told is looked at twice: the rules may not have been changed before the first look", () => {
  const unweighed = (active: number): Connected => ({ weight: undefined, active });
  expect(told([unweighed(0), unweighed(1), unweighed(0), unweighed(0)])).toEqual([0, 0, 0, 1]);
});

test("who is not there has no connections", () => {
  expect(told([undefined])).toEqual([1]);
});

test("a server of many services is judged when all of them were asked about, over several seconds", () => {
  const ranges = Array.from({ length: 10 }, (_none, at) => `10.9.${at}.0-255 80`).join("\n");
  const wish = new Wish();
  wish.configure(configOf(`virtual_server_group G {\n${ranges}\n}\n${virtualServer("group G", [1, 2])}`));
  const drains = new Drains(wish);
  drains.begin({ ...drained, virtualServer: "[G]:0" });
  /** Of one second. */
  const look = (second: number, active: number): { readonly places: number; readonly told: number } => {
    const now = instant(second * 1_000_000);
    let [places, told] = [0, 0];
    drains.ask(now);
    for (let ask = drains.next(); ask?.kind === "count-connections"; ask = drains.next()) {
      places += ask.places.length;
      // The last of all has somebody, or nobody.
      const connected = ask.places.map(({ service }) => {
        const isLast = service.kind === "address" && service.address === "10.9.9.255";
        return { weight: 0, active: isLast ? active : 0 };
      });
      told += drains.take({ kind: "connections", connected }, now, 100).length;
    }
    return { places, told };
  };
  const rounds = (active: number, from: number) => [0, 1, 2].map((second) => look(from + second, active));
  const places = [1_000, 1_000, 560];
  expect(rounds(1, 0)).toEqual(places.map((each) => ({ places: each, told: 0 })));
  expect(rounds(0, 3)).toEqual(places.map((each, at) => ({ places: each, told: at === 2 ? 1 : 0 })));
});

test("what gives no answer is told why, and asked again; what takes long is asked seldom", () => {
  const wish = new Wish();
  wish.configure(configOf(virtualServer("192.0.2.1 80", [1, 2])));
  const drains = new Drains(wish);
  drains.begin(drained);
  drains.ask(instant(0));
  drains.next();
  expect(drains.take({ kind: "failed", error: "EINVAL" }, instant(0), 100_000)).toEqual([]);
  expect(drains.errors()).toEqual(["connections of drained servers: EINVAL"]);
  drains.ask(instant(1_999_999));
  expect(drains.next()).toBeUndefined();
  drains.ask(instant(2_000_000));
  expect(drains.next()).toBeDefined();
  const connected = [{ weight: 0, active: 0 }];
  expect(drains.take({ kind: "connections", connected }, instant(2_000_000), 100)).toHaveLength(1);
  expect(drains.errors()).toEqual([]);
});

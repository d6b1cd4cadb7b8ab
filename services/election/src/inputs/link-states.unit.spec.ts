// When a link counts as up: interface_up_down_delays, and links that dataplane makes anew.
import { instant, micros } from "@baton/domain";
import { instanceConfig } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { type LinkDelays, LinkStates, linkDelays, noDelays } from "./link-states.ts";

const second = 1_000_000;
const delays = (down: number, up: number): LinkDelays => ({ down: micros(down * second), up: micros(up * second) });

/** A link, and a clock that only goes on. */
function watched(of: LinkDelays) {
  const states = new LinkStates();
  return {
    states,
    see: (seconds: number, up: boolean) => states.see("eth0", up, of, instant(100 * second + seconds * second)),
  };
}

test("without delays what the kernel says counts", () => {
  const { states, see } = watched(noDelays);
  expect([see(0, false), see(1, true), see(2, false)]).toEqual([false, true, false]);
  expect(states.deadline()).toBeUndefined();
});

test("a short loss is none; one that lasts counts when its time has come", () => {
  const { states, see } = watched(delays(2, 0));
  expect([see(0, true), see(1, false)]).toEqual([true, true]);
  expect(states.deadline()).toBe(103 * second);
  expect([see(2, true), see(2.5, false), see(4.4, false), see(4.5, false)]).toEqual([true, true, true, false]);
  expect(see(5, true)).toBe(true);
});

test("a short return is none either", () => {
  const { states, see } = watched(delays(0, 3));
  expect([see(0, true), see(1, false), see(2, true), see(3, false)]).toEqual([true, false, false, false]);
  expect(states.deadline()).toBeUndefined();
  expect([see(4, true), see(6.9, true), see(7, true)]).toEqual([false, false, true]);
});

test("delays count from the first time that the link was up", () => {
  const { see } = watched(delays(5, 5));
  expect([see(0, false), see(1, true), see(2, false), see(6.9, false), see(7, false)]).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
});

test("a loss counts before the others would notice: two intervals at most, and none where one missed advert counts", () => {
  const on = (advertInterval: number, downTimerAdverts: number) =>
    linkDelays({
      interfaceDelays: [{ interface: "eth0", ...delays(10, 10) }],
      instances: [
        instanceConfig({ interface: "eth0", advertInterval: micros(advertInterval * second), downTimerAdverts }),
      ],
    }).get("eth0");
  expect(on(10, 3)).toEqual(delays(10, 10));
  expect(on(1, 3)).toEqual({ down: 1_996_093, up: 1_996_093 });
  expect(on(1, 1)).toEqual(noDelays);
});

// How long a group may take to settle once everything works again: what its timers add up to.
import { micros } from "@baton/domain";
import { type ElectionConfig, leaseLength, longestMasterDown, longestSkew } from "@baton/vrrp";
import type { Router } from "./router.ts";

const second = 1_000_000;

type Configured = readonly (ElectionConfig | Pick<Router, "configs">)[];

export const configsOf = (routers: Configured): readonly ElectionConfig[] =>
  routers.flatMap((each) => ("configs" in each ? each.configs : [each]));

/** The longest of a time that follows from each router's configuration. */
export const longest = (routers: Configured, of: (config: ElectionConfig) => number): number =>
  Math.max(0, ...configsOf(routers).map(of));

export const shortest = (routers: Configured, of: (config: ElectionConfig) => number): number =>
  Math.min(...configsOf(routers).map(of));

/**
 * The slowest that any router may count: in version 3 it counts by the intervals of whoever is master, and by its own
 * number of them.
 */
const slowest = (routers: Configured): Pick<ElectionConfig, "version" | "advertInterval" | "downTimerAdverts"> => ({
  version: configsOf(routers)[0]?.version ?? 3,
  advertInterval: micros(longest(routers, ({ advertInterval }) => advertInterval)),
  downTimerAdverts: longest(routers, ({ downTimerAdverts }) => downTimerAdverts),
});

/** How long the last of them waits for a master that says nothing, and for one that has said 0. */
export const groupDown = (routers: Configured): number => longestMasterDown(slowest(routers));
export const groupSkew = (routers: Configured): number => longestSkew(slowest(routers));

/** Whether all count alike: a kernel's lease is as long as its own configuration says that the peers may take. */
export const isUniform = (routers: Configured): boolean =>
  configsOf(routers).every((config) => longestMasterDown(config) === groupDown(routers));

export function settling(routers: readonly Pick<Router, "configs">[]): number {
  const down = groupDown(routers);
  const skew = groupSkew(routers);
  const interval = longest(routers, ({ advertInterval }) => advertInterval);
  const leaving = 2 * (skew + second / 10) + 2 * second;
  const listening = interval + skew;
  const waits = configsOf(routers).some(({ syncGroup }) => syncGroup !== undefined) ? 2 : 1;
  const delay = longest(routers, ({ preemptDelay }) => preemptDelay);
  return leaving + down + interval + waits * down + listening + delay + longest(routers, leaseLength) + second;
}

/** When the last hold ends that keeps a router from pre-empting; 0: none is held (SAFETY S12). */
export function preemptionEnd(routers: readonly Pick<Router, "states" | "clock">[]): number {
  const ends = routers.flatMap(({ states, clock }) =>
    states.flatMap(({ preemptHeldUntil }) => (preemptHeldUntil === undefined ? [] : clock.when(preemptHeldUntil))),
  );
  return Math.max(0, ...ends);
}

/** When the last of the holds ends that only time ends: a takeover that failed is tried again then (SAFETY S9). */
export function holdsEnd(router: Pick<Router, "states" | "clock">): number {
  const ends = router.states.flatMap(({ holds }) => [...holds.values()]).filter((until) => until !== undefined);
  return Math.max(0, ...ends.map((until) => router.clock.when(until)));
}

// How long a group may take to settle once everything works again: what its timers add up to.
import { type ElectionConfig, leaseLength, longestMasterDown, longestSkew } from "@baton/vrrp";
import type { Router } from "./router.ts";

const second = 1_000_000;

type Configured = readonly (ElectionConfig | Pick<Router, "configs">)[];

export const configsOf = (routers: Configured): readonly ElectionConfig[] =>
  routers.flatMap((each) => ("configs" in each ? each.configs : [each]));

/** The longest of a time that follows from each router's configuration. */
export const longest = (routers: Configured, of: (config: ElectionConfig) => number): number =>
  Math.max(0, ...configsOf(routers).map(of));

export function settling(routers: readonly Pick<Router, "configs">[]): number {
  const down = longest(routers, longestMasterDown);
  const skew = longest(routers, longestSkew);
  const interval = longest(routers, ({ advertInterval }) => advertInterval);
  const leaving = 2 * (skew + second / 10) + 2 * second;
  const listening = interval + skew;
  const waits = configsOf(routers).some(({ syncGroup }) => syncGroup !== undefined) ? 2 : 1;
  const delay = longest(routers, ({ preemptDelay }) => preemptDelay);
  return leaving + down + interval + waits * down + listening + delay + longest(routers, leaseLength) + second;
}

/** When the last of the holds ends that only time ends: a takeover that failed is tried again then (SAFETY S9). */
export function holdsEnd(router: Pick<Router, "states" | "clock">): number {
  const ends = router.states.flatMap(({ holds }) => [...holds.values()]).filter((until) => until !== undefined);
  return Math.max(0, ...ends.map((until) => router.clock.when(until)));
}

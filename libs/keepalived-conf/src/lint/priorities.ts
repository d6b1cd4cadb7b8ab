// How trackers move the priority of an instance (behaviour of keepalived, section 6): each adds its weight while its
// object is well, or takes it away while it is not; the sum is held within 1 to 254.
import type { InstanceConfig, TrackRef } from "../config.ts";
import type { ValueBlock } from "../keywords/table.ts";
import { vrrpInstance } from "../keywords/vrrp-instance.ts";

const { keywords } = vrrpInstance;

export interface WeightedTracker {
  readonly name: string;
  /** Where the file names it. */
  readonly list: ValueBlock;
  /** What it adds to the priority while its object is well, and while it is not. */
  readonly well: number;
  readonly failed: number;
}

/** Those that change the priority; others, with weight 0, cause a fault. */
export function weightedTrackers({ trackInterfaces, trackScripts }: InstanceConfig): WeightedTracker[] {
  const of = (refs: readonly TrackRef[], list: ValueBlock): WeightedTracker[] =>
    refs.flatMap(({ name, weight, reverse }) => {
      if (weight === 0) return [];
      const amount = reverse ? -weight : weight;
      return [{ name, list, well: weight > 0 ? amount : 0, failed: weight < 0 ? amount : 0 }];
    });
  return [...of(trackInterfaces, keywords.trackInterface), ...of(trackScripts, keywords.trackScript)];
}

const owner = 255;

/** The priority that an instance has with so much added; that of an address owner never changes. */
export const effectivePriority = ({ priority }: InstanceConfig, added: number): number =>
  priority === owner ? owner : Math.max(1, Math.min(owner - 1, priority + added));

/** What all trackers add while what they watch is well. */
export const healthySum = (instance: InstanceConfig): number =>
  weightedTrackers(instance).reduce((sum, { well }) => sum + well, 0);

export const healthyPriority = (instance: InstanceConfig): number => effectivePriority(instance, healthySum(instance));

/** Beyond so many, each of which may be well or failed, any sum between the extremes is taken for possible. */
const trackersMax = 8;

/** All that trackers may add together. */
function possibleSums(trackers: readonly WeightedTracker[]): ReadonlySet<number> {
  if (trackers.length > trackersMax) {
    const low = trackers.reduce((sum, { well, failed }) => sum + Math.min(well, failed), 0);
    const high = trackers.reduce((sum, { well, failed }) => sum + Math.max(well, failed), 0);
    const [from, to] = [Math.max(low, -2 * owner), Math.min(high, 2 * owner)];
    return new Set(Array.from({ length: to - from + 1 }, (_, index) => from + index));
  }
  let sums = new Set([0]);
  for (const { well, failed } of trackers) sums = new Set([...sums].flatMap((sum) => [sum + well, sum + failed]));
  return sums;
}

/** Whatever its trackers say. */
export const possiblePriorities = (instance: InstanceConfig): ReadonlySet<number> =>
  new Set([...possibleSums(weightedTrackers(instance))].map((sum) => effectivePriority(instance, sum)));

/**
 * Whether one tracker can take the addresses from a master: whether it leads from a priority that is at least a rival's
 * to one that is below it, for any state of all others. `tie`: at most down to a rival's own.
 */
export function effectOf(
  own: InstanceConfig,
  tracker: WeightedTracker,
  rivals: ReadonlySet<number>,
): "moves" | "tie" | "none" {
  const others = weightedTrackers(own).filter(({ name, list }) => name !== tracker.name || list !== tracker.list);
  /** How many priorities of rivals there are up to each. */
  const upTo = Array.from({ length: owner + 1 }, () => 0);
  for (let priority = 1; priority <= owner; priority++) {
    upTo[priority] = (upTo[priority - 1] ?? 0) + (rivals.has(priority) ? 1 : 0);
  }
  let tie = false;
  for (const sum of possibleSums(others)) {
    const { low, high } = reachOf(own, tracker, sum);
    if ((upTo[high] ?? 0) > (upTo[low] ?? 0)) return "moves";
    tie ||= low < high && rivals.has(low);
  }
  return tie ? "tie" : "none";
}

/** Between which priorities the tracker leads, with `rest` added by all others. */
export function reachOf(
  own: InstanceConfig,
  { well, failed }: WeightedTracker,
  rest: number,
): { low: number; high: number } {
  const ends = [effectivePriority(own, rest + well), effectivePriority(own, rest + failed)];
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

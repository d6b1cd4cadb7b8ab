// How trackers move the priority of an instance (behaviour of keepalived, section 6): each adds its weight while its
// object is well, or takes it away while it is not; the sum is held within 1 to 254. What a sync group tracks counts for
// each of its members, in place of what a member says of the same object.
import type { Config, InstanceConfig, SyncGroupConfig, TrackedConfig, TrackRef } from "../config.ts";

/** Which of the five `track_…` lists. */
export type TrackKind = keyof TrackedConfig;

const kinds: readonly TrackKind[] = ["trackInterfaces", "trackScripts", "trackFiles", "trackProcesses", "trackBfds"];

export interface WeightedTracker {
  readonly kind: TrackKind;
  readonly name: string;
  /** The group that it is tracked by; undefined: by the instance itself. */
  readonly group: SyncGroupConfig | undefined;
  /** What it adds to the priority while its object is well, and while it is not. */
  readonly well: number;
  readonly failed: number;
  /** A file may hold any number. */
  readonly anything: boolean;
}

/** An instance with all that moves its priority. */
export interface Candidate {
  readonly instance: InstanceConfig;
  readonly grouped: boolean;
  readonly trackers: readonly WeightedTracker[];
}

/** For each instance of a configuration. */
export function candidatesOf(config: Config): ReadonlyMap<InstanceConfig, Candidate> {
  const groups = new Map(config.syncGroups.flatMap((group) => group.members.map((member) => [member, group] as const)));
  return new Map(
    config.instances.map((instance) => {
      const group = groups.get(instance.name);
      return [instance, { instance, grouped: group !== undefined, trackers: weightedTrackers(instance, group) }];
    }),
  );
}

/** Those that change the priority; others, with weight 0, cause a fault. */
function weightedTrackers(instance: InstanceConfig, group: SyncGroupConfig | undefined): WeightedTracker[] {
  const found = new Map<string, WeightedTracker>();
  for (const owner of [undefined, group]) {
    for (const kind of kinds) {
      for (const ref of (owner ?? instance)[kind]) found.set(`${kind} ${ref.name}`, weigh(ref, kind, owner));
    }
    if (group === undefined) break;
  }
  return [...found.values()].filter(({ well, failed, anything }) => well !== 0 || failed !== 0 || anything);
}

function weigh(
  { name, weight, reverse }: TrackRef,
  kind: TrackKind,
  group: SyncGroupConfig | undefined,
): WeightedTracker {
  const amount = reverse ? -weight : weight;
  const anything = kind === "trackFiles" && weight !== 0;
  const [well, failed] = anything ? [0, 0] : weight > 0 ? [amount, 0] : [0, amount];
  return { kind, name, group, well, failed, anything };
}

const owner = 255;

/** The priority that an instance has with so much added; that of an address owner never changes. */
const effectivePriority = ({ priority }: InstanceConfig, added: number): number =>
  priority === owner ? owner : Math.max(1, Math.min(owner - 1, priority + added));

/** What all trackers add while what they watch is well, and files hold 0. */
export const healthySum = ({ trackers }: Candidate): number => sumWell(trackers);

const sumWell = (trackers: readonly WeightedTracker[]): number => trackers.reduce((sum, { well }) => sum + well, 0);

export const healthyPriority = (candidate: Candidate): number =>
  effectivePriority(candidate.instance, healthySum(candidate));

/** Beyond so many, each of which may be well or failed, any sum between the extremes is taken for possible. */
const trackersMax = 6;

/** All that trackers may add together. */
function possibleSums(trackers: readonly WeightedTracker[]): ReadonlySet<number> {
  const anything = trackers.some((tracker) => tracker.anything);
  if (anything || trackers.length > trackersMax) {
    const low = anything ? -owner : trackers.reduce((sum, { well, failed }) => sum + Math.min(well, failed), 0);
    const high = anything ? owner : trackers.reduce((sum, { well, failed }) => sum + Math.max(well, failed), 0);
    const [from, to] = [Math.max(low, -2 * owner), Math.min(high, 2 * owner)];
    return new Set(Array.from({ length: to - from + 1 }, (_, index) => from + index));
  }
  let sums = new Set([0]);
  for (const { well, failed } of trackers) sums = new Set([...sums].flatMap((sum) => [sum + well, sum + failed]));
  return sums;
}

/** Whatever its trackers say. */
export const possiblePriorities = ({ instance, trackers }: Candidate): ReadonlySet<number> =>
  new Set([...possibleSums(trackers)].map((sum) => effectivePriority(instance, sum)));

export type Effect = "moves" | "tie" | "none";

/**
 * Whether one tracker can take the addresses from a master: whether it leads from a priority that is at least a rival's
 * to one that is below it, for any state of all others. `tie`: at most down to a rival's own.
 */
export function effectOf(
  { instance, trackers }: Candidate,
  tracker: WeightedTracker,
  rivals: ReadonlySet<number>,
): Effect {
  if (tracker.anything) return "moves";
  /** How many priorities of rivals there are up to each. */
  const upTo = [0];
  for (let priority = 1; priority <= owner; priority++) {
    upTo.push((upTo[priority - 1] ?? 0) + (rivals.has(priority) ? 1 : 0));
  }
  const others = trackers.filter((other) => other !== tracker);
  let tie = false;
  // With all others well most trackers do what they are for: the rest of the states is only looked at for those that do not.
  for (const sums of [() => [sumWell(others)], () => possibleSums(others)]) {
    for (const sum of sums()) {
      const { low, high } = reachOf(instance, tracker, sum);
      if ((upTo[high] ?? 0) > (upTo[low] ?? 0)) return "moves";
      tie ||= low < high && rivals.has(low);
    }
  }
  return tie ? "tie" : "none";
}

/** Between which priorities the tracker leads, with `rest` added by all others. */
export function reachOf(
  instance: InstanceConfig,
  { well, failed }: WeightedTracker,
  rest: number,
): { readonly low: number; readonly high: number } {
  const ends = [effectivePriority(instance, rest + well), effectivePriority(instance, rest + failed)];
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

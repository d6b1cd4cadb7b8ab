// From tracker results to the effective priority and to fault (keepalived: weights of track_script, track_interface).
import { assertNever, compareIp, type IpAddress, type Priority, priority } from "@baton/domain";
import type { CommonState, ElectionConfig, TrackerConfig, TrackerStatus } from "./types.ts";

export const addressOwner = 255;

export const trackerKey = (tracker: Pick<TrackerConfig, "kind" | "name">): string => `${tracker.kind}:${tracker.name}`;

type Statuses = ReadonlyMap<string, TrackerStatus>;

const statusOf = (statuses: Statuses, tracker: TrackerConfig): TrackerStatus =>
  statuses.get(trackerKey(tracker)) ?? "unknown";

/** keepalived's bounds for the number of a file times its weight; the lowest is a fault, and no number any more. */
const fileFault = -254;
const fileMax = 253;

function fileContribution(tracker: TrackerConfig, value: number): number {
  const weighed = value * tracker.weight * (tracker.reverse ? -1 : 1);
  return Math.min(Math.max(weighed, fileFault), fileMax);
}

/** A positive weight counts while up, a negative one while down; `reverse` turns the sign. Unknown counts nothing. */
function contribution(tracker: TrackerConfig, status: TrackerStatus): number {
  if (typeof status === "number") {
    const weighed = fileContribution(tracker, status);
    return weighed === fileFault ? 0 : weighed;
  }
  const counts = tracker.weight > 0 ? status === "up" : status === "down";
  if (!counts) return 0;
  return tracker.reverse ? -tracker.weight : tracker.weight;
}

/** The base priority and every weight, held within 1 to 254. The address owner stays 255 whatever happens. */
export function weighPriority(config: ElectionConfig, statuses: Statuses): Priority {
  if (config.priority === addressOwner) return config.priority;
  const total = config.trackers.reduce<number>(
    (sum, tracker) => sum + contribution(tracker, statusOf(statuses, tracker)),
    config.priority,
  );
  return priority(Math.min(Math.max(total, 1), 254));
}

/**
 * Weight 0: the instance is in fault while the tracker is down; reversed, while it is up. A file is down while it says
 * anything but 0, and with a weight where the two together leave no priority. Unknown is no fault, and without its servers
 * a router is still a router: a virtual server never is one.
 */
function faultOf(tracker: TrackerConfig, status: TrackerStatus): string | undefined {
  if (tracker.kind === "virtual-server") return undefined;
  if (typeof status === "number") {
    if (tracker.weight === 0) return faultOf(tracker, status === 0 ? "up" : "down");
    return fileContribution(tracker, status) === fileFault ? `tracker-down:${tracker.name}` : undefined;
  }
  if (tracker.weight !== 0) return undefined;
  switch (status) {
    case "unknown":
      return undefined;
    case "up":
      return tracker.reverse ? `tracker-up:${tracker.name}` : undefined;
    case "down":
      return tracker.reverse ? undefined : `tracker-down:${tracker.name}`;
    default:
      return assertNever(status);
  }
}

/** Everything that keeps the instance in fault now, in a stable order: stable words for events, status and metrics. */
export function faultCauses(state: CommonState): readonly string[] {
  const own = ownFaultCauses(state);
  return state.groupFault === undefined ? own : [...own, `sync-group:${state.groupFault}`];
}

/** Without what it has of its sync group. */
export function ownFaultCauses(state: CommonState): readonly string[] {
  const causes: string[] = [...(state.config.faults ?? [])];
  if (state.config.trackPrimary && !state.interfaceUp) causes.push("interface-down");
  if (state.primaryAddress === undefined) causes.push("no-primary-address");
  for (const tracker of state.config.trackers) {
    const cause = faultOf(tracker, statusOf(state.trackers, tracker));
    if (cause !== undefined) causes.push(cause);
  }
  return [...causes, ...state.holds.keys()];
}

/** Trackers whose first result decides between backup and fault: until then the instance is held. */
export const awaitsFirstResult = (state: CommonState): boolean =>
  state.config.trackers.some(
    (tracker) =>
      tracker.kind !== "interface" &&
      tracker.kind !== "virtual-server" &&
      tracker.weight === 0 &&
      statusOf(state.trackers, tracker) === "unknown",
  );

/** True once every tracker that moves the priority has a result. */
export const weightsKnown = (config: ElectionConfig, statuses: Statuses): boolean =>
  config.trackers.every((tracker) => tracker.weight === 0 || statusOf(statuses, tracker) !== "unknown");

/** How a sender ranks against us: by priority, then by primary address as unsigned bytes (RFC 9568 section 6.4.3). */
export function rank(sender: Speaker, own: Speaker): "higher" | "lower" | "same" {
  const difference = sender.priority - own.priority || compareIp(sender.address, own.address);
  if (difference === 0) return "same";
  return difference > 0 ? "higher" : "lower";
}

interface Speaker {
  readonly priority: number;
  readonly address: IpAddress;
}

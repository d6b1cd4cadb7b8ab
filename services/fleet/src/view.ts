// What the fleet page shows, as JSON: answered by /api/fleet, sent as deltas on /api/stream, drawn by web/.
// The page and the server compile against this one description.

/** One instance of one router, as far as the hub knows. */
export interface MemberView {
  readonly node: string;
  /** False: the node has not been heard for a while; the rest is what it said last. */
  readonly reachable: boolean;
  readonly state: string;
  readonly interface: string;
  readonly priority: number;
  readonly basePriority: number;
  readonly term: number;
  /** RFC 3339 by the node's clock; "" when not known. */
  readonly since: string;
  readonly reason: string;
  readonly primaryAddress: string;
  readonly addresses: readonly AddressView[];
}

export interface AddressView {
  readonly address: string;
  /** Read back from the node's kernel. */
  readonly present: boolean;
  readonly error: string;
}

/**
 * `one-master`: as it should be. `moving`: a takeover is under way, or the hub has not heard both sides of it yet.
 * `two-masters`, `no-master`: an alarm. `unreachable`: no router of the group is heard, so nothing can be said.
 */
export type Verdict = "one-master" | "moving" | "two-masters" | "no-master" | "unreachable";

/** One virtual router: VRID and instance name, across all nodes. */
export interface GroupView {
  readonly id: string;
  readonly vrid: number;
  readonly instance: string;
  readonly verdict: Verdict;
  /** The node that holds the addresses; "" when none or more than one claims to. */
  readonly master: string;
  readonly members: readonly MemberView[];
}

export interface NodeView {
  readonly node: string;
  /** `expected`: it has a credential and was never heard. `stopped`: it said that it stops. */
  readonly status: "connected" | "silent" | "stopped" | "expected";
  /** Hub's clock, RFC 3339; given only when the node is not connected, so that a healthy node's view stays the same. */
  readonly lastHeard: string;
  readonly version: string;
  readonly ready: boolean;
  readonly generation: number;
  readonly services: readonly ServiceView[];
  /** Events waiting in the node's outboxes: its local bus is away. */
  readonly backlog: number;
  /** Absent: it balances nothing. */
  readonly pools?: PoolsView;
}

/** The virtual servers of a node. */
export interface PoolsView {
  readonly virtualServers: number;
  readonly withoutQuorum: number;
  readonly realServers: number;
  readonly live: number;
  readonly drained: number;
  /** The worst first, and not more than a page has room for. */
  readonly troubles: readonly PoolTroubleView[];
}

export interface PoolTroubleView {
  readonly virtualServer: string;
  /** "": the virtual server itself. */
  readonly server: string;
  /** `no-quorum`, `down`, `draining`, `drained`. */
  readonly what: string;
  readonly why: string;
}

export interface ServiceView {
  readonly name: string;
  readonly status: string;
  readonly restarts: number;
}

export interface EventView {
  readonly id: string;
  readonly time: string;
  readonly node: string;
  readonly service: string;
  readonly kind: string;
  readonly aggregate: string;
  readonly type: string;
  readonly sentence: string;
  readonly tone: "good" | "bad" | "neutral";
  readonly correlationId: string;
}

/** By time of day, as the page shows it; the nodes' clocks agree as far as their operator has seen to it. */
export const compareEvents = (a: Pick<EventView, "time" | "id">, b: Pick<EventView, "time" | "id">): number =>
  a.time < b.time ? -1 : a.time > b.time ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0;

export interface FleetView {
  readonly groups: readonly GroupView[];
  readonly nodes: readonly NodeView[];
}

/** Messages of /api/stream by the name of their server-sent event. A `fleet` message replaces everything. */
export interface StreamMessages {
  readonly fleet: FleetView & { readonly events: readonly EventView[]; readonly hub: HubView };
  readonly group: GroupView;
  readonly "group-gone": { readonly id: string };
  readonly node: NodeView;
  readonly event: EventView;
  readonly hub: HubView;
}

/** Whether the page's own source is sound: without its bus the hub hears nobody. */
export interface HubView {
  readonly connected: boolean;
}

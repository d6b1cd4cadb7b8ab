// The read model of all nodes: events say what changed, heartbeats say what is. A heartbeat replaces what the hub holds
// of a node; an event counts only if it is younger than the node's last heartbeat, so that an uplink that catches up
// after an outage tells history without moving the picture. Deterministic: time is an argument, nothing is read.
import { type AggregateState, evolve } from "@baton/contracts";
import type { EventEnvelope } from "@baton/domain";
import { type Heartbeat, silentAfterMillis } from "./heartbeat.ts";
import { judgeGroup, type MemberRecord } from "./verdict.ts";
import type { AddressView, FleetView, GroupView, MemberView, NodeView, PoolsView } from "./view.ts";

/** What the hub keeps of one node. */
interface NodeRecord {
  readonly node: string;
  /** Hub time of the last heartbeat; undefined until there was one. */
  heardAt: number | undefined;
  stopping: boolean;
  version: string;
  ready: boolean;
  backlog: number;
  pools: PoolsView | undefined;
  /** When, by the node's clocks, the last status was taken. */
  statusAt: { readonly at: number; readonly wallMillis: number } | undefined;
  /** Wall clock minus CLOCK_BOOTTIME of the node, milliseconds: shows boottime instants as times of day. */
  clockOffset: number | undefined;
  aggregates: Map<string, AggregateState>;
  readonly lastSeen: Map<string, { readonly epoch: number; readonly version: number }>;
  readonly claims: Map<string, { readonly claimedAt: number; readonly confirmedAt: number }>;
}

export const limits = {
  /** Beyond this a stranger is inventing names. */
  nodesMax: 4_096,
  /** Instances, scripts, services … of one node: the same. */
  aggregatesMax: 20_000,
} as const;

/** A clock offset moves only when it moved by more than this: the time shown for a transition must not flicker. */
const clockJitterMillis = 50;

export class FleetModel {
  readonly #nodes = new Map<string, NodeRecord>();
  readonly #masterlessSince = new Map<string, number>();

  /** A node that has a credential, heard or not. */
  expect(node: string): void {
    this.#record(node);
  }

  /** False when the event was seen before: a redelivery, or a copy that the hub stored twice. */
  applyEvent(envelope: EventEnvelope, now: number): boolean {
    const record = this.#record(envelope.node);
    if (record === undefined) return true;
    const key = keyOf(envelope.aggregate.kind, envelope.aggregate.id);
    const last = record.lastSeen.get(key);
    // Within one life of its writer the version rises; a new epoch, whatever its number (CLOCK_BOOTTIME starts anew
    // with each boot), is a new life, because the hub holds a node's events in the node's own order.
    if (last !== undefined && last.epoch === envelope.epoch && envelope.version <= last.version) return false;
    if (last === undefined && record.lastSeen.size >= limits.aggregatesMax) return true;
    record.lastSeen.set(key, { epoch: envelope.epoch, version: envelope.version });
    const wallMillis = Date.parse(envelope.time);
    const status = record.statusAt;
    if (status !== undefined && (envelope.at <= status.at || wallMillis < status.wallMillis)) return true;
    if (status === undefined && Number.isFinite(wallMillis)) setClock(record, envelope.at, wallMillis);
    record.aggregates.set(key, evolve(record.aggregates.get(key), envelope));
    noteClaims(record, now, false);
    return true;
  }

  applyHeartbeat(heartbeat: Heartbeat, now: number): void {
    const record = this.#record(heartbeat.node);
    if (record === undefined) return;
    record.heardAt = now;
    record.stopping = heartbeat.stopping;
    const { status } = heartbeat;
    if (status === undefined) return;
    record.statusAt = { at: heartbeat.at, wallMillis: heartbeat.wallMillis };
    setClock(record, heartbeat.at, heartbeat.wallMillis);
    record.version = status.version;
    record.ready = status.ready;
    record.backlog = status.bus?.backlog ?? 0;
    record.pools = status.pools;
    record.aggregates = aggregatesOf(status);
    noteClaims(record, now, true);
  }

  view(now: number): FleetView {
    return { groups: this.#groups(now), nodes: this.#sorted().map((record) => nodeView(record, now)) };
  }

  /** The node whose primary address this is. */
  nameOf(address: string): string | undefined {
    if (address === "") return undefined;
    return this.#sorted().find((record) => instances(record).some((each) => each.primaryAddress === address))?.node;
  }

  /** Whom `node` followed on this instance, by name where it is known: for the explanation of its next step. */
  masterHeardBy(node: string, instance: string): string | undefined {
    const record = this.#nodes.get(node);
    if (record === undefined) return undefined;
    const master = instances(record).find((each) => each.name === instance)?.master ?? "";
    return master === "" ? undefined : (this.nameOf(master) ?? master);
  }

  #record(node: string): NodeRecord | undefined {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    if (this.#nodes.size >= limits.nodesMax) return undefined;
    const record: NodeRecord = {
      node,
      heardAt: undefined,
      stopping: false,
      version: "",
      ready: false,
      backlog: 0,
      pools: undefined,
      statusAt: undefined,
      clockOffset: undefined,
      aggregates: new Map(),
      lastSeen: new Map(),
      claims: new Map(),
    };
    this.#nodes.set(node, record);
    return record;
  }

  #sorted(): NodeRecord[] {
    return [...this.#nodes.values()].sort((a, b) => compareText(a.node, b.node));
  }

  #groups(now: number): GroupView[] {
    const groups = new Map<string, { vrid: number; instance: string; members: MemberRecord[] }>();
    const reachable = new Set(this.#sorted().flatMap((record) => (isReachable(record, now) ? [record.node] : [])));
    for (const record of this.#sorted()) {
      for (const state of instances(record)) {
        const id = `${state.vrid}/${state.name}`;
        const group = groups.get(id) ?? { vrid: state.vrid, instance: state.name, members: [] };
        const claim = record.claims.get(state.name);
        group.members.push({ view: memberView(record, state, now), master: state.master, claim });
        groups.set(id, group);
      }
    }
    for (const id of this.#masterlessSince.keys()) if (!groups.has(id)) this.#masterlessSince.delete(id);
    return [...groups]
      .map(([id, group]) => ({ id, ...this.#judge(id, group, reachable, now) }))
      .sort((a, b) => a.vrid - b.vrid || compareText(a.instance, b.instance));
  }

  #judge(
    id: string,
    group: { vrid: number; instance: string; members: MemberRecord[] },
    reachable: ReadonlySet<string>,
    now: number,
  ): Omit<GroupView, "id"> {
    const { verdict, master } = judgeGroup(group.members, {
      now,
      masterlessSince: this.#masterlessSince.get(id) ?? now,
      nodeAt: (address) => {
        const node = this.nameOf(address);
        return node === undefined ? undefined : { node, reachable: reachable.has(node) };
      },
    });
    if (verdict === "one-master" || verdict === "two-masters") this.#masterlessSince.delete(id);
    else if (!this.#masterlessSince.has(id)) this.#masterlessSince.set(id, now);
    return {
      vrid: group.vrid,
      instance: group.instance,
      verdict,
      master,
      members: group.members.map((member) => member.view),
    };
  }
}

const keyOf = (kind: string, id: string): string => `${kind}\n${id}`;
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isReachable = (record: NodeRecord, now: number): boolean =>
  record.heardAt !== undefined && !record.stopping && now - record.heardAt < silentAfterMillis;

function setClock(record: NodeRecord, at: number, wallMillis: number): void {
  const offset = wallMillis - at / 1_000;
  if (record.clockOffset === undefined || Math.abs(offset - record.clockOffset) > clockJitterMillis)
    record.clockOffset = offset;
}

/** Since when each instance is known to claim mastership, and when a heartbeat last said so. */
function noteClaims(record: NodeRecord, now: number, confirmed: boolean): void {
  const masters = new Set(instances(record).flatMap((each) => (each.state === "master" ? [each.name] : [])));
  for (const name of record.claims.keys()) if (!masters.has(name)) record.claims.delete(name);
  for (const name of masters) {
    const claim = record.claims.get(name);
    record.claims.set(name, {
      claimedAt: claim?.claimedAt ?? now,
      confirmedAt: confirmed ? now : (claim?.confirmedAt ?? Number.NEGATIVE_INFINITY),
    });
  }
}

type Status = NonNullable<Heartbeat["status"]>;
type Instance = Status["instances"][number];

function aggregatesOf(status: Status): Map<string, AggregateState> {
  const all: AggregateState[] = [
    ...status.instances.map((value) => aggregate("vrrp", value.name, { $case: "instance", value })),
    ...status.trackers.map((value) => aggregate("tracker", value.name, { $case: "tracker", value })),
    ...status.addresses.map((value) => aggregate("address", value.instance, { $case: "addresses", value })),
    ...status.services.map((value) => aggregate("service", value.name, { $case: "service", value })),
  ];
  if (status.config !== undefined)
    all.push(aggregate("config", status.node, { $case: "config", value: status.config }));
  return new Map(all.map((each) => [keyOf(each.kind, each.id), each]));
}

const aggregate = (kind: string, id: string, state: AggregateState["state"]): AggregateState => ({
  kind,
  id,
  version: 0,
  state,
});

const instances = (record: NodeRecord): Instance[] =>
  [...record.aggregates.values()].flatMap(({ state }) => (state?.$case === "instance" ? [state.value] : []));

function memberView(record: NodeRecord, state: Instance, now: number): MemberView {
  return {
    node: record.node,
    reachable: isReachable(record, now),
    state: state.state,
    interface: state.interface,
    priority: state.effectivePriority,
    basePriority: state.basePriority,
    term: state.term,
    since:
      state.since === 0 || record.clockOffset === undefined ? "" : timeText(record.clockOffset + state.since / 1_000),
    reason: state.reason,
    primaryAddress: state.primaryAddress,
    addresses: addressViews(record, state),
  };
}

/** What dataplane read back; before it spoke, what the instance is configured to hold. */
function addressViews(record: NodeRecord, state: Instance): AddressView[] {
  const held = record.aggregates.get(keyOf("address", state.name))?.state;
  if (held?.$case === "addresses" && held.value.addresses.length > 0)
    return held.value.addresses.map(({ address, present, error }) => ({ address, present, error }));
  return state.addresses.map((address) => ({ address, present: false, error: "" }));
}

function nodeView(record: NodeRecord, now: number): NodeView {
  const connected = isReachable(record, now);
  const states = [...record.aggregates.values()].map((each) => each.state);
  const services = states.flatMap((state) => (state?.$case === "service" ? [state.value] : []));
  const config = states.find((state) => state?.$case === "config");
  return {
    node: record.node,
    status: connected ? "connected" : nodeStatus(record),
    lastHeard: connected || record.heardAt === undefined ? "" : timeText(record.heardAt),
    version: record.version,
    ready: record.ready,
    generation: config?.$case === "config" ? config.value.generation : 0,
    services: services
      .map(({ name, status, restarts }) => ({ name, status, restarts }))
      .sort((a, b) => compareText(a.name, b.name)),
    backlog: record.backlog,
    ...(record.pools === undefined ? {} : { pools: record.pools }),
  };
}

function nodeStatus(record: NodeRecord): NodeView["status"] {
  if (record.stopping) return "stopped";
  return record.heardAt === undefined && record.lastSeen.size === 0 ? "expected" : "silent";
}

/** RFC 3339, or "" for what no calendar has: a node may send any number. */
function timeText(wallMillis: number): string {
  const date = new Date(wallMillis);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

// Events and heartbeats of imaginary routers, for tests. A router named rN has the primary address 10.0.0.N.
import type { InstanceState, NodeStatus } from "@baton/contracts";
import type { AggregateKind, BatonEvent, EventEnvelope } from "@baton/domain";
import type { Heartbeat } from "../heartbeat.ts";

/** When the imaginary routers booted, milliseconds of the wall clock of tests. */
const defaultBoot = -10_000;

export interface EventPlace {
  /** Wall clock, milliseconds. */
  readonly at: number;
  readonly version: number;
  readonly epoch?: number;
  readonly bootedAt?: number;
  readonly term?: number;
  readonly id?: string;
}

const boottime = (wallMillis: number, bootedAt = defaultBoot): number => (wallMillis - bootedAt) * 1_000;

export function envelopeOf(
  node: string,
  kind: AggregateKind,
  id: string,
  event: BatonEvent,
  place: EventPlace,
): EventEnvelope {
  const eventId = place.id ?? `${node}-${kind}-${id}-${place.epoch ?? 1}-${place.version}`;
  return {
    id: eventId,
    time: new Date(place.at).toISOString(),
    at: boottime(place.at, place.bootedAt),
    node,
    service: kind === "address" ? "dataplane" : "election",
    aggregate: { kind, id },
    epoch: place.epoch ?? 1,
    version: place.version,
    correlationId: eventId,
    causationId: eventId,
    event,
  };
}

const instancePlace = { instance: "VI_1", vrid: 51, interface: "eth0" };

export const becameMaster = (node: string, place: EventPlace): EventEnvelope => {
  const data = { ...instancePlace, term: place.term ?? 1, priority: 100, addresses: ["192.0.2.10"] };
  return envelopeOf(
    node,
    "vrrp",
    "VI_1",
    { type: "became-master", data: { ...data, reason: "master-down-expired" } },
    place,
  );
};

export const becameBackup = (node: string, place: EventPlace): EventEnvelope => {
  const data = { ...instancePlace, term: place.term ?? 1, priority: 100, master: "10.0.0.2", masterPriority: 101 };
  return envelopeOf(
    node,
    "vrrp",
    "VI_1",
    { type: "became-backup", data: { ...data, reason: "higher-priority" } },
    place,
  );
};

export const vipAdded = (node: string, address: string, place: EventPlace): EventEnvelope => {
  const data = { instance: "VI_1", address, interface: "eth0", label: "", term: place.term ?? 1, elapsedMicros: 500 };
  return envelopeOf(node, "address", "VI_1", { type: "vip-added", data }, place);
};

export const instanceState = (node: string, more: Partial<InstanceState> = {}): InstanceState => ({
  name: "VI_1",
  state: "backup",
  vrid: 51,
  interface: "eth0",
  basePriority: 100,
  effectivePriority: 100,
  term: 0,
  master: "",
  masterPriority: 0,
  since: 1_000,
  reason: "",
  addresses: [],
  faultCauses: [],
  primaryAddress: `10.0.0.${node.slice(1)}`,
  lastEventId: "",
  correlationId: "",
  traceparent: "",
  leaseConfirmed: false,
  masterAdvertMicros: 0,
  degraded: false,
  preemptHeldUntil: 0,
  staleTrackers: [],
  ...more,
});

export function statusOf(node: string, instances: readonly InstanceState[]): NodeStatus {
  return {
    node,
    version: "0.1.0",
    ready: true,
    uptimeMicros: 1_000_000,
    config: { generation: 1, hash: "h", file: "keepalived.conf", snapshotPath: "" },
    instances: [...instances],
    trackers: [],
    addresses: [],
    virtualServers: [],
    checkers: [],
    balancers: [],
    pools: undefined,
    services: ["control", "dataplane", "election", "health", "notifier", "uplink"].map((name, index) => ({
      name,
      pid: 100 + index,
      status: "running",
      restarts: 0,
      startedAt: 1,
    })),
    bus: { connected: true, backlog: 0, oldestMicros: 0 },
  };
}

export const heartbeatOf = (
  node: string,
  wallMillis: number,
  instances: readonly InstanceState[],
  more: { readonly bootedAt?: number; readonly wallJitter?: number; readonly pools?: NodeStatus["pools"] } = {},
): Heartbeat => ({
  node,
  at: boottime(wallMillis, more.bootedAt),
  wallMillis: wallMillis + (more.wallJitter ?? 0),
  status: { ...statusOf(node, instances), pools: more.pools },
  stopping: false,
});

// A node's status for tests.
import type { InstanceState, NodeStatus } from "@baton/contracts";

export const instanceState = (more: Partial<InstanceState> = {}): InstanceState => ({
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
  primaryAddress: "10.0.0.1",
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

export const nodeStatus = (more: Partial<NodeStatus> = {}): NodeStatus => ({
  node: "r1",
  version: "0.1.0",
  ready: true,
  uptimeMicros: 1,
  config: { generation: 1, hash: "h", file: "f", snapshotPath: "" },
  instances: [],
  trackers: [],
  addresses: [],
  services: [{ name: "election", pid: 1, status: "running", restarts: 0, startedAt: 1 }],
  bus: { connected: true, backlog: 0, oldestMicros: 0 },
  ...more,
});

// What an event does to the state that its owner shows on Watch: a consumer that starts from a snapshot and folds the
// deltas holds what the owner's next snapshot will say. One fold for every reader, so that no two pages disagree.
// What has no event (adverts heard, runs counted, the lease confirmed) stays as the last snapshot told it.
import type { BatonEvent, EventEnvelope } from "@baton/domain";
import { evolveBalancing } from "./evolve-balancing.ts";
import type {
  AddressesState,
  AddressState,
  AggregateState,
  ConfigState,
  InstanceState,
  ServiceState,
  SyncGroupState,
  TrackerState,
} from "./generated/baton/v1/watch.ts";

/** The state after `envelope`; `state` is undefined for an aggregate never seen before. Pure. */
export function evolve(state: AggregateState | undefined, envelope: EventEnvelope): AggregateState {
  return {
    kind: envelope.aggregate.kind,
    id: envelope.aggregate.id,
    version: envelope.version,
    state: evolveState(state?.state, envelope),
  };
}

function evolveState(state: AggregateState["state"], envelope: EventEnvelope): AggregateState["state"] {
  const { id } = envelope.aggregate;
  switch (envelope.aggregate.kind) {
    case "vrrp": {
      const before = state?.$case === "instance" ? state.value : emptyInstance(id);
      return { $case: "instance", value: evolveInstance(before, envelope) };
    }
    case "group": {
      const before = state?.$case === "group" ? state.value : emptyGroup(id);
      return { $case: "group", value: evolveGroup(before, envelope) };
    }
    case "tracker": {
      const before = state?.$case === "tracker" ? state.value : emptyTracker(id);
      return { $case: "tracker", value: evolveTracker(before, envelope) };
    }
    case "address": {
      const before = state?.$case === "addresses" ? state.value : emptyAddresses(id);
      return { $case: "addresses", value: evolveAddresses(before, envelope) };
    }
    case "config": {
      const before = state?.$case === "config" ? state.value : emptyConfig();
      return { $case: "config", value: evolveConfig(before, envelope) };
    }
    case "service": {
      const before = state?.$case === "service" ? state.value : emptyService(id);
      return { $case: "service", value: evolveService(before, envelope) };
    }
    case "checker":
    case "virtual-server":
    case "balancer":
      return evolveBalancing(state, envelope);
    default:
      // Notifications have no level, and a newer version may know kinds that this one does not.
      return state;
  }
}

function evolveInstance(before: InstanceState, envelope: EventEnvelope): InstanceState {
  const { event } = envelope;
  const traced: InstanceState = {
    ...before,
    lastEventId: envelope.id,
    correlationId: envelope.correlationId,
    traceparent: envelope.traceparent ?? "",
  };
  switch (event.type) {
    case "became-master":
      return {
        ...traced,
        ...transition("master", envelope.at, event.data),
        effectivePriority: event.data.priority,
        reason: event.data.reason,
        addresses: [...event.data.addresses],
        master: "",
        masterPriority: 0,
      };
    case "became-backup":
      return {
        ...traced,
        ...transition("backup", envelope.at, event.data),
        effectivePriority: event.data.priority,
        reason: event.data.reason,
        master: event.data.master,
        masterPriority: event.data.masterPriority,
      };
    case "entered-fault":
      return {
        ...traced,
        ...transition("fault", envelope.at, event.data),
        effectivePriority: event.data.priority,
        reason: event.data.causes.join(", "),
        faultCauses: [...event.data.causes],
      };
    case "instance-stopped":
      return { ...traced, ...transition("stopped", envelope.at, event.data), reason: event.data.reason };
    case "mastership-degraded":
      return { ...traced, degraded: true };
    case "mastership-restored":
      return { ...traced, degraded: false, leaseConfirmed: true };
    case "preemption-held":
      return { ...traced, preemptHeldUntil: envelope.at + event.data.holdMs * 1_000 };
    case "tracker-stale":
    case "tracker-fresh": {
      const key = `${event.data.kind}:${event.data.tracker}`;
      const others = before.staleTrackers.filter((each) => each !== key);
      return { ...traced, staleTrackers: event.type === "tracker-stale" ? [...others, key] : others };
    }
    case "priority-changed":
      return { ...traced, vrid: event.data.vrid, effectivePriority: event.data.to, basePriority: event.data.base };
    default:
      return before;
  }
}

/** A lease is confirmed anew by each state; faults and what is served in part end with the state that they belong to. */
const transition = (state: string, at: number, data: { vrid: number; interface: string; term: number }) => ({
  state,
  since: at,
  vrid: data.vrid,
  interface: data.interface,
  term: data.term,
  leaseConfirmed: false,
  degraded: false,
  faultCauses: [],
});

function evolveGroup(before: SyncGroupState, envelope: EventEnvelope): SyncGroupState {
  const { event } = envelope;
  if (event.type !== "sync-group-changed") return before;
  const { state, term, members, member, reason } = event.data;
  return {
    ...before,
    ...{ state, term, members: [...members], member, reason },
    since: envelope.at,
    lastEventId: envelope.id,
    correlationId: envelope.correlationId,
    traceparent: envelope.traceparent ?? "",
  };
}

function evolveTracker(before: TrackerState, envelope: EventEnvelope): TrackerState {
  const facts = trackerFacts(envelope.event);
  if (facts === undefined) return before;
  return {
    ...before,
    ...facts,
    checkedAt: envelope.at,
    lastEventId: envelope.id,
    correlationId: envelope.correlationId,
    traceparent: envelope.traceparent ?? "",
  };
}

function trackerFacts(event: BatonEvent): Partial<TrackerState> | undefined {
  switch (event.type) {
    case "script-failed":
      return { name: event.data.script, kind: "script", status: "down", lastExit: event.data.exit };
    case "script-succeeded":
      return { name: event.data.script, kind: "script", status: "up", lastExit: "0" };
    case "file-changed":
      return { name: event.data.file, kind: "file", status: "read", value: event.data.value };
    case "process-quorum-lost":
      return { name: event.data.process, kind: "process", status: "down", value: event.data.running };
    case "process-quorum-gained":
      return { name: event.data.process, kind: "process", status: "up", value: event.data.running };
    case "bfd-session-up":
      return { name: event.data.session, kind: "bfd", status: "up", lastExit: "" };
    case "bfd-session-down":
      return { name: event.data.session, kind: "bfd", status: "down", lastExit: event.data.diagnostic };
    default:
      return undefined;
  }
}

function evolveAddresses(before: AddressesState, { event }: EventEnvelope): AddressesState {
  switch (event.type) {
    case "vip-added":
      return {
        ...setAddress(before, { ...event.data, present: true, error: "" }),
        term: event.data.term,
        lease: "held",
      };
    case "vip-removed": {
      const after = setAddress(before, { ...event.data, present: false, error: "" });
      return { ...after, lease: after.addresses.some((each) => each.present) ? after.lease : "none" };
    }
    case "vip-failed":
      return { ...setAddress(before, { ...event.data, present: false }), term: event.data.term };
    case "routes-added":
    case "routes-repaired":
      return setRouting(before, event.data, true, "");
    case "routes-removed":
      return setRouting(before, event.data, false, "");
    case "routes-failed":
      return setRouting(before, event.data, false, event.data.error);
    case "lease-expired":
      return { ...before, lease: "expired" };
    default:
      return before;
  }
}

function setAddress(
  before: AddressesState,
  change: { address: string; interface: string; present: boolean; error: string; label?: string },
): AddressesState {
  const same = (each: AddressState): boolean => each.address === change.address && each.interface === change.interface;
  const known = before.addresses.find(same);
  const after: AddressState = {
    address: change.address,
    interface: change.interface,
    label: change.label ?? known?.label ?? "",
    present: change.present,
    error: change.error,
  };
  const addresses =
    known === undefined ? [...before.addresses, after] : before.addresses.map((each) => (same(each) ? after : each));
  return { ...before, addresses };
}

/** All those of one event at once: there may be a thousand. */
function setRouting(
  before: AddressesState,
  changed: { readonly routes: readonly string[]; readonly rules: readonly string[] },
  present: boolean,
  error: string,
): AddressesState {
  const states = new Map(before.routing.map((each) => [`${each.kind} ${each.text}`, each]));
  const set = (kind: "route" | "rule", texts: readonly string[]): void => {
    for (const text of texts) states.set(`${kind} ${text}`, { kind, text, present, error });
  };
  set("route", changed.routes);
  set("rule", changed.rules);
  return { ...before, routing: [...states.values()] };
}

function evolveConfig(before: ConfigState, { event }: EventEnvelope): ConfigState {
  if (event.type !== "config-applied") return before;
  return { ...before, generation: event.data.generation, hash: event.data.hash, file: event.data.file };
}

function evolveService(before: ServiceState, { event, at }: EventEnvelope): ServiceState {
  switch (event.type) {
    case "service-started":
      return { ...before, pid: event.data.pid, restarts: event.data.restarts, status: "running", startedAt: at };
    case "service-stopped":
      return { ...before, status: "stopped" };
    case "service-died":
      return { ...before, status: "dead", restarts: event.data.restarts };
    default:
      return before;
  }
}

const emptyInstance = (name: string): InstanceState => ({
  name,
  state: "initialize",
  vrid: 0,
  interface: "",
  basePriority: 0,
  effectivePriority: 0,
  term: 0,
  master: "",
  masterPriority: 0,
  since: 0,
  reason: "",
  addresses: [],
  faultCauses: [],
  primaryAddress: "",
  lastEventId: "",
  correlationId: "",
  traceparent: "",
  leaseConfirmed: false,
  masterAdvertMicros: 0,
  degraded: false,
  preemptHeldUntil: 0,
  staleTrackers: [],
});

const emptyGroup = (name: string): SyncGroupState => ({
  name,
  state: "initialize",
  term: 0,
  members: [],
  member: "",
  reason: "",
  since: 0,
  lastEventId: "",
  correlationId: "",
  traceparent: "",
});

const emptyTracker = (name: string): TrackerState => ({
  name,
  kind: "script",
  status: "unknown",
  result: 0,
  checkedAt: 0,
  lastExit: "",
  lastEventId: "",
  correlationId: "",
  traceparent: "",
  runs: 0,
  skipped: 0,
  timeouts: 0,
  value: 0,
});

const emptyAddresses = (instance: string): AddressesState => ({
  instance,
  term: 0,
  lease: "none",
  addresses: [],
  routing: [],
});
const emptyConfig = (): ConfigState => ({ generation: 0, hash: "", file: "", snapshotPath: "" });
const emptyService = (name: string): ServiceState => ({ name, pid: 0, status: "unknown", restarts: 0, startedAt: 0 });

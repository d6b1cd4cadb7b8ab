// The fold of checkers, virtual servers and the kernel's balancer; see evolve.ts.
import { checkFailureWords, type EventEnvelope } from "@baton/domain";
import type { DestinationWeight } from "./generated/baton/v1/events.ts";
import type {
  AggregateState,
  BalancerState,
  CheckerState,
  PoolServerState,
  VirtualServerState,
} from "./generated/baton/v1/watch.ts";

export function evolveBalancing(state: AggregateState["state"], envelope: EventEnvelope): AggregateState["state"] {
  const { kind, id } = envelope.aggregate;
  switch (kind) {
    case "checker": {
      const before = state?.$case === "checker" ? state.value : emptyChecker(id);
      return { $case: "checker", value: traced(evolveChecker(before, envelope), envelope) };
    }
    case "virtual-server": {
      const before = state?.$case === "virtualServer" ? state.value : emptyVirtualServer(id);
      return { $case: "virtualServer", value: traced(evolveVirtualServer(before, envelope), envelope) };
    }
    case "balancer": {
      const before = state?.$case === "balancer" ? state.value : emptyBalancer(id);
      return { $case: "balancer", value: traced(evolveBalancer(before, envelope), envelope) };
    }
    default:
      return state;
  }
}

const traced = <T extends object>(value: T, { id, correlationId, traceparent }: EventEnvelope): T => ({
  ...value,
  lastEventId: id,
  correlationId,
  traceparent: traceparent ?? "",
});

function evolveChecker(before: CheckerState, { event, at }: EventEnvelope): CheckerState {
  switch (event.type) {
    case "check-failed":
      return { ...before, status: "down", attempts: 0, checkedAt: at, lastFailure: checkFailureWords(event.data) };
    case "check-attempt-failed":
      return {
        ...before,
        attempts: event.data.attempt,
        checkedAt: at,
        lastFailure: checkFailureWords(event.data),
      };
    case "check-succeeded":
      return { ...before, status: "up", attempts: 0, checkedAt: at, lastFailure: "" };
    default:
      return before;
  }
}

function evolveVirtualServer(before: VirtualServerState, { event, at }: EventEnvelope): VirtualServerState {
  switch (event.type) {
    case "realserver-up":
      return {
        ...setServer(before, event.data.server, { alive: true, failing: [] }),
        held: before.held === event.data.server ? "" : before.held,
      };
    case "realserver-down":
      return {
        ...setServer(before, event.data.server, ({ failing }) => ({
          alive: false,
          failing: event.data.check === "" ? failing : [...new Set([...failing, event.data.check])],
        })),
        held: event.data.held ? event.data.server : before.held,
      };
    case "quorum-gained":
    case "quorum-lost": {
      const { quorum, hysteresis, weight: liveWeight } = event.data;
      return { ...before, quorum, hysteresis, liveWeight, quorumUp: event.type === "quorum-gained", since: at };
    }
    case "sorry-server-added":
    case "sorry-server-removed":
      return { ...before, sorry: event.type === "sorry-server-added" };
    case "drain-started": {
      const drainUntil = event.data.deadlineMs === 0 ? 0 : at + event.data.deadlineMs * 1_000;
      return setServer(before, event.data.server, { drain: "draining", drainUntil });
    }
    case "drain-finished":
      return setServer(before, event.data.server, { drain: "removed", drainUntil: 0 });
    case "drain-undone":
      return setServer(before, event.data.server, { drain: "none", drainUntil: 0 });
    case "destinations-changed": {
      const destinations = changeDestinations(before.destinations, event.data);
      // Whoever is held is so for want of others.
      const isRelieved = destinations.some((each) => each.server !== before.held && each.weight > 0);
      return { ...before, destinations, held: isRelieved ? "" : before.held };
    }
    default:
      return before;
  }
}

type ServerChange = Partial<PoolServerState>;

function setServer(
  before: VirtualServerState,
  server: string,
  change: ServerChange | ((known: PoolServerState) => ServerChange),
): VirtualServerState {
  const known = before.servers.find((each) => each.server === server) ?? emptyServer(server);
  const after = { ...known, ...(typeof change === "function" ? change(known) : change) };
  const isKnown = before.servers.includes(known);
  return {
    ...before,
    servers: isKnown ? before.servers.map((each) => (each === known ? after : each)) : [...before.servers, after],
  };
}

/** Who is in the service after `destinations-changed`; the order is that of their coming. */
export function changeDestinations(
  before: readonly DestinationWeight[],
  { set, removed }: { readonly set: readonly DestinationWeight[]; readonly removed: readonly string[] },
): DestinationWeight[] {
  const after = new Map(before.map((each) => [each.server, each]));
  for (const server of removed) after.delete(server);
  for (const each of set) after.set(each.server, each);
  return [...after.values()];
}

function evolveBalancer(before: BalancerState, { event, at }: EventEnvelope): BalancerState {
  switch (event.type) {
    case "balancer-programmed":
      return { ...before, engine: event.data.engine, programmedAt: at, errors: [] };
    case "balancer-repaired":
      return { ...before, engine: event.data.engine, programmedAt: at, repairs: before.repairs + event.data.total };
    case "balancer-failed":
      return { ...before, engine: event.data.engine, errors: [event.data.error] };
    default:
      return before;
  }
}

const emptyHistory = { lastEventId: "", correlationId: "", traceparent: "" };

const emptyChecker = (name: string): CheckerState => ({
  name,
  type: "",
  status: "unknown",
  attempts: 0,
  checkedAt: 0,
  lastFailure: "",
  runs: 0,
  failures: 0,
  latenessMicros: 0,
  suspended: false,
  shared: 0,
  ...emptyHistory,
});

const emptyVirtualServer = (name: string): VirtualServerState => ({
  name,
  quorum: 0,
  hysteresis: 0,
  quorumUp: false,
  sorry: false,
  held: "",
  servers: [],
  destinations: [],
  liveWeight: 0,
  since: 0,
  ...emptyHistory,
});

const emptyServer = (server: string): PoolServerState => ({
  server,
  alive: false,
  drain: "none",
  drainUntil: 0,
  configuredWeight: 0,
  failing: [],
});

const emptyBalancer = (engine: string): BalancerState => ({
  engine,
  services: 0,
  destinations: 0,
  repairs: 0,
  programmedAt: 0,
  errors: [],
  ...emptyHistory,
});

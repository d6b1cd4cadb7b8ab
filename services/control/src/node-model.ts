// The read model of this node: what each service's Watch stream last said, with the events since folded in.
// It decides nothing: services do not ask control how things are, people and tools do.
import { type AggregateState, type Counter, evolve, type NodeStatus } from "@baton/contracts";
import type { AggregateKind, EventEnvelope, ServiceName } from "@baton/domain";
import type { SnapshotAnswer } from "@baton/host";
import { summarizePools } from "./pools-summary.ts";

export interface NodeFacts {
  readonly node: string;
  readonly version: string;
  /** CLOCK_BOOTTIME µs. */
  readonly now: number;
  readonly startedAt: number;
  readonly bus: NonNullable<NodeStatus["bus"]>;
}

interface ServiceRecord {
  connected: boolean;
  /** It has told its state once. */
  known: boolean;
  aggregates: Map<string, AggregateState>;
  counters: readonly Counter[];
}

export class NodeModel {
  readonly #services = new Map<ServiceName, ServiceRecord>();

  /** A service that is followed, heard or not. */
  expect(service: ServiceName): void {
    this.#record(service);
  }

  snapshot(service: ServiceName, states: readonly AggregateState[]): void {
    const record = this.#record(service);
    record.connected = true;
    record.known = true;
    record.aggregates = new Map(states.map((state) => [keyOf(state.kind, state.id), state]));
  }

  /**
   * A snapshot asked for on the side: tells what has no event (a confirmed lease, runs counted). It may have been
   * overtaken by events that came in while it was on its way. `kinds`: only these were asked for, and others stand.
   */
  refresh(service: ServiceName, { states, counters }: SnapshotAnswer, kinds?: readonly AggregateKind[]): void {
    const record = this.#record(service);
    record.counters = counters;
    const before = record.aggregates;
    const others = [...before].filter(([, { kind }]) => kinds?.some((each) => each === kind) === false);
    const fresh = states.map((state): [string, AggregateState] => {
      const key = keyOf(state.kind, state.id);
      const known = before.get(key);
      return [key, known !== undefined && known.version > state.version ? known : state];
    });
    record.aggregates = new Map([...others, ...fresh]);
  }

  event(service: ServiceName, envelope: EventEnvelope): void {
    const { aggregates } = this.#record(service);
    const key = keyOf(envelope.aggregate.kind, envelope.aggregate.id);
    aggregates.set(key, evolve(aggregates.get(key), envelope));
  }

  counters(service: ServiceName, counters: readonly Counter[]): void {
    const record = this.#record(service);
    record.connected = true;
    record.counters = counters;
  }

  /** What it said last stands: a service that restarts is back with a new snapshot in a moment. */
  disconnected(service: ServiceName): void {
    this.#record(service).connected = false;
  }

  follows(service: ServiceName): boolean {
    return this.#services.has(service);
  }

  /** It runs no more, because nothing needs it. */
  forget(service: ServiceName): void {
    this.#services.delete(service);
  }

  status(facts: NodeFacts): NodeStatus {
    const states = [...this.#services.values()].flatMap((record) =>
      [...record.aggregates.values()].map((aggregate) => aggregate.state),
    );
    const instances = states.flatMap((state) => (state?.$case === "instance" ? [state.value] : []));
    const virtualServers = states.flatMap((state) => (state?.$case === "virtualServer" ? [state.value] : []));
    const checkers = states.flatMap((state) => (state?.$case === "checker" ? [state.value] : []));
    const services = this.#serviceStates();
    const startedAt = Math.min(facts.startedAt, ...services.map((service) => service.startedAt).filter((at) => at > 0));
    return {
      node: facts.node,
      version: facts.version,
      ready:
        this.#services.get("election")?.known === true &&
        instances.every((instance) => instance.state !== "initialize"),
      uptimeMicros: Math.max(0, facts.now - startedAt),
      config: states.find((state) => state?.$case === "config")?.value,
      instances: instances.sort((a, b) => compareText(a.name, b.name)),
      trackers: states
        .flatMap((state) => (state?.$case === "tracker" ? [state.value] : []))
        .sort((a, b) => compareText(a.name, b.name)),
      addresses: states
        .flatMap((state) => (state?.$case === "addresses" ? [state.value] : []))
        .sort((a, b) => compareText(a.instance, b.instance)),
      services,
      bus: facts.bus,
      virtualServers,
      checkers,
      pools: summarizePools({ virtualServers, checkers }),
      balancers: states.flatMap((state) => (state?.$case === "balancer" ? [state.value] : [])),
    };
  }

  /** Counters as each service last told them, with the service's name. */
  samples(): readonly { readonly service: ServiceName; readonly counter: Counter }[] {
    return [...this.#services].flatMap(([service, record]) => record.counters.map((counter) => ({ service, counter })));
  }

  connections(): readonly { readonly service: ServiceName; readonly connected: boolean }[] {
    return [...this.#services].map(([service, { connected }]) => ({ service, connected }));
  }

  /** The supervisor knows most; a service's own word fills in what it has not said. */
  #serviceStates(): NodeStatus["services"] {
    const found = new Map<string, NodeStatus["services"][number]>();
    for (const [owner, record] of this.#services) {
      for (const { state } of record.aggregates.values()) {
        if (state?.$case === "service" && (owner === "supervisor" || !found.has(state.value.name)))
          found.set(state.value.name, state.value);
      }
    }
    return [...found.values()].sort((a, b) => compareText(a.name, b.name));
  }

  #record(service: ServiceName): ServiceRecord {
    const record = this.#services.get(service) ?? {
      connected: false,
      known: false,
      aggregates: new Map(),
      counters: [],
    };
    this.#services.set(service, record);
    return record;
  }
}

const keyOf = (kind: string, id: string): string => `${kind}\n${id}`;
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

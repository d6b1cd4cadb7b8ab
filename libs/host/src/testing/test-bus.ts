// The node's bus and Watch streams between test hosts, without a process, socket or server. Delivery is immediate but
// never inside another delivery, as one process's step is never inside another's.
import type { AggregateState, Counter } from "@baton/contracts";
import type { Aggregate, EventEnvelope, ServiceName } from "@baton/domain";
import type { EventReader, WatchSource } from "../api.ts";
import { FollowMerge } from "../follow-merge.ts";
import type { VersionedWriter } from "../writer.ts";

type FollowHandler = Parameters<EventReader["follow"]>[2];

/** A service as the others see it: a real test host, or one that a test plays by hand. */
export interface TestOwner {
  readonly writer: VersionedWriter;
  source: WatchSource | undefined;
}

interface Following {
  readonly service: ServiceName;
  readonly merge: FollowMerge;
  readonly handler: FollowHandler;
}

export class TestBus {
  readonly #owners = new Map<ServiceName, TestOwner>();
  readonly #followers = new Set<Following>();
  readonly #subscribers = new Set<{
    matches(envelope: EventEnvelope): boolean;
    handler(envelope: EventEnvelope): void;
  }>();
  readonly #queue: (() => void)[] = [];
  #delivering = false;

  owner(service: ServiceName, make: () => TestOwner): TestOwner {
    const owner = this.#owners.get(service) ?? make();
    this.#owners.set(service, owner);
    return owner;
  }

  follow(service: ServiceName, kinds: readonly Aggregate["kind"][], handler: FollowHandler): { close(): void } {
    const following = { service, merge: new FollowMerge(service, kinds, handler), handler };
    this.#followers.add(following);
    if (this.#owners.get(service)?.source !== undefined) this.#deliver(() => this.#sendSnapshot(following));
    return { close: () => void this.#followers.delete(following) };
  }

  subscribe(
    filter: { kind?: Aggregate["kind"]; id?: string },
    handler: (envelope: EventEnvelope) => void,
  ): { close(): void } {
    const matches = ({ aggregate }: EventEnvelope): boolean =>
      (filter.kind ?? aggregate.kind) === aggregate.kind && (filter.id ?? aggregate.id) === aggregate.id;
    const subscriber = { matches, handler };
    this.#subscribers.add(subscriber);
    return { close: () => void this.#subscribers.delete(subscriber) };
  }

  /** The owner serves its Watch from now on, or starts it anew: every follower gets a snapshot. */
  serve(service: ServiceName): void {
    this.#deliver(() => {
      for (const following of this.#followersOf(service)) this.#sendSnapshot(following);
    });
  }

  publish(envelope: EventEnvelope): void {
    this.#deliver(() => {
      for (const following of this.#followersOf(envelope.service)) following.merge.event(envelope);
      for (const { matches, handler } of [...this.#subscribers]) if (matches(envelope)) handler(envelope);
    });
  }

  counters(service: ServiceName, counters: readonly Counter[]): void {
    this.#deliver(() => {
      for (const { handler } of this.#followersOf(service)) handler.counters?.(counters);
    });
  }

  disconnect(service: ServiceName): void {
    this.#deliver(() => {
      for (const { handler } of this.#followersOf(service)) handler.disconnected?.();
    });
  }

  #followersOf(service: ServiceName): Following[] {
    return [...this.#followers].filter((following) => following.service === service);
  }

  #sendSnapshot({ service, merge }: Following): void {
    const owner = this.#owners.get(service);
    if (owner?.source === undefined) return;
    const { writer, source } = owner;
    const aggregates = source.states().map((state): AggregateState => {
      const kind = state.kind as Aggregate["kind"];
      return { ...state, version: writer.version({ kind, id: state.id }) };
    });
    merge.snapshot({ service, epoch: writer.epoch, aggregates });
    merge.pulse({ epoch: writer.epoch, versions: [...writer.versions()], counters: [] });
  }

  #deliver(delivery: () => void): void {
    this.#queue.push(delivery);
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) next();
    } finally {
      this.#delivering = false;
    }
  }
}

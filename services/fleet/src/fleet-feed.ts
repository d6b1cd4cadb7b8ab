// From events and heartbeats to what the page is told: keeps the read model, and says what changed since it last said
// something. Changes within one flush are one message each, so a fleet of a thousand nodes does not redraw per heartbeat.
import type { EventEnvelope } from "@baton/domain";
import { EventHistory } from "./event-history.ts";
import { FleetModel } from "./fleet-model.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { EventView, FleetView, StreamMessages } from "./view.ts";

export type StreamMessage = {
  readonly [Name in keyof StreamMessages]: { readonly name: Name; readonly data: StreamMessages[Name] };
}[keyof StreamMessages];

export interface FeedDependencies {
  /** Milliseconds of the Unix epoch. */
  readonly now: () => number;
  readonly broadcast: (message: StreamMessage) => void;
  /** Calls `flush` soon; called once until the flush has happened. */
  readonly schedule: (flush: () => void) => void;
}

/** How many events a page gets when it opens. */
const pageEvents = 300;

export class FleetFeed {
  readonly #model = new FleetModel();
  readonly #history = new EventHistory();
  readonly #dependencies: FeedDependencies;
  /** The JSON that was last broadcast, by group and node. */
  #sent = { groups: new Map<string, string>(), nodes: new Map<string, string>() };
  #connected = false;
  #scheduled = false;

  constructor(dependencies: FeedDependencies) {
    this.#dependencies = dependencies;
  }

  expect(node: string): void {
    this.#model.expect(node);
  }

  event(envelope: EventEnvelope): void {
    // Asked before the event is folded: afterwards the router follows somebody else.
    const { event, node } = envelope;
    const previousMaster = "instance" in event.data ? this.#model.masterHeardBy(node, event.data.instance) : undefined;
    if (!this.#model.applyEvent(envelope, this.#dependencies.now())) return;
    const nameOf = (address: string): string | undefined => this.#model.nameOf(address);
    const view = this.#history.add(envelope, { nameOf, previousMaster });
    if (view === undefined) return;
    this.#dependencies.broadcast({ name: "event", data: view });
    this.touch();
  }

  heartbeat(heartbeat: Heartbeat): void {
    this.#model.applyHeartbeat(heartbeat, this.#dependencies.now());
    this.touch();
  }

  /** Whether the hub's own bus is there. */
  setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    this.#dependencies.broadcast({ name: "hub", data: { connected } });
  }

  /** Something may have changed, if only the time: nodes fall silent without a message. */
  touch(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#dependencies.schedule(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  fleet(): FleetView & { readonly hub: { readonly connected: boolean } } {
    return { ...this.#model.view(this.#dependencies.now()), hub: { connected: this.#connected } };
  }

  events(limit: number): readonly EventView[] {
    return this.#history.last(limit);
  }

  /** The first message of a page: everything. */
  opening(): StreamMessage {
    return { name: "fleet", data: { ...this.fleet(), events: this.events(pageEvents) } };
  }

  #flush(): void {
    const { groups, nodes } = this.#model.view(this.#dependencies.now());
    const sent = {
      groups: new Map(groups.map((group) => [group.id, JSON.stringify(group)])),
      nodes: new Map(nodes.map((node) => [node.node, JSON.stringify(node)])),
    };
    for (const node of nodes)
      if (sent.nodes.get(node.node) !== this.#sent.nodes.get(node.node))
        this.#dependencies.broadcast({ name: "node", data: node });
    for (const group of groups)
      if (sent.groups.get(group.id) !== this.#sent.groups.get(group.id))
        this.#dependencies.broadcast({ name: "group", data: group });
    for (const id of this.#sent.groups.keys())
      if (!sent.groups.has(id)) this.#dependencies.broadcast({ name: "group-gone", data: { id } });
    this.#sent = sent;
  }
}

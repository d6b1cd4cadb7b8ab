// One vrrp_instance at run time: hears and speaks, tells events, and remembers what only the shell can know (packet ids,
// what was last heard). What it does is decided by its unit (unit.ts), alone or together with others.
import { readFileSync } from "node:fs";
import type { AggregateState } from "@baton/contracts";
import { type Aggregate, assertNever, type CauseRef, type Instant, type IpAddress } from "@baton/domain";
import type { Host } from "@baton/host";
import type { AdvertSocket } from "@baton/linux";
import { attribute, metric, spanName } from "@baton/telemetry";
import {
  buildAdvertisement,
  type ElectionState,
  heardMaster,
  type Input,
  initialWireState,
  type LogCause,
  type MemberEffect,
  nothingTold,
  type OutgoingPacket,
  type ReceiveFacts,
  receiveAdvertisement,
  tellOnce,
  type VrrpPacket,
  type WireConfig,
} from "@baton/vrrp";
import { type AdvertSeen, advertLink } from "./advert-story.ts";
import type { RunnerConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { Concerned, Testimonies } from "./inputs/testimonies.ts";
import { toInstanceState } from "./instance-state.ts";
import { toWireConfig } from "./wire-config.ts";

export interface RunnerParts {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly counters: Counters;
  readonly testimonies: Pick<Testimonies, "ask" | "deny">;
  /** The socket that the instance speaks through, when it is open. */
  socket(): Pick<AdvertSocket, "send"> | undefined;
  /** What decides for it: gets what this instance has heard. */
  feed(input: Input): void;
  /** An advert above priority 0 has left. */
  onAdvertSent(): void;
}

/** The address owner's (RFC 9568 section 5.2.4). */
const ownerPriority = 255;

/** As many changes as a state's story can hold, and some more. */
const storiesMax = 16;

export class InstanceRunner {
  readonly name: string;
  #state: ElectionState;
  #parts: RunnerParts;
  readonly #aggregate: Aggregate;
  readonly #labels: { readonly instance: string };
  #config: Pick<RunnerConfig, "ownerIgnoreAdverts" | "skipCheckAddresses">;
  #wire: WireConfig;
  /** What packets have taught so far: identifications, sequence numbers, replay marks. */
  #wireState = initialWireState;
  #told = nothingTold;
  #since: Instant;
  #lastHeard: AdvertSeen | undefined;
  /** The advert that the current step is about, and the first one that it sent: the links of its spans. */
  #heardNow: AdvertSeen | undefined;
  #sentNow: AdvertSeen | undefined;
  #lastEvent: CauseRef | undefined;
  /** The source of its last advert: by this others know it. */
  #spokeFrom: IpAddress | undefined;
  /** The change of priority that a cause brought about, by the cause's id: what follows from it follows from the change. */
  readonly #priorityChanges = new Map<string, CauseRef>();

  constructor(parts: RunnerParts, instance: RunnerConfig, state: ElectionState) {
    this.name = instance.name;
    this.#parts = parts;
    this.#aggregate = { kind: "vrrp", id: instance.name };
    this.#labels = { instance: instance.name };
    this.#config = instance;
    this.#wire = toWireConfig(instance, readFileSync);
    this.#state = state;
    this.#since = parts.host.now();
  }

  /** Another unit decides for it from here on. */
  join(parts: RunnerParts): void {
    this.#parts = parts;
  }

  get state(): ElectionState {
    return this.#state;
  }

  /** How it speaks, and where packets to it alone arrive: by this its packets are told from others'. */
  get wire(): WireConfig {
    return this.#wire;
  }

  get address(): IpAddress | undefined {
    return this.#state.primaryAddress;
  }

  /** What others may be told of it over the bus (SAFETY S13). */
  get concerned(): Concerned {
    const { config, primaryAddress, kind } = this.#state;
    const addresses = [this.#spokeFrom, primaryAddress].filter((each) => each !== undefined);
    const deniesMastership = !isHolding(kind) && kind !== "initialize";
    return { subject: config, addresses, deniesMastership, feed: this.#parts.feed };
  }

  /** Before its start: the number of an authentication header that a former election was at, so that peers go on listening. */
  continueFrom(authCounter: number): void {
    this.#wireState = { ...this.#wireState, ahSequence: Math.max(this.#wireState.ahSequence, authCounter) };
  }

  /** Of the newest event. */
  get lastEvent(): CauseRef | undefined {
    return this.#lastEvent;
  }

  /** The state after a step; its effects follow, each by `execute`. */
  take(state: ElectionState): void {
    const { host, counters } = this.#parts;
    this.#sentNow = undefined;
    const before = this.#state.kind;
    this.#state = state;
    if (state.kind === before) return;
    if (isHolding(before) && !isHolding(state.kind) && this.#spokeFrom !== undefined)
      this.#parts.testimonies.deny(state.config, this.#spokeFrom);
    this.#told = nothingTold;
    this.#since = host.now();
    counters.add(metric.transitions, { ...this.#labels, from: before, to: state.kind });
  }

  onPacket(packet: VrrpPacket): void {
    const { counters } = this.#parts;
    const received = receiveAdvertisement(packet, this.#wire, this.#wireState, this.#receiveFacts(packet));
    if (!received.ok) {
      this.#tellOnce(received.reason, packet);
      return counters.add(metric.advertsDiscarded, { ...this.#labels, reason: received.reason });
    }
    this.#wireState = received.state;
    this.#told = heardMaster(this.#told, packet.source);
    const { advert, notices } = received;
    for (const notice of notices) {
      this.#tellOnce(notice, packet);
      counters.add(metric.advertNotices, { ...this.#labels, notice });
    }
    counters.add(metric.adverts, { ...this.#labels, direction: "received" });
    if (advert.priority === 0) counters.add(metric.priorityZero, { ...this.#labels, direction: "received" });
    this.#heardNow = { sender: packet.source, wireId: packet.id, time: new Date().toISOString() };
    this.#lastHeard = this.#heardNow;
    this.#parts.feed({ type: "advertisement-received", advert, source: packet.source, wireId: packet.id });
    this.#heardNow = undefined;
  }

  /** With every advert it would be the same line: one per cause and master. */
  #tellOnce(cause: LogCause, { source }: VrrpPacket): void {
    const { memory, tell } = tellOnce(this.#told, cause);
    this.#told = memory;
    if (tell) this.#parts.host.log.warn("something is wrong with an advert", { instance: this.name, cause, source });
  }

  #receiveFacts({ source }: VrrpPacket): ReceiveFacts {
    const { ownerIgnoreAdverts, skipCheckAddresses } = this.#config;
    const knownMaster = this.#state.kind === "backup" && this.#state.master?.address === source;
    return {
      wallMicros: wallMicros(),
      ownerIgnores: ownerIgnoreAdverts && this.#state.effectivePriority === ownerPriority,
      checkAddresses: !(skipCheckAddresses && knownMaster),
    };
  }

  /** The highest number of an authentication header so far. */
  get authCounter(): number {
    return this.#wireState.ahSequence;
  }

  configure(instance: RunnerConfig): void {
    this.#config = instance;
    this.#wire = toWireConfig(instance, readFileSync);
  }

  watchState(): AggregateState {
    return {
      kind: this.#aggregate.kind,
      id: this.name,
      version: this.#parts.host.events.version(this.#aggregate),
      state: { $case: "instance", value: toInstanceState(this.#state, this.#since, this.#lastEvent) },
    };
  }

  execute(effect: MemberEffect): void {
    switch (effect.type) {
      case "send-advertisement":
        return this.#sendAdvertisement(effect.priority);
      case "append-event":
        return this.#appendEvent(effect);
      case "ask-witness":
        return this.#parts.testimonies.ask(this.#state.config, effect.source);
      case "count":
        return this.#parts.counters.add(metric.electionCounts, { ...this.#labels, what: effect.counter });
      default:
        return assertNever(effect);
    }
  }

  #sendAdvertisement(priority: number): void {
    const { counters } = this.#parts;
    const source = this.#state.primaryAddress;
    const socket = this.#parts.socket();
    // Without a source the kernel would send from 0.0.0.0; the machine is in fault then, or about to be told.
    if (source === undefined || socket === undefined) {
      return counters.add(metric.sendErrors, { ...this.#labels, error: "no-source" });
    }
    const facts = { source, wallMicros: wallMicros() };
    const { packets, id, state } = buildAdvertisement(priority, this.#wire, this.#wireState, facts);
    this.#wireState = state;
    // A unicast peer that cannot be reached keeps the advert from no other.
    const left = packets.filter((packet) => this.#sendPacket(socket, packet)).length;
    if (left === 0) return;
    this.#spokeFrom = source;
    this.#sentNow ??= { sender: source, wireId: id, time: new Date().toISOString() };
    counters.add(metric.adverts, { ...this.#labels, direction: "sent" });
    if (priority === 0) counters.add(metric.priorityZero, { ...this.#labels, direction: "sent" });
    else this.#parts.onAdvertSent();
  }

  #sendPacket(socket: Pick<AdvertSocket, "send">, packet: OutgoingPacket): boolean {
    try {
      socket.send(packet);
      return true;
    } catch (error) {
      this.#parts.counters.add(metric.sendErrors, { ...this.#labels, error: errorCode(error) });
      return false;
    }
  }

  #appendEvent({ event, cause: root }: Extract<MemberEffect, { type: "append-event" }>): void {
    const { host } = this.#parts;
    const cause = root === undefined ? undefined : (this.#priorityChanges.get(root.id) ?? root);
    const vrid = this.#state.config.vrid;
    const trigger = this.#heardNow ?? (event.type === "became-master" ? this.#lastHeard : undefined);
    const span = host.tracer.span(spanName.vrrpTransition, {
      parent: cause?.traceparent,
      attributes: {
        [attribute.instance]: this.name,
        [attribute.vrid]: vrid,
        [attribute.eventType]: event.type,
        [attribute.stateTo]: this.#state.kind,
        [attribute.cause]: this.#state.reason,
      },
      links: [trigger, this.#sentNow].filter((each) => each !== undefined).map((each) => advertLink(vrid, each)),
    });
    const envelope = host.events.append(this.#aggregate, event, cause, span.traceparent);
    span.end();
    this.#lastEvent = {
      id: envelope.id,
      correlationId: envelope.correlationId,
      traceparent: span.traceparent,
    };
    if (event.type === "priority-changed" && root !== undefined) this.#remember(root.id, this.#lastEvent);
    host.log.info(event.type, { ...event.data, event: envelope.id });
  }

  #remember(cause: string, change: CauseRef): void {
    this.#priorityChanges.set(cause, change);
    const [oldest] = this.#priorityChanges.keys();
    if (this.#priorityChanges.size > storiesMax && oldest !== undefined) this.#priorityChanges.delete(oldest);
  }
}

/** It is master, or may find that it still is. */
const isHolding = (kind: ElectionState["kind"]): boolean => kind === "master" || kind === "listening";

/** `auth_hmac` stamps its adverts with the wall clock; nothing else here looks at it (SAFETY S20). */
const wallMicros = (): number => Date.now() * 1_000;

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";

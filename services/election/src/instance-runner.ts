// One vrrp_instance at run time: feeds its machine, carries out the effects in their order, and remembers what only
// the shell can know (packet ids, claims, what was last heard).
import { readFileSync } from "node:fs";
import type { AggregateState, LeaseClaim, LeaseStatus } from "@baton/contracts";
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { type Aggregate, assertNever, type CauseRef, type Instant, type IpAddress, term } from "@baton/domain";
import type { Host } from "@baton/host";
import type { AdvertSocket } from "@baton/linux";
import { attribute, metric, spanName } from "@baton/telemetry";
import {
  buildAdvertisement,
  type Effect,
  type ElectionState,
  heardMaster,
  type Input,
  initialState,
  initialWireState,
  type LogCause,
  leaseLength,
  nextDeadline,
  nothingTold,
  type OutgoingPacket,
  type ReceiveFacts,
  receiveAdvertisement,
  step,
  tellOnce,
  type VrrpPacket,
  type WireConfig,
} from "@baton/vrrp";
import { type AdvertSeen, advertLink } from "./advert-story.ts";
import { type RunnerConfig, toElectionConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { LeaseClient } from "./effects/lease-client.ts";
import { toInstanceState } from "./instance-state.ts";
import { toWireConfig } from "./wire-config.ts";

export interface RunnerParts {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly counters: Counters;
  readonly leases: LeaseClient;
  /** The socket that the instance speaks through, when it is open. */
  socket(): AdvertSocket | undefined;
  /** After every step: the deadline may have moved. */
  onStepped(): void;
}

/** The address owner's (RFC 9568 section 5.2.4). */
const ownerPriority = 255;

/** As many changes as a state's story can hold, and some more. */
const storiesMax = 16;

const claimStates = {
  hold: ClaimState.HOLD,
  silent: ClaimState.SILENT,
  leaving: ClaimState.LEAVING,
  release: ClaimState.RELEASE,
} as const;

export class InstanceRunner {
  readonly name: string;
  #state: ElectionState;
  readonly #parts: RunnerParts;
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
  /** The change of priority that a cause brought about, by the cause's id: what follows from it follows from the change. */
  readonly #priorityChanges = new Map<string, CauseRef>();

  constructor(parts: RunnerParts, instance: RunnerConfig) {
    this.name = instance.name;
    this.#parts = parts;
    this.#aggregate = { kind: "vrrp", id: instance.name };
    this.#labels = { instance: instance.name };
    this.#config = instance;
    this.#wire = toWireConfig(instance, readFileSync);
    this.#state = initialState(toElectionConfig(instance));
    this.#since = parts.host.now();
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

  /** Before its start: the number of an authentication header that a former election was at, so that peers go on listening. */
  continueFrom(authCounter: number): void {
    this.#wireState = { ...this.#wireState, ahSequence: Math.max(this.#wireState.ahSequence, authCounter) };
  }

  deadline(): Instant | undefined {
    return nextDeadline(this.#state);
  }

  feed(input: Input): void {
    const { host, counters, leases, onStepped } = this.#parts;
    this.#sentNow = undefined;
    const before = this.#state.kind;
    const { state, effects } = step(this.#state, input, host.now());
    this.#state = state;
    if (state.kind !== before) {
      this.#told = nothingTold;
      this.#since = host.now();
      counters.add(metric.transitions, { ...this.#labels, from: before, to: state.kind });
    }
    for (const effect of effects) this.#execute(effect);
    // Nothing is claimed any more: the next frame says so by its absence.
    if (state.kind === "stopped") leases.forget(this.name);
    onStepped();
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
    this.feed({ type: "advertisement-received", advert, source: packet.source, wireId: packet.id });
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

  onLeaseStatus(status: LeaseStatus, sentAt: Instant): void {
    const { leases } = this.#parts;
    const claimed = leases.claimed(this.name)?.state;
    const input = leaseInput(status, sentAt, claimed);
    // Let go as asked: there is nothing left to claim.
    if (input?.type === "addresses-released") leases.forget(this.name);
    if (input !== undefined) this.feed(input);
  }

  /** The claim with what changes between two claims, for the next frame. */
  refreshClaim(claim: LeaseClaim): LeaseClaim {
    const authCounter = this.#wireState.ahSequence;
    if (this.#state.kind !== "master") return { ...claim, authCounter };
    const { effectivePriority: priority, lastAdvertAt, peerHeardAt = 0 } = this.#state;
    return { ...claim, priority, lastAdvertAt, peerHeardAt, authCounter };
  }

  configure(instance: RunnerConfig): void {
    this.#config = instance;
    this.#wire = toWireConfig(instance, readFileSync);
    this.feed({ type: "configure", config: toElectionConfig(instance) });
  }

  watchState(): AggregateState {
    return {
      kind: this.#aggregate.kind,
      id: this.name,
      version: this.#parts.host.events.version(this.#aggregate),
      state: { $case: "instance", value: toInstanceState(this.#state, this.#since, this.#lastEvent) },
    };
  }

  #execute(effect: Effect): void {
    switch (effect.type) {
      case "send-advertisement":
        return this.#sendAdvertisement(effect.priority);
      case "claim":
        return this.#claim(effect);
      case "append-event":
        return this.#appendEvent(effect);
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
    this.#sentNow ??= { sender: source, wireId: id, time: new Date().toISOString() };
    counters.add(metric.adverts, { ...this.#labels, direction: "sent" });
    if (priority === 0) counters.add(metric.priorityZero, { ...this.#labels, direction: "sent" });
    // Peers count from this advert: so must the kernel's lease on the addresses, should all of us be killed now (S10).
    else this.#parts.leases.refreshNow();
  }

  #sendPacket(socket: AdvertSocket, packet: OutgoingPacket): boolean {
    try {
      socket.send(packet);
      return true;
    } catch (error) {
      this.#parts.counters.add(metric.sendErrors, { ...this.#labels, error: errorCode(error) });
      return false;
    }
  }

  #claim(effect: Extract<Effect, { type: "claim" }>): void {
    const { leases } = this.#parts;
    const known = leases.claimed(this.name);
    leases.claim({
      lease: this.name,
      term: effect.term,
      state: claimStates[effect.state],
      lengthMicros: leaseLength(this.#state.config),
      priority: this.#state.effectivePriority,
      lastAdvertAt: known?.lastAdvertAt ?? 0,
      peerHeardAt: known?.peerHeardAt ?? 0,
      authCounter: this.#wireState.ahSequence,
      instances: [this.name],
      announce: effect.announce,
      announceReason: effect.announceReason,
      ...claimCause(this.#lastEvent),
      successorHeard: effect.successorHeard,
    });
  }

  #appendEvent({ event, cause: root }: Extract<Effect, { type: "append-event" }>): void {
    const { host, leases } = this.#parts;
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
    // The claim of the same step leaves at the end of it, with the event that goes with it (SAFETY S1).
    const claimed = leases.claimed(this.name);
    if (claimed !== undefined) leases.claim({ ...claimed, ...claimCause(this.#lastEvent) });
    host.log.info(event.type, { ...event.data, event: envelope.id });
  }

  #remember(cause: string, change: CauseRef): void {
    this.#priorityChanges.set(cause, change);
    const [oldest] = this.#priorityChanges.keys();
    if (this.#priorityChanges.size > storiesMax && oldest !== undefined) this.#priorityChanges.delete(oldest);
  }
}

const claimCause = (event: CauseRef | undefined): Pick<LeaseClaim, "eventId" | "correlationId" | "traceparent"> => ({
  eventId: event?.id ?? "",
  correlationId: event?.correlationId ?? "",
  traceparent: event?.traceparent ?? "",
});

/** `auth_hmac` stamps its adverts with the wall clock; nothing else here looks at it (SAFETY S20). */
const wallMicros = (): number => Date.now() * 1_000;

/** dataplane's answer as an input; undefined when it says nothing that the machine waits for. */
function leaseInput(status: LeaseStatus, sentAt: Instant, claimed: LeaseClaim["state"] | undefined): Input | undefined {
  const of = term(status.term);
  switch (status.standing) {
    case LeaseStanding.HELD:
      return { type: "lease-confirmed", term: of, sentAt };
    case LeaseStanding.APPLYING:
      return { type: "lease-applying", term: of, sentAt };
    case LeaseStanding.FAILED:
      return { type: "lease-lost", term: of, reason: "failed", detail: status.error };
    case LeaseStanding.REFUSED:
      return { type: "lease-lost", term: of, reason: "refused", detail: status.error };
    case LeaseStanding.RELEASED:
      return claimed === ClaimState.HOLD || claimed === ClaimState.SILENT
        ? { type: "lease-lost", term: of, reason: "released", detail: status.error }
        : { type: "addresses-released", term: of };
    default:
      return undefined;
  }
}

const errorCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";

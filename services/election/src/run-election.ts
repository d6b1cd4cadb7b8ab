// The loop of the election: inputs in, machine, effects out. One timer for the earliest deadline of all instances, and
// before any deadline is acted on, everything that waits in the inputs is taken in first (SAFETY S2).
import { readFileSync } from "node:fs";
import type { AggregateState, LeaseRecord } from "@baton/contracts";
import { type Instant, type IpAddress, instant, type Micros, micros, microsSince, millisToMicros } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { type DeadlineTimer, openDeadlineTimer } from "@baton/linux";
import { metric } from "@baton/telemetry";
import { findInstance, type Input, type VrrpPacket } from "@baton/vrrp";
import { Agenda } from "./agenda.ts";
import { identityOf, type UnitConfig, unitsOf } from "./config.ts";
import { type Counters, createCounters } from "./counters.ts";
import { type LeaseClient, openLeaseClient } from "./effects/lease-client.ts";
import { withImpliedTrackers } from "./implied-trackers.ts";
import { type AdvertPlace, type AdvertSockets, openAdvertSockets, placeOf } from "./inputs/advert-sockets.ts";
import { type InterfaceView, virtualAddresses } from "./inputs/links.ts";
import { Sightings } from "./inputs/sightings.ts";
import { createTestimonies, type Testimonies } from "./inputs/testimonies.ts";
import { followTrackers, type Trackers } from "./inputs/trackers.ts";
import { openWatchedLinks, type WatchedLinks } from "./inputs/watched-links.ts";
import type { InstanceRunner } from "./instance-runner.ts";
import { Metronome, realtimeOffset } from "./metronome.ts";
import { authCounter, highestTerm } from "./resume.ts";
import { type Member, type Party, Roster } from "./roster.ts";
import { Unit } from "./unit.ts";
import { toWireConfig } from "./wire-config.ts";

export interface ElectionOptions {
  readonly host: Host;
  readonly leaseSocketPath: string;
  /** Resumes in the last minute, this start included (SAFETY S5). */
  readonly recentResumes: number;
}

export interface RunningElection {
  states(): AggregateState[];
  readonly counters: Counters;
  /** What is said over the bus; its service is served beside Watch (SAFETY S13). */
  readonly testimonies: Pick<Testimonies, "grpc">;
  /** Resolves when every instance has left initialize. */
  readonly settled: Promise<void>;
  /** Leaves every instance (LEAVING for masters) and resolves when all have stopped, or after the longest LEAVING there is. */
  leave(reason: string): Promise<void>;
}

/** How long a start waits for dataplane's hello, which says what may be resumed. */
const helloPatience = millisToMicros(3_000);
/**
 * A takeover is seen coming: this much earlier both ends of the lease stream are woken and the loop stays awake. Paid only
 * when a master is silent; what a sleeping machine takes to wake up cost 2 of the 3.5 ms from advert to announcement.
 */
const approach = millisToMicros(4);
const noLink: InterfaceView = { up: false, ifindex: 0, primaryAddress: undefined };
/** Later than this, waiting lease confirmations are let in before a deadline is judged (they come through the loop). */
const noticeableLateness = millisToMicros(20);
const latenessBuckets = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];
/** SAFETY S2: at most so many turns of the loop are waited for. */
const drainTurnsMax = 64;
/** setTimeout counts milliseconds in 31 bits. */
const timeoutMax = 2 ** 31 - 1;
/** The longest LEAVING in milliseconds: two waits of the longest skew + 100 ms, or 2 s after a successor (SAFETY S6). */
const leavePatience = (slowestInterval: number): number => 2_700 + (2 * Math.max(slowestInterval, 1_000_000)) / 1_000;

export async function runElection(options: ElectionOptions): Promise<RunningElection> {
  const election = new Election(options);
  await election.start(await options.host.config.current());
  return election;
}

class Election implements RunningElection {
  readonly counters = createCounters();
  readonly settled: Promise<void>;
  readonly #host: Host;
  readonly #recentResumes: number;
  readonly #roster = new Roster();
  readonly #agenda = new Agenda<Unit>();
  /** Have not left initialize yet. */
  readonly #unsettled = new Set<Party>();
  readonly #timer: DeadlineTimer;
  readonly #links: WatchedLinks;
  readonly #sockets: AdvertSockets;
  readonly #leases: LeaseClient;
  readonly #trackers: Trackers;
  readonly testimonies: Testimonies;
  #segments: Readonly<Record<string, string>> = {};
  #generation = 0;
  #hello: ReadonlyMap<string, LeaseRecord> | undefined;
  #virtual: ReadonlySet<IpAddress> | undefined;
  #armedFor: Instant | undefined;
  #judging = false;
  #settle: () => void = () => {};
  readonly #metronome: Metronome;
  readonly #sightings = new Sightings();
  /** Runs while `vrrp_startup_delay` holds instances back. */
  #delay: NodeJS.Timeout | undefined;
  /** While instances are still to be started: of what configuration. */
  #snapshot: ConfigSnapshot | undefined;
  readonly #startedAt: Instant;

  constructor({ host, leaseSocketPath, recentResumes }: ElectionOptions) {
    this.#host = host;
    this.#recentResumes = recentResumes;
    this.#startedAt = host.now();
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = host.own(openDeadlineTimer(() => void this.#judge()));
    this.#links = host.own(
      openWatchedLinks({
        now: () => host.now(),
        onChange: () => this.#refreshLinks(),
        onGap: () => host.log.warn("link events were lost; read anew"),
      }),
    );
    this.#sockets = host.own(this.#openSockets());
    this.#leases = host.own(this.#openLeases(leaseSocketPath));
    this.testimonies = createTestimonies({
      segments: () => this.#segments,
      concerned: (interfaceName, vrid) =>
        this.#roster
          .seats(interfaceName, vrid)
          .flatMap(({ party, member }) => (party.started ? [member.runner.concerned] : [])),
    });
    this.#trackers = host.own(followTrackers(host, (input) => this.#feedStarted(input)));
    this.#metronome = host.own(this.#openMetronome());
  }

  async start(snapshot: ConfigSnapshot): Promise<void> {
    this.#generation = snapshot.generation;
    this.#segments = snapshot.settings.segments;
    this.#trackers.configure(snapshot.config);
    this.#host.own({ close: () => clearTimeout(this.#delay) });
    this.#links.configure(snapshot.config);
    this.#addAll(this.#speaking(snapshot));
    await this.#until(() => this.#hello !== undefined, helloPatience);
    // Whoever says hello has made the links.
    this.#links.drain();
    this.#startParties(snapshot);
    this.#host.config.onChange((next) => this.#applyConfig(next));
    this.#settleIfAll();
  }

  states(): AggregateState[] {
    return this.#roster.everyone().flatMap(({ unit }) => unit.watchStates());
  }

  async leave(reason: string): Promise<void> {
    const slowest = this.#roster.everyone().reduce((most, { unit }) => Math.max(most, unit.slowestInterval), 0);
    for (const { unit } of this.#roster.everyone()) unit.feedAll({ type: "shutdown", reason });
    const stopped = (): boolean => this.#roster.everyone().every(({ unit }) => unit.stopped);
    await this.#until(stopped, millisToMicros(leavePatience(slowest)));
  }

  #openSockets(): AdvertSockets {
    return openAdvertSockets({
      onPacket: (name, packet) => this.#takePacket(name, packet),
      onDiscard: (reason, count) => this.counters.add(metric.advertsDiscarded, { instance: "", reason }, count),
      onError: (place, error) => this.#host.log.warn("VRRP socket lost", { ...place, error: error.message }),
    });
  }

  /** One that leaves and its successor of the same VRID, after a reload, both have to hear it. */
  #takePacket(interfaceName: string, packet: VrrpPacket): void {
    const [present, leaving]: [InstanceRunner[], InstanceRunner[]] = [[], []];
    for (const { party, member, leaves } of this.#roster.seats(interfaceName, packet.vrid)) {
      if (party.started) (leaves ? leaving : present).push(member.runner);
    }
    const found = findInstance(packet, present);
    if (found.ok) found.instance.onPacket(packet);
    const left = leaving.length === 0 ? undefined : findInstance(packet, leaving);
    if (left?.ok) left.instance.onPacket(packet);
    if (!found.ok && left?.ok !== true && !this.#isHeldBack(packet.vrid)) {
      this.counters.add(metric.advertsDiscarded, { instance: "", reason: found.reason });
      const seen = this.#sightings.see(interfaceName, packet, found.reason, this.#host.now());
      if (seen !== undefined) this.#host.events.append({ kind: "service", id: "election" }, seen);
    }
  }

  /** Instances that wait for `vrrp_startup_delay` ignore adverts, which is no fault of these. */
  #isHeldBack(vrid: number): boolean {
    if (this.#delay === undefined) return false;
    return [...this.#roster.present().values()].some(
      ({ started, members }) => !started && members.some(({ instance }) => instance.vrid === vrid),
    );
  }

  #place({ instance, links, runner, link }: Member): AdvertPlace | undefined {
    const name = links?.adverts ?? instance.interface;
    return placeOf(runner.wire, { name, ifindex: link.ifindex, address: link.primaryAddress });
  }

  #listen(): void {
    this.#sockets.listen(this.#roster.members().flatMap((member) => this.#place(member) ?? []));
  }

  #openLeases(socketPath: string): LeaseClient {
    const named = (lease: string): Unit | undefined => this.#roster.ofLease(lease);
    return openLeaseClient({
      socketPath,
      now: () => this.#host.now(),
      configGeneration: () => this.#generation,
      refresh: (claim) => named(claim.lease)?.refreshClaim(claim) ?? claim,
      onHello: (records) => this.#takeHello(records),
      onStatus: (status, sentAt) => named(status.lease)?.onLeaseStatus(status, sentAt),
      onDisconnected: () => this.#feedStarted({ type: "dataplane-disconnected" }),
    });
  }

  #takeHello(records: readonly LeaseRecord[]): void {
    this.#hello = new Map(records.map((record) => [record.lease, record]));
    for (const { started, unit } of this.#roster.everyone()) {
      if (started) unit.feedAll({ type: "dataplane-connected", highestTerm: highestTerm(this.#hello.get(unit.lease)) });
    }
  }

  #feedStarted(input: Extract<Input, { type: `tracker-${string}` | "dataplane-disconnected" | "stalled" }>): void {
    for (const { unit, started } of this.#roster.everyone()) if (started) unit.feedAll(input);
  }

  /** After every step of a party: its deadline may have moved, it may be done. */
  #onStepped(party: Party): void {
    const { unit } = party;
    this.#agenda.set(unit, unit.deadline());
    if (unit.stopped && this.#roster.leaving().has(party)) {
      this.#roster.forget(party);
      this.#agenda.set(unit, undefined);
      this.#listen();
    }
    if (this.#unsettled.size > 0 && party.started && unit.states.every(({ kind }) => kind !== "initialize")) {
      this.#unsettled.delete(party);
      this.#settleIfAll();
    }
    if (!this.#judging) this.#arm();
  }

  #settleIfAll(): void {
    const waits = this.#delay !== undefined;
    if ([...this.#unsettled].every(({ started }) => waits && !started)) this.#settle();
  }

  #arm(): void {
    const next = this.#next();
    if (next?.due === this.#armedFor) return;
    this.#armedFor = next?.due;
    this.#timer.arm(next?.takesOver === true ? instant(next.due - approach) : next?.due);
  }

  /** The earliest deadline of all, and whether it is one at which a backup takes over. */
  #next(): { readonly due: Instant; readonly takesOver: boolean } | undefined {
    const first = this.#agenda.first();
    return first && { due: first.due, takesOver: first.holder.takesOverAt(first.due) };
  }

  /** Awake, and dataplane with us, until the deadline comes or is moved. */
  async #approach(due: Instant): Promise<void> {
    if (this.#host.now() >= due) return;
    this.#leases.refreshNow();
    while (this.#host.now() < due && this.#next()?.due === due) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #openMetronome(): Metronome {
    return new Metronome({
      now: () => this.#host.now(),
      offset: realtimeOffset,
      intervals: () => this.#roster.members().map(({ instance }) => instance.advertInterval),
      onBeat: (now, stalled) => {
        if (stalled > 0) this.#feedStarted({ type: "stalled", duration: stalled });
        this.#trackers.beat(now, stalled);
      },
    });
  }

  #drain(): void {
    this.#sockets.drain();
    this.#links.drain();
  }

  /** A deadline has come. Whatever was late may have been us: what waits is heard before anything is decided (SAFETY S2). */
  async #judge(): Promise<void> {
    if (this.#judging) return;
    this.#judging = true;
    try {
      const due = this.#armedFor ?? this.#host.now();
      await this.#approach(due);
      const lateness = micros(Math.max(0, microsSince(this.#host.now(), due)));
      this.counters.observe(metric.timerLateness, lateness / 1e6, latenessBuckets);
      this.#drain();
      if (lateness > noticeableLateness) await this.#inputsAtRest();
      const now = this.#host.now();
      for (const unit of this.#agenda.due(now)) unit.judge(lateness, now, (since) => this.#metronome.jumpSince(since));
    } finally {
      this.#judging = false;
      this.#armedFor = undefined;
      this.#arm();
    }
  }

  /** Lets the loop turn until one whole turn brought no lease confirmation (SAFETY S2). */
  async #inputsAtRest(): Promise<void> {
    for (let turn = 0; turn < drainTurnsMax; turn++) {
      const before = this.#leases.received();
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.#drain();
      if (turn > 0 && this.#leases.received() === before) return;
    }
  }

  /** Sockets first: an instance that an input makes speak has to have somewhere to speak. */
  #refreshLinks(): void {
    const before = new Map(this.#roster.members().map((member) => [member, member.link]));
    const view = this.#views();
    for (const member of before.keys()) member.link = view(member.instance, member.links);
    this.#listen();
    for (const { started, unit, members } of this.#roster.everyone()) {
      if (started) this.#tellLinks(unit, members, before);
    }
    if (this.#snapshot !== undefined && this.#delay === undefined) this.#startParties(this.#snapshot);
  }

  #views(): ReturnType<WatchedLinks["views"]> {
    this.#virtual ??= virtualAddresses(
      [...this.#roster.present().values()].flatMap(({ members }) => members.map(({ instance }) => instance)),
    );
    return this.#links.views(this.#virtual);
  }

  /** Kind by kind, to all members at once: what befalls them together is one step of their group. */
  #tellLinks(unit: Unit, members: readonly Member[], before: ReadonlyMap<Member, Member["link"]>): void {
    const feed = (inputOf: (member: Member, before: Member["link"]) => Input | undefined): void => {
      const inputs = members.flatMap((member): [string, Input][] => {
        const input = inputOf(member, before.get(member) ?? noLink);
        return input === undefined ? [] : [[member.runner.name, input]];
      });
      if (inputs.length > 0) unit.feed(new Map(inputs));
    };
    feed(({ link: { primaryAddress } }, link) =>
      link.primaryAddress === primaryAddress ? undefined : { type: "primary-address-changed", address: primaryAddress },
    );
    feed(({ link: { up } }, link) => (link.up === up ? undefined : { type: "interface-changed", up }));
    const trackers = new Map(
      unit.states.flatMap(({ config }) => this.#links.trackers(config).map((input) => [input.name, input])),
    );
    for (const input of trackers.values()) unit.feedAll(input);
  }

  #addAll(configs: readonly UnitConfig[]): void {
    const added = configs.map((config) => this.#add(config));
    this.#virtual = undefined;
    this.#roster.changed();
    const view = this.#views();
    for (const { members } of added) for (const member of members) member.link = view(member.instance, member.links);
    this.#listen();
  }

  #add(config: UnitConfig): Party {
    const unit = new Unit(
      {
        host: this.#host,
        counters: this.counters,
        leases: this.#leases,
        socket: (name) => {
          const member = members.find(({ runner }) => runner.name === name);
          const place = member === undefined ? undefined : this.#place(member);
          return place === undefined ? undefined : this.#sockets.get(place);
        },
        testimonies: this.testimonies,
        onStepped: () => this.#onStepped(party),
      },
      config,
    );
    const members = config.members.map((instance): Member => {
      return {
        instance,
        unit,
        runner: unit.runner(instance.name),
        links: this.#links.linksOf(instance.name),
        link: noLink,
      };
    });
    const party: Party = { unit, members, started: false };
    this.#roster.add(identityOf(config), party);
    this.#unsettled.add(party);
    return party;
  }

  /**
   * Without its keys (`auth_hmac` in files) an instance would be deaf, and master beside another: it keeps the
   * configuration that it has, or is not started; so does its whole group.
   */
  #speaking({ config }: ConfigSnapshot): UnitConfig[] {
    return unitsOf(withImpliedTrackers(config)).flatMap((unit) => {
      const mute = unit.members.find((instance) => !this.#canSpeak(instance));
      if (mute === undefined) return [unit];
      const known = this.#roster.get(identityOf(unit));
      return known === undefined ? [] : [{ ...unit, members: known.members.map(({ instance }) => instance) }];
    });
  }

  #canSpeak(instance: InstanceConfig): boolean {
    try {
      toWireConfig(instance, readFileSync);
      return true;
    } catch (error) {
      this.#host.log.error("an instance has no usable key", { instance: instance.name, error: String(error) });
      return false;
    }
  }

  /**
   * `vrrp_startup_delay`, `vrrp_delay_after_boot`: until the later of them instances neither speak nor hear. What holds
   * a lease goes on with it at once, and so does an election that came back: the delay is for the start of a node.
   */
  #startParties(snapshot: ConfigSnapshot): void {
    clearTimeout(this.#delay);
    this.#delay = undefined;
    this.#snapshot = snapshot;
    const { startupDelay, delayAfterBoot } = snapshot.config.global.vrrp;
    const isFresh = this.#host.env.restarts === 0;
    const until = Math.max(isFresh && startupDelay > 0 ? this.#startedAt + startupDelay : 0, delayAfterBoot);
    const remaining = until - this.#host.now();
    for (const party of this.#roster.present().values()) {
      if (remaining > 0 && party.unit.resumeOf(this.#hello?.get(party.unit.lease)) === undefined) continue;
      // One that begins without its link would begin in FAULT, and tell everybody.
      if (party.members.some(({ instance, links }) => this.#links.areAwaited(instance, links))) continue;
      this.#start(party);
    }
    if ([...this.#roster.present().values()].every(({ started }) => started)) this.#snapshot = undefined;
    if (remaining <= 0) return;
    this.#host.log.info("instances wait", { forMs: Math.ceil(remaining / 1_000) });
    this.#delay = setTimeout(() => this.#startParties(snapshot), Math.min(Math.ceil(remaining / 1_000), timeoutMax));
  }

  #start(party: Party): void {
    if (party.started) return;
    party.started = true;
    const { unit, members } = party;
    const record = this.#hello?.get(unit.lease);
    for (const { runner } of members) runner.continueFrom(authCounter(record));
    // Trackers first: an instance must not begin with a priority that its failed checks do not allow.
    for (const input of this.#trackers.current()) unit.feedAll(input);
    for (const { config } of unit.states) {
      for (const input of this.#links.trackers(config)) unit.feedAll(input);
    }
    const startups = members.map(({ runner, link }): [string, Input] => [
      runner.name,
      {
        type: "startup",
        interfaceUp: link.up,
        primaryAddress: link.primaryAddress,
        dataplaneConnected: this.#leases.connected(),
        resume: unit.resumeOf(record),
        highestTerm: highestTerm(record),
        recentResumes: this.#recentResumes,
      },
    ]);
    unit.feed(new Map(startups));
  }

  /** A reload is a diff: what did not change does not move; a removed instance leaves like any other (SAFETY S6, S18). */
  #applyConfig(snapshot: ConfigSnapshot): void {
    this.#generation = snapshot.generation;
    this.#segments = snapshot.settings.segments;
    this.#links.configure(snapshot.config);
    this.#trackers.configure(snapshot.config);
    const wanted = new Map(this.#speaking(snapshot).map((each) => [identityOf(each), each]));
    for (const identity of [...this.#roster.present().keys()]) {
      if (wanted.has(identity)) continue;
      this.#roster.retire(identity)?.unit.feedAll({ type: "shutdown", reason: "removed-from-configuration" });
    }
    for (const [identity, config] of wanted) {
      const party = this.#roster.get(identity);
      if (party !== undefined) this.#configure(party, config);
    }
    this.#addAll([...wanted].filter(([identity]) => this.#roster.get(identity) === undefined).map(([, each]) => each));
    this.#startParties(snapshot);
    this.#refreshLinks();
    this.#leases.refreshNow();
    this.#settleIfAll();
  }

  #configure({ unit, members }: Party, config: UnitConfig): void {
    for (const [index, member] of members.entries()) {
      member.instance = config.members[index] ?? member.instance;
      member.links = this.#links.linksOf(member.instance.name);
    }
    unit.configure(config);
  }

  async #until(condition: () => boolean, patience: Micros): Promise<void> {
    const deadline = this.#host.now() + patience;
    while (!condition() && this.#host.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

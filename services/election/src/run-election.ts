import type { AggregateState, LeaseRecord } from "@baton/contracts";
import { type IpAddress, type Micros, millisToMicros, type Term, term } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import { metric } from "@baton/telemetry";
import type { Input } from "@baton/vrrp";
import { identityOf, leaseOf, type UnitConfig } from "./config.ts";
import { type Counters, createCounters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import { type LeaseClient, openLeaseClient } from "./effects/lease-client.ts";
import { type AdvertPlace, type AdvertSockets, openAdvertSockets, placeOf } from "./inputs/advert-sockets.ts";
import { Hearing } from "./inputs/hearing.ts";
import { type InterfaceView, virtualAddresses } from "./inputs/links.ts";
import { Quorums } from "./inputs/quorums.ts";
import { createTestimonies, type Testimonies } from "./inputs/testimonies.ts";
import { followTrackers, type Trackers } from "./inputs/trackers.ts";
import { openWatchedLinks, type WatchedLinks } from "./inputs/watched-links.ts";
import type { InstanceRunner } from "./instance-runner.ts";
import { Metronome, realtimeOffset } from "./metronome.ts";
import { planReload, type ReloadPlan } from "./reload.ts";
import { authCounter, highestTerm } from "./resume.ts";
import { feedInstances, type Member, type Party, quorumWatchers, Roster } from "./roster.ts";
import { speakingUnits } from "./speaking-units.ts";
import { Starter } from "./starter.ts";
import { type Heritage, Unit } from "./unit.ts";
import { advertInterfaceOf } from "./wires.ts";

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
const noLink: InterfaceView = { up: false, ifindex: 0, primaryAddress: undefined };
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
  /** Have not left initialize yet. */
  readonly #unsettled = new Set<Party>();
  readonly #deadlines: Deadlines;
  readonly #links: WatchedLinks;
  readonly #sockets: AdvertSockets;
  readonly #leases: LeaseClient;
  readonly #trackers: Trackers;
  readonly testimonies: Testimonies;
  #segments: Readonly<Record<string, string>> = {};
  #generation = 0;
  #hello: ReadonlyMap<string, LeaseRecord> | undefined;
  #virtual: ReadonlySet<IpAddress> | undefined;
  #settle: () => void = () => {};
  readonly #metronome: Metronome;
  readonly #hearing: Hearing;
  readonly #quorums: Quorums;
  readonly #starter: Starter;
  /** The highest terms of leases that no unit has any more (SAFETY S4). */
  readonly #pastTerms = new Map<string, Term>();

  constructor({ host, leaseSocketPath, recentResumes }: ElectionOptions) {
    this.#host = host;
    this.#recentResumes = recentResumes;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#deadlines = host.own(this.#openDeadlines());
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
    this.#starter = host.own(this.#openStarter());
    this.#quorums = host.own(this.#openQuorums());
    this.#hearing = new Hearing({
      host,
      counters: this.counters,
      roster: this.#roster,
      ran: () => this.#metronome.ran(),
      startWaits: () => this.#starter.waits,
    });
  }

  async start(snapshot: ConfigSnapshot): Promise<void> {
    this.#generation = snapshot.generation;
    this.#segments = snapshot.settings.segments;
    this.#trackers.configure(snapshot.config);
    this.#links.configure(snapshot.config);
    this.#addAll(speakingUnits(snapshot, this.#roster, this.#host.log));
    this.#followQuorums();
    await this.#until(() => this.#hello !== undefined, helloPatience);
    // Whoever says hello has made the links.
    this.#links.drain();
    this.#starter.begin(snapshot.config.global.vrrp);
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
      onPacket: (name, packet) => this.#hearing.take(name, packet),
      onDiscard: (reason, count) => this.counters.add(metric.advertsDiscarded, { instance: "", reason }, count),
      onError: (place, error) => this.#host.log.warn("VRRP socket lost", { ...place, error: error.message }),
    });
  }

  #place(member: Member): AdvertPlace | undefined {
    const { runner, link } = member;
    return placeOf(runner.wire, {
      name: advertInterfaceOf(member),
      ifindex: link.ifindex,
      address: link.primaryAddress,
    });
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
    if (unit.stopped && this.#roster.leaving().has(party)) {
      this.#notePast(unit);
      this.#roster.forget(party);
      this.#listen();
    }
    if (this.#unsettled.size > 0 && party.started && unit.states.every(({ kind }) => kind !== "initialize")) {
      this.#unsettled.delete(party);
      this.#settleIfAll();
    }
    this.#deadlines.set(unit, unit.deadline());
  }

  #settleIfAll(): void {
    const { waits } = this.#starter;
    if ([...this.#unsettled].every(({ started }) => waits && !started)) this.#settle();
  }

  #openDeadlines(): Deadlines {
    return new Deadlines({
      now: () => this.#host.now(),
      counters: this.counters,
      drain: () => this.#drain(),
      awake: () => this.#metronome.ran(),
      approaching: () => this.#leases.refreshNow(),
      leaseAnswers: () => this.#leases.received(),
      jumpSince: (since) => this.#metronome.jumpSince(since),
    });
  }

  #openMetronome(): Metronome {
    return new Metronome({
      now: () => this.#host.now(),
      offset: realtimeOffset,
      shortestInterval: () => this.#roster.shortestInterval(),
      onBeat: (now, stalled) => {
        if (stalled > 0) this.#feedStarted({ type: "stalled", duration: stalled });
        this.#trackers.beat(now, stalled);
        this.#quorums.beat(now, stalled);
        this.#leases.ran();
      },
    });
  }

  #openQuorums(): Quorums {
    return new Quorums({
      host: this.#host,
      watchers: () => quorumWatchers(this.#roster),
      feed: (instances, input) => feedInstances(this.#roster, instances, input),
    });
  }

  #followQuorums(): void {
    const present = [...this.#roster.present().values()];
    this.#quorums.configure(present.flatMap(({ members }) => members.map(({ instance }) => instance)));
  }

  #drain(): void {
    this.#sockets.drain();
    this.#links.drain();
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
    this.#starter.linksChanged();
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
    this.#look(configs.flatMap((config) => this.#add(config, undefined).members));
  }

  /** Members that are new see their links for the first time; those that are known are told of changes. */
  #look(members: readonly Member[]): void {
    this.#virtual = undefined;
    this.#roster.changed();
    const view = this.#views();
    for (const member of members) member.link = view(member.instance, member.links);
    this.#listen();
  }

  /** A unit of the configuration, or (`leaves`) one that it has no more. */
  #add(config: UnitConfig, heritage: Heritage | undefined, leaves = false): Party {
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
      heritage,
    );
    const members = config.members.map(
      (instance): Member => ({
        instance,
        unit,
        runner: unit.runner(instance.name),
        links: this.#links.linksOf(instance.name),
        link: noLink,
      }),
    );
    const party: Party = { unit, members, started: (heritage?.veterans.size ?? 0) > 0 };
    if (leaves) this.#roster.addLeaving(party);
    else this.#roster.add(identityOf(config), party);
    this.#unsettled.add(party);
    return party;
  }

  #openStarter(): Starter {
    return new Starter({
      host: this.#host,
      present: () => this.#roster.present().values(),
      resumes: ({ unit, members }) => {
        const record = this.#hello?.get(unit.lease);
        return members.some(({ runner }) => unit.resumeOf(record, runner.name) !== undefined);
      },
      awaitsLink: ({ unit, members }) =>
        members.some(
          ({ instance, links, runner }) =>
            this.#links.areAwaited(instance, links) && unit.unstarted.includes(runner.name),
        ),
      start: (party) => this.#start(party),
    });
  }

  /** Those of its members that have not been: others have gone on from before a reload. */
  #start(party: Party): void {
    const { unit } = party;
    const unstarted = unit.unstarted;
    const members = party.members.filter(({ runner }) => unstarted.includes(runner.name));
    if (members.length === 0) return;
    const record = party.started ? undefined : this.#hello?.get(unit.lease);
    for (const { runner } of members) runner.continueFrom(authCounter(record));
    // Trackers first: an instance must not begin with a priority that its failed checks do not allow.
    this.#tellTrackers(unit);
    if (!party.started) this.#tellQuorums(members, record);
    party.started = true;
    const startups = members.map(({ runner, link }): [string, Input] => [
      runner.name,
      {
        type: "startup",
        interfaceUp: link.up,
        primaryAddress: link.primaryAddress,
        dataplaneConnected: this.#leases.connected(),
        resume: unit.resumeOf(record, runner.name),
        highestTerm: this.#highestTerm(unit.lease),
        recentResumes: this.#recentResumes,
      },
    ]);
    unit.feed(new Map(startups));
  }

  /** Those that resume go on as they were; so do those that come to a group which runs, and are not told. */
  #tellQuorums(members: readonly Member[], record: LeaseRecord | undefined): void {
    for (const { unit, runner, instance } of members) {
      const resumes = (unit.resumeOf(record, runner.name)?.expiresAt ?? 0) > this.#host.now();
      const inputs = this.#quorums.begin(runner.name, instance.quorums ?? [], resumes);
      for (const input of inputs) unit.feed(new Map([[runner.name, input]]));
    }
  }

  #tellTrackers(unit: Unit): void {
    for (const input of this.#trackers.current()) unit.feedAll(input);
    for (const { config } of unit.states) {
      for (const input of this.#links.trackers(config)) unit.feedAll(input);
    }
  }

  /** That anybody has claimed under this lease, as far as it is known. */
  #highestTerm(lease: string): Term {
    const users = this.#roster.everyone().filter(({ unit }) => unit.lease === lease);
    const known = [highestTerm(this.#hello?.get(lease)), this.#pastTerms.get(lease) ?? 0];
    return term(Math.max(...known, ...users.map(({ unit }) => unit.highestTerm)));
  }

  #notePast({ lease, highestTerm: of }: Unit): void {
    this.#pastTerms.set(lease, term(Math.max(this.#pastTerms.get(lease) ?? 0, of)));
  }

  /** A reload is a diff: what did not change does not move; a removed instance leaves like any other (SAFETY S6, S18). */
  #applyConfig(snapshot: ConfigSnapshot): void {
    this.#generation = snapshot.generation;
    this.#segments = snapshot.settings.segments;
    this.#links.configure(snapshot.config);
    this.#trackers.configure(snapshot.config);
    const wanted = new Map(
      speakingUnits(snapshot, this.#roster, this.#host.log).map((each) => [identityOf(each), each]),
    );
    const plan = planReload(this.#roster.present(), wanted);
    for (const identity of plan.retires) this.#roster.retire(identity)?.unit.feedAll(removed);
    for (const { party, config } of plan.stays) this.#configure(party, config);
    this.#regroup(plan);
    this.#followQuorums();
    this.#starter.begin(snapshot.config.global.vrrp);
    this.#refreshLinks();
    this.#leases.refreshNow();
    this.#settleIfAll();
  }

  /** Members that decide with others than before go on as they are, each under the lease of its new unit. */
  #regroup({ dissolves, adds, left }: ReloadPlan): void {
    const dissolved = dissolves.flatMap((identity) => this.#roster.dissolve(identity) ?? []);
    for (const party of dissolved) {
      this.#notePast(party.unit);
      this.#deadlines.set(party.unit, undefined);
      this.#unsettled.delete(party);
    }
    const added = [
      ...adds.map(({ config, veterans }) => this.#reunite(config, veterans, dissolved, false)),
      ...left.map((member) => this.#reunite(aloneWith(member), [member], dissolved, true)),
    ];
    this.#look(added.flatMap(({ party, before }) => party.members.filter(({ runner }) => !before.has(runner))));
    for (const each of added) this.#goOn(each);
    for (const { unit } of dissolved) {
      if (added.some(({ party }) => party.unit.lease === unit.lease)) continue;
      this.#leases.forget(unit.lease);
      unit.dissolve(removed.reason);
    }
  }

  #reunite(config: UnitConfig, veterans: readonly Member[], dissolved: readonly Party[], leaves: boolean): Reunion {
    const story = dissolved.find(({ unit }) => unit.lease === leaseOf(config))?.unit.story;
    const known = new Map(veterans.map(({ unit, runner }) => [runner.name, unit.veteran(runner.name)]));
    const party = this.#add(config, { veterans: known, story }, leaves);
    const before = new Map(veterans.map((member) => [member.runner, member]));
    for (const member of party.members) {
      const former = before.get(member.runner);
      if (former === undefined) continue;
      // What it has seen of its links, so that it is told of what is new; whoever leaves keeps those that it had.
      member.link = former.link;
      if (leaves) member.links = former.links;
    }
    return { party, config, before, leaves };
  }

  #goOn({ party: { unit }, config, before, leaves }: Reunion): void {
    if (before.size === 0) return;
    const holders = [...before].filter(([{ name }]) => unit.holds(name));
    const isSameLease = holders.length > 0 && holders.every(([, former]) => former.unit.lease === unit.lease);
    unit.goOn(config, isSameLease ? undefined : this.#highestTerm(unit.lease));
    this.#tellTrackers(unit);
    if (leaves) unit.feedAll(removed);
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

const removed = { type: "shutdown", reason: "removed-from-configuration" } as const;

/** A unit after a reload, and what its members that are no newcomers were before it. */
interface Reunion {
  readonly party: Party;
  readonly config: UnitConfig;
  readonly before: ReadonlyMap<InstanceRunner, Member>;
  readonly leaves: boolean;
}

const aloneWith = ({ instance }: Member): UnitConfig => ({ group: undefined, members: [instance] });

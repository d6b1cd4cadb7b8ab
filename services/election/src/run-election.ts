// The loop of the election: inputs in, machine, effects out. One timer for the earliest deadline of all instances, and
// before any deadline is acted on, everything that waits in the inputs is taken in first (SAFETY S2).
import { readFileSync } from "node:fs";
import type { AggregateState, LeaseRecord } from "@baton/contracts";
import { type Instant, type IpAddress, instant, type Micros, micros, microsSince, millisToMicros } from "@baton/domain";
import type { ConfigSnapshot, Host } from "@baton/host";
import type { InstanceConfig } from "@baton/keepalived-conf";
import { type DeadlineTimer, type LinkMonitor, openDeadlineTimer, openLinkMonitor } from "@baton/linux";
import { metric } from "@baton/telemetry";
import { findInstance, type Input, type VrrpPacket } from "@baton/vrrp";
import { identityOf } from "./config.ts";
import { type Counters, createCounters } from "./counters.ts";
import { type LeaseClient, openLeaseClient } from "./effects/lease-client.ts";
import { type AdvertPlace, type AdvertSockets, openAdvertSockets, placeOf } from "./inputs/advert-sockets.ts";
import { hasAddress, interfaceTrackers, viewInterface } from "./inputs/links.ts";
import { followTrackers, type TrackerInput, type Trackers } from "./inputs/trackers.ts";
import { InstanceRunner } from "./instance-runner.ts";
import { authCounter, highestTerm, resumeRecord } from "./resume.ts";
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
  /** Resolves when every instance has left initialize. */
  readonly settled: Promise<void>;
  /** Leaves every instance (LEAVING for masters) and resolves when all have stopped, or after the longest LEAVING there is. */
  leave(reason: string): Promise<void>;
}

interface Member {
  instance: InstanceConfig;
  readonly runner: InstanceRunner;
  started: boolean;
  link: { readonly up: boolean; readonly ifindex: number; readonly primaryAddress: IpAddress | undefined };
}

/** How long a start waits for dataplane's hello, which says what may be resumed. */
const helloPatience = millisToMicros(3_000);
/**
 * A takeover is seen coming: this much earlier both ends of the lease stream are woken and the loop stays awake. Paid only
 * when a master is silent; what a sleeping machine takes to wake up cost 2 of the 3.5 ms from advert to announcement.
 */
const approach = millisToMicros(4);
/** How often the loop notes that it runs, at most and at least; a quarter of the shortest interval in between. */
const metronome = { min: millisToMicros(25), max: millisToMicros(500) } as const;
/** Later than this, waiting lease confirmations are let in before a deadline is judged (they come through the loop). */
const noticeableLateness = millisToMicros(20);
const latenessBuckets = [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];
/** SAFETY S2: at most so many turns of the loop are waited for. */
const drainTurnsMax = 64;
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
  readonly #members = new Map<string, Member>();
  /** Leaving because the configuration no longer has them. */
  readonly #removed = new Set<Member>();
  readonly #timer: DeadlineTimer;
  readonly #monitor: LinkMonitor;
  readonly #sockets: AdvertSockets;
  readonly #leases: LeaseClient;
  readonly #trackers: Trackers;
  #generation = 0;
  #hello: readonly LeaseRecord[] | undefined;
  #armedFor: Instant | undefined;
  #judging = false;
  #settle: () => void = () => {};
  #tick: NodeJS.Timeout | undefined;

  constructor({ host, leaseSocketPath, recentResumes }: ElectionOptions) {
    this.#host = host;
    this.#recentResumes = recentResumes;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = host.own(openDeadlineTimer(() => void this.#judge()));
    this.#monitor = host.own(
      openLinkMonitor({
        onChange: () => this.#refreshLinks(),
        onGap: () => host.log.warn("link events were lost; read anew"),
      }),
    );
    this.#sockets = host.own(this.#openSockets());
    this.#leases = host.own(this.#openLeases(leaseSocketPath));
    this.#trackers = host.own(followTrackers(host, (input) => this.#feedStarted(input)));
  }

  async start(snapshot: ConfigSnapshot): Promise<void> {
    this.#generation = snapshot.generation;
    this.#beat(this.#host.now());
    this.#host.own({ close: () => clearTimeout(this.#tick) });
    for (const instance of this.#speaking(snapshot)) this.#add(instance);
    await this.#until(() => this.#hello !== undefined, helloPatience);
    for (const member of this.#members.values()) this.#startMember(member);
    this.#host.config.onChange((next) => this.#applyConfig(next));
    this.#onStepped();
  }

  states(): AggregateState[] {
    return this.#everyone().map((each) => each.runner.watchState());
  }

  async leave(reason: string): Promise<void> {
    const slowest = this.#everyone().reduce((most, each) => Math.max(most, each.instance.advertInterval), 0);
    for (const { runner } of this.#everyone()) runner.feed({ type: "shutdown", reason });
    const stopped = (): boolean => this.#everyone().every((each) => each.runner.state.kind === "stopped");
    await this.#until(stopped, millisToMicros(leavePatience(slowest)));
  }

  #everyone(): Member[] {
    return [...this.#members.values(), ...this.#removed];
  }

  #openSockets(): AdvertSockets {
    return openAdvertSockets({
      onPacket: (name, packet) => this.#takePacket(name, packet),
      onDiscard: (reason) => this.counters.add(metric.advertsDiscarded, { instance: "", reason }),
      onError: (place, error) => this.#host.log.warn("VRRP socket lost", { ...place, error: error.message }),
    });
  }

  #takePacket(interfaceName: string, packet: VrrpPacket): void {
    const runners = this.#everyone().flatMap(({ started, instance, runner }) =>
      started && instance.vrid === packet.vrid && instance.interface === interfaceName ? [runner] : [],
    );
    const found = findInstance(packet, runners);
    if (found.ok) return found.instance.onPacket(packet);
    this.counters.add(metric.advertsDiscarded, { instance: "", reason: found.reason });
  }

  #place({ instance, runner, link }: Member): AdvertPlace | undefined {
    return placeOf(runner.wire, { name: instance.interface, ifindex: link.ifindex, address: link.primaryAddress });
  }

  #listen(): void {
    this.#sockets.listen(this.#everyone().flatMap((member) => this.#place(member) ?? []));
  }

  #openLeases(socketPath: string): LeaseClient {
    const named = (lease: string): Member | undefined => this.#everyone().find((each) => each.runner.name === lease);
    return openLeaseClient({
      socketPath,
      now: () => this.#host.now(),
      configGeneration: () => this.#generation,
      refresh: (claim) => named(claim.lease)?.runner.refreshClaim(claim) ?? claim,
      onHello: (records) => this.#takeHello(records),
      onStatus: (status, sentAt) => named(status.lease)?.runner.onLeaseStatus(status, sentAt),
      onDisconnected: () => this.#feedStarted({ type: "dataplane-disconnected" }),
    });
  }

  #takeHello(records: readonly LeaseRecord[]): void {
    this.#hello = records;
    for (const { started, runner } of this.#everyone()) {
      if (started) runner.feed({ type: "dataplane-connected", highestTerm: highestTerm(records, runner.name) });
    }
  }

  #feedStarted(input: TrackerInput | Extract<Input, { type: "dataplane-disconnected" | "stalled" }>): void {
    for (const { runner, started } of this.#everyone()) if (started) runner.feed(input);
  }

  /** After every step: the earliest deadline may have moved, an instance may be done. */
  #onStepped(): void {
    for (const member of this.#removed) {
      if (member.runner.state.kind !== "stopped") continue;
      this.#removed.delete(member);
      this.#listen();
    }
    const everyone = this.#everyone();
    if (everyone.every((each) => each.started && each.runner.state.kind !== "initialize")) this.#settle();
    if (!this.#judging) this.#arm();
  }

  #arm(): void {
    const next = this.#next();
    if (next?.due === this.#armedFor) return;
    this.#armedFor = next?.due;
    this.#timer.arm(next?.takesOver === true ? instant(next.due - approach) : next?.due);
  }

  /** The earliest deadline of all, and whether it is one at which a backup takes over. */
  #next(): { readonly due: Instant; readonly takesOver: boolean } | undefined {
    let next: { due: Instant; takesOver: boolean } | undefined;
    for (const { runner } of this.#everyone()) {
      const due = runner.deadline();
      if (due !== undefined && (next === undefined || due < next.due)) {
        next = { due, takesOver: runner.state.kind === "backup" };
      }
    }
    return next;
  }

  /** Awake, and dataplane with us, until the deadline comes or is moved. */
  async #approach(due: Instant): Promise<void> {
    if (this.#host.now() >= due) return;
    this.#leases.refreshNow();
    while (this.#host.now() < due && this.#next()?.due === due) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /**
   * Notices that this process did not run. Node runs its timers before it reads its sockets, so this is known before any
   * advert that waits there is heard; those that the socket had no room for will never be (SAFETY S2).
   */
  #beat(before: Instant): void {
    const intervals = this.#everyone().map(({ instance }) => instance.advertInterval / 4);
    const period = Math.min(Math.max(Math.min(...intervals, metronome.max), metronome.min), metronome.max);
    this.#tick = setTimeout(() => {
      const now = this.#host.now();
      const duration = micros(Math.max(0, Math.round(microsSince(now, before) - period)));
      if (duration > period) this.#feedStarted({ type: "stalled", duration });
      this.#beat(now);
    }, period / 1_000);
  }

  #drain(): void {
    this.#sockets.drain();
    this.#monitor.drain();
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
      for (const { runner } of this.#everyone()) {
        const deadline = runner.deadline();
        if (deadline !== undefined && deadline <= now) runner.feed({ type: "deadline-reached", lateness });
      }
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
    const virtual = this.#virtualAddresses();
    const before = new Map(this.#everyone().map((member) => [member, member.link]));
    for (const member of before.keys()) member.link = this.#viewLink(member.instance, virtual);
    this.#listen();
    for (const [member, link] of before) if (member.started) this.#tellLink(member, link);
  }

  #viewLink(instance: InstanceConfig, virtual: ReadonlySet<IpAddress>): Member["link"] {
    const { sourceAddress, trackSource } = instance;
    const view = viewInterface(this.#monitor, instance.interface, instance.family, virtual);
    if (sourceAddress === undefined) return view;
    const isThere = !trackSource || hasAddress(this.#monitor, view.ifindex, sourceAddress);
    return { ...view, primaryAddress: isThere ? sourceAddress : undefined };
  }

  #tellLink({ runner, link: now }: Member, before: Member["link"]): void {
    if (before.primaryAddress !== now.primaryAddress) {
      runner.feed({ type: "primary-address-changed", address: now.primaryAddress });
    }
    if (before.up !== now.up) runner.feed({ type: "interface-changed", up: now.up });
    for (const input of interfaceTrackers(this.#monitor, runner.state.config)) runner.feed(input);
  }

  #virtualAddresses(): Set<IpAddress> {
    const addresses = [...this.#members.values()].flatMap(({ instance }) => instance.addresses);
    return new Set(addresses.map((each) => each.address));
  }

  #add(instance: InstanceConfig): Member {
    const runner: InstanceRunner = new InstanceRunner(
      {
        host: this.#host,
        counters: this.counters,
        leases: this.#leases,
        socket: () => {
          const place = this.#place(member);
          return place === undefined ? undefined : this.#sockets.get(place);
        },
        onStepped: () => this.#onStepped(),
      },
      instance,
    );
    const link = { up: false, ifindex: 0, primaryAddress: undefined };
    const member: Member = { instance, runner, started: false, link };
    this.#members.set(identityOf(instance), member);
    member.link = this.#viewLink(instance, this.#virtualAddresses());
    this.#listen();
    return member;
  }

  /**
   * Without its keys (`auth_hmac` in files) an instance would be deaf, and master beside another: it keeps the
   * configuration that it has, or is not started.
   */
  #speaking(snapshot: ConfigSnapshot): InstanceConfig[] {
    return snapshot.config.instances.flatMap((instance) => {
      try {
        toWireConfig(instance, readFileSync);
        return [instance];
      } catch (error) {
        this.#host.log.error("an instance has no usable key", { instance: instance.name, error: String(error) });
        const known = this.#members.get(identityOf(instance));
        return known === undefined ? [] : [known.instance];
      }
    });
  }

  #startMember(member: Member): void {
    if (member.started) return;
    member.started = true;
    const { runner, link } = member;
    runner.continueFrom(authCounter(this.#hello ?? [], runner.name));
    // Trackers first: an instance must not begin with a priority that its failed checks do not allow.
    for (const input of this.#trackers.current()) runner.feed(input);
    for (const input of interfaceTrackers(this.#monitor, runner.state.config)) runner.feed(input);
    runner.feed({
      type: "startup",
      interfaceUp: link.up,
      primaryAddress: link.primaryAddress,
      dataplaneConnected: this.#leases.connected(),
      resume: resumeRecord(this.#hello ?? [], runner.name),
      highestTerm: highestTerm(this.#hello ?? [], runner.name),
      recentResumes: this.#recentResumes,
    });
  }

  /** A reload is a diff: what did not change does not move; a removed instance leaves like any other (SAFETY S6, S18). */
  #applyConfig(snapshot: ConfigSnapshot): void {
    this.#generation = snapshot.generation;
    const wanted = new Map(this.#speaking(snapshot).map((each) => [identityOf(each), each]));
    for (const [identity, member] of [...this.#members]) {
      if (wanted.has(identity)) continue;
      this.#members.delete(identity);
      this.#removed.add(member);
      member.runner.feed({ type: "shutdown", reason: "removed-from-configuration" });
    }
    for (const [identity, instance] of wanted) {
      const member = this.#members.get(identity);
      if (member === undefined) this.#startMember(this.#add(instance));
      else {
        member.instance = instance;
        member.runner.configure(instance);
      }
    }
    this.#refreshLinks();
    this.#leases.refreshNow();
    this.#onStepped();
  }

  async #until(condition: () => boolean, patience: Micros): Promise<void> {
    const deadline = this.#host.now() + patience;
    while (!condition() && this.#host.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

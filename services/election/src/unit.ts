// What decides as one: an instance alone, or all members of a sync group together (keepalived's vrrp_sync_group). It feeds
// the machine and has its effects carried out in their order, by the instances; the lease is its own: one claim, one term
// for all the addresses of a group, so that dataplane holds all of them or none (SAFETY S3).
import type { AggregateState, LeaseClaim, LeaseRecord, LeaseStatus } from "@baton/contracts";
import { ClaimState, LeaseStanding } from "@baton/contracts";
import { type Aggregate, type CauseRef, type Instant, type Micros, micros, type Term, term } from "@baton/domain";
import type { Host } from "@baton/host";
import type { AdvertSocket } from "@baton/linux";
import {
  awaitsAnswer,
  claimants,
  type Effect,
  type ElectionState,
  type GroupClaim,
  type GroupState,
  type Input,
  initialGroup,
  initialState,
  leaseLength,
  type MemberEffect,
  movesLeaseOnly,
  nextDeadline,
  nextGroupDeadline,
  type ResumeRecord,
  regroup,
  shortestMasterDown,
  step,
  stepGroup,
} from "@baton/vrrp";
import { type GroupConfig, leaseOf, type RunnerConfig, toElectionConfig } from "./config.ts";
import type { Counters } from "./counters.ts";
import type { LeaseClient } from "./effects/lease-client.ts";
import { type GroupKind, groupKind, toGroupState } from "./group-state.ts";
import type { Testimonies } from "./inputs/testimonies.ts";
import { InstanceRunner, type RunnerParts } from "./instance-runner.ts";
import { resumeRecord } from "./resume.ts";

export interface UnitParts {
  readonly host: Pick<Host, "now" | "events" | "tracer" | "log">;
  readonly counters: Counters;
  readonly leases: LeaseClient;
  /** The socket that the member speaks through, when it is open. */
  socket(member: string): Pick<AdvertSocket, "send"> | undefined;
  readonly testimonies: Pick<Testimonies, "ask" | "deny">;
  /** After every step: the deadline may have moved. */
  onStepped(): void;
}

export interface UnitMembers {
  readonly group: GroupConfig | undefined;
  readonly members: readonly RunnerConfig[];
}

/** A member that goes on in another unit: a reload has changed with whom it decides. */
export interface Veteran {
  readonly runner: InstanceRunner;
  readonly state: ElectionState;
}

/** What was last told of a group, and when and why it became so. */
interface GroupStory {
  readonly told: GroupKind | undefined;
  readonly since: Instant;
  readonly lastEvent: CauseRef | undefined;
}

/** What a unit takes over of those that a reload has dissolved. */
export interface Heritage {
  readonly veterans: ReadonlyMap<string, Veteran>;
  /** Of the group of the same name. */
  readonly story: GroupStory | undefined;
}

const claimStates = {
  hold: ClaimState.HOLD,
  silent: ClaimState.SILENT,
  leaving: ClaimState.LEAVING,
  release: ClaimState.RELEASE,
} as const;

/** In the order in which they are to be carried out. */
type Action = { readonly member: string; readonly effect: MemberEffect } | { readonly claim: GroupClaim };

export class Unit {
  readonly lease: string;
  readonly #parts: UnitParts;
  readonly #group: string | undefined;
  readonly #runners: ReadonlyMap<string, InstanceRunner>;
  #state: GroupState;
  #story: GroupStory;
  /** A confirmation that moves nothing but the end of the lease: it is taken in with whatever comes next. */
  #renewal: Extract<Input, { type: "lease-confirmed" }> | undefined;

  /** Members are as they start, or, as `heritage` has them, as they were: `goOn` follows then. */
  constructor(parts: UnitParts, { group, members }: UnitMembers, heritage?: Heritage) {
    this.#parts = parts;
    this.#group = group?.name;
    this.lease = leaseOf({ group, members });
    this.#story = heritage?.story ?? { told: undefined, since: parts.host.now(), lastEvent: undefined };
    const states = members.map((member): [string, ElectionState] => [
      member.name,
      heritage?.veterans.get(member.name)?.state ?? initialState(toElectionConfig(member, group)),
    ]);
    this.#state = initialGroup(this.lease, new Map(states));
    const runnerOf = (member: RunnerConfig): InstanceRunner => {
      const veteran = heritage?.veterans.get(member.name)?.runner;
      const runnerParts = this.#partsOf(member.name);
      veteran?.join(runnerParts);
      return veteran ?? new InstanceRunner(runnerParts, member, this.#memberState(member.name));
    };
    this.#runners = new Map(members.map((member) => [member.name, runnerOf(member)]));
  }

  #partsOf(name: string): RunnerParts {
    const { host, counters, leases, socket, testimonies } = this.#parts;
    return {
      host,
      counters,
      testimonies,
      socket: () => socket(name),
      feed: (input: Input) => this.feed(new Map([[name, input]])),
      // Peers count from this advert: so must the kernel's lease on the addresses, should all of us be killed now (S10).
      onAdvertSent: () => leases.advertSent(this.lease),
    };
  }

  /** The member with all that it knows, for another unit. */
  veteran(member: string): Veteran {
    this.#takeRenewal();
    return { runner: this.runner(member), state: this.#memberState(member) };
  }

  get story(): GroupStory {
    return this.#story;
  }

  /** The highest term that any member has seen. */
  get highestTerm(): Term {
    return term(Math.max(...this.states.map(({ highestTerm }) => highestTerm)));
  }

  /** Whether the member has its addresses, or may have them. */
  holds(member: string): boolean {
    return claimants(this.#state).includes(member);
  }

  /** Whether it is master, or listens as one. */
  isInOffice(member: string): boolean {
    const { kind } = this.#memberState(member);
    return kind === "master" || kind === "listening";
  }

  /** Have not been started yet. */
  get unstarted(): string[] {
    return [...this.#state.members].flatMap(([name, state]) =>
      state.kind === "initialize" && !state.started ? [name] : [],
    );
  }

  /**
   * After a reload has changed the membership: `highest` is the highest term of its lease so far, undefined when that
   * lease is the one that all holders had. What is held goes on being held; dataplane learns of the old lease's end and
   * of the new one in the same frame.
   */
  goOn(members: UnitMembers, highest: Term | undefined): void {
    this.feed(regroup(this.#state.members, highest));
    this.configure(members);
    if (this.#runners.size === 1 && this.states.some(({ groupFault }) => groupFault !== undefined)) {
      this.feedAll({ type: "group-fault", member: undefined, cause: undefined });
    }
    if (claimants(this.#state).length === 0 && !this.states.some(awaitsAnswer)) this.#parts.leases.forget(this.lease);
  }

  /** Its members have gone elsewhere: the group is no more. */
  dissolve(reason: string): void {
    if (this.#group === undefined) return;
    const data = {
      group: this.#group,
      state: "stopped",
      term: this.highestTerm,
      members: [...this.#runners.keys()],
      member: "",
      reason,
    };
    this.#parts.host.events.append({ kind: "group", id: this.#group }, { type: "sync-group-changed", data });
  }

  runner(member: string): InstanceRunner {
    const runner = this.#runners.get(member);
    if (runner === undefined) throw new Error(`${this.lease} has no member ${member}`);
    return runner;
  }

  get states(): readonly ElectionState[] {
    return [...this.#state.members.values()];
  }

  get stopped(): boolean {
    return this.states.every(({ kind }) => kind === "stopped");
  }

  /** The longest of its intervals. */
  get slowestInterval(): Micros {
    return micros(Math.max(...this.states.map(({ config }) => config.advertInterval)));
  }

  deadline(): Instant | undefined {
    return nextGroupDeadline(this.#state);
  }

  /** Whether a backup takes over at `due`. */
  takesOverAt(due: Instant): boolean {
    return this.states.some((state) => state.kind === "backup" && nextDeadline(state) === due);
  }

  /** Whoever's deadline has come, together: a group whose timers end at once decides at once. */
  judge(lateness: Micros, now: Instant, jumpSince: (since: Instant) => Micros = () => micros(0)): void {
    const due = [...this.#state.members].filter(([, state]) => (nextDeadline(state) ?? Number.MAX_VALUE) <= now);
    const inputs = due.map(([name, state]): [string, Input] => [
      name,
      { type: "deadline-reached", lateness: latenessOf(state, lateness, jumpSince) },
    ]);
    if (inputs.length > 0) this.feed(new Map(inputs));
  }

  /** What concerns every member. */
  feedAll(input: Input): void {
    this.feed(this.#forAll(input));
  }

  feed(inputs: ReadonlyMap<string, Input>): void {
    const { host, leases, onStepped } = this.#parts;
    this.#takeRenewal();
    const { state, actions } = this.#step(inputs, host.now());
    this.#state = state;
    for (const [name, runner] of this.#runners) runner.take(this.#memberState(name));
    let told: CauseRef | undefined;
    for (const action of actions) {
      if ("claim" in action) this.#claim(action.claim);
      else {
        const runner = this.runner(action.member);
        runner.execute(action.effect);
        if (action.effect.type === "append-event") told = runner.lastEvent;
      }
    }
    told = this.#tellGroup(told) ?? told;
    this.#keepCover();
    // The claim of the same step leaves at the end of it, with the event that goes with it (SAFETY S1).
    const claimed = told === undefined ? undefined : leases.claimed(this.lease);
    if (claimed !== undefined) leases.claim({ ...claimed, ...claimCause(told) });
    // Nothing is claimed any more: the next frame says so by its absence.
    if (this.stopped) leases.forget(this.lease);
    onStepped();
  }

  /** Heartbeats outnumber adverts: a step for each answer was a tenth of what a master costs. */
  #takeRenewal(): void {
    const renewal = this.#renewal;
    if (renewal === undefined) return;
    this.#renewal = undefined;
    this.#state = this.#step(this.#forAll(renewal), this.#parts.host.now()).state;
  }

  #forAll(input: Input): ReadonlyMap<string, Input> {
    return new Map([...this.#runners.keys()].map((name) => [name, input]));
  }

  #step(inputs: ReadonlyMap<string, Input>, now: Instant): { state: GroupState; actions: readonly Action[] } {
    if (this.#group !== undefined) {
      const { state, effects, claim } = stepGroup(this.#state, inputs, now);
      const isAdvert = ({ effect }: (typeof effects)[number]): boolean => effect.type === "send-advertisement";
      const claims = claim === undefined ? [] : [{ claim }];
      return { state, actions: [...effects.filter(isAdvert), ...claims, ...effects.filter((each) => !isAdvert(each))] };
    }
    const actions: Action[] = [];
    const members = new Map(this.#state.members);
    for (const [member, input] of inputs) {
      const stepped = step(this.#memberState(member), input, now);
      members.set(member, stepped.state);
      actions.push(...stepped.effects.map((effect) => actionOf(member, effect)));
    }
    return { state: { ...this.#state, members }, actions };
  }

  #memberState(name: string): ElectionState {
    const state = this.#state.members.get(name);
    if (state === undefined) throw new Error(`${this.lease} has no member ${name}`);
    return state;
  }

  onLeaseStatus(status: LeaseStatus, sentAt: Instant): void {
    const { leases } = this.#parts;
    const claimed = leases.claimed(this.lease)?.state;
    const input = leaseInput(status, sentAt, claimed);
    if (input?.type === "lease-confirmed" && this.#isAtRest(input.term)) {
      this.#renewal = input;
      return;
    }
    // Let go as asked: there is nothing left to claim.
    if (input?.type === "addresses-released") leases.forget(this.lease);
    if (input !== undefined) this.feedAll(input);
  }

  #isAtRest(of: Term): boolean {
    for (const state of this.#state.members.values()) if (!movesLeaseOnly(state, of)) return false;
    return true;
  }

  /** The claim with what changes between two claims, for the next frame: of a group what is least in its favour. */
  refreshClaim(claim: LeaseClaim): LeaseClaim {
    const authCounter = Math.max(...[...this.#runners.values()].map((runner) => runner.authCounter));
    const masters = this.states.filter((state) => state.kind === "master");
    if (masters.length === 0) return { ...claim, authCounter };
    return {
      ...claim,
      authCounter,
      priority: this.#priority(),
      lastAdvertAt: Math.min(...masters.map(({ lastAdvertAt }) => lastAdvertAt)),
      peerHeardAt: Math.max(...masters.map(({ peerHeardAt = 0 }) => peerHeardAt)),
    };
  }

  #priority(): number {
    return Math.min(...this.states.map(({ effectivePriority }) => effectivePriority));
  }

  /** What a crashed election left of the lease, as it concerns one member; undefined: nothing to go on under. */
  resumeOf(known: LeaseRecord | undefined, member: string): ResumeRecord | undefined {
    // One that had not come along yet when the election crashed holds nothing.
    const record = known?.lastClaim?.instances.includes(member) === true ? resumeRecord(known) : undefined;
    const priorities = new Set(this.states.map(({ config }) => config.priority));
    // It stands for all members only where they started alike; otherwise each one's own counts.
    return record === undefined || priorities.size === 1 ? record : { ...record, priority: 0 };
  }

  /** The same members, otherwise configured. */
  configure({ group, members }: UnitMembers): void {
    for (const member of members) this.runner(member.name).configure(member);
    const inputs = members.map((member): [string, Input] => [
      member.name,
      { type: "configure", config: toElectionConfig(member, group) },
    ]);
    this.feed(new Map(inputs));
  }

  watchStates(): AggregateState[] {
    const { host } = this.#parts;
    const members = [...this.#runners.values()].map((runner) => runner.watchState());
    if (this.#group === undefined) return members;
    const aggregate: Aggregate = { kind: "group", id: this.#group };
    const value = toGroupState(
      this.#group,
      this.#state.members,
      this.#story.told,
      this.#story.since,
      this.#story.lastEvent,
    );
    return [...members, { ...aggregate, version: host.events.version(aggregate), state: { $case: "group", value } }];
  }

  /** Members that hold have come or gone under the same term. */
  #keepCover(): void {
    const { leases } = this.#parts;
    const claimed = leases.claimed(this.lease);
    const instances = claimants(this.#state);
    if (claimed === undefined || instances.length === 0 || instances.join("\n") === claimed.instances.join("\n"))
      return;
    leases.claim({ ...claimed, instances });
  }

  #claim(claim: GroupClaim): void {
    const { leases } = this.#parts;
    const known = leases.claimed(this.lease);
    const instances = claimants(this.#state);
    leases.claim({
      lease: this.lease,
      term: claim.term,
      state: claimStates[claim.state],
      // Whoever's lease ends first ends it for all.
      lengthMicros: Math.min(...this.states.map(({ config }) => leaseLength(config))),
      priority: this.#priority(),
      lastAdvertAt: known?.lastAdvertAt ?? 0,
      peerHeardAt: known?.peerHeardAt ?? 0,
      authCounter: known?.authCounter ?? 0,
      // With a release nobody claims any more, and all of them let go.
      instances: instances.length === 0 ? [...this.#runners.keys()] : instances,
      announce: claim.announce,
      announceReason: claim.announceReason,
      ...claimCause(this.#story.lastEvent ?? [...this.#runners.values()][0]?.lastEvent),
      successorHeard: claim.successorHeard,
    });
  }

  /** One event for the group, after those of its members, whenever all of them have come to something new. */
  #tellGroup(cause: CauseRef | undefined): CauseRef | undefined {
    const { host } = this.#parts;
    const kind = groupKind(this.#state.members);
    if (this.#group === undefined || kind === undefined || kind === this.#story.told) return undefined;
    const since = host.now();
    const {
      name,
      term: of,
      members,
      member,
      reason,
    } = toGroupState(this.#group, this.#state.members, kind, since, undefined);
    const data = { group: name, state: kind, term: of, members, member, reason };
    const event = { type: "sync-group-changed", data } as const;
    const envelope = host.events.append({ kind: "group", id: this.#group }, event, cause, cause?.traceparent);
    const { id, correlationId } = envelope;
    const lastEvent = { id, correlationId, traceparent: cause?.traceparent };
    this.#story = { told: kind, since, lastEvent };
    host.log.info(event.type, { ...data, event: id });
    return lastEvent;
  }
}

/** A machine that was paused finds its own clocks where it left them: only the world's has gone on (SAFETY S11). */
function latenessOf(state: ElectionState, lateness: Micros, jumpSince: (since: Instant) => Micros): Micros {
  if (state.kind !== "master") return lateness;
  const jump = jumpSince(state.lastAdvertAt);
  if (jump <= lateness) return lateness;
  return jump > shortestMasterDown(state.config) ? micros(Math.max(lateness, jump)) : lateness;
}

const actionOf = (member: string, effect: Effect): Action =>
  effect.type === "claim" ? { claim: effect } : { member, effect };

const claimCause = (event: CauseRef | undefined): Pick<LeaseClaim, "eventId" | "correlationId" | "traceparent"> => ({
  eventId: event?.id ?? "",
  correlationId: event?.correlationId ?? "",
  traceparent: event?.traceparent ?? "",
});

/** dataplane's answer as an input; undefined when it says nothing that the machine waits for. */
function leaseInput(status: LeaseStatus, sentAt: Instant, claimed: LeaseClaim["state"] | undefined): Input | undefined {
  const of = term(status.term);
  switch (status.standing) {
    case LeaseStanding.HELD:
      return { type: "lease-confirmed", term: of, sentAt };
    case LeaseStanding.APPLYING:
      return { type: "lease-applying", term: of, sentAt };
    case LeaseStanding.FAILED:
      return { type: "addresses-failed", term: of, sentAt, detail: status.error };
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

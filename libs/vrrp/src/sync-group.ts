// keepalived's vrrp_sync_group on top of elections: the members are one decision. All become master together, under one
// term and one lease (SAFETY S3); one that gives way takes the others with it; the fault of one is everybody's. Each
// member stays the machine that it is alone (election.ts): the group tells it, by inputs of its own, what the others did.
// A reload may put a member that holds nothing among members that hold: until its own master-down it only listens. If it
// hears nobody, it comes along under their term; if it hears a master, they give way to theirs; its fault is everybody's.
import { type CauseRef, type Instant, type Term, term } from "@baton/domain";
import { canServe } from "./degraded.ts";
import { nextDeadline, step } from "./election.ts";
import { ownFaultCauses } from "./priority.ts";
import type { ClaimState, Effect, ElectionState, Input, StateOf, Step } from "./types.ts";

export interface GroupState {
  readonly name: string;
  /** In the order of the configuration. */
  readonly members: ReadonlyMap<string, ElectionState>;
  /** Whose master has fallen silent, while that of another member speaks. */
  readonly waiting: ReadonlySet<string>;
}

/** What all members together claim of dataplane: they hold their addresses together or not at all. */
export type GroupClaim = Extract<Effect, { type: "claim" }>;

export type MemberEffect = Exclude<Effect, { type: "claim" }>;

export interface GroupStep {
  readonly state: GroupState;
  /** In the order in which they are to be carried out. */
  readonly effects: readonly { readonly member: string; readonly effect: MemberEffect }[];
  /** After the adverts and before the events, as a single instance does it; undefined: nothing new is claimed. */
  readonly claim: GroupClaim | undefined;
}

export const initialGroup = (name: string, members: ReadonlyMap<string, ElectionState>): GroupState => ({
  name,
  members,
  waiting: new Set(),
});

export function nextGroupDeadline(group: GroupState): Instant | undefined {
  let earliest: Instant | undefined;
  for (const member of group.members.values()) {
    const deadline = nextDeadline(member);
    if (deadline !== undefined && (earliest === undefined || deadline < earliest)) earliest = deadline;
  }
  return earliest;
}

/** `input` for one member; what concerns all (a lease, the dataplane, a shutdown) is fed to each. */
export function stepGroup(group: GroupState, inputs: ReadonlyMap<string, Input>, now: Instant): GroupStep {
  const work = new Work(group, now);
  for (const [member, input] of inputs) work.feed(member, input);
  work.shareLoss();
  work.keepTogether(causeOf([...inputs.values()][0]));
  work.shareFaults(causeOf([...inputs.values()][0]));
  return work.result();
}

const causeOf = (input: Input | undefined): CauseRef | undefined =>
  input !== undefined && "cause" in input ? input.cause : undefined;

const holds = (state: ElectionState): state is StateOf<"master"> | StateOf<"listening"> =>
  state.kind === "master" || state.kind === "listening";

/** One step of the group: members change one after the other, each sees what those before it did. */
class Work {
  readonly #name: string;
  readonly #now: Instant;
  readonly #members: Map<string, ElectionState>;
  readonly #waiting: Set<string>;
  readonly #effects: { member: string; effect: MemberEffect }[] = [];
  #claims: readonly GroupClaim[] = [];
  /** A member has given way, for this cause. */
  #loss: { readonly cause: CauseRef | undefined } | undefined;

  constructor({ name, members, waiting }: GroupState, now: Instant) {
    this.#name = name;
    this.#now = now;
    this.#members = new Map(members);
    this.#waiting = new Set(waiting);
  }

  feed(member: string, input: Input): void {
    const before = this.#members.get(member);
    if (before === undefined) return;
    const done = step(before, input, this.#now);
    const takesOver = done.state.kind === "master" && !holds(before) && done.state.reason !== "resumed";
    if (takesOver) this.#takeOver(member, before, input);
    else this.#move(member, before, done, causeOf(input));
  }

  /** keepalived's vrrp_sync_can_goto_master: only when every other member would be master too. */
  #takeOver(member: string, before: ElectionState, input: Input): void {
    const others = [...this.#members].filter(([name]) => name !== member);
    if (others.some(([, state]) => holds(state))) return this.#comeAlong(member, before, input);
    if (!others.every(([name, state]) => this.#wants(name, state))) {
      this.#waiting.add(member);
      this.#step(member, before, { type: "group-waits" });
      return;
    }
    const highest = highestTerm(this.#members.values());
    for (const [name, state] of this.#members) this.#members.set(name, { ...state, highestTerm: highest });
    this.#step(member, { ...before, highestTerm: highest }, input);
    for (const [name, state] of this.#members) {
      if (state.kind === "backup" || state.kind === "fault")
        this.#step(name, state, { type: "group-takes-over", cause: causeOf(input) });
    }
    this.#waiting.clear();
  }

  #wants(name: string, state: ElectionState): boolean {
    if (state.kind === "backup") return this.#waiting.has(name) || state.masterDownAt <= this.#now;
    // Its addresses alone have failed, and it has heard nobody either (SAFETY S9).
    return state.kind === "fault" && canServe(state) && state.soleAt !== undefined && state.soleAt <= this.#now;
  }

  /** The others hold already: under their term, or a new one for all where it has seen a higher one itself. */
  #comeAlong(member: string, before: ElectionState, input: Input): void {
    const holders = [...this.#members].filter(([, state]) => holds(state));
    const held = highestTerm(holders.map(([, state]) => state));
    const shared = before.highestTerm < held ? held : term(highestTerm(this.#members.values()) + 1);
    for (const [name, state] of holders) this.#step(name, state, regrouped(shared));
    this.#step(member, { ...before, highestTerm: term(shared - 1) }, input);
    this.#waiting.delete(member);
  }

  #hearsMaster(): boolean {
    for (const state of this.#members.values()) if (hearsMaster(state, this.#now)) return true;
    return false;
  }

  /** One that hears its own master keeps the others from being that: to their peers they say so (SAFETY S3). */
  keepTogether(cause: CauseRef | undefined): void {
    if (this.#members.size === 1 || !this.#hearsMaster()) return;
    for (const [name, state] of this.#members) {
      if (holds(state)) this.#step(name, state, { type: "group-gives-way", cause, tellPeers: true });
    }
  }

  #move(member: string, before: ElectionState, done: Step, cause: CauseRef | undefined): void {
    this.#keep(member, done);
    const { state: after } = done;
    const heardNow = after.kind === "backup" && after.master?.accepted === true && after.master.heardAt === this.#now;
    if (after.kind !== "backup" || heardNow) this.#waiting.delete(member);
    if (holds(before) && after.kind === "backup") this.#loss ??= { cause };
  }

  /**
   * Who has given way takes the others with it, but for those that have gone by themselves: the lease that all of them have
   * lost is nothing to give way from politely, to a master that there is not.
   */
  shareLoss(): void {
    if (this.#loss === undefined) return;
    for (const [name, state] of this.#members) {
      if (holds(state)) this.#step(name, state, { type: "group-gives-way", cause: this.#loss.cause, tellPeers: false });
    }
  }

  /** The fault of one is everybody's, until the last one is over (behaviour section 7). */
  shareFaults(cause: CauseRef | undefined): void {
    if (this.#members.size === 1) return;
    const faulty = [...this.#members].filter(([, state]) => isFaulty(state)).map(([name]) => name);
    for (const [name, state] of this.#members) {
      const member = faulty.find((other) => other !== name);
      if (member !== state.groupFault) this.#step(name, state, { type: "group-fault", member, cause });
      if (state.kind !== "backup") this.#waiting.delete(name);
    }
  }

  #step(member: string, before: ElectionState, input: Input): void {
    this.#keep(member, step(before, input, this.#now));
  }

  #keep(member: string, { state, effects }: Step): void {
    this.#members.set(member, state);
    for (const effect of effects) {
      if (effect.type === "claim") this.#claims = [...this.#claims, effect];
      else this.#effects.push({ member, effect });
    }
  }

  result(): GroupStep {
    const state = { name: this.#name, members: this.#members, waiting: this.#waiting };
    return { state, effects: inOrder(this.#effects), claim: groupClaim([...this.#members.values()], this.#claims) };
  }
}

const hearsMaster = (state: ElectionState, now: Instant): boolean =>
  state.kind === "backup" && state.master?.accepted === true && state.master.priority > 0 && state.masterDownAt > now;

const isFaulty = (state: ElectionState): boolean =>
  state.kind !== "stopped" && isStarted(state) && ownFaultCauses(state).length > 0;

/** Before its start nothing is known of a member, which is no fault. */
const isStarted = (state: ElectionState): boolean => state.kind !== "initialize" || state.started;

function highestTerm(members: Iterable<ElectionState>): Term {
  let highest = 0;
  for (const state of members) highest = Math.max(highest, state.highestTerm);
  return term(highest);
}

/** Adverts of all members first: the network is told before anything else is done (SAFETY S7). */
function inOrder(effects: GroupStep["effects"]): GroupStep["effects"] {
  if (effects.length < 2) return effects;
  return [
    ...effects.filter(({ effect }) => effect.type === "send-advertisement"),
    ...effects.filter(({ effect }) => effect.type !== "send-advertisement"),
  ];
}

/** The weakest claim of any member is the group's: in doubt all addresses are silent, or go. */
const strength: readonly ClaimState[] = ["release", "leaving", "silent", "hold"];

function groupClaim(members: readonly ElectionState[], claims: readonly GroupClaim[]): GroupClaim | undefined {
  const newest = claims.at(-1);
  if (newest === undefined) return undefined;
  const standing = members.map(standingOf).filter((each) => each !== undefined);
  const state = strength.find((each) => standing.some((claim) => claim === each)) ?? "release";
  return {
    type: "claim",
    term: term(Math.max(...claims.map((claim) => claim.term))),
    state,
    announce: members.reduce((sum, member) => sum + ("announce" in member ? member.announce : 0), 0),
    announceReason: claims.findLast(({ announceReason }) => announceReason !== "")?.announceReason ?? "",
    successorHeard: state === "leaving" && members.some(hasSuccessor),
  };
}

/** The members whose addresses the group's claim is for. */
export const claimants = ({ members }: GroupState): string[] =>
  [...members].filter(([, state]) => standingOf(state) !== undefined).map(([name]) => name);

/**
 * What members are told that decide together after a reload; `highest`: the highest term of the lease that they have from
 * now on, undefined when it is the one that all holders had. Holders share a term that none of them has passed.
 */
export function regroup(
  members: ReadonlyMap<string, ElectionState>,
  highest: Term | undefined,
): ReadonlyMap<string, Input> {
  const known = Math.max(highestTerm(members.values()), highest ?? 0);
  const terms = new Set([...members.values()].filter(holds).map((state) => state.term));
  const [only] = terms;
  if (only === undefined) return new Map([...members.keys()].map((name) => [name, regrouped(known)]));
  const shared = terms.size === 1 && highest === undefined ? only : known + 1;
  return new Map([...members].map(([name, state]) => [name, regrouped(holds(state) ? shared : shared - 1)]));
}

const regrouped = (of: number): Input => ({ type: "regrouped", term: term(of) });

/** What a member's state asks of dataplane now; undefined: nothing. */
function standingOf(state: ElectionState): ClaimState | undefined {
  if (state.kind === "master") return "hold";
  if (state.kind === "listening") return "silent";
  if (state.kind === "leaving" || (state.kind === "backup" && state.yielding !== undefined)) return "leaving";
  return undefined;
}

const hasSuccessor = (state: ElectionState): boolean =>
  state.kind === "leaving" ? state.successorHeard : state.kind === "backup" && state.yielding !== undefined;

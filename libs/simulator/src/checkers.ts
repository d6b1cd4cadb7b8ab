// What must hold, whatever happens. Each property has a name, which is that of its failure; docs/model.md states them.
import { type ElectionState, type GroupState, type GroupStep, skewTime } from "@baton/vrrp";
import type { ElectionProcess } from "./election-process.ts";
import type { Router } from "./router.ts";
import { settling } from "./settling.ts";

export const properties = [
  "never-split",
  "one-term",
  "terms-rise",
  "voice-needs-mastership",
  "voice-needs-lease",
  "address-needs-term",
  "priority-zero-hurries",
  "deadlines-move-on",
  "time-goes-on",
  "never-throws",
  "all-recover",
  "one-master",
  "right-master",
  "master-holds",
  "only-master-holds",
  "stays-settled",
  "priority-zero-is-answered",
  "crash-is-answered",
  "silent-dataplane-is-answered",
  "healing-leaves-one",
  "denial-is-answered",
  "slander-moves-nothing",
  "no-gap",
  "no-theft",
  "alike-stays-put",
  "alone-gives-way",
] as const;
export type Property = (typeof properties)[number];

export class Violation extends Error {
  readonly property: Property;

  constructor(property: Property, detail: string) {
    super(`${property}: ${detail}`);
    this.property = property;
  }
}

const require = (holds: boolean, property: Property, detail: () => string): void => {
  if (!holds) throw new Violation(property, detail());
};

/** After each step of any router's election. */
export function checkStep(router: Router, process: ElectionProcess, step: GroupStep, before: GroupState): void {
  const name = nameOf(process);
  checkMembers(name, step.state, before, process.newcomers);
  checkAddresses(router);
  for (const { member, effect } of step.effects) {
    if (effect.type !== "send-advertisement" || effect.priority === 0) continue;
    checkVoice(process, name, step.state.members.get(member), before.members.get(member));
  }
}

const nameOf = ({ router }: ElectionProcess): string => `router ${router + 1}`;

/** A newcomer is one until it comes along, or the others give way too. */
function checkMembers(name: string, after: GroupState, before: GroupState, newcomers: Set<string>): void {
  let [held, all, lowest, highest] = [0, 0, Number.POSITIVE_INFINITY, 0];
  for (const [member, state] of after.members) {
    all++;
    const was = before.members.get(member);
    require(was === undefined || state.highestTerm >= was.highestTerm, "terms-rise", () => `${name}: ${member}`);
    if (state.kind !== "master" && state.kind !== "listening") {
      if (newcomers.has(member)) all--;
      continue;
    }
    newcomers.delete(member);
    held++;
    lowest = Math.min(lowest, state.term);
    highest = Math.max(highest, state.term);
  }
  if (held === 0) newcomers.clear();
  require(held === 0 || held === all, "never-split", () =>
    `${name}: ${[...after.members.values()].map(({ kind }) => kind).join(", ")}`);
  require(held === 0 || lowest === highest, "one-term", () => `${name}: terms ${lowest} to ${highest}`);
}

/** The addresses are in the kernel under a live term only, or until the kernel's own lease ends (SAFETY S1, S10). */
export function checkAddresses({ index, dataplane }: Router): void {
  require(!dataplane.holds || dataplane.isEntitled, "address-needs-term", () => `router ${index + 1}`);
}

/** Whoever hears a priority 0 takes over within its skew, or sooner: never later than it would have (RFC 9568 6.4.2). */
export function checkHurry(
  process: ElectionProcess,
  before: ElectionState | undefined,
  after: ElectionState | undefined,
): void {
  if (before?.kind !== "backup" || after?.kind !== "backup") return;
  const { effectivePriority: priority, masterAdvertInterval, masterDownAt, config } = after;
  const latest = process.now + skewTime({ version: config.version, priority, masterAdvertInterval });
  require(masterDownAt <= latest && masterDownAt <= before.masterDownAt, "priority-zero-hurries", () =>
    `${nameOf(process)} waits for ${(masterDownAt - process.now) / 1_000} ms`);
}

/** `times`: how often it acted on deadlines at this very moment. Each member may have two of its own; then time goes on. */
export function checkProgress(process: ElectionProcess, times: number): void {
  require(times <= 2 * process.group.members.size, "deadlines-move-on", () => `${nameOf(process)}: ${times} at once`);
}

/** No advert above 0 without a lease, but the last words of one that gives way or has (SAFETY S3, S12). */
function checkVoice(
  process: ElectionProcess,
  name: string,
  state: ElectionState | undefined,
  was: ElectionState | undefined,
): void {
  if (was?.kind === "backup" && was.yielding !== undefined && state?.kind !== "master") return;
  if (was?.kind === "master" && was.config.higherPrioritySendAdvert && state?.kind === "backup") return;
  require(state?.kind === "master", "voice-needs-mastership", () => `${name} speaks as ${state?.kind}`);
  if (state?.kind !== "master") return;
  require(state.leaseUntil > process.now, "voice-needs-lease", () => `${name}: over since ${state.leaseUntil}`);
}

/**
 * How long nobody had the addresses, and how long more than one answered ARP for them. Microseconds of the simulation.
 * Silence on ARP with the address in place is no gap: traffic that is on its way is served (SAFETY, order of harms).
 */
export class Coverage {
  longestGap = 0;
  longestOverlap = 0;
  readonly #holding = new Set<number>();
  readonly #answering = new Set<number>();
  #gapSince: number | undefined;
  #overlapSince: number | undefined;

  constructor(routers: readonly Router[], now: number) {
    for (const router of routers) this.note(router, now);
  }

  note(router: Router, now: number): void {
    keep(this.#holding, router.index, router.holds);
    keep(this.#answering, router.index, router.answers);
    this.finish(now);
    this.#gapSince = this.#holding.size > 0 ? undefined : (this.#gapSince ?? now);
    this.#overlapSince = this.#answering.size < 2 ? undefined : (this.#overlapSince ?? now);
  }

  finish(now: number): this {
    this.longestGap = Math.max(this.longestGap, now - (this.#gapSince ?? now));
    this.longestOverlap = Math.max(this.longestOverlap, now - (this.#overlapSince ?? now));
    return this;
  }
}

function keep(set: Set<number>, index: number, wanted: boolean): void {
  if (wanted) set.add(index);
  else set.delete(index);
}

/** Whether time alone will bring another master: one that is above it is only held back, for having flapped. */
export const isProvisional = (routers: readonly Router[]): boolean => {
  const master = routers.find(({ isMaster }) => isMaster);
  const settled = settling(routers);
  return master !== undefined && routers.some((other) => isHeld(other, settled) && isAbove(other, master));
};

/** It is, or was until so short a time ago that its timers may still run. */
const isHeld = ({ states, clock }: Router, settled: number): boolean =>
  states.some(({ preemptHeldUntil = 0 }) => clock.now() - settled < preemptHeldUntil);

/** Nobody is left in fault; exactly one master, and the right one: nobody who pre-empts has a higher priority. */
export function checkSettled(routers: readonly Router[]): void {
  const masters = routers.filter(({ isMaster }) => isMaster);
  const shown = (): string =>
    routers
      .map((router) => `${router.index + 1}: ${router.states.map(({ kind }) => kind).join("/")} ${priorityOf(router)}`)
      .join("; ");
  require(routers.every(({ isHealthy }) => isHealthy), "all-recover", shown);
  require(masters.length === 1, "one-master", shown);
  const [master] = masters;
  if (master === undefined) return;
  require(master.dataplane.answers, "master-holds", shown);
  const others = routers.filter((router) => router !== master);
  require(others.every(({ dataplane }) => !dataplane.answers), "only-master-holds", shown);
  // Flapping holds pre-emption back: whoever is held may stay above the master for a while (SAFETY S12).
  const settled = settling(routers);
  const preempting = others.filter((other) => other.configs.every(({ preempt }) => preempt) && !isHeld(other, settled));
  require(!preempting.some((other) => isAbove(other, master)), "right-master", shown);
}

const priorityOf = ({ states }: Router): string => states.map(({ effectivePriority }) => effectivePriority).join("/");

/** In every member: a sync group takes over as a whole, when each of its members would. */
const isAbove = (other: Router, master: Router): boolean =>
  other.states.every(
    ({ effectivePriority }, member) => effectivePriority > (master.states[member]?.effectivePriority ?? 0),
  );

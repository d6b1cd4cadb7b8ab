// What must hold, whatever happens. Each property has a name, which is that of its failure; ARCHITECTURE.md states them.
import type { ElectionState, GroupState, GroupStep } from "@baton/vrrp";
import type { Router } from "./router.ts";

export class Violation extends Error {
  readonly property: string;

  constructor(property: string, detail: string) {
    super(`${property}: ${detail}`);
    this.property = property;
  }
}

const require = (holds: boolean, property: string, detail: () => string): void => {
  if (!holds) throw new Violation(property, detail());
};

const holding = ({ kind }: ElectionState): boolean => kind === "master" || kind === "listening";

/** After each step of any router's election. */
export function checkStep(router: Router, step: GroupStep, before: GroupState): void {
  const states = [...step.state.members.values()];
  const held = states.filter(holding);
  const name = `router ${router.index + 1}`;
  require(held.length === 0 || held.length === states.length, "never-split", () =>
    `${name}: ${states.map(({ kind }) => kind).join(", ")}`);
  const terms = new Set(held.map((state) => ("term" in state ? state.term : 0)));
  require(terms.size <= 1, "one-term", () => `${name}: terms ${[...terms].join(", ")}`);
  for (const [member, state] of step.state.members) {
    const was = before.members.get(member);
    require(was === undefined || state.highestTerm >= was.highestTerm, "terms-rise", () => `${name}: ${member}`);
  }
  for (const { member, effect } of step.effects) {
    if (effect.type !== "send-advertisement" || effect.priority === 0) continue;
    checkVoice(router, name, step.state.members.get(member), before.members.get(member));
  }
}

/** No advert above 0 without a lease, but the last words of one that gives way or has (SAFETY S3, S12). */
function checkVoice(
  router: Router,
  name: string,
  state: ElectionState | undefined,
  was: ElectionState | undefined,
): void {
  if (was?.kind === "backup" && was.yielding !== undefined && state?.kind !== "master") return;
  if (was?.kind === "master" && was.config.higherPrioritySendAdvert && state?.kind === "backup") return;
  require(state?.kind === "master", "voice-needs-mastership", () => `${name} speaks as ${state?.kind}`);
  if (state?.kind !== "master") return;
  require(state.leaseUntil > router.clock.now(), "voice-needs-lease", () => `${name}: over since ${state.leaseUntil}`);
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

/** Exactly one master, and the right one where everybody pre-empts. */
export function checkSettled(routers: readonly Router[]): void {
  const masters = routers.filter(({ isMaster }) => isMaster);
  const able = routers.filter(({ isHealthy }) => isHealthy);
  const shown = (): string =>
    routers
      .map(
        (router) =>
          `${router.index + 1}: ${[...router.group.members.values()].map(({ kind }) => kind).join("/")} ${router.effectivePriority}`,
      )
      .join("; ");
  require(masters.length === (able.length > 0 ? 1 : 0), "one-master", shown);
  const [master] = masters;
  if (master === undefined) return;
  require(master.dataplane.answers, "master-holds", shown);
  const others = routers.filter((router) => router !== master);
  require(others.every(({ dataplane }) => !dataplane.answers), "only-master-holds", shown);
  if (!routers.every(({ configs }) => configs.every(({ preempt }) => preempt))) return;
  const highest = Math.max(...able.map(({ effectivePriority }) => effectivePriority));
  require(master.effectivePriority === highest, "right-master", shown);
}

// Keeps the table of nftables in step. Each change is one transaction over everything that is wanted, made from what is
// known to be there; what comes while one runs is part of the next. Whether somebody else has changed anything is seen by
// the version of the machine's rules, which is asked for in microseconds; only then they are read.
import { isDeepStrictEqual } from "node:util";
import { ownByName, plan, type ServiceTable, type StopMode } from "@baton/ipvs";
import {
  type BalancerOptions,
  type BalancerPlan,
  type BalancerState,
  baseOf,
  explainObstacle,
  nothing,
  type Prefix,
  planBalancer,
  removalScript,
  type Strays,
  servicesByAddress,
  straysBetween,
} from "@baton/nft-balancer";
import { asDumped } from "../ipvs/dumped.ts";
import { operationText, serviceOf } from "../ipvs/operation-text.ts";
import type { Answer, Ask, Keeper, Measured } from "../keeper.ts";
import { type Story, startStory, tell, tellFailure } from "../story.ts";
import type { Wanted } from "../wish.ts";

interface Job {
  readonly story: Story;
  /** Of the services that it is about; undefined: of many. */
  readonly names: readonly string[] | undefined;
}

/** Of more services than this nobody asks which line is about which. */
const namesMax = 4;
const errorsMax = 20;
/** With pauses of 1, 2, 4 and 8 retries: 45 s. */
const forgetAttemptsMax = 5;
const advice = "; for ip_vs: modprobe ip_vs, load_balancer auto or ipvs, and a reload";
/** Of a line of nft, in an event. */
const lineMax = 200;

export class NftablesKeeper implements Keeper {
  readonly engine = "nftables";
  readonly #wanted: Wanted;
  /** What is there; undefined: nobody knows. */
  #state: BalancerState | undefined;
  #version: number | undefined;
  /** What this process has left there, once it has. */
  #left: BalancerState | undefined;
  #connected: readonly Prefix[] = [];
  /** What is to be done. */
  #waiting: Job[] = [];
  /** What the transaction that runs does. */
  #running: Job[] = [];
  #settled: Story[] = [];
  #looking: Story | undefined;
  #planned: { readonly plan: BalancerPlan; readonly before: BalancerState; readonly carried: Wanted } | undefined;
  /** Flows that changes of the rules have left behind, and those that are asked about until they are forgotten. */
  #strays: Strays = new Map();
  #forgetting: { readonly ask: Ask & { readonly kind: "forget-flows" }; readonly strays: Strays } | undefined;
  /** Somebody else has changed the rules, an earlier process perhaps, and what that left behind nobody has seen. */
  #sweeps = false;
  /** After so many retries. */
  #forgetsIn = 1;
  #forgetFailures = 0;
  #strayTrouble = "";
  #refused: BalancerPlan["refused"] = [];
  /** As it was carried out last, once it has been. */
  #carried: Wanted | undefined;
  #isPaused = false;
  #trouble = "";
  #drift = 0;
  #ending: Story | "ended" | undefined;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  want(names: Iterable<string>, story: Story): void {
    const some = [...names];
    this.#waiting.push({ story, names: some.length > namesMax ? undefined : some });
  }

  look(story: Story): void {
    this.#looking ??= story;
  }

  retry(): void {
    this.#isPaused = false;
    this.#forgetsIn = Math.max(0, this.#forgetsIn - 1);
  }

  next(): Ask | undefined {
    if (this.#isPaused || this.#ending === "ended") return undefined;
    if (this.#ending !== undefined) return { kind: "run-rules", script: removalScript };
    if (this.#looking !== undefined && this.#state !== undefined) return { kind: "rules-version" };
    if (this.#state === undefined) return this.#hasWork() ? { kind: "read-rules" } : this.#forget();
    if (this.#waiting.length === 0) return this.#forget();
    const { services, unknown } = this.#wanted;
    const found = planBalancer({ wanted: services, unknown, state: this.#state, options: this.#options() });
    this.#refused = found.refused;
    const carried = carriedOf(this.#wanted, found);
    if (found.script === "") {
      this.#trouble = "";
      this.#carried = carried;
      this.#finishAll();
      if (this.#strays.size > 0) this.#strays = straysBetween(this.#state, found.after, this.#strays);
      return this.#forget();
    }
    this.#planned = { plan: found, before: this.#state, carried };
    this.#running = this.#waiting.splice(0);
    return { kind: "run-rules", script: found.script };
  }

  take(ask: Ask, answer: Answer): void {
    if (this.#ending !== undefined) return this.#takeLast(ask, answer);
    if (ask.kind === "forget-flows") return this.#takeForgotten(answer);
    if (answer.kind === "failed") return this.#fail(answer.error);
    if (answer.kind === "rules-version") return this.#takeVersion(answer);
    if (answer.kind === "rules") return this.#takeRules(answer);
    if (answer.kind === "ran") this.#takeRun(answer.version);
  }

  settled(): readonly Story[] {
    return this.#settled.splice(0);
  }

  finish(mode: StopMode, story: Story): void {
    this.#finishAll();
    this.#isPaused = false;
    this.#looking = undefined;
    if (mode === "keep") {
      this.#ending = "ended";
      this.#settled.push(story);
    } else this.#ending = story;
  }

  ownNames(): undefined {
    return undefined;
  }

  counts(): { readonly services: number; readonly destinations: number } {
    const services = [...(this.#carried?.services.values() ?? [])];
    return {
      services: services.length,
      destinations: services.reduce((sum, { destinations }) => sum + destinations.length, 0),
    };
  }

  errors(): readonly string[] {
    const refused = this.#refused.flatMap(({ service, obstacles }) =>
      obstacles.map((obstacle) => `${service}: ${explainObstacle(obstacle)}${advice}`),
    );
    const troubles = [this.#trouble, this.#strayTrouble].filter((trouble) => trouble !== "");
    return [...troubles, ...refused].slice(0, errorsMax);
  }

  drift(): number {
    return this.#drift;
  }

  measured(): Iterable<Measured> {
    return [];
  }

  #hasWork(): boolean {
    return this.#waiting.length > 0 || this.#looking !== undefined;
  }

  #options(): BalancerOptions {
    return { masquerade: "needed", connected: this.#connected };
  }

  #takeVersion({ version, connected }: Answer & { readonly kind: "rules-version" }): void {
    const story = this.#looking;
    if (version !== this.#version && story !== undefined) {
      this.#state = undefined;
      return;
    }
    this.#looking = undefined;
    this.#drift = 0;
    if (story === undefined || isDeepStrictEqual(connected, this.#connected)) return;
    this.#connected = connected;
    this.#add(startStory("reload", story.startedAt));
  }

  #add(story: Story): void {
    this.#waiting.push({ story, names: undefined });
  }

  /** What differs from what was carried out is somebody else's doing; what waits besides is told by its own stories. */
  #takeRules({ state, version, connected }: Answer & { readonly kind: "rules" }): void {
    this.#state = state;
    this.#version = version;
    this.#connected = connected;
    const story = this.#looking;
    this.#looking = undefined;
    this.#drift = 0;
    if (story === undefined) return;
    const carried = this.#carried;
    if (carried !== undefined) {
      const { services: wanted, unknown } = carried;
      this.#drift = linesOf(planBalancer({ wanted, unknown, state, options: this.#options() }).script).length;
    }
    if ((carried === undefined && !isEmpty(state)) || this.#drift > 0) {
      this.#sweeps = true;
      this.#forgetsIn = 0;
    }
    if (this.#drift > 0) this.#add(startStory("repair", story.startedAt));
    else if (this.#waiting.length > 0 && story.reason === "repair") this.#settled.push(story);
    else this.#add(story);
  }

  /** What ran when the end came does not count any more. */
  #takeLast(ask: Ask, answer: Answer): void {
    const story = this.#ending;
    if (story === undefined || story === "ended" || ask.kind !== "run-rules" || ask.script !== removalScript) return;
    if (answer.kind === "failed") tellFailure(story, "remove everything", answer.error);
    else {
      tell(story, "remove everything");
      this.#carried = undefined;
    }
    this.#settled.push(story);
    this.#ending = "ended";
  }

  #takeRun(version: number): void {
    const planned = this.#planned;
    if (planned === undefined) return;
    this.#trouble = "";
    // Another number than the next one: somebody else has changed rules too, ours perhaps.
    const isAlone = this.#version !== undefined && version === this.#version + 1;
    this.#state = isAlone ? planned.plan.after : undefined;
    this.#version = version;
    // Of what an earlier process has left only the lines are known.
    const isKnown = this.#left !== undefined || isEmpty(planned.before);
    this.#left = planned.plan.after;
    const before = this.#carried?.services ?? new Map();
    this.#carried = planned.carried;
    const lines = linesOf(planned.plan.script);
    const changes = isKnown ? changesBetween(before, planned.carried.services) : [];
    for (const job of this.#running) {
      const isOthers = job.story.reason === "repair" || changes.length === 0;
      for (const each of isOthers ? linesAbout(job, lines) : textsAbout(job, changes)) tell(job.story, each);
    }
    this.#planned = undefined;
    this.#finish(this.#running);
    this.#strays = straysBetween(planned.before, planned.plan.after, this.#strays);
    this.#forgetsIn = 0;
    this.#forgetFailures = 0;
  }

  /** A part at a time, when nothing else is to be done: there may be a hundred thousand. */
  #forget(): Ask | undefined {
    if (this.#forgetsIn > 0) return undefined;
    if (this.#forgetting === undefined && (this.#sweeps || this.#strays.size > 0)) {
      const flows = [...this.#strays.values()];
      const services = servicesByAddress(this.#state ?? this.#left ?? nothing);
      this.#forgetting = { ask: { kind: "forget-flows", flows, services, sweeps: this.#sweeps }, strays: this.#strays };
      this.#strays = new Map();
      this.#sweeps = false;
    }
    if (this.#forgetting === undefined) this.#strayTrouble = "";
    return this.#forgetting?.ask;
  }

  #takeForgotten(answer: Answer): void {
    if (answer.kind === "forgot" && !answer.isDone) return;
    const tried = this.#forgetting;
    this.#forgetting = undefined;
    this.#strayTrouble = "";
    this.#forgetFailures = answer.kind === "failed" ? this.#forgetFailures + 1 : 0;
    if (answer.kind !== "failed" || tried === undefined) return;
    this.#forgetsIn = 2 ** (this.#forgetFailures - 1);
    // It has been told. Only these flows are still led as they were, until they end.
    if (this.#forgetFailures === forgetAttemptsMax) {
      this.#forgetFailures = 0;
      return;
    }
    this.#strayTrouble = `UDP flows that the rules have left: ${answer.error}`;
    this.#sweeps ||= tried.ask.sweeps;
    this.#strays = new Map([...tried.strays, ...this.#strays]);
  }

  #fail(error: string): void {
    this.#isPaused = true;
    this.#trouble = error;
    this.#state = undefined;
    const planned = this.#planned;
    // Nobody knows whether the kernel has taken it.
    if (planned !== undefined) this.#strays = straysBetween(planned.before, planned.plan.after, this.#strays);
    this.#planned = undefined;
    // It is tried again, for the same reasons.
    const jobs = [...this.#running, ...this.#waiting];
    const again = jobs.map(({ story: { reason, startedAt, cause }, names }) => ({
      story: startStory(reason, startedAt, cause),
      names,
    }));
    for (const { story } of jobs) tellFailure(story, "everything that is wanted", error);
    this.#finishAll();
    this.#waiting = again;
  }

  #finishAll(): void {
    this.#finish(this.#running);
    this.#finish(this.#waiting);
  }

  #finish(jobs: Job[]): void {
    this.#settled.push(...jobs.splice(0).map(({ story }) => story));
  }
}

const isEmpty = (state: BalancerState): boolean => state[4] === undefined && state[6] === undefined;

/** All that is wanted and not refused is there: also what an earlier process has made. */
function carriedOf({ services, unknown }: Wanted, { refused }: BalancerPlan): Wanted {
  const left = new Set(refused.map(({ service }) => service));
  return { services: new Map([...services].filter(([name]) => !left.has(name))), unknown: new Set(unknown) };
}

interface Change {
  readonly service: string;
  readonly text: string;
}

/** In the words of ip_vs, which say more than chains do. */
function changesBetween(before: ServiceTable, after: ServiceTable): readonly Change[] {
  const dumped = [...before.values()].map((service) => asDumped(service, undefined));
  const { operations } = plan({ wanted: after, unknown: new Set(), own: ownByName(before.keys()), dumped });
  return operations.map((operation) => ({ service: serviceOf(operation), text: operationText(operation) }));
}

const textsAbout = ({ names }: Job, changes: readonly Change[]): readonly string[] =>
  changes.filter(({ service }) => names === undefined || names.includes(service)).map(({ text }) => text);

/** The names of its chains tell whose a line is. */
function linesAbout({ names }: Job, lines: readonly string[]): readonly string[] {
  if (names === undefined) return lines;
  const bases = names.map(baseOf);
  return lines.filter((line) => bases.some((base) => line.includes(`${base}/`)));
}

const linesOf = (script: string): string[] =>
  script
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, lineMax));

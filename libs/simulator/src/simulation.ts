// One run: routers start, the storm passes over them, all is repaired, the group must settle within the time that its own
// timers give, stay settled, and then take one more blow as SAFETY says.
import { type ElectionConfig, type GroupState, type GroupStep, questionLimit } from "@baton/vrrp";
import {
  Coverage,
  checkAddresses,
  checkSettled,
  checkStep,
  isProvisional,
  type Property,
  Violation,
} from "./checkers.ts";
import { Clock } from "./clock.ts";
import { inflict, type Stage } from "./faults.ts";
import { perform } from "./finales.ts";
import { Hub, hubs } from "./hub.ts";
import { Network } from "./network.ts";
import { createRandom, type Random } from "./random.ts";
import { type Packet, Router } from "./router.ts";
import { drawScenario, type Episode, type Fault, type Scenario, type Weather, withMembers } from "./scenario.ts";
import { holdsEnd, longest, preemptionEnd, settling } from "./settling.ts";
import { Timeline } from "./timeline.ts";

const second = 1_000_000;
/** Moves of the addresses count for 180 s (SAFETY S12), resumes for 60 s (S5), everything else for less. */
const longestMemory = 190 * second;

export interface Outcome {
  readonly seed: number;
  /** Simulated, in microseconds. */
  readonly duration: number;
  /** Of that passed over, because nothing happens (docs/model.md); the rest was stepped through. */
  readonly quiet: number;
  readonly steps: number;
}

export interface Failure extends Outcome {
  readonly property: Property;
  readonly message: string;
  readonly at: number;
}

export interface TraceLine {
  readonly at: number;
  readonly router: number;
  readonly text: string;
}

export type Trace = (line: TraceLine) => void;

export function simulate(seed: number, weather: Weather = "storm", trace?: Trace): Outcome | Failure {
  const random = createRandom(seed);
  const run = new Simulation(drawScenario(weather, seed, random.fork()), random.fork(), trace);
  try {
    run.perform();
    return run.outcome();
  } catch (error) {
    const violation = error instanceof Violation ? error : new Violation("never-throws", shown(error));
    return { ...run.outcome(), property: violation.property, message: violation.message, at: run.now };
  }
}

/** Whatever is thrown fails the seed that threw it, and not the night. */
export const shown = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

export const isFailure = (outcome: Outcome | Failure): outcome is Failure => "property" in outcome;

class Simulation {
  readonly #scenario: Scenario;
  readonly #timeline = new Timeline();
  readonly #network: Network<Packet>;
  readonly #hub: Hub;
  readonly #routers: readonly Router[];
  readonly #random: Random;
  readonly #trace: Trace | undefined;
  #coverage: Coverage | undefined;
  #steps = 0;
  #quiet = 0;
  /** How many became master since it was last set to 0. */
  #takeovers = 0;

  constructor(scenario: Scenario, random: Random, trace: Trace | undefined) {
    this.#scenario = scenario;
    this.#random = random;
    this.#trace = trace;
    this.#network = new Network(this.#timeline, random.fork());
    this.#hub = new Hub(this.#timeline, random.fork(), hubs[scenario.hub]);
    this.#routers = scenario.routers.map((configs, index) => this.#makeRouter(configs, index));
  }

  get now(): number {
    return this.#timeline.now;
  }

  outcome(): Outcome {
    return { seed: this.#scenario.seed, duration: this.#timeline.now, quiet: this.#quiet, steps: this.#steps };
  }

  perform(): void {
    const { startsAt, episodes } = this.#scenario;
    for (const router of this.#routers) this.#timeline.at(startsAt[router.index] ?? 0, () => router.start());
    for (const episode of episodes) {
      this.#suffer(episode);
      this.#settle();
      if (episode.quiet > 0) this.#rest(episode);
    }
    this.#finale();
  }

  #suffer({ faults, calmAt }: Episode): void {
    const begin = this.now;
    for (const fault of faults) {
      const struck = { ...fault, at: begin + fault.at, until: begin + fault.until };
      this.#timeline.at(struck.at, () => this.#strike(struck));
    }
    this.#timeline.runUntil(begin + calmAt);
    this.#repair();
  }

  #settle(): void {
    this.#pass(second / 100);
    this.#timeline.runUntil(Math.max(this.now, ...this.#routers.map(holdsEnd)));
    this.#pass(settling(this.#routers));
    if (isProvisional(this.#routers)) this.#awaitPreemption();
    checkSettled(this.#routers);
    this.#takeovers = 0;
    this.#pass(this.#interval * 20);
    this.#checkPeace();
  }

  #checkPeace(): void {
    if (this.#takeovers > 0) throw new Violation("stays-settled", `${this.#takeovers} became master without a cause`);
  }

  /**
   * Nothing happens for hours. Once everything that anybody remembers for a while is forgotten, each minute is like the last:
   * whoever steps through them sees adverts and heartbeats. They are passed over, and no clock of a router moves.
   */
  #rest({ quiet, watched }: Episode): void {
    const stepped = watched ? quiet : Math.min(quiet, longestMemory);
    this.#pass(stepped);
    this.#checkPeace();
    const passed = quiet - stepped;
    this.#timeline.pass(passed);
    for (const { clock } of this.#routers) clock.passOver(passed);
    this.#quiet += passed;
  }

  get #interval(): number {
    return longest(this.#routers, ({ advertInterval }) => advertInterval);
  }

  get #stage(): Stage {
    return {
      timeline: this.#timeline,
      network: this.#network,
      hub: this.#hub,
      routers: this.#routers,
      random: this.#random,
      interval: this.#interval,
    };
  }

  #pass(duration: number): void {
    this.#timeline.runUntil(this.#timeline.now + duration);
  }

  /** A hold ends, and its router pre-empts, which is no flapping. */
  #awaitPreemption(): void {
    this.#timeline.runUntil(Math.max(this.now, preemptionEnd(this.#routers) + settling(this.#routers)));
  }

  #makeRouter(configs: readonly ElectionConfig[], index: number): Router {
    const { startsAt = 0, partsPerMillion = 0 } = this.#scenario.clocks[index] ?? {};
    const joined = this.#network.join((packet) => router.receive(packet));
    const witness = this.#hub.join((testimony) => router.receiveTestimony(testimony));
    const router: Router = new Router({
      index,
      configs,
      timeline: this.#timeline,
      clock: new Clock(this.#timeline, startsAt, partsPerMillion),
      random: this.#random.fork(),
      send: (packet) => this.#network.send(joined, packet),
      testify: (testimony) => this.#hub.send(witness, testimony),
      nonce: this.#hub.nonce,
      onStep: (from, process, step, before) => {
        this.#steps++;
        this.#tell(from, step, before);
        checkStep(from, process, step, before);
      },
      onAnswers: (from) => {
        this.#trace?.({ at: this.now, router: from.index, text: from.answers ? "answers" : "does not answer" });
        checkAddresses(from);
        this.#coverage?.note(from, this.now);
      },
    });
    return router;
  }

  #tell(router: Router, step: GroupStep, before: GroupState): void {
    for (const [member, state] of step.state.members) {
      const was = before.members.get(member);
      if (state.kind === was?.kind) continue;
      if (state.kind === "master") this.#takeovers++;
      this.#trace?.({
        at: this.now,
        router: router.index,
        text: `${member}: ${was?.kind} -> ${state.kind} (${state.reason}) priority ${state.effectivePriority}`,
      });
    }
  }

  #strike(fault: Fault): void {
    const text = `${fault.what} for ${(fault.until - fault.at) / second} s`;
    this.#trace?.({ at: this.now, router: fault.router, text });
    this.#timeline.at(fault.until, inflict(fault, this.#stage));
  }

  /** Everything works again; what was left broken by overlapping faults too. */
  #repair(): void {
    this.#trace?.({ at: this.now, router: -1, text: "calm" });
    this.#network.heal();
    this.#agree();
    for (const router of this.#routers) {
      router.resume();
      router.killOlder();
      router.loseAnswers(false);
      router.dataplane.isFailing = false;
      router.dataplane.wake();
      router.wake();
      router.restartDataplane();
      router.setLink(true);
      router.setTracker("chk", "up");
      router.setStale("chk", false);
      router.start();
    }
  }

  /** Reloads that crossed may have left several memberships, or in version 2 intervals, which no election can mend. */
  #agree(): void {
    const configs = this.#routers[0]?.configs ?? [];
    for (const router of this.#routers)
      if (router.configs.length !== configs.length) router.reload(withMembers(router.configs, configs.length));
    const [config] = configs;
    if (config?.version !== 2) return;
    const { advertInterval } = config;
    for (const router of this.#routers) router.reload(router.configs.map((each) => ({ ...each, advertInterval })));
  }

  #finale(): void {
    const master = this.#routers.find(({ isMaster }) => isMaster);
    const backup = this.#routers.find((router) => router !== master);
    if (master === undefined || backup === undefined) return;
    const { finale } = this.#scenario;
    // Three resumes within a minute are too many, also those of the storm (SAFETY S5).
    if (finale === "crash-election" || finale === "second-election") this.#pass(60 * second);
    // A master is asked over the hub only so often (SAFETY S13).
    if (finale === "link-down" && this.#scenario.hub === "good") this.#pass(1.01 * questionLimit);
    this.#trace?.({ at: this.now, router: master.index, text: `finale: ${finale}` });
    this.#coverage = new Coverage(this.#routers, this.now);
    this.#takeovers = 0;
    perform(finale, {
      stage: this.#stage,
      master,
      backup,
      hasWitness: this.#scenario.hub === "good",
      coverage: this.#coverage,
      pass: (duration) => this.#pass(duration),
      takeovers: () => this.#takeovers,
    });
  }
}

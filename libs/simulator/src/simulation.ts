// One run: routers start, the storm passes over them, all is repaired, the group must settle within the time that its own
// timers give, stay settled, and then take one more blow as SAFETY says.

import { priority } from "@baton/domain";
import type { ElectionConfig } from "@baton/vrrp";
import { leaseLength, longestMasterDown, longestSkew, shortestMasterDown } from "@baton/vrrp";
import { Coverage, checkSettled, checkStep, Violation } from "./checkers.ts";
import { Clock } from "./clock.ts";
import { goodNetwork, Network } from "./network.ts";
import { createRandom, type Random } from "./random.ts";
import { type Packet, Router } from "./router.ts";
import { drawScenario, type Fault, type Scenario } from "./scenario.ts";
import { Timeline } from "./timeline.ts";

const second = 1_000_000;

export interface Outcome {
  readonly seed: number;
  /** Simulated, in microseconds. */
  readonly duration: number;
  readonly steps: number;
}

export interface Failure extends Outcome {
  readonly property: string;
  readonly message: string;
  readonly at: number;
}

export interface TraceLine {
  readonly at: number;
  readonly router: number;
  readonly text: string;
}

export type Trace = (line: TraceLine) => void;

export function simulate(seed: number, trace?: Trace): Outcome | Failure {
  const random = createRandom(seed);
  const run = new Simulation(drawScenario(seed, random.fork()), random.fork(), trace);
  try {
    run.perform();
    return run.outcome();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    return { ...run.outcome(), property: error.property, message: error.message, at: run.now };
  }
}

export const isFailure = (outcome: Outcome | Failure): outcome is Failure => "property" in outcome;

class Simulation {
  readonly #scenario: Scenario;
  readonly #timeline = new Timeline();
  readonly #network: Network<Packet>;
  readonly #routers: readonly Router[];
  readonly #random: Random;
  readonly #trace: Trace | undefined;
  #coverage: Coverage | undefined;
  #steps = 0;
  /** How many became master since it was last set to 0. */
  #takeovers = 0;

  constructor(scenario: Scenario, random: Random, trace: Trace | undefined) {
    this.#scenario = scenario;
    this.#random = random;
    this.#trace = trace;
    this.#network = new Network(this.#timeline, random.fork());
    this.#routers = scenario.routers.map((configs, index) => this.#makeRouter(configs, index));
  }

  get now(): number {
    return this.#timeline.now;
  }

  outcome(): Outcome {
    return { seed: this.#scenario.seed, duration: this.#timeline.now, steps: this.#steps };
  }

  perform(): void {
    const { startsAt, faults, calmAt } = this.#scenario;
    for (const router of this.#routers) this.#timeline.at(startsAt[router.index] ?? 0, () => router.start());
    for (const fault of faults) this.#timeline.at(fault.at, () => this.#strike(fault));
    this.#timeline.runUntil(calmAt);
    this.#repair();
    this.#pass(settling(this.#scenario));
    checkSettled(this.#routers);
    this.#takeovers = 0;
    this.#pass(this.#interval * 20);
    if (this.#takeovers > 0) throw new Violation("stays-settled", `${this.#takeovers} became master without a cause`);
    this.#finale();
  }

  get #interval(): number {
    return this.#scenario.routers[0]?.[0]?.advertInterval ?? second;
  }

  get #config(): ElectionConfig {
    const config = this.#scenario.routers[0]?.[0];
    if (config === undefined) throw new Error("a scenario without a router");
    return config;
  }

  #pass(duration: number): void {
    this.#timeline.runUntil(this.#timeline.now + duration);
  }

  #makeRouter(configs: readonly ElectionConfig[], index: number): Router {
    const { startsAt = 0, partsPerMillion = 0 } = this.#scenario.clocks[index] ?? {};
    const joined = this.#network.join((packet) => router.receive(packet));
    const router: Router = new Router({
      index,
      configs,
      timeline: this.#timeline,
      clock: new Clock(this.#timeline, startsAt, partsPerMillion),
      random: this.#random.fork(),
      send: (packet) => this.#network.send(joined, packet),
      onStep: (from, step, before) => {
        this.#steps++;
        this.#tell(from, step, before);
        checkStep(from, step, before);
      },
      onAnswers: (from) => {
        this.#trace?.({ at: this.now, router: from.index, text: from.answers ? "answers" : "does not answer" });
        this.#coverage?.note(from, this.now);
      },
    });
    return router;
  }

  #tell(router: Router, step: Parameters<typeof checkStep>[1], before: Parameters<typeof checkStep>[2]): void {
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
    const router = this.#routers[fault.router];
    const other = this.#routers[fault.other];
    if (router === undefined || other === undefined) return;
    this.#trace?.({
      at: this.now,
      router: router.index,
      text: `${fault.what} for ${(fault.until - fault.at) / second} s`,
    });
    const undo = this.#inflict(fault, router, other);
    this.#timeline.at(fault.until, undo);
  }

  #inflict(fault: Fault, router: Router, other: Router): () => void {
    switch (fault.what) {
      case "link-down":
        router.setLink(false);
        return () => router.setLink(true);
      case "partition":
        this.#network.cut(router.index, other.index);
        this.#network.cut(other.index, router.index);
        return () => this.#network.heal();
      case "one-way":
        this.#network.cut(router.index, other.index);
        return () => this.#network.heal();
      case "loss":
        this.#network.quality = { ...goodNetwork, loss: fault.size, duplicates: fault.size / 4 };
        return () => this.#network.heal();
      case "slow":
        this.#network.quality = {
          ...goodNetwork,
          delay: { min: 50, max: Math.round(this.#interval * fault.size) + 50 },
        };
        return () => this.#network.heal();
      case "stall-election":
        router.stall();
        return () => router.wake();
      case "stall-dataplane":
        router.dataplane.hang();
        return () => router.dataplane.wake();
      case "pause":
        router.pause();
        return () => router.resume();
      default:
        return this.#inflictOnProcess(fault, router);
    }
  }

  #inflictOnProcess(fault: Fault, router: Router): () => void {
    switch (fault.what) {
      case "crash-election":
        router.crash();
        return () => router.start();
      case "crash-dataplane":
        router.crashDataplane();
        return () => router.restartDataplane();
      case "crash-all":
        router.crash();
        router.crashDataplane();
        return () => {
          router.restartDataplane();
          router.start();
        };
      case "stop":
        router.stop();
        return () => router.start();
      case "tracker-down":
        router.setTracker("chk", "down");
        return () => router.setTracker("chk", "up");
      default: {
        const base = 1 + Math.floor(fault.size * 253);
        router.reload(
          router.configs.map((config) => ({ ...config, priority: priority(config.priority === 255 ? 255 : base) })),
        );
        return () => undefined;
      }
    }
  }

  /** Everything works again; what was left broken by overlapping faults too. */
  #repair(): void {
    this.#trace?.({ at: this.now, router: -1, text: "calm" });
    this.#network.heal();
    for (const router of this.#routers) {
      router.resume();
      router.dataplane.wake();
      router.wake();
      router.restartDataplane();
      router.setLink(true);
      router.setTracker("chk", "up");
      router.start();
    }
  }

  #finale(): void {
    const master = this.#routers.find(({ isMaster }) => isMaster);
    const backup = this.#routers.find((router) => router !== master);
    if (master === undefined || backup === undefined) return;
    const { finale } = this.#scenario;
    // Three resumes within a minute are too many, also those of the storm (SAFETY S5).
    if (finale === "crash-election") this.#pass(60 * second);
    this.#trace?.({ at: this.now, router: master.index, text: `finale: ${finale}` });
    this.#coverage = new Coverage(this.#routers, this.now);
    this.#takeovers = 0;
    switch (finale) {
      case "stop":
        master.stop();
        return this.#expectSuccessor(longestSkew(this.#config), "priority-zero-is-answered");
      case "crash-all":
        master.crash();
        master.crashDataplane();
        return this.#expectSuccessor(longestMasterDown(this.#config), "crash-is-answered");
      case "crash-election":
        master.crash();
        this.#pass(this.#random.integer(1, Math.min(400_000, resumable(this.#config))));
        master.start();
        return this.#expectStays();
      case "crash-dataplane":
        master.crashDataplane();
        this.#pass(this.#random.integer(50_000, 400_000));
        master.restartDataplane();
        return this.#expectStays();
      case "stall-backup":
      case "pause-backup": {
        const length = this.#random.integer(1, 5 * this.#interval);
        if (finale === "pause-backup") backup.pause();
        else backup.stall();
        this.#pass(length);
        backup.resume();
        backup.wake();
        return this.#expectStays();
      }
      default:
        return;
    }
  }

  /** Another takes over within its timer, and at no time nobody answers (SAFETY S6, S10). */
  #expectSuccessor(within: number, property: string): void {
    const members = this.#scenario.routers[0]?.length ?? 1;
    // A member of a group whose timer ends first waits for the others, perhaps for another of its own.
    this.#pass(within + (members > 1 ? longestMasterDown(this.#config) : 0) + second / 10);
    if (this.#takeovers === 0) throw new Violation(property, `nobody is master ${within / second} s later`);
    this.#pass(3 * second);
    const gap = this.#coverage?.finish(this.now).longestGap ?? 0;
    if (gap > 0 && members === 1) throw new Violation("no-gap", `nobody answered for ${gap / 1_000} ms`);
  }

  #expectStays(): void {
    this.#pass(longestMasterDown(this.#config) + 3 * second);
    const others = this.#routers.filter(({ isMaster }) => isMaster);
    if (others.length !== 1) throw new Violation("one-master", `${others.length} masters after the finale`);
    if (this.#coverage !== undefined && this.#coverage.finish(this.now).longestOverlap > 0)
      throw new Violation("no-theft", "another router took a healthy master's addresses");
  }
}

/** A restart takes up to this and finds no peer that has given it up: half of what is left after its last advert. */
const resumable = (config: ElectionConfig): number => (shortestMasterDown(config) - config.advertInterval) / 2;

/** How long a group may take to settle once everything works again: what its timers add up to. */
export function settling({ routers }: Pick<Scenario, "routers">): number {
  const [config] = routers[0] ?? [];
  if (config === undefined) return 0;
  const leaving = 2 * (longestSkew(config) + second / 10) + 2 * second;
  const down = longestMasterDown(config);
  const listening = config.advertInterval + longestSkew(config);
  const waits = (routers[0]?.length ?? 1) > 1 ? 2 : 1;
  return (
    leaving +
    down +
    config.advertInterval +
    waits * down +
    listening +
    config.preemptDelay +
    leaseLength(config) +
    second
  );
}

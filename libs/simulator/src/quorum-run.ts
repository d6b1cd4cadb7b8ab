// Routers that track the quorum of one virtual server, each by checks of its own phase: the servers die for all of them, or
// one router alone loses its way to them. Who is as badly off as the others moves nothing; who is alone with it gives way.
import { micros, priority } from "@baton/domain";
import type { ElectionConfig, Verdict } from "@baton/vrrp";
import { checkSettled, checkStep, Violation } from "./checkers.ts";
import { Clock } from "./clock.ts";
import { plainConfig } from "./loss.ts";
import { Network } from "./network.ts";
import { trackedServer } from "./quorum-watch.ts";
import { createRandom, type Random } from "./random.ts";
import { type Packet, Router } from "./router.ts";
import { withMembers } from "./scenario.ts";
import { groupDown, settling } from "./settling.ts";
import { type Failure, type Outcome, shown } from "./simulation.ts";
import { Timeline } from "./timeline.ts";

const second = 1_000_000;

/** As `TCP_CHECK` has them, in microseconds. */
interface CheckTimes {
  readonly delayLoop: number;
  readonly retry: number;
  readonly delayBeforeRetry: number;
  readonly timeout: number;
}

/** From the fault until a check has found it, at most; and from the end of the fault. */
const findsLoss = ({ delayLoop, retry, delayBeforeRetry, timeout }: CheckTimes): number =>
  delayLoop + retry * (delayBeforeRetry + timeout) + timeout;
const findsReturn = ({ delayLoop, timeout }: CheckTimes): number => delayLoop + timeout;
/** As services/election derives it (quorum-hold.ts). */
const holdOf = (times: CheckTimes): number => Math.round(findsLoss(times) * 1.1) + second;
/** A healthy server answers so fast. */
const answersWithin = second / 20;

const roundsMax = 3;
const resumesCount = 60 * second;

/** A run from its seed: two or three routers (in one of ten, one alone), up to four times that something befalls the servers. */
export function simulateQuorum(seed: number): Outcome | Failure {
  const run = new QuorumRun(createRandom(seed));
  const outcome = (): Outcome => ({ seed, duration: run.timeline.now, quiet: 0, steps: run.steps });
  try {
    run.perform();
    return outcome();
  } catch (error) {
    const violation = error instanceof Violation ? error : new Violation("never-throws", shown(error));
    return { ...outcome(), property: violation.property, message: violation.message, at: run.timeline.now };
  }
}

class QuorumRun {
  readonly timeline = new Timeline();
  steps = 0;
  readonly #random: Random;
  readonly #times: CheckTimes;
  readonly #routers: readonly Router[];
  /** Whose way to the servers works, by router; and whether they live. */
  readonly #uplinks: boolean[];
  #live = true;
  /** Who became master since the list was emptied. */
  #masters: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#times = {
      delayLoop: random.integer(second, 6 * second),
      retry: random.integer(0, 3),
      delayBeforeRetry: random.integer(second / 4, 2 * second),
      timeout: random.integer(second / 2, 3 * second),
    };
    const network = new Network<Packet>(this.timeline, random.fork());
    const weight = random.pick([-120, -200, 120]);
    const interval = random.pick([0.1, 0.5, 1]) * second;
    const bases = random.chance(0.1) ? [100] : random.chance(0.5) ? [100, 80] : [90, 100, 70];
    this.#uplinks = bases.map(() => true);
    const members = random.chance(0.3) ? 2 : 1;
    this.#routers = bases.map((base, index) =>
      this.#makeRouter(index, configsOf(configOf(base, interval, weight), members), network),
    );
  }

  perform(): void {
    for (const router of this.#routers) {
      this.timeline.at(this.#random.integer(0, 3 * second), () => router.start());
      this.#check(router);
    }
    this.#pass(this.#settled + 3 * second);
    checkSettled(this.#routers);
    for (let round = this.#random.integer(1, roundsMax); round > 0; round--) this.#befallAll();
    // Once: moves are counted (SAFETY S12), and this is two of them.
    this.#befallOne();
    this.#befallAll();
  }

  /** The servers die and return: as long as everybody sees it, or so short that nobody counts it. */
  #befallAll(): void {
    const master = this.#master();
    const hold = holdOf(this.#times);
    const unnoticed = Math.max(0, hold - findsReturn(this.#times) - second);
    const length = this.#random.chance(0.3) ? this.#random.integer(0, unnoticed) : this.#random.integer(hold, 4 * hold);
    this.#masters = [];
    const begin = this.timeline.now;
    this.#live = false;
    const crashes = this.#random.chance(0.3);
    if (crashes) this.#crash(master, this.#random.integer(0, length + hold));
    this.#pass(length);
    this.#live = true;
    // Resumes are counted, too (SAFETY S5).
    this.#pass(Math.max(this.#settled, crashes ? resumesCount - (this.timeline.now - begin) : 0));
    const moved = this.#masters.filter((index) => index !== master.index);
    if (moved.length > 0 || this.#master() !== master)
      throw new Violation("alike-stays-put", `router ${(moved[0] ?? 0) + 1} took over, as badly off as the master`);
  }

  /** The election's process alone: it goes on under the lease that it had. */
  #crash(router: Router, after: number): void {
    this.timeline.at(this.timeline.now + after, () => {
      router.crash();
      this.timeline.at(this.timeline.now + second / 20, () => router.start());
    });
  }

  /** The master alone loses its way to the servers, and gets it back. */
  #befallOne(): void {
    const master = this.#master();
    this.#masters = [];
    this.#uplinks[master.index] = false;
    const beat = second / 2;
    this.#pass(findsLoss(this.#times) + holdOf(this.#times) + 2 * groupDown(this.#routers) + beat + second);
    const isAlone = this.#routers.length === 1;
    if (isAlone ? this.#masters.length > 0 : this.#master() === master)
      throw new Violation("alone-gives-way", isAlone ? "a lone router moved" : "it kept what others can serve");
    this.#uplinks[master.index] = true;
    this.#pass(this.#settled);
    checkSettled(this.#routers);
  }

  get #settled(): number {
    return settling(this.#routers) + findsLoss(this.#times) + holdOf(this.#times) + 2 * second;
  }

  #master(): Router {
    const masters = this.#routers.filter(({ isMaster }) => isMaster);
    const [master] = masters;
    if (master === undefined || masters.length > 1) throw new Violation("one-master", `${masters.length} masters`);
    return master;
  }

  #pass(duration: number): void {
    this.timeline.runUntil(this.timeline.now + duration);
  }

  /** The checks of one router, for ever. */
  #check(router: Router): void {
    const { retry, delayLoop, delayBeforeRetry, timeout } = this.#times;
    let failures = 0;
    let told: Verdict | undefined;
    const later = (wait: number, run: () => void): void => this.timeline.at(this.timeline.now + wait, run);
    const tell = (verdict: Verdict): void => {
      if (told !== verdict) router.setQuorum(verdict);
      told = verdict;
    };
    const attempt = (): void => {
      const works = this.#live && this.#uplinks[router.index] === true;
      later(works ? this.#random.integer(0, answersWithin) : this.#random.integer(0, timeout), () => {
        failures = works ? 0 : failures + 1;
        if (works) tell("up");
        else if (failures > retry) tell("down");
        later(works || failures > retry ? delayLoop : delayBeforeRetry, attempt);
      });
    };
    later(this.#random.integer(0, delayLoop), attempt);
  }

  #makeRouter(index: number, configs: readonly ElectionConfig[], network: Network<Packet>): Router {
    const joined = network.join((packet) => router.receive(packet));
    const { timeline } = this;
    const partsPerMillion = this.#random.integer(-500, 500);
    const router: Router = new Router({
      index,
      configs,
      timeline,
      clock: new Clock(timeline, this.#random.integer(0, 1_000) * second, partsPerMillion),
      random: this.#random.fork(),
      quorumHold: micros(holdOf(this.#times)),
      send: (packet) => network.send(joined, packet),
      onStep: (from, process, step, before) => {
        this.steps++;
        for (const [member, { kind }] of step.state.members)
          if (kind === "master" && before.members.get(member)?.kind !== "master") this.#masters.push(from.index);
        checkStep(from, process, step, before);
      },
      onAnswers: () => undefined,
    });
    return router;
  }
}

/** Several are a sync group, and what one of them tracks all of them do. */
const configsOf = (config: ElectionConfig, members: number): readonly ElectionConfig[] =>
  members === 1 ? [config] : withMembers([config], members).map((each) => ({ ...each, trackers: config.trackers }));

const configOf = (base: number, interval: number, weight: number): ElectionConfig => ({
  ...plainConfig(priority(base), micros(interval)),
  trackers: [{ kind: "virtual-server", name: trackedServer, weight, reverse: false }],
});

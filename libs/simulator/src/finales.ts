// What befalls the settled group at the end, and what SAFETY promises about it.
import {
  type ElectionConfig,
  heartbeatInterval,
  kernelLeaseSeconds,
  leaseLength,
  longestMasterDown,
  shortestMasterDown,
  skewTime,
  successorWait,
} from "@baton/vrrp";
import { type Coverage, checkSettled, type Property, Violation } from "./checkers.ts";
import { type Stage, slander } from "./faults.ts";
import type { Router } from "./router.ts";
import type { Finale } from "./scenario.ts";
import { configsOf, groupDown, groupSkew, isUniform, longest, settling, shortest } from "./settling.ts";

const second = 1_000_000;
/** Crossing to another process and back, and the network. */
const margin = second / 10;
/** From the advert of the one to the silence of the other, on ARP (SAFETY S12). */
const handover = second / 100;

export interface Ending {
  readonly stage: Stage;
  readonly master: Router;
  readonly backup: Router;
  /** There is a hub on which all comes in time. */
  readonly hasWitness: boolean;
  /** Begins now; gaps and overlaps from here on. */
  readonly coverage: Coverage;
  pass(duration: number): void;
  /** How many became master since the finale began. */
  takeovers(): number;
}

export function perform(finale: Finale, ending: Ending): void {
  switch (finale) {
    case "nothing":
      return;
    case "stop":
    case "stop-unheard":
      return stopMaster(finale, ending);
    case "crash-all":
    case "power-cut":
    case "link-down":
    case "hang-dataplane":
      return loseMaster(finale, ending);
    case "crash-election":
    case "crash-dataplane":
    case "second-election":
      return disturbMaster(finale, ending);
    case "stall-backup":
    case "pause-backup":
    case "stall-all":
    case "pause-all":
      return stall(finale, ending);
    case "cut":
      return cut(ending);
    case "slander":
      return slanderMaster(ending);
  }
}

/** SAFETY S6: another takes over within a skew, also when the first priority 0 is lost, and at no time nobody answers. */
function stopMaster(finale: Finale, ending: Ending): void {
  const { stage, master } = ending;
  const unmute = finale === "stop-unheard" ? stage.network.mute(master.index) : () => undefined;
  master.stop();
  unmute();
  const again = finale === "stop-unheard" ? longest(stage.routers, successorWait) : 0;
  expectSuccessor(ending, again + groupSkew(stage.routers), "priority-zero-is-answered");
  ending.pass(3 * second);
  expectNoGap(ending);
  comeBack(ending);
}

/** SAFETY S12: it pre-empts a healthy master, which waits for it, however cold it is. */
function comeBack(ending: Ending): void {
  const { stage, master } = ending;
  master.dataplane.slowness = stage.random.integer(0, slownessMax);
  master.start();
  ending.pass(settling(stage.routers));
  checkSettled(stage.routers);
  expectNoGap(ending);
  const { longestOverlap } = ending.coverage.finish(stage.timeline.now);
  if (longestOverlap > handover) throw new Violation("no-theft", `two answered for ${longestOverlap / 1_000} ms`);
}

/** Nothing is added on the word of a frame that is half a lease old, and a lease is a second at least (SAFETY S3, S10). */
const slownessMax = second / 2 - second / 20;

/** It dies, or falls silent, or has a dataplane that says nothing. */
function loseMaster(finale: Finale, ending: Ending): void {
  const { routers } = ending.stage;
  const { master } = ending;
  const down = groupDown(routers);
  switch (finale) {
    case "crash-all":
      return killMaster(ending, down);
    case "power-cut":
      master.powerOff();
      return expectSuccessor(ending, down, "crash-is-answered");
    case "link-down":
      master.setLink(false);
      if (ending.hasWitness && isAlone(routers)) return expectWitnessed(ending);
      return expectSuccessor(ending, down, "crash-is-answered");
    default: {
      // SAFETY S3: an election without an answer for a whole lease says so, and its peers hurry.
      master.dataplane.hang();
      const lease = longest(routers, (config) => leaseLength(config) + heartbeatInterval(config));
      return expectSuccessor(ending, lease + groupSkew(routers), "silent-dataplane-is-answered");
    }
  }
}

/** SAFETY S13: who hears of it over the hub need not wait for a whole master-down. */
function expectWitnessed(ending: Ending): void {
  const { routers } = ending.stage;
  const interval = longest(ending.master.configs, ({ advertInterval }) => advertInterval);
  expectSuccessor(ending, 1.1 * interval + groupSkew(routers), "denial-is-answered");
}

/** SAFETY S13: a master whose adverts come keeps its addresses, whoever says and answers what in its name. */
function slanderMaster(ending: Ending): void {
  const mend = slander(ending.stage, ending.master);
  expectStays(ending);
  mend();
  if (ending.takeovers() > 0) throw new Violation("slander-moves-nothing", `${ending.takeovers()} became master`);
}

const isAlone = (routers: readonly Router[]): boolean =>
  configsOf(routers).every(({ syncGroup }) => syncGroup === undefined);

/** What a supervisor does to the master's processes: nobody else becomes master (SAFETY S5). */
function disturbMaster(finale: Finale, ending: Ending): void {
  const { master, stage } = ending;
  const { random } = stage;
  if (finale === "crash-dataplane") {
    master.crashDataplane();
    ending.pass(random.integer(50_000, 400_000));
    master.restartDataplane();
  } else if (finale === "crash-election") {
    master.crash();
    ending.pass(random.integer(1, Math.min(400_000, shortest(stage.routers, resumable))));
    master.start();
  } else {
    master.startAnother();
    ending.pass(random.integer(1, 400_000));
    master.killOlder();
  }
  expectStays(ending);
}

/** A restart takes up to this and finds no peer that has given it up, by the peer's own number of intervals. */
const resumable = (config: ElectionConfig): number => (shortestMasterDown(config) - config.advertInterval) / 2;

/** SAFETY S2, S11: who did not run takes nothing; if nobody did, one goes on. */
function stall(finale: Finale, ending: Ending): void {
  const { stage, backup } = ending;
  const all = finale === "stall-all" || finale === "pause-all";
  const stalled = all ? stage.routers : [backup];
  const pauses = finale === "pause-all" || finale === "pause-backup";
  for (const router of stalled) {
    if (pauses) router.pause();
    else router.stall();
  }
  const duration = stage.random.integer(1, 5 * stage.interval);
  ending.pass(duration);
  for (const router of stalled) {
    router.resume();
    router.wake();
  }
  if (!all) return expectStays(ending);
  const { routers } = stage;
  ending.pass(settling(routers));
  checkSettled(routers);
  const { longestOverlap } = ending.coverage.finish(stage.timeline.now);
  if (longestOverlap > handover) throw new Violation("no-theft", `two answered for ${longestOverlap / 1_000} ms`);
  if (goesOn(ending, pauses ? 0 : duration) && (longestOverlap > 0 || !ending.master.isMaster))
    throw new Violation("no-theft", "the highest of all that were stalled has lost its addresses");
}

/**
 * After a stall of all of them the master listens for an interval and its skew, and the others grant it an interval and
 * theirs: it speaks first where its skew is shorter by more than clocks and the network differ, and where its lease has not
 * ended meanwhile (SAFETY S2, S11).
 */
function goesOn({ stage, master }: Ending, leaseless: number): boolean {
  const { routers } = stage;
  if (!isAlone(routers) || !isUniform(routers)) return false;
  const own = skewOf(master);
  const lead = Math.min(...routers.filter((router) => router !== master).map((router) => skewOf(router) - own));
  const lasts = longest(master.configs, (config) => leaseLength(config) - 2 * heartbeatInterval(config));
  return lead > second / 1_000 + stage.interval / 500 && leaseless < lasts;
}

/** The skew of a router alone, by its own configuration. */
const skewOf = ({ states: [state] }: Router): number =>
  state === undefined
    ? 0
    : skewTime({
        version: state.config.version,
        priority: state.effectivePriority,
        masterAdvertInterval: state.config.advertInterval,
      });

/** SAFETY S12: VRRP alone is cut, the network of the clients is whole. Afterwards one gives way, and the other announces. */
function cut(ending: Ending): void {
  const { network, routers, random } = ending.stage;
  const down = groupDown(routers);
  const mends = routers.map(({ index }) => network.mute(index));
  ending.pass(random.integer(down / 2, 2 * down));
  for (const mend of mends) mend();
  // Two that are equal settle with the next adverts; two that both stand above each other both let go, and then one of
  // them takes over from silence.
  const silence = areCrossed(routers) ? 2 * down : 0;
  ending.pass(2 * longest(routers, ({ advertInterval }) => advertInterval) + silence + second);
  const answering = routers.filter(({ answers }) => answers);
  if (answering.length !== 1) throw new Violation("healing-leaves-one", `${answering.length} answer after the cut`);
  expectNoGap(ending);
}

/** In one member of a sync group the one is the higher, in another the other. */
const areCrossed = (routers: readonly Router[]): boolean =>
  routers.some((one) => routers.some((other) => isAboveSomewhere(one, other) && isAboveSomewhere(other, one)));

const isAboveSomewhere = (one: Router, other: Router): boolean =>
  one.states.some(({ effectivePriority }, member) => {
    const { effectivePriority: theirs = 0 } = other.states[member] ?? {};
    return effectivePriority > theirs || (effectivePriority === theirs && one.index > other.index);
  });

function expectSuccessor(ending: Ending, within: number, property: Property): void {
  const { routers } = ending.stage;
  // A member of a group whose timer ends first waits for the others, perhaps for another of its own.
  const others = configsOf(routers).some(({ syncGroup }) => syncGroup !== undefined);
  ending.pass(within + (others ? groupDown(routers) : 0) + margin);
  if (ending.takeovers() === 0) throw new Violation(property, `nobody is master ${within / second} s later`);
}

/** Every process of it is killed; every second time between an advert and the renewal that follows it. */
function killMaster(ending: Ending, down: number): void {
  const { master, stage } = ending;
  const waits = stage.random.chance(0.5);
  for (let waited = 0; waits && master.isRenewed && waited < 2 * stage.interval; waited += step) ending.pass(step);
  const allowed = master.isRenewed ? 0 : unrenewedGap(stage.routers);
  master.crash();
  master.crashDataplane();
  expectSuccessor(ending, down, "crash-is-answered");
  ending.pass(3 * second);
  expectNoGap(ending, allowed);
}

/** Dataplane renews 0.3 to 3 ms after an advert. */
const step = second / 5_000;

/** Then the kernel counts from the advert before, and the peers from this one (docs/model.md). */
const unrenewedGap = (routers: readonly Router[]): number =>
  longest(routers, (config) => config.advertInterval + longestMasterDown(config) - kernelLeaseSeconds(config) * second);

/** The members of a group renew one lease, each by its own adverts. */
const asksNoGap = (routers: readonly Router[]): boolean => isAlone(routers) && isUniform(routers);

function expectNoGap({ stage, coverage }: Ending, allowed = 0): void {
  const gap = coverage.finish(stage.timeline.now).longestGap;
  if (gap > allowed && asksNoGap(stage.routers))
    throw new Violation("no-gap", `nobody had the addresses for ${gap / 1_000} ms`);
}

function expectStays(ending: Ending): void {
  const { routers } = ending.stage;
  ending.pass(groupDown(routers) + 3 * second);
  const masters = routers.filter(({ isMaster }) => isMaster);
  if (masters.length !== 1) throw new Violation("one-master", `${masters.length} masters after the finale`);
  expectNoTheft(ending);
}

function expectNoTheft({ stage, coverage }: Ending): void {
  if (coverage.finish(stage.timeline.now).longestOverlap > 0)
    throw new Violation("no-theft", "another router took a healthy master's addresses");
}

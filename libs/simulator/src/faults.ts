// What each fault of a storm does, and what undoes it.
import { priority } from "@baton/domain";
import type { Hub } from "./hub.ts";
import { goodNetwork, type Network } from "./network.ts";
import type { Random } from "./random.ts";
import type { Packet, Router } from "./router.ts";
import { drawReload, type Fault, membersAfter, withMembers } from "./scenario.ts";
import type { Timeline } from "./timeline.ts";

const second = 1_000_000;
/** Two elections take turns at dataplane many times a second: a supervisor that errs for longer teaches nothing new. */
const twinLimit = 3 * second;

export interface Stage {
  readonly timeline: Timeline;
  readonly network: Network<Packet>;
  readonly hub: Hub;
  readonly routers: readonly Router[];
  readonly random: Random;
  /** The advert interval of the group. */
  readonly interval: number;
}

/** Returns what ends it. */
export function inflict(fault: Fault, stage: Stage): () => void {
  const router = stage.routers[fault.router];
  const other = stage.routers[fault.other];
  if (router === undefined || other === undefined) return () => undefined;
  return onNetwork(fault, stage, router, other) ?? onTime(fault, stage, router) ?? onProcess(fault, stage, router);
}

function onNetwork({ what, size }: Fault, { network, interval }: Stage, router: Router, other: Router) {
  switch (what) {
    case "link-down":
      router.setLink(false);
      return () => router.setLink(true);
    case "partition": {
      const mends = [network.cut(router.index, other.index), network.cut(other.index, router.index)];
      return () => {
        for (const mend of mends) mend();
      };
    }
    case "one-way":
      return network.cut(router.index, other.index);
    case "loss":
      return network.worsen({ ...goodNetwork, loss: size, duplicates: size / 4 });
    case "slow":
      // Longer than the time between two packets: they overtake each other.
      return network.worsen({ ...goodNetwork, delay: { min: 50, max: Math.round(interval * size) + 50 } });
    default:
      return undefined;
  }
}

/** What does not run, and clocks. */
function onTime({ what, size }: Fault, { routers, interval }: Stage, router: Router) {
  switch (what) {
    case "stall-election":
      router.stall();
      return () => router.wake();
    case "stall-dataplane":
      router.dataplane.hang();
      return () => router.dataplane.wake();
    case "stall-all":
      for (const each of routers) each.stall();
      return () => {
        for (const each of routers) each.wake();
      };
    case "pause":
      router.pause();
      return () => router.resume();
    case "pause-all":
      for (const each of routers) each.pause();
      return () => {
        for (const each of routers) each.resume();
      };
    case "clock-step":
      // Of the real-time clock alone: it looks like a pause and is none.
      router.jumped += Math.round(size * 20 * interval);
      return () => undefined;
    default:
      return undefined;
  }
}

function onProcess(fault: Fault, stage: Stage, router: Router): () => void {
  switch (fault.what) {
    case "crash-election":
      router.crash();
      return () => router.start();
    case "crash-dataplane":
      router.crashDataplane();
      return () => router.restartDataplane();
    case "crash-all":
    case "power-cut":
      router.crash();
      if (fault.what === "power-cut") router.powerOff();
      else router.crashDataplane();
      return () => {
        router.restartDataplane();
        router.start();
      };
    case "stop":
      router.stop();
      return () => router.start();
    case "lost-answers":
      router.loseAnswers(true);
      return () => router.loseAnswers(false);
    case "address-failure":
      router.dataplane.isFailing = true;
      return () => {
        router.dataplane.isFailing = false;
      };
    case "second-election":
      return twin(stage, router);
    default:
      return onOrders(fault, stage, router);
  }
}

/** A second election beside the first, until the supervisor notices. */
function twin({ timeline }: Stage, router: Router): () => void {
  router.startAnother();
  timeline.at(timeline.now + twinLimit, () => router.killOlder());
  return () => router.killOlder();
}

/** What trackers and the operator say. */
function onOrders(fault: Fault, stage: Stage, router: Router): () => void {
  switch (fault.what) {
    case "tracker-down":
      router.setTracker("chk", "down");
      return () => router.setTracker("chk", "up");
    case "tracker-flap": {
      const period = Math.round(stage.interval * (0.1 + 3 * fault.size));
      const flap = (down: boolean): void => {
        if (stage.timeline.now >= fault.until) return;
        router.setTracker("chk", down ? "down" : "up");
        stage.timeline.at(stage.timeline.now + period, () => flap(!down));
      };
      flap(true);
      return () => router.setTracker("chk", "up");
    }
    case "tracker-stale":
      router.setStale("chk", true);
      return () => router.setStale("chk", false);
    case "slander":
      return slander(stage, router);
    case "reload-times":
      return reloadTimes(fault, stage);
    case "reload-members":
      return reloadAll(fault, stage, (configs) => withMembers(configs, membersAfter(fault)));
    default: {
      const base = 1 + Math.floor(fault.size * 253);
      router.reload(
        router.configs.map((config) => ({ ...config, priority: priority(config.priority === 255 ? 255 : base) })),
      );
      return () => undefined;
    }
  }
}

/** Somebody says over the hub, again and again, that a router is master no more, and answers in its name. */
export function slander({ timeline, hub, interval }: Stage, { address, configs }: Router): () => void {
  let goesOn = true;
  hub.liesWithNonces = true;
  const lie = (): void => {
    if (!goesOn) return;
    for (const member of configs.keys()) hub.send(undefined, { kind: "denial", member, address, nonce: 0 });
    timeline.at(timeline.now + interval / 3, lie);
  };
  lie();
  return () => {
    goesOn = false;
    hub.liesWithNonces = false;
  };
}

/** Other times for all. */
function reloadTimes(fault: Fault, stage: Stage): () => void {
  const [config] = stage.routers[0]?.configs ?? [];
  if (config === undefined) return () => undefined;
  const times = drawReload(stage.random, config);
  return reloadAll(fault, stage, (configs) => configs.map((each) => ({ ...each, ...times })));
}

/** Something new for all, which reaches one router after the other. */
function reloadAll(
  { at, until }: Fault,
  { timeline, routers, random }: Stage,
  change: (configs: Router["configs"]) => Router["configs"],
): () => void {
  const waiting = new Set(routers);
  const reload = (router: Router): void => {
    if (waiting.delete(router)) router.reload(change(router.configs));
  };
  for (const router of routers) timeline.at(random.integer(at, until), () => reload(router));
  return () => {
    for (const router of waiting) reload(router);
  };
}

// A backup on a segment that loses packets: how often it takes over from a healthy master. Arithmetic sets the floor: with
// independent losses a run of `down_timer_adverts` lost adverts is enough, whoever counts.
import { type Micros, micros, type Priority, parseIp, priority, vrid } from "@baton/domain";
import type { ElectionConfig } from "@baton/vrrp";
import { Clock } from "./clock.ts";
import { goodNetwork, Network } from "./network.ts";
import { createRandom } from "./random.ts";
import { type Packet, Router } from "./router.ts";
import { Timeline } from "./timeline.ts";

const second = 1_000_000;
const minute = 60 * second;

export interface LossResult {
  /** Takeovers by the backup, each from a master that was healthy. */
  readonly falseTakeovers: number;
  /** What chance alone gives: runs of lost adverts that are long enough. */
  readonly expected: number;
}

/**
 * Of so many adverts, each lost with the same probability whatever became of the others. A backup waits three intervals and
 * a skew of less than one (RFC 9568 section 6.1), so that it takes over when three in a row are lost; the run that they
 * belong to begins after one that was heard. Hearing the master again, it steps back: one takeover for each such run.
 */
export const expectedTakeovers = (adverts: number, loss: number): number =>
  adverts * (1 - loss) * loss ** downTimerAdverts;

const downTimerAdverts = 3;

/** VRRPv3 with adverts every `interval` microseconds, one master and one backup, for so many minutes. */
export function measureLoss(seed: number, loss: number, minutes: number, interval = second / 10): LossResult {
  const random = createRandom(seed);
  const timeline = new Timeline();
  const network = new Network<Packet>(timeline, random.fork());
  let falseTakeovers = 0;
  const routers = [200, 100].map((base, index): Router => {
    const joined = network.join((packet) => router.receive(packet));
    const router: Router = new Router({
      index,
      configs: [plainConfig(priority(base), micros(interval))],
      timeline,
      clock: new Clock(timeline, 0, 0),
      random: random.fork(),
      send: (packet) => network.send(joined, packet),
      onStep: (from, _process, step, before) => {
        if (from.index === 0) return;
        const takesOver = step.effects.some(
          ({ effect }) => effect.type === "append-event" && effect.event.type === "became-master",
        );
        if (takesOver && [...before.members.values()].every(({ kind }) => kind === "backup")) falseTakeovers++;
      },
      onAnswers: () => undefined,
    });
    return router;
  });
  for (const [index, router] of routers.entries()) timeline.at(index * second, () => router.start());
  timeline.runUntil(30 * second);
  network.worsen({ ...goodNetwork, loss });
  falseTakeovers = 0;
  timeline.runUntil(30 * second + minutes * minute);
  return { falseTakeovers, expected: expectedTakeovers((minutes * minute) / interval, loss) };
}

/** One virtual router in version 3, and nothing special about it. */
export function plainConfig(base: Priority, interval: Micros): ElectionConfig {
  const virtual = parseIp("10.0.0.100");
  return {
    name: "VI_1",
    interface: "eth0",
    syncGroup: undefined,
    family: 4,
    version: 3,
    vrid: vrid(51),
    priority: base,
    initialState: "backup",
    advertInterval: interval,
    downTimerAdverts,
    preempt: true,
    preemptDelay: micros(0),
    addresses: virtual === undefined ? [] : [virtual],
    trackers: [],
    trackPrimary: true,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: false,
  };
}

// Every duration of VRRP and of the mastership lease, in microseconds, multiplied before divided: whole milliseconds
// would lose the tail of a skew. Whoever shows or waits for one of them asks here, so that no two places disagree.
import { assert, type Instant, instant, type Micros, micros } from "@baton/domain";
import type { ElectionConfig } from "./types.ts";

/** What the timers of a backup depend on. `priority`: the effective one, 255 for the address owner. */
export interface DownTiming {
  readonly version: 2 | 3;
  readonly priority: number;
  /** RFC 9568's Active_Adver_Interval: learned in v3, our own in v2. */
  readonly masterAdvertInterval: Micros;
  readonly downTimerAdverts: number;
}

type Intervals = Pick<ElectionConfig, "version" | "advertInterval" | "downTimerAdverts">;

const second = 1_000_000;
const skewSteps = 256;

/** RFC 3768 section 6.1 (v2: parts of a second) and RFC 9568 section 6.1 (v3: parts of the master's interval). */
export function skewTime({ version, priority, masterAdvertInterval }: Omit<DownTiming, "downTimerAdverts">): Micros {
  // Asked with every advert: the sentence is made only when it is needed.
  if (!(priority >= 1 && priority <= 255)) assert(false, `0 exists on the wire only: ${priority}`);
  const unit = version === 2 ? second : masterAdvertInterval;
  return micros(Math.floor(((skewSteps - priority) * unit) / skewSteps));
}

/** The 3 of the RFCs is keepalived's `vrrp_down_timer_adverts`. */
export function masterDownInterval(timing: DownTiming): Micros {
  return micros(timing.downTimerAdverts * timing.masterAdvertInterval + skewTime(timing));
}

/**
 * How long the most eager peer (priority 254: a backup does not say its own) waits for a master with these intervals.
 * A peer may compute v3 skews in whole centiseconds, as the RFC writes them, so that its skew can be that much shorter.
 */
export function shortestMasterDown(intervals: Intervals): Micros {
  const timing = { ...intervals, priority: 254, masterAdvertInterval: intervals.advertInterval };
  const skew = skewTime(timing);
  const eager = intervals.version === 3 ? skew - (skew % 10_000) : skew;
  return micros(masterDownInterval(timing) - skew + eager);
}

/** The longest that any peer waits after a priority 0 (SAFETY S6). */
export const longestSkew = ({ version, advertInterval }: Intervals): Micros =>
  version === 2 ? micros(second) : advertInterval;

/** How long a leaver waits for a successor before it says 0 once more, and again before it lets go (SAFETY S6). */
export const successorWait = (intervals: Intervals): Micros => micros(longestSkew(intervals) + 100_000);

/** From the successor's first advert on: every address is gone at the latest after this (SAFETY S6). */
export const releaseLimit: Micros = micros(2 * second);

/**
 * A master that gives way to a higher one hears it announce the addresses within this, or says its one advert, which makes
 * it announce them (SAFETY S12). The addresses stay meanwhile, ARP silent, for no longer than `releaseLimit`.
 */
export const farewellWait: Micros = micros(second / 10);

/** Length L of the mastership lease (SAFETY S3). */
export function leaseLength({ advertInterval, downTimerAdverts }: Intervals): Micros {
  return micros(Math.min(Math.max((downTimerAdverts - 1) * advertInterval, second), 10 * second));
}

/** A lease of this length is renewed this often; counted from when each frame was sent (ARCHITECTURE.md, S3). */
export const heartbeatOf = (length: Micros): Micros => micros(Math.floor(length / 4));

export const heartbeatInterval = (intervals: Intervals): Micros => heartbeatOf(leaseLength(intervals));

/** The first advert of a takeover does not wait for dataplane; without an answer by then it was the last (SAFETY S3). */
export const unconfirmedLimit: Micros = micros(second);

/** The longest that any peer waits for a master that has fallen silent: priority 1. */
export const longestMasterDown = (intervals: Intervals): Micros =>
  micros(intervals.downTimerAdverts * intervals.advertInterval + longestSkew(intervals));

/**
 * Length K of the kernel's own lease on an address, in whole seconds: `valid_lft` (SAFETY S10). Renewed with each advert
 * it ends after the slowest peer has taken over: when all processes are killed, the address answers until then.
 */
export const kernelLeaseSeconds = (intervals: Intervals): number =>
  Math.max(3, Math.ceil(leaseLength(intervals) / second) + 1, Math.ceil(longestMasterDown(intervals) / second));

/** A master that spoke less than this ago is still the master to every peer (SAFETY S5). */
export const resumeLimit = (intervals: Intervals): Micros =>
  micros(shortestMasterDown(intervals) - Math.floor(intervals.advertInterval / 2));

/**
 * A master that was silent for this long may have a successor: it listens before it speaks (SAFETY S11). The resume
 * limit, but never so short that a healthy master reaches it between two adverts (`vrrp_down_timer_adverts 1`).
 */
export const silenceLimit = (intervals: Intervals): Micros =>
  micros(Math.max(resumeLimit(intervals), Math.ceil((intervals.advertInterval * 3) / 2)));

/** How long a router that is unsure listens before it speaks: one advert and our skew (SAFETY S5, S11). */
export const listeningInterval = (intervals: Intervals, priority: number): Micros =>
  micros(
    intervals.advertInterval +
      skewTime({ version: intervals.version, priority, masterAdvertInterval: intervals.advertInterval }),
  );

/** A master is asked over the bus at most this often whether it still is one (SAFETY S13). */
export const questionLimit: Micros = micros(10 * second);

/** How long after its last advert a master that says that it is none any more is waited for (SAFETY S13): 1.1 intervals. */
export const deniedWait = (masterAdvertInterval: Micros): Micros => micros(Math.ceil((masterAdvertInterval * 11) / 10));

/**
 * A master announces its addresses again this often because of another's adverts, on average (SAFETY S12). And so many of
 * these in a row: a cut that heals is heard of twice, by the other's adverts as a master and by its farewell, and there may
 * be three of them before the first is 5 s old.
 */
export const announceLimit: Micros = micros(5 * second);
export const announcementsInRow = 6;

/** Hold after addresses could not be programmed: 2 s, doubling to 5 min (SAFETY S9). `failures` counts from 1. */
export const failureHold = (failures: number): Micros =>
  micros(Math.min(2 * second * 2 ** Math.min(failures - 1, 16), 300 * second));

/**
 * Addresses could not be programmed: after so long without another master there is none, and some addresses are better
 * than none (SAFETY S9).
 */
export const soleWait = (intervals: Intervals, priority: number): Micros =>
  micros(
    shortestMasterDown(intervals) +
      skewTime({ version: intervals.version, priority, masterAdvertInterval: intervals.advertInterval }),
  );

/** More moves than `most` within `window` are flapping: pre-emption is held for as long again (SAFETY S12, RFC 7432). */
export const flapping = { most: 4, window: micros(180 * second), hold: micros(180 * second) } as const;

/**
 * The next advert after one that leaves now: an interval later, or up to a 250th of it sooner (4 ms at most). Instances
 * whose adverts leave within the same 4 ms wake this machine, and the one that hears them, once and not one by one.
 */
export function firstOnGrid(interval: Micros, now: Instant): Instant {
  const slot = Math.min(4_000, Math.max(1, Math.floor(interval / 250)));
  return instant(Math.floor((now + interval) / slot) * slot);
}

/**
 * The next advert of a fixed grid, so that lateness does not add up; a slot that was missed whole is skipped and the
 * grid starts again.
 */
export function nextOnGrid(due: Instant, interval: Micros, now: Instant): Instant {
  const next = due + interval;
  return next > now ? instant(next) : firstOnGrid(interval, now);
}

// When the addresses of an instance are announced: at once after a takeover, again after `garp_master_delay`, every
// `garp_master_refresh`, and whenever election asks for it. Pure in style: `now` is an argument.
import { addMicros, type Instant, type Micros, micros } from "@baton/domain";
import type { GarpSchedule } from "./desired.ts";
import { putOff } from "./pacing.ts";

export interface Announcement {
  readonly instance: string;
  readonly repeat: number;
  readonly reason: string;
  /** Only these address keys; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly told: boolean;
  readonly since: Instant;
}

/**
 * A virtual MAC is where its last frame came from, and whoever had it before may have answered somebody a moment after we
 * announced it: with one more frame the switches know better before the next advert. Two, for a leaver that is slow.
 */
const lastWords = [25_000, 120_000].map(micros);

interface Series {
  garp: GarpSchedule;
  planned: (Announcement & { readonly at: Instant })[];
  refreshAt: Instant | undefined;
  /** `garp_extra_if`. */
  extraAt: Instant | undefined;
}

export class Announcer {
  readonly #series = new Map<string, Series>();
  /** When somebody is next to be announced; until something is planned or taken it need not be looked for. */
  #next: { readonly at: Instant | undefined } | undefined;

  /** keepalived: a burst, a second one after the delay, the refresh counted from that. */
  takeover(instance: string, garp: GarpSchedule, since: Instant, reason: string, now: Instant): void {
    const refreshAt = garp.refresh > 0 ? addMicros(now, garp.delay + garp.refresh) : undefined;
    const extraAt = garp.extraInterval > 0 ? addMicros(now, garp.delay + garp.extraInterval) : undefined;
    const series: Series = { garp, planned: [], refreshAt, extraAt };
    this.#next = undefined;
    this.#series.set(instance, series);
    this.#plan(series, instance, { at: now, since, repeat: garp.repeat, reason });
    if (garp.virtualKeys.size > 0 && garp.repeat > 0) {
      const once = { repeat: 1, reason: "virtual-mac", only: garp.virtualKeys, told: false, since };
      for (const after of lastWords) this.#plan(series, instance, { ...once, at: addMicros(now, after) });
    }
    if (garp.delay > 0) {
      const at = addMicros(now, garp.delay);
      this.#plan(series, instance, { at, since, repeat: garp.repeat, reason: "second-burst" });
    }
  }

  /** Nothing to announce now, but the refresh goes on: a resumed lease. */
  carryOn(instance: string, garp: GarpSchedule, now: Instant): void {
    this.#next = undefined;
    const before = this.#series.get(instance);
    this.#series.set(instance, {
      garp,
      planned: before?.planned ?? [],
      refreshAt: before?.refreshAt ?? firstAfter(garp.refresh, now),
      extraAt: before?.extraAt ?? firstAfter(garp.extraInterval, now),
    });
  }

  /** Election asks: another router spoke for the address, or a cut healed (SAFETY S12). */
  again(instance: string, reason: string, now: Instant): void {
    const series = this.#series.get(instance);
    if (series === undefined) return;
    const lower = reason.includes("lower-priority");
    const { repeat, delay } = lower
      ? { repeat: series.garp.lowerPriorityRepeat, delay: series.garp.lowerPriorityDelay }
      : { repeat: series.garp.repeat, delay: series.garp.delay };
    this.#plan(series, instance, { at: now, since: now, repeat, reason });
    if (delay > 0)
      this.#plan(series, instance, { at: addMicros(now, delay), since: now, repeat, reason: "second-burst" });
  }

  /** Some addresses came later than the takeover: a reload or a repair. A reload is told by vip-added alone. */
  some(instance: string, keys: ReadonlySet<string>, reason: "reload" | "drift-repaired" | "late", now: Instant): void {
    const series = this.#series.get(instance);
    if (series === undefined) return;
    const burst = { repeat: series.garp.repeat, reason, only: keys, told: reason !== "reload", since: now };
    this.#plan(series, instance, { ...burst, at: now });
    if (series.garp.delay > 0) {
      this.#plan(series, instance, { ...burst, at: addMicros(now, series.garp.delay), told: false });
    }
  }

  /** The new settings hold from the next burst on. */
  reconfigure(instance: string, garp: GarpSchedule, now: Instant): void {
    const series = this.#series.get(instance);
    if (series === undefined || series.garp === garp) return;
    this.#next = undefined;
    if (series.garp.refresh !== garp.refresh) series.refreshAt = firstAfter(garp.refresh, now);
    if (series.garp.extraInterval !== garp.extraInterval) series.extraAt = firstAfter(garp.extraInterval, now);
    series.garp = garp;
  }

  stop(instance: string): void {
    this.#next = undefined;
    this.#series.delete(instance);
  }

  /** What is due now; it is the caller's from here on. What may not be announced now is put off. */
  take(now: Instant, mayAnnounce: (instance: string) => boolean): Announcement[] {
    const due: Announcement[] = [];
    if (!isOver(this.#nextAt(), now)) return due;
    this.#next = undefined;
    for (const [instance, series] of this.#series) {
      const isDue = ({ at }: { readonly at: Instant }): boolean => at <= now;
      const [isRefreshDue, isExtraDue] = [isOver(series.refreshAt, now), isOver(series.extraAt, now)];
      if (!isRefreshDue && !isExtraDue && !series.planned.some(isDue)) continue;
      if (!mayAnnounce(instance)) {
        const later = addMicros(now, putOff);
        series.planned = series.planned.map((each) => (isDue(each) ? { ...each, at: later } : each));
        if (isRefreshDue) series.refreshAt = later;
        if (isExtraDue) series.extraAt = later;
        continue;
      }
      due.push(...series.planned.filter(isDue));
      series.planned = series.planned.filter((each) => !isDue(each));
      const untold = { instance, told: false, since: now };
      const { refresh, refreshRepeat, extraInterval, extraKeys } = series.garp;
      if (series.refreshAt !== undefined && isRefreshDue) {
        series.refreshAt = nextAfter(series.refreshAt, refresh, now);
        due.push({ ...untold, repeat: refreshRepeat, reason: "refresh", only: undefined });
      }
      if (series.extraAt !== undefined && isExtraDue) {
        series.extraAt = nextAfter(series.extraAt, extraInterval, now);
        due.push({ ...untold, repeat: 1, reason: "extra-interface", only: extraKeys });
      }
    }
    return due;
  }

  *deadlines(): Iterable<Instant> {
    const next = this.#nextAt();
    if (next !== undefined) yield next;
  }

  #nextAt(): Instant | undefined {
    if (this.#next !== undefined) return this.#next.at;
    let first: Instant | undefined;
    const note = (at: Instant | undefined): void => {
      if (at !== undefined && (first === undefined || at < first)) first = at;
    };
    for (const { planned, refreshAt, extraAt } of this.#series.values()) {
      for (const { at } of planned) note(at);
      note(refreshAt);
      note(extraAt);
    }
    this.#next = { at: first };
    return first;
  }

  #plan(
    series: Series,
    instance: string,
    burst: Pick<Announcement, "repeat" | "reason" | "since"> & Partial<Announcement> & { at: Instant },
  ): void {
    if (burst.repeat <= 0) return;
    this.#next = undefined;
    series.planned.push({ instance, only: undefined, told: true, ...burst });
  }
}

/** Of what repeats with this interval; undefined: it does not. */
const firstAfter = (interval: Micros, now: Instant): Instant | undefined =>
  interval > 0 ? addMicros(now, interval) : undefined;

const isOver = (at: Instant | undefined, now: Instant): boolean => at !== undefined && at <= now;

/** From the planned time, not from now: lateness does not add up. After a long stop, one makes up for all. */
const nextAfter = (at: Instant, interval: Micros, now: Instant): Instant =>
  addMicros(at, (Math.floor((now - at) / interval) + 1) * interval);

// When the addresses of an instance are announced: at once after a takeover, again after `garp_master_delay`, every
// `garp_master_refresh`, and whenever election asks for it. Pure in style: `now` is an argument.
import { addMicros, type Instant } from "@baton/domain";
import type { GarpConfig } from "@baton/keepalived-conf";

export interface Announcement {
  readonly instance: string;
  readonly repeat: number;
  readonly reason: string;
  /** Only these address keys; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly told: boolean;
  readonly since: Instant;
}

/** A lease that is in doubt is soon confirmed or over. */
const putOff = 100_000;

interface Series {
  garp: GarpConfig;
  planned: (Announcement & { readonly at: Instant })[];
  refreshAt: Instant | undefined;
}

export class Announcer {
  readonly #series = new Map<string, Series>();

  /** keepalived: a burst, a second one after the delay, the refresh counted from that. */
  takeover(instance: string, garp: GarpConfig, since: Instant, reason: string, now: Instant): void {
    const refreshAt = garp.refresh > 0 ? addMicros(now, garp.delay + garp.refresh) : undefined;
    const series: Series = { garp, planned: [], refreshAt };
    this.#series.set(instance, series);
    this.#plan(series, instance, { at: now, since, repeat: garp.repeat, reason });
    if (garp.delay > 0) {
      const at = addMicros(now, garp.delay);
      this.#plan(series, instance, { at, since, repeat: garp.repeat, reason: "second-burst" });
    }
  }

  /** Nothing to announce now, but the refresh goes on: a resumed lease. */
  carryOn(instance: string, garp: GarpConfig, now: Instant): void {
    const refreshAt = garp.refresh > 0 ? addMicros(now, garp.refresh) : undefined;
    const planned = this.#series.get(instance)?.planned ?? [];
    this.#series.set(instance, { garp, planned, refreshAt: this.#series.get(instance)?.refreshAt ?? refreshAt });
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
  reconfigure(instance: string, garp: GarpConfig, now: Instant): void {
    const series = this.#series.get(instance);
    if (series === undefined || series.garp === garp) return;
    if (series.garp.refresh !== garp.refresh) {
      series.refreshAt = garp.refresh > 0 ? addMicros(now, garp.refresh) : undefined;
    }
    series.garp = garp;
  }

  stop(instance: string): void {
    this.#series.delete(instance);
  }

  /** What is due now; it is the caller's from here on. What may not be announced now is put off. */
  take(now: Instant, mayAnnounce: (instance: string) => boolean): Announcement[] {
    const due: Announcement[] = [];
    for (const [instance, series] of this.#series) {
      const isDue = ({ at }: { readonly at: Instant }): boolean => at <= now;
      const isRefreshDue = series.refreshAt !== undefined && series.refreshAt <= now;
      if (!isRefreshDue && !series.planned.some(isDue)) continue;
      if (!mayAnnounce(instance)) {
        const later = addMicros(now, putOff);
        series.planned = series.planned.map((each) => (isDue(each) ? { ...each, at: later } : each));
        if (isRefreshDue) series.refreshAt = later;
        continue;
      }
      due.push(...series.planned.filter(isDue));
      series.planned = series.planned.filter((each) => !isDue(each));
      if (series.refreshAt === undefined || series.refreshAt > now) continue;
      // From the planned time, not from now: lateness does not add up. After a long stop, one refresh makes up for all.
      const { refresh, refreshRepeat } = series.garp;
      const missed = Math.floor((now - series.refreshAt) / refresh);
      series.refreshAt = addMicros(series.refreshAt, (missed + 1) * refresh);
      due.push({ instance, repeat: refreshRepeat, reason: "refresh", only: undefined, told: false, since: now });
    }
    return due;
  }

  *deadlines(): Iterable<Instant> {
    for (const { planned, refreshAt } of this.#series.values()) {
      for (const { at } of planned) yield at;
      if (refreshAt !== undefined) yield refreshAt;
    }
  }

  #plan(
    series: Series,
    instance: string,
    burst: Pick<Announcement, "repeat" | "reason" | "since"> & Partial<Announcement> & { at: Instant },
  ): void {
    if (burst.repeat <= 0) return;
    series.planned.push({ instance, only: undefined, told: true, ...burst });
  }
}

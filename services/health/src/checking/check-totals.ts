// What checks have come to, by type: a series for each of ten thousand checks would cost more than it tells.
import { type Micros, toSeconds } from "@baton/domain";
import type { ProbeOutcome } from "@baton/health";

export interface TypeTotals {
  readonly success: number;
  readonly failure: number;
  /** There was no attempt: faults of this machine. */
  readonly obstacle: number;
  readonly durationSeconds: number;
  readonly latenessSeconds: number;
}

export interface CheckTotals {
  count(type: string, outcome: ProbeOutcome, lateness: Micros): void;
  byType(): ReadonlyMap<string, TypeTotals>;
}

const none: TypeTotals = { success: 0, failure: 0, obstacle: 0, durationSeconds: 0, latenessSeconds: 0 };

export function createTotals(): CheckTotals {
  const totals = new Map<string, TypeTotals>();
  return {
    count: (type, outcome, lateness) => {
      const before = totals.get(type) ?? none;
      const took = outcome.ok === undefined ? 0 : toSeconds(outcome.durationMicros);
      totals.set(type, {
        success: before.success + (outcome.ok === true ? 1 : 0),
        failure: before.failure + (outcome.ok === false ? 1 : 0),
        obstacle: before.obstacle + (outcome.ok === undefined ? 1 : 0),
        durationSeconds: before.durationSeconds + took,
        latenessSeconds: before.latenessSeconds + toSeconds(lateness),
      });
    },
    byType: () => totals,
  };
}

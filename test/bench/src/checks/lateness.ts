// How punctual checks are, as the servers see it.
import { type Attempts, crowdPort, delayLoopSeconds } from "@baton/directors";
import { quantile, rounded } from "../statistics.ts";

export interface Lateness {
  readonly checks: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** By how much the next check of a server of the crowd came later than `delay_loop` after the one before. */
export function latenessOf(attempts: Attempts, from: number, until: number): Lateness {
  const late: number[] = [];
  for (const [server, times] of attempts) {
    if (!server.endsWith(`.${crowdPort}`)) continue;
    times.forEach((at, index) => {
      const before = times[index - 1];
      if (before !== undefined && at >= from && at < until) late.push(at - before - delayLoopSeconds * 1000);
    });
  }
  const of = (q: number): number => rounded(quantile(late, q));
  return { checks: late.length, p50Ms: of(0.5), p99Ms: of(0.99), maxMs: of(1) };
}

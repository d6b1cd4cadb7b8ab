// Which trackers nobody confirms any more (SAFETY S15): their script hangs, or the health service is gone or does not run.
// Health says with each pulse how old its newest look at a tracker is; what it does not say for too long is stale.
import { addMicros, type Instant, type Micros, micros, microsSince, secondsToMicros } from "@baton/domain";
import type { TrackScriptConfig } from "@baton/keepalived-conf";
import { type Input, trackerKey } from "@baton/vrrp";

export type StaleInput = Extract<Input, { type: "tracker-stale" }>;
type Named = Pick<StaleInput, "kind" | "name">;

/** What of the configuration counts here. */
export interface Tracked {
  readonly scripts: readonly Pick<TrackScriptConfig, "name" | "interval" | "timeout">[];
  readonly trackFiles: readonly { readonly name: string }[];
  readonly trackProcesses: readonly { readonly name: string }[];
  readonly bfdInstances: readonly { readonly name: string }[];
}

/** Less than this is no silence: a restarted health service is back sooner. */
const shortest: Micros = secondsToMicros(5);

/** Three runs that should have ended, and the longest that one of them may take. */
const patienceOf = ({ interval, timeout }: Tracked["scripts"][number]): Micros =>
  micros(Math.max(3 * interval + timeout, shortest));

interface Watched {
  readonly tracker: Named;
  readonly patience: Micros;
  confirmedAt: Instant;
  stale: boolean;
}

export class Freshness {
  #watched: ReadonlyMap<string, Watched> = new Map();

  /** What was confirmed stays so; what is new has its time from now on. */
  configure(config: Tracked, now: Instant): void {
    const named = [
      ...config.scripts.map((script) => ({ kind: "script" as const, name: script.name, patience: patienceOf(script) })),
      ...config.trackFiles.map(({ name }) => ({ kind: "file" as const, name, patience: shortest })),
      ...config.trackProcesses.map(({ name }) => ({ kind: "process" as const, name, patience: shortest })),
      ...config.bfdInstances.map(({ name }) => ({ kind: "bfd" as const, name, patience: shortest })),
    ];
    const watched = named.map(({ kind, name, patience }): [string, Watched] => {
      const key = trackerKey({ kind, name });
      const known = this.#watched.get(key) ?? { confirmedAt: now, stale: false };
      return [key, { ...known, tracker: { kind, name }, patience }];
    });
    this.#watched = new Map(watched);
  }

  /** Somebody has looked at it at `at`. */
  confirm(tracker: Named, at: Instant): void {
    const watched = this.#watched.get(trackerKey(tracker));
    if (watched !== undefined && at > watched.confirmedAt) watched.confirmedAt = at;
  }

  /** This process did not run for so long, and heard nobody. */
  excuse(duration: Micros): void {
    for (const watched of this.#watched.values()) watched.confirmedAt = addMicros(watched.confirmedAt, duration);
  }

  /** What has become stale, or fresh again, since the last call. */
  changes(now: Instant): readonly StaleInput[] {
    const changed = [...this.#watched.values()].filter(
      ({ confirmedAt, patience, stale }) => stale !== microsSince(now, confirmedAt) > patience,
    );
    for (const watched of changed) watched.stale = !watched.stale;
    return changed.map(inputOf);
  }

  /** What is stale now, for an instance that is added later. */
  stale(): readonly StaleInput[] {
    return [...this.#watched.values()].filter(({ stale }) => stale).map(inputOf);
  }
}

const inputOf = ({ tracker, stale }: Watched): StaleInput => ({ type: "tracker-stale", ...tracker, stale });

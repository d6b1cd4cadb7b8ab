// Five repairs of one object in a minute are a war with somebody, not drift (SAFETY S9): then it counts as a failure,
// and the instance is left to a router where nobody interferes.
import type { Instant } from "@baton/domain";

export const repairsMax = 5;
const windowMicros = 60_000_000;

export class DriftLimit {
  readonly #repairs = new Map<string, Instant[]>();

  isExceeded(key: string, now: Instant): boolean {
    const recent = (this.#repairs.get(key) ?? []).filter((at) => now - at < windowMicros);
    if (recent.length === 0) this.#repairs.delete(key);
    else this.#repairs.set(key, recent);
    return recent.length >= repairsMax;
  }

  count(key: string, now: Instant): void {
    this.#repairs.set(key, [...(this.#repairs.get(key) ?? []), now]);
  }
}

// How often an object is put right. Once is drift, and is repaired at once. A tool that removes in rounds until nothing is
// left (`ip address flush`) is not fought: the second repair waits. Five repairs in a minute are a war with somebody
// (SAFETY S9): then it counts as a failure, and the instance is left to a router where nobody interferes. With
// `drift.repairs: 0` of baton.yaml the first removal is one, and the instance steps down as it would under keepalived.
import { addMicros, type Instant } from "@baton/domain";

/** What `drift.repairs` of baton.yaml changes, for what is ours and goes; what comes back on a backup is always fought so often. */
export const repairsMax = 5;
export const repairSpacing = 100_000;
const windowMicros = 60_000_000;

export const driftWar = (repairs: number): string =>
  `drift-war: somebody else takes it away${repairs === 0 ? "" : " again and again"}`;

export class DriftLimit {
  readonly #repairs = new Map<string, Instant[]>();

  isExceeded(key: string, now: Instant, repairs = repairsMax): boolean {
    const recent = (this.#repairs.get(key) ?? []).filter((at) => now - at < windowMicros);
    if (recent.length === 0) this.#repairs.delete(key);
    else this.#repairs.set(key, recent);
    return recent.length >= repairs;
  }

  /** When the next repair may be, if not now. */
  waitsUntil(key: string, now: Instant): Instant | undefined {
    const last = this.#repairs.get(key)?.at(-1);
    return last !== undefined && now - last < repairSpacing ? addMicros(last, repairSpacing) : undefined;
  }

  count(key: string, now: Instant): void {
    this.#repairs.set(key, [...(this.#repairs.get(key) ?? []), now]);
  }
}

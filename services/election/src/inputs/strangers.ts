// Adverts that concern nobody here are looked at a few at a time: enough to count them, to tell of them and to say what is
// wrong with them, at a price that no sender can raise. All places share one allowance.

export interface StrangersOptions<Source> {
  /** Reads at most `max` of what waits there. */
  read(source: Source, max: number): { readonly count: number; readonly more: boolean };
}

/** So many are looked at, then there is a pause: 320 a second cost the loop less than one hundredth of a core. */
const allowance = 32;
const pauseMillis = 100;

export class Strangers<Source> {
  readonly #options: StrangersOptions<Source>;
  /** The one that has waited longest is first. */
  readonly #waiting = new Set<Source>();
  #pause: NodeJS.Timeout | undefined;

  constructor(options: StrangersOptions<Source>) {
    this.#options = options;
  }

  /** Something waits there: looked at now, or after the pause. */
  onWaiting(source: Source): void {
    this.#waiting.add(source);
    if (this.#pause === undefined) this.#look();
  }

  forget(source: Source): void {
    this.#waiting.delete(source);
  }

  close(): void {
    clearTimeout(this.#pause);
    this.#waiting.clear();
  }

  #look(): void {
    let left = allowance;
    for (const source of [...this.#waiting]) {
      if (left === 0) break;
      this.#waiting.delete(source);
      const { count, more } = this.#options.read(source, left);
      if (more) this.#waiting.add(source);
      left -= count;
    }
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#waiting.size > 0) this.#look();
    }, pauseMillis);
  }
}

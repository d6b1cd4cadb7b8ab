// Values by name, taken out in the order in which they came. A Map alone steps over all that were taken out before, each
// time that its first is asked for.

/** Names that are not there any more, besides as many as there are. */
const surplusMax = 1_000;

export class InOrder<T> {
  readonly #values = new Map<string, T>();
  /** Names as they came; those before `#head` have been taken, and some of the others are not there any more. */
  #names: string[] = [];
  #head = 0;

  has(name: string): boolean {
    return this.#values.has(name);
  }

  get(name: string): T | undefined {
    return this.#values.get(name);
  }

  /** Whoever is there already keeps his place. */
  set(name: string, value: T): void {
    if (!this.#values.has(name)) this.#names.push(name);
    this.#values.set(name, value);
    if (this.#names.length <= 2 * this.#values.size + surplusMax) return;
    this.#names = [...this.#values.keys()];
    this.#head = 0;
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  shift(): { readonly name: string; readonly value: T } | undefined {
    while (this.#head < this.#names.length) {
      const name = this.#names[this.#head++] ?? "";
      const value = this.#values.get(name);
      if (value === undefined) continue;
      this.#values.delete(name);
      return { name, value };
    }
    this.#names = [];
    this.#head = 0;
    return undefined;
  }
}

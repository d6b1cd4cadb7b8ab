// When each of many has to decide: the earliest is found at once, however many there are. A binary heap that knows where
// everybody stands, for every advert moves a deadline.
import type { Instant } from "@baton/domain";

interface Entry<Holder> {
  readonly holder: Holder;
  due: Instant;
}

export class Agenda<Holder> {
  readonly #heap: Entry<Holder>[] = [];
  readonly #places = new Map<Holder, number>();

  /** Undefined: nothing is due. */
  set(holder: Holder, due: Instant | undefined): void {
    const place = this.#places.get(holder);
    const entry = place === undefined ? undefined : this.#heap[place];
    if (due === undefined) return place === undefined ? undefined : this.#remove(holder, place);
    if (place === undefined || entry === undefined) {
      this.#heap.push({ holder, due });
      this.#places.set(holder, this.#heap.length - 1);
      return this.#rise(this.#heap.length - 1);
    }
    if (entry.due === due) return;
    const isSooner = due < entry.due;
    entry.due = due;
    if (isSooner) this.#rise(place);
    else this.#sink(place);
  }

  first(): { readonly holder: Holder; readonly due: Instant } | undefined {
    return this.#heap[0];
  }

  /** Everybody whose time has come, the earliest first: what is done in turns keeps its distance from the last time. */
  due(now: Instant): Holder[] {
    const found: Entry<Holder>[] = [];
    const open = [0];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const entry = this.#heap[place];
      if (entry === undefined || entry.due > now) continue;
      found.push(entry);
      open.push(2 * place + 1, 2 * place + 2);
    }
    return found.sort((a, b) => a.due - b.due).map(({ holder }) => holder);
  }

  isDue(holder: Holder, now: Instant): boolean {
    const place = this.#places.get(holder);
    return place !== undefined && this.#dueAt(place) <= now;
  }

  #remove(holder: Holder, place: number): void {
    this.#places.delete(holder);
    const last = this.#heap.pop();
    if (last === undefined || last.holder === holder) return;
    this.#put(last, place);
    this.#rise(place);
    this.#sink(this.#places.get(last.holder) ?? place);
  }

  #put(entry: Entry<Holder>, place: number): void {
    this.#heap[place] = entry;
    this.#places.set(entry.holder, place);
  }

  #rise(from: number): void {
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#swapIfSooner(place, above)) return;
      place = above;
    }
  }

  #sink(from: number): void {
    let place = from;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const sooner = this.#dueAt(right) < this.#dueAt(left) ? right : left;
      if (!this.#swapIfSooner(sooner, place)) return;
      place = sooner;
    }
  }

  #dueAt(place: number): number {
    return this.#heap[place]?.due ?? Number.POSITIVE_INFINITY;
  }

  /** Whether they changed places: `below` is due before `above`. */
  #swapIfSooner(below: number, above: number): boolean {
    const [lower, upper] = [this.#heap[below], this.#heap[above]];
    if (lower === undefined || upper === undefined || lower.due >= upper.due) return false;
    this.#put(lower, above);
    this.#put(upper, below);
    return true;
  }
}

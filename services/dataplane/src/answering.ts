// What election is told, and when: the answer to each frame, and unsolicited what has come to stand otherwise. Of many
// claims only those are looked at that are named, or that something has changed for.
import type { Parts } from "./parts.ts";
import { type InstanceLevel, standingOf } from "./standings.ts";
import type { Claim, Effect, Frame, LeaseStanding } from "./types.ts";

export interface Levels {
  /** Another one whenever a level may have changed. */
  revision(): string;
  of(instance: string): InstanceLevel | undefined;
  /** What `of` is made of: the same objects as long as it says the same. */
  basisOf(instance: string): readonly unknown[];
}

export class Answering {
  readonly #parts: Parts;
  readonly #levels: Levels;
  #frame: Frame | undefined;
  #isDue = false;
  /** What election was last told of each lease, and of which state of the world. */
  #told = new Map<string, { readonly text: string; readonly basis: readonly unknown[] }>();
  #toldOf = "";

  constructor(parts: Parts, levels: Levels) {
    this.#parts = parts;
    this.#levels = levels;
  }

  /** Another stream: its election has been told nothing yet. */
  begin(): void {
    this.#frame = undefined;
    this.#told = new Map();
  }

  received(frame: Frame): void {
    this.#frame = frame;
    this.#isDue = true;
  }

  /** Every frame is answered with what was read back; what changes in between is told without being asked (SAFETY S3). */
  answer(effects: Effect[]): void {
    const { book, counters } = this.#parts;
    const frame = this.#frame;
    if (frame === undefined || book.stream === undefined) return;
    // Its event comes within two milliseconds, or they pass: the answer can say then what came of it.
    if (frame.claims.some(({ lease }) => book.lease(lease)?.phase === "waiting")) return;
    const leases = this.#news(frame);
    if (!this.#isDue && leases.length === 0) return;
    const sequence = this.#isDue ? frame.sequence : 0;
    const { sentAt, partial } = frame;
    effects.push({ type: "answer", stream: book.stream, sequence, sentAt, leases, partial: partial || sequence === 0 });
    for (const { lease } of this.#isDue ? leases : []) {
      for (const instance of book.lease(lease)?.claim.instances ?? []) counters.add("leaseConfirms", instance);
    }
    this.#isDue = false;
  }

  /** What a frame names is answered in any case; the others when their standing is another one than was told. */
  #news({ claims, partial }: Frame): LeaseStanding[] {
    const { book } = this.#parts;
    const asked = new Set(this.#isDue ? claims.map(({ lease }) => lease) : []);
    const world = `${book.revision} ${this.#levels.revision()}`;
    const isSameWorld = this.#toldOf === world && (partial || !this.#isDue);
    this.#toldOf = world;
    const news: LeaseStanding[] = [];
    for (const claim of isSameWorld ? claims : book.claimed()) {
      const { lease } = claim;
      const before = this.#told.get(lease);
      const basis = this.#basisOf(claim);
      // Nothing that it is made of has changed: most of a thousand, with every step.
      if (!asked.has(lease) && before !== undefined && isSameBasis(before.basis, basis)) continue;
      const levels = claim.instances.map((name) => this.#levels.of(name));
      const standing = standingOf(claim, book.lease(lease), book.refusal(lease), levels);
      const { term, standing: name, missing, error } = standing;
      const text = `${term} ${name} ${missing.join()} ${error}`;
      this.#told.set(lease, { text, basis });
      if (asked.has(lease) || before?.text !== text) news.push(standing);
    }
    return news;
  }

  #basisOf({ lease, term, state, instances }: Claim): unknown[] {
    const { book } = this.#parts;
    const levels = instances.flatMap((name) => this.#levels.basisOf(name));
    return [term, state, book.lease(lease)?.phase, book.refusal(lease)?.reason, ...levels];
  }
}

const isSameBasis = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);

// Of whom health says nothing although it speaks: what it has said may have been lost between two configurations, and it
// says nothing a second time unless it is asked. Until it does, such a service stays as it is, or away.
import { type Instant, microsSince, secondsToMicros } from "@baton/domain";
import type { Wanted } from "./wish.ts";

/** Health may be a generation behind; and this long after it has told everything it is asked again. */
const patience = secondsToMicros(5);
const errorsMax = 20;

export class Silence {
  readonly #wanted: Pick<Wanted, "unknown">;
  #since = new Map<string, Instant>();
  #toldAt: Instant | undefined;
  /** To ask once more would break off the answer that is on its way; who follows health sees to it that one comes. */
  #isAsked = false;
  #overdue: readonly string[] = [];

  constructor(wanted: Pick<Wanted, "unknown">) {
    this.#wanted = wanted;
  }

  /** All of it. */
  told(now: Instant): void {
    this.#toldAt = now;
    this.#isAsked = false;
  }

  /** With each look. True: it is to be asked now. */
  asksAt(now: Instant): boolean {
    this.#since = new Map([...this.#wanted.unknown].map((name) => [name, this.#since.get(name) ?? now]));
    this.#overdue = [...this.#since].filter(([, since]) => microsSince(now, since) >= patience).map(([name]) => name);
    if (this.#overdue.length === 0 || this.#isAsked) return false;
    this.#isAsked = this.#toldAt === undefined || microsSince(now, this.#toldAt) >= patience;
    return this.#isAsked;
  }

  errors(): readonly string[] {
    return this.#overdue
      .filter((name) => this.#wanted.unknown.has(name))
      .slice(0, errorsMax)
      .map((name) => `${name}: health has not said who is in it; it is asked again`);
  }
}

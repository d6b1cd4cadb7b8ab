// Of whom health says nothing although it speaks: what it has said may have been lost between two configurations, and it
// says nothing a second time unless it is asked. Until it does, such a service stays as it is, or away.
import { type Instant, microsSince, secondsToMicros } from "@baton/domain";
import type { Wanted } from "./wish.ts";

/** Health may be a generation behind; and no more often than this it is asked. */
const patience = secondsToMicros(5);
const errorsMax = 20;

export class Silence {
  readonly #wanted: Pick<Wanted, "unknown">;
  #since = new Map<string, Instant>();
  #askedAt: Instant | undefined;
  #overdue: readonly string[] = [];

  constructor(wanted: Pick<Wanted, "unknown">) {
    this.#wanted = wanted;
  }

  /** With each look. True: it is to be asked now. */
  asksAt(now: Instant): boolean {
    this.#since = new Map([...this.#wanted.unknown].map((name) => [name, this.#since.get(name) ?? now]));
    this.#overdue = [...this.#since].filter(([, since]) => microsSince(now, since) >= patience).map(([name]) => name);
    if (this.#overdue.length === 0) return false;
    if (this.#askedAt !== undefined && microsSince(now, this.#askedAt) < patience) return false;
    this.#askedAt = now;
    return true;
  }

  errors(): readonly string[] {
    return this.#overdue
      .filter((name) => this.#wanted.unknown.has(name))
      .slice(0, errorsMax)
      .map((name) => `${name}: health has not said who is in it; it is asked again`);
  }
}

// How an instance stands by its routes and rules: what of it election has to know (SAFETY S9).
import type { ManagedRouting } from "./managed.ts";

export class RoutingLevel {
  /** Tracked, and not in the kernel. */
  lacking = 0;
  readonly #here = new Set<string>();
  /** Of the tracked ones. */
  readonly errors: string[] = [];

  /** How many are in the kernel: what an ended lease still has to let go. */
  get present(): number {
    return this.#here.size;
  }

  has(key: string): boolean {
    return this.#here.has(key);
  }

  count({ key, tracked, text }: ManagedRouting, isPresent: boolean, error: string | undefined): void {
    if (isPresent) this.#here.add(key);
    else if (tracked) this.lacking++;
    if (tracked && error !== undefined) this.errors.push(`${text}: ${error}`);
  }
}

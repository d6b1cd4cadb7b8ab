// How an instance stands by its routes and rules: what of it election has to know (SAFETY S9).
import type { ManagedRouting } from "./managed.ts";

export class RoutingLevel {
  /** Tracked, and not in the kernel. */
  lacking = 0;
  /** In the kernel: what an ended lease still has to let go. */
  present = 0;
  /** Of the tracked ones. */
  readonly errors: string[] = [];

  count({ tracked, text }: ManagedRouting, isPresent: boolean, error: string | undefined): void {
    if (isPresent) this.present++;
    else if (tracked) this.lacking++;
    if (tracked && error !== undefined) this.errors.push(`${text}: ${error}`);
  }
}

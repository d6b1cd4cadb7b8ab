// Why something is done in the kernel, and what came of it: one event when all of it is done, however many services and
// steps it takes.
import type { CauseRef, Instant } from "@baton/domain";

export type Reason = "start" | "pools" | "reload" | "daemons" | "stop" | "repair";

export interface Story {
  readonly reason: Reason;
  readonly cause: CauseRef | undefined;
  readonly startedAt: Instant;
  /** What still waits to be done for it. */
  waiting: number;
  /** The first of `total`. */
  readonly changes: string[];
  total: number;
  readonly failed: { readonly changes: string[]; total: number; error: string };
}

/** Of one event. */
const changesMax = 100;

export const startStory = (reason: Reason, startedAt: Instant, cause?: CauseRef): Story => ({
  reason,
  cause,
  startedAt,
  waiting: 0,
  changes: [],
  total: 0,
  failed: { changes: [], total: 0, error: "" },
});

export function tell(story: Story, change: string): void {
  story.total++;
  if (story.changes.length < changesMax) story.changes.push(change);
}

/** The first error stands for all. */
export function tellFailure({ failed }: Story, change: string, error: string): void {
  failed.total++;
  if (failed.changes.length < changesMax) failed.changes.push(change);
  if (failed.error === "") failed.error = error;
}

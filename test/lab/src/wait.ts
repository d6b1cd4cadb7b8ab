// Tests wait for conditions with a deadline, never for a fixed time.
import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  readonly deadlineMs?: number;
  readonly everyMs?: number;
}

/** Asks until the answer is neither undefined nor false; says what it waited for when the deadline passes. */
export async function waitFor<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const deadlineMs = options.deadlineMs ?? 10_000;
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await delay(options.everyMs ?? 20);
  }
}

// What the change of a server came to, for those who check it.
import { attemptsToFail } from "./cases.ts";

export interface Verdict {
  readonly what: "start" | "broken" | "good again";
  /** Of the case. */
  readonly name: string;
  /** Attempts until the verdict, and those that were under way when the server changed. */
  readonly baton?: number;
  readonly keepalived?: number;
  /** Whose verdict did not come. */
  readonly open?: readonly string[];
}

/** Empty: both came to every verdict, and gave each server up after as many attempts. */
export const verdictFaults = (verdicts: readonly Verdict[]): string[] =>
  verdicts.flatMap(({ what, name, baton, keepalived, open }) => {
    if (open !== undefined) return [`${name}: ${open.join(", ")}`];
    const isSame = what !== "broken" || (baton === attemptsToFail && keepalived === attemptsToFail);
    return isSame ? [] : [`${name}: given up after ${baton} attempts by Baton, ${keepalived} by keepalived`];
  });

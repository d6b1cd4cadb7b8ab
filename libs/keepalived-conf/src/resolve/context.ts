// What the resolvers share: where to report, what is known of the machine, and how to say things evenly.
import type { ErrorClass, Severity } from "../diagnostics.ts";
import type { Machine } from "../machine.ts";
import type { Place, Report } from "../report.ts";

export interface ResolveContext {
  readonly report: Report;
  readonly machine: Machine;
}

interface Advice {
  readonly hint?: string;
  /** What counts instead of what is written, as one would write it. */
  readonly used?: string;
}

/** `advice` as a string is a hint. */
type Say = (context: ResolveContext, place: Place, code: string, message: string, advice?: string | Advice) => void;

const say =
  (severity: Severity, errorClass: ErrorClass): Say =>
  ({ report }, place, code, message, advice) => {
    const { hint, used } = typeof advice === "string" ? { hint: advice } : (advice ?? {});
    report({ place, severity, code, errorClass, message, hint, used });
  };

/** Something that was asked for is left out. */
export const reject = say("error", "general-error");
/** Something is done, but not as it was written. */
export const adjust = say("warning", "general-error");
/** keepalived says nothing about it, and we think that the user should know. */
export const advise = say("warning", "ok");
export const inform = say("info", "ok");
/** Something that Baton cannot do yet, and that would do harm if it were done otherwise. */
export const refuse = say("error", "fatal");

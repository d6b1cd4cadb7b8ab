// Health as pure machines: a script tracker's schedule, verdict and way of ending. Checkers follow later.
export { nextDeadline, startTracker, step } from "./tracker.ts";
export type {
  Effect,
  Input,
  Phase,
  RunOutcome,
  ScriptCounts,
  ScriptStatus,
  ScriptTracker,
  ScriptTrackerConfig,
  Step,
} from "./types.ts";

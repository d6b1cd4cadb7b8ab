// The tracker machine's vocabulary: what goes in (Input), what it is (ScriptTracker), what comes out (Effect).
// Time is an argument and the deadline is part of the state: a timer that fires late, early or twice decides nothing.
import type { BatonEvent, Instant, Micros } from "@baton/domain";

/** What the machine needs of a `vrrp_script`. */
export interface ScriptTrackerConfig {
  readonly name: string;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
  /** `init_fail`: failed until `rise` runs succeeded. */
  readonly initFail: boolean;
}

/** `unknown`: no run has finished yet, so that whoever asks keeps the value it had (SAFETY S15). */
export type ScriptStatus = "unknown" | "up" | "down";

export interface ScriptTracker {
  readonly config: ScriptTrackerConfig;
  readonly status: ScriptStatus;
  /** keepalived's counter, 0 to rise+fall-1: `up` is at or above rise. */
  readonly result: number;
  /** How the last runs ended, and how many in a row did so. */
  readonly streak: { readonly success: boolean; readonly runs: number } | undefined;
  readonly phase: Phase;
  /** The next slot of the steady schedule: always a whole number of intervals after the first. */
  readonly nextRunAt: Instant;
  /** Number of the last run that was started; 0: none yet. */
  readonly run: number;
  readonly lastExit: string;
  readonly checkedAt: Instant | undefined;
  readonly counts: ScriptCounts;
}

export type Phase =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly startedAt: Instant; readonly timeoutAt: Instant }
  /** Its outcome is decided; the process group is still to go. */
  | { readonly kind: "ending"; readonly signals: number; readonly signalAt: Instant }
  /** The tracker is given up: nothing runs any more once the process group is gone. */
  | { readonly kind: "stopping"; readonly signals: number; readonly signalAt: Instant }
  | { readonly kind: "stopped" };

export interface ScriptCounts {
  /** Runs started. */
  readonly runs: number;
  /** Slots of the schedule without a run: the previous one had not finished, or this process was late. */
  readonly skipped: number;
  readonly timeouts: number;
  /** Finished runs that failed, timeouts included. */
  readonly failures: number;
  /** Finished runs. */
  readonly finished: number;
  /** Time that the finished runs took, together. */
  readonly duration: Micros;
}

/** How a run ended: `exit` in words ("exit 1", "signal SIGSEGV", "spawn ENOENT"). */
export interface RunOutcome {
  readonly success: boolean;
  readonly exit: string;
  readonly output: string;
}

export type Input =
  /** The armed deadline has come, and every exit that was waiting has been fed in before (SAFETY S2). `output`: what the running script has printed so far. */
  | { readonly type: "deadline-reached"; readonly output: string }
  /** The process of run number `run` has gone. */
  | { readonly type: "script-exited"; readonly run: number; readonly outcome: RunOutcome }
  /** A reload changed the numbers; command and user are the same. */
  | { readonly type: "configure"; readonly config: ScriptTrackerConfig }
  | { readonly type: "stop" };

/** In the order in which they are to be carried out. */
export type Effect =
  | { readonly type: "run-script"; readonly run: number }
  /** To the process group of the last run. */
  | { readonly type: "kill-script"; readonly signal: "SIGTERM" | "SIGKILL" }
  /** The status changed; the run that changed it started at `startedAt`. */
  | {
      readonly type: "append-event";
      readonly event: Extract<BatonEvent, { type: "script-failed" | "script-succeeded" }>;
      readonly startedAt: Instant;
    };

export interface Step {
  readonly state: ScriptTracker;
  readonly effects: readonly Effect[];
}

// The supervisor as data: what it is told, what it does, what it knows. No process, no clock.
import type { Instant } from "@baton/domain";
import type { Diagnostic } from "@baton/keepalived-conf";

export type ChildName = "nats" | "redis" | "control" | "dataplane" | "health" | "election" | "notifier" | "uplink";

export type Report =
  | { readonly type: "ready" }
  | { readonly type: "alive" }
  | { readonly type: "stopped" }
  | { readonly type: "config"; readonly generation: number }
  | { readonly type: "config-failed"; readonly exitCode: number; readonly diagnostics: readonly Diagnostic[] };

export type Input =
  | { readonly type: "begin" }
  /** The time that `wakeAt` asked for has come, and every message that waited has been taken in. */
  | { readonly type: "woke" }
  | { readonly type: "started"; readonly child: ChildName; readonly pid: number }
  /** It could not be started at all. */
  | { readonly type: "start-failed"; readonly child: ChildName; readonly error: string }
  | { readonly type: "exited"; readonly child: ChildName; readonly exit: string }
  | { readonly type: "reported"; readonly child: ChildName; readonly report: Report }
  /** Dataplane knows every lease that election has. */
  | { readonly type: "leases-known" }
  | { readonly type: "reload" }
  | { readonly type: "stop"; readonly reason: string; readonly exitCode: number };

export type Effect =
  | { readonly type: "start"; readonly child: ChildName; readonly restarts: number }
  /** Services by IPC, brokers by SIGTERM. */
  | { readonly type: "ask-to-stop"; readonly child: ChildName; readonly reason: string }
  | { readonly type: "kill"; readonly child: ChildName; readonly why: string }
  | { readonly type: "reload-config" }
  /** Every instance has left its initial state. */
  | { readonly type: "announce-ready" }
  | { readonly type: "announce-stopping"; readonly reason: string }
  | {
      readonly type: "note-death";
      readonly child: ChildName;
      readonly pid: number;
      readonly exit: string;
      readonly restarts: number;
    }
  | { readonly type: "reject-config"; readonly diagnostics: readonly Diagnostic[]; readonly fatal: boolean }
  /** Ask again and again, and say when it is so, for as long as the takeover is reclaiming. */
  | { readonly type: "await-leases" }
  | { readonly type: "note-taken-over" }
  /** Abandoned: there are processes that work on, for the next supervisor to take over. */
  | { readonly type: "end"; readonly exitCode: number; readonly abandoned: boolean };

export type ChildState =
  /** Not started; `startAt` undefined: until the configuration is there, or for good. */
  | { readonly kind: "down"; readonly startAt: Instant | undefined; readonly record: ChildRecord }
  | {
      readonly kind: "up";
      readonly pid: number;
      readonly since: Instant;
      readonly aliveAt: Instant;
      readonly record: ChildRecord;
    }
  /** Told to stop; killed at the deadline. */
  | { readonly kind: "stopping"; readonly pid: number; readonly deadline: Instant; readonly record: ChildRecord }
  /** Killed: only its exit is awaited, because two of one service must never run. */
  | { readonly kind: "killed"; readonly pid: number; readonly record: ChildRecord }
  /** Of an earlier supervisor: does its work, hears nothing from us, and waits for its turn to be replaced. */
  | { readonly kind: "adopted"; readonly pid: number; readonly record: ChildRecord }
  /** Was adopted, and killed to be started anew. */
  | { readonly kind: "replaced"; readonly pid: number; readonly record: ChildRecord };

export interface ChildRecord {
  /** Starts before this one, by an earlier supervisor of this run directory too. */
  readonly restarts: number;
  /** Deaths in a row, each soon after its start: they decide the pause. */
  readonly quickDeaths: number;
}

export interface Readiness {
  /** Who has said that it does its work. */
  readonly children: ReadonlySet<ChildName>;
  /** When it is announced although somebody is not ready: a notifier without its queue must not hold up the node. */
  readonly announceAt: Instant | undefined;
  readonly announced: boolean;
}

/** One adopted child after the other, so that what a single death does not interrupt is not interrupted. */
export interface Takeover {
  /** Whose turn it is, and whose will come. */
  readonly queue: readonly ChildName[];
  /**
   * turn: it may have to wait for the configuration. replacing: until it serves. reclaiming: it was dataplane, and the
   * election of before has yet to claim its leases anew.
   */
  readonly stage: "turn" | "replacing" | "reclaiming";
  /** When the stage is over, whatever has not come. */
  readonly until: Instant | undefined;
}

/** A stop that waits for the end of a takeover. */
export interface PendingStop {
  readonly reason: string;
  readonly exitCode: number;
  readonly by: Instant;
}

export interface SupervisorState {
  readonly phase: "running" | "stopping" | "ended";
  /** Control has validated and stored a configuration in this run. */
  readonly configured: boolean;
  readonly readiness: Readiness;
  /** Undefined when everybody who runs is a child of our own. */
  readonly takeover: Takeover | undefined;
  readonly pendingStop: PendingStop | undefined;
  readonly reason: string;
  readonly exitCode: number;
  readonly children: ReadonlyMap<ChildName, ChildState>;
  /** When it wanted to be woken; being later than that by much means that we were not scheduled ourselves. */
  readonly wakeAt: Instant | undefined;
}

export interface Step {
  readonly state: SupervisorState;
  readonly effects: readonly Effect[];
}

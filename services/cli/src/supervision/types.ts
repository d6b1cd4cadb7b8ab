// The supervisor as data: what it is told, what it does, what it knows. No process, no clock.
import type { Instant } from "@baton/domain";
import type { Diagnostic } from "@baton/keepalived-conf";

export type ChildName =
  | "nats"
  | "redis"
  | "control"
  | "dataplane"
  | "health"
  | "balancer"
  | "election"
  | "notifier"
  | "uplink";

export type Report =
  | { readonly type: "ready" }
  | { readonly type: "alive" }
  | { readonly type: "stopped" }
  /** `balances`: there is something for the balancer to do. */
  | { readonly type: "config"; readonly generation: number; readonly balances: boolean }
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
  | { readonly type: "end"; readonly exitCode: number };

export type ChildState =
  /** Not started; `startAt` undefined: until the configuration is there, or for good. */
  | { readonly kind: "down"; readonly startAt: Instant | undefined; readonly record: ChildRecord }
  | {
      readonly kind: "up";
      readonly pid: number;
      readonly since: Instant;
      readonly aliveAt: Instant;
      /** It has said something since it was started. */
      readonly heard: boolean;
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
export interface Replacement {
  readonly child: ChildName;
  /** The next one is not held up for longer. */
  readonly until: Instant;
}

export interface SupervisorState {
  readonly phase: "running" | "stopping" | "ended";
  /** Control has validated and stored a configuration in this run. */
  readonly configured: boolean;
  /** The configuration has virtual servers. */
  readonly balances: boolean;
  readonly readiness: Readiness;
  readonly replacing: Replacement | undefined;
  /** When a reload was asked for of which nothing has been heard yet. */
  readonly reloadAt: Instant | undefined;
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

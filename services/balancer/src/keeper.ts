// What the two engines have in common, as the core sees them: each is told what has changed, asks the kernel one thing
// after the other, and says what has come of it. Pure: the shell carries the questions out.
import type {
  ConnectionTimeouts,
  DaemonOperation,
  DestinationKey,
  DumpedDestination,
  DumpedService,
  Operation,
  ServiceKey,
  StopMode,
  SyncDaemon,
} from "@baton/ipvs";
import type { BalancerState, FlowService, Prefix, StrayFlows } from "@baton/nft-balancer";
import type { Story } from "./story.ts";

export type EngineName = "ipvs" | "nftables";

/** One thing that the kernel is asked for or told, in so small parts that the process hears others in between. */
export type Ask =
  | { readonly kind: "list-services" }
  | { readonly kind: "list-destinations"; readonly services: readonly ServiceKey[] }
  | { readonly kind: "count-connections"; readonly places: readonly Place[] }
  | { readonly kind: "change"; readonly operations: readonly Operation[] }
  | { readonly kind: "list-daemons" }
  | { readonly kind: "change-daemons"; readonly operations: readonly DaemonOperation[] }
  | { readonly kind: "read-timeouts" }
  | { readonly kind: "set-timeouts"; readonly timeouts: ConnectionTimeouts }
  /** Which state of all rules of the machine this is: a number that each change makes another one. */
  | { readonly kind: "rules-version" }
  | { readonly kind: "read-rules" }
  | { readonly kind: "run-rules"; readonly script: string }
  /** A part of it; the same is asked until all is done. `services`: as they are, by address; `sweeps`: all that was asked for there and is not led so. */
  | {
      readonly kind: "forget-flows";
      readonly flows: readonly StrayFlows[];
      readonly services: readonly FlowService[];
      readonly sweeps: boolean;
    };

/** `failed`: the kernel, or the program that speaks to it, gave no answer. */
export type Answer =
  | { readonly kind: "services"; readonly services: readonly Omit<DumpedService, "destinations">[] }
  /** In the order of the question. */
  | { readonly kind: "destinations"; readonly lists: readonly (readonly DumpedDestination[])[] }
  /** In the order of the question; undefined: no such server there. */
  | { readonly kind: "connections"; readonly connected: readonly (Connected | undefined)[] }
  /** In the order of the operations; undefined: done, otherwise why not. */
  | { readonly kind: "changed"; readonly errors: readonly (string | undefined)[] }
  | { readonly kind: "daemons"; readonly daemons: readonly SyncDaemon[] }
  | { readonly kind: "timeouts"; readonly timeouts: ConnectionTimeouts }
  | { readonly kind: "rules-version"; readonly version: number; readonly connected: readonly Prefix[] }
  | {
      readonly kind: "rules";
      readonly version: number;
      readonly state: BalancerState;
      /** Networks of this machine's interfaces. */
      readonly connected: readonly Prefix[];
    }
  | { readonly kind: "ran"; readonly version: number }
  | { readonly kind: "forgot"; readonly isDone: boolean }
  | { readonly kind: "failed"; readonly error: string };

/** One server of one service. */
export interface Place {
  readonly service: ServiceKey;
  readonly destination: DestinationKey;
}

/** `weight`: what the engine gives it now; undefined: it does not say. `active`: connections that may carry something. */
export interface Connected {
  readonly weight: number | undefined;
  readonly active: number;
}

/** What one destination weighs and carries, as last read. */
export interface Measured {
  readonly service: DumpedService;
  readonly destination: DumpedDestination;
}

export interface Keeper {
  readonly engine: EngineName;
  /** What is wanted of these services has changed. `urgent`: before everything else that waits. */
  want(names: Iterable<string>, story: Story, urgent: boolean): void;
  /** Compare with the kernel, and put right what is not as it is to be. */
  look(story: Story): void;
  /** What was given up after an error may be tried again. */
  retry(): void;
  /** Undefined: nothing is to be done now. The answer comes before the next question. */
  next(): Ask | undefined;
  take(ask: Ask, answer: Answer): void;
  /** Stories of which nothing waits any more, each once. */
  settled(): readonly Story[];
  /** From here on `next` leads to the end: nothing of ours is left, as `mode` says. */
  finish(mode: StopMode, story: Story): void;
  /** Names of what is ours, or may be, in the kernel; undefined: there is nothing to remember by name. */
  ownNames(): ReadonlySet<string> | undefined;
  /** Ours, in the kernel, as far as is known. */
  counts(): { readonly services: number; readonly destinations: number };
  /** What could not be done, and what cannot be carried; empty when all is well. */
  errors(): readonly string[];
  /** Entries that differed from what was left there, when last looked. */
  drift(): number;
  measured(): Iterable<Measured>;
}

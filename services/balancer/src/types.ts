// What the core is told, and what it has others do.
import type { VirtualServerState } from "@baton/contracts";
import type { BatonEvent, BatonEventOf, CauseRef, Instant } from "@baton/domain";
import type { StopMode } from "@baton/ipvs";
import type { Config } from "@baton/keepalived-conf";
import type { OwnSettings } from "./ipvs/ipvs-settings.ts";
import type { Answer, Ask } from "./keeper.ts";

export type Input =
  | { readonly type: "configured"; readonly config: Config }
  /** What health says of all virtual servers. */
  | { readonly type: "pools-told"; readonly states: readonly VirtualServerState[] }
  /** All that was heard in one turn. */
  | { readonly type: "pools-changed"; readonly changes: readonly PoolChange[] }
  /** Of the instance whose state the sync daemon follows; undefined: it has not decided yet. */
  | { readonly type: "master-told"; readonly isMaster: boolean | undefined; readonly cause: CauseRef | undefined }
  | { readonly type: "answered"; readonly ask: Ask; readonly answer: Answer; readonly elapsedMicros: number }
  /** What others say is wrong; empty: nothing any more. */
  | { readonly type: "noticed"; readonly errors: readonly string[] }
  /** Nothing is left to ask for. */
  | { readonly type: "idle" }
  /** Every few seconds. */
  | { readonly type: "tick" }
  /** Every second, while `isDraining`. */
  | { readonly type: "drain-tick" }
  | { readonly type: "stopped"; readonly mode: StopMode };

export type PoolChange =
  | {
      readonly kind: "destinations";
      readonly virtualServer: string;
      readonly change: Pick<BatonEventOf<"destinations-changed">["data"], "set" | "removed">;
      readonly cause: CauseRef;
    }
  | {
      readonly kind: "drain";
      readonly virtualServer: string;
      readonly server: string;
      readonly drain: "started" | "ended";
      readonly cause: CauseRef;
    };

export type Effect =
  /** A span from `startedAt` on belongs to it. */
  | {
      readonly type: "append";
      readonly event: BatonEvent;
      readonly cause: CauseRef | undefined;
      readonly startedAt: Instant;
      readonly error: string | undefined;
    }
  /** Health is to say everything again, beginning with all virtual servers. */
  | { readonly type: "ask-health" }
  /** Before anything else is done: the next process of this kind has to know it. */
  | { readonly type: "remember"; readonly own: OwnRecord };

/** What is ours in the kernel, or may be. */
export interface OwnRecord extends OwnSettings {
  /** `serviceName`s. */
  readonly services: readonly string[];
}

// What main and backstage say to each other. Plain data only: it travels by structured clone.
import type { EventEnvelope, ServiceName } from "@baton/domain";
import type { SpanRecord } from "@baton/telemetry";
import type { Settings } from "./settings.ts";

export interface BackstageData {
  readonly service: ServiceName;
  readonly node: string;
  readonly runDir: string;
  readonly stateDir: string;
  readonly version: string;
  /** Start of the main thread's process: a backstage thread that was replaced keeps it. */
  readonly epoch: number;
  /** This thread takes the place of one that died: what its journal says of an unclean end is our own doing. */
  readonly replaced: boolean;
}

export interface Batch {
  readonly sequence: number;
  readonly events: readonly EventEnvelope[];
  readonly spans: readonly SpanRecord[];
  /** JSON log lines without their newline. */
  readonly lines: readonly string[];
}

export type ToBackstage =
  | ({ readonly type: "batch" } & Batch)
  | { readonly type: "subscribe"; readonly id: number; readonly filter: string }
  | { readonly type: "unsubscribe"; readonly id: number }
  | { readonly type: "telemetry"; readonly otlp: Settings["otlp"] | null }
  | { readonly type: "flush"; readonly id: number; readonly boundMs: number }
  /** The process is about to end: write these lines now, then wake whoever waits on the first word of `done`. */
  | { readonly type: "last-words"; readonly lines: readonly string[]; readonly done: SharedArrayBuffer }
  | { readonly type: "close" };

export interface BackstageStanding {
  readonly connected: boolean;
  readonly backlog: number;
  readonly oldestAt: number | undefined;
  readonly malformed: number;
  readonly spansDropped: number;
  readonly linesDropped: number;
}

export type FromBackstage =
  /** Every batch up to this one is out of main's hands: its events are in the journal or in backstage's memory. */
  | { readonly type: "taken"; readonly sequence: number; readonly standing: BackstageStanding }
  | { readonly type: "event"; readonly id: number; readonly envelope: EventEnvelope }
  | { readonly type: "standing"; readonly standing: BackstageStanding }
  | { readonly type: "lost"; readonly count: number; readonly reason: string }
  | { readonly type: "flushed"; readonly id: number; readonly complete: boolean }
  | { readonly type: "closed" };

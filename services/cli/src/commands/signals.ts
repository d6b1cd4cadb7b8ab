// The signals that keepalived's users and tools send, by keepalived's names for them, and what each does here.
import type { DumpKind } from "@baton/host/configuration";

export type SignalAction =
  | { readonly type: "stop" }
  | { readonly type: "reload" }
  | { readonly type: "dump"; readonly what: DumpKind };

interface KeepalivedSignal {
  /** On Linux. A real-time one has no name in Node. */
  readonly number: number;
  readonly name: "SIGTERM" | "SIGHUP" | "SIGUSR1" | "SIGUSR2" | undefined;
  readonly action: SignalAction;
}

/** The names of `keepalived --signum`. Real-time signals are counted from 34 and 64, as in the GNU C library. */
export const keepalivedSignals = {
  STOP: { number: 15, name: "SIGTERM", action: { type: "stop" } },
  RELOAD: { number: 1, name: "SIGHUP", action: { type: "reload" } },
  DATA: { number: 10, name: "SIGUSR1", action: { type: "dump", what: "data" } },
  STATS: { number: 12, name: "SIGUSR2", action: { type: "dump", what: "stats" } },
  STATS_CLEAR: { number: 63, name: undefined, action: { type: "dump", what: "stats-clear" } },
  JSON: { number: 36, name: undefined, action: { type: "dump", what: "json" } },
} as const satisfies Readonly<Record<string, KeepalivedSignal>>;

export type KeepalivedSignalName = keyof typeof keepalivedSignals;

export const signalNames = Object.keys(keepalivedSignals) as readonly KeepalivedSignalName[];

export const isSignalName = (name: string): name is KeepalivedSignalName => Object.hasOwn(keepalivedSignals, name);

/** What `up` listens to beside SIGTERM, SIGINT and SIGHUP. */
export const dumpSignals: readonly { readonly signal: "SIGUSR1" | "SIGUSR2" | number; readonly what: DumpKind }[] = [
  { signal: "SIGUSR1", what: "data" },
  { signal: "SIGUSR2", what: "stats" },
  { signal: keepalivedSignals.STATS_CLEAR.number, what: "stats-clear" },
  { signal: keepalivedSignals.JSON.number, what: "json" },
];

// The IPC channel between `baton up` and a service. A lost channel is no command: services outlive their supervisor
// until a new one ends them or the leases run out (SAFETY S19).
import type { Diagnostic } from "@baton/keepalived-conf";
import { atCommonTimes } from "./common-times.ts";

/** The files that keepalived writes on a signal; `stats-clear`: and begins to count anew. */
export const dumpKinds = ["data", "stats", "stats-clear", "json"] as const;
export type DumpKind = (typeof dumpKinds)[number];

/** Why a service is told to stop while the node goes on: the configuration has nothing for it any more. */
export const notNeeded = "not needed any more";

export type SupervisorCommand =
  | { readonly type: "stop"; readonly reason: string }
  | { readonly type: "reload" }
  | { readonly type: "dump"; readonly what: DumpKind };

export type ServiceReport =
  | { readonly type: "ready" }
  | { readonly type: "alive" }
  | { readonly type: "stopped" }
  /** `balances`: there is something for the balancer to do. */
  | { readonly type: "config"; readonly generation: number; readonly balances: boolean }
  | { readonly type: "config-failed"; readonly exitCode: number; readonly diagnostics: readonly Diagnostic[] };

/** What is needed of `process`. */
export interface IpcProcess {
  readonly connected?: boolean | undefined;
  send?: ((message: ServiceReport, done: (error: Error | null) => void) => boolean) | undefined;
  on(event: "message", listener: (message: unknown) => void): unknown;
}

export interface SupervisorLink {
  report(report: ServiceReport): void;
  /** Like `report`; resolves when the message is in the pipe, or cannot be. */
  reportAndWait(report: ServiceReport): Promise<void>;
  close(): void;
}

/** A fifth of the silence after which the supervisor takes a service for hung. */
const aliveEveryMs = 3_000;
/** A stopped supervisor reads nothing: what it does not read must not pile up here. */
const unsentMax = 64;

export function openSupervisorLink(ipc: IpcProcess, onCommand: (command: SupervisorCommand) => void): SupervisorLink {
  let unsent = 0;
  const send = (report: ServiceReport, done: () => void): void => {
    if (ipc.connected !== true || ipc.send === undefined || unsent >= unsentMax) return done();
    unsent++;
    ipc.send(report, () => {
      unsent--;
      done();
    });
  };
  ipc.on("message", (message) => {
    const command = readCommand(message);
    if (command !== undefined) onCommand(command);
  });
  // From the main thread on purpose: a main thread that hangs is seen by its silence. One at a time.
  const alive = atCommonTimes(aliveEveryMs, () => {
    if (unsent === 0) send({ type: "alive" }, () => undefined);
  });
  return {
    report: (report) => send(report, () => undefined),
    reportAndWait: (report) => new Promise((resolve) => send(report, resolve)),
    close: () => alive.close(),
  };
}

function readCommand(message: unknown): SupervisorCommand | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  if (message.type === "reload") return { type: "reload" };
  if (message.type === "dump") {
    const what = dumpKinds.find((kind) => "what" in message && message.what === kind);
    return what === undefined ? undefined : { type: "dump", what };
  }
  if (message.type !== "stop") return undefined;
  const reason = "reason" in message && typeof message.reason === "string" ? message.reason : "stop";
  return { type: "stop", reason };
}

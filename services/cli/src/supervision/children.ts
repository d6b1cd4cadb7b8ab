// How each child is started and told to stop. Children have sessions of their own: no signal of the supervisor's
// terminal or service manager reaches them, only the supervisor ends them (SAFETY S6).
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import type { DumpKind } from "@baton/host";
import type { Report } from "./types.ts";

export interface Child {
  readonly pid: number;
  /** Asks; its end comes by `exited`. */
  stop(reason: string): void;
  kill(): void;
  reload(): void;
  dump(what: DumpKind): void;
}

export interface ChildListener {
  reported(report: Report): void;
  exited(exit: string): void;
}

/** Rejects when it cannot be started. */
export type Launch = (restarts: number, listener: ChildListener) => Promise<Child>;

export interface ServiceSpec {
  /** Compiled composition root of the service. */
  readonly main: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export const serviceCommand = (main: string): string[] => [process.execPath, main];

export const launchService =
  (spec: ServiceSpec): Launch =>
  async (restarts, listener) => {
    const [command = "", ...args] = serviceCommand(spec.main);
    const child = spawn(command, args, {
      detached: true,
      cwd: "/",
      // Standard output and error are our error output: log lines, which live on when we do not.
      stdio: ["ignore", 2, 2, "ipc"],
      env: { ...spec.env, BATON_RESTARTS: String(restarts) },
    });
    child.on("message", (message) => {
      const report = readReport(message);
      if (report !== undefined) listener.reported(report);
    });
    const pid = await started(child, listener);
    // A child that ended meanwhile cannot be told anything; its end is on its way.
    const send = (message: object): void => {
      if (child.connected) child.send(message, () => undefined);
    };
    return {
      pid,
      stop: (reason) => send({ type: "stop", reason }),
      kill: () => child.kill("SIGKILL"),
      reload: () => send({ type: "reload" }),
      dump: (what) => send({ type: "dump", what }),
    };
  };

export interface BrokerSpec {
  readonly argv: readonly string[];
  /** Taken over: closed when the broker has its own copy. */
  readonly log: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function launchBroker(spec: BrokerSpec, listener: ChildListener): Promise<Child> {
  const [command = "", ...args] = spec.argv;
  const child = spawn(command, args, {
    detached: true,
    cwd: "/",
    stdio: ["ignore", spec.log, spec.log],
    env: { ...spec.env },
  });
  closeSync(spec.log);
  const pid = await started(child, listener);
  return {
    pid,
    stop: () => child.kill("SIGTERM"),
    kill: () => child.kill("SIGKILL"),
    reload: () => undefined,
    dump: () => undefined,
  };
}

function started(child: ChildProcess, listener: ChildListener): Promise<number> {
  return new Promise((resolve, reject) => {
    // An error after the start concerns a message that could not be sent: the exit tells the rest.
    child.on("error", reject);
    child.on("exit", (code, signal) => listener.exited(signal ?? `code ${code ?? "unknown"}`));
    const { pid } = child;
    if (pid !== undefined) resolve(pid);
  });
}

const reportTypes: ReadonlySet<string> = new Set<Report["type"]>([
  "ready",
  "alive",
  "stopped",
  "config",
  "config-failed",
]);

/** Services are our own; what is none of their messages is dropped all the same. */
function readReport(message: unknown): Report | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  return typeof message.type === "string" && reportTypes.has(message.type) ? (message as Report) : undefined;
}

// A process that the lab started and that runs until it is told to stop. What it says goes to a file, which outlives it.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { childrenOf, killQuietly } from "./proc.ts";
import { waitFor } from "./wait.ts";

export interface Exit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface LabProcess {
  readonly name: string;
  /** As the machine knows it, not the router. */
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  log(): string;
  /** Waits until the log holds the pattern. */
  waitLog(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray>;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL when it has not ended by the deadline (which then shows in the exit). */
  stop(deadlineMs?: number): Promise<Exit>;
  kill(): Promise<Exit>;
}

export interface StartOptions {
  readonly name: string;
  readonly argv: readonly string[];
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The command runs as the only child of what is started (nsenter into a PID namespace). */
  readonly asChild?: boolean;
  /** Adds an IPC channel. */
  readonly onMessage?: ((message: unknown) => void) | undefined;
}

export interface StartedProcess extends LabProcess {
  send(message: object): void;
}

export async function startProcess(options: StartOptions): Promise<StartedProcess> {
  const [command = "", ...args] = options.argv;
  const log = openSync(options.logFile, "a");
  const child = spawn(command, args, {
    stdio: ["ignore", log, log, ...(options.onMessage === undefined ? [] : (["ipc"] as const))],
    env: { ...process.env, ...options.env },
  });
  closeSync(log);
  if (options.onMessage !== undefined) child.on("message", options.onMessage);
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
  exited.catch(() => undefined); // whoever waits gets it; nobody has to
  const pid = await pidOf(child, exited, options);
  return handleOf(child, pid, exited, options);
}

async function pidOf(child: ChildProcess, exited: Promise<Exit>, options: StartOptions): Promise<number> {
  const { pid } = child;
  if (pid === undefined) {
    await exited; // throws why it could not be started
    throw new Error(`${options.name} has no pid`);
  }
  if (options.asChild !== true) return pid;
  return waitFor(
    `the process of ${options.name}`,
    () => childrenOf(pid)[0] ?? (child.exitCode !== null ? pid : undefined),
    {
      everyMs: 1,
    },
  );
}

function handleOf(child: ChildProcess, pid: number, exited: Promise<Exit>, options: StartOptions): StartedProcess {
  const { name, logFile } = options;
  const log = (): string => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const signal = (which: NodeJS.Signals): void => {
    if (isRunning()) killQuietly(pid, which);
  };
  const end = async (which: NodeJS.Signals, deadlineMs: number): Promise<Exit> => {
    signal(which);
    const late = setTimeout(() => signal("SIGKILL"), deadlineMs);
    const exit = await exited;
    clearTimeout(late);
    return exit;
  };
  return {
    name,
    pid,
    logFile,
    exited,
    get running() {
      return isRunning();
    },
    log,
    waitLog: (pattern, deadlineMs) =>
      waitFor(
        `${name} to say ${pattern}`,
        () => {
          const found = pattern.exec(log());
          if (found !== null) return found;
          if (!isRunning()) throw new Error(`${name} has ended without saying ${pattern}:\n${log().slice(-2000)}`);
          return undefined;
        },
        deadlineMs === undefined ? {} : { deadlineMs },
      ),
    signal,
    stop: (deadlineMs = 10_000) => end("SIGTERM", deadlineMs),
    kill: () => end("SIGKILL", 10_000),
    send: (message) => {
      if (child.connected) child.send(message);
    },
  };
}

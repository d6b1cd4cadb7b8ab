// Runs one command as keepalived runs its scripts: no shell between, a process group of its own, stdin from /dev/null.
// The first bytes of what it prints are kept; the rest is read and thrown away, so that nothing that the script leaves
// running is ever stopped by a full or closed pipe while Baton lives.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { openPipe, type UserIds } from "@baton/linux";
import type { Environment } from "./command.ts";

export interface ScriptRequest {
  readonly argv: readonly string[];
  /** Undefined: as Baton itself. Otherwise without any supplementary group. */
  readonly ids: UserIds | undefined;
  readonly environment: Environment;
  /** How much of the output is kept. */
  readonly outputBytesMax: number;
  /** Once, when the process has gone or could not be started; never before `startScript` has returned. */
  onExit(end: ScriptEnd): void;
}

export interface ScriptEnd {
  readonly success: boolean;
  /** "exit 0", "exit 1", "signal SIGKILL", "spawn ENOENT". */
  readonly exit: string;
  readonly output: string;
}

export interface RunningScript {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** What it has printed so far, cut at outputBytesMax. */
  output(): string;
  /** To the whole process group, also after the leader has gone. */
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

export function startScript(request: ScriptRequest): RunningScript {
  const started = spawnWithPipe(request);
  if (started instanceof Error) {
    const end: ScriptEnd = { success: false, exit: spawnFailure(started), output: started.message };
    process.nextTick(() => request.onExit(end));
    return { pid: undefined, output: () => "", signal: () => undefined };
  }
  const { child, captured } = started;
  // Node reports either an error (nothing was started) or an exit.
  child.once("error", (error) => {
    if (child.pid === undefined) request.onExit({ success: false, exit: spawnFailure(error), output: captured.text() });
  });
  child.once("exit", (code, signal) => {
    const exit = signal === null ? `exit ${code}` : `signal ${signal}`;
    captured.drain();
    request.onExit({ success: code === 0, exit, output: captured.text() });
  });
  const { pid } = child;
  return { pid, output: captured.text, signal: (signal) => signalGroup(pid, signal) };
}

interface Captured {
  text(): string;
  /** Takes in what is in the pipe now: an exit may be heard of before the last words are. */
  drain(): void;
}

function spawnWithPipe(request: ScriptRequest): { child: ChildProcess; captured: Captured } | Error {
  const [file, ...words] = request.argv;
  if (file === undefined) return new Error("the command is empty");
  try {
    const { read, write } = openPipe();
    const captured = capture(read, request.outputBytesMax);
    try {
      const child = spawn(file, words, {
        // Its own session: a signal to Baton's terminal or group is none of the script's business.
        detached: true,
        stdio: ["ignore", write, write],
        cwd: "/",
        env: request.environment,
        ...(request.ids === undefined ? {} : { uid: request.ids.uid, gid: request.ids.gid }),
      });
      return { child, captured };
    } finally {
      closeSync(write);
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Reads until nobody holds the other end any more: that may be long after the script has gone. */
function capture(descriptor: number, bytesMax: number): Captured {
  let kept = Buffer.alloc(0);
  const keep = (chunk: Buffer): void => {
    if (kept.length < bytesMax) kept = Buffer.concat([kept, chunk.subarray(0, bytesMax - kept.length)]);
  };
  const reader = new Socket({ fd: descriptor, readable: true, writable: false });
  reader.on("data", keep);
  // A read error costs the rest of the output, nothing else.
  reader.on("error", () => reader.destroy());
  reader.unref();
  return {
    text: () => kept.toString("utf8").trimEnd(),
    drain() {
      // Once destroyed, the number may be another file's.
      while (kept.length < bytesMax && !reader.destroyed) {
        const chunk = Buffer.alloc(bytesMax - kept.length);
        const length = readWaiting(descriptor, chunk);
        if (length === 0) return;
        keep(chunk.subarray(0, length));
      }
    },
  };
}

/** The socket has made the descriptor non-blocking: an empty pipe is EAGAIN. */
function readWaiting(descriptor: number, into: Buffer): number {
  try {
    return readSync(descriptor, into);
  } catch {
    return 0;
  }
}

function spawnFailure(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return `spawn ${code ?? error.message}`;
}

function signalGroup(pid: number | undefined, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the whole group has gone. EPERM: what is left runs as somebody else; nobody can do more.
  }
}

// keepalived without --dont-fork: whoever starts it gets the terminal back when it runs, and its exit code when it does not.
import { spawn } from "node:child_process";
import { closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Console } from "./console.ts";

export interface BackgroundOptions {
  readonly console: Console;
  /** What starts it in the foreground. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Log lines go here; undefined: where our own go. */
  readonly log: string | undefined;
  /** It has written its pid files, or taken up its work in another way. */
  isRunning(pid: number): boolean;
}

const askMillis = 20;

export async function runInBackground({ console, argv, env, log, isRunning }: BackgroundOptions): Promise<number> {
  const [command = "", ...words] = argv;
  const output = log === undefined ? undefined : openLog(log);
  const child = spawn(command, words, {
    detached: true,
    stdio: ["ignore", output ?? "ignore", output ?? "inherit"],
    env: { ...env },
  });
  if (output !== undefined) closeSync(output);
  const { pid } = child;
  const exited = new Promise<number>((resolve) => {
    child.once("error", (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once("exit", (code) => resolve(code ?? 1));
  });
  if (pid === undefined) return exited;
  const timer: { handle?: NodeJS.Timeout } = {};
  const running = new Promise<number>((resolve) => {
    timer.handle = setInterval(() => isRunning(pid) && resolve(0), askMillis);
  });
  const code = await Promise.race([exited, running]);
  clearInterval(timer.handle);
  child.unref();
  if (code !== 0 && log !== undefined) console.error(`it ended with ${code}: see ${log}`);
  return code;
}

/** Log lines name addresses and instances: for root's eyes, and through no link that somebody else has made. */
function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = constants;
  return openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600);
}

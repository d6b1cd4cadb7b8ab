// MISC_CHECK: a program's exit status. The attempt is over when the program is gone: what takes too long, or is not wanted
// any more, is ended with its whole process group, SIGTERM first.
import type { ProbeOutcome } from "@baton/health";
import type { MiscCheckerConfig } from "@baton/keepalived-conf";
import { argvOf, type Environment, type Identity, type ScriptEnd, startScript } from "@baton/script";
import { type Attempt, printable, runAttempt } from "./attempt.ts";

export const limits = {
  /** Of what the program prints. */
  outputBytesMax: 1_024,
  /** From SIGTERM to SIGKILL, as keepalived; and so long again nobody waits for what not even that has ended. */
  killMillis: 2_000,
} as const;

/** As whom, and with what. */
export interface ProgramSurroundings {
  readonly identity: Identity;
  readonly environment: Environment;
  /** Hears which process group it is, once. */
  readonly onStarted?: (pid: number | undefined) => void;
}

export async function probeMisc(
  config: MiscCheckerConfig,
  surroundings: ProgramSurroundings,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  let gone: Promise<void> | undefined;
  const outcome = await runAttempt(signal, (attempt) => {
    gone = runProgram(attempt, config, surroundings);
  });
  await gone;
  return outcome;
}

/** Resolves when the program has gone. */
function runProgram(
  attempt: Attempt,
  { command, timeout, dynamic }: MiscCheckerConfig,
  { identity, environment, onStarted }: ProgramSurroundings,
): Promise<void> | undefined {
  // Never as somebody else than the configuration says.
  if (!identity.ok) {
    attempt.block("spawn", identity.reason);
    return undefined;
  }
  const { ids } = identity;
  return new Promise((resolve) => {
    let exited = false;
    let timer: NodeJS.Timeout | undefined;
    const script = startScript({
      argv: argvOf(command),
      ids,
      environment,
      outputBytesMax: limits.outputBytesMax,
      onExit: (end) => {
        exited = true;
        // Of what was ended the children are, too.
        if (attempt.isOver()) script.signal("SIGKILL");
        clearTimeout(timer);
        judge(attempt, end, dynamic);
        resolve();
      },
    });
    onStarted?.(script.pid);
    attempt.release(() => {
      if (exited) return;
      script.signal("SIGTERM");
      timer = setTimeout(() => {
        script.signal("SIGKILL");
        timer = setTimeout(resolve, limits.killMillis);
      }, limits.killMillis);
    });
    attempt.allow(timeout, () => attempt.fail("timeout", { excerpt: printable(script.output()) }));
  });
}

function judge(attempt: Attempt, { exit, output }: ScriptEnd, dynamic: boolean): void {
  const [kind, value = ""] = exit.split(" ");
  const excerpt = printable(output);
  if (kind === "spawn") return attempt.block("spawn", output);
  if (kind === "signal") return attempt.fail("signal", { detail: value, excerpt });
  const status = Number(value);
  // keepalived: with misc_dynamic 2 to 255 are the weight and two more, 0 leaves the configured one.
  if (dynamic && status >= 2) attempt.succeed({ weight: status - 2 });
  else if (status === 0) attempt.succeed();
  else attempt.fail("exit-status", { status, excerpt });
}

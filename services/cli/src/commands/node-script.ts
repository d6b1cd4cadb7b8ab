// `startup_script` and `shutdown_script`: a program before the first service starts, and one when the last has ended and
// every address is gone. Neither keeps the node from anything: one that fails, or takes too long, is told and no more; and a
// node that is to stop before it has started ends the script that it waits for.
import type { Host } from "@baton/host";
import type { ScriptUser, TimedCommand } from "@baton/keepalived-conf";
import type { UserIds } from "@baton/linux";
import { argvOf, type Environment, identityOf, type ScriptEnd, startScript, type UserLookup } from "@baton/script";

export interface NodeScriptParts {
  /** `script_user`. */
  readonly scriptUser: ScriptUser | undefined;
  readonly lookup: UserLookup;
  readonly own: UserIds;
  readonly environment: Environment;
  readonly log: Pick<Host["log"], "info" | "warn">;
  /** Between SIGTERM and SIGKILL for one that takes too long. */
  readonly graceMillis: number;
  /** From then on nobody waits for it. */
  readonly giveUp?: AbortSignal;
}

const outputBytesMax = 4_096;

/** Resolves when the script has ended, or has been ended; at once where there is none. */
export async function runNodeScript(
  what: "startup_script" | "shutdown_script",
  script: TimedCommand | undefined,
  parts: NodeScriptParts,
): Promise<void> {
  if (script === undefined) return;
  const { log } = parts;
  const identity = identityOf(script.command, parts.scriptUser, parts.lookup, parts.own);
  if (!identity.ok) return log.warn(`${what} cannot run`, { cause: identity.reason });
  log.info(`${what} runs`, { timeoutMs: script.timeout / 1_000 });
  const { success, exit, output } = await endOf(script, identity.ids, parts);
  if (success) log.info(`${what} has ended`, { exit });
  else log.warn(`${what} failed`, { exit, output });
}

function endOf(script: TimedCommand, ids: UserIds | undefined, parts: NodeScriptParts): Promise<ScriptEnd> {
  return new Promise((resolve) => {
    const { giveUp } = parts;
    const timers: NodeJS.Timeout[] = [];
    let endedFor: string | undefined;
    const running = startScript({
      argv: argvOf(script.command),
      ids,
      environment: parts.environment,
      outputBytesMax,
      onExit: (end) => {
        for (const timer of timers) clearTimeout(timer);
        giveUp?.removeEventListener("abort", onGiveUp);
        // What it has started itself is to end with it.
        if (endedFor !== undefined) running.signal("SIGKILL");
        resolve(endedFor === undefined ? end : { ...end, success: false, exit: `${endedFor}: ${end.exit}` });
      },
    });
    const end = (reason: string): void => {
      if (endedFor !== undefined) return;
      endedFor = reason;
      running.signal("SIGTERM");
      timers.push(setTimeout(() => running.signal("SIGKILL"), parts.graceMillis));
    };
    const onGiveUp = (): void => end("no longer waited for");
    timers.push(setTimeout(end, script.timeout / 1_000, "timed out"));
    giveUp?.addEventListener("abort", onGiveUp);
    if (giveUp?.aborted === true) onGiveUp();
  });
}

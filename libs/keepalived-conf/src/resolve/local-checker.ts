// Checkers that look at this machine rather than at the real server: programs, files, BFD sessions.
import type { BfdCheckerConfig, FileCheckerConfig, MiscCheckerConfig } from "../config.ts";
import { checkers } from "../keywords/checker.ts";
import { type Block, isSet, setting, settings, value } from "../syntax/tree.ts";
import { missingAccount, toScriptUser } from "./account.ts";
import { type CheckedServer, type CheckerContext, resolveTimes } from "./check-times.ts";
import { type CommandSource, resolveCommand } from "./command.ts";
import { reject } from "./context.ts";

export function resolveMisc(
  block: Block,
  server: CheckedServer,
  context: CheckerContext,
): MiscCheckerConfig | undefined {
  const { path, timeout, dynamic } = checkers.MISC_CHECK.keywords;
  const user = resolveUser(block, context);
  if (user === "none") return undefined;
  const script = setting(block, path);
  if (script === undefined) {
    reject(
      context,
      block.place,
      "no-script",
      "MISC_CHECK has no misc_path and is left out",
      'write misc_path "COMMAND"',
    );
    return undefined;
  }
  const source = { script: script.value, place: script.place, what: "misc_path", role: "server-check", user } as const;
  const command = resolveCommand(source, context);
  const given = value(block, timeout);
  return (
    command && {
      type: "MISC_CHECK",
      ...resolveTimes("MISC_CHECK", [block], server, context),
      command,
      timeout: given === undefined || given === 0 ? server.serviceLoop : given,
      dynamic: isSet(block, dynamic),
    }
  );
}

/** The last `user`; `none` where any of them does not exist, and the checker goes. */
function resolveUser(block: Block, context: CheckerContext): CommandSource["user"] | "none" {
  let user: CommandSource["user"];
  for (const line of settings(block, checkers.MISC_CHECK.keywords.user)) {
    user = { value: toScriptUser(line.value, context.defaults.supplementaryGroups), place: line.place };
    const missing = missingAccount(user.value, context);
    if (missing === undefined) continue;
    reject(context, line.place, "unknown-user", `MISC_CHECK: ${missing}; the check is left out`);
    return "none";
  }
  return user;
}

export function resolveFile(block: Block, context: CheckerContext): FileCheckerConfig | undefined {
  const { trackFile, weight } = checkers.FILE_CHECK.keywords;
  let found: { readonly name: string; readonly weight: number; readonly reverse: boolean } | undefined;
  for (const line of settings(block, trackFile)) {
    const file = context.files.get(line.value);
    if (file?.state === "works" && file.order < line.order) found = { ...file, name: line.value };
    else {
      const message = `there is no track_file ${line.value} above this line`;
      reject(context, line.place, "track-file", message, "define it before the virtual server");
    }
  }
  if (found === undefined) {
    reject(context, block.place, "no-track-file", "FILE_CHECK follows no track_file and is left out");
    return undefined;
  }
  const own = value(block, weight);
  return {
    type: "FILE_CHECK",
    trackFile: found.name,
    weight: own?.weight ?? found.weight,
    reverse: own?.reverse ?? found.reverse,
  };
}

/** `followed`: the sessions that other checkers of the real server follow. */
export function resolveBfd(
  block: Block,
  server: CheckedServer,
  context: CheckerContext,
  followed: ReadonlySet<string>,
): BfdCheckerConfig | undefined {
  const { name, alpha } = checkers.BFD_CHECK.keywords;
  const lines = settings(block, name);
  const refuse = (line: { readonly place: Block["place"] }, what: string): undefined => {
    reject(context, line.place, "bfd-session", `BFD_CHECK ${what}; the check is left out`);
    return undefined;
  };
  const [first, second] = lines;
  const [session, surplus] = first?.value ?? [];
  if (first === undefined) return refuse(block, "names no bfd_instance");
  if (session === undefined || surplus !== undefined) return refuse(first, "has to name one bfd_instance");
  if ((context.sessions.get(session)?.order ?? Number.POSITIVE_INFINITY) > first.order)
    return refuse(first, `: there is no bfd_instance ${session} for checkers above this line`);
  if (followed.has(session)) return refuse(first, `: another one of this real server follows ${session}`);
  if (second !== undefined) return refuse(second, `follows ${session} already`);
  return { type: "BFD_CHECK", session, alpha: value(block, alpha) ?? server.alpha };
}

// As whom programs run: names of the file, and whether the machine knows them.
import type { ScriptUser } from "../config.ts";
import { globalDefs } from "../keywords/global-defs.ts";
import type { Account } from "../keywords/line-arguments.ts";
import { type Block, setting, value } from "../syntax/tree.ts";
import { type ResolveContext, reject } from "./context.ts";

const { keywords } = globalDefs;

/** A `:` before the group asks for supplementary groups, too; alone it names no group. */
export function toScriptUser({ user, group }: Account, supplementaryGroups: boolean): ScriptUser {
  return {
    user,
    group: group === ":" ? undefined : group?.replace(/^:/, ""),
    supplementaryGroups: supplementaryGroups || group?.startsWith(":") === true,
  };
}

export function missingAccount({ user, group }: ScriptUser, { machine }: ResolveContext): string | undefined {
  if (user === "" || machine.userExists?.(user) === false) return `there is no user ${user || "without a name"}`;
  const isMissing = group === "" || (group !== undefined && machine.groupExists?.(group) === false);
  return isMissing ? `there is no group ${group || "without a name"}` : undefined;
}

const conventionalUser = "keepalived_script";

export interface DefaultUser {
  readonly scriptUser: ScriptUser | undefined;
  /** Scripts without a user of their own do not run: the default user does not exist, and root is not allowed. */
  readonly scriptUserMissing: boolean;
}

/** Who scripts run as that name nobody. */
export function resolveDefaultUser(globals: Block, secure: boolean, context: ResolveContext): DefaultUser {
  const given = setting(globals, keywords.scriptUser);
  const groups = value(globals, keywords.supplementaryGroups) ?? false;
  const { machine } = context;
  if (given === undefined) {
    if (machine.userExists?.(conventionalUser) === true)
      return {
        scriptUser: toScriptUser({ user: conventionalUser, group: undefined }, groups),
        scriptUserMissing: false,
      };
    return { scriptUser: undefined, scriptUserMissing: secure && machine.userExists !== undefined };
  }
  const scriptUser = toScriptUser(given.value, groups);
  const missing = missingAccount(scriptUser, context);
  if (missing === undefined) return { scriptUser, scriptUserMissing: false };
  const hint = "scripts without a user of their own do not run";
  reject(context, given.place, "unknown-user", `script_user: ${missing}`, hint);
  return { scriptUser: undefined, scriptUserMissing: true };
}

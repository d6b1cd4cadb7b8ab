// A command of the configuration -> what is executed, as whom, and with which environment.
import type { Command, ScriptUser } from "@baton/keepalived-conf";
import type { UserIds } from "@baton/linux";

/** keepalived's own choice when neither the command nor `script_user` names one, and such a user exists. */
const conventionalUser = "keepalived_script";

/**
 * The words to execute. Words that Baton appends (`notify` gets INSTANCE, the name …) come last, under a shell too:
 * there "$@" stands behind the text as if they had been written there.
 */
export function argvOf(command: Command, appended: readonly string[] = []): string[] {
  if (command.run === "exec") return [...command.argv, ...appended];
  const text = appended.length === 0 ? command.text : `${command.text} "$@"`;
  return ["bash", "-c", text, "bash", ...appended];
}

export type UserLookup = (user: string, group: string | undefined) => UserIds | undefined;

/** Who is not found may only be out of reach: asked about again after this many milliseconds. */
const unknownMillis = 60_000;

/**
 * Asking the name service takes 20 ms, and seconds where it does not answer, and whoever asks stands still meanwhile: once
 * for each user of a configuration, and once a minute for one who is not there. `millis`: a clock.
 */
export function rememberUsers(ask: UserLookup, millis: () => number = () => performance.now()): UserLookup {
  const known = new Map<string, { readonly ids: UserIds | undefined; readonly until: number }>();
  return (user, group) => {
    const key = `${user}:${group ?? ""}`;
    const before = known.get(key);
    if (before !== undefined && millis() < before.until) return before.ids;
    const ids = ask(user, group);
    known.set(key, { ids, until: ids === undefined ? millis() + unknownMillis : Number.POSITIVE_INFINITY });
    return ids;
  };
}

/** `ids` undefined: as Baton itself. */
export type Identity =
  | { readonly ok: true; readonly ids: UserIds | undefined }
  | { readonly ok: false; readonly reason: string };

/** keepalived: the user of the command, else `script_user`, else `keepalived_script` if there is such a user, else itself. */
export function identityOf(
  command: Command,
  scriptUser: ScriptUser | undefined,
  lookup: UserLookup,
  own: UserIds,
): Identity {
  const named = command.user ?? scriptUser;
  const found =
    named === undefined ? lookup(conventionalUser, undefined) : lookup(named.user, named.group ?? undefined);
  if (found === undefined) {
    if (named === undefined) return { ok: true, ids: undefined };
    const group = named.group === undefined ? "" : ` or group ${named.group}`;
    return { ok: false, reason: `there is no user ${named.user}${group}` };
  }
  // Asking the kernel for what one already is fails without privileges.
  if (found.uid === own.uid && found.gid === own.gid) return { ok: true, ids: undefined };
  return { ok: true, ids: found };
}

/** keepalived keeps these from scripts: they change what a shell or the loader does. */
const withheld = ["IFS", "LD_PRELOAD", "LD_LIBRARY_PATH"];
/** Node's and Baton's own. */
const internal = /^(NODE_|BATON_|NOTIFY_SOCKET$|WATCHDOG_)/;
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export type Environment = Readonly<Record<string, string | undefined>>;

export function scriptEnvironment(from: Environment): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    if (value !== undefined && !withheld.includes(name) && !internal.test(name)) kept[name] = value;
  }
  // A bare command name is looked up here, as execvp(3) does.
  kept.PATH ??= defaultPath;
  return kept;
}

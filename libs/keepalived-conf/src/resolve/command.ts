// Command lines of the file → what is run. keepalived executes programs, never a shell: `[[ -f x ]] && exit 1` is no
// program, and it drops such a script. Its authors meant the shell, so Baton runs it under bash, and says so.
import type { Command, ScriptUser } from "../config.ts";
import type { ScriptLine } from "../keywords/script-argument.ts";
import { type ScriptWeakness, weaknessText } from "../machine.ts";
import type { Place } from "../report.ts";
import { missingAccount, toScriptUser } from "./account.ts";
import { adjust, advise, inform, type ResolveContext, reject } from "./context.ts";
import type { Defaults } from "./defaults.ts";

export interface CommandContext extends ResolveContext {
  readonly defaults: Defaults;
  /** Programs that would run, and where they are named: what script security is about. */
  readonly programs: Place[];
}

export interface CommandSource {
  readonly script: ScriptLine;
  readonly place: Place;
  /** As in "vrrp_script chk" or "notify_master of VI_1". */
  readonly what: string;
  /**
   * What keepalived makes of a program that is missing, and of a user that is. `check`: it complains about both and drops
   * the script. `event`: it only logs it. `program`: it complains about the user, and only logs the other; so it does for
   * a `server-check`, and drops it.
   */
  readonly role: "check" | "server-check" | "event" | "program";
  /** `user` of the script's block, and where it stands. */
  readonly user?: { readonly value: ScriptUser; readonly place: Place } | undefined;
}

/** undefined: the script cannot run; reported. */
export function resolveCommand(source: CommandSource, context: CommandContext): Command | undefined {
  const runner = resolveRunner(source, context);
  return runner && resolveCommandAs(source, runner, context);
}

/** As whom a script runs. */
export interface Runner {
  /** undefined: as this process's own user. */
  readonly user: ScriptUser | undefined;
}

export function resolveCommandAs(
  source: CommandSource,
  { user }: Runner,
  context: CommandContext,
): Command | undefined {
  const { script, place, what } = source;
  if (script.surplus.length > 0) {
    const words = script.surplus.join(" ");
    advise(
      context,
      place,
      "lint/unquoted-command",
      `${what}: '${words}' is not a part of the command`,
      "put the whole command into double quotes",
    );
  }
  const run = chooseRun(source, context);
  if (run === undefined) return undefined;
  // Inside the double quotes of the file a double quote can only be written with a backslash; the shell is to see it bare.
  const text = run === "shell" ? script.text.replaceAll('\\"', '"') : script.text;
  const command = { text, argv: script.argv, run, user };
  const program = script.argv[0] ?? "";
  const weakness = run === "shell" ? undefined : context.machine.scriptWeakness?.(program, user?.user);
  return weakness === undefined || allowInsecure(source, weakness, context) ? command : undefined;
}

function allowInsecure(
  { place, what, role }: CommandSource,
  weakness: ScriptWeakness,
  context: CommandContext,
): boolean {
  if (weakness.reason === "link") {
    // keepalived 2.2 ran it, and so do we: /bin is a link wherever it is one with /usr/bin.
    const say = role === "check" ? adjust : inform;
    const advice = { hint: "write the path that the link leads to" };
    say(
      context,
      place,
      "script-link",
      `${what}: ${weaknessText(weakness)}; keepalived 2.4 runs nothing below it as root`,
      advice,
    );
    return true;
  }
  const message = `${what}: ${weaknessText(weakness)}, so others can change what runs as root`;
  const hint = "give the file and all directories above it to root, without write permission for others";
  if (!context.defaults.enableScriptSecurity) advise(context, place, "lint/insecure-script", message, hint);
  else reject(context, place, "lint/insecure-script", `${message}; it does not run`, hint);
  return !context.defaults.enableScriptSecurity;
}

/** undefined: there is no such user or group; reported. */
export function resolveRunner(source: CommandSource, context: CommandContext): Runner | undefined {
  const { script, what, role } = source;
  const { supplementaryGroups } = context.defaults;
  const { user: name, group } = script;
  const own = name === undefined ? source.user?.value : toScriptUser({ user: name, group }, supplementaryGroups);
  const place = name === undefined ? (source.user?.place ?? source.place) : source.place;
  if (own !== undefined) {
    const missing = missingAccount(own, context);
    if (missing === undefined) return { user: own };
    const hint =
      script.user === undefined
        ? undefined
        : `a command with arguments has to be quoted: "${script.text} ${script.user}"`;
    const say = role === "event" ? advise : reject;
    say(context, place, "unknown-user", `${what}: ${missing}; it does not run`, hint);
    return undefined;
  }
  if (!context.defaults.scriptUserMissing) return { user: context.defaults.scriptUser };
  const say = role === "event" ? advise : reject;
  say(
    context,
    place,
    "unknown-user",
    `${what}: its default user does not exist; it does not run`,
    "create keepalived_script, or write script_user",
  );
  return undefined;
}

function chooseRun(source: CommandSource, context: CommandContext): Command["run"] | undefined {
  const { script, place, what, role } = source;
  const program = script.argv[0] ?? "";
  // `</path`: keepalived only tries to open the file. A shell that redirects from it, and does nothing, does the same.
  if (/^<[ \t]*\//.test(program)) return "shell";
  const found = context.machine.executable?.(program) ?? !isShellWord(program);
  if (found) {
    context.programs.push(place);
    const operators = script.argv.slice(1).filter((word) => /^(&&|\|\|?|;|&|[<>]|>>|2>.*)$/.test(word));
    if (operators.length > 0) {
      advise(
        context,
        place,
        "lint/shell-operators",
        `${what}: ${operators[0]} is handed to ${program} as an argument`,
        `no shell is involved, as with keepalived; ask for one: "/bin/sh -c '…'"`,
      );
    }
    return "exec";
  }
  if (isShellText(script)) {
    const say = role === "check" ? adjust : advise;
    say(
      context,
      place,
      "lint/shell-syntax-script",
      `${what} is no program but shell; it runs under bash`,
      `keepalived does not run it; for both, write "/bin/bash -c '…'"`,
    );
    return "shell";
  }
  if (role === "event" || role === "program") {
    inform(
      context,
      place,
      "lint/script-not-found",
      `${what}: ${program} is not there or not executable yet`,
      "it is tried whenever it is due",
    );
    return "exec";
  }
  const isFile = program.includes("/") && context.machine.fileKind?.(program) === "file";
  // keepalived only logs that somebody may not run it.
  const tell = role === "check" && !isFile ? reject : advise;
  const reason = isFile ? "is not executable" : "is not found or not executable";
  const effect = role === "check" ? "it does not run" : "without this check the server counts as alive";
  const hint = isFile ? `chmod +x ${program}` : "give the whole path of an executable file";
  tell(context, place, "lint/script-not-found", `${what}: ${program} ${reason}; ${effect}`, hint);
  return undefined;
}

/** Words of the shell that are no programs anywhere. `[` and `test` are programs too. */
const shellWords = new Set(
  "[[ (( ( { ! . : if for while until case select function time exit return set unset export local eval exec source cd ulimit trap shift".split(
    " ",
  ),
);

const isShellWord = (word: string): boolean => shellWords.has(word) || /^\(|^[A-Za-z_][A-Za-z0-9_]*=/.test(word);

const isShellText = ({ text, argv }: ScriptLine): boolean =>
  isShellWord(argv[0] ?? "") || argv[0] === "[" || argv[0] === "test" || /&&|[|;<>`]|\$\(|\$\{?[A-Za-z_?]/.test(text);

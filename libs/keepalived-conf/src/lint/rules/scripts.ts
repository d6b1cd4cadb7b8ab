// Scripts: what keepalived would not run, and who could change what runs as root.
import type { Command } from "../../config.ts";
import { weaknessText } from "../../machine.ts";
import { commandsIn } from "../commands.ts";
import { block, file, router } from "../example.ts";
import type { LintRule } from "../rule.ts";

const checkedBy = (...script: readonly string[]): string =>
  file(block("vrrp_script chk", ...script), router(block("track_script", "chk")));

const shellSyntax: LintRule = {
  name: "shell-syntax-script",
  title: "A command that is shell, not a program",
  severity: "warning",
  why:
    "keepalived starts programs, never a shell: it drops a script that begins with [[, with a variable or with another " +
    "word that only a shell knows, and the check never runs. Baton runs it under bash. Write the shell down to have the " +
    "same with both.",
  bad: { text: checkedBy('script "[[ -f /etc/keepalived/down ]] && exit 1 || exit 0"') },
  good: { text: checkedBy("script \"/bin/bash -c '[[ ! -f /etc/keepalived/down ]]'\"") },
  by: "parser",
};

const shellOperators: LintRule = {
  name: "shell-operators",
  title: "A program gets shell operators as arguments",
  severity: "warning",
  why:
    "There is no shell that would carry out && or a pipe: the program gets them as words, and most likely fails, or " +
    "succeeds for the wrong reason. Ask for a shell.",
  bad: { text: checkedBy('script "/bin/systemctl is-active haproxy || exit 1"') },
  good: { text: checkedBy("script \"/bin/sh -c '/bin/systemctl is-active haproxy || exit 1'\"") },
  by: "parser",
};

const insecureScript: LintRule = {
  name: "insecure-script",
  title: "Somebody else than root can change a script that runs as root",
  severity: "warning",
  why:
    "Whoever can write to the program, or to a directory above it, or owns one of them, becomes root with the next " +
    "check. keepalived with enable_script_security does not run such a script, without it does. The diagnostic names the " +
    "part of the path. Give it to root, without write permission for others; or run the script as another user.",
  bad: { text: checkedBy('script "/opt/checks/haproxy"') },
  good: { text: checkedBy('script "/usr/local/libexec/check-haproxy"') },
  by: "parser",
};

const insecureArgument: LintRule = {
  name: "insecure-argument",
  title: "Somebody else than root can change a script that a shell runs as root",
  severity: "warning",
  why:
    "Where a shell or another interpreter is started with the name of a script, keepalived looks at the interpreter only, " +
    "with enable_script_security too. Whoever can write to the script, or to a directory above it, becomes root with the " +
    "next check. Give it to root, without write permission for others; or run it as another user.",
  bad: { text: checkedBy('script "/bin/sh /opt/checks/haproxy.sh"') },
  good: { text: checkedBy('script "/bin/sh /usr/local/libexec/check-haproxy.sh"') },
  by: "lint",
  check: ({ config, places, machine: { pathWeakness } }) =>
    commandsIn(config, places).map(({ command, place, what }) => {
      const path = runsAsRoot(command) ? interpretedScript(command) : undefined;
      const weakness = path === undefined ? undefined : pathWeakness?.(path);
      if (weakness === undefined) return undefined;
      const message = `${what}: ${weaknessText(weakness)}, so others can change what ${command.argv[0]} runs as root`;
      return {
        place,
        message,
        hint: "give the file and all directories above it to root, without write permission for others",
      };
    }),
};

const runsAsRoot = ({ run, user }: Command): boolean => run === "exec" && (user === undefined || user.user === "root");

const interpreters = /^(?:.*\/)?(?:(?:ba|da|k|z)?sh|python[\d.]*|perl|ruby|php|lua|node)$/;

/** The first argument that is no option, where it is a path. */
function interpretedScript({ argv: [program = "", ...args] }: Command): string | undefined {
  const [first] = args.filter((word) => !word.startsWith("-"));
  return interpreters.test(program) && !args.includes("-c") && first?.startsWith("/") === true ? first : undefined;
}

const missingScript: LintRule = {
  name: "script-not-found",
  title: "A program that is not there, or is not executable",
  severity: "info",
  why:
    "A notify script that cannot be started is tried again with each change of state, and logged only. A check that " +
    "cannot be started is dropped, and what it guards goes unwatched: that is an error. Name the whole path of an " +
    "executable file.",
  bad: { text: file(router('notify_master "/etc/keepalived/notify.sh master"')) },
  good: { text: file(router('notify_master "/bin/logger master"')) },
  by: "parser",
};

const unquotedCommand: LintRule = {
  name: "unquoted-command",
  title: "Words behind a command are no arguments of it",
  severity: "warning",
  why:
    "A command with arguments is one word, in double quotes. Without them, the first word is the command; the next ones are " +
    "the user and the group that it runs as, or nothing at all.",
  bad: { text: checkedBy("script /usr/bin/pgrep haproxy") },
  good: { text: checkedBy('script "/usr/bin/pgrep haproxy"') },
  by: "parser",
};

export const scriptRules: readonly LintRule[] = [
  shellSyntax,
  shellOperators,
  unquotedCommand,
  insecureScript,
  insecureArgument,
  missingScript,
];

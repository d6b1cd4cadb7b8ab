// Words that are a command: `CMD [USER [GROUP]]`, split by the script tokeniser (grammar section 4).
import type { Report } from "../report.ts";
import { splitScript } from "../source/script-words.ts";
import { lenientlyMissing } from "./arguments.ts";
import { incomplete } from "./line-arguments.ts";
import { missingWord } from "./missing-word.ts";
import type { Argument, KeywordLine } from "./table.ts";

export interface ScriptLine {
  /** The command as written, without the quotes that hold it together. */
  readonly text: string;
  readonly argv: readonly string[];
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** Words that nobody reads. */
  readonly surplus: readonly string[];
}

interface ScriptOptions {
  /** USER and GROUP may follow the command. */
  readonly takesUser: boolean;
  /** `maybe`: keepalived goes on without it; `must`: it ends (grammar section 6). */
  readonly command: "must" | "maybe";
  /** An empty command is an error, too, and not only nothing. */
  readonly refuseEmpty?: boolean;
}

export const script = (options: ScriptOptions): Argument<ScriptLine> => ({
  syntax: options.takesUser ? "CMD [USER [GROUP]]" : "CMD",
  range: "a command with arguments has to be quoted",
  required: options.command === "must" ? 1 : 0,
  script: true,
  parse: (line, report) => parseScript(line, report, options),
});

/** A script that runs on an event, as another user if need be. */
export const eventScript = script({ takesUser: true, command: "must" });

/** keepalived complains where it is missing, and goes on. */
export const optionalScript = lenientlyMissing(eventScript);

/** As `optionalScript`, and it complains of an empty one just so. */
export const startScript = lenientlyMissing(script({ takesUser: true, command: "must", refuseEmpty: true }));

function parseScript(line: KeywordLine, report: Report, options: ScriptOptions): ScriptLine | undefined {
  const { takesUser, command, refuseEmpty = false } = options;
  const refuse = (reason: string) =>
    report({
      place: line.at(),
      severity: "error",
      code: "script-syntax",
      errorClass: "unmatched-quote",
      message: `${line.keyword.text}: the command cannot be read: ${reason}`,
      hint: 'put the whole command into double quotes: "COMMAND ARGUMENT …"',
    });
  const words = splitScript(line.text.value, false);
  if (!words.ok) {
    refuse(words.reason);
    return undefined;
  }
  const [, text, ...rest] = words.words;
  if (text === undefined) {
    // As in `notify"/x"`: two words for the parser, one for the script tokeniser.
    if (command === "must") report(missingWord(line, "CMD"));
    return undefined;
  }
  const argv = splitScript(text, true);
  if (!argv.ok) refuse(argv.reason);
  if (!argv.ok) return undefined;
  if (argv.words.length === 0) return refuseEmpty ? incomplete(line, report, "CMD") : undefined;
  const [user, group, ...surplus] = takesUser ? rest : [undefined, undefined, ...rest];
  return { text, argv: argv.words, user, group, surplus: surplus.filter((word) => word !== undefined) };
}

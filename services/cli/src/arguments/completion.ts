// Completions for bash and zsh, made of the command table: what can be parsed can be completed. The words of the
// configuration language stand in the script itself, so that no process is started when somebody presses Tab.
import { type CommandSpec, commands, type OptionSpec, type Value } from "./command-table.ts";
import { labelOf } from "./help.ts";

export interface Vocabulary {
  /** What `--explain` takes. */
  readonly keywords: readonly string[];
  readonly blocks: readonly string[];
}

const specs: readonly CommandSpec[] = Object.values(commands);
const help: OptionSpec = { name: "help", short: "h", meaning: "the options of this command" };
const optionsOf = ({ options }: CommandSpec): readonly OptionSpec[] => [...options, help];
const dashed = ({ name, short }: OptionSpec): string[] => [...(short === undefined ? [] : [`-${short}`]), `--${name}`];
/** Names of the language and of commands hold nothing that a shell reads; what would is left out. */
const safe = (words: readonly string[]): string => words.filter((word) => /^[\w./@+-]+$/.test(word)).join(" ");
const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A script for the shell to read. */
export const completionScript = (shell: "bash" | "zsh", vocabulary: Vocabulary): string =>
  `${(shell === "bash" ? bashScript(vocabulary) : zshScript(vocabulary)).join("\n")}\n`;

// --- bash -----------------------------------------------------------------------------------------------------------------

function bashScript({ keywords, blocks }: Vocabulary): string[] {
  return [
    "# Completions of baton for bash; made by `baton completion bash`.",
    `_baton_keywords=${single(safe(keywords))}`,
    `_baton_blocks=${single(safe(blocks))}`,
    "",
    '_baton_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }',
    "_baton_files() {",
    "  compopt -o filenames 2>/dev/null",
    '  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")',
    "}",
    "",
    "_baton() {",
    `  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}`,
    "  COMPREPLY=()",
    "  # readline makes three words of --option=value",
    '  if [[ $cur == = ]]; then cur=""',
    `  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi`,
    "  if ((COMP_CWORD == 1)); then",
    `    _baton_words ${single(safe([...specs.map(({ name }) => name), "help", "--help", "--version"]))} "$cur"`,
    "    return",
    "  fi",
    `  case \${COMP_WORDS[1]} in`,
    ...specs.flatMap((spec) => bashCommand(spec).map((line) => `    ${line}`)),
    `    help) _baton_words ${single(safe(specs.map(({ name }) => name)))} "$cur" ;;`,
    "  esac",
    "}",
    "complete -F _baton baton",
  ];
}

function bashCommand(spec: CommandSpec): string[] {
  const valued = optionsOf(spec).flatMap((option) =>
    option.value === undefined ? [] : [`${dashed(option).join("|")}) ${bashValue(option.value)}; return ;;`],
  );
  const flags = `_baton_words ${single(safe(optionsOf(spec).flatMap(dashed)))} "$cur"`;
  const rest = spec.positional === undefined ? flags : bashValue(spec.positional.value);
  return [
    `${spec.name})`,
    ...(valued.length === 0 ? [] : ["  case $prev in", ...valued.map((line) => `    ${line}`), "  esac"]),
    ...(rest === flags ? [`  ${flags} ;;`] : [`  if [[ $cur == -* ]]; then ${flags}; else ${rest}; fi ;;`]),
  ];
}

function bashValue(value: Value): string {
  switch (value.kind) {
    case "file":
      return '_baton_files -f "$cur"';
    case "directory":
      return '_baton_files -d "$cur"';
    case "choice":
      return `_baton_words ${single(safe(value.choices))} "$cur"`;
    case "keyword":
      return '_baton_words "$_baton_keywords" "$cur"';
    case "block":
      return '_baton_words "$_baton_blocks" "$cur"';
    default:
      return ":";
  }
}

// --- zsh ------------------------------------------------------------------------------------------------------------------

function zshScript({ keywords, blocks }: Vocabulary): string[] {
  return [
    "#compdef baton",
    "# Completions of baton for zsh; made by `baton completion zsh`.",
    `typeset -ga _baton_keywords=(${safe(keywords)})`,
    `typeset -ga _baton_blocks=(${safe(blocks)})`,
    "",
    "_baton() {",
    "  local -a baton_commands=(",
    ...specs.map(({ name, summary }) => `    ${single(`${name}:${summary.replaceAll(":", "\\:")}`)}`),
    "  )",
    "  if ((CURRENT == 2)); then",
    "    _describe command baton_commands",
    "    return",
    "  fi",
    "  local baton_command=$words[2]",
    "  shift words",
    "  ((CURRENT--))",
    "  case $baton_command in",
    ...specs.flatMap((spec) => zshCommand(spec).map((line) => `    ${line}`)),
    "    help) _describe command baton_commands ;;",
    "  esac",
    "}",
    "",
    "# In a directory of $fpath the file is the function; read by source it only defines it.",
    'if [[ $funcstack[1] == _baton ]]; then _baton "$@"; else compdef _baton baton; fi',
  ];
}

function zshCommand(spec: CommandSpec): string[] {
  const options = optionsOf(spec).flatMap((option) => {
    // A list has one line for each: what comes after the first clause stands in --help.
    const meaning = (option.meaning.split(/[:;,(]/)[0] ?? "").trim().replaceAll(/[[\]\\]/g, "\\$&");
    const value = option.value === undefined ? "" : zshValue(option.value);
    return dashed(option).map((word) => single(`${option.multiple === true ? "*" : ""}${word}[${meaning}]${value}`));
  });
  const { positional } = spec;
  const rest = positional === undefined ? [] : [single(`${positional.many ? "*" : "1"}${zshValue(positional.value)}`)];
  return [`${spec.name})`, "  _arguments \\", `    ${[...options, ...rest].join(" \\\n        ")} ;;`];
}

function zshValue(value: Value): string {
  const label = value.kind === "choice" ? "which" : labelOf(value);
  switch (value.kind) {
    case "file":
      return `:${label}:_files`;
    case "directory":
      return `:${label}:_files -/`;
    case "choice":
      return `:${label}:(${safe(value.choices)})`;
    case "keyword":
      return `:${label}: compadd -a _baton_keywords`;
    case "block":
      return `:${label}: compadd -a _baton_blocks`;
    default:
      return `:${label}: `;
  }
}

// Help texts, made of the command table.
import { type CommandSpec, commands, type OptionSpec, type Value } from "./command-table.ts";

const columnsMax = 120;

export const labelOf = (value: Value): string => (value.kind === "choice" ? value.choices.join("|") : value.label);

const optionWords = ({ name, short, value }: OptionSpec): string =>
  `${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value.kind === "choice" ? "WHICH" : labelOf(value)}`}`;

/** `baton check FILE… [options]`. */
function synopsis({ name, positional, options }: CommandSpec): string {
  const words = positional === undefined ? [] : [`${labelOf(positional.value)}${positional.many ? "…" : ""}`];
  const required = name === "up" ? ["--config FILE"] : [];
  const more = options.length > required.length ? ["[options]"] : [];
  return ["baton", name, ...required, ...words, ...more].join(" ");
}

/** The list of commands. */
export function usage(): string {
  const rows = Object.values<CommandSpec>(commands).map((command) => [synopsis(command), command.summary] as const);
  const width = Math.max(...rows.map(([words]) => words.length)) + 2;
  const lines = rows.map(([words, summary]) => `  ${words.padEnd(width)}${summary}`);
  return [
    "baton: keepalived for fleets",
    "",
    ...lines,
    "",
    "  baton keepalived [options]    the same under keepalived's command line",
    "  baton COMMAND --help    the options of a command",
    "  baton --version",
    "",
  ].join("\n");
}

/** All about one command. */
export function helpOf(command: CommandSpec): string {
  const rows = command.options.map((option) => [optionWords(option), meaningOf(option)] as const);
  const width = Math.max(0, ...rows.map(([words]) => words.length)) + 2;
  const options = rows.flatMap(([words, meaning]) => {
    const [first = "", ...rest] = wrap(meaning, columnsMax - width - 2);
    return [`  ${words.padEnd(width)}${first}`, ...rest.map((line) => `  ${" ".repeat(width)}${line}`)];
  });
  const notes = command.notes.flatMap((note) => ["", ...wrap(note, columnsMax - 2).map((line) => `  ${line}`)]);
  const blank = options.length === 0 ? [] : [""];
  return [`${synopsis(command)}: ${command.summary}`, ...blank, ...options, ...notes, ""].join("\n");
}

function meaningOf({ value, meaning, multiple }: OptionSpec): string {
  const choices = value?.kind === "choice" ? `${value.choices.join(", ")}: ` : "";
  return `${choices}${meaning}${multiple === true ? " (may be given several times)" : ""}`;
}

/** Lines of at most `width` characters, broken between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

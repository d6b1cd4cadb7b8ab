// The command line → a Command. Wrong words are one sentence, never a stack trace.
import { isIP } from "node:net";
import { type ParseArgsConfig, parseArgs } from "node:util";
import { messageOf } from "@baton/domain";
import { isSignalName, type KeepalivedSignalName } from "../commands/signals.ts";
import { type CommandName, type CommandSpec, commands, defaults, isCommandName } from "./command-table.ts";
import { helpOf, labelOf, usage } from "./help.ts";
import { keepalivedCommand } from "./keepalived-command.ts";

export interface UpCommand {
  readonly type: "up";
  readonly config: string;
  /** The host's name when absent. */
  readonly name: string | undefined;
  /** For `@ID` lines; the node's name up to its first dot when absent. */
  readonly id: string | undefined;
  readonly runDir: string;
  readonly stateDir: string;
  readonly settings: string | undefined;
  readonly readyFile: string | undefined;
  readonly pidFiles: readonly string[];
  /** Started by keepalived's command line: with its pid files, and not a second time under them. */
  readonly asKeepalived?: AsKeepalived;
}

export interface AsKeepalived {
  /** keepalived's own place when undefined. */
  readonly pidFile: string | undefined;
  readonly vrrpPidFile: string | undefined;
  readonly checkersPidFile: string | undefined;
  /** `-I`: virtual services stay in the kernel at the end. */
  readonly keepsServices: boolean;
  readonly ignoresInterrupt: boolean;
  /** Where it runs, whatever `net_namespace` says. */
  readonly netNamespace: string | undefined;
}

export interface KeepalivedCommand {
  readonly type: "keepalived";
  readonly up: UpCommand;
  readonly isInBackground: boolean;
  readonly logFile: string | undefined;
  readonly logsToConsole: boolean;
  /** What is asked for and does not happen. */
  readonly notes: readonly string[];
}

/** `keepalived --config-test`. */
export interface ConfigTestCommand {
  readonly type: "config-test";
  readonly file: string;
  readonly id: string | undefined;
  readonly netNamespace: string | undefined;
  /** Where the diagnostics go; standard error when undefined. */
  readonly log: string | undefined;
}

export type When = "auto" | "always" | "never";

export interface CheckCommand {
  readonly type: "check";
  readonly files: readonly string[];
  readonly peers: readonly string[];
  readonly peerIds: readonly string[];
  /** baton.yaml. */
  readonly settings: string | undefined;
  readonly id: string | undefined;
  readonly strict: boolean;
  readonly lint: boolean;
  readonly json: boolean;
  readonly color: When;
}

export interface ExplainCommand {
  readonly type: "explain";
  readonly keyword: string;
  readonly json: boolean;
  readonly color: When;
}

export interface FormatCommand {
  readonly type: "fmt";
  /** `-`: standard input. */
  readonly files: readonly string[];
  readonly mode: "print" | "check" | "write";
}

export interface PlanCommand {
  readonly type: "plan";
  readonly file: string;
  readonly runDir: string;
  readonly json: boolean;
  readonly color: When;
}

export interface KeywordsCommand {
  readonly type: "keywords";
  readonly block: string | undefined;
  readonly support: string | undefined;
  readonly json: boolean;
  readonly color: When;
}

export interface EventsCommand {
  readonly type: "events";
  readonly runDir: string;
  readonly json: boolean;
  readonly follow: boolean;
  readonly limit: number;
  readonly eventType: string;
}

export interface StatusCommand {
  readonly type: "status";
  readonly runDir: string;
  readonly json: boolean;
  readonly servers: boolean;
}

export interface DrainCommand {
  readonly type: "drain";
  readonly server: string;
  /** "": wherever the server is. */
  readonly virtualServer: string;
  /** 0: none. */
  readonly deadlineMs: number;
  readonly undo: boolean;
  readonly wait: boolean;
  readonly runDir: string;
  readonly json: boolean;
}

export interface GenhashCommand {
  readonly type: "genhash";
  /** An address, or a name to be looked up. */
  readonly server: string;
  readonly port: number;
  readonly path: string;
  readonly tls: boolean;
  /** Server Name Indication; undefined: none. */
  readonly serverName: string | undefined;
  /** The Host header; undefined: address and port. */
  readonly host: string | undefined;
  readonly protocol: "1.0" | "1.0c" | "1.1";
  /** 0: none. */
  readonly mark: number;
  readonly timeoutMs: number;
  readonly verbose: boolean;
}

export interface WhyCommand {
  readonly type: "why";
  readonly name: string;
  readonly limit: number;
  readonly runDir: string;
  readonly json: boolean;
}

export type Command =
  | UpCommand
  | CheckCommand
  | ExplainCommand
  | FormatCommand
  | PlanCommand
  | KeywordsCommand
  | StatusCommand
  | DrainCommand
  | GenhashCommand
  | WhyCommand
  | EventsCommand
  | KeepalivedCommand
  | ConfigTestCommand
  | { readonly type: "keepalived-help" | "keepalived-version" }
  | { readonly type: "signum"; readonly name: KeepalivedSignalName }
  | { readonly type: "completion"; readonly shell: "bash" | "zsh" }
  | { readonly type: "help"; readonly text: string }
  | { readonly type: "version" };

export type Parsed =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly message: string };

/** The words after `baton`. */
export function parseArguments(words: readonly string[]): Parsed {
  const [name = "", ...rest] = words;
  if (name === "" || name === "help" || name === "--help" || name === "-h") {
    const topic = rest[0] ?? "";
    return good({ type: "help", text: name === "help" && isCommandName(topic) ? helpOf(commands[topic]) : usage() });
  }
  if (name === "--version" || name === "version") return good({ type: "version" });
  if (name === "keepalived") {
    const command = keepalivedCommand(rest);
    return typeof command === "string" ? bad(`${command}; see baton keepalived --help`) : good(command);
  }
  if (!isCommandName(name)) return bad(`there is no command "${name}"; see baton --help`);
  const parsed = readWords(commands[name], rest);
  if (parsed === "help") return good({ type: "help", text: helpOf(commands[name]) });
  const command = typeof parsed === "string" ? parsed : commandOf[name](parsed);
  return typeof command === "string" ? bad(`${command}; see baton ${name} --help`) : good(command);
}

const good = (command: Command): Parsed => ({ ok: true, command });
const bad = (message: string): Parsed => ({ ok: false, message });

/** What was given, checked against the table. */
class Words {
  readonly files: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>, positionals: readonly string[]) {
    this.#values = values;
    this.files = positionals;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  word(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  all(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value : [];
  }

  get runDir(): string {
    return this.word("run-dir") ?? defaults.runDir;
  }

  get color(): When {
    const when = this.word("color");
    return when === "always" || when === "never" ? when : "auto";
  }
}

/** A sentence: what is wrong. */
function readWords(command: CommandSpec, words: readonly string[]): Words | string {
  const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean", short: "h" } };
  for (const { name, short, value, multiple } of command.options) {
    const type = value === undefined ? "boolean" : "string";
    options[name] = { type, multiple: multiple === true, ...(short === undefined ? {} : { short }) };
  }
  try {
    const { values, positionals } = parseArgs({ args: [...words], options, allowPositionals: true });
    if (values.help === true) return "help";
    return (
      wrongValue(command, values) ?? wrongPositional(command, values, positionals) ?? new Words(values, positionals)
    );
  } catch (error) {
    // parseArgs says what is wrong in its first sentence, and explains positionals in the next.
    const message = messageOf(error);
    return (message.split(". ")[0] ?? message).replaceAll("\n", " ");
  }
}

function wrongValue(command: CommandSpec, values: Readonly<Record<string, unknown>>): string | undefined {
  for (const { name, value } of command.options) {
    for (const given of [values[name]].flat()) {
      if (value === undefined || typeof given !== "string") continue;
      if (given === "") return `--${name} needs a value`;
      if (value.kind === "choice" && !value.choices.includes(given))
        return `--${name} ${given}: not one of ${value.choices.join(", ")}`;
      if (value.kind === "number" && !/^[1-9]\d{0,8}$/.test(given)) return `--${name} ${given}: not a number from 1 up`;
      if (value.kind === "duration" && durationMs(given) === undefined)
        return `--${name} ${given}: not a time such as 90s, 5m or 1h`;
    }
  }
  return undefined;
}

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** `90s`, `5m`, `1h`, and `90` as seconds; undefined: none of them, or 0, or more than a year. */
function durationMs(text: string): number | undefined {
  const [, digits, unit = "s"] = /^([1-9]\d{0,8})([smh])?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const length = Number(digits) * unitMs[unit as keyof typeof unitMs];
  return length <= 366 * 24 * unitMs.h ? length : undefined;
}

function wrongPositional(
  { positional }: CommandSpec,
  values: Readonly<Record<string, unknown>>,
  given: readonly string[],
): string | undefined {
  const surplus = positional === undefined ? given[0] : positional.many ? undefined : given[1];
  if (surplus !== undefined) return `unexpected "${surplus}"`;
  if (positional === undefined) return undefined;
  const { value, missing } = positional;
  // What is explained is no file.
  if (given.length === 0) return values.explain === undefined ? missing : undefined;
  if (given.includes("")) return "a name is empty";
  const [word = ""] = given;
  const wrong = value.kind === "choice" && !value.choices.includes(word);
  return wrong ? `"${word}" is not one of ${labelOf(value).replaceAll("|", ", ")}` : undefined;
}

type GenhashTarget = Pick<GenhashCommand, "server" | "port" | "path" | "tls" | "serverName" | "host">;

/** As genhash is told. */
function targetOfOptions(words: Words): GenhashTarget | string {
  const [server, port, path] = [words.word("server"), words.word("port"), words.word("url")];
  if (server === undefined || port === undefined || path === undefined)
    return "a URL is missing, or --server, --port and --url";
  if (isIP(server) === 0) return `--server ${server}: not an address`;
  if (Number(port) > 65_535) return `--port ${port}: not a port`;
  if (!isOneWord(path)) return "--url: a path has no spaces";
  const host = words.word("use-virtualhost");
  if (host !== undefined && !isOneWord(host)) return "--use-virtualhost: a name has no spaces";
  const [tls, isNamed] = [words.flag("use-ssl"), words.flag("use-sni")];
  if (isNamed && (!tls || host === undefined)) return "--use-sni needs --use-ssl and --use-virtualhost";
  return { server, port: Number(port), path, tls, serverName: isNamed ? host : undefined, host };
}

function targetOfUrl(text: string, words: Words): GenhashTarget | string {
  const other = ["server", "port", "url", "use-virtualhost"].find((name) => words.word(name) !== undefined);
  const flag = other ?? ["use-ssl", "use-sni"].find((name) => words.flag(name));
  if (flag !== undefined) return `--${flag} and a URL: one of them`;
  if (!URL.canParse(text)) return `"${text}" is not a URL`;
  const { protocol, hostname, port, pathname, search } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:") return `"${text}" is neither http: nor https:`;
  const tls = protocol === "https:";
  const server = hostname.replace(/^\[(.*)\]$/, "$1");
  const name = isIP(server) === 0 ? server : undefined;
  const path = `${pathname}${search}`;
  return { server, port: Number(port) || (tls ? 443 : 80), path, tls, serverName: tls ? name : undefined, host: name };
}

/** Nothing that would end the line of a request. */
const isOneWord = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** Each command of what its table allows; a string is what the table cannot tell. */
const commandOf: Readonly<Record<CommandName, (words: Words) => Command | string>> = {
  up(words) {
    const config = words.word("config");
    if (config === undefined) return "--config FILE is missing";
    return {
      type: "up",
      config,
      name: words.word("name"),
      id: words.word("id"),
      runDir: words.runDir,
      stateDir: words.word("state-dir") ?? defaults.stateDir,
      settings: words.word("settings"),
      readyFile: words.word("ready-file"),
      pidFiles: words.all("pid-file"),
    };
  },
  check(words) {
    const { files, color } = words;
    const json = words.flag("json");
    const keyword = words.word("explain");
    if (keyword !== undefined) {
      return files.length === 0
        ? { type: "explain", keyword, json, color }
        : `--explain takes no file: unexpected "${files[0]}"`;
    }
    return {
      type: "check",
      files,
      peers: words.all("peer"),
      peerIds: words.all("peer-id"),
      settings: words.word("settings"),
      id: words.word("id"),
      strict: words.flag("strict"),
      lint: !words.flag("no-lint"),
      json,
      color,
    };
  },
  fmt(words) {
    const { files } = words;
    const [check, write] = [words.flag("check"), words.flag("write")];
    if (check && write) return "--check writes nothing: give one of --check and --write";
    if (write && files.includes("-")) return "--write needs files: standard input cannot be written";
    if (files.length > 1 && !check && !write) return "several files need --check or --write";
    return { type: "fmt", files, mode: check ? "check" : write ? "write" : "print" };
  },
  plan(words) {
    const [file = ""] = words.files;
    if (file === "-") return "the node reads the file itself, and cannot read standard input";
    return { type: "plan", file, runDir: words.runDir, json: words.flag("json"), color: words.color };
  },
  keywords: (words) => ({
    type: "keywords",
    block: words.word("block"),
    support: words.word("support"),
    json: words.flag("json"),
    color: words.color,
  }),
  status: (words) => ({
    type: "status",
    runDir: words.runDir,
    json: words.flag("json"),
    servers: words.flag("servers"),
  }),
  drain(words) {
    const [server = ""] = words.files;
    const [undo, wait, deadline] = [words.flag("undo"), words.flag("wait"), words.word("deadline")];
    if (undo && wait) return "--undo is done at once: there is nothing to --wait for";
    if (undo && deadline !== undefined) return "--undo knows no --deadline";
    const { runDir } = words;
    const virtualServer = words.word("virtual-server") ?? "";
    const deadlineMs = deadline === undefined ? 0 : (durationMs(deadline) ?? 0);
    return { type: "drain", server, virtualServer, deadlineMs, undo, wait, runDir, json: words.flag("json") };
  },
  genhash(words) {
    const [url] = words.files;
    const target = url === undefined ? targetOfOptions(words) : targetOfUrl(url, words);
    if (typeof target === "string") return target;
    const protocol = words.word("protocol");
    const mark = Number(words.word("fwmark") ?? 0);
    const timeout = words.word("timeout");
    if (timeout !== undefined && (durationMs(timeout) ?? 0) > 3_600_000) return "--timeout: an hour at most";
    return {
      type: "genhash",
      ...target,
      protocol: protocol === "1.1" || protocol === "1.0c" ? protocol : "1.0",
      mark,
      timeoutMs: timeout === undefined ? 30_000 : (durationMs(timeout) ?? 0),
      verbose: words.flag("verbose"),
    };
  },
  why: (words) => ({
    type: "why",
    name: words.files[0] ?? "",
    limit: Number(words.word("limit") ?? defaults.whyLimit),
    runDir: words.runDir,
    json: words.flag("json"),
  }),
  events: (words) => ({
    type: "events",
    runDir: words.runDir,
    json: words.flag("json"),
    follow: words.flag("follow"),
    limit: Number(words.word("limit") ?? defaults.limit),
    eventType: words.word("type") ?? "",
  }),
  signum(words) {
    const [name = ""] = words.files;
    return isSignalName(name) ? { type: "signum", name } : `there is no signal "${name}"`;
  },
  completion: (words) => ({ type: "completion", shell: words.files[0] === "zsh" ? "zsh" : "bash" }),
};

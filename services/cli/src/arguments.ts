// The command line as data. Wrong words are one sentence, never a stack trace.
import { parseArgs } from "node:util";

export const defaults = { runDir: "/run/baton", stateDir: "/var/lib/baton" } as const;

export interface UpCommand {
  readonly type: "up";
  readonly config: string;
  /** The host's name when absent. */
  readonly name: string | undefined;
  readonly runDir: string;
  readonly stateDir: string;
  readonly settings: string | undefined;
  readonly readyFile: string | undefined;
}

export interface EventsCommand {
  readonly type: "events";
  readonly runDir: string;
  readonly json: boolean;
  readonly follow: boolean;
  readonly limit: number;
  readonly eventType: string;
}

export type Command =
  | UpCommand
  | { readonly type: "check"; readonly file: string; readonly json: boolean }
  | { readonly type: "status"; readonly runDir: string; readonly json: boolean }
  | EventsCommand
  | { readonly type: "help"; readonly text: string }
  | { readonly type: "version" };

export type Parsed =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly message: string };

const usage = `baton: keepalived for fleets

  baton up --config FILE        run one node in the foreground
  baton check FILE              say what is wrong with a configuration
  baton status                  who is master, priorities, addresses, services
  baton events [--follow]       what happened, in one sentence each
  baton --version

  baton COMMAND --help          the options of a command
`;

const help: Readonly<Record<string, string>> = {
  up: `baton up --config FILE [options]: run one node in the foreground, in the current network namespace

  --config FILE      keepalived.conf
  --name NODE        name of this node (default: the host's name)
  --run-dir DIR      sockets, lock, credentials (default: ${defaults.runDir})
  --state-dir DIR    applied configuration, events, queue (default: ${defaults.stateDir})
  --settings FILE    baton.yaml: what is Baton's own
  --ready-file FILE  made when every instance has left its initial state

  SIGHUP reloads the configuration. SIGTERM leaves: the address goes when the successor answers.
`,
  check: `baton check FILE [--json]: parse and validate a keepalived.conf

  Diagnostics are file:line:column: severity: message. Exit codes are those of keepalived -t: 0 good, 4 bad interface or
  fatal, 5 something is wrong, 6 not readable or insecure scripts, 2 a parameter is missing; 1 wrong command line.

  --json             one JSON object instead
`,
  status: `baton status [options]: who is master, priorities, addresses, services

  --run-dir DIR      the node's (default: ${defaults.runDir})
  --json             one JSON object instead
`,
  events: `baton events [options]: what happened, oldest first

  --follow           go on with what happens
  --limit N          only the last N stored events (default: 100)
  --type TYPE        only these, such as became-master
  --run-dir DIR      the node's (default: ${defaults.runDir})
  --json             one JSON object a line instead
`,
};

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const common = { help: { type: "boolean", short: "h" } } as const;

const optionsOf = {
  up: { ...common, config: text, name: text, "run-dir": text, "state-dir": text, settings: text, "ready-file": text },
  check: { ...common, json: flag },
  status: { ...common, json: flag, "run-dir": text },
  events: { ...common, json: flag, follow: { type: "boolean", short: "f" }, limit: text, type: text, "run-dir": text },
} as const;

type CommandName = keyof typeof optionsOf;
const isCommandName = (word: string): word is CommandName => Object.hasOwn(optionsOf, word);

/** The words after `baton`. */
export function parseArguments(words: readonly string[]): Parsed {
  const [name = "", ...rest] = words;
  if (name === "" || name === "help" || name === "--help" || name === "-h") {
    const topic = rest[0] ?? "";
    return good({ type: "help", text: name === "help" && isCommandName(topic) ? (help[topic] ?? usage) : usage });
  }
  if (name === "--version" || name === "version") return good({ type: "version" });
  if (!isCommandName(name)) return bad(`there is no command "${name}"; see baton --help`);
  const wrong = (message: string): Parsed => bad(`${message}; see baton ${name} --help`);
  try {
    const { values, positionals } = parseArgs({ args: rest, options: optionsOf[name], allowPositionals: true });
    const given = values as Readonly<Record<string, string | boolean | undefined>>;
    if (given.help === true) return good({ type: "help", text: help[name] ?? usage });
    const empty = Object.entries(given).find(([, value]) => value === "");
    if (empty !== undefined) return wrong(`--${empty[0]} needs a value`);
    if (name !== "check" && positionals[0] !== undefined) return wrong(`unexpected "${positionals[0]}"`);
    return commandOf(name, given, positionals, wrong);
  } catch (error) {
    // parseArgs says what is wrong in its first sentence, and explains positionals in the next.
    const message = error instanceof Error ? error.message : String(error);
    return wrong((message.split(". ")[0] ?? message).replaceAll("\n", " "));
  }
}

function commandOf(
  name: CommandName,
  given: Readonly<Record<string, string | boolean | undefined>>,
  positionals: readonly string[],
  wrong: (message: string) => Parsed,
): Parsed {
  const word = (option: string): string | undefined => {
    const value = given[option];
    return typeof value === "string" ? value : undefined;
  };
  const runDir = word("run-dir") ?? defaults.runDir;
  const json = given.json === true;
  switch (name) {
    case "up": {
      const config = word("config");
      if (config === undefined) return wrong("--config FILE is missing");
      return good({
        type: "up",
        config,
        name: word("name"),
        runDir,
        stateDir: word("state-dir") ?? defaults.stateDir,
        settings: word("settings"),
        readyFile: word("ready-file"),
      });
    }
    case "check": {
      const [file, more] = positionals;
      if (file === undefined) return wrong("the file to check is missing");
      return more === undefined ? good({ type: "check", file, json }) : wrong(`unexpected "${more}"`);
    }
    case "status":
      return good({ type: "status", runDir, json });
    case "events": {
      const limit = word("limit") ?? "100";
      if (!/^[1-9]\d{0,8}$/.test(limit)) return wrong(`--limit ${limit}: not a number from 1 up`);
      const follow = given.follow === true;
      return good({ type: "events", runDir, json, follow, limit: Number(limit), eventType: word("type") ?? "" });
    }
  }
}

const good = (command: Command): Parsed => ({ ok: true, command });
const bad = (message: string): Parsed => ({ ok: false, message });

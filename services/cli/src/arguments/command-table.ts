// Every command with its words, once: parsing, help and shell completion are derived from this table.
import { signalNames } from "../commands/signals.ts";

/** What may stand for a value: completion offers it, parsing checks it. */
export type Value =
  | { readonly kind: "text" | "file" | "directory" | "keyword" | "block"; readonly label: string }
  | { readonly kind: "number" | "duration"; readonly label: string }
  | { readonly kind: "choice"; readonly choices: readonly string[] };

export interface OptionSpec {
  /** Without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** Absent: a flag. */
  readonly value?: Value;
  readonly multiple?: boolean;
  readonly meaning: string;
}

export interface Positional {
  readonly value: Value;
  readonly many: boolean;
  /** What to say when it is missing; absent: it may be. */
  readonly missing?: string;
}

export interface CommandSpec {
  readonly name: string;
  /** As in the list of commands. */
  readonly summary: string;
  readonly positional?: Positional;
  readonly options: readonly OptionSpec[];
  /** What else one has to know, in paragraphs. */
  readonly notes: readonly string[];
}

export const defaults = { runDir: "/run/baton", stateDir: "/var/lib/baton", limit: 100, whyLimit: 20_000 } as const;

const text = (label: string): Value => ({ kind: "text", label });
const file: Value = { kind: "file", label: "FILE" };
const directory: Value = { kind: "directory", label: "DIR" };
const choice = (...choices: readonly string[]): Value => ({ kind: "choice", choices });

const runDir: OptionSpec = {
  name: "run-dir",
  value: directory,
  meaning: `the node's run directory (default: ${defaults.runDir})`,
};
const json = (meaning = "one JSON object instead"): OptionSpec => ({ name: "json", meaning });
const color: OptionSpec = {
  name: "color",
  value: choice("auto", "always", "never"),
  meaning: "auto (default): on a terminal, unless NO_COLOR is set",
};
const id = (meaning: string): OptionSpec => ({ name: "id", value: text("NAME"), meaning });

const up: CommandSpec = {
  name: "up",
  summary: "run one node in the foreground",
  options: [
    { name: "config", value: file, meaning: "keepalived.conf" },
    { name: "name", value: text("NODE"), meaning: "name of this node (default: the host's name)" },
    id("which @NAME lines of the file count, as keepalived's -i (default: the node's name up to its first dot)"),
    {
      name: "run-dir",
      value: directory,
      meaning: `sockets, lock, credentials (default: ${defaults.runDir})`,
    },
    {
      name: "state-dir",
      value: directory,
      meaning: `applied configuration, events, queue (default: ${defaults.stateDir})`,
    },
    { name: "settings", value: file, meaning: "baton.yaml: what is Baton's own" },
    { name: "ready-file", value: file, meaning: "made when every instance has left its initial state" },
    {
      name: "pid-file",
      value: file,
      multiple: true,
      meaning: "where the number of the process to signal is written; may be given again",
    },
  ],
  notes: [
    "It runs in the current network namespace, or in the one that net_namespace names, its bus and its metrics page too. SIGHUP reloads the configuration. SIGTERM leaves: the address goes when the successor answers.",
    "As keepalived, it writes on SIGUSR1 keepalived.data, on SIGUSR2 keepalived.stats, on SIGRTMAX-1 the same and counts anew, on SIGRTMIN+2 keepalived.json: into TMPDIR, or /tmp, or where the configuration says. baton signum has the numbers.",
  ],
};

const check: CommandSpec = {
  name: "check",
  summary: "say what is wrong with a configuration",
  positional: { value: file, many: true, missing: "the file to check is missing" },
  options: [
    { name: "strict", meaning: "warnings fail too, with 5" },
    { name: "json", meaning: "one JSON object a file instead" },
    id("which @NAME lines count, as keepalived's -i (default: the host's name up to its first dot)"),
    {
      name: "peer",
      value: file,
      multiple: true,
      meaning: "the file of another router of the set: what must be equal, what must differ",
    },
    {
      name: "peer-id",
      value: { kind: "text", label: "NAME" },
      multiple: true,
      meaning: "another router of the set that has the same files, and other @NAME lines",
    },
    { name: "settings", value: file, meaning: "baton.yaml: what it asks for has to fit the files" },
    { name: "no-lint", meaning: "only what keepalived itself would say, and what Baton does differently" },
    color,
    {
      name: "explain",
      value: { kind: "keyword", label: "KEYWORD" },
      meaning: "a keyword (or lint/RULE) instead of a file: what it means, and what Baton does with it",
    },
  ],
  notes: [
    "Several files are the routers of one set: they are checked against each other as well.",
    "Interfaces and their addresses are those of the network namespace that net_namespace names; otherwise those of where the command runs.",
    "Exit code, as keepalived -t: 0 good; 1 a wrong command line; 2 a parameter is missing; 4 Baton refuses something, or an interface of something static is missing; 5 something is wrong, warnings of keepalived included; 6 not readable, or insecure scripts. Of several files the highest counts.",
  ],
};

const fmt: CommandSpec = {
  name: "fmt",
  summary: "write a configuration in one layout",
  positional: { value: file, many: true, missing: "the file to format is missing; - is standard input" },
  options: [
    { name: "check", meaning: "write nothing; exit with 1 when a file would change" },
    { name: "write", meaning: "write the files instead of standard output" },
  ],
  notes: [
    "Comments, order and meaning stay. A file is replaced as a whole, with its mode and owner; included files are not followed. - reads standard input.",
    "Exit code: 0 all is well; 1 a file would change (--check); 2 a file cannot be read, written or laid out, and is left as it is.",
  ],
};

const plan: CommandSpec = {
  name: "plan",
  summary: "say what a reload would change, and change nothing",
  positional: { value: file, many: false, missing: "the file to plan with is missing" },
  options: [runDir, json(), color],
  notes: [
    "The running node reads the file as it would for a reload, and compares it with what it runs.",
    "+ comes, - goes, ~ changes in place, ! begins again without what it knew.",
    "Exit code: 0 a reload would change nothing; 2 it would change something; 1 no node runs there, or the file cannot be used.",
  ],
};

const keywords: CommandSpec = {
  name: "keywords",
  summary: "every keyword of keepalived.conf, and what Baton does with it",
  options: [
    json("one JSON array instead"),
    { name: "block", value: { kind: "block", label: "BLOCK" }, meaning: "only what may stand in this block" },
    { name: "support", value: choice("works", "accepted", "refused"), meaning: "only what is carried out like this" },
    color,
  ],
  notes: [
    "works: carried out. accepted: read and checked, without effect. refused: a file that has it is not used. baton check --explain KEYWORD says more about one.",
  ],
};

const status: CommandSpec = {
  name: "status",
  summary: "who is master, priorities, addresses, services",
  options: [{ name: "servers", meaning: "every virtual server with its real servers, however many" }, runDir, json()],
  notes: [
    "Of more than 20 virtual servers only those are shown that something is wrong with; --servers and --json have all.",
  ],
};

const drain: CommandSpec = {
  name: "drain",
  summary: "take a real server out of service gently, or bring it back",
  positional: {
    value: text("SERVER"),
    many: false,
    missing: "the server to drain is missing: its address, or address:port",
  },
  options: [
    {
      name: "virtual-server",
      value: text("NAME"),
      meaning: "only in this one, as baton status names it (default: wherever the server is)",
    },
    {
      name: "deadline",
      value: { kind: "duration", label: "TIME" },
      meaning: "out after so long, whoever is still connected, such as 90s, 5m or 1h (default: when nobody is)",
    },
    { name: "undo", meaning: "back into service, with its weight" },
    { name: "wait", meaning: "come back when the server is out" },
    runDir,
    json(),
  ],
  notes: [
    "The server gets weight 0 at once: no new connections; those that it has go on. It is out when the last of them has ended, or at the deadline. Its checks go on. What was drained stays so, through restarts and reloads, until --undo.",
    "Exit code: 0 done; 1 no node runs there, nothing matches, or somebody undid it while --wait waited.",
  ],
};

const genhash: CommandSpec = {
  name: "genhash",
  summary: "the digest of a page, for HTTP_GET and SSL_GET; also as genhash does it",
  positional: { value: text("URL"), many: false },
  options: [
    {
      name: "server",
      short: "s",
      value: text("ADDRESS"),
      meaning: "the server, instead of a URL: with --port and --url",
    },
    { name: "port", short: "p", value: { kind: "number", label: "PORT" }, meaning: "its port" },
    { name: "url", short: "u", value: text("PATH"), meaning: "the path on it" },
    { name: "use-ssl", short: "S", meaning: "over TLS" },
    { name: "use-sni", short: "I", meaning: "with the name of --use-virtualhost in the TLS handshake" },
    {
      name: "use-virtualhost",
      short: "V",
      value: text("NAME"),
      meaning: "the Host header (default: address and port)",
    },
    {
      name: "protocol",
      short: "P",
      value: choice("1.0", "1.0c", "1.1"),
      meaning: "of HTTP (default: 1.0); 1.0c asks to close",
    },
    {
      name: "fwmark",
      short: "m",
      value: { kind: "number", label: "MARK" },
      meaning: "firewall mark of the connection",
    },
    { name: "timeout", short: "t", value: { kind: "duration", label: "TIME" }, meaning: "of each step (default: 30s)" },
    { name: "verbose", short: "v", meaning: "status, time and the start of the page, too" },
  ],
  notes: [
    "A name in a URL becomes the Host header and, over TLS, the server name: write it as virtualhost, with enable_sni.",
    "Called as genhash it is this command. Exit code: 0 printed; 1 no answer (keepalived's ends with 0), or wrong words.",
  ],
};

const why: CommandSpec = {
  name: "why",
  summary: "the story behind the last thing that happened to something",
  positional: {
    value: text("NAME"),
    many: false,
    missing: "the name is missing: of an instance, a virtual server, a real server, a tracker or a check",
  },
  options: [
    {
      name: "limit",
      value: { kind: "number", label: "N" },
      meaning: `how many stored events to look through (default: ${defaults.whyLimit})`,
    },
    runDir,
    json("one JSON object a line instead"),
  ],
  notes: [
    "Everything with the same first cause, oldest first; what one event caused is indented below it. A real server goes by its address and port, or its address.",
  ],
};

const events: CommandSpec = {
  name: "events",
  summary: "what happened, in one sentence each, oldest first",
  options: [
    { name: "follow", short: "f", meaning: "go on with what happens" },
    {
      name: "limit",
      value: { kind: "number", label: "N" },
      meaning: `only the last N stored events (default: ${defaults.limit})`,
    },
    { name: "type", value: text("TYPE"), meaning: "only these, such as became-master" },
    runDir,
    json("one JSON object a line instead"),
  ],
  notes: [],
};

const signum: CommandSpec = {
  name: "signum",
  summary: "the number of the signal that keepalived's tools send",
  positional: {
    value: choice(...signalNames),
    many: false,
    missing: `the signal is missing: ${signalNames.join(", ")}`,
  },
  options: [],
  notes: ["As keepalived --signum: kill -s $(baton signum JSON) $(cat /run/keepalived.pid)."],
};

const completion: CommandSpec = {
  name: "completion",
  summary: "completions for a shell",
  positional: { value: choice("bash", "zsh"), many: false, missing: "the shell is missing: bash or zsh" },
  options: [],
  notes: [
    "bash: put `source <(baton completion bash)` into ~/.bashrc, or the output into /etc/bash_completion.d/baton. zsh: put `source <(baton completion zsh)` into ~/.zshrc, after compinit.",
  ],
};

/** In the order of the list of commands. */
export const commands = {
  up,
  check,
  fmt,
  plan,
  keywords,
  status,
  drain,
  genhash,
  events,
  why,
  signum,
  completion,
} as const;

export type CommandName = keyof typeof commands;

export const isCommandName = (word: string): word is CommandName => Object.hasOwn(commands, word);

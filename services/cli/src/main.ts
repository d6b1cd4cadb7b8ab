// The `baton` command: reads the words, runs the command, ends with its exit code. What talks to a node or runs one is
// loaded when it is asked for: reading a file needs nothing of it.
import { writeFileSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { batonVersion, lintFacts, readConfiguration, readPeer } from "@baton/host/configuration";
import { keywordTable, lintRules } from "@baton/keepalived-conf";
import { completionScript } from "./arguments/completion.ts";
import {
  type Command,
  type ConfigTestCommand,
  type KeepalivedCommand,
  parseArguments,
  type UpCommand,
  type When,
} from "./arguments/parse-arguments.ts";
import { check } from "./commands/check.ts";
import type { Console } from "./commands/console.ts";
import { format } from "./commands/format.ts";
import { keepalivedHelp, versionText } from "./commands/keepalived-text.ts";
import { explain, listKeywords } from "./commands/keywords.ts";
import type { NodeClient } from "./commands/node-client.ts";
import { NodeError } from "./commands/node-error.ts";
import { readPidFile } from "./commands/pid-file.ts";
import { keepalivedSignals } from "./commands/signals.ts";
import { type Screen, screenFor } from "./rendering/screen.ts";
import type { ServiceChild } from "./supervision/children.ts";

const console: Console = {
  out: (text) => write(1, typeof text === "string" ? Buffer.from(text) : text),
  error: (line) => write(2, Buffer.from(`${line}\n`)),
};

/** `baton events | head`: whoever reads has had enough. */
function write(descriptor: number, octets: Uint8Array): void {
  let rest = octets;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error; // a pipe that is full for the moment
    }
  }
}

const packages: Readonly<Record<ServiceChild, readonly [door: string, main: string]>> = {
  control: ["@baton/control", "main.js"],
  dataplane: ["@baton/dataplane", "main.js"],
  health: ["@baton/health-service", "main.js"],
  balancer: ["@baton/balancer", "main.js"],
  election: ["@baton/election", "main.js"],
  notifier: ["@baton/notifier", "main.js"],
  uplink: ["@baton/fleet", "uplink.js"],
};

/** Resolved, never imported: a service is a process of its own. */
const mainOf = (service: ServiceChild): string => {
  const [door, main] = packages[service];
  return fileURLToPath(new URL(main, import.meta.resolve(door)));
};

async function ask(runDir: string, question: (node: NodeClient) => Promise<number>): Promise<number> {
  const { openNode } = await import("./commands/node-client.ts");
  const node = openNode(runDir);
  try {
    return await question(node);
  } finally {
    node.close();
  }
}

const screen = (color: When): Screen =>
  screenFor(color, { isTerminal: process.stdout.isTTY === true, columns: process.stdout.columns, env: process.env });

function complete(shell: "bash" | "zsh"): string {
  const rows = keywordTable();
  const names = [...rows.map(({ keyword }) => keyword), ...lintRules().map(({ code }) => code)];
  const blocks = rows.map(({ block }) => block).filter((block) => block !== "");
  return completionScript(shell, { keywords: [...new Set(names)], blocks: [...new Set(blocks)] });
}

async function run(command: Command): Promise<number> {
  switch (command.type) {
    case "help":
      console.out(command.text);
      return 0;
    case "version":
      console.out(`${batonVersion}\n`);
      return 0;
    case "check": {
      const { id: configId, settings: settingsFile } = command;
      const read = (file: string) => readConfiguration({ file, settingsFile, configId, env: process.env });
      const readOther = (file: string, id: string | undefined) =>
        readPeer({ file, configId: id ?? command.id, env: process.env });
      const dependencies = { console, screen: screen(command.color), read, readPeer: readOther, machineIn: lintFacts };
      return check(command, dependencies);
    }
    case "fmt":
      return format(command, { console, pid: process.pid });
    case "plan":
      return ask(command.runDir, async (node) => {
        const { plan } = await import("./commands/plan.ts");
        return plan(command, { console, node, screen: screen(command.color) });
      });
    case "explain":
      return explain(command, { console, screen: screen(command.color) });
    case "keywords":
      return listKeywords(command, { console, screen: screen(command.color) });
    case "signum":
      console.out(`${keepalivedSignals[command.name].number}\n`);
      return 0;
    case "completion":
      console.out(complete(command.shell));
      return 0;
    case "status":
      return ask(command.runDir, async (node) => {
        const [{ showStatus }, { bootNow }] = await Promise.all([
          import("./commands/queries.ts"),
          import("@baton/linux"),
        ]);
        return showStatus(command, { console, node, now: bootNow });
      });
    case "drain":
      return ask(command.runDir, async (node) => {
        const { drain } = await import("./commands/drain.ts");
        return drain(command, { console, node, pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) });
      });
    case "genhash": {
      const { genhash } = await import("./commands/genhash.ts");
      return genhash(command, console);
    }
    case "why":
      return ask(command.runDir, async (node) => {
        const { why } = await import("./commands/why.ts");
        return why(command, { console, node });
      });
    case "events":
      return ask(command.runDir, async (node) => {
        const { showEvents } = await import("./commands/queries.ts");
        return showEvents(command, { console, node });
      });
    case "up":
      return runUp(command);
    case "keepalived":
      return runKeepalived(command);
    case "keepalived-help":
      console.out(keepalivedHelp());
      return 0;
    case "keepalived-version":
      console.error(versionText());
      return 0;
    case "config-test":
      return testConfiguration(command);
  }
}

async function runUp(command: UpCommand): Promise<number> {
  const [{ up }, { onRealTimeSignal }] = await Promise.all([import("./commands/up.ts"), import("@baton/linux")]);
  return up(command, {
    console,
    env: process.env,
    hostName: hostname(),
    userId: process.getuid?.() ?? -1,
    pid: process.pid,
    mainOf,
    onSignal(signal, handler) {
      if (typeof signal === "number") return onRealTimeSignal(signal, handler) !== undefined;
      process.on(signal, handler);
      return true;
    },
  });
}

async function runKeepalived(command: KeepalivedCommand): Promise<number> {
  const { up, notes, isInBackground, logFile, logsToConsole } = command;
  if (isInBackground) {
    const { runInBackground } = await import("./commands/background.ts");
    // Of a service manager's journal standard error is a part.
    const isHeard = logsToConsole || (process.env.JOURNAL_STREAM ?? "") !== "";
    const log = logFile ?? (isHeard ? undefined : join(up.runDir, "keepalived.log"));
    const started = join(up.runDir, "baton.started");
    return runInBackground({
      console,
      argv: [process.execPath, ...process.argv.slice(1), "--dont-fork"],
      env: { ...process.env, BATON_STARTED: started },
      log,
      isRunning: (pid) => readPidFile(started) === pid,
    });
  }
  for (const note of notes) console.error(note);
  // As tools look for it: by its name among the processes, and by its pid files.
  process.title = "keepalived";
  const { BATON_STARTED: started } = process.env;
  delete process.env.BATON_STARTED;
  return runUp(started === undefined ? up : { ...up, pidFiles: [started] });
}

/** As `keepalived --config-test`: what is wrong goes to standard error, or to a file. */
function testConfiguration({ file, id, netNamespace, log }: ConfigTestCommand): number {
  const read = (name: string) => readConfiguration({ file: name, configId: id, netNamespace, env: process.env });
  const readOther = (name: string) => readPeer({ file: name, configId: id, env: process.env });
  const lines: (string | Uint8Array)[] = [];
  const exitCode = check(
    { files: [file], peers: [], peerIds: [], strict: false, lint: false, json: false },
    {
      console: { ...console, out: (text) => void lines.push(text) },
      screen: screen("never"),
      read,
      readPeer: readOther,
      machineIn: lintFacts,
    },
  );
  const text = Buffer.concat(lines.map((line) => Buffer.from(line)));
  if (log === undefined) write(2, text);
  else writeFileSync(log, text, { mode: 0o600 });
  return exitCode;
}

/** Under keepalived's name, by a link, the words are keepalived's. */
function wordsGiven(): string[] {
  const [, program = "", ...words] = process.argv;
  const name = basename(program);
  return name === "keepalived" || name === "genhash" ? [name, ...words] : words;
}

async function main(): Promise<number> {
  const parsed = parseArguments(wordsGiven());
  if (!parsed.ok) {
    console.error(`baton: ${parsed.message}`);
    return 1;
  }
  try {
    return await run(parsed.command);
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    console.error(`baton: ${error.message}`);
    return 1;
  }
}

process.exit(await main());

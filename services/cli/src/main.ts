// The `baton` command: reads the words, runs the command, ends with its exit code.
import { writeSync } from "node:fs";
import { hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { batonVersion, readConfiguration } from "@baton/host";
import { keywordTable, lintRules } from "@baton/keepalived-conf";
import { bootNow } from "@baton/linux";
import { completionScript } from "./arguments/completion.ts";
import { type Command, parseArguments, type When } from "./arguments/parse-arguments.ts";
import { check } from "./commands/check.ts";
import type { Console } from "./commands/console.ts";
import { format } from "./commands/format.ts";
import { explain, listKeywords } from "./commands/keywords.ts";
import { NodeError, openNode } from "./commands/node-client.ts";
import { plan } from "./commands/plan.ts";
import { type QueryDependencies, showEvents, showStatus } from "./commands/queries.ts";
import { type ServiceChild, up } from "./commands/up.ts";
import { type Screen, screenFor } from "./rendering/screen.ts";

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
  election: ["@baton/election", "main.js"],
  notifier: ["@baton/notifier", "main.js"],
  uplink: ["@baton/fleet", "uplink.js"],
};

/** Resolved, never imported: a service is a process of its own. */
const mainOf = (service: ServiceChild): string => {
  const [door, main] = packages[service];
  return fileURLToPath(new URL(main, import.meta.resolve(door)));
};

async function ask(runDir: string, query: (dependencies: QueryDependencies) => Promise<number>): Promise<number> {
  const node = openNode(runDir);
  try {
    return await query({ console, node, now: bootNow });
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
      const read = (file: string) => readConfiguration({ file, configId: command.id, env: process.env });
      return check(command, { console, screen: screen(command.color), read, machine: {} });
    }
    case "fmt":
      return format(command, { console, pid: process.pid });
    case "plan":
      return ask(command.runDir, ({ node }) => plan(command, { console, node, screen: screen(command.color) }));
    case "explain":
      return explain(command, { console, screen: screen(command.color) });
    case "keywords":
      return listKeywords(command, { console, screen: screen(command.color) });
    case "completion":
      console.out(complete(command.shell));
      return 0;
    case "status":
      return ask(command.runDir, (dependencies) => showStatus(command, dependencies));
    case "events":
      return ask(command.runDir, (dependencies) => showEvents(command, dependencies));
    case "up":
      return up(command, {
        console,
        env: process.env,
        hostName: hostname(),
        userId: process.getuid?.() ?? -1,
        pid: process.pid,
        mainOf,
        onSignal: (signal, handler) => void process.on(signal, handler),
      });
  }
}

async function main(): Promise<number> {
  const parsed = parseArguments(process.argv.slice(2));
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

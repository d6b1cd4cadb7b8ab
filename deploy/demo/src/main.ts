// `npm start`: shows what Baton does, or runs one real node.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { eventSentence } from "@baton/cli";
import { type EventEnvelope, messageOf } from "@baton/domain";
import { type ActResult, play } from "./acts.ts";
import { obstacle, parseOptions } from "./options.ts";
import { openScene, routerNames, type Scene } from "./scene.ts";
import { View } from "./view.ts";

const baton = fileURLToPath(new URL("../../../services/cli/bin/baton.js", import.meta.url));

/** Ends with the node, whose signals it hands on. */
function runNode(words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [baton, "up", ...words], { stdio: "inherit" });
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) {
    // A terminal sends Ctrl-C to the child itself; a second one changes nothing there.
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}

/** Events that tell a watcher nothing new at this moment. */
const quietTypes: ReadonlySet<string> = new Set(["service-started", "config-applied"]);

function stateOf({ event }: EventEnvelope): string | undefined {
  switch (event.type) {
    case "became-master":
      return "master";
    case "became-backup":
      return "backup";
    case "entered-fault":
      return "fault";
    case "instance-stopped":
      return "stopped";
    default:
      return undefined;
  }
}

function watch(view: View): Parameters<typeof openScene>[0] {
  const states = new Map<string, string>(routerNames.map((name) => [name, ""]));
  const state = (node: string, now: string): void => {
    states.set(node, now);
    view.standing({ states: [...states] });
  };
  return {
    state,
    step: (text) => view.line(`· ${text}`),
    count: (probes) => view.standing({ probes }),
    event(envelope) {
      const entered = stateOf(envelope);
      if (entered !== undefined) state(envelope.node, entered);
      if (quietTypes.has(envelope.event.type)) return;
      const at = envelope.time.slice(11, 23);
      view.line(`  ${at}  ${envelope.node}  ${eventSentence(envelope.node, envelope.event)}`);
    },
  };
}

function exploration(scene: Scene): string[] {
  const [r1, r2] = [scene.node("r1"), scene.node("r2")];
  const command = "node_modules/.bin/baton";
  const file = `/proc/${scene.lab.router("r1").initPid}/root/etc/keepalived/down`;
  return [
    "The lab goes on running. In another terminal:",
    "",
    `  ${command} status --run-dir ${r1.runDir}`,
    `  ${command} events --follow --run-dir ${r2.runDir}`,
    `  touch ${file}    # maintenance: r2 takes over`,
    `  rm ${file}       # r1 takes it back`,
    `  nsenter --target ${scene.lab.router("r1").initPid} --net --pid --mount --uts bash    # a shell on r1`,
    "",
    `Who is master of what, live: ${scene.page}`,
    "",
    "Ctrl-C ends it and cleans up.",
  ];
}

function report(results: readonly ActResult[]): {
  ok: boolean;
  moved: boolean;
  cameBack: boolean;
  failovers: object[];
} {
  const moved = results.every((result) => result.moved);
  const cameBack = results.every((result) => result.cameBack);
  return { ok: moved && cameBack, moved, cameBack, failovers: [...results] };
}

async function demonstrate(options: { once: boolean; json: boolean }): Promise<number> {
  // With --json standard output is the object's alone.
  const stream = options.json ? process.stderr : process.stdout;
  const view = new View({
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    write: (text) => void stream.write(text),
  });
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort());
  const whenInterrupted = new Promise<"interrupted">((resolve) => {
    interrupted.signal.addEventListener("abort", () => resolve("interrupted"));
  });

  const opening = openScene(watch(view));
  opening.catch(() => undefined); // after an interruption nobody waits for it
  const scene = await Promise.race([opening, whenInterrupted]);
  // What stands already goes with this process: the lab sees to that.
  if (scene === "interrupted") return 130;
  try {
    const played = play(scene, view, (millis) => delay(millis));
    played.catch(() => undefined); // after an interruption nobody waits for it
    const results = await Promise.race([played, whenInterrupted]);
    if (results === "interrupted") return 130;
    const result = report(results);
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    if (!options.once) {
      view.heading("What was shown: the address moved twice, and came back twice");
      for (const line of exploration(scene)) view.line(line);
      view.line();
      await whenInterrupted;
    }
    return result.ok ? 0 : 1;
  } finally {
    view.close();
    view.line(interrupted.signal.aborted ? "\ncleaning up" : "cleaning up");
    await scene.close();
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.kind === "help") {
    process.stdout.write(options.text);
    return 0;
  }
  const refusal =
    options.kind === "error"
      ? options.message
      : obstacle({
          platform: process.platform,
          userId: process.getuid?.() ?? -1,
          nodeVersion: process.versions.node,
          hasProgram: (name) => (process.env.PATH ?? "").split(delimiter).some((each) => existsSync(join(each, name))),
        });
  if (refusal !== undefined) {
    process.stderr.write(`baton: ${refusal}\n`);
    return 1;
  }
  if (options.kind === "node") return runNode(options.words);
  if (options.kind !== "demonstration") return 1;
  try {
    return await demonstrate(options);
  } catch (error) {
    const message = messageOf(error);
    process.stderr.write(`baton: the demonstration failed: ${message}\n`);
    if (options.json)
      process.stdout.write(`${JSON.stringify({ ok: false, moved: false, cameBack: false, error: message })}\n`);
    return 1;
  }
}

process.exit(await main());

// Inside the machine: a running Baton in a namespace of its own, led from an empty table through all states of all
// configurations, meddled with, and stopped.
//   node running-main.js TASK.json ANSWER.json
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { trackPath } from "../parity/configurations.ts";
import { AnsweringAddress, follow } from "../parity/tables.ts";
import { within } from "../scene/network.ts";
import { Lead, strangers } from "./lead.ts";
import { meddle } from "./meddling.ts";
import { RunningBaton } from "./running-baton.ts";
import type { RunningAnswer, RunningTask } from "./task.ts";

const [taskFile = "", answerFile = ""] = process.argv.slice(2);
const task = JSON.parse(readFileSync(taskFile, "utf8")) as RunningTask;
const name = "running";
const seconds: Record<string, number> = {};
const note = (what: string): void => {
  seconds[what] = Math.round(performance.now() / 100) / 10;
  process.stdout.write(`${seconds[what]} s: ${what}\n`);
};

/** The namespace, and the addresses in it that are there by the states. */
function makeNamespace(): AnsweringAddress[] {
  const answering = new Map(task.configurations.flatMap((each) => Object.entries(each.answering)));
  const addresses = ["192.0.2.1", "192.0.2.11", "192.0.2.12"];
  const given = addresses.map((address) => `address add ${address}/32 dev lo\n`);
  // Users' files name it.
  const eth0 = "link add eth0 type dummy\nlink set eth0 up\n";
  execFileSync("ip", ["netns", "add", name]);
  execFileSync("ip", ["-n", name, "-batch", "-"], { input: `link set lo up\n${eth0}${given.join("")}` });
  execFileSync("ip", ["netns", "exec", name, "ipvsadm", "-R"], {
    input: strangers.map((line) => `${line}\n`).join(""),
  });
  within(name, () => createServer((_, response) => response.end("here\n")).listen(80));
  return [...answering].map(([address, host]) => new AnsweringAddress(name, address, host));
}

const turn = (...up: string[]): void =>
  follow(Object.fromEntries(["11", "12"].map((host) => [trackPath(host as "11"), up.includes(host) ? "0\n" : "1\n"])));

const addresses = makeNamespace();
const [start] = task.states;
if (start !== undefined) for (const address of addresses) address.follow(start);
turn("11", "12");
note("begin");
const baton = await RunningBaton.start(name, task.configurations[0]?.text ?? "");
note("Baton has started");
const lead = new Lead(task, baton, addresses);
await lead.through(note);
const faults = await meddle(baton, turn);
note("meddling");
await baton.stop();
const left = baton.rules().join("\n");
if (left !== strangers.join("\n")) faults.push(`in the end there is ${left}`);
note("stop");
if (lead.differences.length + faults.length > 0) console.error(baton.log().slice(-6000));
const answer: RunningAnswer = { differences: lead.differences, faults, compared: lead.compared, seconds };
writeFileSync(answerFile, JSON.stringify(answer));
process.exit(0); // servers go on listening

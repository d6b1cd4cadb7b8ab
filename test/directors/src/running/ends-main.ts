// Inside the machine: starts and ends of a running Baton beside keepalived's, each in a namespace of its own that has a
// stranger's service: what is there after the start, and what is left in the end.
//   node ends-main.js ANSWER.json
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { ipvsadmRules, sortRules } from "@baton/ipvs";
import { openIpvsTable } from "@baton/linux";
import { until, within } from "../scene/network.ts";
import { strangers } from "./lead.ts";
import { RunningBaton } from "./running-baton.ts";
import type { End } from "./task.ts";

const [answerFile = ""] = process.argv.slice(2);

const service = (lines: string): string => `global_defs {\n${lines}\n}
virtual_server 192.0.2.1 80 {
lb_algo rr
lb_kind DR
protocol TCP
real_server 192.0.2.11 80 {
}
real_server 192.0.2.12 80 {
}
}
`;

const cases: readonly { readonly name: string; readonly lines: string; readonly keepsServices?: boolean }[] = [
  { name: "nothing said", lines: "" },
  { name: "lvs_flush", lines: "lvs_flush" },
  { name: "lvs_flush_on_stop", lines: "lvs_flush_on_stop" },
  { name: "lvs_flush_on_stop VS", lines: "lvs_flush_on_stop VS" },
  { name: "-I", lines: "", keepsServices: true },
];

function makeNamespace(name: string): void {
  execFileSync("ip", ["netns", "add", name]);
  execFileSync("ip", ["-n", name, "link", "set", "lo", "up"]);
  execFileSync("ip", ["netns", "exec", name, "ipvsadm", "-R"], {
    input: strangers.map((line) => `${line}\n`).join(""),
  });
}

function startKeepalived(name: string, text: string, keepsServices: boolean): ChildProcess {
  writeFileSync(`/run/${name}.conf`, text);
  const log = openSync(`/run/${name}.log`, "w");
  const words = ["-C", "-n", "-l", "-p", `/run/${name}.pid`, "-c", `/run/${name}-c.pid`, "-f", `/run/${name}.conf`];
  if (keepsServices) words.push("-I");
  return within(name, () => spawn("keepalived", words, { stdio: ["ignore", log, log] }));
}

/** Three rules are the service's own. */
const isThere = (rules: readonly string[]): boolean =>
  rules.filter((line) => line.includes(" 192.0.2.1:80")).length === 3;

async function compare(index: number, { name, lines, keepsServices = false }: (typeof cases)[number]): Promise<End> {
  const [own, other] = [`own${index}`, `other${index}`];
  for (const namespace of [own, other]) makeNamespace(namespace);
  const table = within(other, openIpvsTable);
  const rules = (): string[] => sortRules(ipvsadmRules(table.list()));
  const keepalived = startKeepalived(other, service(lines), keepsServices);
  const ended = once(keepalived, "exit");
  const baton = await RunningBaton.start(own, service(lines), { keepsServices });
  await until("keepalived's service", () => isThere(rules()), 120);
  await until("Baton's service", () => isThere(baton.rules()), 120);
  const start = { baton: baton.rules(), keepalived: rules() };
  keepalived.kill("SIGTERM");
  await ended;
  await baton.stop();
  return { name, start, end: { baton: baton.rules(), keepalived: rules() } };
}

const ends: End[] = [];
for (const [index, each] of cases.entries()) {
  ends.push(await compare(index, each));
  writeFileSync(answerFile, JSON.stringify(ends));
}
process.exit(0);

// Inside the machine: one keepalived for each configuration, each in a network namespace of its own, led together through
// all states, through a reload to the next configuration and to its end; and one more namespace in which Baton's own plan
// leads from each of these tables to the next.
//   node directors-main.js TASK.json ANSWER.json
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import {
  ipvsadmRules,
  type OwnServices,
  plan,
  planStop,
  serviceName,
  sortRules,
  type WantedService,
} from "@baton/ipvs";
import { type IpvsTable, insideNamespace, namespacePath, openIpvsTable } from "@baton/linux";
import type { Host } from "./configurations.ts";
import { AnsweringAddress, follow, linesOf, same } from "./tables.ts";
import type { Difference, ParityAnswer, ParityTask } from "./task.ts";

const [taskFile = "", answerFile = ""] = process.argv.slice(2);
const { configurations, states, patienceSeconds } = JSON.parse(readFileSync(taskFile, "utf8")) as ParityTask;
const differences: Difference[] = [];
const compared = { keepalived: 0, own: 0 };
const seen: Record<string, Record<string, readonly string[]>> = {};

interface Director {
  readonly index: number;
  readonly name: string;
  readonly table: IpvsTable;
  readonly inside: <T>(action: () => T) => T;
  /** Its configuration's, and those of the next one. */
  readonly addresses: readonly AnsweringAddress[];
}

/** Each configuration is reloaded to the one behind it. */
const next = (index: number): number => (index + 1) % configurations.length;
const namespaceOf = (index: number): string => `d${index}`;
const configFile = (index: number): string => `/run/keepalived-${index}.conf`;

function makeDirectors(): Director[] {
  const input = [...configurations.keys(), configurations.length].map((i) => `netns add ${namespaceOf(i)}\n`).join("");
  // Of one that was here before, and failed.
  execFileSync("ip", ["-all", "netns", "delete"]);
  execFileSync("ip", ["-batch", "-"], { input });
  return [...configurations.map(({ name }) => name), "own"].map((name, index) => {
    const inside = <T>(action: () => T): T => insideNamespace(namespacePath(namespaceOf(index)), action);
    // Where no loopback is up the kernel takes no address for one that packets can be sent to.
    inside(() => execFileSync("ip", ["link", "set", "lo", "up"]));
    const answering = [index, next(index)].map((i) => configurations[i]?.answering ?? {});
    const addresses = Object.entries(Object.assign({}, ...answering) as Record<string, Host>).map(([address, host]) => {
      return new AnsweringAddress(namespaceOf(index), address, host);
    });
    inside(() => createServer((_, response) => response.end("here\n")).listen(80));
    return { index, name, table: inside(openIpvsTable), inside, addresses };
  });
}

function startKeepalived({ index, inside }: Director): ChildProcess {
  writeFileSync(configFile(index), configurations[index]?.text ?? "");
  const log = openSync(`/run/keepalived-${index}.log`, "w");
  const words = ["-C", "-n", "-l", "-p", `/run/k${index}.pid`, "-c", `/run/c${index}.pid`, "-f", configFile(index)];
  return inside(() => spawn("keepalived", words, { stdio: ["ignore", log, log] }));
}

function change(directors: readonly Director[], state: ParityTask["states"][number]): void {
  follow(state.files);
  for (const address of directors.flatMap(({ addresses }) => addresses)) address.follow(state);
}

/** Each director's table, once it is as it has to be or time is up. */
async function compareAll(
  directors: readonly Director[],
  state: string,
  wantedOf: (index: number) => readonly WantedService[],
) {
  const until = performance.now() + patienceSeconds * 1000;
  let open = directors.map((director) => ({ director, wanted: linesOf(wantedOf(director.index)) }));
  const isOpen = ({ director, wanted }: (typeof open)[number]): boolean =>
    !same(linesOf(director.table.list()), wanted);
  while (open.length > 0 && performance.now() < until) {
    open = open.filter(isOpen);
    if (open.length > 0) await delay(50);
  }
  compared.keepalived += directors.length;
  for (const { name, table } of directors) seen[name] = { ...seen[name], [state]: linesOf(table.list()) };
  for (const { director, wanted } of open) {
    const found = linesOf(director.table.list());
    differences.push({ configuration: director.name, state, of: "keepalived", wanted, found });
  }
}

/** By the one who judges for everybody. Whoever asks the servers of this process is answered meanwhile. */
async function compareByIpvsadm(
  { index, name, inside }: Director,
  whose: { readonly configuration: string; readonly of: "keepalived" | "own" } = {
    configuration: name,
    of: "keepalived",
  },
  services: readonly WantedService[] = configurations[index]?.tables[0] ?? [],
): Promise<void> {
  const { stdout } = await inside(() => promisify(execFile)("ipvsadm", ["-Sn"]));
  const [found, wanted] = [sortRules(stdout.split("\n")), sortRules(ipvsadmRules(services))];
  compared[whose.of] += 1;
  if (!same(found, wanted)) differences.push({ ...whose, state: "start, by ipvsadm", wanted, found });
}

async function leadKeepalived(directors: readonly Director[]): Promise<void> {
  const tableIn = (state: number) => (index: number) => configurations[index]?.tables[state] ?? [];
  if (states[0] !== undefined) change(directors, states[0]);
  const running = directors.map(startKeepalived);
  for (const [i, state] of states.entries()) {
    const { name } = state;
    change(directors, state);
    await compareAll(directors, name, tableIn(i));
    if (i > 0) continue;
    for (const director of directors) await compareByIpvsadm(director);
  }
  for (const { index } of directors) writeFileSync(configFile(index), configurations[next(index)]?.text ?? "");
  for (const child of running) child.kill("SIGHUP");
  const reloaded = (index: number) => tableIn(states.length - 1)(next(index));
  const comparable = directors.filter(({ index }) => configurations[index]?.reloads);
  await compareAll(comparable, "reload to the next", reloaded);
  const ended = running.map((child) => once(child, "exit"));
  for (const child of running) child.kill("SIGTERM");
  await Promise.all(ended);
  await compareAll(directors, "stop", () => []);
}

/** Each table by a plan from the one before. */
async function leadOwn(director: Director): Promise<void> {
  const { table } = director;
  let own: OwnServices = new Map();
  for (const { name: configuration, tables } of configurations) {
    for (const [i, services] of tables.entries()) {
      const wanted = new Map(services.map((service) => [serviceName(service.key), service]));
      const made = plan({ wanted, unknown: new Set(), own, dumped: table.list() });
      const refused = table.change(made.operations).flatMap((result) => (result.ok ? [] : [result.message]));
      own = made.own;
      const [found, lines] = [[...linesOf(table.list()), ...refused], linesOf(services)];
      compared.own += 1;
      const state = states[i]?.name ?? "";
      if (!same(found, lines)) differences.push({ configuration, state, of: "own", wanted: lines, found });
      if (i === 0) await compareByIpvsadm(director, { configuration, of: "own" }, services);
    }
  }
  table.change(planStop(own, table.list(), "no"));
  const left = linesOf(table.list());
  if (left.length > 0)
    differences.push({ configuration: "the last", state: "stop", of: "own", wanted: [], found: left });
}

const seconds = (): string => `${(performance.now() / 1000).toFixed(0)} s`;

const all = makeDirectors();
const [own] = all.slice(-1);
if (own === undefined) throw new Error("nobody to compare");
await leadOwn(own);
console.info(`Baton has led the table from each to the next after ${seconds()}`);
await leadKeepalived(all.slice(0, -1));
console.info(`keepalived has led ${configurations.length} tables through all states after ${seconds()}`);
const answer: ParityAnswer = { differences, compared, seen };
writeFileSync(answerFile, JSON.stringify(answer));
process.exit(0); // servers go on listening

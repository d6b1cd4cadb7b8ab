// Inside the machine: a user's file, word for word, on one director in front of real servers (direct routing) and customers
// who must not notice anything. Its processes are killed in an order that the seed gives, alone and in pairs; a server dies
// and comes back while nobody is there to see it; reloads bring one more and take it; the director is asked to end.
//   node faults-main.js FILE RESULT.json SEED whole|part
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { customersMain, readCustomers } from "@baton/balancing";
import { ipvsadmRules, sortRules } from "@baton/ipvs";
import { openIpvsTable } from "@baton/linux";
import { createRandom } from "@baton/simulator";
import { countCommands } from "./commands.ts";
import type { FaultsResult, Round } from "./faults.ts";
import { buildNetwork, command, holdSilently, startWebServer, until, within } from "./network.ts";
import { patienceSeconds, startVictim } from "./victim.ts";

const [file = "", resultFile = "", seed = "", extent = ""] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const random = createRandom(Number(seed));
const virtual = "172.16.100.1";
const addressOf = { s1: "172.16.100.11", s2: "172.16.100.12", s3: "172.16.100.13" } as const;
type ServerName = keyof typeof addressOf;
const names = Object.keys(addressOf) as ServerName[];
const sources = Array.from({ length: 200 }, (_, i) => `172.16.9.${i + 1}`);

const result: FaultsResult = { seed: Number(seed), rounds: [], events: [], answers: {}, log: "" };
const keep = (): void => writeFileSync(resultFile, JSON.stringify(result));
const note = (what: object): void =>
  void process.stderr.write(`${Math.round(performance.now() / 1000)} s: ${JSON.stringify(what)}\n`);

// --- the scene ------------------------------------------------------------------------------------------------------

/** Each real_server block once more, for the third server. */
const withThird = (conf: string): string => {
  const block = /\treal_server 172\.16\.100\.12 80 \{\n[\s\S]*?\n\t\}\n/.exec(conf)?.[0] ?? "";
  return conf.replace(block, `${block}\n${block.replace(addressOf.s2, addressOf.s3)}`);
};

async function buildScene() {
  await buildNetwork([
    { name: "d1", addresses: ["172.16.1.1/16"] },
    ...names.map((name) => ({ name, addresses: [`${addressOf[name]}/16`] })),
    { name: "client", addresses: sources.map((address) => `${address}/16`) },
  ]);
  const servers = new Map(names.map((name) => [name, startWebServer(name)]));
  for (const name of names) await holdSilently(name, virtual);
  // A dataplane that is killed is there again within its lease on a real machine (npm run soak -- --balancing); here it
  // needs longer to load than any lease lasts, and the address goes. This one keeps the traffic coming.
  await command(`ip -n d1 address add ${virtual}/32 dev lo`);
  const commands = await countCommands();
  const table = within("d1", openIpvsTable);
  const director = await startVictim("d1", text, extent === "whole");
  return { servers, commands, director, rules: () => sortRules(ipvsadmRules(table.list())) };
}

type Scene = Awaited<ReturnType<typeof buildScene>>;

/** Few: emulated, an answer costs a tenth of a second of a processor that those who were killed need to come back. */
function startCustomers() {
  const wishes = {
    ...{ host: virtual, port: 80, sources, coming: 1, pauseMs: 1_000, patienceMs: 60_000 },
    staying: [1_000, 2_000, ...Array.from({ length: 6 }, () => 10_000)],
  };
  const child = within("client", () =>
    spawn(process.execPath, [customersMain, JSON.stringify(wishes)], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const customers = readCustomers();
  createInterface({ input: child.stdout }).on("line", customers.hear);
  return { customers, stop: () => child.kill("SIGKILL") };
}

const serversIn = (rules: readonly string[]): string =>
  names.filter((name) => rules.some((rule) => rule.includes(`-r ${addressOf[name]}:80`))).join();

const serving = ({ rules }: Scene, wanted: readonly ServerName[]): Promise<unknown> =>
  until(`${wanted.join(" and ")} in the table`, () => serversIn(rules()) === wanted.join(), patienceSeconds, 200);

// --- what happens ---------------------------------------------------------------------------------------------------

function shuffled<T>(list: readonly T[]): T[] {
  const keyed = list.map((value) => ({ value, key: random.next() }));
  return keyed.toSorted((a, b) => a.key - b.key).map(({ value }) => value);
}

/** Each alone, each with the next one, all. */
function sufferers(services: readonly string[]): string[][] {
  const order = shuffled(services);
  const pairs = order.map((one, at) => [one, order[(at + 1) % order.length] ?? one]);
  return [...order.map((one) => [one]), ...shuffled(pairs), order];
}

interface Course {
  readonly name: string;
  readonly touched?: ServerName;
  /** Fulfilled when everything is as it has to be afterwards, with the time at which everybody was there to see to it. */
  run(): Promise<number>;
}

async function round(scene: Scene, customers: ReturnType<typeof readCustomers>, course: Course): Promise<void> {
  const [began, before] = [Date.now(), scene.rules()];
  const commands = scene.commands.count();
  const failed = { why: "" };
  const wholeAt = await course.run().catch((error: unknown) => {
    failed.why = String(error);
    return began;
  });
  const rightAt = Date.now();
  if (failed.why === "") {
    // Everybody is answered again, and what was under way has come to its end.
    const enough = (): boolean =>
      Object.values(customers.answeredSince(rightAt)).reduce((sum, count) => sum + count, 0) > 20;
    await until("answers afterwards", enough, patienceSeconds, 500).catch((error: unknown) => {
      failed.why = String(error);
    });
  }
  const { touched } = course;
  const done: Round = {
    name: course.name,
    seconds: { toRestart: (wholeAt - began) / 1000, toRight: (rightAt - wholeAt) / 1000 },
    touched,
    failed: failed.why,
    commands: scene.commands.count() - commands,
    before,
    after: scene.rules(),
    answered: customers.answeredSince(rightAt),
    disappointed: customers.disappointments.filter(
      ({ at, since, server }) =>
        at >= began && !(touched !== undefined && (server === touched || (server === undefined && since <= rightAt))),
    ),
  };
  result.rounds.push(done);
  keep();
  note({ ...done, before: undefined, after: undefined });
}

function courses(scene: Scene): Course[] {
  const { director, servers } = scene;
  const both = ["s1", "s2"] as const;
  const blind = shuffled(["health", "balancer"]);
  const unseen = (name: string, change: () => void, wanted: readonly ServerName[]): Course => ({
    name: `${name} while ${blind.join(" and ")} are dead`,
    touched: "s1",
    async run() {
      const back = await director.kill(blind);
      change();
      await back();
      const wholeAt = Date.now();
      await serving(scene, wanted);
      return wholeAt;
    },
  });
  const reload = (name: string, conf: string, wanted: readonly ServerName[]): Course => ({
    name,
    touched: "s3",
    async run() {
      await director.reload(conf);
      const wholeAt = Date.now();
      await serving(scene, wanted);
      return wholeAt;
    },
  });
  return [
    ...sufferers(director.services).map((services) => ({
      name: `SIGKILL of ${services.join(", ")}`,
      run: async () => {
        const back = await director.kill(services);
        await back();
        return Date.now();
      },
    })),
    unseen("s1 ends", () => servers.get("s1")?.stop(), ["s2"]),
    unseen("s1 returns", () => servers.get("s1")?.start(), both),
    reload("a reload with s3", withThird(text), names),
    reload("a reload without s3", text, both),
  ];
}

async function tell(): Promise<void> {
  const scene = await buildScene();
  const { director, commands } = scene;
  note({ director: "is there" });
  await serving(scene, ["s1", "s2"]);
  const { customers, stop } = startCustomers();
  await until("answers of both", () => Object.keys(customers.answeredSince(0)).length === 2, patienceSeconds);
  if (commands.count() === 0) throw new Error("commands to ip_vs are not counted");
  note({ customers: "are answered", commands: commands.count() });
  for (const course of courses(scene)) await round(scene, customers, course);
  result.events.push(...(await director.events()));
  stop();
  for (const { answered } of customers.tallies)
    for (const [name, count] of Object.entries(answered)) result.answers[name] = (result.answers[name] ?? 0) + count;
  await director.stop();
  result.rulesInTheEnd = scene.rules();
  keep();
}

try {
  await tell();
} catch (error) {
  result.failed = String(error);
  result.log = await command("tail -n 60 /run/d1/log; free -m; uptime");
  keep();
  process.exit(1);
}
process.exit(0);

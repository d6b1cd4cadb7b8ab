// Processes of a balancing node are killed at random, several at once, while customers ask and stay: nobody of them may notice,
// no server may flap, nobody be notified, and the kernel's table may not be touched. Now and then a server dies or comes back
// while those who would have to see it are dead themselves, or a reload brings or takes one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Customers, customersMain, type Disappointment, readCustomers, webServerMain } from "@baton/balancing";
import { type BatonNode, createLab, type Lab, type LabProcess, type Router, virtualAddress, waitFor } from "@baton/lab";
import type { Random } from "@baton/simulator";
import { type View, wrongIn } from "./balancing-judge.ts";
import { discard, waitWhole } from "./pair.ts";

const servers = ["s1", "s2", "s3"] as const;
type ServerName = (typeof servers)[number];
const addressOf: Readonly<Record<ServerName, string>> = { s1: "172.16.1.2", s2: "172.16.1.3", s3: "172.16.1.4" };
const ports = [80, 81] as const;
const notesFile = "/run/notes";

/**
 * One service without and one with persistence, both with all their scripts. The lease of the address is 10 s, so that it
 * outlasts a dataplane that is killed several times on a busy machine.
 */
function configOf(members: readonly ServerName[]): string {
  const noting = (word: string): string => `"/bin/sh -c 'echo ${word} >>${notesFile}'"`;
  const server = (name: ServerName): string => `real_server ${addressOf[name]} 8080 {
  notify_up ${noting(`${name}-up`)}
  notify_down ${noting(`${name}-down`)}
  HTTP_GET {
   url {
    path /
    status_code 200
   }
   connect_timeout 1
   retry 1
   delay_before_retry 0.2
  }
 }`;
  const service = (port: number, more: string): string => `virtual_server ${virtualAddress} ${port} {
 delay_loop 0.5
 lvs_method NAT
 protocol TCP
 ${more}
 quorum_up ${noting(`quorum-${port}-up`)}
 quorum_down ${noting(`quorum-${port}-down`)}
 ${members.map(server).join("\n ")}
}`;
  return `vrrp_instance VI_1 {
 interface eth0
 state MASTER
 virtual_router_id 51
 priority 101
 advert_int 5
 virtual_ipaddress {
  ${virtualAddress}/16
 }
 notify ${noting("instance")}
}
${service(ports[0], "lvs_sched rr")}
${service(ports[1], "lvs_sched wrr\n persistence_timeout 50")}
`;
}

interface World {
  readonly lab: Lab;
  readonly director: Router;
  node: BatonNode;
  readonly random: Random;
  readonly running: Map<ServerName, LabProcess>;
  readonly customers: { readonly process: LabProcess; readonly heard: Customers; lines: number; sad: number }[];
  /** Of all of them, as they were heard. */
  readonly disappointments: Disappointment[];
  /** Of nft: every change of the kernel's rules, by whomever. */
  readonly monitor: LabProcess;
  members: readonly ServerName[];
  dataplaneKilledAt: number;
}

/** The four that the load balancing rests on are hurt most. Election is not: killed thrice in a minute it begins anew. */
const victims = ["health", "balancer", "dataplane", "nats"] as const;
const others = ["control", "notifier", "redis"] as const;
const brokers: ReadonlySet<string> = new Set(["nats", "redis"]);

/** Who dies again within a minute is started after a pause of up to 5 s: beside it, loading may outlast the lease. */
const dataplaneEveryMs = 62_000;

interface Kill {
  readonly service: string;
  /** Before it. */
  readonly pauseMs: number;
}

function someKills(world: World, from: readonly [string, ...string[]] = victims): Kill[] {
  const { random } = world;
  const kills = Array.from({ length: random.integer(1, 4) }, () => ({
    service: random.chance(0.85) ? random.pick(from) : random.pick(others),
    pauseMs: random.chance(0.5) ? 0 : random.integer(1, 1_500),
  }));
  const now = performance.now();
  return kills.filter(({ service }) => {
    if (service !== "dataplane") return true;
    const isWell = now - world.dataplaneKilledAt > dataplaneEveryMs;
    if (isWell) world.dataplaneKilledAt = now;
    return isWell;
  });
}

const elapsed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function kill({ node }: World, kills: readonly Kill[]): Promise<void> {
  for (const { service, pauseMs } of kills) {
    await elapsed(pauseMs);
    try {
      node.killService(service);
    } catch {
      // It is dead still.
    }
  }
}

const wordsOf = (kills: readonly Kill[]): string =>
  kills.map(({ service, pauseMs }) => `+${pauseMs} ${service}`).join(" ");

// --- what is looked at ----------------------------------------------------------------------------------------------

const notesOf = ({ director }: World): string[] => {
  try {
    return director.readFile(notesFile).split("\n").slice(0, -1);
  } catch {
    return []; // nobody has been notified yet
  }
};

const changesOf = ({ monitor }: World): string[] =>
  monitor
    .log()
    .split("\n")
    .filter((line) => line.includes("baton_lb"));

async function viewOf(world: World): Promise<View> {
  await waitWhole(world.node);
  hear(world);
  return {
    events: await world.node.events(),
    notes: notesOf(world),
    changes: changesOf(world),
    disappointments: world.disappointments.slice(),
  };
}

/** Rules as they stand: without what customers bring in and time takes out. */
async function tableOf({ director }: World): Promise<string> {
  const { stdout } = await director.exec("nft -n -s list table ip baton_lb");
  return stdout.replaceAll(/^.*expires.*$/gm, "");
}

function serversIn(table: string): ServerName[] {
  return servers.filter((name) => table.includes(addressOf[name]));
}

function hear({ customers, disappointments }: World): void {
  for (const each of customers) {
    const lines = each.process.log().split("\n").slice(0, -1);
    for (const line of lines.slice(each.lines)) each.heard.hear(line);
    each.lines = lines.length;
    disappointments.push(...each.heard.disappointments.slice(each.sad));
    each.sad = each.heard.disappointments.length;
  }
}

/** Everything runs and has begun its work, and says that all is well. */
async function unwell(world: World, wanted: readonly ServerName[]): Promise<string | undefined> {
  const { node } = world;
  const { services } = JSON.parse(readFileSync(join(node.runDir, "services.json"), "utf8")) as {
    services: Readonly<Record<string, { pid: number }>>;
  };
  const begun = new Map<string, number>();
  for (const { event } of await node.events())
    if (event.type === "service-started") begun.set(event.data.service, event.data.pid);
  for (const name of [...victims, ...others]) {
    const pid = services[name]?.pid;
    if (pid === undefined) return `${name} is missing`;
    if (!brokers.has(name) && begun.get(name) !== pid) return `${name} has not begun`;
  }
  const table = serversIn(await tableOf(world));
  if (table.join() !== wanted.join()) return `the table has ${table.join()}, not ${wanted.join()}`;
  const state = (await node.status()).instances[0]?.state;
  return state === "master" ? undefined : `the instance is ${state}`;
}

async function waitWell(world: World, what: string, wanted: readonly ServerName[]): Promise<number> {
  const since = performance.now();
  const seen = { fault: "" };
  await waitFor(
    what,
    async () => {
      seen.fault = (await unwell(world, wanted).catch(String)) ?? "";
      return seen.fault === "";
    },
    { deadlineMs: 60_000, everyMs: 100 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${seen.fault}`);
  });
  return performance.now() - since;
}

// --- what happens ---------------------------------------------------------------------------------------------------

interface Storm {
  readonly told: string;
  /** Who is in the table afterwards. */
  readonly serving: readonly ServerName[];
  readonly touched?: ServerName;
  readonly event?: "realserver-up" | "realserver-down";
}

const serving = ({ members, running }: World): ServerName[] => members.filter((name) => running.has(name));

async function onlyKills(world: World): Promise<Storm> {
  const kills = someKills(world);
  await kill(world, kills);
  return { told: wordsOf(kills), serving: serving(world) };
}

async function startServer({ lab, running }: World, name: ServerName): Promise<void> {
  const server = await lab.router(name).spawn("server", [process.execPath, webServerMain, name, "8080"]);
  await server.waitLog(/listens/);
  running.set(name, server);
}

/** A server dies or comes back around the time at which those who would see it do. */
async function serverToggled(world: World): Promise<Storm> {
  const { random, running, members } = world;
  const touched = members.includes("s3") && random.chance(0.5) ? "s3" : "s2";
  const kills = someKills(world, ["health", "balancer"]);
  const after = random.integer(0, 1_500);
  const isUp = running.has(touched);
  const toggle = async (): Promise<void> => {
    await elapsed(after);
    if (!isUp) return startServer(world, touched);
    await running.get(touched)?.kill();
    running.delete(touched);
  };
  await Promise.all([toggle(), kill(world, kills)]);
  const event = isUp ? "realserver-down" : "realserver-up";
  return { told: `${wordsOf(kills)}, ${event} ${touched} after ${after}`, serving: serving(world), touched, event };
}

/** A reload brings the third server or takes it. */
async function reloaded(world: World): Promise<Storm> {
  const { random, node } = world;
  if (!world.running.has("s3")) return onlyKills(world);
  const kills = someKills(world);
  const after = random.integer(0, 1_500);
  const isThere = world.members.includes("s3");
  world.members = isThere ? ["s1", "s2"] : servers;
  const reload = async (): Promise<void> => {
    await elapsed(after);
    node.reload(configOf(world.members));
  };
  await Promise.all([reload(), kill(world, kills)]);
  const told = `${wordsOf(kills)}, reload ${isThere ? "without" : "with"} s3 after ${after}`;
  return { told, serving: serving(world), touched: "s3" };
}

/** A new supervisor replaces what the killed one has left, some of which dies meanwhile. */
async function superseded(world: World): Promise<Storm> {
  const kills = someKills(world, ["health", "balancer", "nats"]);
  await world.node.killSupervisor();
  const replace = async (): Promise<void> => {
    world.node = await startNode(world.director, world.members);
    await world.node.waitReady(60_000);
  };
  await Promise.all([replace(), kill(world, kills)]);
  return { told: `another supervisor, ${wordsOf(kills)}`, serving: serving(world) };
}

// --- the whole ------------------------------------------------------------------------------------------------------

export interface BalancingReport {
  readonly storms: number;
  readonly kills: number;
  readonly answers: number;
  /** From the last death of a storm until everything ran and the table was right. */
  readonly wellAfterMs: { readonly median: number; readonly max: number };
  /** Empty when all is well. */
  readonly failures: readonly string[];
}

export interface BalancingSoakOptions {
  readonly seconds: number;
  readonly random: Random;
  tell(line: string): void;
}

/** Long enough for every check to run twice. */
const calmMs = 1_200;

const startNode = (director: Router, members: readonly ServerName[]): Promise<BatonNode> =>
  director.startBaton(configOf(members), { settings: "load_balancer: nftables\n" });

async function build(lab: Lab, random: Random): Promise<World> {
  const director = lab.router("r1");
  await director.exec("echo 1 >/proc/sys/net/ipv4/ip_forward");
  const running = new Map<ServerName, LabProcess>();
  const monitor = await director.spawn("monitor", ["nft", "monitor"]);
  const node = await startNode(director, ["s1", "s2"]);
  const world: World = {
    lab,
    director,
    node,
    random,
    running,
    customers: [],
    disappointments: [],
    monitor,
    members: ["s1", "s2"],
    dataplaneKilledAt: performance.now(),
  };
  for (const name of servers) await startServer(world, name);
  await node.waitReady(60_000);
  await waitWell(world, "the start", serving(world));
  for (const port of ports) {
    const wishes = {
      ...{ host: virtualAddress, port, coming: 4, pauseMs: 20, patienceMs: 5_000 },
      staying: [20, 50, 1_000, 1_000, 1_000, 1_000],
    };
    const process = await lab.client.spawn("customers", [
      globalThis.process.execPath,
      customersMain,
      JSON.stringify(wishes),
    ]);
    world.customers.push({ process, heard: readCustomers(), lines: 0, sad: 0 });
  }
  return world;
}

interface Outcome {
  readonly told: string;
  readonly wellAfterMs: number;
  readonly wrong: readonly string[];
  readonly after: View;
}

/** `before`: as it was seen after the last one, so that nothing is missed in between. */
async function storm(world: World, before: View): Promise<Outcome> {
  const dice = world.random.next();
  const kind = dice < 0.6 ? onlyKills : dice < 0.75 ? serverToggled : dice < 0.9 ? reloaded : superseded;
  const { told, serving, touched, event } = await kind(world);
  try {
    const wellAfterMs = await waitWell(world, "all to be well", serving);
    const rightAt = Date.now();
    await elapsed(calmMs);
    const after = await viewOf(world);
    const about = touched === undefined ? {} : { touched: { name: touched, address: addressOf[touched] } };
    const expected = { ...about, ...(event === undefined ? {} : { event }), services: ports.length, rightAt };
    return { told, wellAfterMs, wrong: wrongIn(expected, before, after), after };
  } catch (error) {
    return { told, wellAfterMs: Number.NaN, wrong: [String(error)], after: before };
  }
}

/** SIGTERM: as keepalived, it takes with it what it has brought. */
async function leave({ node, director }: World): Promise<string[]> {
  const { code, signal } = await node.stop(60_000);
  const { stdout } = await director.exec("nft list tables");
  const left = stdout.includes("baton_lb") ? ["the table is left in the kernel"] : [];
  return code === 0 ? left : [...left, `it ended with ${code ?? signal}`];
}

/** Storms for `seconds`; ends with the first after which something is not as it has to be. */
export async function balancingSoak({ seconds, random, tell }: BalancingSoakOptions): Promise<BalancingReport> {
  const lab = await createLab({ name: "balancing-soak", routers: ["r1", ...servers] });
  const well: number[] = [];
  const seen = { kills: 0, answers: 0, failures: [] as string[] };
  try {
    const world = await build(lab, random);
    try {
      const end = performance.now() + seconds * 1_000;
      await elapsed(calmMs);
      const seenBefore = { view: await viewOf(world) };
      for (let index = 1; performance.now() < end && seen.failures.length === 0; index++) {
        const { told, wellAfterMs, wrong, after } = await storm(world, seenBefore.view);
        seenBefore.view = after;
        tell(`storm ${index}: ${told}; well after ${Math.round(wellAfterMs)} ms`);
        seen.kills += told.match(/\+/g)?.length ?? 0;
        well.push(wellAfterMs);
        seen.failures.push(...wrong.map((each) => `storm ${index} (${told}): ${each}`));
      }
      hear(world);
      for (const { heard } of world.customers)
        for (const { answered } of heard.tallies) for (const n of Object.values(answered)) seen.answers += n;
      if (seen.failures.length === 0) seen.failures.push(...(await leave(world)));
      if (seen.failures.length > 0)
        tell(`${lab.logs()}\n${(await world.director.exec("nft list ruleset; ip a")).stdout}`);
    } finally {
      await discard(world.node);
    }
  } finally {
    await lab.destroy();
  }
  const sorted = well.toSorted((a, b) => a - b);
  const wellAfterMs = { median: Math.round(sorted[sorted.length >> 1] ?? 0), max: Math.round(sorted.at(-1) ?? 0) };
  return { storms: well.length, kills: seen.kills, answers: seen.answers, wellAfterMs, failures: seen.failures };
}

// What may break, several things at once and at random, on real routers: the simulator's storms with the real kernel,
// brokers and processes. After each storm the routers get time to settle, then everything that must hold is looked at.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type BatonNode, createLab, type Lab, type Router, waitFor } from "@baton/lab";
import type { Random } from "@baton/simulator";
import { discard, waitWhole } from "./pair.ts";

interface Instance {
  readonly name: string;
  readonly vrid: number;
  readonly address: string;
  readonly inGroup: boolean;
  readonly lines: string;
}

/** One sync group of two at 0.3 s, one alone at 1 s with PASS, one with a weighted file. */
const instances: readonly [Instance, ...Instance[]] = [
  { name: "VI_A", vrid: 61, address: "172.16.100.61", inGroup: true, lines: "version 3\n advert_int 0.3" },
  { name: "VI_B", vrid: 62, address: "172.16.100.62", inGroup: true, lines: "version 3\n advert_int 0.3" },
  {
    name: "VI_C",
    vrid: 63,
    address: "172.16.100.63",
    inGroup: false,
    lines: "advert_int 1\n authentication {\n auth_type PASS\n auth_pass secret12\n }",
  },
  {
    name: "VI_D",
    vrid: 64,
    address: "172.16.100.64",
    inGroup: false,
    lines: "version 3\n advert_int 0.3\n track_file {\n weight_file weight 1\n }",
  },
];
const weightFile = "/run/soak-weight";

/** `round` changes what a reload may change: a second address of VI_D. */
function configOf(router: string, round: number): string {
  const priority = router === "r1" ? 150 : 100;
  const members = instances.filter(({ inGroup }) => inGroup).map(({ name }) => name);
  const blocks = instances.map(({ name, vrid, address, lines }) => {
    const extra = name === "VI_D" && round % 2 === 1 ? "\n 172.16.100.65/32" : "";
    return `vrrp_instance ${name} {
 interface eth0
 virtual_router_id ${vrid}
 priority ${priority}
 ${lines}
 virtual_ipaddress {
 ${address}/32${extra}
 }
}`;
  });
  return `track_file weight_file {
 file ${weightFile}
}
vrrp_sync_group G {
 group {
 ${members.join("\n ")}
 }
}
${blocks.join("\n")}
`;
}

const services = ["election", "dataplane", "health", "notifier", "control", "nats", "redis"] as const;
const routerNames = ["r1", "r2"] as const;
type RouterName = (typeof routerNames)[number];

interface World {
  readonly lab: Lab;
  readonly nodes: Map<RouterName, BatonNode>;
  readonly random: Random;
  round: number;
}

/** Does something bad, and hands out what ends it. */
interface Fault {
  readonly name: string;
  begin(world: World, router: RouterName): Promise<(() => Promise<void>) | undefined>;
}

const nodeOf = ({ nodes }: World, router: RouterName): BatonNode => {
  const node = nodes.get(router);
  if (node === undefined) throw new Error(`${router} has no node`);
  return node;
};

async function startNode(world: World, router: RouterName): Promise<void> {
  const node = await world.lab.router(router).startBaton(configOf(router, world.round));
  world.nodes.set(router, node);
  await node.waitReady(60_000);
}

/** The service may be on its way back from another fault: then there is nothing to hurt. */
function hurt(node: BatonNode, service: string, signal: NodeJS.Signals): void {
  try {
    node.signalService(service, signal);
  } catch {
    // Not there now.
  }
}

const faults: readonly [Fault, ...Fault[]] = [
  {
    name: "service-killed",
    async begin(world, router) {
      hurt(nodeOf(world, router), world.random.pick(services), "SIGKILL");
      return undefined;
    },
  },
  {
    name: "service-hung",
    async begin(world, router) {
      const node = nodeOf(world, router);
      const service = world.random.pick(services);
      hurt(node, service, "SIGSTOP");
      return async () => hurt(node, service, "SIGCONT");
    },
  },
  {
    name: "link-down",
    async begin({ lab }, router) {
      await lab.linkDown(router);
      return () => lab.linkUp(router);
    },
  },
  {
    name: "vrrp-cut",
    async begin({ lab, random }, router) {
      await lab.cutVrrp(...(random.integer(0, 1) === 0 ? [] : [router]));
      return () => lab.healVrrp();
    },
  },
  {
    name: "node-killed",
    async begin(world, router) {
      const node = nodeOf(world, router);
      await node.kill();
      return () => startNode(world, router);
    },
  },
  {
    name: "node-stopped",
    async begin(world, router) {
      await nodeOf(world, router).stop(60_000);
      return () => startNode(world, router);
    },
  },
  {
    name: "supervisor-killed",
    async begin(world, router) {
      await nodeOf(world, router).killSupervisor();
      return () => startNode(world, router);
    },
  },
  {
    name: "reload",
    async begin(world, router) {
      world.round += 1;
      nodeOf(world, router).reload(configOf(router, world.round));
      return undefined;
    },
  },
  {
    name: "tracked-file",
    async begin({ lab, random }, router) {
      lab.router(router).writeFile(weightFile, `${random.integer(-100, 100)}\n`);
      return undefined;
    },
  },
  {
    name: "address-removed",
    async begin({ lab, random }, router) {
      const { address } = random.pick(instances);
      await lab.router(router).exec(`ip address del ${address}/32 dev eth0`);
      return undefined;
    },
  },
];

/** Faults that end a whole node: another one in the same storm would hurt what is not there. */
const endsNode = new Set(["node-killed", "node-stopped", "supervisor-killed"]);

async function storm(world: World): Promise<string[]> {
  const { random } = world;
  const told: string[] = [];
  const ends: { router: RouterName; end: () => Promise<void> }[] = [];
  const ended = new Set<RouterName>();
  for (let left = random.integer(1, 3); left > 0; left--) {
    const router = random.pick(routerNames);
    const fault = random.pick(faults);
    if (ended.has(router)) continue;
    if (endsNode.has(fault.name)) ended.add(router);
    told.push(`${router} ${fault.name}`);
    const end = await fault.begin(world, router);
    if (end !== undefined) ends.push({ router, end });
    await elapsed(random.integer(0, 2_500));
  }
  for (const { end } of ends) {
    await elapsed(random.integer(0, 2_500));
    await end();
  }
  return told;
}

async function elapsed(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

async function addressesOf(router: Router): Promise<Set<string>> {
  return new Set((await router.addresses()).map((each) => each.split("/")[0] ?? ""));
}

/** Why the routers are not settled; undefined: they are. */
async function unsettled({ lab, nodes }: World): Promise<string | undefined> {
  const held = new Map<string, Set<string>>();
  for (const name of routerNames) held.set(name, await addressesOf(lab.router(name)));
  const holders = instances.map(({ name, address, inGroup }) => ({
    name,
    inGroup,
    by: routerNames.filter((router) => held.get(router)?.has(address)),
  }));
  for (const { name, by } of holders) if (by.length !== 1) return `${name} is held by ${by.join(" and ") || "nobody"}`;
  const group = new Set(holders.filter(({ inGroup }) => inGroup).flatMap(({ by }) => by));
  if (group.size !== 1) return "the group is split";
  for (const [router, node] of nodes) {
    const { services: running } = JSON.parse(readFileSync(join(node.runDir, "services.json"), "utf8")) as {
      services: Record<string, { pid: number }>;
    };
    const missing = services.filter((service) => running[service] === undefined);
    if (missing.length > 0) return `${router} lacks ${missing.join(", ")}`;
    const status = await node.status().catch((error: unknown) => String(error));
    if (typeof status === "string") return `${router} has no status: ${status}`;
    for (const { name, state } of status.instances) {
      const holds = holders.find((each) => each.name === name)?.by[0] === router;
      if (state !== (holds ? "master" : "backup")) return `${router} says ${state} of ${name}`;
    }
  }
  return undefined;
}

export interface SoakReport {
  readonly storms: number;
  readonly faults: Readonly<Record<string, number>>;
  /** From the end of the last fault until everything held again. */
  readonly settledMs: { readonly median: number; readonly max: number };
  /** What did not settle, or was lost: empty when all is well. */
  readonly failures: readonly string[];
}

export interface SoakOptions {
  readonly seconds: number;
  readonly random: Random;
  /** How long the routers may take to settle: holds of S9 double up to minutes. */
  readonly settleMs: number;
  tell(line: string): void;
}

/** Settled is what holds for so long: a master that nobody has contradicted yet is not. */
const calmMs = 1_500;

/** Storms for `seconds`; ends with the first one after which something does not hold. */
export async function soak({ seconds, random, settleMs, tell }: SoakOptions): Promise<SoakReport> {
  const lab = await createLab({ name: "soak" });
  const world: World = { lab, nodes: new Map(), random, round: 0 };
  const counts: Record<string, number> = {};
  const settled: number[] = [];
  const failures: string[] = [];
  const settle = async (what: string): Promise<void> => {
    const begunAt = performance.now();
    const seen = { fault: "", since: begunAt };
    const holds = async (): Promise<boolean> => {
      const fault = (await unsettled(world).catch(String)) ?? "";
      if (fault !== "" || seen.fault !== "") seen.since = performance.now();
      seen.fault = fault;
      return performance.now() - seen.since > calmMs;
    };
    try {
      await waitFor(what, holds, { deadlineMs: settleMs, everyMs: 50 });
      for (const node of world.nodes.values()) await waitWhole(node);
      settled.push(Math.round(seen.since - begunAt));
    } catch (error) {
      failures.push(`${what}: ${seen.fault || String(error)}`);
    }
  };
  try {
    for (const router of routerNames) lab.router(router).writeFile(weightFile, "0\n");
    await Promise.all(routerNames.map((router) => startNode(world, router)));
    await settle("the start");
    const end = performance.now() + seconds * 1_000;
    for (let index = 1; performance.now() < end && failures.length === 0; index++) {
      const told = await storm(world);
      for (const each of told) {
        const name = each.slice(3);
        counts[name] = (counts[name] ?? 0) + 1;
      }
      await settle(`storm ${index} (${told.join(", ")})`);
      tell(`storm ${index}: ${told.join(", ")}; settled after ${settled.at(-1)} ms`);
    }
    if (failures.length > 0) tell(lab.logs());
  } finally {
    await Promise.all([...world.nodes.values()].filter(({ runDir }) => existsSync(runDir)).map(discard));
    await lab.destroy();
  }
  const sorted = settled.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return {
    storms: Math.max(0, settled.length - 1),
    faults: counts,
    settledMs: { median, max: sorted.at(-1) ?? 0 },
    failures,
  };
}

// Two Baton routers on a lab, as most tests of the whole system want them: r1 is master, r2 its backup.
import { rmSync } from "node:fs";
import type { EventEnvelope } from "@baton/domain";
import {
  type BatonNode,
  type BatonOptions,
  createLab,
  type Lab,
  type Probe,
  virtualAddress,
  waitFor,
} from "@baton/lab";

export interface ConfigOptions {
  readonly state: "MASTER" | "BACKUP";
  readonly priority: number;
  readonly advertInt?: number;
  readonly addresses?: readonly string[];
  /** Lines inside the instance. */
  readonly instance?: string;
  /** Blocks before it. */
  readonly before?: string;
  /** "" for none. */
  readonly password?: string;
}

export function keepalivedConf(options: ConfigOptions): string {
  const { state, priority, advertInt = 1, password = "secret12", before = "", instance = "" } = options;
  const addresses = options.addresses ?? [`${virtualAddress}/16 dev eth0 label eth0:0`];
  const authentication = password === "" ? "" : `authentication {\n    auth_type PASS\n    auth_pass ${password}\n  }`;
  return `${before}
vrrp_instance VI_1 {
  interface eth0
  state ${state}
  priority ${priority}
  virtual_router_id 51
  advert_int ${advertInt}
  garp_master_delay 1
  ${authentication}
  virtual_ipaddress {
    ${addresses.join("\n    ")}
  }
  ${instance}
}
`;
}

export const masterConf = (more: Partial<ConfigOptions> = {}): string =>
  keepalivedConf({ state: "MASTER", priority: 101, ...more });
export const backupConf = (more: Partial<ConfigOptions> = {}): string =>
  keepalivedConf({ state: "BACKUP", priority: 100, ...more });

/** Version 3, whose intervals may be short: a test that waits for a takeover waits for less. */
export const quick = (advertInt: number): Pick<ConfigOptions, "before" | "password" | "advertInt"> => ({
  before: "global_defs {\n  vrrp_version 3\n}",
  password: "",
  advertInt,
});

export interface Pair {
  readonly lab: Lab;
  readonly r1: BatonNode;
  readonly r2: BatonNode;
  /** Probing the virtual address, answered by r1. */
  probe(): Promise<Probe>;
  /** Events of a node since the pair had settled: on a slow machine the beginning may have gone either way. */
  eventsSince(node: BatonNode): Promise<EventEnvelope[]>;
  /** The first of them that matches. */
  event(node: BatonNode, match: (envelope: EventEnvelope) => boolean, what: string): Promise<EventEnvelope>;
  /** Whether a router has the virtual address on eth0. */
  holds(router: "r1" | "r2", address?: string): Promise<boolean>;
}

export interface PairOptions {
  readonly r1?: string;
  readonly r2?: string;
  readonly options?: BatonOptions;
}

/** Starts both nodes on a lab and waits until r1 is the confirmed master and r2 has heard it. */
export async function startPair(
  lab: Lab,
  { r1 = masterConf(), r2 = backupConf(), options }: PairOptions = {},
): Promise<Pair> {
  const nodes = await Promise.all([lab.router("r1").startBaton(r1, options), lab.router("r2").startBaton(r2, options)]);
  try {
    return await settle(lab, nodes);
  } catch (error) {
    // Another attempt needs the lab as it was.
    await Promise.all(nodes.map(discard));
    throw error;
  }
}

async function settle(lab: Lab, [first, second]: readonly [BatonNode, BatonNode]): Promise<Pair> {
  await Promise.all([first.waitReady(), second.waitReady()]);
  const holds: Pair["holds"] = async (router, address = virtualAddress) =>
    (await lab.router(router).addresses()).some((each) => each.startsWith(`${address}/`));
  await first.waitState("master");
  await second.waitState("backup");
  await waitFor("r1 to hold the address", () => holds("r1"));
  await waitFor("r2 to have heard r1", async () => (await second.status()).instances[0]?.master === "172.16.1.1");
  const counts = new Map<BatonNode, number>();
  for (const node of [first, second]) counts.set(node, (await node.events()).length);
  const eventsSince = async (node: BatonNode): Promise<EventEnvelope[]> =>
    (await node.events()).slice(counts.get(node) ?? 0);
  return {
    lab,
    r1: first,
    r2: second,
    holds,
    eventsSince,
    event: (node, match, what) =>
      waitFor(what, async () => (await eventsSince(node).catch(() => [])).find(match), {
        deadlineMs: 15_000,
        everyMs: 50,
      }),
    async probe() {
      const probe = await lab.client.probe({ address: virtualAddress });
      await probe.waitAnswered("r1");
      return probe;
    },
  };
}

/** Ends a node, however it is, and forgets what it stored: the next one starts a history of its own. */
export async function discard(node: BatonNode): Promise<void> {
  await node.kill().catch(() => undefined);
  for (const directory of [node.runDir, node.stateDir])
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Ends both nodes and takes from the kernel what the dead could not take back. */
export async function stopPair(pair: Pair | undefined): Promise<void> {
  if (pair === undefined) return;
  await Promise.all([pair.r1, pair.r2].map(discard));
  await Promise.all(["r1", "r2"].map((name) => pair.lab.router(name).exec("ip address flush dev eth0 label eth0:0")));
}

/** A lab for the tests of a file; `lab.get()` inside the tests. */
export function labFor(
  name: string,
  hooks: { beforeAll: Hook; afterAll: Hook },
  options: { hub?: boolean } = {},
): { get(): Lab } {
  const held: { lab?: Lab } = {};
  hooks.beforeAll(async () => {
    held.lab = await createLab({ name, ...options });
  });
  hooks.afterAll(async () => {
    await held.lab?.destroy();
  });
  return {
    get: () => {
      if (held.lab === undefined) throw new Error("there is no lab");
      return held.lab;
    },
  };
}
type Hook = (run: () => Promise<void>) => void;

export const isType =
  (type: string, instance = "VI_1") =>
  ({ event, aggregate }: EventEnvelope): boolean =>
    event.type === type &&
    (aggregate.id === instance || ("instance" in event.data && event.data.instance === instance));

/** Types of the events of one aggregate kind, in order. */
export const typesOf = (events: readonly EventEnvelope[], kind: string): string[] =>
  events.filter((each) => each.aggregate.kind === kind).map((each) => each.event.type);

/** Waits until the stored events are whole: while its bus is away, control answers with what it remembers itself. */
export async function waitWhole(node: BatonNode): Promise<void> {
  const seen = { fault: "nothing was read" };
  const whole = async (): Promise<boolean> => {
    try {
      assertWhole(await node.events());
      return true;
    } catch (error) {
      seen.fault = String(error);
      return false;
    }
  };
  await waitFor(`${node.name}'s log to be whole`, whole).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${seen.fault}`);
  });
}

/** Every aggregate's versions, which must rise by one without a gap: nothing lost, nothing twice. */
function assertWhole(events: readonly EventEnvelope[]): void {
  const last = new Map<string, number>();
  for (const { aggregate, version, event } of events) {
    const key = `${aggregate.kind}/${aggregate.id}`;
    const before = last.get(key) ?? 0;
    if (version !== before + 1) throw new Error(`${key}: ${event.type} has version ${version} after ${before}`);
    last.set(key, version);
  }
}

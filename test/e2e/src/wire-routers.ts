// The routers of one wire: each runs Baton, keepalived or FRR with every dialect, can be stopped, killed and started again,
// and is asked what it is master of: its kernel, and its own word.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Lab, type Router, startFrr, waitFor } from "@baton/lab";
import { type Half, priorityOf, type RouterName, type VirtualRouter, type Wire, wireConf } from "./wire-dialects.ts";

export interface WireRouter {
  readonly name: RouterName;
  readonly running: boolean;
  start(): Promise<void>;
  /** SIGTERM, until it has ended. */
  stop(): Promise<void>;
  /** SIGKILL to every process at once. */
  kill(): Promise<void>;
  /** What is added to its priority in a half: by a tracker, or by hand where there is none. */
  weigh(half: Half, weight: number): Promise<void>;
  /** Its own word about an instance; "master" begins it when it is one. */
  words(): Promise<ReadonlyMap<string, string>>;
  /** Addresses on links that are up. */
  addresses(): Promise<Set<string>>;
}

/** What runs on a router. */
interface Program {
  stop(): Promise<unknown>;
  words(): Promise<ReadonlyMap<string, string>>;
  weigh(half: Half, weight: number): Promise<void>;
}

export interface Place {
  readonly lab: Lab;
  readonly wire: Wire;
  readonly name: RouterName;
  readonly kind: "baton" | "keepalived" | "frr";
  /** Another keepalived than the machine's own. */
  readonly binary?: string | undefined;
}

/** keepalived and FRR leave their addresses and links to the kernel for ever; a machine that is dead does not show them. */
const forget = `rm -f /run/keepalived*.pid
ip -o link show type macvlan | sed 's/^[0-9]*: \\([^@]*\\)@.*/\\1/' | xargs -r -n1 ip link del
ip -o address show dev eth0 | awk '{print $4}' | grep -E '^(172\\.16\\.10[0-9]\\.|2001:db8:1::1../|fe80::1../)' |
xargs -r -I{} ip address del {} dev eth0`;

export function createRouter(place: Place): WireRouter {
  const { name } = place;
  const router = place.lab.router(name);
  const held: { program?: Program } = {};
  return {
    name,
    get running() {
      return held.program !== undefined;
    },
    async start() {
      held.program = await starters[place.kind](router, place);
    },
    async stop() {
      await held.program?.stop();
      delete held.program;
    },
    async kill() {
      delete held.program;
      await router.killEverything({ keepResponder: true });
      if (place.kind !== "baton") await router.exec(forget);
    },
    weigh: async (half, weight) => held.program?.weigh(half, weight),
    words: async () => (await held.program?.words().catch(() => undefined)) ?? new Map(),
    async addresses() {
      const { stdout } = await router.exec(["ip", "-j", "address", "show", "up"]);
      const links = JSON.parse(stdout || "[]") as { flags?: string[]; addr_info?: { local: string }[] }[];
      const live = links.filter(({ flags }) => flags?.includes("LOWER_UP") === true);
      return new Set(live.flatMap(({ addr_info: infos = [] }) => infos.map(({ local }) => local)));
    },
  };
}

/** Files whose numbers are weights: how Baton and keepalived are told. */
async function trackFiles(router: Router): Promise<{ pathOf(half: Half): string; weigh: Program["weigh"] }> {
  const pathOf = (half: Half): string => join(router.directory, `weight-${half}`);
  const weigh: Program["weigh"] = (half, weight) => writeFile(pathOf(half), `${weight}\n`);
  await Promise.all([weigh("a", 0), weigh("b", 0)]);
  return { pathOf, weigh };
}

const starters: Record<Place["kind"], (router: Router, place: Place) => Promise<Program>> = {
  async baton(router, { wire, name }) {
    const { pathOf, weigh } = await trackFiles(router);
    const node = await router.startBaton(wireConf(wire, name, pathOf));
    await node.waitReady(30_000);
    return {
      stop: () => node.stop(),
      weigh,
      async words() {
        const { instances } = await node.status();
        return new Map(instances.map(({ name: instance, state, reason }) => [instance, `${state} (${reason})`]));
      },
    };
  },
  async keepalived(router, { wire, name, binary }) {
    const { pathOf, weigh } = await trackFiles(router);
    const node = await router.startKeepalived(wireConf(wire, name, pathOf), binary);
    return { stop: () => node.stop(), weigh, words: async () => wordsOfLog(node.log()) };
  },
  async frr(router, { wire, name }) {
    const node = await startFrr(
      router,
      wire.agreed.map((each) => ({
        ...each.dialect,
        ...each,
        intervalMs: each.dialect.interval * 1000,
        priority: priorityOf(name, each.half),
      })),
    );
    return {
      stop: () => node.stop(),
      async words() {
        const states = await node.states();
        return new Map(wire.agreed.map((each) => [each.name, (states.get(each.vrid) ?? "").toLowerCase()]));
      },
      async weigh(half, weight) {
        for (const each of wire.agreed.filter((one) => one.half === half))
          await node.setPriority(each.vrid, priorityOf(name, half) + weight);
      },
    };
  },
};

/** keepalived's last word about each instance. */
function wordsOfLog(log: string): Map<string, string> {
  const words = new Map<string, string>();
  for (const [, name, state] of log.matchAll(/\(([^()]+)\) Entering ([A-Z]+) STATE/g))
    if (name !== undefined && state !== undefined) words.set(name, state.toLowerCase());
  return words;
}

export type Expected = (virtualRouter: VirtualRouter) => RouterName;

/** Waits until one router alone has the addresses of each virtual router, and says itself that it is master. */
export async function waitHolders(
  routers: readonly WireRouter[],
  virtualRouters: readonly VirtualRouter[],
  expected: Expected,
): Promise<void> {
  const seen = { wrong: [] as string[] };
  await waitFor(
    "one holder for each virtual router",
    async () => {
      seen.wrong = await wrongHolders(routers, virtualRouters, expected);
      return seen.wrong.length === 0;
    },
    { deadlineMs: 25_000, everyMs: 50 },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${seen.wrong.join("\n")}`);
  });
}

const isMaster = (word = ""): boolean => word.startsWith("master");

async function wrongHolders(
  routers: readonly WireRouter[],
  virtualRouters: readonly VirtualRouter[],
  expected: Expected,
): Promise<string[]> {
  const views = await Promise.all(
    routers.map(async (router) => ({
      router: router.name,
      addresses: await router.addresses(),
      words: await router.words(),
    })),
  );
  return virtualRouters.flatMap((virtualRouter) => {
    const { name, addresses } = virtualRouter;
    const should = expected(virtualRouter);
    const wrong = views.filter((view) => {
      const has = addresses.filter((address) => view.addresses.has(address)).length;
      const due = view.router === should;
      return has !== (due ? addresses.length : 0) || isMaster(view.words.get(name)) !== due;
    });
    return wrong.map((view) => {
      const has = addresses.filter((address) => view.addresses.has(address));
      const says = view.words.get(name) ?? "nothing";
      return `${name} should be with ${should}; ${view.router} says ${says} and has ${has.join(" ") || "no address"}`;
    });
  });
}

// One wire with its routers and what is recorded on it: what happens there is asked about here, so that a scenario reads
// as what is done and what has to follow.
import { type Capture, createLab, type Lab } from "@baton/lab";
import { expect } from "vitest";
import { followAdverts, type SeenAdvert } from "./wire-adverts.ts";
import {
  type Half,
  ipv4Of,
  ipv6Of,
  priorityOf,
  type RouterName,
  type VirtualRouter,
  type Wire,
} from "./wire-dialects.ts";
import { createRouter, type Expected, type Place, type WireRouter, waitHolders } from "./wire-routers.ts";

export interface Scene {
  readonly lab: Lab;
  readonly wire: Wire;
  readonly capture: Capture;
  readonly routers: Readonly<Record<RouterName, WireRouter>>;
  readonly linkLocal: ReadonlyMap<RouterName, string>;
  half(which: Half): VirtualRouter[];
  holders(expected: Expected): Promise<void>;
  /** However the scenario before left it: r1 and r2 are there, r3 is not, and each is master where it is to be. */
  settle(): Promise<void>;
  advertsOf(virtualRouter: VirtualRouter, router: RouterName, sinceMs?: number): SeenAdvert[];
  /** The old master fell silent: the new one waited for its master-down time, neither shorter nor longer. */
  expectTimedOut(virtualRouters: readonly VirtualRouter[], from: RouterName, to: RouterName, sinceMs: number): void;
  /** The old master took its leave with priority 0: the new one waited for its skew time, which is less than an interval. */
  expectFarewell(virtualRouters: readonly VirtualRouter[], from: RouterName, to: RouterName, sinceMs: number): void;
  /** Each half went from one to the other, told by a higher priority and not by silence. */
  expectPassed(one: RouterName, other: RouterName, sinceMs: number): void;
}

interface Takeover {
  readonly gapMs: number;
  readonly lastPriority: number | undefined;
}

export const atHome: Expected = ({ half }) => (half === "a" ? "r1" : "r2");
const names = ["r1", "r2", "r3"] as const;
/** What a busy machine may add. */
const lateMs = 1500;

export interface SceneOptions {
  readonly name: string;
  readonly wire: Wire;
  readonly kinds: Readonly<Record<RouterName, Place["kind"]>>;
  /** Another keepalived than the machine's own. */
  readonly binary?: string | undefined;
}

export async function raiseScene({ name, wire, kinds, binary }: SceneOptions): Promise<Scene> {
  const lab = await createLab({ name, routers: names });
  try {
    const linkLocal = await addressRouters(lab);
    const capture = await lab.capture({ filter: "ip proto 112 or ip proto 51 or ip6 proto 112" });
    const place = (router: RouterName): WireRouter =>
      createRouter({ lab, wire, name: router, kind: kinds[router], binary });
    const routers = { r1: place("r1"), r2: place("r2"), r3: place("r3") };
    const sources = (virtualRouter: VirtualRouter, router: RouterName): string[] =>
      sourcesOf(virtualRouter, kinds[router], router, linkLocal.get(router) ?? "");
    const half: Scene["half"] = (which) => wire.agreed.filter((each) => each.half === which);
    const holders: Scene["holders"] = (expected) => waitHolders(Object.values(routers), wire.agreed, expected);
    return {
      ...{ lab, wire, capture, routers, linkLocal, half, holders },
      settle: () => settle(routers, holders),
      ...timing(followAdverts(capture.file), sources, half),
    };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

async function addressRouters(lab: Lab): Promise<Map<RouterName, string>> {
  const linkLocal = new Map<RouterName, string>();
  for (const name of names) {
    const address = `ip address replace ${ipv6Of(name)}/64 dev eth0 nodad`;
    const { stdout } = await lab.router(name).exec(`${address}; ip -j -6 address show dev eth0 scope link`);
    linkLocal.set(name, /"local":"(fe80:[^"]*)"/.exec(stdout)?.[1] ?? "");
  }
  await lab.client.exec("ip address replace 2001:db8:1::9/64 dev eth0 nodad");
  return linkLocal;
}

function sourcesOf(
  { dialect, vrid, addresses }: VirtualRouter,
  kind: Place["kind"],
  router: RouterName,
  linkLocal: string,
): string[] {
  if (dialect.family === 4) return [ipv4Of(router)];
  // FRR speaks from its link with the virtual MAC address: from the address that follows from that, or the virtual one.
  if (kind === "frr") return [`fe80::200:5eff:fe00:2${vrid.toString(16).padStart(2, "0")}`, ...addresses];
  return [dialect.name.includes("unicast") ? ipv6Of(router) : linkLocal];
}

async function settle(routers: Scene["routers"], holders: Scene["holders"]): Promise<void> {
  const { r1, r2, r3 } = routers;
  if (r3.running) await r3.kill();
  for (const router of [r1, r2]) for (const half of ["a", "b"] as const) await router.weigh(half, 0);
  await Promise.all([r1, r2].filter(({ running }) => !running).map((router) => router.start()));
  // What moved too often on a busy machine stays where it is for minutes (SAFETY S12): Baton has to begin anew.
  await holders(atHome).catch(async () => {
    await r1.stop();
    await r1.start();
    await holders(atHome);
  });
}

function timing(
  adverts: () => readonly SeenAdvert[],
  sources: (virtualRouter: VirtualRouter, router: RouterName) => string[],
  half: Scene["half"],
): Pick<Scene, "advertsOf" | "expectTimedOut" | "expectFarewell" | "expectPassed"> {
  const advertsOf: Scene["advertsOf"] = (virtualRouter, router, sinceMs = 0) => {
    const from = sources(virtualRouter, router);
    return adverts().filter(
      ({ vrid, source, atMs }) => vrid === virtualRouter.vrid && from.includes(source) && atMs >= sinceMs,
    );
  };
  /** Between the last advert of the old master and the first of the new one. */
  const takeover = (virtualRouter: VirtualRouter, from: RouterName, to: RouterName, sinceMs: number): Takeover => {
    const first = advertsOf(virtualRouter, to, sinceMs)[0];
    const last = advertsOf(virtualRouter, from).findLast(({ atMs }) => first !== undefined && atMs < first.atMs);
    return { gapMs: (first?.atMs ?? Number.NaN) - (last?.atMs ?? Number.NaN), lastPriority: last?.priority };
  };
  const expectAll = (
    virtualRouters: readonly VirtualRouter[],
    [from, to, sinceMs]: readonly [RouterName, RouterName, number],
    isRight: (virtualRouter: VirtualRouter, seen: Takeover) => boolean,
  ): void => {
    const wrong = virtualRouters.flatMap((each) => {
      const seen = takeover(each, from, to, sinceMs);
      if (isRight(each, seen)) return [];
      return [`${each.name}: ${seen.gapMs.toFixed(0)} ms after an advert of priority ${seen.lastPriority}`];
    });
    expect(wrong, `from ${from} to ${to}`).toEqual([]);
  };
  const isSoon = ({ dialect }: VirtualRouter, { gapMs }: Takeover): boolean => gapMs < 2900 * dialect.interval;
  return {
    advertsOf,
    expectTimedOut: (virtualRouters, from, to, sinceMs) =>
      expectAll(virtualRouters, [from, to, sinceMs], ({ dialect, half, masterDownMs }, { gapMs }) => {
        const shortest = 3000 * dialect.interval;
        return gapMs > shortest && gapMs < masterDownMs(priorityOf(to, half)) + lateMs;
      }),
    expectFarewell: (virtualRouters, from, to, sinceMs) =>
      expectAll(virtualRouters, [from, to, sinceMs], (each, seen) => seen.lastPriority === 0 && isSoon(each, seen)),
    expectPassed(one, other, sinceMs) {
      expectAll(half("a"), [one, other, sinceMs], isSoon);
      expectAll(half("b"), [other, one, sinceMs], isSoon);
    },
  };
}

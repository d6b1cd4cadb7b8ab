// The nftables balancer: shares by weight, connections that live while servers come and go, and what many services cost.
import {
  type Answer,
  ask,
  askByDatagram,
  clientAddress,
  type Held,
  hold,
  many,
  Scene,
  serverAddress,
  tally,
  virtual,
} from "@baton/balancing";
import type { WantedService } from "@baton/ipvs";
import { aDestination, addressKey, aService, withDestinations } from "@baton/ipvs/testing";
import { removalScript } from "@baton/nft-balancer";
import { rounded } from "./statistics.ts";

const vip = { host: virtual[4], port: 80 };

/** Weights of servers 1, 2, …; undefined: not there. */
function service(scheduler: string, weights: readonly (number | undefined)[], protocol: "tcp" | "udp" = "tcp") {
  const destinations = weights.flatMap((weight, at) =>
    weight === undefined ? [] : [aDestination(serverAddress(at + 1), { weight })],
  );
  return withDestinations(aService(addressKey(virtual[4], protocol), { scheduler }), ...destinations);
}

/** Each part begins with an empty table, and has clients of its own. */
export async function measureBalancing(): Promise<object> {
  const scene = await Scene.start("ben", 4);
  try {
    return {
      shares: await measureShares(scene),
      living: await measureLiving(scene),
      services: [100, 1000, 10_000].map((count) => measureServices(scene, count)),
    };
  } finally {
    await scene.close();
  }
}

async function measureShares(scene: Scene): Promise<object[]> {
  const cases = [
    ["rr", [1, 1, 1]],
    ["wrr", [5, 3, 2]],
    // More slots than take turns: by chance.
    ["wrr", [500, 300, 211]],
    ["sh", [5, 3, 2]],
  ] as const;
  const results: object[] = [];
  for (const [number, [scheduler, weights]] of cases.entries()) {
    const protocol = scheduler === "sh" ? "udp" : "tcp";
    scene.apply([service(scheduler, weights, protocol)]);
    const from = (at: number): string => clientAddress(number * 10_000 + at);
    const one = (at: number): Promise<Answer> => (protocol === "udp" ? askByDatagram : ask)({ ...vip, from: from(at) });
    const since = performance.now();
    const counts = tally(await many(10_000, one));
    const sum = weights.reduce((total: number, weight) => total + weight, 0);
    const off = weights.map((weight, at) => Math.abs((counts[`s${at + 1}`] ?? 0) / 10_000 - weight / sum));
    results.push({
      scheduler,
      weights,
      counts,
      greatestErrorPercent: rounded(100 * Math.max(...off)),
      connectionsPerSecond: Math.round(10_000_000 / (performance.now() - since)),
    });
  }
  scene.nft(removalScript);
  return results;
}

/** 10,000 connections, and everything that can become of a service while they live. */
async function measureLiving(scene: Scene): Promise<object> {
  scene.apply([service("rr", [1, 1])]);
  const living = await many(10_000, (at) => hold({ ...vip, from: clientAddress(40_000 + at) }));
  const before = tally(living);
  const steps: readonly (readonly [string, readonly WantedService[]])[] = [
    ["weight 0", [service("rr", [0, 1])]],
    ["removed, another one added", [service("rr", [undefined, 1, 1])]],
    ["another scheduler", [service("wrr", [undefined, 1, 5])]],
    ["only new servers", [service("rr", [undefined, undefined, 1, 1])]],
    ["service removed", []],
    ["service back", [service("rr", [1, 1])]],
  ];
  const lost: Record<string, number> = {};
  for (const [what, services] of steps) {
    scene.apply(services);
    lost[what] = living.length - (await echoing(living));
  }
  for (const held of living) held.close();
  scene.nft(removalScript);
  return { connections: living.length, before, lost };
}

const echoing = async (living: readonly Held[]): Promise<number> => {
  const echoed = await many(living.length, (at) => living[at]?.echoes() ?? Promise.resolve(false), 1000);
  return echoed.filter((came) => came).length;
};

/** Services of two servers: all of them from nothing, one more server in one of them, and reading the table back. */
function measureServices(scene: Scene, count: number): object {
  const services = Array.from({ length: count }, (_, at) =>
    withDestinations(
      aService(addressKey(clientAddress(at))),
      aDestination(serverAddress(1)),
      aDestination(serverAddress(2)),
    ),
  );
  const all = timed(() => scene.apply(services));
  const read = timed(() => scene.read());
  const more = services.map((each, at) =>
    at === 7 ? { ...each, destinations: [...each.destinations, aDestination(serverAddress(3))] } : each,
  );
  const one = timed(() => scene.change(more, all.result.after));
  const removal = timed(() => scene.nft(removalScript));
  return {
    services: count,
    fromEmptyMs: all.ms,
    readBackMs: read.ms,
    oneChangedMs: one.ms,
    linesOfChange: one.result.script.split("\n").length - 1,
    removedMs: removal.ms,
  };
}

function timed<T>(act: () => T): { readonly ms: number; readonly result: T } {
  const since = performance.now();
  const result = act();
  return { ms: Math.round(performance.now() - since), result };
}

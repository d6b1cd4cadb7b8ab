// Real connections through the kernel's nftables: distribution, persistence, and what lives on while everything changes.
import { serviceFlags, serviceName, type WantedService } from "@baton/ipvs";
import { aDestination, addressKey, aService, markKey, withDestinations } from "@baton/ipvs/testing";
import { waitFor } from "@baton/lab";
import { planBalancer, removalScript } from "@baton/nft-balancer";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Answer, ask, askByDatagram, hold, many, type Target, tally } from "./client.ts";
import { clientAddress, inNamespace, plainOptions, Scene, serverAddress, virtual } from "./scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await Scene.start("bal", 4);
});
afterEach(() => scene.nft(removalScript));
afterAll(() => scene.close());

interface Shape {
  readonly scheduler?: string;
  readonly protocol?: "tcp" | "udp";
  readonly address?: string;
  readonly port?: number;
  readonly flags?: number;
  readonly timeoutSeconds?: number;
  readonly netmask?: number;
}

/** `weights`: of servers 1, 2, …; undefined: not there. */
function service(weights: readonly (number | undefined)[], shape: Shape = {}): WantedService {
  const { protocol = "tcp", address = virtual[4], port = 80, ...changes } = shape;
  const family = address.includes(":") ? 6 : 4;
  const destinations = weights.flatMap((weight, at) =>
    weight === undefined ? [] : [aDestination(serverAddress(at + 1, family), { weight })],
  );
  return withDestinations(aService(addressKey(address, protocol, port), changes), ...destinations);
}

const vip: Target = { host: virtual[4], port: 80 };
const vip6: Target = { host: virtual[6], port: 80 };
const share = (count: number | undefined, of: number): number => (count ?? 0) / of;
const code = (error: unknown): string => (error as { code?: string }).code ?? String(error);
const outcome = (target: Target): Promise<string> =>
  ask(target).then(
    ({ server }) => server,
    (error) => code(error),
  );

describe("distribution", () => {
  test("10,000 connections by weight, exactly; each server sees its clients themselves", async () => {
    scene.apply([service([5, 3, 2], { scheduler: "wrr" })]);
    const answers = await many(10_000, (number) => ask({ ...vip, from: clientAddress(number % 5000) }));
    console.info("wrr 5:3:2, 10,000 connections:", JSON.stringify(tally(answers)));
    expect(tally(answers)).toEqual({ s1: 5000, s2: 3000, s3: 2000 });
    expect(answers.every(({ seen }, number) => seen === clientAddress(number % 5000))).toBe(true);
  });

  test("round robin takes turns whatever the weights are, over TCP and UDP, IPv4 and IPv6", async () => {
    const shapes: Shape[] = [
      {},
      { protocol: "udp" },
      { address: virtual[6] },
      { address: virtual[6], protocol: "udp" },
    ];
    scene.apply(shapes.map((shape) => service([1, 7, 3], shape)));
    for (const [target, act] of [
      [vip, ask],
      [vip, askByDatagram],
      [vip6, ask],
      [vip6, askByDatagram],
    ] as const) {
      expect(tally(await many(300, (number) => act({ ...target, fromPort: 10_000 + number })))).toEqual({
        s1: 100,
        s2: 100,
        s3: 100,
      });
    }
  });

  test("sh gives each client always the same server, by weight, and again after everything was taken away", async () => {
    const services = [service([5, 2], { scheduler: "sh", protocol: "udp" })];
    const askIn = (order: (at: number) => number): Promise<Answer[]> =>
      many(3000, (at) => askByDatagram({ ...vip, from: clientAddress(order(at)) }), 100);
    scene.apply(services);
    const before = await askIn((at) => at);
    console.info("sh 5:2, 3,000 clients:", JSON.stringify(tally(before)));
    expect(Math.abs(share(tally(before).s1, 3000) - 5 / 7)).toBeLessThan(0.02);
    scene.nft(removalScript);
    await expect(ask(vip)).rejects.toThrow("ECONNREFUSED");
    scene.apply(services);
    const after = await askIn((at) => 2999 - at);
    expect(after.reverse().map(({ server }) => server)).toEqual(before.map(({ server }) => server));
  });
});

describe("connections that live", () => {
  const of = (weights: readonly (number | undefined)[]): WantedService[] => [service(weights)];

  test("1,000 of them keep their servers through every change, and new ones go where they are to go", async () => {
    scene.apply(of([1, 1]));
    const living = await many(1000, (at) => hold({ ...vip, from: clientAddress(20_000 + at) }));
    expect(tally(living)).toEqual({ s1: 500, s2: 500 });
    const check = async (): Promise<void> => {
      const echoed = await Promise.all(living.map((held) => held.echoes()));
      expect(echoed.filter((came) => came).length).toBe(1000);
    };
    const askSome = async () => tally(await many(60, () => ask(vip)));
    scene.apply(of([0, 1]));
    expect(await askSome()).toEqual({ s2: 60 });
    await check();
    scene.apply(of([undefined, 1, 1]));
    expect(await askSome()).toEqual({ s2: 30, s3: 30 });
    await check();
    scene.apply(of([undefined, undefined, 1]));
    expect(await askSome()).toEqual({ s3: 60 });
    await check();
    scene.apply([]);
    expect(await outcome(vip)).toBe("ECONNREFUSED");
    await check();
    for (const held of living) held.close();
  });

  test("where no server is left clients are refused at once, and the sorry server is one like others", async () => {
    scene.apply(of([0, 0]));
    expect(await outcome(vip)).toBe("ECONNREFUSED");
    scene.apply(of([undefined, undefined, undefined, 1]));
    expect(await outcome(vip)).toBe("s4");
    scene.apply(of([1, 1]));
    expect(tally(await many(10, () => ask(vip)))).toEqual({ s1: 5, s2: 5 });
  });
});

describe("persistence", () => {
  const persistent = { flags: serviceFlags.persistent, timeoutSeconds: 300 };

  test("a client comes back to its server, whatever changes elsewhere, and to another one when that is gone", async () => {
    const other = (weight: number) => service([weight, 1], { address: virtual[6] });
    scene.apply([service([1, 1, 1], persistent), other(1)]);
    // The kernel's own limit: nobody has named a size, for which it would take the memory at once.
    expect(scene.ruleset().match(/size 65535/g)).toHaveLength(3);
    const clients = Array.from({ length: 600 }, (_, at) => clientAddress(30_000 + at));
    const askAll = async () =>
      (await many(600, (at) => ask({ ...vip, from: clients[at] }))).map(({ server }) => server);
    const first = await askAll();
    expect(new Set(first)).toEqual(new Set(["s1", "s2", "s3"]));
    expect(await askAll()).toEqual(first);
    scene.apply([service([1, 1, 1], persistent), other(0)]);
    expect(await askAll()).toEqual(first);
    scene.apply([service([1, 1, 1, 1], persistent), other(0)]);
    expect(await askAll()).toEqual(first);
    scene.apply([service([1, 0, 1, 1], persistent), other(0)]);
    const second = await askAll();
    expect(second.map((server, at) => first[at] === server || first[at] === "s2")).not.toContain(false);
    expect(second).not.toContain("s2");
    scene.apply([service([1, 1, 1, 1], persistent), other(0)]);
    expect(await askAll()).toEqual(second);
  });

  test("networks of clients are one client; who has not come for the timeout is new", async () => {
    scene.apply([service([1, 1], { ...persistent, timeoutSeconds: 1, netmask: 0xffffff00 })]);
    const network = [40_001, 40_002, 40_003, 40_100].map(clientAddress);
    const answers = await many(4, (at) => ask({ ...vip, from: network[at] }), 1);
    expect(new Set(answers.map(({ server }) => server)).size).toBe(1);
    const isKnown = (): boolean => /expires/.test(scene.ruleset());
    expect(isKnown()).toBe(true);
    await waitFor("the client is forgotten", () => !isKnown(), { everyMs: 100 });
    // It was the turn of the other one.
    expect((await ask({ ...vip, from: network[0] })).server).not.toBe(answers[0]?.server);
  });

  test("IPv6 and UDP", async () => {
    scene.apply([service([1, 1], { ...persistent, address: virtual[6], protocol: "udp", netmask: 64 })]);
    const answers = await many(20, () => askByDatagram(vip6));
    expect(Object.values(tally(answers))).toEqual([20]);
  });
});

describe("ports, marks and masquerading", () => {
  const anyPort = { port: 0 };
  const at = (number: number, changes: object) => aDestination(serverAddress(number), changes);

  test("a service on all ports keeps the port; another one on one port goes before it; a server's port is its own", async () => {
    scene.apply([
      withDestinations(aService(addressKey(virtual[4], "tcp", 0)), at(1, anyPort)),
      withDestinations(aService(addressKey(virtual[4], "tcp", 80)), at(2, { port: 8080 })),
    ]);
    expect(await outcome({ host: virtual[4], port: 8080 })).toBe("s1");
    expect(await outcome(vip)).toBe("s2");
    expect(await outcome({ host: virtual[4], port: 81 })).toBe("ECONNREFUSED");
  });

  test("a mark, set by somebody else's rules, is a service of any address, port and protocol", async () => {
    scene.nft(
      "table ip others { chain marking { type filter hook prerouting priority -150; ip daddr 10.80.0.100 th dport 7000-7010 meta mark set 7\n}\n}",
    );
    try {
      scene.apply([withDestinations(aService(markKey(7)), at(1, {}), at(2, {}))]);
      expect(tally(await many(10, (number) => ask({ host: virtual[4], port: 7000 + number })))).toEqual({
        s1: 5,
        s2: 5,
      });
      expect((await askByDatagram({ host: virtual[4], port: 7001 })).server).toMatch(/^s[12]$/);
    } finally {
      scene.nft("delete table ip others");
    }
  });

  test("masquerade: always; and where it is needed, for clients on the servers' own network and the director itself", async () => {
    scene.apply([service([1])], { masquerade: "always", connected: [] });
    expect(await ask(vip)).toMatchObject({ server: "s1", seen: "10.81.0.1" });
    const plan = scene.apply([service([1]), service([1], { address: virtual[6] })], {
      masquerade: "needed",
      connected: [
        { address: aDestination("10.81.0.1").address, length: 24 },
        { address: aDestination("fd81::1").address, length: 64 },
      ],
    });
    expect(plan.script).not.toBe("");
    expect(await ask(vip)).toMatchObject({ server: "s1", seen: "10.80.0.2" });
    const neighbour = scene.servers[1];
    for (const where of [neighbour, scene.director]) {
      if (where === undefined) throw new Error("no server");
      for (const [host, seen] of [
        [virtual[4], "10.81.0.1"],
        [virtual[6], "fd81::1"],
      ] as const) {
        const script = `require("node:net").connect(80, "${host}").once("data", (line) => { process.stdout.write(line); process.exit(0); })`;
        expect(inNamespace(where, process.execPath, "-e", script).trim()).toBe(`s1 ${seen}`);
      }
    }
  });
});

describe("transactions", () => {
  test("what the kernel has is what was planned, and a second plan is empty; drift is repaired", () => {
    const services = [
      service([1, 2], { scheduler: "wrr", flags: serviceFlags.persistent, timeoutSeconds: 60 }),
      service([1, 1], { address: virtual[6], protocol: "udp", scheduler: "sh", flags: serviceFlags.sched2 }),
      withDestinations(aService(addressKey(virtual[6], "tcp", 0)), aDestination(serverAddress(1, 6), { port: 0 })),
      withDestinations(aService(markKey(3)), aDestination(serverAddress(1))),
      service([]),
    ];
    const options = {
      masquerade: "needed" as const,
      connected: [{ address: aDestination("10.81.0.1").address, length: 24 }],
    };
    const { after } = scene.apply(services, options);
    expect(scene.read()).toEqual(after);
    expect(scene.apply(services, options).script).toBe("");
    scene.nft("flush map ip baton_lb services\nflush chain ip6 baton_lb prerouting\n");
    expect(scene.read()).not.toEqual(after);
    scene.apply(services, options);
    expect(scene.read()).toEqual(after);
    const unknown = ["tcp 10.80.0.100:80", "fwmark 3 IPv4"];
    scene.apply([], options, unknown);
    expect([...(scene.read()[4]?.elements.get("marks")?.keys() ?? [])]).toEqual(["3"]);
    expect(scene.read()[4]?.elements.get("addresses")).toEqual(new Map([[virtual[4], ""]]));
    expect(scene.read()[6]?.chains.size).toBe(3);
  });

  test("a refused one changes nothing", async () => {
    const { after } = scene.apply([service([1, 1])]);
    const { script } = planFor([undefined, undefined, 1]);
    expect(() => scene.nft(`${script}add rule ip baton_lb nowhere accept\n`)).toThrow("ESRCH");
    expect(scene.read()).toEqual(after);
    expect(tally(await many(10, () => ask(vip)))).toEqual({ s1: 5, s2: 5 });
  });

  test("nothing of others is touched, and nothing of Baton's is left", () => {
    scene.nft("table ip others { chain nat { type nat hook prerouting priority -90; tcp dport 9 redirect to :99\n}\n}");
    const before = scene.ruleset();
    scene.apply([service([1, 1]), service([1], { address: virtual[6] })]);
    expect(scene.ruleset()).toContain("redirect to :99");
    scene.apply([]);
    scene.nft(removalScript);
    scene.nft(removalScript);
    expect(scene.ruleset()).toBe(before);
    scene.nft("delete table ip others");
  });

  const planFor = (weights: readonly (number | undefined)[]) => {
    const wanted = service(weights);
    return planBalancer({
      wanted: new Map([[serviceName(wanted.key), wanted]]),
      unknown: new Set(),
      state: scene.read(),
      options: plainOptions,
    });
  };
});

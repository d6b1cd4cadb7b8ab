import { type Destination, type Service, serviceFlags, serviceName, type WantedService } from "@baton/ipvs";
import { aDestination, addressKey, aService, ip, markKey, withDestinations } from "@baton/ipvs/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planBalancer, removalScript } from "./plan.ts";
import { explainObstacle, obstacles } from "./refusal.ts";
import type { BalancerOptions } from "./ruleset.ts";
import { type BalancerState, nothing, readTable } from "./table-state.ts";

const never: BalancerOptions = { masquerade: "never", connected: [] };

const tableOf = (services: readonly WantedService[]) =>
  new Map(services.map((service) => [serviceName(service.key), service]));

const planFrom = (
  state: BalancerState,
  services: readonly WantedService[],
  { options = never, unknown = [] as readonly string[] } = {},
) => planBalancer({ wanted: tableOf(services), unknown: new Set(unknown), state, options });

const lines = (script: string): string[] => script.split("\n").filter((line) => line !== "");
const about = (script: string, text: string): string[] => lines(script).filter((line) => line.includes(text));

const web = (...destinations: Destination[]): WantedService =>
  withDestinations(aService(addressKey("10.0.0.1")), ...destinations);
const dns = withDestinations(aService(addressKey("2001:db8::1", "udp", 53)), aDestination("2001:db8::2"));
const [a, b] = [aDestination("10.1.0.1"), aDestination("10.1.0.2")];

describe("a plan", () => {
  test("from nothing makes a table for each family that has a service, and nothing for the other", () => {
    const { script, after } = planFrom(nothing, [web(a, b)]);
    expect(lines(script)[0]).toBe("add table ip baton_lb");
    expect(script).not.toContain("ip6");
    expect(after[6]).toBeUndefined();
    expect(about(script, "service/").slice(1)).toEqual([
      expect.stringMatching(/ numgen inc mod 2 == 0 goto tcp\/10\.0\.0\.1\/80\/to\/10\.1\.0\.1\/80\/\w+$/),
      expect.stringMatching(/ goto tcp\/10\.0\.0\.1\/80\/to\/10\.1\.0\.2\/80\/\w+$/),
      expect.stringMatching(/add element ip baton_lb services \{ tcp \. 10\.0\.0\.1 \. 80 : goto /),
    ]);
    expect(about(script, "dnat to")).toEqual([
      expect.stringMatching(/meta l4proto tcp dnat to 10\.1\.0\.1:80$/),
      expect.stringMatching(/meta l4proto tcp dnat to 10\.1\.0\.2:80$/),
    ]);
    expect(planFrom(nothing, [])).toMatchObject({ script: "", after: nothing });
  });

  test("touches the service that changes and no other", () => {
    const { after } = planFrom(nothing, [web(a, b), dns]);
    const { script } = planFrom(after, [web(a, { ...b, weight: 0 }), dns]);
    expect(
      lines(script).every((line) => line.includes("ip baton_lb tcp/10.0.0.1/80/") || line.includes("element")),
    ).toBe(true);
    expect(about(script, "10.1.0.1/80/")).toEqual([expect.stringMatching(/^add rule \S+ \S+ \S+ goto /)]);
    // Nothing leads there any more, and it stays.
    expect(about(script, "10.1.0.2/80/")).toEqual([]);
    expect(about(script, "delete element")).toHaveLength(1);
    expect(script).not.toContain("ip6");
  });

  test("keeps who is known to a server that stays, and forgets those of one that goes", () => {
    const persistent = (service: WantedService): WantedService => ({
      ...service,
      flags: serviceFlags.persistent,
      timeoutSeconds: 60,
      netmask: 0xffffff00,
    });
    const { script, after } = planFrom(nothing, [persistent(web(a, b))]);
    expect(script).toContain("{ ip saddr & 255.255.255.0 timeout 60s }");
    // With a size the kernel takes 2 MiB for it at once, of each server of each service.
    const sets = about(script, "add set").filter((line) => line.includes("/from/"));
    expect(sets).toEqual([a, b].map(({ address }) => expect.stringMatching(`${address}/80 { type ipv4_addr; flags `)));
    const next = planFrom(after, [persistent(web(a))]);
    expect(about(next.script, " set ")).toEqual(["delete set ip baton_lb tcp/10.0.0.1/80/from/10.1.0.2/80"]);
  });

  test("leaves alone what nobody knows yet, and what is not Baton's in its table", () => {
    const { after } = planFrom(nothing, [web(a), dns]);
    const table = after[4];
    if (table === undefined) throw new Error("no table");
    const visited = {
      ...after,
      4: { ...table, chains: new Map([...table.chains, ["guest", { rules: 1, marks: [] }]]) },
    };
    const kept = planFrom(visited, [dns], { unknown: [serviceName(web().key)] });
    expect(kept.script).toBe("");
    expect(kept.after).toEqual(visited);
    const gone = planFrom(visited, [dns]);
    expect(gone.script).not.toContain("guest");
    expect(gone.after[4]?.chains.has("guest")).toBe(true);
  });

  test("where all servers are gone clients are refused; where one is left there is nothing to draw", () => {
    expect(planFrom(nothing, [web({ ...a, weight: 0 })]).script).toMatch(/service\/\w+ reject\n/);
    expect(planFrom(nothing, [web(a)]).script).toMatch(/service\/\w+ goto tcp\//);
  });

  test("weights take mixed turns by a map, many slots are drawn by chance, and many servers share a map", () => {
    const drawn = (...weights: number[]): string[] => {
      const servers = weights.map((weight, at) => aDestination(`10.1.0.${at + 1}`, { weight }));
      return about(planFrom(nothing, [{ ...web(...servers), scheduler: "wrr" }]).script, "numgen");
    };
    expect(drawn(2, 1)).toEqual([
      expect.stringMatching(/numgen inc mod 3 vmap \{ 0 : goto (\S+), 1 : goto \S+, 2 : goto \1 \}$/),
    ]);
    expect(drawn(500, 301)[0]).toMatch(/numgen random mod 801 vmap \{ 0-499 : goto \S+, 500-800 : goto \S+ \}$/);
    expect(drawn(7, 7, 7).map((line) => line.split(" goto ")[0]?.split(" numgen ")[1])).toEqual([
      "inc mod 3 == 0",
      "inc mod 2 == 0",
    ]);
    expect(drawn(...Array.from({ length: 9 }, () => 1))).toEqual([expect.stringContaining("numgen inc mod 9 vmap")]);
  });

  test("hashes with a seed that never changes, by source, by source and port, by destination", () => {
    const by = (changes: Partial<Service>): string[] =>
      about(planFrom(nothing, [{ ...web(a, { ...b, weight: 3 }), ...changes }]).script, "jhash");
    expect(by({ scheduler: "sh" })).toEqual([
      expect.stringMatching(/jhash ip saddr mod 4 seed 0x6261746f vmap \{ 0 : goto \S+, 1-3 : goto \S+ \}$/),
    ]);
    expect(by({ scheduler: "sh", flags: serviceFlags.sched2 })[0]).toContain("jhash ip saddr . th sport mod 4");
    expect(by({ scheduler: "dh" })[0]).toContain("jhash ip daddr mod 4");
  });

  test("marks and all ports have doors of their own, and keep the port where the server has none", () => {
    const { script } = planFrom(nothing, [
      withDestinations(aService(markKey(7)), { ...a, port: 0 }, b),
      withDestinations(aService(addressKey("10.0.0.1", "tcp", 0)), { ...a, port: 0 }),
    ]);
    expect(script).toMatch(/add element ip baton_lb marks \{ 7 : goto fwmark\/7\/IPv4\/service\/\w+ \}/);
    expect(script).toMatch(/add element ip baton_lb ports \{ tcp \. 10\.0\.0\.1 : goto /);
    expect(about(script, "dnat")).toContainEqual(expect.stringMatching(/ dnat to 10\.1\.0\.1$/));
    expect(about(script, "dnat")).toContainEqual(
      expect.stringMatching(/meta l4proto \{ tcp, udp \} dnat to 10\.1\.0\.2:80$/),
    );
  });

  test("networks inside of others are left out of those that need masquerading; a change of the mode is a change", () => {
    const connected = [
      { address: ip("10.1.2.3"), length: 16 },
      { address: ip("10.1.9.9"), length: 24 },
      { address: ip("192.0.2.1"), length: 32 },
      { address: ip("2001:db8::1"), length: 64 },
    ];
    const needed = planFrom(nothing, [web(a)], { options: { masquerade: "needed", connected } });
    expect(about(needed.script, "element ip baton_lb together")).toEqual([
      "add element ip baton_lb together { 10.1.0.0/16 . 10.1.0.0/16, 192.0.2.1 . 192.0.2.1 }",
    ]);
    const always = planFrom(needed.after, [web(a)], { options: { masquerade: "always", connected } });
    expect(about(always.script, "postrouting")[0]).toBe("flush chain ip baton_lb postrouting");
    expect(always.script).toContain("delete element ip baton_lb together");
  });
});

describe("what cannot be carried", () => {
  const cases: readonly (readonly [string, WantedService, RegExp])[] = [
    ["SCTP", withDestinations(aService(addressKey("10.0.0.1", "sctp"))), /not SCTP/],
    ["a scheduler that counts", { ...web(a), scheduler: "wlc" }, /no scheduler wlc: rr, wrr, sh, dh/],
    ["single packets", { ...web(a), flags: serviceFlags.onePacket }, /not single packets/],
    ["persistence by call", { ...web(a), engine: "sip" }, /engine sip/],
    [
      "direct routing",
      web({ ...a, forwarding: { method: "direct-route" } }),
      /10\.1\.0\.1 by NAT only, not by direct-route/,
    ],
    ["tunnels", web({ ...a, forwarding: { method: "tunnel", tunnel: { type: "ipip" } } }), /not by tunnel/],
    ["limits", web({ ...a, upperThreshold: 5 }), /no limits/],
    ["the other family", web(aDestination("2001:db8::2")), /between IPv4 and IPv6/],
  ];
  test.each(cases)("%s: said, and left out as a whole", (_, service, sentence) => {
    const found = obstacles(service);
    expect(found.map(explainObstacle)).toEqual([expect.stringMatching(sentence)]);
    const name = serviceName(service.key);
    expect(planFrom(nothing, [service])).toEqual({
      script: "",
      refused: [{ service: name, obstacles: found }],
      after: nothing,
    });
    const { after } = planFrom(nothing, [web(b), dns]);
    const without = planFrom(after, [service, dns]);
    expect(without.after[4]?.elements.get("services")?.size).toBe(0);
    expect(without.script).not.toContain("ip6");
  });

  test("everything that stands in the way is said at once", () => {
    const service = { ...web({ ...a, forwarding: { method: "direct-route" } as const }), scheduler: "lc" };
    expect(obstacles(service).map(({ kind }) => kind)).toEqual(["scheduler", "forwarding"]);
  });
});

describe("properties", () => {
  const destination = fc
    .record({
      last: fc.integer({ min: 1, max: 4 }),
      weight: fc.integer({ min: 0, max: 3 }),
      port: fc.constantFrom(0, 80),
    })
    .map(
      ({ last, ...changes }) =>
        (family: 4 | 6) =>
          aDestination(family === 4 ? `10.1.0.${last}` : `fd00::${last}`, changes),
    );
  const service = fc
    .record({
      key: fc.constantFrom(
        addressKey("10.0.0.1"),
        addressKey("10.0.0.1", "udp", 0),
        addressKey("fd80::1"),
        addressKey("fd80::1:80", "tcp", 443),
        markKey(9),
        markKey(9, 6),
      ),
      scheduler: fc.constantFrom("rr", "wrr", "sh", "wlc"),
      flags: fc.constantFrom(0, serviceFlags.persistent, serviceFlags.sched2),
      servers: fc.uniqueArray(destination, { maxLength: 3, selector: (make) => make(4).address }),
    })
    .map(({ key, scheduler, flags, servers }) =>
      withDestinations(
        aService(key, { scheduler, flags, timeoutSeconds: 9 }),
        ...servers.map((make) => make(key.family)),
      ),
    );
  const services = fc.uniqueArray(service, { maxLength: 5, selector: ({ key }) => serviceName(key) });

  test("a second plan is empty, from wherever the first one came", () => {
    fc.assert(
      fc.property(services, services, (before, then) => {
        const first = planFrom(nothing, before);
        const second = planFrom(first.after, then);
        expect(planFrom(second.after, then).script).toBe("");
        // The way does not matter, but for empty tables that stay for connections that live.
        const direct = planFrom(nothing, then).after;
        for (const family of [4, 6] as const) {
          if (direct[family] === undefined) continue;
          expect(new Set(second.after[family]?.chains.keys())).toEqual(new Set(direct[family].chains.keys()));
          expect(second.after[family]?.elements).toEqual(direct[family].elements);
          expect(second.after[family]?.sets).toEqual(direct[family].sets);
        }
      }),
    );
  });

  test("every chain that is led to is there, and nothing is deleted that was not", () => {
    fc.assert(
      fc.property(services, services, (before, then) => {
        const { after } = planFrom(nothing, before);
        const chains = { ip: new Set(after[4]?.chains.keys()), ip6: new Set(after[6]?.chains.keys()) };
        for (const line of lines(planFrom(after, then).script)) {
          const [verb, kind, family = "", , name = ""] = line.split(" ");
          const own = family === "ip" ? chains.ip : chains.ip6;
          if (kind === "chain" && verb === "add") own.add(name);
          if (kind === "chain" && verb !== "add") expect(own.has(name)).toBe(true);
          if (kind === "chain" && verb === "delete") own.delete(name);
          if (verb !== "add") continue;
          for (const [, target = ""] of line.matchAll(/goto (\S+?)(?=[ ,]|$)/g)) expect(own.has(target)).toBe(true);
        }
      }),
    );
  });
});

test("10,000 services are linear work, and one of them that changes is a few lines", () => {
  const services = Array.from({ length: 10_000 }, (_, at) =>
    withDestinations(aService(addressKey(`10.${at >> 8}.${at & 255}.1`)), a, b),
  );
  const { after, script } = planFrom(nothing, services);
  expect(lines(script).length).toBeLessThan(70_100);
  const changed = services.map((each, at) => (at === 77 ? { ...each, destinations: [a] } : each));
  expect(lines(planFrom(after, changed).script).length).toBeLessThan(12);
});

test("removal is for both families, and needs no table to be there", () => {
  expect(lines(removalScript)).toEqual([
    "add table ip baton_lb",
    "delete table ip baton_lb",
    "add table ip6 baton_lb",
    "delete table ip6 baton_lb",
  ]);
});

test("an answer of nft that makes no sense is an empty table, and never an exception", () => {
  const empty = { chains: new Map(), sets: new Set(), elements: new Map() };
  expect(readTable(4, undefined, [undefined])).toEqual(empty);
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.constantFrom("chain", "rule", "map", "set"), (one, other, kind) => {
      readTable(6, { nftables: [one, { [kind]: other }] }, [
        other,
        { nftables: [{ map: { name: "services", elem: one } }] },
      ]);
    }),
  );
  const odd = {
    nftables: [{ map: { name: "services", elem: [[{ concat: ["tcp", "::ffff:10.0.0.1", 80] }, { drop: null }]] } }],
  };
  expect([...(readTable(6, {}, [odd]).elements.get("services") ?? [])]).toEqual([
    [`tcp . ${ip("::ffff:10.0.0.1")} . 80`, ""],
  ]);
});

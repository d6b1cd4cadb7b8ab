// The core and ip_vs: what health says becomes what the kernel has, whatever happens in between.
import type { BatonEventType } from "@baton/domain";
import { MemoryTable } from "@baton/ipvs";
import { aDestination, addressKey, aService } from "@baton/ipvs/testing";
import { describe, expect, test } from "vitest";
import { change, configOf, drain, pool, Rig, virtualServer } from "./testing/rig.ts";

const name = "[192.0.2.1]:tcp:80";
const other = "[192.0.2.2]:tcp:80";
const one = virtualServer("192.0.2.1 80", [1, 2]);
const two = one + virtualServer("192.0.2.2 80", [1, 2]);
const told = (...states: Parameters<typeof pool>[]) => ({
  type: "pools-told" as const,
  states: states.map((each) => pool(...each)),
});

const at = (address: string, scheduler = "rr"): string => `-A -t ${address}:80 -s ${scheduler}`;
const service = at("192.0.2.1");
const server = (host: number, weight = 1, of = "192.0.2.1:80"): string =>
  `-a -t ${of} -r 10.0.0.${host}:80 -m -w ${weight}`;
const foreign = addressKey("203.0.113.1");

/** A started one, at rest. */
const started = (text = one, ...states: Parameters<typeof pool>[]): Rig =>
  new Rig(text)
    .run()
    .feed(states.length === 0 ? told([name, { 1: 1, 2: 1 }]) : told(...states))
    .run()
    .forget();

const key = addressKey("192.0.2.1");
function dataOf(rig: Rig, type: BatonEventType): Readonly<Record<string, unknown>> | undefined {
  const found = rig.told.find(({ event }) => event.type === type)?.event;
  return found === undefined ? undefined : { ...found.data };
}

describe("at the start", () => {
  test("nothing is programmed before health has spoken, then all of it, in one event", () => {
    const rig = new Rig(two).run();
    expect(rig.rules).toEqual([]);
    expect(rig.events).toEqual([]);
    rig.feed(told([name, { 1: 1, 2: 3 }], [other, {}])).run();
    expect(rig.rules).toEqual([service, at("192.0.2.2"), server(1), server(2, 3)]);
    expect(rig.events).toEqual(["balancer-programmed"]);
    expect(dataOf(rig, "balancer-programmed")).toMatchObject({ engine: "ipvs", reason: "start", total: 4 });
    expect(rig.core.keeper.counts()).toEqual({ services: 2, destinations: 2 });
  });

  test("a service whose pool is not known stays as it is, whoever made it", () => {
    const table = new MemoryTable();
    table.apply({ kind: "new-service", service: aService(key, { scheduler: "wlc" }) });
    table.apply({ kind: "new-destination", service: key, destination: aDestination("10.0.0.9") });
    const rig = new Rig(two, { table }).run();
    rig.feed(told([other, { 1: 1 }])).run();
    expect(rig.rules).toContain(at("192.0.2.1", "wlc"));
    expect(rig.rules).toContain(server(9));
    rig.feed(change(name, { 1: 1 })).run();
    expect(rig.rules).toContain(service);
    expect(rig.rules).not.toContain(server(9));
  });

  test("it carries the services once all are known and there, or none is wanted", () => {
    const rig = new Rig(two).run();
    const states = [rig.core.isCarrying, rig.feed(told()).run().core.isCarrying];
    states.push(rig.feed(told([name, { 1: 1 }])).run().core.isCarrying);
    rig.feed(told([other, { 1: 1 }]));
    expect([...states, rig.run().core.isCarrying]).toEqual([false, false, false, true]);
    expect(new Rig("").run().feed(told()).run().core.isCarrying).toBe(true);
    const refused = new Rig(two);
    refused.kernel.refuse = (operation) => (JSON.stringify(operation).includes("192.0.2.2") ? "EPERM" : undefined);
    expect(refused.feed(told([name, {}], [other, {}])).run().core.isCarrying).toBe(false);
    refused.kernel.refuse = () => undefined;
    expect(refused.tick().core.isCarrying).toBe(true);
  });

  test("lvs_flush takes everybody's services away first", () => {
    const table = new MemoryTable();
    table.apply({ kind: "new-service", service: aService(foreign) });
    expect(new Rig(one, { table, flush: true }).run().rules).toEqual([]);
  });

  test("the successor of one that was killed changes nothing, and clears up what the configuration lost meanwhile", () => {
    const before = new Rig(two)
      .run()
      .feed(told([name, { 1: 1 }], [other, { 2: 1 }]))
      .run();
    before.interfere({ kind: "new-service", service: aService(foreign) });
    const { rules } = before;
    const same = new Rig(two, before).run();
    expect(same.rules).toEqual(rules);
    same.feed(told([name, { 1: 1 }], [other, { 2: 1 }])).run();
    expect(same.rules).toEqual(rules);
    expect(same.asked.filter(({ kind }) => kind === "change")).toEqual([]);
    expect(same.events).toEqual([]);
    const after = new Rig(one, { table: before.table, own: same.own }).run();
    expect(after.rules).toEqual([service, at("203.0.113.1"), server(1)]);
  });
});

describe("what health says", () => {
  test("reaches the kernel by a few commands and without a look, and is told of with its cause", () => {
    const rig = started(two, [name, { 1: 1, 2: 1 }], [other, { 1: 1 }]);
    rig.feed(change(name, { 2: 5 }, [1], "e7")).run();
    expect(rig.asked).toMatchObject([
      { kind: "change", operations: [{ kind: "set-destination" }, { kind: "delete-destination" }] },
    ]);
    expect(rig.rules).toContain(server(2, 5));
    expect(rig.told).toMatchObject([
      { cause: "e7", event: { type: "balancer-programmed", data: { reason: "pools" } } },
    ]);
    expect(dataOf(rig, "balancer-programmed")?.changes).toEqual([
      "change 10.0.0.2:80 (weight 5) of tcp 192.0.2.1:80",
      "remove 10.0.0.1:80 of tcp 192.0.2.1:80",
    ]);
  });

  test("overtakes a table that is being programmed", () => {
    const ids = Array.from({ length: 300 }, (_, i) => `192.0.${2 + (i >> 8)}.${i & 255}`);
    const rig = new Rig(ids.map((id) => virtualServer(`${id} 80`, [1])).join("")).run();
    rig.feed(told(...ids.map((id): Parameters<typeof pool> => [`[${id}]:tcp:80`, { 1: 1 }])));
    rig.once();
    rig.feed(change("[192.0.3.43]:tcp:80", { 1: 0 }));
    rig.once();
    expect(rig.rules).toContain(server(1, 0, "192.0.3.43:80"));
    expect(rig.rules.length).toBeLessThan(500);
    rig.run();
    expect(rig.rules).toHaveLength(600);
    expect(rig.rules.filter((line) => line.endsWith("-w 0"))).toHaveLength(1);
  });

  test("during a look is not undone by what was read before", () => {
    const rig = started();
    rig.wait(60_000_000).feed({ type: "tick" });
    while (!rig.asked.some(({ kind }) => kind === "list-services")) rig.once();
    rig.feed(change(name, { 2: 9 }, [1])).run();
    expect(rig.rules).toEqual([service, server(2, 9)]);
    rig.forget().tick();
    expect(rig.asked.filter(({ kind }) => kind === "change")).toEqual([]);
    expect(rig.core.keeper.drift()).toBe(0);
  });

  test("a crowd of changes in one turn is one event", () => {
    const ids = Array.from({ length: 60 }, (_, i) => `192.0.2.${i + 1}`);
    const states = ids.map((id): Parameters<typeof pool> => [`[${id}]:tcp:80`, { 1: 1 }]);
    const rig = started(ids.map((id) => virtualServer(`${id} 80`, [1])).join(""), ...states);
    const changes = ids.flatMap((id) => change(`[${id}]:tcp:80`, { 1: 0 }).changes);
    rig.feed({ type: "pools-changed", changes }).run();
    expect(rig.events).toEqual(["balancer-programmed"]);
    expect(dataOf(rig, "balancer-programmed")).toMatchObject({ total: 60 });
  });

  test("of nobody that is configured touches nothing", () => {
    const rig = started();
    rig.feed(change("[192.0.2.99]:tcp:80", { 1: 1 }), change(name, { 77: 1 })).run();
    expect(rig.rules).toEqual([service, server(1), server(2)]);
    expect(rig.events).toEqual([]);
  });

  test("a health that starts again and knows nothing yet is no outage", () => {
    expect(started().feed(told()).run().tick().rules).toEqual([service, server(1), server(2)]);
  });
});

describe("a reload", () => {
  const configured = (text: string) => ({ type: "configured" as const, config: configOf(text) });

  test("adds, changes and removes, and leaves the rest alone", () => {
    const rig = started(two, [name, { 1: 1, 2: 1 }], [other, { 1: 1 }]);
    const third = virtualServer("192.0.2.3 80", [1]);
    rig.feed(configured(one.replace("lb_algo rr", "lb_algo wlc") + third)).run();
    expect(rig.rules).toEqual([at("192.0.2.1", "wlc"), server(1), server(2)]);
    expect(dataOf(rig, "balancer-programmed")).toMatchObject({ reason: "reload", total: 2 });
    rig.feed(change("[192.0.2.3]:tcp:80", { 1: 1 })).run();
    expect(rig.rules).toContain(server(1, 1, "192.0.2.3:80"));
  });

  test("that replaces all servers leaves none without one until health names the new ones", () => {
    const rig = started();
    rig.feed(configured(virtualServer("192.0.2.1 80", [3, 4]))).run();
    expect(rig.rules).toEqual([service, server(1), server(2)]);
    rig.feed(change(name, { 3: 1, 4: 1 }, [1, 2])).run();
    expect(rig.rules).toEqual([service, server(3), server(4)]);
  });

  test("that leaves only those who take no connections keeps who does, until health names the new ones", () => {
    const rig = started(one, [name, { 1: 0, 2: 1 }, [1]]);
    rig.feed({ type: "configured", config: configOf(virtualServer("192.0.2.1 80", [1, 3])) }).run();
    expect(rig.rules).toEqual([service, server(1, 0), server(2)]);
    rig.feed(change(name, { 3: 1 }, [2])).run();
    expect(rig.rules).toEqual([service, server(1, 0), server(3)]);
  });

  test("that moves an address into a group takes nobody out, also when health is first", () => {
    const rig = started();
    const before = rig.rules;
    const grouped = `virtual_server_group G {\n192.0.2.1 80\n}\n${virtualServer("group G", [1, 2])}`;
    rig.feed(change("[G]:0", { 1: 1, 2: 1 })).run();
    expect(rig.rules).toEqual(before);
    rig.feed({ type: "configured", config: configOf(grouped) }).run();
    expect(rig.rules).toEqual(before);
    expect(rig.asked.filter(({ kind }) => kind === "change")).toEqual([]);
  });

  test("that health skips takes its word for a service nowhere", () => {
    const rig = started(two, [name, { 1: 1, 2: 1 }], [other, { 1: 1, 2: 1 }]);
    rig.feed({ type: "configured", config: configOf(one) }).run();
    expect(rig.rules).not.toContain(at("192.0.2.2"));
    rig.feed({ type: "configured", config: configOf(two) }).run();
    expect(rig.rules).toContain(server(2, 1, "192.0.2.2:80"));
    rig.feed(change(other, {}, [2])).run();
    expect(rig.rules.filter((line) => line.includes("192.0.2.2"))).toEqual([
      at("192.0.2.2"),
      server(1, 1, "192.0.2.2:80"),
    ]);
  });

  test("that health has seen before an older one is applied here finds its word", () => {
    const rig = started(one);
    rig.feed(change(other, { 1: 1 }), { type: "configured", config: configOf(`${one}\n`) }).run();
    rig.feed({ type: "configured", config: configOf(two) }).run();
    expect(rig.rules).toContain(server(1, 1, "192.0.2.2:80"));
  });

  test("is not waited for by what health said of a service before it told everything anew", () => {
    const rig = started(one).feed(change(other, { 1: 1 }), told([name, { 1: 1 }]));
    rig.feed({ type: "configured", config: configOf(two) }).run();
    expect(rig.rules.filter((line) => line.includes("192.0.2.2"))).toEqual([]);
  });

  test("of whom health says nothing has it asked to say everything, again after each answer, and is an error until then", () => {
    const rig = started(two, [name, { 1: 1 }]);
    const look = () => rig.wait(3_000_000).feed({ type: "tick" }).run();
    look();
    expect([look().healthAsked, rig.core.errors()]).toEqual([0, []]);
    look();
    expect(rig.core.errors()).toEqual(["tcp 192.0.2.2:80: health has not said who is in it; it is asked again"]);
    expect([rig.healthAsked, look().healthAsked, look().healthAsked, look().healthAsked]).toEqual([1, 1, 1, 1]);
    rig.feed(told([name, { 1: 1 }])).run();
    expect([look().healthAsked, look().healthAsked]).toEqual([1, 2]);
    rig.feed(told([name, { 1: 1 }], [other, { 1: 1 }])).run();
    expect(rig.core.errors()).toEqual([]);
    expect([rig.tick().tick().healthAsked, rig.events]).toEqual([2, ["balancer-programmed"]]);
  });

  test("what is not configured any more is forgotten once it is gone", () => {
    const rig = started(two, [name, { 1: 1 }], [other, { 1: 1 }]);
    expect(rig.own.services.toSorted()).toEqual(["tcp 192.0.2.1:80", "tcp 192.0.2.2:80"]);
    rig.feed(configured(one)).run();
    rig.tick();
    expect(rig.own.services).toEqual(["tcp 192.0.2.1:80"]);
  });
});

describe("what somebody else does", () => {
  test("to what is ours is undone, counted and told", () => {
    const rig = started();
    rig.interfere({ kind: "delete-destination", service: key, destination: aDestination("10.0.0.1") });
    rig.interfere({ kind: "set-destination", service: key, destination: aDestination("10.0.0.2", { weight: 7 }) });
    rig.tick();
    expect(rig.rules).toEqual([service, server(1), server(2)]);
    expect(dataOf(rig, "balancer-repaired")).toMatchObject({ total: 2 });
    expect([rig.core.keeper.drift(), rig.core.repairs]).toEqual([2, 2]);
    rig.forget().tick();
    expect([rig.events, rig.core.keeper.drift(), rig.core.repairs]).toEqual([[], 0, 2]);
  });

  test("to the whole table is undone", () => {
    const rig = started().interfere({ kind: "flush" }).tick();
    expect(rig.rules).toEqual([service, server(1), server(2)]);
    expect(dataOf(rig, "balancer-repaired")).toMatchObject({ total: 3 });
  });

  test("between two looks is met by the next change at once", () => {
    const rig = started().interfere({ kind: "delete-service", service: key });
    rig.feed(change(name, { 2: 3 })).run();
    expect(rig.rules).toEqual([service, server(1), server(2, 3)]);
  });

  test("for itself is left alone", () => {
    const rig = started().interfere({ kind: "new-service", service: aService(foreign) });
    rig
      .tick()
      .feed(change(name, { 2: 3 }))
      .run();
    expect(rig.rules).toContain(at("203.0.113.1"));
    rig.feed({ type: "stopped", mode: "no" }).run();
    expect(rig.rules).toEqual([at("203.0.113.1")]);
  });
});

describe("a kernel", () => {
  test("that refuses is told of once and asked again with each look; the rest is programmed", () => {
    const rig = new Rig(two).run();
    rig.kernel.refuse = (operation) =>
      "service" in operation && JSON.stringify(operation).includes("192.0.2.1") ? "EINVAL" : undefined;
    rig.feed(told([name, { 1: 1 }], [other, { 1: 1 }])).run();
    expect(rig.rules).toEqual([at("192.0.2.2"), server(1, 1, "192.0.2.2:80")]);
    expect(rig.events.filter((type) => type === "balancer-failed")).toHaveLength(1);
    expect(dataOf(rig, "balancer-failed")).toMatchObject({
      error: "EINVAL",
      changes: ["add tcp 192.0.2.1:80", "add 10.0.0.1:80 (weight 1) of tcp 192.0.2.1:80"],
    });
    expect(rig.core.errors()).toEqual(["add tcp 192.0.2.1:80: EINVAL"]);
    rig.forget().tick();
    expect(rig.events).toEqual([]);
    rig.kernel.refuse = () => undefined;
    rig.tick();
    expect(rig.rules).toContain(service);
    expect(rig.core.errors()).toEqual([]);
  });

  test("that gives no answer is asked again later, and nothing is lost", () => {
    const rig = started();
    rig.kernel.isDeaf = true;
    rig.feed(change(name, { 2: 3 }, [1])).run();
    expect(rig.events).toEqual(["balancer-failed"]);
    expect(rig.core.errors()).not.toEqual([]);
    rig.tick();
    rig.kernel.isDeaf = false;
    rig.tick();
    expect(rig.rules).toEqual([service, server(2, 3)]);
    expect(rig.core.errors()).toEqual([]);
  });
});

describe("a server that is drained", () => {
  const questions = (rig: Rig) => rig.asked.filter(({ kind }) => kind === "count-connections").length;

  test("is told of when nobody is connected to it any more, and again while nobody ends its drain", () => {
    const rig = started();
    rig.table.connect(key, aDestination("10.0.0.1"), 2);
    rig.feed(change(name, { 1: 0 }), drain(name, 1, "started", "d")).run();
    expect(rig.core.isDraining).toBe(true);
    rig.forget().feed({ type: "drain-tick" }).run();
    expect([rig.events, questions(rig)]).toEqual([[], 1]);
    rig.table.connect(key, aDestination("10.0.0.1"), 0);
    rig.wait(1_000_000).feed({ type: "drain-tick" }).run();
    const data = { engine: "ipvs", virtualServer: name, server: "10.0.0.1:80" };
    expect(rig.told).toEqual([{ cause: "d", event: { type: "server-idle", data } }]);
    rig.wait(1_000_000).feed({ type: "drain-tick" }).run();
    expect(rig.events).toHaveLength(1);
    rig.wait(5_000_000).feed({ type: "drain-tick" }).run();
    expect(rig.events).toHaveLength(2);
    rig.feed(drain(name, 1, "ended", "u"));
    expect(rig.core.isDraining).toBe(false);
  });

  test("is known from a snapshot, and busy while it still has a weight", () => {
    const rig = started(one, [name, { 1: 1, 2: 1 }, [1]]);
    rig.feed({ type: "drain-tick" }).run();
    expect(rig.events).toEqual([]);
    rig
      .feed(change(name, { 1: 0 }))
      .run()
      .forget();
    rig.wait(1_000_000).feed({ type: "drain-tick" }).run();
    expect(rig.events).toEqual(["server-idle"]);
    rig.feed(told([name, { 2: 1 }]));
    expect(rig.core.isDraining).toBe(false);
  });
});

describe("the end", () => {
  test.each([
    ["no", ["delete-destination", "delete-destination", "delete-service"]],
    ["services", ["delete-service"]],
    ["all", ["flush"]],
    ["keep", []],
  ] as const)("%s", (mode, kinds) => {
    const rig = started().feed({ type: "stopped", mode }).run();
    const done = rig.asked.flatMap((ask) => (ask.kind === "change" ? ask.operations.map(({ kind }) => kind) : []));
    expect(done).toEqual(kinds);
    expect(rig.rules).toHaveLength(mode === "keep" ? 3 : 0);
    expect(rig.events).toEqual(mode === "keep" ? [] : ["balancer-programmed"]);
  });

  test("in the middle of the work leaves nothing of it", () => {
    const rig = new Rig(two).run().feed(told([name, { 1: 1 }], [other, { 1: 1 }]));
    rig.once();
    rig.feed({ type: "stopped", mode: "no" }).run();
    expect(rig.rules).toEqual([]);
  });

  test("is not held up by a kernel that gives no answer", () => {
    const rig = started();
    rig.kernel.isDeaf = true;
    rig.feed({ type: "stopped", mode: "no" }).run();
    expect(rig.events).toEqual(["balancer-failed"]);
  });
});

describe("sync daemons and timeouts", () => {
  const text = `global_defs {\nlvs_sync_daemon eth0 V\nlvs_timeouts tcp 60\n}\n${one}
vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n`;
  const master = (isMaster: boolean | undefined, id: string) => ({
    type: "master-told" as const,
    isMaster,
    cause: { id, correlationId: id },
  });

  test("the daemon is what its instance is, once that is known; both are given back at the end", () => {
    const rig = new Rig(text).run();
    expect(rig.core.followedInstance).toBe("V");
    expect(rig.kernel.daemons).toEqual([]);
    expect(rig.kernel.timeouts).toEqual({ tcp: 60, tcpFin: 120, udp: 300 });
    expect(rig.own.timeouts).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
    rig.feed(master(false, "b")).run();
    expect(rig.kernel.daemons).toMatchObject([{ role: "backup", interface: "eth0", id: 51 }]);
    expect(rig.own.daemons).toEqual({ options: "{}" });
    rig.forget().feed(master(true, "m")).run();
    expect(rig.kernel.daemons).toMatchObject([{ role: "master" }]);
    expect(rig.told).toMatchObject([{ cause: "m", event: { data: { reason: "daemons", total: 2 } } }]);
    rig.feed({ type: "stopped", mode: "no" }).run();
    expect(rig.kernel.daemons).toEqual([]);
    expect(rig.kernel.timeouts).toEqual({ tcp: 900, tcpFin: 120, udp: 300 });
  });

  test("an instance that has not decided yet has a daemon as it runs already where it is ours, otherwise a backup", () => {
    const rig = new Rig(text).run().feed(master(undefined, "i")).run();
    expect(rig.kernel.daemons).toMatchObject([{ role: "backup" }]);
    rig.feed(master(true, "m"), master(undefined, "i")).run();
    expect(rig.kernel.daemons).toMatchObject([{ role: "master" }]);
    const next = new Rig(text, { own: rig.own });
    next.kernel.daemons = rig.kernel.daemons;
    next.run().feed(master(undefined, "i")).run();
    expect(next.asked.filter(({ kind }) => kind === "change-daemons")).toEqual([]);
    expect(next.kernel.daemons).toMatchObject([{ role: "master" }]);
  });

  test("one that somebody stops is started again, and a reload without them gives back what was there", () => {
    const rig = new Rig(text).run().feed(master(true, "m")).run().forget();
    rig.kernel.daemons = [];
    rig.tick();
    expect(rig.kernel.daemons).toMatchObject([{ role: "master" }]);
    expect(rig.events).toEqual(["balancer-repaired"]);
    rig.feed({ type: "configured", config: configOf(one) }).run();
    expect([rig.kernel.daemons, rig.kernel.timeouts.tcp]).toEqual([[], 900]);
    // The next look has found it so.
    rig.tick();
    expect(rig.own).toMatchObject({ daemons: undefined, timeouts: undefined });
  });

  test("an option that a reload takes away is taken back, once, also by a successor and after a refusal", () => {
    const before = new Rig(text.replace("eth0 V", "eth0 V port 9000")).run().feed(master(true, "m")).run();
    expect(before.kernel.daemons).toMatchObject([{ port: 9_000 }]);
    const rig = new Rig(text, { own: before.own });
    rig.kernel.daemons = before.kernel.daemons;
    rig.kernel.refuseSetting = "ENOMEM";
    rig.feed(master(true, "m")).run();
    rig.kernel.refuseSetting = undefined;
    expect(rig.forget().tick().kernel.daemons).toMatchObject([{ role: "master", port: undefined }]);
    expect([rig.events, rig.tick().events]).toEqual([["balancer-programmed"], ["balancer-programmed"]]);
  });

  test("what cannot be given back is remembered and tried again; its error goes with it", () => {
    const rig = new Rig(text).run().feed(master(true, "m")).run();
    rig.kernel.refuseSetting = "ENOMEM";
    rig.feed({ type: "configured", config: configOf(one) }).run();
    const before = { tcp: 900, tcpFin: 120, udp: 300 };
    expect(rig.own).toMatchObject({ daemons: { options: "{}" }, timeouts: before });
    expect(rig.core.errors()).toHaveLength(2);
    rig.kernel.refuseSetting = undefined;
    rig.tick().tick();
    expect([rig.kernel.daemons, rig.kernel.timeouts]).toEqual([[], before]);
    expect(rig.own).toMatchObject({ daemons: undefined, timeouts: undefined });
    expect(rig.core.errors()).toEqual([]);
  });
});

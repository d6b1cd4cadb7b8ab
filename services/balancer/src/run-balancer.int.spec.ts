// The shell: what health says in, ip_vs (in memory) out, in the order in which it is to happen, with files and timers.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AggregateState, InstanceState } from "@baton/contracts";
import { type ConfigSnapshot, defaultSettings, notNeeded } from "@baton/host";
import { createTestHost, type TestHost } from "@baton/host/testing";
import { ipvsadmRules, MemoryTable } from "@baton/ipvs";
import { aDestination, addressKey, aService } from "@baton/ipvs/testing";
import { bootNow, wallMicros } from "@baton/linux";
import { removalScript } from "@baton/nft-balancer";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Answer, EngineName } from "./keeper.ts";
import type { EngineKernel } from "./kernel.ts";
import { openOwnFile } from "./own-file.ts";
import { type Balancer, runBalancer } from "./run-balancer.ts";
import { MemoryKernel } from "./testing/memory-kernel.ts";
import { configOf, pool, virtualServer } from "./testing/rig.ts";

const name = "[192.0.2.1]:tcp:80";
const service = "-A -t 192.0.2.1:80 -s rr";
const server = (host: number, weight = 1): string => `-a -t 192.0.2.1:80 -r 10.0.0.${host}:80 -m -w ${weight}`;
const text = virtualServer("192.0.2.1 80", [1, 2]);

const snapshotOf = (config: string, loadBalancer: "auto" | "ipvs" | "nftables" = "auto"): ConfigSnapshot => ({
  generation: 1,
  hash: "",
  file: "keepalived.conf",
  appliedAt: "",
  config: configOf(config),
  settings: { ...defaultSettings, loadBalancer },
});

const told = (...given: Parameters<typeof pool>): AggregateState => ({
  kind: "virtual-server",
  id: given[0],
  version: 0,
  state: { $case: "virtualServer", value: pool(...given) },
});

let directory: string;
let table: MemoryTable;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-balancer-"));
  table = new MemoryTable();
  tables.stand = false;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const rules = (): string[] =>
  ipvsadmRules(table.dump())
    .map((line) => line.trim())
    .toSorted();
const ownFile = (): string => join(directory, "balancer.own");
const records = () => openOwnFile(ownFile()).read();
const clock = { now: bootNow, wall: wallMicros, set: () => undefined, advance: () => undefined };

/** Whether nftables has been given anything; what, and whether each of it, is told elsewhere. */
const tables = { stand: false, version: 1 };
const rulesKernel: EngineKernel = {
  carryOut(ask) {
    const { version } = tables;
    if (ask.kind === "rules-version") return { kind: "rules-version", version, connected: [] };
    if (ask.kind === "read-rules") {
      return { kind: "rules", version, state: { 4: undefined, 6: undefined }, connected: [] };
    }
    if (ask.kind !== "run-rules") return { kind: "failed", error: "not a question for nftables" };
    tables.stand = ask.script !== removalScript;
    return { kind: "ran", version: ++tables.version };
  },
  cancel: () => undefined,
  close: () => undefined,
};

interface Started {
  readonly host: TestHost;
  readonly health: ReturnType<TestHost["play"]>;
  readonly kernel: MemoryKernel;
  /** What cannot be opened just now. */
  readonly absent: Set<EngineName>;
  readonly balancer: Balancer;
}

async function start(
  config = text,
  more: {
    readonly restarts?: number;
    readonly absent?: readonly EngineName[];
    readonly keeps?: boolean;
    readonly loadBalancer?: "ipvs" | "nftables";
  } = {},
): Promise<Started> {
  const env = { restarts: more.restarts ?? 0 };
  const host = createTestHost({ service: "balancer", clock, config: snapshotOf(config, more.loadBalancer), env });
  const health = host.play("health");
  const kernel = new MemoryKernel(table);
  const absent = new Set(more.absent);
  const open = (engine: EngineName) => {
    if (absent.has(engine)) throw new Error("the kernel has none");
    return engine === "ipvs" ? kernel : rulesKernel;
  };
  const timing = { lookEveryMs: 20, drainEveryMs: 20 };
  const file = openOwnFile(ownFile());
  const balancer = await runBalancer({ host, open, file, keepsAtStop: more.keeps === true, ...timing });
  await host.serveWatch(balancer);
  return { host, health, kernel, absent, balancer };
}

const events = (host: TestHost): string[] => host.appended.map(({ event }) => event.type);

test("news reach the kernel in the turn in which they are heard, with a span and their cause", async () => {
  const { host, health, balancer } = await start();
  health.states([told(name, { 1: 1, 2: 1 })]);
  await vi.waitFor(() => expect(rules()).toEqual([service, server(1), server(2)]));
  const set = [{ server: "10.0.0.2:80", role: "real", weight: 4 }];
  const news = health.append(
    { kind: "virtual-server", id: name },
    { type: "destinations-changed", data: { virtualServer: name, set, removed: ["10.0.0.1:80"] } },
  );
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(rules()).toEqual([service, server(2, 4)]);
  const last = host.appended.at(-1);
  expect(last).toMatchObject({
    aggregate: { kind: "balancer", id: "ipvs" },
    causationId: news.id,
    event: { type: "balancer-programmed", data: { reason: "pools", total: 2 } },
  });
  expect(host.spans.at(-1)).toMatchObject({ name: "ipvs.apply" });
  expect(host.states()).toMatchObject([
    {
      kind: "balancer",
      id: "ipvs",
      state: { value: { engine: "ipvs", services: 1, destinations: 1, lastEventId: last?.id } },
    },
  ]);
  const weight = balancer.counters().find((each) => each.name === "ipvs.backend.weight");
  expect(weight).toMatchObject({ value: 4, labels: { local_address: "192.0.2.1", remote_address: "10.0.0.2" } });
  await balancer.stop("test");
});

test("what somebody else changes is put back by itself", async () => {
  const { host, health, balancer } = await start();
  health.states([told(name, { 1: 1 })]);
  await vi.waitFor(() => expect(rules()).toEqual([service, server(1)]));
  table.apply({ kind: "flush" });
  await vi.waitFor(() => expect(rules()).toEqual([service, server(1)]));
  await vi.waitFor(() => expect(events(host)).toContain("balancer-repaired"));
  await balancer.stop("test");
  expect(rules()).toEqual([]);
});

test("one that was killed leaves its services to the next, which knows which are its own", async () => {
  const killed = await start(text + virtualServer("192.0.2.2 80", [1]));
  killed.health.states([told(name, { 1: 1 }), told("[192.0.2.2]:tcp:80", { 1: 1 })]);
  await vi.waitFor(() => expect(rules()).toHaveLength(4));
  // Nobody answers it any more: as good as dead.
  killed.kernel.isDeaf = true;
  table.apply({ kind: "new-service", service: aService(addressKey("203.0.113.1")) });
  const next = await start(text, { restarts: 1 });
  await vi.waitFor(() => expect(rules()).toEqual([service, "-A -t 203.0.113.1:80 -s rr", server(1)]));
  await next.balancer.stop("test");
  expect(rules()).toEqual(["-A -t 203.0.113.1:80 -s rr"]);
  expect(() => readFileSync(ownFile())).toThrow("ENOENT");
  await killed.balancer.stop("test");
});

test("health that has not spoken of a service is asked to say everything again", async () => {
  const { health, host, balancer } = await start();
  const follow = vi.spyOn(host.events, "follow");
  health.states([]);
  const asked = () => follow.mock.calls.filter(([of]) => of === "health").length;
  await vi.waitFor(() => expect(asked()).toBe(1), { timeout: 9_000 });
  health.states([told(name, { 1: 1 })]);
  await vi.waitFor(() => expect(rules()).toEqual([service, server(1)]));
  await balancer.stop("test");
});

test("a drained server is asked about, and told of once nobody is connected to it", async () => {
  const { host, health, kernel, balancer } = await start();
  health.states([told(name, { 1: 1, 2: 1 })]);
  await vi.waitFor(() => expect(rules()).toHaveLength(3));
  table.connect(addressKey("192.0.2.1"), aDestination("10.0.0.1"), 1);
  health.states([told(name, { 1: 0, 2: 1 }, [1])]);
  const asked = vi.spyOn(kernel, "carryOut");
  const questions = () => asked.mock.calls.filter(([{ kind }]) => kind === "count-connections").length;
  await vi.waitFor(() => expect(questions()).toBeGreaterThan(3));
  expect(events(host)).not.toContain("server-idle");
  table.connect(addressKey("192.0.2.1"), aDestination("10.0.0.1"), 0);
  await vi.waitFor(() => expect(events(host)).toContain("server-idle"));
  await balancer.stop("test");
});

test("the sync daemon keeps its role while an election that was killed has not decided yet", async () => {
  const instance = "vrrp_instance V {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.0.2.1\n}\n}\n";
  const { host, kernel, balancer } = await start(`global_defs {\nlvs_sync_daemon eth0 V\n}\n${text}${instance}`);
  const election = host.play("election");
  const roles = async (state: string): Promise<string[]> => {
    const value = { name: "V", state } as InstanceState;
    election.states([{ kind: "vrrp", id: "V", version: 0, state: { $case: "instance", value } }]);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return kernel.daemons.map(({ role }) => role);
  };
  expect(await roles("initialize")).toEqual(["backup"]);
  for (const state of ["master", "initialize", "listening"])
    expect([state, await roles(state)]).toEqual([state, ["master"]]);
  for (const state of ["backup", "initialize", "fault"])
    expect([state, await roles(state)]).toEqual([state, ["backup"]]);
  await balancer.stop("test");
});

describe("the end", () => {
  test("with -I leaves everything, for the next start to go on with", async () => {
    const { health, balancer } = await start(text, { keeps: true });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    await balancer.stop("test");
    expect(rules()).toHaveLength(2);
    expect(readFileSync(ownFile(), "utf8")).toContain("tcp 192.0.2.1:80");
  });

  test("with -I clears up all the same when nothing is configured any more", async () => {
    const { health, balancer } = await start(text, { keeps: true });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    await balancer.stop(notNeeded);
    expect(rules()).toEqual([]);
  });

  test("that finds no answer keeps the record for the next process, and says so", async () => {
    const { health, balancer, kernel } = await start();
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    kernel.isDeaf = true;
    expect(await balancer.stop(notNeeded)).toBe(false);
    expect(readFileSync(ownFile(), "utf8")).toContain("tcp 192.0.2.1:80");
    const next = await start(text, { restarts: 1 });
    expect(await next.balancer.stop(notNeeded)).toBe(true);
    expect(rules()).toEqual([]);
    expect(() => readFileSync(ownFile())).toThrow("ENOENT");
  });

  test("that is refused in part keeps the record, too", async () => {
    const { health, balancer, kernel } = await start();
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    kernel.refuse = ({ kind }) => (kind === "delete-service" ? "EPERM" : undefined);
    expect(await balancer.stop(notNeeded)).toBe(false);
    expect(readFileSync(ownFile(), "utf8")).toContain("tcp 192.0.2.1:80");
  });

  test("comes in the middle of the work as well", async () => {
    const ids = Array.from({ length: 250 }, (_, i) => `192.0.2.${i + 1}`);
    const { health, balancer } = await start(ids.map((id) => virtualServer(`${id} 80`, [1])).join(""));
    health.states(ids.map((id) => told(`[${id}]:tcp:80`, { 1: 1 })));
    await balancer.stop("test");
    expect(rules()).toEqual([]);
  });
});

describe("a question that takes long", () => {
  /** Each answer comes when the test says so. */
  async function startSlow() {
    const { kernel, health, balancer } = await start(text, { restarts: 1 });
    const answer = kernel.carryOut.bind(kernel);
    const asked: string[] = [];
    let go = (): void => undefined;
    vi.spyOn(kernel, "carryOut").mockImplementation((ask) => {
      asked.push(ask.kind);
      const given = new Promise<void>((resolve) => {
        go = resolve;
      });
      return given.then(() => answer(ask)) as unknown as Answer;
    });
    return { kernel, health, balancer, asked, release: () => go() };
  }

  test("is carried out before the next one, while others are heard", async () => {
    const { health, balancer, asked, release } = await startSlow();
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    health.states([told(name, { 1: 1 })]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(asked).toHaveLength(1);
    release();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    await vi.waitFor(() => {
      release();
      expect(rules()).toEqual([service, server(1)]);
    });
    const stopped = balancer.stop("test");
    await vi.waitFor(() => {
      release();
      expect(rules()).toEqual([]);
    });
    release();
    await stopped;
  });

  test("is given up when the end comes", async () => {
    const { kernel, balancer, asked, release } = await startSlow();
    vi.spyOn(kernel, "cancel").mockImplementation(() => {
      vi.mocked(kernel.carryOut).mockRestore();
      release();
    });
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    expect(await balancer.stop("test")).toBe(true);
  });
});

describe("the engine", () => {
  test("auto takes nftables where there is no ip_vs", async () => {
    const { balancer, host } = await start(text, { absent: ["ipvs"] });
    expect(host.states()).toMatchObject([{ id: "nftables" }]);
    await balancer.stop("test");
  });

  test("where there is neither, that is a state and an event", async () => {
    const { balancer, host } = await start(text, { absent: ["ipvs", "nftables"] });
    expect(host.states()).toMatchObject([
      { id: "none", state: { value: { engine: "none", errors: [expect.stringContaining("the kernel has none")] } } },
    ]);
    expect(host.appended).toMatchObject([{ aggregate: { id: "none" }, event: { type: "balancer-failed" } }]);
    await balancer.stop("test");
  });

  test("another one takes over after a reload, and the services go on with it", async () => {
    const { balancer, host, health } = await start();
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    host.applyConfig({ ...snapshotOf(text, "nftables"), generation: 2 });
    await vi.waitFor(() => expect(rules()).toEqual([]));
    expect([tables.stand, host.states()]).toMatchObject([true, [{ id: "nftables" }]]);
    host.applyConfig({ ...snapshotOf(text, "ipvs"), generation: 3 });
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    await balancer.stop("test");
  });

  test("one that cannot be opened leaves the services where they are, which is in the state, until that is taken back", async () => {
    const { balancer, host, health, kernel } = await start(text, { absent: ["nftables"] });
    table.apply({ kind: "new-service", service: aService(addressKey("203.0.113.1")) });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(3));
    const asked = vi.spyOn(kernel, "carryOut");
    host.applyConfig({ ...snapshotOf(text, "nftables"), generation: 2 });
    const complaint = "nftables: the kernel has none";
    await vi.waitFor(() => expect(JSON.stringify(host.states())).toContain(complaint));
    host.applyConfig({ ...snapshotOf(text, "ipvs"), generation: 3 });
    await vi.waitFor(() => expect(JSON.stringify(host.states())).not.toContain(complaint));
    expect(host.states()).toMatchObject([{ id: "ipvs" }]);
    expect(rules()).toHaveLength(3);
    expect(asked.mock.calls.filter(([{ kind }]) => kind === "change")).toEqual([]);
    await balancer.stop("test");
  });

  test("of one that was killed is kept by auto, whatever the kernel has got meanwhile; of a regular end it is not", async () => {
    const killed = await start(text, { absent: ["ipvs"] });
    killed.health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(tables.stand).toBe(true));
    const next = await start(text, { restarts: 1 });
    expect(next.host.states()).toMatchObject([{ id: "nftables" }]);
    expect(tables.stand).toBe(true);
    await next.balancer.stop("test");
    const fresh = await start(text);
    expect(fresh.host.states()).toMatchObject([{ id: "ipvs" }]);
    await fresh.balancer.stop("test");
    await killed.balancer.stop("test");
  });

  test("is ip_vs again with a reload under auto where nftables refuses something, and that says how", async () => {
    const direct = text.replace("lb_kind NAT", "lb_kind DR");
    const { absent, balancer, host, health } = await start(text, { absent: ["ipvs"] });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(tables.stand).toBe(true));
    host.applyConfig({ ...snapshotOf(direct), generation: 2 });
    await vi.waitFor(() => expect(JSON.stringify(host.states())).toContain("for ip_vs: modprobe ip_vs"));
    expect(host.states()).toMatchObject([{ id: "nftables" }]);
    absent.clear();
    host.applyConfig({ ...snapshotOf(text), generation: 3 });
    host.applyConfig({ ...snapshotOf(direct), generation: 4 });
    await vi.waitFor(() => expect(rules()).toEqual([service, server(1).replace("-m", "-g")]));
    await vi.waitFor(() => expect(tables.stand).toBe(false));
    expect(host.states()).toMatchObject([{ id: "ipvs", state: { value: { errors: [] } } }]);
    await balancer.stop("test");
  });

  test("before is left when the new one carries the services, and known to the next process until then", async () => {
    const { balancer, host, health, kernel } = await start(text, { loadBalancer: "nftables" });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(tables.stand).toBe(true));
    kernel.isDeaf = true;
    host.applyConfig({ ...snapshotOf(text, "ipvs"), generation: 2 });
    await vi.waitFor(() => expect(JSON.stringify(host.states())).toContain("ETIMEDOUT"));
    expect(tables.stand).toBe(true);
    expect(records()).toMatchObject([{ engine: "ipvs" }, { engine: "nftables" }]);
    kernel.isDeaf = false;
    await vi.waitFor(() => expect(tables.stand).toBe(false));
    expect(rules()).toEqual([service, server(1)]);
    await vi.waitFor(() => expect(records()).toMatchObject([{ engine: "ipvs" }]));
    await balancer.stop("test");
  });

  test("and the one before are known to who comes after an end in the middle of a move that leaves both", async () => {
    const [direct, silent] = [text.replace("lb_kind NAT", "lb_kind DR"), virtualServer("192.0.2.2 80", [1])];
    const { absent, balancer, host, health } = await start(text, { absent: ["ipvs"], keeps: true });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(tables.stand).toBe(true));
    absent.clear();
    host.applyConfig({ ...snapshotOf(direct + silent), generation: 2 });
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    const asIfKilled = readFileSync(ownFile(), "utf8");
    await balancer.stop("test");
    expect(readFileSync(ownFile(), "utf8")).toBe(asIfKilled);
    const next = await start(silent, { restarts: 1 });
    expect([next.host.states(), tables.stand]).toMatchObject([[{ id: "ipvs" }], true]);
    next.health.states([told("[192.0.2.2]:tcp:80", {})]);
    await vi.waitFor(() => expect(tables.stand).toBe(false));
    expect(rules()).toEqual(["-A -t 192.0.2.2:80 -s rr"]);
    await vi.waitFor(() => expect(records()).toMatchObject([{ engine: "ipvs" }]));
    expect(await next.balancer.stop("test")).toBe(true);
  });

  test("before is let go of by the end, too, that comes while the new one is waited for", async () => {
    const { balancer, host, health, kernel } = await start(text);
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    vi.spyOn(rulesKernel, "carryOut").mockReturnValue({ kind: "failed", error: "no nft today" });
    host.applyConfig({ ...snapshotOf(text, "nftables"), generation: 2 });
    expect(await balancer.stop("test")).toBe(false);
    vi.mocked(rulesKernel.carryOut).mockRestore();
    expect(rules()).toEqual([]);
    expect(records()).toMatchObject([{ engine: "nftables" }]);
    kernel.close();
  });

  test("of a killed one in another place is left as soon as this one carries the services", async () => {
    const record = { namespace: undefined, services: ["tcp 192.0.2.1:80"], daemons: undefined, timeouts: undefined };
    table.apply({ kind: "new-service", service: aService(addressKey("192.0.2.1")) });
    openOwnFile(ownFile()).write({ engine: "ipvs", ...record });
    const { balancer, health } = await start(text, { restarts: 1, loadBalancer: "nftables" });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(rules()).toEqual([service]);
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toEqual([]));
    expect(tables.stand).toBe(true);
    await balancer.stop("test");
  });

  test("of a killed one whose nft hangs is given up in time by an end, and stays in the record", async () => {
    const record = { namespace: undefined, services: [], daemons: undefined, timeouts: undefined };
    openOwnFile(ownFile()).write({ engine: "nftables", ...record });
    const ended = new Promise<Answer>((resolve) => {
      vi.spyOn(rulesKernel, "cancel").mockImplementation(() => resolve({ kind: "failed", error: "ended" }));
    });
    const asked = vi.spyOn(rulesKernel, "carryOut").mockReturnValue(ended);
    const { balancer, health } = await start(text, { restarts: 1, loadBalancer: "ipvs" });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    expect(await balancer.stop("test")).toBe(false);
    vi.restoreAllMocks();
    expect(records()).toContainEqual({ engine: "nftables", ...record });
  });

  test("of a killed one in another namespace left nothing here: what has the same names is somebody else's", async () => {
    const record = { services: ["tcp 203.0.113.1:80"], daemons: { options: "{}" }, timeouts: undefined };
    table.apply({ kind: "new-service", service: aService(addressKey("203.0.113.1")) });
    openOwnFile(ownFile()).write({ engine: "ipvs", namespace: "/run/netns/baton-gone", ...record });
    const { balancer, health } = await start(text, { restarts: 1 });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toEqual([service, "-A -t 203.0.113.1:80 -s rr", server(1)]));
    await vi.waitFor(() => expect(records()).toMatchObject([{ namespace: undefined }]));
    await balancer.stop("test");
  });

  test("where there was none, another setting is tried at once", async () => {
    const { balancer, host, health } = await start(text, { absent: ["nftables"], loadBalancer: "nftables" });
    expect(host.states()).toMatchObject([{ id: "none" }]);
    host.applyConfig({ ...snapshotOf(text, "ipvs"), generation: 2 });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(2));
    await balancer.stop("test");
  });

  test("others have what is theirs also with lvs_flush_on_stop, and two moves in a row end where the last one leads", async () => {
    const flushing = `global_defs {\nlvs_flush_on_stop\n}\n${text}`;
    const { balancer, host, health } = await start(flushing);
    table.apply({ kind: "new-service", service: aService(addressKey("203.0.113.1")) });
    health.states([told(name, { 1: 1 })]);
    await vi.waitFor(() => expect(rules()).toHaveLength(3));
    host.applyConfig({ ...snapshotOf(flushing, "nftables"), generation: 2 });
    host.applyConfig({ ...snapshotOf(flushing, "ipvs"), generation: 3 });
    await vi.waitFor(() => expect(host.states()).toMatchObject([{ id: "ipvs" }]));
    await vi.waitFor(() => expect(tables.stand).toBe(false));
    expect(rules()).toHaveLength(3);
    host.applyConfig({ ...snapshotOf(flushing, "nftables"), generation: 4 });
    await vi.waitFor(() => expect(rules()).toHaveLength(1));
    expect(host.states()).toMatchObject([{ id: "nftables" }]);
    await balancer.stop("test");
  });
});

// A sync group: two instances on two interfaces that move together, whatever happens to one of them.
import type { EventEnvelope } from "@baton/domain";
import { type BatonNode, type Lab, virtualAddress, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { discard, labFor } from "./pair.ts";

const lab = labFor("groups", { beforeAll, afterAll }, { hub: true });
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop().catch(() => undefined);
});

const inside = { name: "VI_IN", device: "mgmt0", vrid: 52, address: "10.77.0.200", prefix: 24 };
const outside = { name: "VI_OUT", device: "eth0", vrid: 51, address: virtualAddress, prefix: 16 };
const told = "/run/told";
const script = "/etc/keepalived/told.sh";

const alone = (priority: number): string => `${instance(inside, priority)}\n${instance(outside, priority)}\n`;
const instance = ({ name, device, vrid, address, prefix }: typeof inside, priority: number): string => `
vrrp_instance ${name} {
  interface ${device}
  state BACKUP
  priority ${priority}
  virtual_router_id ${vrid}
  garp_master_delay 1
  virtual_ipaddress {
    ${address}/${prefix} dev ${device}
  }
}`;
const conf = (priority: number): string => `
global_defs {
  script_user root
  enable_script_security
}
vrrp_sync_group VG {
  group {
    ${inside.name}
    ${outside.name}
  }
  notify_master "${script} own-master"
  notify ${script}
}
${instance(inside, priority)}
${instance(outside, priority)}
`;

const prepare = ({ router }: Lab): void => {
  for (const name of ["r1", "r2"]) {
    router(name).writeFile(script, `#!/bin/bash\necho "$@" >> ${told}\n`, 0o755);
    router(name).removeFile(told);
  }
};
const scriptsOf = async (router: "r1" | "r2"): Promise<string[]> => {
  const { stdout } = await lab.get().router(router).exec(`cat ${told}`);
  return stdout.split("\n").filter((line) => line !== "");
};
const holds = async (router: "r1" | "r2", { device, address, prefix }: typeof inside): Promise<boolean> =>
  (await lab.get().router(router).addresses(device)).includes(`${address}/${prefix}`);
const holder = (router: "r1" | "r2"): Promise<unknown> =>
  waitFor(
    `${router} alone to hold both addresses`,
    async () => {
      const other = router === "r1" ? "r2" : "r1";
      const own = await Promise.all([inside, outside].map((each) => holds(router, each)));
      const others = await Promise.all([inside, outside].map((each) => holds(other, each)));
      return own.every((has) => has) && !others.some((has) => has);
    },
    { deadlineMs: 20_000 },
  );
const link = (router: "r1" | "r2", { device }: typeof inside, state: "up" | "down"): Promise<unknown> =>
  lab.get().router(router).exec(`ip link set ${device} ${state}`);

/** Transitions of the members in the order of the node's log: two by two, of the same kind, or the group was split. */
function assertNeverSplit(events: readonly EventEnvelope[]): void {
  const types = ["became-master", "became-backup", "entered-fault"];
  const moves = events.filter(({ event }) => types.includes(event.type));
  expect(moves.length).toBeGreaterThan(0);
  for (let at = 0; at < moves.length; at += 2) {
    const [one, other] = [moves[at], moves[at + 1]];
    expect(other?.event.type, JSON.stringify(moves.map(({ event, aggregate }) => [aggregate.id, event.type]))).toBe(
      one?.event.type,
    );
    expect(new Set([one?.aggregate.id, other?.aggregate.id])).toEqual(new Set([inside.name, outside.name]));
  }
}
const groupStates = (events: readonly EventEnvelope[]): unknown[] =>
  events.flatMap(({ event }) => (event.type === "sync-group-changed" ? [event.data.state] : []));

async function startBaton(router: "r1" | "r2", priority: number, text = conf(priority)): Promise<BatonNode> {
  const node = await lab.get().router(router).startBaton(text);
  stops.push(async () => {
    await discard(node);
    await link(router, inside, "up");
    for (const { device, address, prefix } of [inside, outside])
      await lab.get().router(router).exec(`ip address del ${address}/${prefix} dev ${device}`);
  });
  await node.waitReady();
  return node;
}

test("one link is lost: both addresses move together, and come back together; the group tells its scripts", async () => {
  prepare(lab.get());
  const r1 = await startBaton("r1", 101);
  await holder("r1");
  const r2 = await startBaton("r2", 100);
  const probing = await lab.get().client.probe({ address: virtualAddress });
  await probing.waitAnswered("r1");

  await link("r1", inside, "down");
  await holder("r2");
  await probing.waitAnswered("r2");
  await link("r1", inside, "up");
  await holder("r1");
  await probing.waitAnswered("r1");
  await probing.stop();

  await waitFor("r1's last group event", async () => groupStates(await r1.events()).length >= 5);
  const events = await r1.events();
  expect(groupStates(events)).toEqual(["backup", "master", "fault", "backup", "master"]);
  const fault = events.find(({ event }) => event.type === "sync-group-changed" && event.data.state === "fault");
  expect(fault?.event.data).toMatchObject({ member: inside.name, reason: "interface-down" });
  await waitFor("r2 to be backup again", async () => groupStates(await r2.events()).at(-1) === "backup");
  assertNeverSplit(events);
  assertNeverSplit(await r2.events());
  const line = (state: string): string => `GROUP VG ${state} 0`;
  await waitFor("r1's scripts", async () => (await scriptsOf("r1")).length >= 7);
  expect(await scriptsOf("r1")).toEqual([
    ...[line("BACKUP"), "own-master", line("MASTER"), line("FAULT"), line("BACKUP"), "own-master", line("MASTER")],
  ]);
});

test("a reload makes a group of two masters, and parts them again: nothing moves", async () => {
  prepare(lab.get());
  const r2 = await startBaton("r2", 100);
  await holder("r2");
  const r1 = await startBaton("r1", 101, alone(101));
  // Each instance of r1 takes over for itself; the group of r2 gives both away with the first.
  await holder("r1");
  const probing = await lab.get().client.probe({ address: virtualAddress });
  await probing.waitAnswered("r1");
  const movesOf = (events: readonly EventEnvelope[]): number =>
    events.filter(({ event }) => ["vip-added", "vip-removed", "became-backup"].includes(event.type)).length;
  const before = movesOf(await r1.events());
  const regrouped = async (times: number): Promise<boolean> => {
    const told = (await r1.events()).map(({ event }) => event);
    return told.filter((event) => event.type === "became-master" && event.data.reason === "regrouped").length === times;
  };
  r1.reload(conf(101));
  await waitFor("r1's group", async () => groupStates(await r1.events()).at(-1) === "master");
  r1.reload(alone(101));
  await waitFor("r1's instances to go on apart", () => regrouped(4));
  expect(groupStates(await r1.events()).at(-1)).toBe("stopped");
  const { answered } = await probing.report();
  await waitFor("half a second of answers", async () => (await probing.report()).answered > answered + 500);
  expect(movesOf(await r1.events())).toBe(before);
  expect((await probing.stop()).lost).toBe(0);
  await waitFor("r2 to be backup", async () => groupStates(await r2.events()).at(-1) === "backup");
  assertNeverSplit(await r2.events());
});

test("beside keepalived with the same group, in both roles", async () => {
  prepare(lab.get());
  await startBaton("r1", 101);
  await holder("r1");
  const peer = await lab.get().router("r2").startKeepalived(conf(100));
  stops.push(() => peer.kill());
  await waitFor("keepalived to have heard both", async () => (await scriptsOf("r2")).includes("GROUP VG BACKUP 0"));

  await link("r1", inside, "down");
  await holder("r2");
  await link("r1", inside, "up");
  await holder("r1");
  await link("r2", outside, "down");
  await waitFor("keepalived's group to be in fault", async () => (await scriptsOf("r2")).at(-1) === "GROUP VG FAULT 0");
  await link("r2", outside, "up");
  await holder("r1");
});

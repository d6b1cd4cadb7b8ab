// Two routers in front of two real servers, with clients: nftables hands them out, one is drained, the servers die for both
// routers, and for one alone. Their quorum counts in the election, and what happened is told from the check on.
import { fileURLToPath } from "node:url";
import { type BatonNode, createLab, type Lab, type LabProcess, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { isType, keepalivedConf, type Pair, quick, startPair, stopPair } from "./pair.ts";

const held: { lab?: Lab; pair?: Pair; servers: LabProcess[] } = { servers: [] };
const theLab = (): Lab => held.lab ?? failed("there is no lab");
function failed(what: string): never {
  throw new Error(what);
}

beforeAll(async () => {
  held.lab = await createLab({ name: "servers", routers: ["r1", "r2", "s1", "s2"] });
});
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
});
afterAll(() => held.lab?.destroy());

const baton = fileURLToPath(new URL("../../../services/cli/bin/baton.js", import.meta.url));
const drained = "172.16.1.3:8080";
const name = "[172.16.100.1]:tcp:80";

const balancing = `
virtual_server 172.16.100.1 80 {
  delay_loop 0.2
  lvs_sched rr
  lvs_method NAT
  protocol TCP
  ${["172.16.1.3", "172.16.1.4"]
    .map(
      (address) =>
        `real_server ${address} 8080 {\n    weight 1\n    TCP_CHECK {\n      connect_timeout 0.3\n      retry 1\n      delay_before_retry 0.1\n    }\n  }`,
    )
    .join("\n  ")}
}
`;
const settings = `load_balancer: nftables
track_virtual_servers:\n  - { name: "${name}", weight: -50 }\n`;

const program = (server: string): string =>
  `require("net").createServer((s) => { s.on("error", () => s.destroy()); s.end("${server}\\n"); }).listen(8080)`;

async function startServers(): Promise<void> {
  held.servers = await Promise.all(
    ["s1", "s2"].map((server) =>
      theLab()
        .router(server)
        .spawn("server", [process.execPath, "-e", program(server)]),
    ),
  );
}

const killServers = (): Promise<unknown> => Promise.all(held.servers.splice(0).map((server) => server.kill()));

/** What the command says about a node, on its own router. */
async function say(node: BatonNode, ...words: string[]): Promise<string> {
  const { stdout } = await theLab()
    .router(node.name)
    .exec([process.execPath, baton, ...words, "--run-dir", node.runDir]);
  return stdout;
}

/** Who answers so many clients, one after the other; undefined: nobody. */
async function answers(count: number): Promise<(string | undefined)[]> {
  const ask = "timeout 2 head -n1 < /dev/tcp/172.16.100.1/80 2>/dev/null || echo";
  const { stdout } = await theLab().client.exec(`for i in $(seq ${count}); do ${ask}; done`);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => (line === "" ? undefined : line));
}

const servedBy = (what: string, ...servers: string[]): Promise<unknown> =>
  waitFor(what, async () => {
    const answered = await answers(4);
    return (
      answered.every((each) => each !== undefined && servers.includes(each)) &&
      new Set(answered).size === servers.length
    );
  });

const priorityOf = async (node: BatonNode): Promise<number | undefined> =>
  (await node.status()).instances[0]?.effectivePriority;
const liveOn = async (node: BatonNode): Promise<number> =>
  (await node.status()).virtualServers[0]?.servers.filter(({ alive }) => alive).length ?? 0;

test("servers die for both routers, then for one alone", async () => {
  await startServers();
  // Theirs to set, as for keepalived: packets of clients go on to servers.
  for (const each of ["r1", "r2"]) await theLab().router(each).exec("sysctl -qw net.ipv4.ip_forward=1");
  const quickly = quick(0.3);
  const router = (state: "MASTER" | "BACKUP", priority: number): string =>
    `${keepalivedConf({ state, priority, ...quickly })}${balancing}`;
  const pair = await startPair(theLab(), {
    r1: router("MASTER", 101),
    r2: router("BACKUP", 100),
    options: { settings },
  });
  held.pair = pair;
  const { r1, r2 } = pair;
  for (const [node, priority] of [
    [r1, 101],
    [r2, 100],
  ] as const)
    await waitFor(`${node.name} to count its servers`, async () => (await priorityOf(node)) === priority);

  await servedBy("both servers to answer clients", "s1", "s2");
  expect(await say(r1, "status")).toMatch(/^balancer nftables: 1 service, 2 destinations/m);

  // An operator takes one out on r1, and brings it back.
  expect(await say(r1, "drain", drained)).toMatch(/^172\.16\.1\.3:8080 of \[172\.16\.100\.1\]:tcp:80: /);
  const drainOf = async () => (await r1.status()).virtualServers[0]?.servers[0]?.drain;
  expect(["draining", "removed"]).toContain(await drainOf());
  await servedBy("the other to answer alone", "s2");
  expect(await say(r1, "drain", drained, "--undo")).toContain("in service");
  expect(await drainOf()).toBe("none");
  await servedBy("both to answer again", "s1", "s2");

  // Both find out, each at its own time, and nobody moves.
  const began = new Map([r1, r2].map((node) => [node, 0]));
  for (const node of [r1, r2]) began.set(node, (await node.events()).length);
  await killServers();
  const lost = await pair.event(r1, isType("quorum-lost", name), "quorum-lost");
  const lowered = await pair.event(
    r1,
    (each) => isType("priority-changed")(each) && each.at > lost.at,
    "priority-changed",
  );
  expect(lowered.event.data).toMatchObject({ to: 51, tracker: `virtual server ${name}`, reason: "tracker-down" });
  expect(lowered.causationId).toBe(lost.id);
  const status = await say(r1, "status");
  expect(status).toMatch(/^\[172\.16\.100\.1\]:tcp:80 +NO /m);
  expect(status).toMatch(/^ {2}172\.16\.1\.4:8080 is down \(TCP_CHECK .*refused/m);
  await startServers();
  for (const [node, priority] of [
    [r1, 101],
    [r2, 100],
  ] as const)
    await waitFor(`${node.name} to be as before`, async () => (await priorityOf(node)) === priority);
  for (const node of [r1, r2]) {
    const since = (await node.events()).slice(began.get(node));
    expect(since.filter(({ event }) => event.type.startsWith("became-"))).toEqual([]);
  }

  // One that cannot reach them gives way, and the story begins with the check.
  await theLab()
    .router("r1")
    .exec(
      "nft add table inet cut; nft add chain inet cut out '{ type filter hook output priority 0; }'; nft add rule inet cut out tcp dport 8080 drop",
    );
  await r2.waitState("master");
  await r1.waitState("backup");
  expect(await liveOn(r2)).toBe(2);
  await servedBy("clients to be answered through the other router", "s1", "s2");
  const story = await say(r1, "why", "VI_1");
  const order = [
    /check .*172\.16\.1\.[34].* failed/,
    /172\.16\.1\.[34]:8080 of \[172\.16\.100\.1\]:tcp:80 is down/,
    /has no quorum/,
    /serves \[172\.16\.100\.1\]:tcp:80 without/,
    /priority 51 instead of 101: virtual server \[172\.16\.100\.1\]:tcp:80 is down/,
    /r1 became backup of VI_1/,
  ].map((line) => story.search(line));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order[0]).toBeGreaterThanOrEqual(0);
});

// Health in one network namespace, real servers in another: what only a network of one's own can do to a check, and the
// checks that follow something else.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { openDescriptors } from "@baton/linux/testing";
import { makeProbeWorld, type ProbeWorld, serverAddress } from "@baton/probes/testing";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type CheckedNode, makeCheckedNodes, realServer, service } from "../testing/checked-node.ts";

const nodes = makeCheckedNodes();
const folder = mkdtempSync(join(tmpdir(), "baton-checking-"));
let world: ProbeWorld;
let leave: () => void;
beforeAll(() => {
  world = makeProbeWorld("bthc");
});
beforeEach(() => {
  leave = world.ours.enter();
});
afterEach(async () => {
  await nodes.clear();
  leave();
  await world.clear();
});
afterAll(() => {
  world.remove();
  rmSync(folder, { recursive: true });
});

const address = serverAddress[4];
const server = `${address}:80`;
const settled = (node: CheckedNode) =>
  vi.waitFor(() => expect(node.checkers().every(({ status }) => status !== "unknown")).toBe(true));

test("up, then blackholed: every retry takes its whole time, and the last one decides; then up again", async () => {
  world.serve(address, 80);
  const node = await nodes.start(
    service([realServer(address, 80, "TCP_CHECK { retry 2; connect_timeout 0.1 }")], "sorry_server 10.99.0.9 80"),
  );
  await settled(node);
  world.drop("tcp dport 80 drop");
  await vi.waitFor(() => expect(node.destinations()).toEqual({ "10.99.0.9:80": 1 }));
  const failed = node.events("checker").at(-1)?.event;
  expect(failed).toMatchObject({ type: "check-failed", data: { reason: "timeout", attempt: 3 } });
  expect(failed?.type === "check-failed" && failed.data.durationMs).toBeGreaterThanOrEqual(100);
  await world.clear();
  world.serve(address, 80);
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [server]: 1 }));
  expect(node.events("checker").map(({ event }) => event.type)).toEqual(["check-failed", "check-succeeded"]);
});

test("half open, reset, and nobody there, over both families", async () => {
  world.serve(address, 80);
  world.serve(serverAddress[6], 80);
  world.serve(address, 81, (socket) => socket.resetAndDestroy());
  world.serve(address, 82);
  const get = "HTTP_GET { connect_timeout 0.2; url { path / } }";
  const node = await nodes.start(
    service([
      realServer(address, 80),
      realServer(address, 81, get),
      realServer(address, 82, get),
      realServer("10.99.0.77", 80, "TCP_CHECK { connect_timeout 0.2 }"),
      realServer(address, 83, `TCP_CHECK { connect_ip ${serverAddress[6]}; connect_port 80 }`),
      realServer(address, 84, "PING_CHECK { }"),
      realServer(address, 85, "UDP_CHECK { }"),
    ]),
  );
  await settled(node);
  expect(node.destinations()).toEqual({ [server]: 1, [`${address}:83`]: 1, [`${address}:84`]: 1 });
  const failed = node
    .events("checker")
    .flatMap(({ event }) =>
      event.type === "check-failed" ? [[event.data.check, event.data.reason, event.data.attempt]] : [],
    );
  expect(failed.toSorted()).toEqual([
    [`HTTP_GET ${address}:81/`, "reset", 1],
    [`HTTP_GET ${address}:82/`, "timeout", 1],
    ["TCP_CHECK 10.99.0.77:80", "timeout", 1],
    [`UDP_CHECK ${address}:85`, "refused", 1],
  ]);
});

test("ha_suspend: a check runs while the address of its service is here", async () => {
  world.serve(address, 80);
  const node = await nodes.start(service([realServer(address, 80)], "ha_suspend"));
  await vi.waitFor(() => expect(node.checkers()).toMatchObject([{ suspended: true, status: "unknown", runs: 0 }]));
  world.ours.ip("address", "add", "192.0.2.1/32", "dev", "eth0");
  await vi.waitFor(() => expect(node.checkers()).toMatchObject([{ suspended: false, status: "up" }]));
  world.ours.ip("address", "add", "192.0.2.1/24", "dev", "lo");
  world.ours.ip("address", "del", "192.0.2.1/32", "dev", "eth0");
  const { runs = 0 } = node.checkers()[0] ?? {};
  await vi.waitFor(() => expect(node.checkers()[0]?.runs).toBeGreaterThan(runs + 2));
  world.ours.ip("address", "del", "192.0.2.1/24", "dev", "lo");
  await vi.waitFor(() => expect(node.checkers()).toMatchObject([{ suspended: true, status: "up" }]));
  // What is known stands, whatever the server does meanwhile.
  expect(node.destinations()).toEqual({ [server]: 1 });
});

test("FILE_CHECK follows its file, and the file's change is the first cause of the story", async () => {
  const file = join(folder, "weight");
  writeFileSync(file, "0\n");
  const track = `track_file weight {\n file ${file}\n}\n`;
  const checks = ["FILE_CHECK { track_file weight; weight 2 }", "FILE_CHECK { track_file weight; weight 0; }"];
  const servers = checks.map((check, index) => realServer(address, 80 + index, check, "weight 10"));
  const node = await nodes.start(track + service(servers));
  expect(node.destinations()).toEqual({ [server]: 10, [`${address}:81`]: 10 });
  writeFileSync(file, "5\n");
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [server]: 20 }));
  const news = node.host.appended.slice(-4);
  const change = node.host.appended.findLast(({ event }) => event.type === "file-changed");
  expect(news.find(({ event }) => event.type === "realserver-down")?.correlationId).toBe(change?.id);
  expect(node.events("virtual-server").at(-1)?.correlationId).toBe(change?.id);
  writeFileSync(file, "-7\n");
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [server]: 0 }));
  // A reload with another factor counts at once.
  const doubled = [realServer(address, 80, "FILE_CHECK { track_file weight; weight -1 }", "weight 10")];
  node.reload(track + service(doubled));
  expect(node.destinations()).toEqual({ [server]: 17 });
});

test("MISC_CHECK: its status is the weight, and then the end", async () => {
  const status = join(folder, "status");
  writeFileSync(status, "52\n");
  const script = join(folder, "check.sh");
  writeFileSync(script, `#!/bin/sh\nread code < ${status}\necho "status is $code"\nexit $code\n`, { mode: 0o755 });
  const check = `MISC_CHECK { misc_path "${script}"; misc_timeout 5; misc_dynamic }`;
  const node = await nodes.start(service([realServer(address, 80, check)]));
  await vi.waitFor(() => expect(node.destinations()).toEqual({ [server]: 50 }));
  writeFileSync(status, "1\n");
  await vi.waitFor(() => expect(node.pool().servers[0]?.alive).toBe(false));
  expect(node.events("checker").at(-1)?.event).toMatchObject({
    type: "check-failed",
    data: { reason: "exit-status", status: 1, excerpt: "status is 1" },
  });
});

test("MISC_CHECK: as whom it says, or not at all", async () => {
  const script = join(mkdtempSync(join(tmpdir(), "baton-checking-user-")), "whoami.sh");
  writeFileSync(script, "#!/bin/sh\nid -u\nexit 3\n", { mode: 0o755 });
  chmodSync(dirname(script), 0o755);
  const check = (user: string): string => `MISC_CHECK { misc_path "${script} ${user}"; misc_timeout 5; user ${user} }`;
  const node = await nodes.start(
    service([realServer(address, 80, check("nobody")), realServer(address, 81, check("daemon"))]),
  );
  await vi.waitFor(() => expect(node.pool().servers[0]?.alive).toBe(false), { timeout: 10_000 });
  expect(node.events("checker").map(({ event }) => event)).toEqual([
    expect.objectContaining({ type: "check-failed", data: expect.objectContaining({ status: 3, excerpt: "65534" }) }),
  ]);
  // Whom nobody knows here: a fault of this machine, which says nothing of the server.
  expect(node.pool().servers[1]?.alive).toBe(true);
  rmSync(dirname(script), { recursive: true });
});

test("at most so many probes at once: the others wait, and it shows", async () => {
  world.drop("tcp dport 80-99 drop");
  const servers = Array.from({ length: 20 }, (_, index) =>
    realServer(address, 80 + index, "TCP_CHECK { connect_timeout 0.5 }"),
  );
  const node = await nodes.start(service(servers), {}, { checks: { concurrent: 4 } });
  const probes = (state: string): number | undefined =>
    node.health.counters().find(({ name, labels }) => name === "healthcheck_probes" && labels.state === state)?.value;
  await vi.waitFor(() => expect([probes("running"), probes("waiting")]).toEqual([4, 16]));
  await settled(node);
  expect(Math.max(...node.checkers().map(({ latenessMicros }) => latenessMicros))).toBeGreaterThan(1_000_000);
});

test("a stop in the middle of everything leaves no socket, no program and no turn of the queue", async () => {
  world.drop("tcp dport 80-99 drop");
  const pids = join(folder, "pids");
  const script = join(folder, "endless.sh");
  writeFileSync(script, `#!/bin/sh\necho $$ >> ${pids}\nexec sleep 60\n`, { mode: 0o755 });
  const misc = `MISC_CHECK { misc_path "${script}"; misc_timeout 50 }`;
  const servers = Array.from({ length: 20 }, (_, index) =>
    realServer(address, 80 + index, index < 4 ? misc : "TCP_CHECK { connect_timeout 9 }"),
  );
  const before = openDescriptors();
  const node = await nodes.start(service(servers), {}, { checks: { concurrent: 10 } });
  const started = (): string[] => (existsSync(pids) ? readFileSync(pids, "utf8").trim().split("\n") : []);
  const runningProbes = (): number | undefined =>
    node.health.counters().find(({ labels }) => labels.state === "running")?.value;
  await vi.waitFor(() => expect([runningProbes(), started().length > 0]).toEqual([10, true]));
  const told = node.host.appended.length;
  await node.kill();
  await vi.waitFor(() => {
    expect(openDescriptors()).toEqual(before);
    expect(started().filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([]);
  });
  // What ends is told of, and no check has failed by it.
  const ends = node.host.appended.slice(told).map(({ event }) => event.type);
  expect(ends.filter((type) => type.startsWith("check-"))).toEqual([]);
});

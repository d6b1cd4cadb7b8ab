// The uplink as its own process, as `baton up` starts it; the test plays control and the supervisor.
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeMessage, NodeServiceService } from "@baton/contracts";
import { inboxPrefix, openNatsBus } from "@baton/event-log";
import { eventSource, startNatsServer, until } from "@baton/event-log/testing";
import { defaultSettings, paths, serveGrpc, writeSnapshot } from "@baton/host";
import { config } from "@baton/keepalived-conf/testing";
import { afterEach, expect, test } from "vitest";
import { instanceState, statusOf } from "./testing/fleet-events.ts";
import { startTestHub } from "./testing/running-hub.ts";

const main = join(import.meta.dirname, "../dist/uplink.js");
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
const own = <T extends { close(): unknown }>(resource: T): T => {
  opened.push(resource);
  return resource;
};

function start(runDir: string): { child: ChildProcess; reports: string[]; exit: Promise<number | null> } {
  const env = { BATON_NODE: "r1", BATON_RUN_DIR: runDir, BATON_STATE_DIR: join(runDir, "state"), BATON_RESTARTS: "0" };
  const child = fork(main, { stdio: ["ignore", "ignore", "inherit", "ipc"], env: { ...process.env, ...env } });
  const reports: string[] = [];
  child.on("message", (report: { type: string }) => reports.push(report.type));
  const exit = new Promise<number | null>((resolve) => child.once("exit", resolve));
  opened.push({
    close: () => {
      child.kill("SIGKILL");
      return exit;
    },
  });
  return { child, reports, exit };
}

test("the hub shows what control says and holds what the stream holds; a stop is told", async () => {
  const hub = own(await startTestHub({ nodes: ["r1"] }));
  const server = own(await startNatsServer({ node: "r1" }));
  const runDir = mkdtempSync(join(tmpdir(), "baton-uplink-"));
  opened.push({ close: () => rmSync(runDir, { recursive: true, force: true }) });
  mkdirSync(join(runDir, "state"));
  const { user, password } = server.credentials("uplink");
  const users = { uplink: { user, password } };
  const credentials = { nats: { url: server.url, users }, redis: { url: "redis://127.0.0.1:1" } };
  writeFileSync(paths.credentials(runDir), JSON.stringify(credentials), { mode: 0o600 });
  const settings = { ...defaultSettings, hub: hub.login("r1") };
  const snapshot = { generation: 1, hash: "h", file: "f", appliedAt: "", config: config(), settings };
  await writeSnapshot(join(runDir, "state"), snapshot);
  const status = statusOf("r1", [instanceState("r1", { state: "master", term: 7 })]);
  const getStatus = (_call: unknown, done: (error: null, value: typeof status) => void) => done(null, status);
  const implementation = { getStatus, streamEvents: () => undefined, reload: () => undefined };
  own(await serveGrpc(paths.nodeSocket(runDir), [{ definition: NodeServiceService, implementation }]));

  const { child, reports, exit } = start(runDir);
  await until("ready", () => reports.includes("ready"));
  await until("r1 is shown", async () => (await hub.fleet()).groups[0]?.members[0]?.term === 7);
  const writer = own(
    openNatsBus({ credentials: () => server.credentials("election"), name: "e", inboxPrefix: inboxPrefix("election") }),
  );
  await until("connected", () => writer.connected);
  const event = eventSource({ node: "r1" })("VI_1");
  await writer.publish(encodeMessage(event));
  const isThere = async (type: string): Promise<boolean> =>
    (await hub.stored()).some(({ envelope }) => envelope.event.type === type);
  await until("the event is at the hub", () => isThere(event.event.type));
  await until("the uplink's own start too", () => isThere("service-started"));
  child.send({ type: "stop", reason: "test ends" });
  expect(await exit).toBe(0);
  expect((await hub.fleet()).nodes[0]?.status).toBe("stopped");
});

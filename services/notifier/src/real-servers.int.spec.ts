// From a real server that ends to the script, the FIFO and the mail that tell of it: the built health and notifier as
// processes of one node, without a bus.
import { type ChildProcess, fork } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSnapshot } from "@baton/host";
import { configOf } from "@baton/keepalived-conf/testing";
import { afterEach, expect, test, vi } from "vitest";
import { snapshot } from "./testing/fixtures.ts";
import { createTestRedis } from "./testing/redis.ts";
import { startTestSmtp } from "./testing/smtp.ts";

const mains = {
  health: fileURLToPath(new URL("../../health/dist/main.js", import.meta.url)),
  notifier: fileURLToPath(new URL("../dist/main.js", import.meta.url)),
};
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

async function listening(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  closing.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

test("a server that ends and comes back; the notifier is killed meanwhile", async () => {
  const folder = mkdtempSync(join(tmpdir(), "baton-told-servers-"));
  closing.push(() => rmSync(folder, { recursive: true }));
  const [runDir, stateDir] = [join(folder, "run"), join(folder, "state")];
  for (const directory of [runDir, stateDir]) mkdirSync(directory, { mode: 0o700 });
  writeFileSync(join(folder, "note"), '#!/bin/bash\necho "$*" >> "$(dirname "$0")/record"\n', { mode: 0o755 });
  const smtp = await startTestSmtp();
  closing.push(() => smtp.close());
  const redis = await createTestRedis();
  closing.push(() => redis.close());
  await redis.start();
  const web = await listening();
  const { port } = web.address() as AddressInfo;
  const config = configOf(`
global_defs {
  router_id r1
  script_user root
  lvs_notify_fifo ${folder}/fifo
  notification_email { a@example.org }
  smtp_server 127.0.0.1 ${smtp.port}
}
virtual_server 192.0.2.1 80 {
  delay_loop 0.2
  protocol TCP
  lvs_method NAT
  quorum_up "${folder}/note gained"
  quorum_down "${folder}/note lost"
  real_server 127.0.0.1 ${port} {
    notify_up "${folder}/note up"
    notify_down "${folder}/note down"
    TCP_CHECK {
      warmup 0
      retry 0
      connect_timeout 5
    }
  }
}`);
  await writeSnapshot(stateDir, { ...snapshot([]), config });
  const credentials = { nats: { url: "nats://127.0.0.1:1", users: {} }, redis: { url: redis.url } };
  writeFileSync(join(runDir, "credentials.json"), JSON.stringify(credentials), { mode: 0o600 });

  const start = async (service: keyof typeof mains, restarts = 0): Promise<ChildProcess> => {
    const env = {
      PATH: process.env.PATH,
      BATON_NODE: "r1",
      BATON_RUN_DIR: runDir,
      BATON_STATE_DIR: stateDir,
      BATON_RESTARTS: String(restarts),
    };
    const child = fork(mains[service], { env, stdio: ["ignore", "ignore", "ignore", "ipc"] });
    closing.push(() => child.kill("SIGKILL"));
    await new Promise<void>((resolve) => {
      child.on("message", (message: { type: string }) => {
        if (message.type === "ready") resolve();
      });
    });
    return child;
  };
  const record = () =>
    existsSync(join(folder, "record")) ? readFileSync(join(folder, "record"), "utf8").split("\n") : [];
  const calls = () => record().filter(Boolean).toSorted();

  const [, first] = await Promise.all([start("health"), start("notifier")]);
  await eventually(() => expect(calls()).toEqual(["gained"]));
  const fifo = openSync(join(folder, "fifo"), constants.O_RDONLY | constants.O_NONBLOCK);
  closing.push(() => closeSync(fifo));
  await new Promise((resolve) => web.close(resolve));
  await eventually(() => expect(calls()).toEqual(["down", "gained", "lost"]));
  first.kill("SIGKILL");
  await new Promise((resolve) => first.once("exit", resolve));
  await listening(port);
  await start("notifier", 1);
  await eventually(() => expect(calls()).toEqual(["down", "gained", "gained", "lost", "up"]));
  const server = `[127.0.0.1]:tcp:${port}`;
  const lines = Buffer.alloc(4_096);
  expect(lines.toString("utf8", 0, readSync(fifo, lines)).trim().split("\n")).toEqual([
    "VS [192.0.2.1]:tcp:80 UP",
    `RS ${server} [192.0.2.1]:tcp:80 DOWN`,
    "VS [192.0.2.1]:tcp:80 DOWN",
    `RS ${server} [192.0.2.1]:tcp:80 UP`,
    "VS [192.0.2.1]:tcp:80 UP",
  ]);
  const subject = `[r1] Realserver ${server} of virtual server [192.0.2.1]:tcp:80 -`;
  await eventually(() =>
    expect(smtp.mails.map((mail) => mail.subject).toSorted()).toEqual([`${subject} DOWN`, `${subject} UP`]),
  );
});

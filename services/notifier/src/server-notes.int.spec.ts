// Virtual servers and real servers are told of by real scripts and real FIFOs: what they get, in which order, and once.
import { closeSync, constants, openSync, readSync, writeFileSync } from "node:fs";
import type { BatonEvent } from "@baton/domain";
import type { ConfigSnapshot } from "@baton/host";
import type { FifosConfig, GlobalConfig, RealServerConfig, VirtualServerConfig } from "@baton/keepalived-conf";
import { realServer, virtualServer } from "@baton/keepalived-conf/testing";
import { afterEach, describe, expect, test } from "vitest";
import { command, global, snapshot } from "./testing/fixtures.ts";
import { createNotifierWorld, eventually } from "./testing/notifier-node.ts";
import { serverEvent, service, serviceState, web1 } from "./testing/server-events.ts";

const { path, writeScript, calls, fifo, start } = createNotifierWorld();
const { up, down, gained, lost } = serverEvent;
const files: number[] = [];
afterEach(() => {
  for (const file of files.splice(0)) closeSync(file);
});

const note = (word: string) => command(`${path("note")} ${word}`);
const scripts = () => ({ up: note("up"), down: note("down"), gained: note("gained"), lost: note("lost") });

function serving(
  over: {
    server?: Partial<RealServerConfig>;
    service?: Partial<VirtualServerConfig>;
    global?: Partial<GlobalConfig>;
  } = {},
): ConfigSnapshot {
  const words = scripts();
  const server = realServer({ notifyUp: words.up, notifyDown: words.down, smtpAlert: true, ...over.server });
  const served = virtualServer({
    quorumUp: words.gained,
    quorumDown: words.lost,
    smtpAlert: true,
    realServers: [server],
    ...over.service,
  });
  return snapshot([], { virtualServers: [served], global: global(over.global) });
}

const fifos = (): FifosConfig => ({
  ...global().fifos,
  all: fifo("all"),
  vrrp: fifo("vrrp"),
  lvs: fifo("lvs"),
});

/** Both ends are open: what was written stays in the pipe. */
function listen(name: string): () => string {
  const file = openSync(path(name), constants.O_RDONLY | constants.O_NONBLOCK);
  files.push(file);
  return () => {
    const buffer = Buffer.alloc(65_536);
    return buffer.toString("utf8", 0, readSync(file, buffer));
  };
}

/** A server fails and comes back. */
const story = (): BatonEvent[] => [gained({ reason: "start" }), down(), lost(), up(), gained()];

test("scripts get their words and nothing more; the lines of FIFOs are keepalived's", async () => {
  const { notifier, sayOfServer, told, host } = start(serving({ global: { fifos: fifos() } }));
  const [all, lvs] = [listen("all"), listen("lvs")];
  for (const [i, event] of story().entries()) {
    sayOfServer(event, service);
    await eventually(() => expect(told().length).toBe(i + 1));
  }
  expect(calls()).toEqual(["gained", "down", "lost", "up", "gained"]);
  expect(all()).toBe(
    [
      "VS [192.0.2.1]:tcp:80 UP",
      "RS [198.51.100.1]:tcp:80 [192.0.2.1]:tcp:80 DOWN",
      "VS [192.0.2.1]:tcp:80 DOWN",
      "RS [198.51.100.1]:tcp:80 [192.0.2.1]:tcp:80 UP",
      "VS [192.0.2.1]:tcp:80 UP",
      "",
    ].join("\n"),
  );
  expect(lvs().split("\n").length).toBe(6);
  expect(() => listen("vrrp")()).toThrow("EAGAIN"); // Nothing of it.
  expect(
    host.appended.map(({ aggregate, event }) => [aggregate.id, (event.data as { instance?: string }).instance]),
  ).toEqual(
    [service, `${web1} of ${service}`, service, `${web1} of ${service}`, service].map((name) => [service, name]),
  );
  notifier.close();
});

test("of several at once each is told in order, and none waits for another's script", async () => {
  writeScript(
    "slow",
    'cd "$(dirname "$0")"; echo "1 begun" >> record; until [ -e gate ] || [ ! -e slow ]; do sleep 0.02; done; exec "$PWD/note" slow',
  );
  const { sayOfServer, told } = start(serving({ server: { notifyDown: command(path("slow")) } }));
  sayOfServer(down(), service);
  await eventually(() => expect(calls()).toEqual(["begun"]));
  sayOfServer(lost(), service);
  sayOfServer(up(), service);
  await eventually(() => expect(calls()).toEqual(["begun", "lost"]));
  writeFileSync(path("gate"), "");
  await eventually(() => expect(told().length).toBe(3));
  expect(calls()).toEqual(["begun", "lost", "slow", "up"]);
});

test("what only SNMP or nobody is for is told to nobody, and known", async () => {
  const { sayOfServer, told, mails } = start(serving());
  sayOfServer(up({ told: "nobody", reason: "start" }), service);
  sayOfServer(gained({ told: "traps", reason: "start" }), service);
  sayOfServer(lost({ told: "everyone" }), service);
  await eventually(() => expect(told().length).toBe(1));
  expect([calls(), mails.length]).toEqual([["lost"], 1]);
});

test("a removed server and a removed service tell their end; a new one may be heard before its configuration", async () => {
  const { host, sayOfServer, told } = start(serving());
  const other = {
    ...serving(),
    generation: 2,
    config: {
      ...serving().config,
      virtualServers: [
        virtualServer({
          id: { kind: "group", name: "g", index: 0 },
          quorumUp: note("g"),
          realServers: [realServer()],
        }),
      ],
    },
  };
  sayOfServer(gained({ virtualServer: "[g]:0", reason: "start" }), "[g]:0");
  host.applyConfig(other);
  // Reloads are read before health has carried out the first of them.
  host.applyConfig({ ...other, generation: 3 });
  sayOfServer(down({ reason: "removed", check: "" }), service);
  sayOfServer(lost({ reason: "removed" }), service);
  await eventually(() => expect(told().length).toBe(3));
  expect(calls().toSorted()).toEqual(["down", "g", "lost"]);
});

describe("once, across deaths", () => {
  test("a successor tells what is otherwise than what was told, and nothing else", async () => {
    const config = serving();
    const first = start(config);
    first.sayOfServer(gained({ reason: "start" }), service);
    first.sayOfServer(up({ told: "nobody", reason: "start" }), service);
    await eventually(() => expect(first.told().length).toBe(1));
    first.notifier.close();
    const second = start(config, { restarts: 1, servers: [serviceState()] });
    second.sayOfServer(down(), service);
    await eventually(() => expect(second.told().length).toBe(1));
    second.notifier.close();
    const third = start(config, { restarts: 2, servers: [serviceState({ alive: false })] });
    await eventually(() => expect(third.told().length).toBe(1));
    expect(calls()).toEqual(["gained", "down", "lost"]);
    third.notifier.close();
    const fourth = start(config, { restarts: 3, servers: [serviceState({ alive: false })] });
    fourth.sayOfServer(up(), service);
    await eventually(() => expect(fourth.told().length).toBe(1));
    expect(calls()).toEqual(["gained", "down", "lost", "up"]);
    expect(third.host.appended.map(({ event }) => "replayed" in event.data && event.data.replayed)).toEqual([true]);
  });

  test("a mail that went out while a script still waited is not sent again", async () => {
    // Where the test is over before it looks, its folder is gone.
    const wait = "until [ -e gate ] || [ ! -e slow ]; do sleep 0.02; done";
    writeScript("slow", `cd "$(dirname "$0")" || exit; ${wait}; exec "$PWD/note" up`);
    const config = serving({ server: { notifyUp: command(path("slow")) } });
    const first = start(config);
    first.sayOfServer(down(), service);
    await eventually(() => expect(first.told().length).toBe(1));
    first.sayOfServer(up(), service);
    first.sayOfServer(down(), service);
    await eventually(() => expect(first.mails.length).toBe(3));
    first.notifier.close();
    writeFileSync(path("gate"), "");
    const second = start(config, { restarts: 1, servers: [serviceState({ alive: false })] });
    await eventually(() => expect(calls().filter((call) => call === "down").length).toBe(2));
    expect(second.mails).toEqual([]);
    second.sayOfServer(up(), service);
    await eventually(() => expect(second.mails.length).toBe(1));
  });

  test("under alpha a first failure is told, also where the notifier has seen the server untried", async () => {
    const config = serving({ server: { alpha: true } });
    const { sayOfServer, told } = start(config, { servers: [serviceState({ alive: false }, 0)] });
    sayOfServer(down({ changed: false }), service);
    await eventually(() => expect(told().length).toBe(1));
    expect(calls()).toEqual(["down"]);
  });

  test("what nobody's configuration knew is not told of one that comes later", async () => {
    const { host, sayOfServer, told } = start(serving());
    sayOfServer(lost({ virtualServer: "[g]:0" }), "[g]:0");
    host.applyConfig({ ...serving(), generation: 2 });
    const served = virtualServer({ id: { kind: "group", name: "g", index: 0 }, quorumDown: note("g") });
    host.applyConfig({ ...serving(), generation: 3, config: { ...serving().config, virtualServers: [served] } });
    sayOfServer(lost({ reason: "removed" }), service);
    await eventually(() => expect(told().length).toBe(1));
    expect(calls()).toEqual(["lost"]);
  });

  test("what health says again is meant: a first failure that confirms", async () => {
    const { sayOfServer, told } = start(serving());
    sayOfServer(down({ reason: "reload" }), service);
    sayOfServer(down({ changed: false }), service);
    await eventually(() => expect(told().length).toBe(2));
    expect(calls()).toEqual(["down", "down"]);
  });
});

test("when the node stops, omega's last words are waited for", async () => {
  const { notifier, sayOfServer, told } = start(serving({ service: { omega: true } }));
  sayOfServer(gained({ reason: "start" }), service);
  await eventually(() => expect(told().length).toBe(1));
  const left = notifier.leave();
  sayOfServer(down({ reason: "stop", check: "" }), service);
  sayOfServer(lost({ reason: "stop" }), service);
  await left;
  expect(calls().toSorted()).toEqual(["down", "gained", "lost"]);
});

describe("mail", () => {
  test("subjects are keepalived's; bodies say why", () => {
    const { sayOfServer, mails } = start(serving());
    for (const event of story()) sayOfServer(event, service);
    expect(mails.map(({ subject }) => subject)).toEqual([
      "[LVS_DEVEL] Virtualserver [192.0.2.1]:tcp:80 - UP",
      "[LVS_DEVEL] Realserver [198.51.100.1]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - DOWN",
      "[LVS_DEVEL] Virtualserver [192.0.2.1]:tcp:80 - DOWN",
      "[LVS_DEVEL] Realserver [198.51.100.1]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - UP",
      "[LVS_DEVEL] Virtualserver [192.0.2.1]:tcp:80 - UP",
    ]);
    expect(mails[1]?.text).toContain("198.51.100.1:80 of [192.0.2.1]:tcp:80 on r1 is down.\n");
    expect(mails[1]?.text).toMatch(/^check: +TCP_CHECK 198\.51\.100\.1:80$/m);
    expect(mails[2]?.text).toMatch(/^quorum: +1\nhysteresis: +0\nneeded: +1\nweight: +0$/m);
    expect(new Set(mails.map(({ id }) => id)).size).toBe(5);
  });

  test("none of what a start, a reload or a confirmation says of a server, nor where it is not wanted", async () => {
    const { host, sayOfServer, mails, told } = start(serving());
    sayOfServer(up({ reason: "start" }), service);
    sayOfServer(down({ reason: "reload" }), service);
    sayOfServer(down({ changed: false }), service);
    expect(mails).toEqual([]);
    host.applyConfig({ ...serving({ server: { smtpAlert: false }, service: { smtpAlert: false } }), generation: 2 });
    sayOfServer(up(), service);
    sayOfServer(lost(), service);
    await eventually(() => expect(told().length).toBe(5));
    expect(mails).toEqual([]);
  });
});

// The supervisor with real brokers and stub services: what is started, what happens on a death, who may run twice.
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { keepalivedSignals } from "./commands/signals.ts";
import {
  held,
  inDirectory,
  isAlive,
  killQuietly,
  pidOf,
  type Running,
  ready,
  runDir,
  services,
  start,
  startReady,
  story,
  until,
} from "./testing/up-node.ts";

async function livesIn(namespace: string, { child, exited }: Running): Promise<void> {
  const there = statSync(`/run/netns/${namespace}`).ino;
  for (const pid of [child.pid, ...Object.values(services()).map((service) => service.pid)])
    expect(statSync(`/proc/${pid}/ns/net`).ino).toBe(there);
  child.kill("SIGTERM");
  expect(await exited).toBe(0);
}

const mode = (path: string): number => statSync(path).mode & 0o777;

describe("a start", () => {
  test("brokers on loopback, services in order, ready, and a stop in order", async () => {
    const { child, exited, stderr } = await startReady();
    expect(Object.keys(services()).sort()).toEqual(
      ["control", "dataplane", "election", "health", "nats", "notifier", "redis"].sort(),
    );
    expect(story()[0]).toBe("control started 0");
    const pids = Object.values(services()).map(({ pid }) => pid);

    expect([mode(runDir()), mode(inDirectory("state")), mode(join(runDir(), "credentials.json"))]).toEqual([
      0o700, 0o700, 0o600,
    ]);
    const credentials = readFileSync(join(runDir(), "credentials.json"), "utf8");
    const { nats, redis } = JSON.parse(credentials) as { nats: { url: string; users: object }; redis: { url: string } };
    expect(nats.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    expect(redis.url).toMatch(/^redis:\/\/default:[\w-]{32}@127\.0\.0\.1:\d+$/);
    expect(Object.keys(nats.users)).toEqual(expect.arrayContaining(["election", "control"]));
    expect(Object.keys(nats.users)).not.toContain("admin");
    for (const pid of pids)
      expect(readFileSync(`/proc/${pid}/cmdline`, "utf8")).not.toContain(new URL(redis.url).password);

    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(story().filter((line) => line.includes(" stop "))).toEqual(
      ["election", "dataplane", "health", "notifier", "control"].map((name) => `${name} stop SIGTERM`),
    );
    expect(story().join()).not.toContain("got SIG");
    expect(pids.filter(isAlive)).toEqual([]);
    expect([existsSync(ready()), existsSync(join(runDir(), "credentials.json"))]).toEqual([false, false]);
    for (const line of stderr().trim().split("\n")) expect(JSON.parse(line)).toMatchObject({ service: "supervisor" });
  });

  test("net_namespace: everything is born there, with the interfaces that are there; without it nothing is", async () => {
    const name = `btup${process.pid}`;
    const config = `net_namespace ${name}\nvrrp_instance V {\n interface btup0\n virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n}\n`;
    writeFileSync(inDirectory("keepalived.conf"), config);
    const refused = start();
    expect(await refused.exited).toBe(1);
    expect(refused.stderr()).toContain(`net_namespace ${name}: `);
    expect(existsSync(runDir())).toBe(false);
    execFileSync("ip", ["netns", "add", name]);
    try {
      execFileSync("ip", ["-n", name, "link", "add", "btup0", "type", "veth", "peer", "name", "btup1"]);
      await livesIn(name, await startReady());
      // keepalived's option wins over the file.
      writeFileSync(inDirectory("keepalived.conf"), config.replace(name, "btnone"));
      const files = ["-p", inDirectory("pid"), "-r", inDirectory("vrrp.pid")];
      await livesIn(name, await startReady({ command: ["keepalived", "-n", ...files, "-s", name, "-f"] }));
    } finally {
      execFileSync("ip", ["netns", "del", name]);
    }
  });

  test("Ctrl-C reaches the supervisor alone", async () => {
    const { child, exited } = await startReady();
    for (const { pid } of Object.values(services())) {
      const session = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[3];
      expect(session).toBe(String(pid));
    }
    child.kill("SIGINT");
    expect(await exited).toBe(0);
  });

  test("a service manager that does not listen is told all the same, and costs nothing", async () => {
    const { child, exited, stderr } = await startReady({ env: { NOTIFY_SOCKET: inDirectory("nobody") } });
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(stderr().match(/telling the service manager failed.*ENOENT/g)).toHaveLength(2);
  });

  test("keepalived's signals have control write keepalived's files; the pid file says whom to send them to", async () => {
    const pidFile = inDirectory("keepalived.pid");
    const { child, exited } = start({ words: ["--pid-file", pidFile] });
    await until("the pid file", () => existsSync(pidFile));
    expect(readFileSync(pidFile, "utf8")).toBe(`${child.pid}\n`);
    await until("control", () => story().includes("control started 0"));
    const dumps = [
      ["DATA", "data"],
      ["STATS", "stats"],
      ["STATS_CLEAR", "stats-clear"],
      ["JSON", "json"],
      ["JSON", "json"],
    ] as const;
    for (const [index, [name, what]] of dumps.entries()) {
      process.kill(Number(readFileSync(pidFile, "utf8")), keepalivedSignals[name].number);
      const told = (): string[] => story().filter((line) => line.startsWith("control dump"));
      await until(`the dump of ${what}`, () => told().length > index);
      expect(told().at(-1)).toBe(`control dump ${what}`);
    }
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    expect(existsSync(pidFile)).toBe(false);
  });

  test("SIGHUP goes to control", async () => {
    const { child } = await startReady();
    child.kill("SIGHUP");
    await until("control's reload", () => story().includes("control reload"));
    expect(story().filter((line) => line.endsWith("reload"))).toEqual(["control reload"]);
  });

  test("a second start on the same run directory is one clear sentence", async () => {
    await startReady();
    const second = start();
    expect(await second.exited).toBe(1);
    expect(second.stderr()).toMatch(/^baton is already running on .*\n$/);
    expect(pidOf("election")).toBeGreaterThan(0);
  });

  test("servers that the settings name are not started", async () => {
    const server = createServer((socket) => socket.end());
    held.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const settings = inDirectory("baton.yaml");
    writeFileSync(
      settings,
      `nats:\n  url: nats://me:secret@127.0.0.1:${port}\nredis:\n  url: redis://127.0.0.1:${port}\n`,
    );
    start({ words: ["--ready-file", ready(), "--settings", settings] });
    await until("ready", () => existsSync(ready()) && Object.keys(services()).length === 5);
    const { nats } = JSON.parse(readFileSync(join(runDir(), "credentials.json"), "utf8")) as {
      nats: { url: string; users: Record<string, { user: string; password: string }> };
    };
    expect(nats.url).toBe(`nats://127.0.0.1:${port}`);
    expect(nats.users.election).toEqual({ user: "me", password: "secret" });
  });
});

describe("what a user can put right", () => {
  test.each([
    ["a file that is not there", () => rmSync(inDirectory("keepalived.conf")), /keepalived\.conf/],
    [
      "settings that are wrong",
      () => writeFileSync(inDirectory("baton.yaml"), "colour: red\n"),
      /baton\.yaml:1:1: error: .*colour/,
    ],
  ])("%s", async (_name, prepare, says) => {
    writeFileSync(inDirectory("baton.yaml"), "");
    prepare();
    const { exited, stderr } = start({ words: ["--settings", inDirectory("baton.yaml")] });
    expect(await exited).not.toBe(0);
    expect(stderr()).toMatch(says);
    expect(stderr()).not.toMatch(/\n\s+at /);
    expect(existsSync(runDir())).toBe(false);
  });

  test("a broker that is not installed", async () => {
    const { exited, stderr } = start({ env: { PATH: inDirectory("empty") } });
    expect(await exited).toBe(1);
    expect(stderr()).toMatch(/^missing on this machine: nats-server, redis-server, nft .*\n$/);
  });

  test.each([
    [
      "a ready file in a directory that is not there",
      ["--ready-file", "missing/ready"],
      /^the ready file cannot be made: /,
    ],
    [
      "a run directory too deep for a socket",
      ["--run-dir", `/${"x".repeat(100)}`],
      /^the run directory's path is too long/,
    ],
  ])("%s", async (_name, words, says) => {
    const { exited, stderr } = start({ words });
    expect(await exited).toBe(1);
    expect(stderr()).toMatch(says);
    expect(stderr().trim().split("\n")).toHaveLength(1);
  });

  test("a state directory of another node, and a directory of another user", async () => {
    await startReady();
    const another = start({ words: ["--run-dir", inDirectory("other-run")] });
    expect(await another.exited).toBe(1);
    expect(another.stderr()).toMatch(/^a node already keeps its state in .*\n$/);
    mkdirSync(inDirectory("theirs"));
    chownSync(inDirectory("theirs"), 65534, 65534);
    const stranger = start({ words: ["--run-dir", inDirectory("theirs")] });
    expect(await stranger.exited).toBe(1);
    expect(stranger.stderr()).toMatch(/^cannot use .*theirs: it belongs to another user\n$/);
  });

  test("a run directory that cannot be one", async () => {
    writeFileSync(inDirectory("run"), "a file");
    const { exited, stderr } = start();
    expect(await exited).toBe(1);
    expect(stderr()).toMatch(/^cannot use .*run: .*\n$/);
  });
});

describe("a death", () => {
  test("a killed service is started again, the others go on", async () => {
    const { stderr } = await startReady();
    const before = services();
    process.kill(pidOf("election"), "SIGKILL");
    await until("another election", () => pidOf("election") !== before.election?.pid && pidOf("election") > 0);
    expect(services().election?.restarts).toBe(1);
    await until("its first words", () => story().includes("election started 1"));
    for (const name of ["nats", "redis", "control", "dataplane", "health", "notifier"]) {
      expect(services()[name]).toEqual(before[name]);
    }
    expect(stderr()).toMatch(/election died/);
  });

  test("a hung service is killed after 15 s, and started again", { timeout: 60_000 }, async () => {
    const { stderr } = await startReady();
    const before = pidOf("health");
    process.kill(before, "SIGSTOP");
    await until("another health", () => pidOf("health") !== before && pidOf("health") > 0, 25_000);
    expect(stderr()).toMatch(/killing health: no sign of life/);
    expect(isAlive(before)).toBe(false);
    expect(services().election?.restarts).toBe(0);
  });

  test("a killed broker comes back on its port", async () => {
    await startReady();
    const credentials = readFileSync(join(runDir(), "credentials.json"), "utf8");
    for (const broker of ["nats", "redis"]) {
      const before = pidOf(broker);
      process.kill(before, "SIGKILL");
      await until(`another ${broker}`, () => pidOf(broker) !== before && pidOf(broker) > 0);
    }
    expect(readFileSync(join(runDir(), "credentials.json"), "utf8")).toBe(credentials);
  });

  test("a port that somebody has taken meanwhile is given up, and everybody told", async () => {
    await startReady();
    const { nats } = JSON.parse(readFileSync(join(runDir(), "credentials.json"), "utf8")) as { nats: { url: string } };
    const port = Number(new URL(nats.url).port);
    // Death, and its port taken before the supervisor's second try: the first is at once.
    const thief = createServer();
    held.servers.push(thief);
    const steal = (): Promise<boolean> =>
      new Promise((resolve) => {
        thief.once("error", () => resolve(false));
        thief.listen(port, "127.0.0.1", () => resolve(true));
      });
    killQuietly(pidOf("nats"));
    while (!(await steal())) {
      killQuietly(pidOf("nats"));
      await delay(1);
    }
    await until("another address", () => {
      const now = JSON.parse(readFileSync(join(runDir(), "credentials.json"), "utf8")) as { nats: { url: string } };
      return now.nats.url !== nats.url && pidOf("nats") > 0;
    });
    await delay(100); // past the moment in which it is started and not yet noted
  });

  test("services outlive a killed supervisor, and the next one replaces them one after the other", async () => {
    const first = await startReady();
    const before = services();
    first.child.kill("SIGKILL");
    expect(await first.exited).toBe("SIGKILL");
    await delay(300);
    expect(Object.values(before).filter(({ pid }) => !isAlive(pid))).toEqual([]);
    expect(story().join()).not.toContain("stop");

    rmSync(ready());
    const second = await startReady();
    expect(Object.values(before).filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(services().election).toMatchObject({ restarts: 1 });
    expect(story()).toContain("election started 1");
    await until("it to be told", () => second.stderr().includes("taking over what an earlier run left behind"));
    expect(second.stderr()).not.toMatch(/ died"/);
    // Each has loaded before the one that it replaces is ended, and begins then.
    expect(story().filter((line) => / (stands by|started 1)$/.test(line))).toEqual(
      ["control", "election", "dataplane", "health", "notifier"].flatMap((name) => [
        `${name} stands by`,
        `${name} started 1`,
      ]),
    );
  });

  test("one that the record misses is found by its command, a script with its environment is not", async () => {
    const first = await startReady();
    const before = services();
    const env = { ...process.env, BATON_RUN_DIR: runDir() };
    const script = spawn("sleep", ["100"], { env });
    first.child.kill("SIGKILL");
    await first.exited;
    writeFileSync(join(runDir(), "services.json"), JSON.stringify({ services: {} }));
    rmSync(ready());
    await startReady();
    expect(Object.values(before).filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(script.signalCode).toBe(null);
    script.kill();
  });

  test("a stop while it takes over leaves nobody behind", async () => {
    const first = await startReady();
    const before = services();
    first.child.kill("SIGKILL");
    await first.exited;
    const second = start();
    await until("control of the second", () => story().includes("control started 1"));
    second.child.kill("SIGTERM");
    expect(await second.exited).toBe(0);
    expect([...Object.values(before), ...Object.values(services())].filter(({ pid }) => isAlive(pid))).toEqual([]);
  });

  test("a pid that is somebody else's now is not touched", async () => {
    const bystander = spawn("sleep", ["100"]);
    mkdirSync(runDir());
    const services = { election: { pid: bystander.pid, startTime: 1, restarts: 0 } };
    writeFileSync(join(runDir(), "services.json"), JSON.stringify({ supervisor: { pid: 1, startTime: 1 }, services }));
    await startReady();
    expect(bystander.exitCode).toBe(null);
    expect(bystander.signalCode).toBe(null);
    bystander.kill();
  });
});
